//! The people behind an address.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::db::Transaction;
use crate::error::Result;
use crate::id::{OrganizationId, UserId, WorkspaceId};
use crate::models::user::User;
use crate::models::values::email::Email;
use crate::run;
use crate::schema::{organization_members, users, workspace_members};

/// Returns the people who have the address verified, by id. Several issuers may vouch for the same
/// address, so there may be several people; an unverified address belongs to nobody.
///
/// # Errors
/// Database errors only.
pub(super) async fn named(tx: &mut Transaction, email: &Email) -> Result<Vec<User>> {
    Ok(run!(
        tx,
        users::table
            .filter(users::email.eq(email.as_str()).and(users::email_verified))
            .order_by(users::id)
            .select(User::as_select())
            .load(tx)
            .await
    )?)
}

/// Returns which of the people belong to the organization.
///
/// # Errors
/// Database errors only.
pub(super) async fn in_organization(
    tx: &mut Transaction,
    organization: OrganizationId,
    people: &[User],
) -> Result<Vec<UserId>> {
    let ids = people.iter().map(|user| user.id);
    Ok(run!(
        tx,
        organization_members::table
            .filter(organization_members::organization_id.eq(organization))
            .filter(organization_members::user_id.eq_any(ids))
            .select(organization_members::user_id)
            .load(tx)
            .await
    )?)
}

/// Returns which of the people have a membership of the workspace.
///
/// # Errors
/// Database errors only.
pub(super) async fn in_workspace(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    people: &[User],
) -> Result<Vec<UserId>> {
    let ids = people.iter().map(|user| user.id);
    Ok(run!(
        tx,
        workspace_members::table
            .filter(workspace_members::workspace_id.eq(workspace))
            .filter(workspace_members::user_id.eq_any(ids))
            .select(workspace_members::user_id)
            .load(tx)
            .await
    )?)
}
