-- What a mail tells of: once that is over, the mail is not sent. NULL for one that an earlier version wrote.
ALTER TABLE mails ADD COLUMN invitation_id blob REFERENCES invitations ON DELETE CASCADE;
CREATE INDEX mails_of_invitation ON mails (invitation_id) WHERE invitation_id IS NOT NULL;
