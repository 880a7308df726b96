//! Identities whose account was deleted: tokens issued before do not sign in any more, and one issued
//! after creates a new person.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};

use crate::db::types::Instant;
use crate::db::{Connection, Transaction};
use crate::error::{Error, Result};
use crate::run;
use crate::schema::deleted_identities;

/// Records that the account of this identity was deleted. Only a hash is kept, which does not tell whose
/// it was.
///
/// # Errors
/// Database errors only.
pub(super) async fn record(
    tx: &mut Transaction,
    issuer: &str,
    subject: &str,
    now: Instant,
) -> Result<()> {
    let deleted_at = deleted_identities::deleted_at.eq(now);
    run!(
        tx,
        diesel::insert_into(deleted_identities::table)
            .values((
                deleted_identities::hash.eq(hash(issuer, subject)),
                deleted_at
            ))
            .on_conflict(deleted_identities::hash)
            .do_update()
            .set(deleted_at)
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Refuses a token issued no later than the identity's account was deleted. A token without an issue
/// time may be any age, and is refused too.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub(super) async fn check(
    conn: &mut Connection,
    issuer: &str,
    subject: &str,
    issued_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let deleted_at: Option<Instant> = run!(
        conn,
        deleted_identities::table
            .find(hash(issuer, subject))
            .select(deleted_identities::deleted_at)
            .first(conn)
            .await
            .optional()
    )?;
    match (deleted_at, issued_at.map(Instant::from)) {
        (None, _) => Ok(()),
        (Some(deleted_at), Some(issued_at)) if issued_at > deleted_at => Ok(()),
        (Some(_), _) => Err(Error::unauthenticated()),
    }
}

fn hash(issuer: &str, subject: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(issuer);
    // Neither contains this byte, so that different identities never hash the same input.
    hash.update([0]);
    hash.update(subject);
    HEXLOWER.encode(&hash.finalize())
}
