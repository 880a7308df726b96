DROP INDEX rate_hits_to_purge;
DROP INDEX organizations_to_purge;
