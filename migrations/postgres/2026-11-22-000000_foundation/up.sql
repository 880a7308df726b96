-- Keys that are compared and sorted in the order of code points, whatever the database's locale is,
-- say COLLATE "C".

CREATE TABLE users (
    id uuid PRIMARY KEY,
    issuer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    email text COLLATE "C" NOT NULL,
    email_verified boolean NOT NULL,
    name text,
    avatar_url text,
    current_workspace_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX users_email ON users (email);

CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    slug text COLLATE "C" NOT NULL,
    is_personal boolean NOT NULL,
    workos_organization_id text COLLATE "C" UNIQUE,
    plan_key text NOT NULL,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX organizations_created_by ON organizations (created_by);

CREATE TABLE organization_slugs (
    slug text COLLATE "C" PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    is_current boolean NOT NULL
);
CREATE UNIQUE INDEX organization_slugs_current ON organization_slugs (organization_id) WHERE is_current;
CREATE INDEX organization_slugs_organization ON organization_slugs (organization_id);

CREATE TABLE organization_members (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (organization_id, user_id)
);
CREATE INDEX organization_members_user ON organization_members (user_id, organization_id);
CREATE INDEX organization_members_list ON organization_members (organization_id, id);

CREATE TABLE workspaces (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    search_key text COLLATE "C" NOT NULL,
    slug text COLLATE "C" NOT NULL,
    description text,
    domain text COLLATE "C",
    visibility text COLLATE "C" NOT NULL,
    settings text NOT NULL,
    onboarding text NOT NULL,
    onboarding_completed_at timestamptz,
    trial_ends_at timestamptz,
    created_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    purge_at timestamptz,
    -- So that a membership can name the workspace's organization and be held to it.
    UNIQUE (id, organization_id)
);
CREATE INDEX workspaces_by_name ON workspaces (organization_id, name_key, id);
CREATE INDEX workspaces_by_creation ON workspaces (organization_id, id);
CREATE INDEX workspaces_by_update ON workspaces (organization_id, updated_at, id);
CREATE INDEX workspaces_created_by ON workspaces (created_by);
CREATE INDEX workspaces_to_purge ON workspaces (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE workspace_slugs (
    slug text COLLATE "C" PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    is_current boolean NOT NULL
);
CREATE UNIQUE INDEX workspace_slugs_current ON workspace_slugs (workspace_id) WHERE is_current;
CREATE INDEX workspace_slugs_workspace ON workspace_slugs (workspace_id);

-- Whoever belongs to a workspace belongs to its organization, and leaves the one with the other.
CREATE TABLE workspace_members (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (workspace_id, user_id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES workspaces (id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id) REFERENCES organization_members (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX workspace_members_user ON workspace_members (user_id, workspace_id);
CREATE INDEX workspace_members_organization ON workspace_members (organization_id, user_id);
CREATE INDEX workspace_members_list ON workspace_members (workspace_id, id);

CREATE TABLE events (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    workspace_id uuid REFERENCES workspaces ON DELETE CASCADE,
    actor_id uuid REFERENCES users ON DELETE SET NULL,
    subject text COLLATE "C",
    data text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX events_of_organization ON events (organization_id, id);
CREATE INDEX events_of_workspace ON events (workspace_id, id);
CREATE INDEX events_actor ON events (actor_id);

CREATE TABLE rate_hits (
    id uuid PRIMARY KEY,
    rule text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX rate_hits_window ON rate_hits (rule, subject_id, created_at);
