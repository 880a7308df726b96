//! Purging people who deleted their accounts.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Purged;
use super::batch::{Batch, let_go_each};
use crate::db::{Transaction, lock_skip};
use crate::error::Result;
use crate::id::UserId;
use crate::run;
use crate::schema::{events, files, invitations, organizations, prompts, users, workspaces};

/// Clears references to the person who deleted their account first from up to `limit` rows, and deletes
/// their own row once no reference is left. Returns `None` if there is no such person, or if other
/// instances are working on all of them.
///
/// # Errors
/// Database errors only.
pub async fn purge_person(tx: &mut Transaction, limit: i64) -> Result<Option<Purged<UserId>>> {
    let found: Option<UserId> = run!(
        tx,
        lock_skip(
            users::table
                .filter(users::deleted_at.is_not_null())
                .order_by((users::deleted_at, users::id))
                .limit(1)
                .select(users::id)
        )
        .get_result(tx)
        .await
        .optional()
    )?;
    let Some(id) = found else {
        return Ok(None);
    };
    // The person may have a million events, or none.
    tx.plan_for_values().await?;
    let mut batch = Batch::new(limit);
    // In the order in which rows are locked everywhere.
    let_go_each!(tx, batch, id,
        organizations: created_by,
        workspaces: created_by,
        invitations: invited_by,
        prompts: created_by,
        files: uploaded_by,
        events: actor_id,
    );
    let is_gone = !batch.is_full();
    if is_gone {
        run!(tx, diesel::delete(users::table.find(id)).execute(tx).await)?;
    }
    Ok(Some(Purged {
        id,
        counts: batch.counts(),
        is_gone,
    }))
}
