-- When the person deleted their account. The row then tells nothing of them any more; it stays for as long
-- as anything names it as its author, and every one of those is NULL in the end.
ALTER TABLE users ADD COLUMN deleted_at timestamptz;
CREATE INDEX users_to_purge ON users (deleted_at, id) WHERE deleted_at IS NOT NULL;
