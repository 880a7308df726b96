CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- NULL for an invitation to the organization alone.
    workspace_id uuid REFERENCES workspaces ON DELETE CASCADE,
    email text COLLATE "C" NOT NULL,
    organization_role text COLLATE "C" NOT NULL,
    workspace_role text COLLATE "C",
    -- PENDING, ACCEPTED, DECLINED or REVOKED. EXPIRED is PENDING past `expires_at`, and stored only
    -- where a new invitation takes the place of an expired one.
    status text COLLATE "C" NOT NULL,
    invited_by uuid REFERENCES users ON DELETE SET NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX invitations_pending_workspace ON invitations (workspace_id, email) WHERE status = 'PENDING' AND workspace_id IS NOT NULL;
CREATE UNIQUE INDEX invitations_pending_organization ON invitations (organization_id, email) WHERE status = 'PENDING' AND workspace_id IS NULL;
CREATE INDEX invitations_of_organization ON invitations (organization_id, id);
CREATE INDEX invitations_of_workspace ON invitations (workspace_id, id);
CREATE INDEX invitations_of_email ON invitations (email, id);
CREATE INDEX invitations_inviter ON invitations (invited_by);

CREATE TABLE join_codes (
    workspace_id uuid PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
    code text COLLATE "C" NOT NULL UNIQUE,
    is_enabled boolean NOT NULL,
    role text COLLATE "C" NOT NULL,
    expires_at timestamptz,
    max_uses integer,
    uses integer NOT NULL,
    created_at timestamptz NOT NULL
);

-- Who was removed, and cannot come back by a join code until they are invited or added again.
CREATE TABLE removals (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    -- NULL for a removal from the organization, and so from all its workspaces.
    workspace_id uuid REFERENCES workspaces ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL
);
CREATE INDEX removals_of_user ON removals (user_id, organization_id);
CREATE INDEX removals_of_organization ON removals (organization_id);
CREATE INDEX removals_of_workspace ON removals (workspace_id);

CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name text NOT NULL,
    prefix text COLLATE "C" NOT NULL,
    -- SHA-256 of the secret, in hexadecimal.
    hash text COLLATE "C" NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz,
    expires_at timestamptz
);
CREATE INDEX api_tokens_of_user ON api_tokens (user_id, id);

-- Identities whose account was deleted: tokens issued before that are refused.
CREATE TABLE deleted_identities (
    -- SHA-256 of the issuer and the subject, in hexadecimal.
    hash text COLLATE "C" PRIMARY KEY,
    deleted_at timestamptz NOT NULL
);

-- Mail to be sent, written in the transaction that it tells of.
CREATE TABLE mails (
    id uuid PRIMARY KEY,
    recipient text COLLATE "C" NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    html text NOT NULL,
    created_at timestamptz NOT NULL,
    -- When to try (again); a worker that takes it moves this on, so that no other takes it meanwhile.
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL
);
CREATE INDEX mails_due ON mails (due_at, id);
