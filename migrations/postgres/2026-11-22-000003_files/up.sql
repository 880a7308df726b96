-- Icons that were uploaded, or may be. Each is some workspace's, or goes once it is kept no longer.
CREATE TABLE files (
    id uuid PRIMARY KEY,
    uploaded_by uuid REFERENCES users ON DELETE SET NULL,
    -- What the store has it under. NULL until it is uploaded, as the four columns below are.
    object_id uuid UNIQUE,
    format text COLLATE "C",
    bytes integer,
    width integer,
    height integer,
    -- The workspace whose icon it is. NULL again once that has another, or is gone for good.
    workspace_id uuid REFERENCES workspaces ON DELETE SET NULL,
    -- When a workspace took it, which happens once.
    used_at timestamptz,
    -- When the URL for uploading it expires.
    expires_at timestamptz NOT NULL,
    -- Until when it stays though it is no workspace's.
    kept_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX files_uploaded_by ON files (uploaded_by);
-- Not one with the others in it: SQLite would look for those of no workspace there, and sort them.
CREATE UNIQUE INDEX files_of_workspace ON files (workspace_id) WHERE workspace_id IS NOT NULL;
CREATE INDEX files_to_sweep ON files (kept_until, id) WHERE workspace_id IS NULL;

ALTER TABLE workspaces ADD COLUMN icon_id uuid REFERENCES files;
-- That of the file, so that a workspace tells the URL of its icon by itself.
ALTER TABLE workspaces ADD COLUMN icon_format text COLLATE "C";
CREATE UNIQUE INDEX workspaces_icon ON workspaces (icon_id) WHERE icon_id IS NOT NULL;

-- Objects of the store that no file has any more, or none has yet: each is written down here before it
-- is stored, and goes when it is due unless a file has taken it over by then.
CREATE TABLE discarded_objects (
    id uuid PRIMARY KEY,
    due_at timestamptz NOT NULL
);
CREATE INDEX discarded_objects_due ON discarded_objects (due_at, id);

-- Secrets of the server that all instances share.
CREATE TABLE secrets (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    created_at timestamptz NOT NULL
);
