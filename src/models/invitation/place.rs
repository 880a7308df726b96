//! Locking an invitation and what it invites to.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Invitation;
use crate::auth::Viewer;
use crate::db::{Transaction, lock};
use crate::error::Result;
use crate::id::InvitationId;
use crate::models::organization::Organization;
use crate::models::workspace::Workspace;
use crate::run;
use crate::schema::{invitations, organizations, workspaces};

/// What an invitation invites to, live and locked.
pub(super) struct Open {
    /// The organization. The workspace, if there is one, is locked as well.
    pub organization: Organization,
}

/// Returns whether the viewer is the person invited. Only a verified address counts.
pub(super) fn names(invitation: &Invitation, viewer: &Viewer) -> bool {
    viewer.user.email_verified && viewer.user.email == invitation.email
}

/// Locks the invitation's organization and workspace, and returns `None` unless they are live. The
/// person invited may not see them yet, so there is no scope to lock them through.
///
/// # Errors
/// Database errors only.
pub(super) async fn open(tx: &mut Transaction, invitation: &Invitation) -> Result<Option<Open>> {
    let organization: Option<Organization> = run!(
        tx,
        lock(
            organizations::table
                .find(invitation.organization_id)
                .filter(organizations::deleted_at.is_null())
                .select(Organization::as_select())
        )
        .get_result(tx)
        .await
        .optional()
    )?;
    let Some(organization) = organization else {
        return Ok(None);
    };
    if let Some(id) = invitation.workspace_id {
        let workspace: Option<Workspace> = run!(
            tx,
            lock(
                workspaces::table
                    .find(id)
                    .filter(workspaces::deleted_at.is_null())
                    .select(Workspace::as_select())
            )
            .get_result(tx)
            .await
            .optional()
        )?;
        if workspace.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(Open { organization }))
}

/// Locks the invitation until the transaction ends, and returns it as it is now. Its organization and
/// workspace must have been locked before.
///
/// # Errors
/// Database errors only.
pub(super) async fn lock_invitation(tx: &mut Transaction, id: InvitationId) -> Result<Invitation> {
    Ok(run!(
        tx,
        lock(invitations::table.find(id).select(Invitation::as_select()))
            .get_result(tx)
            .await
    )?)
}
