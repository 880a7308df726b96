-- When the newest token was issued whose claims a person has: one of before changes nothing. NULL where no
-- token has said when, or an earlier version wrote the claims.
ALTER TABLE users ADD COLUMN claims_issued_at timestamptz;
