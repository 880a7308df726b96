import { useState } from "react";
import { graphql, useMutation } from "react-relay";

import type { CreateWorkspaceMutation } from "./__generated__/CreateWorkspaceMutation.graphql";

/** A form that creates a workspace and appends it to the list identified by `connection`. */
export function CreateWorkspace({ connection }: { connection: string }) {
  const [refusal, setRefusal] = useState<string | null>(null);
  const [commit, isInFlight] = useMutation<CreateWorkspaceMutation>(graphql`
    mutation CreateWorkspaceMutation($input: CreateWorkspaceInput!, $connections: [ID!]!) {
      createWorkspace(input: $input) {
        workspace @appendNode(connections: $connections, edgeTypeName: "WorkspaceEdge") {
          id
          ...WorkspaceItem_workspace
        }
      }
    }
  `);

  function create(form: FormData) {
    commit({
      variables: { input: { name: String(form.get("name")) }, connections: [connection] },
      onCompleted: (_, errors) => setRefusal(errors?.[0]?.message ?? null),
      onError: ({ message }) => setRefusal(message),
    });
  }

  return (
    <form action={create}>
      <input name="name" required minLength={2} maxLength={80} />
      <button disabled={isInFlight}>Create</button>
      {refusal !== null && <p role="alert">{refusal}</p>}
    </form>
  );
}
