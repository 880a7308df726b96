-- A JSON list of the AI providers that prompts are put to; NULL for all of them.
ALTER TABLE workspaces ADD COLUMN enabled_providers text;
ALTER TABLE workspaces ADD COLUMN last_run_at integer;

CREATE TABLE prompts (
    id blob PRIMARY KEY,
    workspace_id blob NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    text text NOT NULL,
    -- SHA-256 of the text, in hexadecimal: a key of a B-tree cannot be as long as a text may be.
    text_hash text NOT NULL,
    search_key text NOT NULL,
    -- A JSON list.
    tags text NOT NULL,
    is_active integer NOT NULL,
    created_by blob REFERENCES users ON DELETE SET NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    UNIQUE (workspace_id, text_hash)
) STRICT;
CREATE INDEX prompts_of_workspace ON prompts (workspace_id, id);
CREATE INDEX prompts_active ON prompts (workspace_id, id) WHERE is_active;
CREATE INDEX prompts_created_by ON prompts (created_by);

CREATE TABLE schedules (
    workspace_id blob PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
    cron text NOT NULL,
    time_zone text NOT NULL,
    -- NULL while the workspace is deleted.
    next_run_at integer
) STRICT;
CREATE INDEX schedules_due ON schedules (next_run_at, workspace_id) WHERE next_run_at IS NOT NULL;

CREATE TABLE runs (
    id blob PRIMARY KEY,
    workspace_id blob NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    trigger text NOT NULL,
    status text NOT NULL,
    error text,
    -- A JSON list of the AI providers that the prompts are put to.
    providers text NOT NULL,
    -- When it was due, for one that the schedule asked for.
    occurrence integer,
    total integer NOT NULL,
    completed integer NOT NULL,
    failed integer NOT NULL,
    queued_at integer NOT NULL,
    started_at integer,
    finished_at integer,
    -- The worker that has it, and until when; both NULL while nobody has.
    lease_holder blob,
    leased_until integer,
    UNIQUE (workspace_id, occurrence)
) STRICT;
CREATE INDEX runs_of_workspace ON runs (workspace_id, id);
CREATE INDEX runs_of_workspace_by_status ON runs (workspace_id, status, id);
-- One at a time.
CREATE UNIQUE INDEX runs_unfinished ON runs (workspace_id) WHERE finished_at IS NULL;
CREATE INDEX runs_to_do ON runs (queued_at, id) WHERE finished_at IS NULL;
CREATE INDEX runs_to_forget ON runs (finished_at, id) WHERE finished_at IS NOT NULL;

-- The prompts of an unfinished run, as they were when it was queued.
CREATE TABLE run_prompts (
    run_id blob NOT NULL REFERENCES runs ON DELETE CASCADE,
    -- May name one that was deleted since.
    prompt_id blob NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (run_id, prompt_id)
) STRICT;

CREATE TABLE answers (
    id blob PRIMARY KEY,
    workspace_id blob NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    run_id blob NOT NULL REFERENCES runs ON DELETE CASCADE,
    -- May name one that was deleted since.
    prompt_id blob NOT NULL,
    prompt_text text NOT NULL,
    provider text NOT NULL,
    model text NOT NULL,
    -- NULL for one that failed, which has an error instead.
    text text,
    error text,
    -- A JSON list of URLs.
    citations text NOT NULL,
    mentions_domain integer NOT NULL,
    latency_ms integer NOT NULL,
    created_at integer NOT NULL,
    -- A provider is asked once, and its answers are listed by run.
    UNIQUE (run_id, prompt_id, provider)
) STRICT;
CREATE INDEX answers_of_run ON answers (run_id, id);
CREATE INDEX answers_of_run_by_provider ON answers (run_id, provider, id);
CREATE INDEX answers_of_prompt ON answers (prompt_id, id);
CREATE INDEX answers_of_prompt_by_provider ON answers (prompt_id, provider, id);
CREATE INDEX answers_by_time ON answers (workspace_id, created_at);

-- How many answers there were, and how many of them mention the workspace's domain: kept up with
-- each answer that did not fail.
CREATE TABLE visibility (
    workspace_id blob NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    -- In UTC, as YYYY-MM-DD.
    day text NOT NULL,
    provider text NOT NULL,
    answers integer NOT NULL,
    mentions integer NOT NULL,
    PRIMARY KEY (workspace_id, day, provider)
) STRICT;
