//! Revoking and resending invitations.

use super::grant::Giver;
use super::offer::Offered;
use super::{Invitation, InvitationStatus, NamedInvitation, letter, offer, place, visible};
use crate::access::scope::organization::{ManageMembers, View};
use crate::access::scope::workspace::Manage;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::error::{Error, ErrorCode, Result};
use crate::id::InvitationId;
use crate::models::event::{self, EventKind};
use crate::models::user;

/// Revokes an invitation.
///
/// # Errors
/// `NOT_FOUND` if the viewer may not see it; `FORBIDDEN` if they may not manage it; `CONFLICT` if it is
/// no longer pending.
pub async fn revoke(app: &App, viewer: &Viewer, id: InvitationId) -> Result<NamedInvitation> {
    app.db
        .transaction(async |tx| {
            let (mut named, _) = pending(tx, app, viewer, id).await?;
            let now = app.now();
            named.invitation.status = InvitationStatus::Revoked;
            named.invitation.updated_at = now;
            offer::set_status(tx, id, InvitationStatus::Revoked, now).await?;
            let event = offer::event_of(&named.invitation, EventKind::InvitationRevoked);
            event::record(tx, viewer, now, event).await?;
            Ok(named)
        })
        .await
}

/// Extends an invitation and sends it again. Its inviter stays the same.
///
/// # Errors
/// As [`revoke`]; `FORBIDDEN` also if it gives more than the viewer may; `RATE_LIMITED`.
pub async fn resend(app: &App, viewer: &Viewer, id: InvitationId) -> Result<NamedInvitation> {
    let offered = app
        .db
        .transaction(async |tx| {
            let (mut invitation, giver) = pending(tx, app, viewer, id).await?;
            giver.check(&invitation.invitation)?;
            let now = app.now();
            let organization = invitation.invitation.organization_id;
            offer::count(tx, app, organization, now).await?;
            let row = &mut invitation.invitation;
            row.expires_at = now.plus_days(app.config.limits.invitation_days);
            row.updated_at = now;
            offer::save(tx, row).await?;
            let inviter = match row.invited_by {
                Some(inviter) => user::by_id(tx, inviter).await?,
                None => None,
            };
            let event = offer::event_of(&invitation.invitation, EventKind::InvitationResent);
            event::record(tx, viewer, now, event).await?;
            let mail = letter::queue(tx, app, &invitation, inviter.as_ref(), now).await?;
            let mail = Some(mail);
            Ok(Offered { invitation, mail })
        })
        .await?;
    Ok(offered.announce(app))
}

/// Returns the pending invitation, which the viewer may manage, with its rows locked, and the viewer's
/// role in the workspace or organization it invites to.
async fn pending(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    id: InvitationId,
) -> Result<(NamedInvitation, Giver)> {
    let seen = visible(tx, viewer.id(), &[id]).await?.pop();
    let mut named = seen.ok_or_else(Error::not_found)?;
    let giver = manage(tx, viewer, &named.invitation).await;
    let giver = giver.map_err(|error| match error.code() {
        // The person invited sees the invitation, but not what it invites to.
        ErrorCode::NotFound if place::names(&named.invitation, viewer) => {
            let message = "Only people who may send this invitation can revoke or resend it.";
            Error::Refused(ErrorCode::Forbidden, message.into())
        }
        _ => error,
    })?;
    named.invitation = place::lock_invitation(tx, id).await?;
    if !named.invitation.is_pending_at(app.now()) {
        return Err(Error::conflict("The invitation is no longer pending."));
    }
    Ok((named, giver))
}

async fn manage(tx: &mut Transaction, viewer: &Viewer, invitation: &Invitation) -> Result<Giver> {
    let organization = invitation.organization_id;
    let Some(workspace) = invitation.workspace_id else {
        let scope = viewer
            .organization::<ManageMembers>(tx, organization)
            .await?;
        return Ok(Giver::Organization(scope.visible().role));
    };
    viewer.organization::<View>(tx, organization).await?;
    let scope = viewer.workspace::<Manage>(tx, workspace).await?;
    Ok(Giver::Workspace(scope.role()))
}
