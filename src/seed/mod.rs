//! A demonstration data set of any size, for an empty database.
//!
//! Row `k` of each table is computed from the arguments and `k` (see [`draw`]): only the batch being
//! written is kept in memory, and the same arguments give the same rows, including ids and times. That
//! is also how an interrupted run is resumed: the tables are written one after the other, and rows that
//! a table already has are skipped.

mod answers;
mod draw;
mod history;
mod people;
mod places;
mod prompts;
mod runs;
mod words;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use self::draw::{Draw, For, mix};
use crate::db::types::Instant;
use crate::db::{Bulk, Db, Row, Table};
use crate::error::Result;
use crate::id::UserId;
use crate::run;
use crate::schema::users;

/// The email address of the first person: the one that a server's development sign-in link is for.
pub const DEVELOPER_EMAIL: &str = "developer@example.com";
/// The name of the first person.
pub const DEVELOPER_NAME: &str = "Developer";

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Rows per transaction.
const BATCH: usize = 5_000;

/// The size and parameters of the data set.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Organizations, at least 1.
    pub organizations: u64,
    /// Workspaces, deleted ones included.
    pub workspaces: u64,
    /// People, at least 1.
    pub users: u64,
    /// Prompts; none if there is no workspace.
    pub prompts: u64,
    /// Answers, failed ones included; none if there is no workspace.
    pub answers: u64,
    /// Distinguishes data sets of the same size.
    pub seed: u64,
    /// When the data set ends: its last event happened shortly before.
    pub now: Instant,
    /// The plan of the organizations.
    pub plan_key: String,
    /// How long deleted workspaces are kept, in days.
    pub purge_days: u32,
    /// How long an invitation can be answered, in days.
    pub invitation_days: u32,
}

/// Why nothing, or not everything, was written.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The database has data that this plan does not produce.
    #[error(
        "the database is not empty; seed fills only an empty one. To start over, create another \
         database: on SQLite, move the file away; on PostgreSQL, dropdb and createdb"
    )]
    HasData,
    /// The database failed.
    #[error("the database failed: {}", .0.details())]
    Database(#[from] crate::error::Error),
}

/// How much has been written.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The table being written.
    pub table: &'static str,
    /// How many rows it has by now.
    pub rows: u64,
    /// Whether the table is complete.
    pub is_done: bool,
}

/// What rows are computed from.
struct Seed {
    plan: Plan,
    /// For what should be the same in data sets of other sizes.
    draw: Draw,
    /// For ids: different arguments give different ids.
    ids: Draw,
}

impl Seed {
    fn new(plan: &Plan) -> Self {
        let arguments = [
            plan.organizations,
            plan.workspaces,
            plan.users,
            plan.prompts,
            plan.answers,
            plan.now.micros().cast_unsigned(),
        ];
        let all = arguments.iter().fold(plan.seed, |all, it| mix(all ^ *it));
        Self {
            plan: plan.clone(),
            draw: Draw::new(plan.seed),
            ids: Draw::new(mix(all ^ For::Arguments as u64)),
        }
    }

    /// Returns the time `micros` microseconds before the end.
    fn ago(&self, micros: i64) -> Instant {
        self.plan.now.plus(TimeDelta::microseconds(-micros))
    }

    /// Returns the time of the `k`th of `n`, spread evenly over `span`, which starts `ago` before the
    /// end.
    fn spread(&self, ago: i64, span: i64, k: u64, n: u64) -> Instant {
        let later = i128::from(span) * i128::from(k) / i128::from(n.max(1));
        // At most `span`.
        self.ago(ago - later as i64)
    }
}

/// Fills a database that is empty, or has only rows that the same plan produces. Calls `progress` after
/// each batch and each table.
///
/// # Errors
/// As [`SeedError`]. Rows written before an error remain, and are not written again.
pub async fn seed(
    db: &Db,
    plan: &Plan,
    mut progress: impl FnMut(Progress),
) -> Result<(), SeedError> {
    let seed = Seed::new(plan);
    check_is_ours(db, &seed).await?;
    let bulk = Bulk::open(db).await?;
    let mut writer = Writer {
        bulk: &bulk,
        progress: &mut progress,
        may_go_on: true,
    };
    writer.write(people::USERS, seed.users()).await?;
    writer
        .write(people::ORGANIZATIONS, seed.organizations())
        .await?;
    writer
        .write(people::ORGANIZATION_SLUGS, seed.organization_slugs())
        .await?;
    writer
        .write(people::ORGANIZATION_MEMBERS, seed.organization_members())
        .await?;
    writer.write(places::WORKSPACES, seed.workspaces()).await?;
    writer
        .write(places::WORKSPACE_SLUGS, seed.workspace_slugs())
        .await?;
    writer
        .write(places::WORKSPACE_MEMBERS, seed.workspace_members())
        .await?;
    writer.write(places::JOIN_CODES, seed.join_codes()).await?;
    writer
        .write(places::INVITATIONS, seed.invitations())
        .await?;
    writer.write(places::SCHEDULES, seed.schedules()).await?;
    writer.write(prompts::PROMPTS, seed.prompts()).await?;
    writer.write(runs::RUNS, seed.runs()).await?;
    writer.write(answers::ANSWERS, seed.answers()).await?;
    writer.write(answers::VISIBILITY, seed.visibility()).await?;
    writer.write(history::EVENTS, seed.events()).await?;
    if writer.may_go_on {
        // Every row existed already.
        return Err(SeedError::HasData);
    }
    bulk.finish().await?;
    Ok(())
}

/// Checks that the first person in the database is of this data set: no other arguments give the same
/// ids.
async fn check_is_ours(db: &Db, seed: &Seed) -> Result<(), SeedError> {
    let mut conn = db.read().await?;
    let first: Option<UserId> = run!(
        conn,
        users::table
            .order_by(users::id)
            .select(users::id)
            .first(conn)
            .await
            .optional()
    )
    .map_err(crate::error::Error::from)?;
    match first {
        Some(first) if first.uuid() != seed.user_id(0) => Err(SeedError::HasData),
        _ => Ok(()),
    }
}

struct Writer<'a, F> {
    bulk: &'a Bulk<'a>,
    progress: &'a mut F,
    /// Whether all rows so far existed already, so that this table may have rows too.
    may_go_on: bool,
}

impl<F: FnMut(Progress)> Writer<'_, F> {
    /// Writes the rows that the table does not have yet.
    async fn write(
        &mut self,
        table: Table,
        mut rows: impl Iterator<Item = Row>,
    ) -> Result<(), SeedError> {
        let mut written = self.bulk.count(&table).await?;
        if written > 0 && !self.may_go_on {
            return Err(SeedError::HasData);
        }
        for _ in 0..written {
            // The table has more rows than the plan: the database has been used.
            rows.next().ok_or(SeedError::HasData)?;
        }
        loop {
            let batch: Vec<_> = rows.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            self.may_go_on = false;
            written += batch.len() as u64;
            self.bulk.write(&table, batch).await?;
            (self.progress)(Progress {
                table: table.name,
                rows: written,
                is_done: false,
            });
        }
        (self.progress)(Progress {
            table: table.name,
            rows: written,
            is_done: true,
        });
        Ok(())
    }
}
