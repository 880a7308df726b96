//! Queueing runs.

use chrono::TimeDelta;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{Run, RunStatus, RunTrigger, unfinished};
use crate::access::scope::workspace::Contribute;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::{Instant, JsonList, sql};
use crate::error::Result;
use crate::id::{RunId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::rate_limit::{self, Rule};
use crate::models::workspace::Workspace;
use crate::run;
use crate::schema::{prompts, run_prompts, runs};

/// The outcome of requesting a run.
#[derive(Clone, Debug)]
pub enum Asked {
    /// The run that was queued, or the one that is unfinished already.
    Given(Run),
    /// Nothing was queued: there is no active prompt, or the occurrence has had its run.
    Empty,
}

/// Who or what requests a run.
pub(in crate::models) enum Asker<'a> {
    /// A person, to whose request the rate limit applies.
    Viewer(&'a Viewer, RunTrigger),
    /// The schedule, with the occurrence that is due.
    Schedule(Instant),
}

/// Requests a run.
///
/// # Errors
/// As [`Viewer::workspace`]; `RATE_LIMITED`.
pub async fn start(app: &App, viewer: &Viewer, id: WorkspaceId) -> Result<Asked> {
    let asked = app
        .db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Contribute>(tx, id).await?;
            let asker = Asker::Viewer(viewer, RunTrigger::Manual);
            ask(tx, app, scope.workspace(), asker, app.now()).await
        })
        .await?;
    app.wake_worker();
    Ok(asked)
}

/// Like [`start`], but as part of a transaction that has checked the permission and locked the
/// workspace's row. If it is refused, nothing is written.
///
/// # Errors
/// `RATE_LIMITED`.
pub(in crate::models) async fn ask(
    tx: &mut Transaction,
    app: &App,
    workspace: &Workspace,
    asker: Asker<'_>,
    now: Instant,
) -> Result<Asked> {
    if let Some(run) = unfinished(tx, workspace.id).await? {
        return Ok(Asked::Given(run));
    }
    let active = active_prompts(tx, workspace.id).await?;
    if active == 0 {
        return Ok(Asked::Empty);
    }
    let (trigger, occurrence) = match asker {
        Asker::Viewer(_, trigger) => (trigger, None),
        Asker::Schedule(occurrence) => (RunTrigger::Schedule, Some(occurrence)),
    };
    if let Asker::Viewer(..) = asker {
        rate_limit::hit(tx, app, &rule(app), workspace.id, now).await?;
    }
    let providers = workspace.providers();
    // No workspace comes near so many prompts that the total overflows.
    let total = i32::try_from(active.saturating_mul(providers.len() as i64)).unwrap_or(i32::MAX);
    let run = Run {
        id: RunId::new(now.to_utc()),
        workspace_id: workspace.id,
        trigger,
        status: RunStatus::Queued,
        error: None,
        providers: JsonList(providers),
        occurrence,
        total,
        completed: 0,
        failed: 0,
        queued_at: now,
        started_at: None,
        finished_at: None,
        lease_holder: None,
        leased_until: None,
    };
    let queued = run!(
        tx,
        diesel::insert_into(runs::table)
            .values(&run)
            .on_conflict_do_nothing()
            .execute(tx)
            .await
    )?;
    // The workspace's lock keeps others from queueing one meanwhile, so the conflict is with a run of
    // the same occurrence: the schedule was set again by an instance whose clock is behind.
    if queued == 0 {
        return Ok(Asked::Empty);
    }
    copy_prompts(tx, &run).await?;
    let event = NewEvent {
        kind: EventKind::RunQueued,
        organization: workspace.organization_id,
        workspace: Some(workspace.id),
        subject: run.id.into(),
        data: json!({ "trigger": trigger.as_str(), "total": total }),
    };
    match asker {
        Asker::Viewer(viewer, _) => event::record(tx, viewer, now, event).await?,
        Asker::Schedule(_) => event::record_by_system(tx, now, event).await?,
    }
    Ok(Asked::Given(run))
}

fn rule(app: &App) -> Rule {
    Rule {
        name: "start_run",
        limit: app.config.limits.runs_per_minute,
        window: TimeDelta::minutes(1),
    }
}

async fn active_prompts(tx: &mut Transaction, workspace: WorkspaceId) -> Result<i64> {
    Ok(run!(
        tx,
        prompts::table
            .filter(prompts::workspace_id.eq(workspace))
            .filter(prompts::is_active)
            .select(count_star())
            .first(tx)
            .await
    )?)
}

/// Copies the active prompts as they are now, for as long as the run lasts.
async fn copy_prompts(tx: &mut Transaction, run: &Run) -> Result<()> {
    let active = prompts::table
        .filter(prompts::workspace_id.eq(run.workspace_id))
        .filter(prompts::is_active)
        .select((run.id.into_sql::<sql::Id>(), prompts::id, prompts::text));
    run!(
        tx,
        active
            .insert_into(run_prompts::table)
            .into_columns((
                run_prompts::run_id,
                run_prompts::prompt_id,
                run_prompts::text
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}
