//! Invitations that die with something else: with the right to send them, with a workspace, with an
//! organization, with an account.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::InvitationStatus;
use crate::access::{Permission, WorkspaceRole};
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

type Ended = (InvitationId, OrganizationId, Option<WorkspaceId>);

/// Revokes what `inviter` sent in the organization and would not be allowed to send by now: pending
/// invitations to the organization without ORGANIZATION_MANAGE_MEMBERS, and those to a workspace
/// without WORKSPACE_MANAGE there. To be called after their role has changed, under the lock of the
/// organization's row.
///
/// # Errors
/// Only those of the database.
pub async fn revoke_unrightful(
    tx: &mut Transaction,
    actor: &Viewer,
    organization: OrganizationId,
    inviter: UserId,
    now: Instant,
) -> Result<()> {
    let member = organization::membership(tx, organization, inviter).await?;
    // Whoever manages the organization's members is at least an ADMIN of each of its workspaces.
    if member.is_some_and(|it| it.role.may(Permission::OrganizationManageMembers)) {
        return Ok(());
    }
    let managed = workspace_members::table
        .filter(workspace_members::organization_id.eq(organization))
        .filter(workspace_members::user_id.eq(inviter))
        .filter(workspace_members::role.eq_any([WorkspaceRole::Owner, WorkspaceRole::Admin]))
        .select(workspace_members::workspace_id);
    let of_managed = invitations::workspace_id.assume_not_null().ne_all(managed);
    let unrightful = invitations::table
        .filter(invitations::invited_by.eq(inviter))
        .filter(invitations::organization_id.eq(organization))
        .filter(invitations::status.eq(InvitationStatus::Pending))
        .filter(invitations::expires_at.gt(now))
        .filter(invitations::workspace_id.is_null().or(of_managed));
    let revoked: Vec<Ended> = run!(
        tx,
        diesel::update(unrightful)
            .set((
                invitations::status.eq(InvitationStatus::Revoked),
                invitations::updated_at.eq(now),
            ))
            .returning((
                invitations::id,
                invitations::organization_id,
                invitations::workspace_id,
            ))
            .get_results(tx)
            .await
    )?;
    record_revoked(tx, actor, revoked, now).await
}

/// Revokes every pending invitation that `inviter` sent, in all organizations.
///
/// # Errors
/// Only those of the database.
pub async fn revoke_of_inviter(
    tx: &mut Transaction,
    actor: &Viewer,
    inviter: UserId,
    now: Instant,
) -> Result<()> {
    let sent = invitations::table
        .filter(invitations::invited_by.eq(inviter))
        .filter(invitations::status.eq(InvitationStatus::Pending))
        .filter(invitations::expires_at.gt(now));
    let revoked: Vec<Ended> = run!(
        tx,
        diesel::update(sent)
            .set((
                invitations::status.eq(InvitationStatus::Revoked),
                invitations::updated_at.eq(now),
            ))
            .returning((
                invitations::id,
                invitations::organization_id,
                invitations::workspace_id,
            ))
            .get_results(tx)
            .await
    )?;
    record_revoked(tx, actor, revoked, now).await
}

/// Declines every pending invitation to the viewer's address, who deletes their account: unless
/// another person has that address as well, who may still want them.
///
/// # Errors
/// Only those of the database.
pub async fn decline_all(tx: &mut Transaction, viewer: &Viewer, now: Instant) -> Result<()> {
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
    let pending = invitations::table
        .filter(invitations::email.eq(email))
        .filter(invitations::status.eq(InvitationStatus::Pending))
        .filter(invitations::expires_at.gt(now))
        .filter(not(exists(others)));
    let declined: Vec<Ended> = run!(
        tx,
        diesel::update(pending)
            .set((
                invitations::status.eq(InvitationStatus::Declined),
                invitations::updated_at.eq(now),
            ))
            .returning((
                invitations::id,
                invitations::organization_id,
                invitations::workspace_id,
            ))
            .get_results(tx)
            .await
    )?;
    let (kind, status) = (EventKind::InvitationDeclined, InvitationStatus::Declined);
    record(tx, viewer, declined, kind, status, now).await
}

/// Revokes the pending invitations to a workspace that is deleted. The event of its deletion tells of
/// them as well.
///
/// # Errors
/// Only those of the database.
pub async fn revoke_of_workspace(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    now: Instant,
) -> Result<()> {
    let pending = invitations::table
        .filter(invitations::workspace_id.eq(workspace))
        .filter(invitations::status.eq(InvitationStatus::Pending))
        .filter(invitations::expires_at.gt(now));
    run!(
        tx,
        diesel::update(pending)
            .set((
                invitations::status.eq(InvitationStatus::Revoked),
                invitations::updated_at.eq(now),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Revokes the pending invitations to organizations that are deleted, and to their workspaces. The
/// events of the deletion tell of them as well.
///
/// # Errors
/// Only those of the database.
pub async fn revoke_of_organizations(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
    now: Instant,
) -> Result<()> {
    run!(tx, {
        let pending = invitations::table
            .filter(invitations::organization_id.eq_any(organizations))
            .filter(invitations::status.eq(InvitationStatus::Pending))
            .filter(invitations::expires_at.gt(now));
        diesel::update(pending)
            .set((
                invitations::status.eq(InvitationStatus::Revoked),
                invitations::updated_at.eq(now),
            ))
            .execute(tx)
            .await
    })?;
    Ok(())
}

async fn record_revoked(
    tx: &mut Transaction,
    actor: &Viewer,
    revoked: Vec<Ended>,
    now: Instant,
) -> Result<()> {
    let (kind, status) = (EventKind::InvitationRevoked, InvitationStatus::Revoked);
    record(tx, actor, revoked, kind, status, now).await
}

async fn record(
    tx: &mut Transaction,
    actor: &Viewer,
    ended: Vec<Ended>,
    kind: EventKind,
    status: InvitationStatus,
    now: Instant,
) -> Result<()> {
    let event = |(invitation, organization, workspace): Ended| NewEvent {
        kind,
        organization,
        workspace,
        subject: invitation.into(),
        data: json!({ "status": status.as_str() }),
    };
    event::record_all(tx, actor, now, ended.into_iter().map(event).collect()).await
}
