DROP INDEX mails_of_invitation;
ALTER TABLE mails DROP COLUMN invitation_id;
