import { graphql, useFragment } from "react-relay";

import type { WorkspaceItem_workspace$key } from "./__generated__/WorkspaceItem_workspace.graphql";

/** A workspace in a list. */
export function WorkspaceItem({ workspace }: { workspace: WorkspaceItem_workspace$key }) {
  const { name, slug, organization, viewerRole, createdAt } = useFragment(
    graphql`
      fragment WorkspaceItem_workspace on Workspace {
        name
        slug
        viewerRole
        createdAt
        organization {
          name
        }
      }
    `,
    workspace,
  );
  return (
    <a href={`/${slug}`}>
      {name}, {organization.name} ({viewerRole}, since {new Date(createdAt).toLocaleDateString()})
    </a>
  );
}
