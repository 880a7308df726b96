DROP TABLE visibility;
DROP TABLE answers;
DROP TABLE run_prompts;
DROP TABLE runs;
DROP TABLE schedules;
DROP TABLE prompts;
ALTER TABLE workspaces DROP COLUMN last_run_at;
ALTER TABLE workspaces DROP COLUMN enabled_providers;
