//! Accepting and declining invitations.

use super::place::{self, Open};
use super::{Invitation, InvitationStatus, NamedInvitation, grant, offer, visible};
use crate::access::{OrganizationRole, WorkspaceRole};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{InvitationId, WorkspaceId};
use crate::models::event::{self, EventKind};
use crate::models::organization::{self, Organization, OrganizationBy, VisibleOrganization};
use crate::models::quota;
use crate::models::removal;
use crate::models::user;
use crate::models::workspace::{self, VisibleWorkspace};

/// An accepted invitation, and what the viewer belongs to through it.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The invitation.
    pub invitation: NamedInvitation,
    /// Its organization.
    pub organization: VisibleOrganization,
    /// Its workspace, if it is to one.
    pub workspace: Option<VisibleWorkspace>,
}

/// Makes the viewer, who must be the person invited, a member. A higher role that they have already is
/// kept, and their current workspace stays the same.
///
/// # Errors
/// `NOT_FOUND` if the viewer may not see it; `FORBIDDEN` if it is to somebody else; `INVITE_UNUSABLE` if
/// it is no longer pending, or its inviter may not give it any more; `LIMIT_REACHED` if there is no
/// seat, or the viewer may own no more workspaces.
pub async fn accept(app: &App, viewer: &Viewer, id: InvitationId) -> Result<Accepted> {
    app.db
        .transaction(async |tx| accept_in(tx, app, viewer, id).await)
        .await
}

async fn accept_in(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    id: InvitationId,
) -> Result<Accepted> {
    let now = app.now();
    user::lock_row(tx, viewer.id()).await?;
    let (named, open) = open(tx, viewer, id, now).await?;
    let invitation = &named.invitation;
    if !grant::is_still_given(tx, invitation).await? {
        return Err(unusable(
            "The person who invited you can no longer invite you.",
        ));
    }
    join_organization(tx, viewer, invitation, now).await?;
    if let (Some(workspace), Some(role)) = (invitation.workspace_id, invitation.workspace_role) {
        join_workspace(tx, app, viewer, &open.organization, workspace, role, now).await?;
    }
    let place = invitation.organization_id;
    removal::forget(tx, place, invitation.workspace_id, &[viewer.id()]).await?;
    let named = settle(tx, viewer, named, InvitationStatus::Accepted, now).await?;

    let organization = organization::find(tx, viewer.id(), &OrganizationBy::Id(place)).await?;
    let workspace = match named.invitation.workspace_id {
        Some(id) => workspace::visible(tx, viewer.id(), &[id], now).await?.pop(),
        None => None,
    };
    Ok(Accepted {
        invitation: named,
        organization: organization.ok_or_else(Error::not_found)?,
        workspace,
    })
}

/// Declines the invitation.
///
/// # Errors
/// `NOT_FOUND` if the viewer may not see it; `FORBIDDEN` if it is to somebody else; `INVITE_UNUSABLE` if
/// it is no longer pending.
pub async fn decline(app: &App, viewer: &Viewer, id: InvitationId) -> Result<NamedInvitation> {
    app.db
        .transaction(async |tx| {
            let now = app.now();
            let (named, _) = open(tx, viewer, id, now).await?;
            settle(tx, viewer, named, InvitationStatus::Declined, now).await
        })
        .await
}

/// Returns the viewer's invitation as it is now, with its rows locked.
async fn open(
    tx: &mut Transaction,
    viewer: &Viewer,
    id: InvitationId,
    now: Instant,
) -> Result<(NamedInvitation, Open)> {
    let seen = visible(tx, viewer.id(), &[id]).await?.pop();
    let mut named = seen.ok_or_else(Error::not_found)?;
    if !place::names(&named.invitation, viewer) {
        let message = "Only the person invited can answer an invitation.";
        return Err(Error::Refused(ErrorCode::Forbidden, message.into()));
    }
    let open = place::open(tx, &named.invitation).await?;
    let open = open.ok_or_else(|| unusable("What you were invited to no longer exists."))?;
    // Read again under the lock: of a concurrent answer and revocation, only one finds it pending.
    named.invitation = place::lock_invitation(tx, id).await?;
    if !named.invitation.is_pending_at(now) {
        return Err(unusable("The invitation is no longer pending."));
    }
    Ok((named, open))
}

fn unusable(message: &'static str) -> Error {
    Error::Refused(ErrorCode::InviteUnusable, message.into())
}

async fn settle(
    tx: &mut Transaction,
    viewer: &Viewer,
    mut named: NamedInvitation,
    status: InvitationStatus,
    now: Instant,
) -> Result<NamedInvitation> {
    named.invitation.status = status;
    named.invitation.updated_at = now;
    offer::set_status(tx, named.invitation.id, status, now).await?;
    let kind = match status {
        InvitationStatus::Accepted => EventKind::InvitationAccepted,
        _ => EventKind::InvitationDeclined,
    };
    let event = offer::event_of(&named.invitation, kind);
    event::record(tx, viewer, now, event).await?;
    Ok(named)
}

async fn join_organization(
    tx: &mut Transaction,
    viewer: &Viewer,
    invitation: &Invitation,
    now: Instant,
) -> Result<()> {
    let (id, role) = (invitation.organization_id, invitation.organization_role);
    match organization::membership(tx, id, viewer.id()).await? {
        None => {
            let member = organization::add_member(tx, id, viewer.id(), role, now).await?;
            let event = member.event(EventKind::OrganizationMemberAdded);
            event::record(tx, viewer, now, event).await
        }
        // An invitation to a workspace does not raise a role in the organization.
        Some(mut own) if invitation.workspace_id.is_none() && is_more(role, own.role) => {
            organization::set_role(tx, viewer, &mut own, role, now).await
        }
        Some(_) => Ok(()),
    }
}

/// Returns whether the role goes beyond the other one. BILLING_ADMIN goes beyond MEMBER, though it ranks
/// the same.
fn is_more(role: OrganizationRole, own: OrganizationRole) -> bool {
    let takes_up_billing =
        role == OrganizationRole::BillingAdmin && own == OrganizationRole::Member;
    takes_up_billing || role.rank() > own.rank()
}

async fn join_workspace(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    organization: &Organization,
    id: WorkspaceId,
    role: WorkspaceRole,
    now: Instant,
) -> Result<()> {
    let own = workspace::membership(tx, id, viewer.id()).await?;
    let owns = own
        .as_ref()
        .is_some_and(|own| own.role == WorkspaceRole::Owner);
    if role == WorkspaceRole::Owner && !owns {
        quota::check_owned_workspaces(tx, app, viewer.id(), &organization.plan_key).await?;
    }
    match own {
        None => {
            let plan = app.plan(&organization.plan_key);
            quota::check_seat_for_acceptance(tx, plan, id).await?;
            let member =
                workspace::add_member(tx, organization.id, id, viewer.id(), role, now).await?;
            let event = member.event(EventKind::WorkspaceMemberAdded);
            event::record(tx, viewer, now, event).await
        }
        Some(mut own) if role.rank() > own.role.rank() => {
            workspace::set_role(tx, viewer, &mut own, role, now).await
        }
        Some(_) => Ok(()),
    }
}
