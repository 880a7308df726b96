import { Suspense, useMemo } from "react";
import { graphql, RelayEnvironmentProvider, useLazyLoadQuery } from "react-relay";

import type { AppQuery } from "./__generated__/AppQuery.graphql";
import { environment } from "./environment";
import { WorkspaceList } from "./WorkspaceList";

/** The application for the owner of the token. */
export function App({ url, token }: { url: string; token: string }) {
  const relay = useMemo(() => environment(url, token), [url, token]);
  return (
    <RelayEnvironmentProvider environment={relay}>
      <Suspense fallback="…">
        <Home />
      </Suspense>
    </RelayEnvironmentProvider>
  );
}

function Home() {
  const data = useLazyLoadQuery<AppQuery>(
    graphql`
      query AppQuery {
        viewer {
          email
          name
        }
        ...WorkspaceList_query
      }
    `,
    {},
  );
  return (
    <main>
      <h1>{data.viewer.name ?? data.viewer.email}</h1>
      <WorkspaceList query={data} />
    </main>
  );
}
