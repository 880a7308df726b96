-- What names them as its author lets go of them.
DELETE FROM users WHERE deleted_at IS NOT NULL;
DROP INDEX users_to_purge;
ALTER TABLE users DROP COLUMN deleted_at;
