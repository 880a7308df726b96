//! Visibility: how often answers mention their workspace's domain.

mod read;
mod span;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub use read::{Tally, Visibility, of_workspaces};
pub use span::Span;

use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::models::provider::Provider;
use crate::run;
use crate::schema::visibility;

/// Counts an answer that did not fail, in the transaction that stores it. `now` must be the answer's
/// creation time, which determines the day that it counts for.
///
/// # Errors
/// Database errors only.
pub async fn count(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    provider: Provider,
    now: Instant,
    mentions: bool,
) -> Result<()> {
    let mentions = i32::from(mentions);
    let first = (
        visibility::workspace_id.eq(workspace),
        visibility::day.eq(read::name(now)),
        visibility::provider.eq(provider),
        visibility::answers.eq(1),
        visibility::mentions.eq(mentions),
    );
    run!(
        tx,
        diesel::insert_into(visibility::table)
            .values(&first)
            .on_conflict((
                visibility::workspace_id,
                visibility::day,
                visibility::provider
            ))
            .do_update()
            .set((
                visibility::answers.eq(visibility::answers + 1),
                visibility::mentions.eq(visibility::mentions + mentions),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}
