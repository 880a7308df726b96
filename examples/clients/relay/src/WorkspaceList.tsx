import { graphql, usePaginationFragment } from "react-relay";

import type { WorkspaceListPaginationQuery } from "./__generated__/WorkspaceListPaginationQuery.graphql";
import type { WorkspaceList_query$key } from "./__generated__/WorkspaceList_query.graphql";
import { CreateWorkspace } from "./CreateWorkspace";
import { WorkspaceItem } from "./WorkspaceItem";

/** The viewer's workspaces, with controls to load more and to create one. */
export function WorkspaceList({ query }: { query: WorkspaceList_query$key }) {
  const { data, hasNext, isLoadingNext, loadNext, refetch } = usePaginationFragment<
    WorkspaceListPaginationQuery,
    WorkspaceList_query$key
  >(
    graphql`
      fragment WorkspaceList_query on Query
      @refetchable(queryName: "WorkspaceListPaginationQuery")
      @argumentDefinitions(
        count: { type: "Int", defaultValue: 20 }
        cursor: { type: "String" }
        search: { type: "String" }
      ) {
        workspaces(first: $count, after: $cursor, search: $search)
          @connection(key: "WorkspaceList_workspaces") {
          __id
          totalCount
          edges {
            node {
              id
              ...WorkspaceItem_workspace
            }
          }
        }
      }
    `,
    query,
  );
  const { __id, edges, totalCount } = data.workspaces;
  return (
    <section>
      <h2>{totalCount} workspaces</h2>
      <input
        type="search"
        onChange={(event) => refetch({ search: event.target.value || null })}
      />
      <ul>
        {edges.map(({ node }) => (
          <li key={node.id}>
            <WorkspaceItem workspace={node} />
          </li>
        ))}
      </ul>
      {hasNext && (
        <button disabled={isLoadingNext} onClick={() => loadNext(20)}>
          More
        </button>
      )}
      <CreateWorkspace connection={__id} />
    </section>
  );
}
