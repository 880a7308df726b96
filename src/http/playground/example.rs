//! The operations that the playground opens with.

/// An example operation.
pub struct Example {
    /// The title of its tab.
    pub title: &'static str,
    /// A GraphQL document of one operation.
    pub query: &'static str,
    /// Its variables as a JSON object, or the empty string.
    pub variables: &'static str,
}

/// The examples, in the order of their tabs.
pub const EXAMPLES: [Example; 4] = [
    Example {
        title: "Where am I?",
        query: include_str!("examples/navigation.graphql"),
        variables: "",
    },
    Example {
        title: "Create a workspace",
        query: include_str!("examples/create_workspace.graphql"),
        variables: include_str!("examples/create_workspace.json"),
    },
    Example {
        title: "List workspaces",
        query: include_str!("examples/workspaces.graphql"),
        variables: include_str!("examples/workspaces.json"),
    },
    Example {
        title: "Follow a workspace",
        query: include_str!("examples/workspace_events.graphql"),
        variables: include_str!("examples/workspace_events.json"),
    },
];

/// Renders the examples as template elements, from which the page's scripts read them. So the page needs
/// no inline script, not even for data.
pub fn templates() -> String {
    let templates = EXAMPLES.iter().map(|example| {
        format!(
            "<template class=\"example\" data-title=\"{}\"><pre class=\"query\">{}</pre>\
             <pre class=\"variables\">{}</pre></template>\n",
            escape(example.title),
            escape(example.query),
            escape(example.variables),
        )
    });
    templates.collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
