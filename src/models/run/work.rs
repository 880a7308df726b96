//! Processing runs: claiming them, and storing their results. A worker has a run for the duration of its
//! lease; its writes are refused once another worker has the lease or the run was cancelled.

use std::collections::HashSet;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::cancel::close;
use super::{HolderId, Run, RunStatus};
use crate::db::types::Instant;
use crate::db::{Connection, Topic, Transaction, lock, lock_skip};
use crate::error::Result;
use crate::id::{AnswerId, OrganizationId, PromptId, RunId};
use crate::models::answer::Answer;
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::provider::Provider;
use crate::models::visibility;
use crate::run;
use crate::schema::{answers, run_prompts, runs, workspaces};

/// Whether a run still belongs to the worker that writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Lease {
    /// It does.
    Held,
    /// It was cancelled, or another worker has claimed it.
    Lost,
}

/// Checks whether any run is waiting for a worker.
///
/// # Errors
/// Database errors only.
pub async fn is_any_waiting(conn: &mut Connection, now: Instant) -> Result<bool> {
    let waiting = runs::table
        .filter(runs::finished_at.is_null())
        .filter(runs::leased_until.is_null().or(runs::leased_until.le(now)));
    Ok(run!(
        conn,
        diesel::select(diesel::dsl::exists(waiting.select(runs::id)))
            .get_result(conn)
            .await
    )?)
}

/// Claims up to `limit` runs that no worker has, or whose worker has died, the longest waiting first.
///
/// # Errors
/// Database errors only.
pub async fn claim(
    tx: &mut Transaction,
    holder: HolderId,
    now: Instant,
    lease: TimeDelta,
    limit: i64,
) -> Result<Vec<Run>> {
    let waiting: Vec<RunId> = run!(
        tx,
        lock_skip(
            runs::table
                .filter(runs::finished_at.is_null())
                .filter(runs::leased_until.is_null().or(runs::leased_until.le(now)),)
                .order_by((runs::queued_at, runs::id))
                .limit(limit)
                .select(runs::id)
        )
        .get_results(tx)
        .await
    )?;
    if waiting.is_empty() {
        // Other workers were faster.
        return Ok(Vec::new());
    }
    let claimed: Vec<Run> = run!(
        tx,
        diesel::update(runs::table.filter(runs::id.eq_any(&waiting)))
            .set((
                runs::status.eq(RunStatus::Running),
                runs::lease_holder.eq(holder),
                runs::leased_until.eq(now.plus(lease)),
            ))
            .returning(Run::as_returning())
            .get_results(tx)
            .await
    )?;
    let fresh = runs::table
        .filter(runs::id.eq_any(&waiting))
        .filter(runs::started_at.is_null());
    run!(
        tx,
        diesel::update(fresh)
            .set(runs::started_at.eq(now))
            .execute(tx)
            .await
    )?;
    for id in waiting {
        tx.announce(Topic::Run(id));
    }
    Ok(claimed)
}

/// Extends the worker's lease on a run to `lease` from now.
///
/// # Errors
/// Database errors only.
pub async fn renew(
    tx: &mut Transaction,
    id: RunId,
    holder: HolderId,
    now: Instant,
    lease: TimeDelta,
) -> Result<Lease> {
    let renewed = run!(
        tx,
        diesel::update(held(id, holder))
            .set(runs::leased_until.eq(now.plus(lease)))
            .execute(tx)
            .await
    )?;
    Ok(lease_of(renewed))
}

/// Releases an unfinished run, so that another worker can claim it at once.
///
/// # Errors
/// Database errors only.
pub async fn give_back(tx: &mut Transaction, id: RunId, holder: HolderId) -> Result<()> {
    run!(
        tx,
        diesel::update(held(id, holder))
            .set((
                runs::lease_holder.eq(None::<HolderId>),
                runs::leased_until.eq(None::<Instant>),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Returns up to `limit` prompts of a run after the given one, by id, as they were when it was queued.
///
/// # Errors
/// Database errors only.
pub async fn prompts_after(
    conn: &mut Connection,
    id: RunId,
    after: Option<PromptId>,
    limit: i64,
) -> Result<Vec<(PromptId, String)>> {
    let after = after.unwrap_or_else(|| PromptId::from_uuid(uuid::Uuid::nil()));
    Ok(run!(
        conn,
        run_prompts::table
            .filter(run_prompts::run_id.eq(id))
            .filter(run_prompts::prompt_id.gt(after))
            .order_by(run_prompts::prompt_id)
            .limit(limit)
            .select((run_prompts::prompt_id, run_prompts::text))
            .load(conn)
            .await
    )?)
}

/// Returns the prompts that a provider has answered or failed to answer in this run, which are not sent
/// again.
///
/// # Errors
/// Database errors only.
pub async fn answered(
    conn: &mut Connection,
    id: RunId,
    provider: Provider,
) -> Result<HashSet<PromptId>> {
    let found: Vec<PromptId> = run!(
        conn,
        answers::table
            .filter(answers::run_id.eq(id))
            .filter(answers::provider.eq(provider))
            .select(answers::prompt_id)
            .load(conn)
            .await
    )?;
    Ok(found.into_iter().collect())
}

/// Returns the domain whose mentions are counted in the run's workspace, if it has one.
///
/// # Errors
/// Database errors only.
pub async fn domain(conn: &mut Connection, run: &Run) -> Result<Option<String>> {
    Ok(run!(
        conn,
        workspaces::table
            .find(run.workspace_id)
            .select(workspaces::domain)
            .first(conn)
            .await
    )?)
}

/// Stores an answer and counts it.
///
/// # Errors
/// Database errors only.
pub async fn store(tx: &mut Transaction, holder: HolderId, answer: &Answer) -> Result<Lease> {
    let (completed, failed) = match answer.text {
        Some(_) => (1, 0),
        None => (0, 1),
    };
    let counted = run!(
        tx,
        diesel::update(held(answer.run_id, holder))
            .set((
                runs::completed.eq(runs::completed + completed),
                runs::failed.eq(runs::failed + failed),
            ))
            .execute(tx)
            .await
    )?;
    if lease_of(counted) == Lease::Lost {
        return Ok(Lease::Lost);
    }
    run!(
        tx,
        diesel::insert_into(answers::table)
            .values(answer)
            .execute(tx)
            .await
    )?;
    if answer.text.is_some() {
        visibility::count(
            tx,
            answer.workspace_id,
            answer.provider,
            answer.created_at,
            answer.mentions_domain,
        )
        .await?;
    }
    tx.announce(Topic::Run(answer.run_id));
    Ok(Lease::Held)
}

/// Checks whether the answer with this id is stored.
///
/// # Errors
/// Database errors only.
pub async fn is_stored(conn: &mut Connection, id: AnswerId) -> Result<bool> {
    let it = answers::table.find(id).select(answers::id);
    Ok(run!(
        conn,
        diesel::select(diesel::dsl::exists(it))
            .get_result(conn)
            .await
    )?)
}

/// Ends a run whose last answer is stored.
///
/// # Errors
/// Database errors only.
pub async fn finish(
    tx: &mut Transaction,
    id: RunId,
    holder: HolderId,
    now: Instant,
) -> Result<Lease> {
    // Locks are taken in one order: the workspace comes before its run. Whoever held its lock may have
    // cancelled the run, so nothing is written before the run is locked as well.
    let of_workspace: Option<OrganizationId> = run!(tx, {
        let run = held(id, holder).select(runs::workspace_id).single_value();
        let workspace = workspaces::table
            .filter(workspaces::id.nullable().eq(run))
            .select(workspaces::organization_id);
        lock(workspace).get_result(tx).await.optional()
    })?;
    let found: Option<Run> = run!(
        tx,
        lock(held(id, holder).select(Run::as_select()))
            .get_result(tx)
            .await
            .optional()
    )?;
    let (Some(organization), Some(run)) = (of_workspace, found) else {
        return Ok(Lease::Lost);
    };
    let status = match (run.completed, run.failed) {
        (_, 0) => RunStatus::Succeeded,
        (0, _) => RunStatus::Failed,
        _ => RunStatus::Partial,
    };
    let error = match status {
        RunStatus::Failed => Some(why_failed(tx, id).await?),
        _ => None,
    };
    run!(
        tx,
        diesel::update(workspaces::table.find(run.workspace_id))
            .set(workspaces::last_run_at.eq(now))
            .execute(tx)
            .await
    )?;
    run!(
        tx,
        diesel::update(held(id, holder))
            .set((
                runs::status.eq(status),
                runs::error.eq(error),
                runs::finished_at.eq(now),
                runs::lease_holder.eq(None::<HolderId>),
                runs::leased_until.eq(None::<Instant>),
            ))
            .execute(tx)
            .await
    )?;
    close(tx, &[id]).await?;
    let event = NewEvent {
        kind: EventKind::RunFinished,
        organization,
        workspace: Some(run.workspace_id),
        subject: id.into(),
        data: json!({
            "status": status.as_str(),
            "completed": run.completed,
            "failed": run.failed,
        }),
    };
    event::record_by_system(tx, now, event).await?;
    Ok(Lease::Held)
}

/// Returns the error of a run that collected no answers.
async fn why_failed(tx: &mut Transaction, id: RunId) -> Result<String> {
    let first: Option<Option<String>> = run!(
        tx,
        answers::table
            .filter(answers::run_id.eq(id))
            .order_by(answers::id)
            .select(answers::error)
            .first(tx)
            .await
            .optional()
    )?;
    let first = first.flatten().unwrap_or_default();
    Ok(format!(
        "No answer was collected. The first failure: {first}"
    ))
}

/// The run, as long as the worker has it.
#[diesel::dsl::auto_type]
fn held(id: RunId, holder: HolderId) -> _ {
    runs::table.filter(
        runs::id
            .eq(id)
            .and(runs::finished_at.is_null())
            .and(runs::lease_holder.eq(holder)),
    )
}

fn lease_of(changed: usize) -> Lease {
    if changed == 0 {
        Lease::Lost
    } else {
        Lease::Held
    }
}
