CREATE TABLE users (
    id blob PRIMARY KEY,
    issuer text NOT NULL,
    subject text NOT NULL,
    email text NOT NULL,
    email_verified integer NOT NULL,
    name text,
    avatar_url text,
    current_workspace_id blob,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    UNIQUE (issuer, subject)
) STRICT;
CREATE INDEX users_email ON users (email);

CREATE TABLE organizations (
    id blob PRIMARY KEY,
    name text NOT NULL,
    name_key text NOT NULL,
    slug text NOT NULL,
    is_personal integer NOT NULL,
    workos_organization_id text UNIQUE,
    plan_key text NOT NULL,
    created_by blob REFERENCES users ON DELETE SET NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer
) STRICT;
CREATE INDEX organizations_created_by ON organizations (created_by);

CREATE TABLE organization_slugs (
    slug text PRIMARY KEY,
    organization_id blob NOT NULL REFERENCES organizations ON DELETE CASCADE,
    is_current integer NOT NULL
) STRICT;
CREATE UNIQUE INDEX organization_slugs_current ON organization_slugs (organization_id) WHERE is_current;
CREATE INDEX organization_slugs_organization ON organization_slugs (organization_id);

CREATE TABLE organization_members (
    id blob PRIMARY KEY,
    organization_id blob NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id blob NOT NULL REFERENCES users ON DELETE CASCADE,
    role text NOT NULL,
    created_at integer NOT NULL,
    UNIQUE (organization_id, user_id)
) STRICT;
CREATE INDEX organization_members_user ON organization_members (user_id, organization_id);
CREATE INDEX organization_members_list ON organization_members (organization_id, id);

CREATE TABLE workspaces (
    id blob PRIMARY KEY,
    organization_id blob NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    name_key text NOT NULL,
    search_key text NOT NULL,
    slug text NOT NULL,
    description text,
    domain text,
    visibility text NOT NULL,
    settings text NOT NULL,
    onboarding text NOT NULL,
    onboarding_completed_at integer,
    trial_ends_at integer,
    created_by blob REFERENCES users ON DELETE SET NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    deleted_at integer,
    purge_at integer,
    -- So that a membership can name the workspace's organization and be held to it.
    UNIQUE (id, organization_id)
) STRICT;
CREATE INDEX workspaces_by_name ON workspaces (organization_id, name_key, id);
CREATE INDEX workspaces_by_creation ON workspaces (organization_id, id);
CREATE INDEX workspaces_by_update ON workspaces (organization_id, updated_at, id);
CREATE INDEX workspaces_created_by ON workspaces (created_by);
CREATE INDEX workspaces_to_purge ON workspaces (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE workspace_slugs (
    slug text PRIMARY KEY,
    workspace_id blob NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    is_current integer NOT NULL
) STRICT;
CREATE UNIQUE INDEX workspace_slugs_current ON workspace_slugs (workspace_id) WHERE is_current;
CREATE INDEX workspace_slugs_workspace ON workspace_slugs (workspace_id);

-- Whoever belongs to a workspace belongs to its organization, and leaves the one with the other.
CREATE TABLE workspace_members (
    id blob PRIMARY KEY,
    workspace_id blob NOT NULL,
    organization_id blob NOT NULL,
    user_id blob NOT NULL,
    role text NOT NULL,
    created_at integer NOT NULL,
    UNIQUE (workspace_id, user_id),
    FOREIGN KEY (workspace_id, organization_id) REFERENCES workspaces (id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, user_id) REFERENCES organization_members (organization_id, user_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX workspace_members_user ON workspace_members (user_id, workspace_id);
CREATE INDEX workspace_members_organization ON workspace_members (organization_id, user_id);
CREATE INDEX workspace_members_list ON workspace_members (workspace_id, id);

CREATE TABLE events (
    id blob PRIMARY KEY,
    kind text NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations ON DELETE CASCADE,
    workspace_id blob REFERENCES workspaces ON DELETE CASCADE,
    actor_id blob REFERENCES users ON DELETE SET NULL,
    subject text,
    data text NOT NULL,
    created_at integer NOT NULL
) STRICT;
CREATE INDEX events_of_organization ON events (organization_id, id);
CREATE INDEX events_of_workspace ON events (workspace_id, id);
CREATE INDEX events_actor ON events (actor_id);

CREATE TABLE rate_hits (
    id blob PRIMARY KEY,
    rule text NOT NULL,
    subject_id blob NOT NULL,
    created_at integer NOT NULL
) STRICT;
CREATE INDEX rate_hits_window ON rate_hits (rule, subject_id, created_at);
