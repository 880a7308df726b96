DROP TABLE mails;
DROP TABLE deleted_identities;
DROP TABLE api_tokens;
DROP TABLE removals;
DROP TABLE join_codes;
DROP TABLE invitations;
