//! Creating and extending invitations.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use super::grant::Giver;
use super::{Invitation, InvitationStatus, NamedInvitation, letter};
use crate::access::{OrganizationRole, WorkspaceRole};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Transaction, lock};
use crate::error::Result;
use crate::id::{InvitationId, OrganizationId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::mail::MailId;
use crate::models::organization::Organization;
use crate::models::quota;
use crate::models::rate_limit::{self, Rule};
use crate::models::values::email::Email;
use crate::models::workspace::Workspace;
use crate::run;
use crate::schema::invitations;

/// An invitation to be created or extended. The rows of the organization and the workspace must be
/// locked.
pub(super) struct Offer<'a> {
    /// The organization it invites to.
    pub organization: &'a Organization,
    /// The workspace it invites to, if any, and the person's role there.
    pub workspace: Option<(&'a Workspace, WorkspaceRole)>,
    /// The person's role in the organization, if they are not a member yet.
    pub organization_role: OrganizationRole,
    /// The address of the person invited.
    pub email: &'a Email,
}

/// An invitation that was created or extended, and the mail about it, if there is one.
pub(super) struct Offered {
    pub invitation: NamedInvitation,
    pub mail: Option<MailId>,
}

impl Offered {
    /// Wakes the worker for the mail. To be called once the transaction is committed.
    pub(super) fn announce(self, app: &App) -> NamedInvitation {
        let invitation = &self.invitation.invitation;
        if let Some(mail) = self.mail {
            let domain = invitation.email.rsplit('@').next();
            tracing::info!(invitation = %invitation.id, %mail, domain, "invitation mail queued");
            app.wake_worker();
        }
        self.invitation
    }
}

impl Offer<'_> {
    /// Creates the invitation and its mail, or extends the pending one, without another mail. An
    /// invitation that has expired is marked as such and does not get in the way.
    ///
    /// # Errors
    /// `FORBIDDEN` if `giver` may not give this, or what the pending invitation gives; `LIMIT_REACHED`
    /// if the workspace has no seat left; `RATE_LIMITED`.
    pub(super) async fn make(
        &self,
        tx: &mut Transaction,
        app: &App,
        viewer: &Viewer,
        giver: Giver,
        now: Instant,
    ) -> Result<Offered> {
        let offered = self.row(app, viewer, now);
        giver.check(&offered)?;
        let workspace = offered.workspace_id;
        let pending = pending(tx, self.organization.id, workspace, self.email).await?;
        let (invitation, is_new) = match pending {
            Some(pending) if pending.is_pending_at(now) => {
                giver.check(&pending)?;
                let extended = Invitation {
                    id: pending.id,
                    created_at: pending.created_at,
                    ..offered
                };
                save(tx, &extended).await?;
                (extended, false)
            }
            expired => {
                if let Some(expired) = expired {
                    set_status(tx, expired.id, InvitationStatus::Expired, now).await?;
                }
                if let Some(workspace) = workspace {
                    let plan = app.plan(&self.organization.plan_key);
                    quota::check_seat(tx, plan, workspace, now).await?;
                }
                count(tx, app, self.organization.id, now).await?;
                run!(
                    tx,
                    diesel::insert_into(invitations::table)
                        .values(&offered)
                        .execute(tx)
                        .await
                )?;
                (offered, true)
            }
        };
        let event = event_of(&invitation, EventKind::InvitationCreated);
        event::record(tx, viewer, now, event).await?;
        let invitation = NamedInvitation {
            invitation,
            organization_name: self.organization.name.clone(),
            workspace_name: self.workspace.map(|(workspace, _)| workspace.name.clone()),
        };
        let mail = match is_new {
            true => Some(letter::queue(tx, app, &invitation, Some(&viewer.user), now).await?),
            false => None,
        };
        Ok(Offered { invitation, mail })
    }

    /// Returns the row of a new invitation with this content.
    pub(super) fn row(&self, app: &App, viewer: &Viewer, now: Instant) -> Invitation {
        Invitation {
            id: InvitationId::new(now.to_utc()),
            organization_id: self.organization.id,
            workspace_id: self.workspace.map(|(workspace, _)| workspace.id),
            email: self.email.to_string(),
            organization_role: self.organization_role,
            workspace_role: self.workspace.map(|(_, role)| role),
            status: InvitationStatus::Pending,
            invited_by: Some(viewer.id()),
            expires_at: now.plus_days(app.config.limits.invitation_days),
            created_at: now,
            updated_at: now,
        }
    }
}

/// Locks and returns the unanswered invitation of the address to this organization or workspace, expired
/// or not.
///
/// # Errors
/// Database errors only.
pub(super) async fn pending(
    tx: &mut Transaction,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
    email: &Email,
) -> Result<Option<Invitation>> {
    Ok(run!(tx, {
        let query = invitations::table
            .filter(invitations::organization_id.eq(organization))
            .filter(invitations::email.eq(email.as_str()))
            .filter(invitations::status.eq(InvitationStatus::Pending))
            .select(Invitation::as_select())
            .into_boxed();
        let query = match workspace {
            Some(workspace) => query.filter(invitations::workspace_id.eq(workspace)),
            None => query.filter(invitations::workspace_id.is_null()),
        };
        lock(query).get_result(tx).await.optional()
    })?)
}

/// Stores the status of an invitation.
///
/// # Errors
/// Database errors only.
pub(super) async fn set_status(
    tx: &mut Transaction,
    id: InvitationId,
    status: InvitationStatus,
    now: Instant,
) -> Result<()> {
    run!(
        tx,
        diesel::update(invitations::table.find(id))
            .set((
                invitations::status.eq(status),
                invitations::updated_at.eq(now)
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Stores a pending invitation's roles, expiry and inviter.
///
/// # Errors
/// Database errors only.
pub(super) async fn save(tx: &mut Transaction, invitation: &Invitation) -> Result<()> {
    run!(
        tx,
        diesel::update(invitations::table.find(invitation.id))
            .set((
                invitations::organization_role.eq(invitation.organization_role),
                invitations::workspace_role.eq(invitation.workspace_role),
                invitations::invited_by.eq(invitation.invited_by),
                invitations::expires_at.eq(invitation.expires_at),
                invitations::updated_at.eq(invitation.updated_at),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Counts a mail against the hourly limit of the organization, whose row must be locked.
///
/// # Errors
/// `RATE_LIMITED`.
pub(super) async fn count(
    tx: &mut Transaction,
    app: &App,
    organization: OrganizationId,
    now: Instant,
) -> Result<()> {
    let rule = Rule {
        name: "invitations",
        limit: app.config.limits.invitations_per_hour,
        window: TimeDelta::hours(1),
    };
    rate_limit::hit(tx, app, &rule, organization, now).await
}

/// Returns the event about an invitation.
pub(super) fn event_of(invitation: &Invitation, kind: EventKind) -> NewEvent {
    let mut data = json!({ "email": invitation.email });
    if matches!(
        kind,
        EventKind::InvitationCreated | EventKind::InvitationResent
    ) {
        data["organizationRole"] = invitation.organization_role.as_str().into();
        data["workspaceRole"] = invitation
            .workspace_role
            .map_or(Value::Null, |role| role.as_str().into());
        data["expiresAt"] = invitation.expires_at.to_string().into();
    }
    NewEvent {
        kind,
        organization: invitation.organization_id,
        workspace: invitation.workspace_id,
        subject: invitation.id.into(),
        data,
    }
}
