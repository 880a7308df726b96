//! Changing who belongs to an organization, and in which role.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::succession::pass_workspaces;
use super::{OrganizationMember, VisibleOrganization, membership};
use crate::access::OrganizationRole;
use crate::access::scope::organization::{ManageMembers, View};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, Result};
use crate::id::{OrganizationId, UserId};
use crate::models::event::{self, EventKind};
use crate::models::user::{self, User};
use crate::models::{invitation, removal};
use crate::run;
use crate::schema::organization_members;

/// What the error names as required to give and take roles that an ADMIN may not.
const BEING_OWNER: &str = "being an OWNER of the organization";

/// Changes a member's role.
///
/// # Errors
/// As [`Viewer::organization`]; `NOT_FOUND` if the person is not a member; `FORBIDDEN` for an ADMIN if
/// the old or new role is OWNER or BILLING_ADMIN; `LAST_OWNER`.
pub async fn update_member(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    user: UserId,
    role: OrganizationRole,
) -> Result<(OrganizationMember, User)> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.organization::<ManageMembers>(tx, id).await?;
            let mut member = find_member(tx, id, user).await?;
            let user = user::by_id(tx, user).await?.ok_or_else(Error::not_found)?;
            check_within(scope.visible().role, &[member.role, role])?;
            if member.role == role {
                return Ok((member, user));
            }
            if member.role == OrganizationRole::Owner {
                keep_an_owner(tx, &member).await?;
            }
            let now = app.now();
            let is_demoted = role.rank() < member.role.rank();
            set_role(tx, viewer, &mut member, role, now).await?;
            if is_demoted {
                invitation::revoke_unrightful(tx, viewer, id, user.id, now).await?;
            }
            Ok((member, user))
        })
        .await
}

/// Removes a member from the organization and from all its workspaces. Workspaces that they alone owned
/// pass to the organization's longest-standing OWNER. The person cannot come back by a join code until
/// they are added or invited again.
///
/// # Errors
/// As [`Viewer::organization`]; `NOT_FOUND` if the person is not a member; `FORBIDDEN` for an ADMIN if
/// the member is OWNER or BILLING_ADMIN; `LAST_OWNER`.
pub async fn remove_member(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    user: UserId,
) -> Result<VisibleOrganization> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.organization::<ManageMembers>(tx, id).await?;
            let member = find_member(tx, id, user).await?;
            check_within(scope.visible().role, &[member.role])?;
            let now = app.now();
            end(tx, viewer, &member, now).await?;
            // Removing oneself is leaving, which does not keep the person from coming back.
            if user != viewer.id() {
                removal::record(tx, id, None, user, now).await?;
            }
            Ok(scope.visible().clone())
        })
        .await
}

/// Ends the viewer's own membership, and those of all the organization's workspaces. Workspaces that
/// they alone owned pass to the organization's longest-standing OWNER.
///
/// # Errors
/// As [`Viewer::organization`]; `LAST_OWNER`.
pub async fn leave(app: &App, viewer: &Viewer, id: OrganizationId) -> Result<()> {
    app.db
        .transaction(async |tx| {
            viewer.organization::<View>(tx, id).await?;
            let member = find_member(tx, id, viewer.id()).await?;
            end(tx, viewer, &member, app.now()).await
        })
        .await
}

/// Makes another member OWNER of the organization, and the viewer ADMIN.
///
/// # Errors
/// As [`Viewer::organization`]; `FORBIDDEN` if the viewer is not an OWNER; `INVALID_INPUT` if the person
/// is the viewer; `NOT_FOUND` if the person is not a member.
pub async fn transfer(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    to: UserId,
) -> Result<VisibleOrganization> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.organization::<View>(tx, id).await?;
            let mut visible = scope.visible().clone();
            if visible.role != OrganizationRole::Owner {
                return Err(Error::forbidden(BEING_OWNER));
            }
            if to == viewer.id() {
                return Err(Error::invalid("userId", "must be somebody else"));
            }
            let now = app.now();
            let mut other = find_member(tx, id, to).await?;
            set_role(tx, viewer, &mut other, OrganizationRole::Owner, now).await?;
            let mut own = find_member(tx, id, viewer.id()).await?;
            set_role(tx, viewer, &mut own, OrganizationRole::Admin, now).await?;
            invitation::revoke_unrightful(tx, viewer, id, viewer.id(), now).await?;
            visible.role = own.role;
            Ok(visible)
        })
        .await
}

/// Returns the person's membership.
///
/// # Errors
/// `NOT_FOUND` if the person is not a member.
async fn find_member(
    tx: &mut Transaction,
    id: OrganizationId,
    user: UserId,
) -> Result<OrganizationMember> {
    let found = membership(tx, id, user).await?;
    found.ok_or_else(Error::not_found)
}

/// Refuses if one of the roles is beyond what someone with the role `own` may give or take.
fn check_within(own: OrganizationRole, roles: &[OrganizationRole]) -> Result<()> {
    if roles.iter().all(|role| own.may_give(*role)) {
        return Ok(());
    }
    Err(Error::forbidden(BEING_OWNER))
}

/// Changes a member's role, unless they have it already.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn set_role(
    tx: &mut Transaction,
    viewer: &Viewer,
    member: &mut OrganizationMember,
    role: OrganizationRole,
    now: Instant,
) -> Result<()> {
    if member.role == role {
        return Ok(());
    }
    member.role = role;
    let row = organization_members::table.find(member.id);
    let role = organization_members::role.eq(role);
    run!(tx, diesel::update(row).set(role).execute(tx).await)?;
    let event = member.event(EventKind::OrganizationMemberUpdated);
    event::record(tx, viewer, now, event).await
}

/// Deletes a membership, hands over their workspaces and revokes the invitations that depended on it.
async fn end(
    tx: &mut Transaction,
    viewer: &Viewer,
    member: &OrganizationMember,
    now: Instant,
) -> Result<()> {
    if member.role == OrganizationRole::Owner {
        keep_an_owner(tx, member).await?;
    }
    let (organization, user) = (member.organization_id, member.user_id);
    pass_workspaces(tx, viewer, &[organization], user, now).await?;
    // Their memberships of its workspaces are deleted with this one.
    let row = organization_members::table.find(member.id);
    run!(tx, diesel::delete(row).execute(tx).await)?;
    let event = member.event(EventKind::OrganizationMemberRemoved);
    event::record(tx, viewer, now, event).await?;
    invitation::revoke_unrightful(tx, viewer, organization, user, now).await
}

/// Refuses if the organization, whose row is locked, would have no OWNER without this one.
async fn keep_an_owner(tx: &mut Transaction, without: &OrganizationMember) -> Result<()> {
    let others: i64 = run!(
        tx,
        organization_members::table
            .filter(organization_members::organization_id.eq(without.organization_id))
            .filter(organization_members::role.eq(OrganizationRole::Owner))
            .filter(organization_members::id.ne(without.id))
            .select(count_star())
            .first(tx)
            .await
    )?;
    if others == 0 {
        return Err(Error::last_owner());
    }
    Ok(())
}
