//! Who was removed from where: they cannot come back by a join code until they are wanted again.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{Id, Kind, OrganizationId, UserId, WorkspaceId};
use crate::run;
use crate::schema::removals;

/// Remembers that the person was removed from the workspace or, without one, from the organization
/// and so from all its workspaces.
///
/// # Errors
/// Only those of the database.
pub(super) async fn record(
    tx: &mut Transaction,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
    user: UserId,
    now: Instant,
) -> Result<()> {
    let removal = (
        removals::id.eq(Id::<Removal>::new(now.to_utc())),
        removals::organization_id.eq(organization),
        removals::workspace_id.eq(workspace),
        removals::user_id.eq(user),
        removals::created_at.eq(now),
    );
    run!(
        tx,
        diesel::insert_into(removals::table)
            .values(removal)
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Forgets that the people were removed from the organization and, if one is given, from the
/// workspace: they are wanted again.
///
/// # Errors
/// Only those of the database.
pub(super) async fn forget(
    tx: &mut Transaction,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
    people: &[UserId],
) -> Result<()> {
    // Nothing equals NULL: without a workspace, only the removals from the organization are meant.
    let place = removals::workspace_id
        .is_null()
        .or(removals::workspace_id.eq(workspace));
    let theirs = removals::table
        .filter(removals::organization_id.eq(organization).and(place))
        .filter(removals::user_id.eq_any(people));
    run!(tx, diesel::delete(theirs).execute(tx).await)?;
    Ok(())
}

/// Whether the person was removed from the workspace, or from its organization, and has not been
/// wanted again since.
///
/// # Errors
/// Only those of the database.
pub(super) async fn stands(
    tx: &mut Transaction,
    organization: OrganizationId,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<bool> {
    let place = removals::workspace_id
        .is_null()
        .or(removals::workspace_id.assume_not_null().eq(workspace));
    let theirs = removals::table
        .filter(removals::user_id.eq(user))
        .filter(removals::organization_id.eq(organization).and(place));
    Ok(run!(
        tx,
        diesel::select(diesel::dsl::exists(theirs))
            .get_result(tx)
            .await
    )?)
}

/// A removal, which the API does not show.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Removal {}

impl Kind for Removal {
    const PREFIX: &'static str = "removal";
}
