//! Which roles a person may give: none above their own.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Invitation;
use crate::access::visible::{visible_organizations, workspaces_of_viewer};
use crate::access::{OrganizationRole, Permission, WorkspaceRole};
use crate::db::Transaction;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{OrganizationId, UserId, WorkspaceId};
use crate::models::workspace::{VisibleWorkspace, Workspace};
use crate::run;
use crate::schema::{organization_members, organizations, workspace_members, workspaces};

/// An inviter's role in what they invite to.
#[derive(Clone, Copy)]
pub(super) enum Giver {
    /// Their role in the organization, for an invitation to it alone.
    Organization(OrganizationRole),
    /// Their role in the workspace.
    Workspace(WorkspaceRole),
}

impl Giver {
    /// Refuses if the inviter may not give what the invitation gives.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub(super) fn check(self, invitation: &Invitation) -> Result<()> {
        let (may, role) = match (self, invitation.workspace_role) {
            (Self::Workspace(own), Some(role)) => (own.rank() >= role.rank(), role.as_str()),
            (Self::Organization(own), None) => {
                let role = invitation.organization_role;
                (own.may_give(role), role.as_str())
            }
            // A role in one does not allow giving roles in the other.
            (Self::Workspace(_), None) => (false, invitation.organization_role.as_str()),
            (Self::Organization(_), Some(role)) => (false, role.as_str()),
        };
        if may {
            return Ok(());
        }
        let message = format!("Your own role does not allow you to give the role {role}.");
        Err(Error::Refused(ErrorCode::Forbidden, message.into()))
    }

    fn may_invite(self) -> bool {
        match self {
            Self::Organization(own) => own.may(Permission::OrganizationManageMembers),
            Self::Workspace(own) => own.may(Permission::WorkspaceManage),
        }
    }
}

/// Checks whether the inviter may still invite, and give what the invitation gives. The rows of the
/// organization and the workspace must be locked.
///
/// # Errors
/// Database errors only.
pub(super) async fn is_still_given(tx: &mut Transaction, invitation: &Invitation) -> Result<bool> {
    let Some(inviter) = invitation.invited_by else {
        return Ok(false);
    };
    let giver = match invitation.workspace_id {
        Some(workspace) => in_workspace(tx, inviter, workspace).await?,
        None => in_organization(tx, inviter, invitation.organization_id).await?,
    };
    Ok(giver.is_some_and(|giver| giver.may_invite() && giver.check(invitation).is_ok()))
}

async fn in_organization(
    tx: &mut Transaction,
    inviter: UserId,
    organization: OrganizationId,
) -> Result<Option<Giver>> {
    let own: Option<OrganizationRole> = run!(
        tx,
        visible_organizations(inviter)
            .filter(organizations::id.eq(organization))
            .select(organization_members::role)
            .first(tx)
            .await
            .optional()
    )?;
    Ok(own.map(Giver::Organization))
}

async fn in_workspace(
    tx: &mut Transaction,
    inviter: UserId,
    workspace: WorkspaceId,
) -> Result<Option<Giver>> {
    let found: Option<(Workspace, OrganizationRole, Option<WorkspaceRole>)> = run!(
        tx,
        workspaces_of_viewer(inviter)
            .filter(workspaces::id.eq(workspace))
            .select((
                Workspace::as_select(),
                organization_members::role,
                workspace_members::role.nullable()
            ))
            .first(tx)
            .await
            .optional()
    )?;
    let own = found.and_then(|found| VisibleWorkspace::from(found).role());
    Ok(own.map(Giver::Workspace))
}
