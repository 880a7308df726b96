ALTER TABLE users DROP COLUMN claims_issued_at;
