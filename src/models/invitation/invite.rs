//! Adding people to a workspace, and inviting them to it or to an organization.

use super::grant::Giver;
use super::offer::{self, Offer, Offered};
use super::{InvitationStatus, NamedInvitation, people};
use crate::access::scope::organization::{ManageMembers, View};
use crate::access::scope::workspace::Manage;
use crate::access::{OrganizationRole, WorkspaceRole};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, Result};
use crate::id::{OrganizationId, UserId, WorkspaceId};
use crate::models::event::{self, EventKind};
use crate::models::quota;
use crate::models::removal;
use crate::models::user::{self, User};
use crate::models::values::email::Email;
use crate::models::workspace::{self, WorkspaceMember};

/// The outcome of adding someone to a workspace.
#[derive(Clone, Debug)]
pub enum Added {
    /// A member of the organization, who is a member of the workspace now.
    Member(WorkspaceMember, User),
    /// Anyone else, who was invited.
    Invited(NamedInvitation),
}

enum Outcome {
    Member(WorkspaceMember, User),
    Invited(Offered),
}

/// Adds the colleague with this address to the workspace, or else invites the address. A colleague is
/// the one person who has the address verified, if they belong to the organization.
///
/// # Errors
/// As [`Viewer::workspace`]; `FORBIDDEN` if the role, or that of a pending invitation to the address, is
/// above the viewer's own; `CONFLICT` if the person is a member already; `LIMIT_REACHED` if there is no
/// seat, or the person may own no more workspaces; `RATE_LIMITED`.
pub async fn add_workspace_member(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    email: &Email,
    role: WorkspaceRole,
) -> Result<Added> {
    let outcome = app
        .db
        .transaction(async |tx| add_in(tx, app, viewer, id, email, role).await)
        .await?;
    Ok(match outcome {
        Outcome::Member(member, user) => Added::Member(member, user),
        Outcome::Invited(offered) => Added::Invited(offered.announce(app)),
    })
}

async fn add_in(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    email: &Email,
    role: WorkspaceRole,
) -> Result<Outcome> {
    let now = app.now();
    let people = people::named(tx, email).await?;
    let ids: Vec<UserId> = people.iter().map(|user| user.id).collect();
    if role == WorkspaceRole::Owner {
        // The workspaces that they own are counted under these locks.
        user::lock_rows(tx, &ids).await?;
    }
    // The organization's row must be locked before the workspace's. A workspace never changes its
    // organization.
    let seen = workspace::visible(tx, viewer.id(), &[id], now).await?.pop();
    let organization_id = seen.ok_or_else(Error::not_found)?.workspace.organization_id;
    let organization = viewer.organization::<View>(tx, organization_id).await?;
    let scope = viewer.workspace::<Manage>(tx, id).await?;
    let giver = Giver::Workspace(scope.role());
    let offer = Offer {
        organization: &organization.visible().organization,
        workspace: Some((scope.workspace(), role)),
        organization_role: OrganizationRole::Member,
        email,
    };

    check_is_none(&people, &people::in_workspace(tx, id, &people).await?)?;
    removal::forget(tx, organization_id, Some(id), &ids).await?;
    let colleagues = people::in_organization(tx, organization_id, &people).await?;
    match <[User; 1]>::try_from(people) {
        Ok([colleague]) if !colleagues.is_empty() => {
            giver.check(&offer.row(app, viewer, now))?;
            withdraw(tx, viewer, giver, &offer, now).await?;
            let plan = app.plan(&offer.organization.plan_key);
            quota::check_seat(tx, plan, id, now).await?;
            let user = colleague.id;
            if role == WorkspaceRole::Owner {
                let plan_key = &offer.organization.plan_key;
                quota::check_owned_workspaces(tx, app, user, plan_key).await?;
            }
            let member = workspace::add_member(tx, organization_id, id, user, role, now).await?;
            let event = member.event(EventKind::WorkspaceMemberAdded);
            event::record(tx, viewer, now, event).await?;
            Ok(Outcome::Member(member, colleague))
        }
        // If several people share the address, it is unclear which one is meant.
        _ => Ok(Outcome::Invited(
            offer.make(tx, app, viewer, giver, now).await?,
        )),
    }
}

/// Revokes the pending invitation of the address to the workspace, which the membership replaces. Like
/// inviting again, this requires the right to give what the pending invitation gives.
async fn withdraw(
    tx: &mut Transaction,
    viewer: &Viewer,
    giver: Giver,
    offer: &Offer<'_>,
    now: Instant,
) -> Result<()> {
    let workspace = offer.workspace.map(|(workspace, _)| workspace.id);
    let pending = offer::pending(tx, offer.organization.id, workspace, offer.email).await?;
    let Some(pending) = pending else {
        return Ok(());
    };
    if !pending.is_pending_at(now) {
        return offer::set_status(tx, pending.id, InvitationStatus::Expired, now).await;
    }
    giver.check(&pending)?;
    offer::set_status(tx, pending.id, InvitationStatus::Revoked, now).await?;
    let event = offer::event_of(&pending, EventKind::InvitationRevoked);
    event::record(tx, viewer, now, event).await
}

/// Invites the address to the organization alone.
///
/// # Errors
/// As [`Viewer::organization`]; `FORBIDDEN` if the viewer may not give the role, or that of a pending
/// invitation to the address; `CONFLICT` if the person is a member already; `RATE_LIMITED`.
pub async fn invite_organization_member(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    email: &Email,
    role: OrganizationRole,
) -> Result<NamedInvitation> {
    let offered = app
        .db
        .transaction(async |tx| {
            let now = app.now();
            let scope = viewer.organization::<ManageMembers>(tx, id).await?;
            let people = people::named(tx, email).await?;
            check_is_none(&people, &people::in_organization(tx, id, &people).await?)?;
            let ids: Vec<UserId> = people.iter().map(|user| user.id).collect();
            removal::forget(tx, id, None, &ids).await?;
            let offer = Offer {
                organization: &scope.visible().organization,
                workspace: None,
                organization_role: role,
                email,
            };
            let giver = Giver::Organization(scope.visible().role);
            offer.make(tx, app, viewer, giver, now).await
        })
        .await?;
    Ok(offered.announce(app))
}

/// Refuses if everybody with the address is a member already.
fn check_is_none(people: &[User], members: &[UserId]) -> Result<()> {
    if !people.is_empty() && people.len() == members.len() {
        return Err(Error::conflict("This person is already a member."));
    }
    Ok(())
}
