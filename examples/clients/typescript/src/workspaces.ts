// The operations of a small front end.
import type { Client } from "./client.js";
import { graphql, unmask, type FragmentType } from "./gql/index.js";
import type {
  CreateWorkspaceInput,
  NavigationQuery,
  PromptInput,
  RunProgressSubscription,
  StartRunMutation,
  WorkspaceItemFragment,
  WorkspacesQuery,
} from "./gql/graphql.js";

/** The fields needed wherever a workspace is shown. */
const WORKSPACE_ITEM = graphql(`
  fragment WorkspaceItem on Workspace {
    id
    name
    slug
    viewerRole
    viewerPermissions
    settings
    createdAt
  }
`);

const NAVIGATION = graphql(`
  query Navigation {
    navigationState {
      viewer {
        email
        name
      }
      currentWorkspace {
        ...WorkspaceItem
      }
      organizations {
        id
        name
        viewerAccess {
          role
          permissions
        }
      }
    }
  }
`);

const WORKSPACES = graphql(`
  query Workspaces($first: Int!, $after: String, $offset: Int, $search: String) {
    workspaces(first: $first, after: $after, offset: $offset, search: $search) {
      totalCount
      nodes {
        ...WorkspaceItem
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const CREATE_WORKSPACE = graphql(`
  mutation CreateWorkspace($input: CreateWorkspaceInput!) {
    createWorkspace(input: $input) {
      isFirstWorkspace
      workspace {
        ...WorkspaceItem
      }
    }
  }
`);

const PROMPTS = graphql(`
  query Prompts($workspace: ID!, $first: Int!) {
    workspace(by: { id: $workspace }) {
      prompts(first: $first) {
        nodes {
          id
          text
          tags
          isActive
        }
      }
      limits {
        prompts {
          used
          limit
        }
      }
    }
  }
`);

const CREATE_PROMPTS = graphql(`
  mutation CreatePrompts($input: CreatePromptsInput!) {
    createPrompts(input: $input) {
      prompts {
        id
      }
    }
  }
`);

const START_RUN = graphql(`
  mutation StartRun($input: StartRunInput!) {
    startRun(input: $input) {
      runRequest {
        status
        jobId
        code
        error
      }
    }
  }
`);

const RUN_PROGRESS = graphql(`
  subscription RunProgress($run: ID!) {
    run(id: $run) {
      status
      total
      completed
      failed
    }
  }
`);

/** Returns the viewer, and the workspaces and organizations they can switch to. */
export async function navigation(client: Client): Promise<NavigationQuery["navigationState"]> {
  return (await client.send(NAVIGATION)).navigationState;
}

/** Unmasks a workspace that another document selected with the fragment `WorkspaceItem`. */
export function item(workspace: FragmentType<typeof WORKSPACE_ITEM>): WorkspaceItemFragment {
  return unmask(WORKSPACE_ITEM, workspace);
}

/** Yields all workspaces of the viewer page by page, for lists that load more on scrolling. */
export async function* workspacePages(
  client: Client,
  first: number,
): AsyncGenerator<WorkspaceItemFragment[]> {
  let after: string | null = null;
  for (;;) {
    const { workspaces }: WorkspacesQuery = await client.send(WORKSPACES, { first, after });
    yield workspaces.nodes.map(item);
    if (!workspaces.pageInfo.hasNextPage) return;
    after = workspaces.pageInfo.endCursor;
  }
}

/** Returns one numbered page, counted from 1, and the number of pages. */
export async function workspacePage(client: Client, page: number, size: number) {
  const variables = { first: size, offset: (page - 1) * size };
  const { workspaces } = await client.send(WORKSPACES, variables);
  return {
    workspaces: workspaces.nodes.map(item),
    pages: Math.ceil(workspaces.totalCount / size),
  };
}

/** Creates a workspace, which becomes the current one. */
export async function createWorkspace(
  client: Client,
  input: CreateWorkspaceInput,
): Promise<WorkspaceItemFragment> {
  const { createWorkspace } = await client.send(CREATE_WORKSPACE, { input });
  return item(createWorkspace.workspace);
}

/** Returns the first prompts of a workspace, and how many more fit; `null` if there is no workspace. */
export async function prompts(client: Client, workspace: string, first = 50) {
  return (await client.send(PROMPTS, { workspace, first })).workspace;
}

/** Adds prompts to a workspace, all of them or none. */
export async function createPrompts(
  client: Client,
  workspaceId: string,
  prompts: PromptInput[],
): Promise<string[]> {
  const { createPrompts } = await client.send(CREATE_PROMPTS, { input: { workspaceId, prompts } });
  return createPrompts.prompts.map(({ id }) => id);
}

/** Requests a run. */
export async function startRun(
  client: Client,
  workspaceId: string,
): Promise<StartRunMutation["startRun"]["runRequest"]> {
  return (await client.send(START_RUN, { input: { workspaceId } })).startRun.runRequest;
}

/** Yields a run as it is now, and again whenever it changes, until it ends. */
export async function* followRun(
  client: Client,
  run: string,
): AsyncGenerator<RunProgressSubscription["run"]> {
  for await (const { run: progress } of client.follow(RUN_PROGRESS, { run })) {
    yield progress;
  }
}
