//! Rate limits with sliding windows, counted in the database so that all instances count together and a
//! restart forgets nothing.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::app::App;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::run;
use crate::schema::rate_hits;

/// The names of all rules.
pub const NAMES: [&str; 5] = [
    "organizations",
    "joins",
    "invitations",
    "uploads",
    "start_run",
];

/// A rate limit.
pub struct Rule {
    /// The name it is counted under, one of [`NAMES`].
    pub name: &'static str,
    /// Maximum number of calls per window.
    pub limit: u32,
    /// The window's length.
    pub window: TimeDelta,
}

/// Counts one call against the limit of `subject`, whose row the transaction must have locked. The count
/// is rolled back with the transaction, so that a call refused for another reason costs nothing.
///
/// # Errors
/// `RATE_LIMITED` with the time until the next call may succeed. Such a call is not counted, except in
/// the metrics.
pub(in crate::models) async fn hit<K: Kind>(
    tx: &mut Transaction,
    app: &App,
    rule: &Rule,
    subject: Id<K>,
    now: Instant,
) -> Result<()> {
    debug_assert!(NAMES.contains(&rule.name), "{} is listed", rule.name);
    let subject = Id::<Counted>::from_uuid(subject.uuid());
    let start = now.plus(-rule.window);
    let of_subject = rate_hits::rule
        .eq(rule.name)
        .and(rate_hits::subject_id.eq(subject));
    run!(
        tx,
        diesel::delete(rate_hits::table.filter(of_subject.and(rate_hits::created_at.le(start))))
            .execute(tx)
            .await
    )?;
    // The call that must leave the window before there is room: the `limit`-th newest.
    let in_the_way: Option<Instant> = run!(
        tx,
        rate_hits::table
            .filter(of_subject)
            .order_by(rate_hits::created_at.desc())
            .offset(i64::from(rule.limit) - 1)
            .select(rate_hits::created_at)
            .first(tx)
            .await
            .optional()
    )?;
    if let Some(oldest) = in_the_way {
        app.metrics.rate_limited(rule.name);
        return Err(Error::RateLimited(oldest.plus(rule.window).since(now)));
    }
    let hit = (
        rate_hits::id.eq(Id::<Counted>::new(now.to_utc())),
        rate_hits::rule.eq(rule.name),
        rate_hits::subject_id.eq(subject),
        rate_hits::created_at.eq(now),
    );
    run!(
        tx,
        diesel::insert_into(rate_hits::table)
            .values(hit)
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Anything that calls are counted for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {}

impl Kind for Counted {
    const PREFIX: &'static str = "counted";
}
