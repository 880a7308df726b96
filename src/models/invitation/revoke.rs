//! Invitations that end with something else: with the right to send them, a workspace, an organization
//! or an account.

use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{InvitationStatus, is_pending};
use crate::access::{OrganizationRole, Permission, WorkspaceRole};
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{InvitationId, OrganizationId, UserId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::organization;
use crate::models::user::User;
use crate::run;
use crate::schema::{invitations, users, workspace_members};

/// An invitation that was ended.
#[derive(Queryable, Selectable)]
#[diesel(table_name = invitations, check_for_backend(Pg, Sqlite))]
struct Ended {
    id: InvitationId,
    organization_id: OrganizationId,
    workspace_id: Option<WorkspaceId>,
}

/// Builds the statement that sets the status of the matching pending invitations.
macro_rules! end {
    ($which:expr, $status:expr, $now:expr) => {
        diesel::update(invitations::table.filter($which).filter(is_pending($now))).set((
            invitations::status.eq($status),
            invitations::updated_at.eq($now),
        ))
    };
}

/// Revokes the invitations to the organization and its workspaces that `inviter` sent and could not send
/// now, because they may not invite there any more, or not with that role. To be called after their role
/// has changed, under the lock of the organization's row.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn revoke_unrightful(
    tx: &mut Transaction,
    actor: &Viewer,
    organization: OrganizationId,
    inviter: UserId,
    now: Instant,
) -> Result<()> {
    let own = organization::membership(tx, organization, inviter).await?;
    let own = own.map(|member| member.role);
    if own == Some(OrganizationRole::Owner) {
        return Ok(());
    }
    // An ADMIN is at least ADMIN in each workspace too.
    let manages = own.is_some_and(|own| own.may(Permission::OrganizationManageMembers));
    let gives = |role: &OrganizationRole| manages && own.is_some_and(|own| own.may_give(*role));
    let given = OrganizationRole::ALL.iter().copied().filter(gives);
    let is_to_organization = invitations::workspace_id
        .is_null()
        .and(invitations::organization_role.ne_all(given.collect::<Vec<_>>()));
    let without = |roles: &[WorkspaceRole]| {
        let having = workspace_members::table
            .filter(workspace_members::organization_id.eq(organization))
            .filter(workspace_members::user_id.eq(inviter))
            .filter(workspace_members::role.eq_any(roles.to_vec()))
            .select(workspace_members::workspace_id);
        invitations::workspace_id.assume_not_null().ne_all(having)
    };
    let is_to_unmanaged = (!manages)
        .into_sql::<Bool>()
        .and(without(&[WorkspaceRole::Owner, WorkspaceRole::Admin]));
    let makes_owner = invitations::workspace_role
        .assume_not_null()
        .eq(WorkspaceRole::Owner)
        .and(without(&[WorkspaceRole::Owner]));
    let is_to_workspace = invitations::workspace_id
        .is_not_null()
        .and(is_to_unmanaged.or(makes_owner));
    let unrightful = invitations::invited_by
        .eq(inviter)
        .and(invitations::organization_id.eq(organization))
        .and(is_to_organization.or(is_to_workspace));
    let status = InvitationStatus::Revoked;
    let revoked = run!(
        tx,
        end!(unrightful, status, now)
            .returning(Ended::as_returning())
            .get_results(tx)
            .await
    )?;
    record(tx, actor, revoked, status, now).await
}

/// Revokes all pending invitations that `inviter` sent, in all organizations.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn revoke_of_inviter(
    tx: &mut Transaction,
    actor: &Viewer,
    inviter: UserId,
    now: Instant,
) -> Result<()> {
    let sent = invitations::invited_by.eq(inviter);
    let status = InvitationStatus::Revoked;
    let revoked = run!(
        tx,
        end!(sent, status, now)
            .returning(Ended::as_returning())
            .get_results(tx)
            .await
    )?;
    record(tx, actor, revoked, status, now).await
}

/// Declines all pending invitations to the address of the viewer, who is deleting their account, unless
/// someone else has that address verified too and may still want them.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn decline_all(
    tx: &mut Transaction,
    viewer: &Viewer,
    now: Instant,
) -> Result<()> {
    let User {
        id,
        email,
        email_verified,
        ..
    } = &viewer.user;
    if !email_verified {
        return Ok(());
    }
    let others = users::table
        .filter(users::email.eq(email).and(users::email_verified))
        .filter(users::id.ne(id))
        .select(users::id);
    let theirs = invitations::email.eq(email).and(not(exists(others)));
    let status = InvitationStatus::Declined;
    let declined = run!(
        tx,
        end!(theirs, status, now)
            .returning(Ended::as_returning())
            .get_results(tx)
            .await
    )?;
    record(tx, viewer, declined, status, now).await
}

/// Revokes the pending invitations to a workspace that is being deleted, without events of their own:
/// the event of the deletion covers them.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn revoke_of_workspace(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    now: Instant,
) -> Result<()> {
    let theirs = invitations::workspace_id.eq(workspace);
    let status = InvitationStatus::Revoked;
    run!(tx, end!(theirs, status, now).execute(tx).await)?;
    Ok(())
}

/// Revokes the pending invitations to organizations that are being deleted, and to their workspaces,
/// without events of their own: the events of the deletion cover them.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn revoke_of_organizations(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
    now: Instant,
) -> Result<()> {
    let theirs = invitations::organization_id.eq_any(organizations);
    let status = InvitationStatus::Revoked;
    run!(tx, end!(theirs, status, now).execute(tx).await)?;
    Ok(())
}

async fn record(
    tx: &mut Transaction,
    actor: &Viewer,
    ended: Vec<Ended>,
    status: InvitationStatus,
    now: Instant,
) -> Result<()> {
    let kind = match status {
        InvitationStatus::Declined => EventKind::InvitationDeclined,
        _ => EventKind::InvitationRevoked,
    };
    let event = |ended: Ended| NewEvent {
        kind,
        organization: ended.organization_id,
        workspace: ended.workspace_id,
        subject: ended.id.into(),
        data: json!({ "status": status.as_str() }),
    };
    event::record_all(tx, actor, now, ended.into_iter().map(event).collect()).await
}
