//! Due occurrences.
//!
//! Every instance looks for them. Each takes rows that no other has locked, queues their runs and stores
//! the next occurrence, all in one transaction, so that an occurrence is run once, however many
//! instances there are and whichever of them dies.

use anyhow::anyhow;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Schedule;
use crate::app::App;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock_skip};
use crate::error::Result;
use crate::models::run::{self, Asked, Asker};
use crate::models::values::Invalid;
use crate::models::values::cron::{Cron, Zone};
use crate::models::workspace::Workspace;
use crate::run;
use crate::schema::{schedules, workspaces};

/// Returns when the first occurrence is due, if anything is scheduled. Sorted, rather than filtered by
/// what is due now, so that the index answers it without a scan.
///
/// # Errors
/// Database errors only.
pub async fn first_due(conn: &mut Connection) -> Result<Option<Instant>> {
    let first: Option<Option<Instant>> = run!(
        conn,
        schedules::table
            .filter(schedules::next_run_at.is_not_null())
            .order_by((schedules::next_run_at, schedules::workspace_id))
            .select(schedules::next_run_at)
            .first(conn)
            .await
            .optional()
    )?;
    Ok(first.flatten())
}

/// Queues the runs of up to `limit` due schedules, the longest overdue first, and returns how many
/// schedules there were. One run makes up for all missed occurrences of a schedule.
///
/// # Errors
/// Database errors only.
pub async fn run_due(app: &App, limit: i64) -> Result<usize> {
    app.db
        .transaction(async |tx| {
            let now = app.now();
            // Locks the workspaces too, as changing a schedule and requesting a run do.
            let due: Vec<(Schedule, Workspace)> = run!(
                tx,
                lock_skip(
                    schedules::table
                        .inner_join(
                            workspaces::table.on(workspaces::id.eq(schedules::workspace_id))
                        )
                        .filter(schedules::next_run_at.le(now))
                        .order_by((schedules::next_run_at, schedules::workspace_id))
                        .limit(limit)
                        .select((Schedule::as_select(), Workspace::as_select()))
                )
                .get_results(tx)
                .await
            )?;
            for (schedule, workspace) in &due {
                if let Some(occurrence) = schedule.next_run_at {
                    let asker = Asker::Schedule(occurrence);
                    if let Asked::Given(run) = run::ask(tx, app, workspace, asker, now).await? {
                        tracing::info!(workspace = %workspace.id, run = %run.id, %occurrence, "run scheduled");
                    }
                }
                move_on(tx, schedule, now).await?;
            }
            Ok(due.len())
        })
        .await
}

/// Stores the next occurrence after now.
async fn move_on(tx: &mut Transaction, schedule: &Schedule, now: Instant) -> Result<()> {
    let next = schedule.next_after(now);
    run!(
        tx,
        diesel::update(schedules::table.find(schedule.workspace_id))
            .set(schedules::next_run_at.eq(next))
            .execute(tx)
            .await
    )?;
    Ok(())
}

impl Schedule {
    /// Returns the next occurrence after `after`; `None` if this release cannot read the expression or
    /// the time zone, though they were checked when the schedule was set.
    pub(super) fn next_after(&self, after: Instant) -> Option<Instant> {
        let next = || {
            let zone = Zone::parse(&self.time_zone).map_err(|Invalid(why)| anyhow!(why))?;
            anyhow::Ok(Cron::stored(&self.cron)?.next_after(zone, after))
        };
        next().unwrap_or_else(|error| {
            let (workspace, cron, zone) = (self.workspace_id, &self.cron, &self.time_zone);
            let error = format!("{error:#}");
            tracing::error!(%workspace, cron, zone, error, "schedule cannot be parsed and is stopped");
            None
        })
    }
}
