//! Changing who belongs to a workspace, and in which role.
//!
//! Every change locks the organization's row before the workspace's, so that nobody becomes an owner
//! while they are leaving the organization.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{VisibleWorkspace, WorkspaceMember, add_member, membership};
use crate::access::WorkspaceRole;
use crate::access::scope::WorkspaceScope;
use crate::access::scope::workspace::{Own, View};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, Result};
use crate::id::{UserId, WorkspaceId};
use crate::models::event::{self, EventKind};
use crate::models::user::User;
use crate::models::{invitation, organization, quota, removal, user};
use crate::run;
use crate::schema::workspace_members;

/// Changes a member's role. The viewer must be an OWNER, so no role is above their own.
///
/// # Errors
/// As [`Viewer::workspace`]; `NOT_FOUND` if the person is not a member; `LAST_OWNER`; `LIMIT_REACHED` if
/// the person may own no more workspaces.
pub async fn update_member(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    user: UserId,
    role: WorkspaceRole,
) -> Result<(WorkspaceMember, User)> {
    app.db
        .transaction(async |tx| {
            if role == WorkspaceRole::Owner {
                // The workspaces that they own are counted under this lock.
                user::lock_rows(tx, &[user]).await?;
            }
            let scope = lock::<Own>(tx, viewer, id).await?;
            let mut member = find_member(tx, &scope, user).await?;
            let user = user::by_id(tx, user).await?.ok_or_else(Error::not_found)?;
            if member.role == role {
                return Ok((member, user));
            }
            let now = app.now();
            if member.role == WorkspaceRole::Owner {
                keep_an_owner(tx, &member).await?;
            }
            if role == WorkspaceRole::Owner {
                check_may_own(tx, app, &scope, user.id).await?;
            }
            let is_demoted = role.rank() < member.role.rank();
            set_role(tx, viewer, &mut member, role, now).await?;
            if is_demoted {
                let organization = member.organization_id;
                invitation::revoke_unrightful(tx, viewer, organization, user.id, now).await?;
            }
            Ok((member, user))
        })
        .await
}

/// The outcome of removing a member.
#[derive(Clone, Debug)]
pub struct Removed {
    /// The workspace that the member was removed from.
    pub workspace: VisibleWorkspace,
    /// The role that the member had.
    pub role: WorkspaceRole,
}

/// Removes a member, who cannot come back by the join code until they are added or invited again. If
/// `expected` is given, the member is removed only if they have that role.
///
/// # Errors
/// As [`Viewer::workspace`]; `NOT_FOUND` if the person is not a member; `CONFLICT` if their role is not
/// the expected one; `LAST_OWNER`.
pub async fn remove_member(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    user: UserId,
    expected: Option<WorkspaceRole>,
) -> Result<Removed> {
    app.db
        .transaction(async |tx| {
            let scope = lock::<Own>(tx, viewer, id).await?;
            let member = find_member(tx, &scope, user).await?;
            if expected.is_some_and(|expected| expected != member.role) {
                return Err(Error::conflict("The member's role has changed meanwhile."));
            }
            let now = app.now();
            end(tx, viewer, &member, now).await?;
            // Removing oneself is leaving, which does not keep the person from coming back.
            if user != viewer.id() {
                removal::record(tx, member.organization_id, Some(id), user, now).await?;
            }
            Ok(Removed {
                workspace: scope.visible().clone(),
                role: member.role,
            })
        })
        .await
}

/// Ends the viewer's own membership.
///
/// # Errors
/// As [`Viewer::workspace`]; `CONFLICT` if they have no membership of their own; `LAST_OWNER`.
pub async fn leave(app: &App, viewer: &Viewer, id: WorkspaceId) -> Result<()> {
    app.db
        .transaction(async |tx| {
            let scope = lock::<View>(tx, viewer, id).await?;
            if scope.visible().membership_role.is_none() {
                return Err(Error::conflict(
                    "You have no membership of your own in this workspace.",
                ));
            }
            let member = find_member(tx, &scope, viewer.id()).await?;
            end(tx, viewer, &member, app.now()).await
        })
        .await
}

/// Makes another member of the organization OWNER of the workspace, and turns the viewer's own
/// membership, if there is one, into ADMIN.
///
/// # Errors
/// As [`Viewer::workspace`]; `INVALID_INPUT` if the person is the viewer; `NOT_FOUND` if the person is
/// not a member of the organization; `LIMIT_REACHED` if there is no seat for them or they may own no
/// more workspaces.
pub async fn transfer(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    to: UserId,
) -> Result<VisibleWorkspace> {
    app.db
        .transaction(async |tx| {
            user::lock_rows(tx, &[to]).await?;
            let scope = lock::<Own>(tx, viewer, id).await?;
            if to == viewer.id() {
                return Err(Error::invalid("userId", "must be somebody else"));
            }
            let now = app.now();
            make_owner(tx, app, viewer, &scope, to, now).await?;
            let mut visible = scope.visible().clone();
            if visible.membership_role.is_some() {
                let mut own = find_member(tx, &scope, viewer.id()).await?;
                set_role(tx, viewer, &mut own, WorkspaceRole::Admin, now).await?;
                visible.membership_role = Some(own.role);
                let organization = own.organization_id;
                invitation::revoke_unrightful(tx, viewer, organization, viewer.id(), now).await?;
            }
            Ok(visible)
        })
        .await
}

async fn make_owner(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    scope: &WorkspaceScope<Own>,
    to: UserId,
    now: Instant,
) -> Result<()> {
    let organization = scope.workspace().organization_id;
    let colleague = organization::membership(tx, organization, to).await?;
    colleague.ok_or_else(Error::not_found)?;
    let (id, role) = (scope.id(), WorkspaceRole::Owner);
    match membership(tx, id, to).await? {
        Some(member) if member.role == role => Ok(()),
        Some(mut member) => {
            check_may_own(tx, app, scope, to).await?;
            set_role(tx, viewer, &mut member, role, now).await
        }
        None => {
            check_may_own(tx, app, scope, to).await?;
            let plan_key = organization::plan_key(tx, organization).await?;
            quota::check_seat(tx, app.plan(&plan_key), id, now).await?;
            let member = add_member(tx, organization, id, to, role, now).await?;
            removal::forget(tx, organization, Some(id), &[to]).await?;
            let event = member.event(EventKind::WorkspaceMemberAdded);
            event::record(tx, viewer, now, event).await
        }
    }
}

/// Locks the rows of the organization and the workspace, to change who belongs to the workspace.
async fn lock<L: crate::access::scope::Level>(
    tx: &mut Transaction,
    viewer: &Viewer,
    id: WorkspaceId,
) -> Result<WorkspaceScope<L>> {
    organization::lock_of_workspace(tx, id).await?;
    viewer.workspace(tx, id).await
}

async fn find_member<L>(
    tx: &mut Transaction,
    scope: &WorkspaceScope<L>,
    user: UserId,
) -> Result<WorkspaceMember> {
    let found = membership(tx, scope.id(), user).await?;
    found.ok_or_else(Error::not_found)
}

async fn check_may_own(
    tx: &mut Transaction,
    app: &App,
    scope: &WorkspaceScope<Own>,
    user: UserId,
) -> Result<()> {
    let plan_key = organization::plan_key(tx, scope.workspace().organization_id).await?;
    quota::check_owned_workspaces(tx, app, user, &plan_key).await
}

/// Changes a member's role, unless they have it already.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn set_role(
    tx: &mut Transaction,
    viewer: &Viewer,
    member: &mut WorkspaceMember,
    role: WorkspaceRole,
    now: Instant,
) -> Result<()> {
    if member.role == role {
        return Ok(());
    }
    member.role = role;
    let row = workspace_members::table.find(member.id);
    let role = workspace_members::role.eq(role);
    run!(tx, diesel::update(row).set(role).execute(tx).await)?;
    let event = member.event(EventKind::WorkspaceMemberUpdated);
    event::record(tx, viewer, now, event).await
}

/// Deletes a membership and revokes the invitations that depended on it.
async fn end(
    tx: &mut Transaction,
    viewer: &Viewer,
    member: &WorkspaceMember,
    now: Instant,
) -> Result<()> {
    if member.role == WorkspaceRole::Owner {
        keep_an_owner(tx, member).await?;
    }
    let row = workspace_members::table.find(member.id);
    run!(tx, diesel::delete(row).execute(tx).await)?;
    let event = member.event(EventKind::WorkspaceMemberRemoved);
    event::record(tx, viewer, now, event).await?;
    invitation::revoke_unrightful(tx, viewer, member.organization_id, member.user_id, now).await
}

/// Refuses if the workspace, whose row is locked, would have no OWNER without this one.
async fn keep_an_owner(tx: &mut Transaction, without: &WorkspaceMember) -> Result<()> {
    let others: i64 = run!(
        tx,
        workspace_members::table
            .filter(workspace_members::workspace_id.eq(without.workspace_id))
            .filter(workspace_members::role.eq(WorkspaceRole::Owner))
            .filter(workspace_members::id.ne(without.id))
            .select(count_star())
            .first(tx)
            .await
    )?;
    if others == 0 {
        return Err(Error::last_owner());
    }
    Ok(())
}
