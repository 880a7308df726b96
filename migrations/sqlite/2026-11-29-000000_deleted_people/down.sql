DROP INDEX users_to_purge;
ALTER TABLE users DROP COLUMN deleted_at;
