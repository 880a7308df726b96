//! Mutations on members of workspaces.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{Workspace, WorkspaceMember, WorkspaceRole};
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::workspace;

/// Input of `updateWorkspaceMember`.
#[derive(InputObject)]
struct UpdateWorkspaceMemberInput {
    /// The workspace the person is a member of.
    workspace_id: RawId,
    /// The member whose role changes.
    user_id: RawId,
    /// The member's new role.
    role: WorkspaceRole,
}

/// Input of `removeWorkspaceMember`.
#[derive(InputObject)]
struct RemoveWorkspaceMemberInput {
    /// The workspace to remove the person from.
    workspace_id: RawId,
    /// The member to remove.
    user_id: RawId,
    /// If given and the member has another role by now, nothing happens and the code is CONFLICT.
    expected_role: Option<WorkspaceRole>,
}

/// Input of `leaveWorkspace`.
#[derive(InputObject)]
struct LeaveWorkspaceInput {
    /// The workspace to leave.
    workspace_id: RawId,
}

/// Input of `transferWorkspaceOwnership`.
#[derive(InputObject)]
struct TransferWorkspaceOwnershipInput {
    /// The workspace to hand over.
    workspace_id: RawId,
    /// The member of the organization who becomes OWNER; must not be the viewer.
    user_id: RawId,
}

/// Payload of `updateWorkspaceMember`.
#[derive(SimpleObject)]
struct UpdateWorkspaceMemberPayload {
    /// The membership with its new role.
    membership: One<WorkspaceMember>,
}

/// Payload of `removeWorkspaceMember`.
#[derive(SimpleObject)]
struct RemoveWorkspaceMemberPayload {
    /// Always `true`: if nobody is removed, the mutation fails instead.
    removed: bool,
    /// The id of the person removed.
    user_id: ID,
    /// The role that the membership gave.
    role: WorkspaceRole,
    /// The workspace they were removed from.
    workspace: One<Workspace>,
}

/// Payload of `leaveWorkspace`.
#[derive(SimpleObject)]
struct LeaveWorkspacePayload {
    /// The id of the workspace the viewer left, which their role in the organization may still let
    /// them see.
    workspace_id: ID,
}

/// Payload of `transferWorkspaceOwnership`.
#[derive(SimpleObject)]
struct TransferWorkspaceOwnershipPayload {
    /// The workspace as the viewer now sees it.
    workspace: One<Workspace>,
}

/// Mutations on members of workspaces.
#[derive(Default)]
pub struct WorkspaceMemberMutation;

#[Object]
impl WorkspaceMemberMutation {
    /// Changes a member's role. The last OWNER cannot be changed. Requires WORKSPACE_OWN.
    async fn update_workspace_member(
        &self,
        ctx: &Context<'_>,
        input: UpdateWorkspaceMemberInput,
    ) -> Result<UpdateWorkspaceMemberPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let user = check.id("userId", &input.user_id);
        let (id, user) = check.done((id, user))?;
        let role = input.role.into();
        let member = workspace::update_member(ctx.app(), viewer, id, user, role).await?;
        Ok(UpdateWorkspaceMemberPayload {
            membership: One(member.into()),
        })
    }

    /// Removes a member, who cannot come back with the join code until they are invited or added
    /// again. The last OWNER cannot be removed. Requires WORKSPACE_OWN.
    async fn remove_workspace_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveWorkspaceMemberInput,
    ) -> Result<RemoveWorkspaceMemberPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let user = check.id("userId", &input.user_id);
        let (id, user) = check.done((id, user))?;
        let expected = input.expected_role.map(Into::into);
        let removed = workspace::remove_member(ctx.app(), viewer, id, user, expected).await?;
        Ok(RemoveWorkspaceMemberPayload {
            removed: true,
            user_id: user.into(),
            role: removed.role.into(),
            workspace: One(Workspace(removed.workspace)),
        })
    }

    /// Ends the viewer's own membership. The last OWNER cannot leave. Requires being signed in.
    async fn leave_workspace(
        &self,
        ctx: &Context<'_>,
        input: LeaveWorkspaceInput,
    ) -> Result<LeaveWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let id = input.workspace_id.only("workspaceId")?;
        workspace::leave(ctx.app(), viewer, id).await?;
        Ok(LeaveWorkspacePayload {
            workspace_id: id.into(),
        })
    }

    /// Makes another member of the organization OWNER of the workspace, creating a membership if
    /// they have none; the viewer's own membership, if there is one, becomes ADMIN. Requires
    /// WORKSPACE_OWN.
    async fn transfer_workspace_ownership(
        &self,
        ctx: &Context<'_>,
        input: TransferWorkspaceOwnershipInput,
    ) -> Result<TransferWorkspaceOwnershipPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let user = check.id("userId", &input.user_id);
        let (id, user) = check.done((id, user))?;
        let workspace = workspace::transfer(ctx.app(), viewer, id, user).await?;
        Ok(TransferWorkspaceOwnershipPayload {
            workspace: One(Workspace(workspace)),
        })
    }
}
