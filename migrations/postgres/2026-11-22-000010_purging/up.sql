CREATE INDEX organizations_to_purge ON organizations (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX rate_hits_to_purge ON rate_hits (created_at);
