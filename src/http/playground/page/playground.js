"use strict";

// Starts GraphiQL with our fetcher, or the plain console if GraphiQL does not work or is not wanted.

(() => {
  if (new URLSearchParams(location.search).has("plain")) {
    openConsole(false);
    return;
  }
  if (!globalThis.React || !globalThis.ReactDOM || !globalThis.GraphiQL) {
    openConsole(true);
    return;
  }

  // An error while rendering would otherwise leave an empty page.
  class Boundary extends React.Component {
    state = { failed: false };

    static getDerivedStateFromError() {
      return { failed: true };
    }

    componentDidCatch() {
      openConsole(true);
    }

    render() {
      return this.state.failed ? null : this.props.children;
    }
  }

  const graphiql = React.createElement(
    GraphiQL,
    {
      fetcher,
      defaultTabs: examples.map(({ query, variables }) => ({ query, variables })),
      plugins: globalThis.GraphiQLPluginExplorer ? [GraphiQLPluginExplorer.explorerPlugin()] : [],
      defaultEditorToolsVisibility: "variables",
      isHeadersEditorEnabled: true,
      // Headers may hold a secret.
      shouldPersistHeaders: false,
    },
    React.createElement(GraphiQL.Logo, null, "GraphiQL"),
  );
  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(Boundary, null, graphiql),
  );
})();
