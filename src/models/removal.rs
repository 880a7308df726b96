//! Who was removed from where. They cannot come back by a join code until they are added or invited
//! again.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{Id, Kind, OrganizationId, UserId, WorkspaceId};
use crate::run;
use crate::schema::removals;

/// Records that the person was removed from the workspace or, if none is given, from the organization
/// and so from all its workspaces.
///
/// # Errors
/// Database errors only.
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

/// Deletes the people's removals from the organization and, if one is given, from the workspace, because
/// they were added or invited again.
///
/// # Errors
/// Database errors only.
pub(super) async fn forget(
    tx: &mut Transaction,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
    people: &[UserId],
) -> Result<()> {
    // Nothing equals NULL: without a workspace, only removals from the organization match.
    let place = removals::workspace_id
        .is_null()
        .or(removals::workspace_id.eq(workspace));
    let theirs = removals::table
        .filter(removals::organization_id.eq(organization).and(place))
        .filter(removals::user_id.eq_any(people));
    run!(tx, diesel::delete(theirs).execute(tx).await)?;
    Ok(())
}

/// Checks whether the person was removed from the workspace or its organization and has not been added
/// or invited again since.
///
/// # Errors
/// Database errors only.
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

/// A removal, which the API never shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Removal {}

impl Kind for Removal {
    const PREFIX: &'static str = "removal";
}
