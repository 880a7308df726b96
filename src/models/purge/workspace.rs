//! Purging workspaces that can no longer be restored.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Purged;
use super::batch::{Batch, delete_each};
use crate::db::types::Instant;
use crate::db::{Transaction, lock_skip};
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::run;
use crate::schema::{
    answers, events, invitations, prompts, removals, run_prompts, runs, visibility,
    workspace_members, workspace_slugs, workspaces,
};

/// Deletes up to `limit` rows of the workspace that has been due for the longest, and its own row once
/// nothing else is left. Returns `None` if no workspace is due, or if other instances are working on all
/// of them.
///
/// # Errors
/// Database errors only.
pub async fn purge_workspace(
    tx: &mut Transaction,
    now: Instant,
    limit: i64,
) -> Result<Option<Purged<WorkspaceId>>> {
    let found: Option<(WorkspaceId, Option<Instant>)> = run!(
        tx,
        lock_skip(
            workspaces::table
                .filter(workspaces::purge_at.le(now))
                .order_by((workspaces::purge_at, workspaces::id))
                .limit(1)
                .select((workspaces::id, workspaces::purge_at))
        )
        .get_result(tx)
        .await
        .optional()
    )?;
    let Some((id, purge_at)) = found else {
        return Ok(None);
    };
    if purge_at != Some(Instant::MIN) {
        // An instance whose clock is behind must not restore a workspace that is partly deleted.
        run!(
            tx,
            diesel::update(workspaces::table.find(id))
                .set(workspaces::purge_at.eq(Instant::MIN))
                .execute(tx)
                .await
        )?;
    }
    // The workspace may have a million answers, or none.
    tx.plan_for_values().await?;
    let mut batch = Batch::new(limit);
    delete_each!(tx, batch,
        answers: answers::workspace_id.eq(id),
        run_prompts: run_prompts::run_id.eq_any(
            runs::table.filter(runs::workspace_id.eq(id)).select(runs::id)
        ),
        runs: runs::workspace_id.eq(id),
        prompts: prompts::workspace_id.eq(id),
        visibility: visibility::workspace_id.eq(id),
        events: events::workspace_id.eq(id),
        invitations: invitations::workspace_id.eq(id),
        removals: removals::workspace_id.eq(id),
        workspace_members: workspace_members::workspace_id.eq(id),
        workspace_slugs: workspace_slugs::workspace_id.eq(id),
    );
    let is_gone = !batch.is_full();
    if is_gone {
        // Deletes its schedule and its join code too; there is at most one of each.
        let row = workspaces::table.find(id);
        run!(tx, diesel::delete(row).execute(tx).await)?;
    }
    Ok(Some(Purged {
        id,
        counts: batch.counts(),
        is_gone,
    }))
}
