//! What can be changed of the members of workspaces.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{Workspace, WorkspaceMember, WorkspaceRole};
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::workspace;

/// What `updateWorkspaceMember` takes.
#[derive(InputObject)]
struct UpdateWorkspaceMemberInput {
    /// The workspace that the person is a member of.
    workspace_id: RawId,
    /// The member whose role changes.
    user_id: RawId,
    /// Their new role.
    role: WorkspaceRole,
}

/// What `removeWorkspaceMember` takes.
#[derive(InputObject)]
struct RemoveWorkspaceMemberInput {
    /// The workspace that the person is removed from.
    workspace_id: RawId,
    /// The member to remove.
    user_id: RawId,
    /// If given and the member has another role by now, nothing happens and the code is CONFLICT.
    expected_role: Option<WorkspaceRole>,
}

/// What `leaveWorkspace` takes.
#[derive(InputObject)]
struct LeaveWorkspaceInput {
    /// The workspace to leave.
    workspace_id: RawId,
}

/// What `transferWorkspaceOwnership` takes.
#[derive(InputObject)]
struct TransferWorkspaceOwnershipInput {
    /// The workspace to hand over.
    workspace_id: RawId,
    /// The member of the organization who becomes OWNER; somebody other than the viewer.
    user_id: RawId,
}

/// What `updateWorkspaceMember` answers.
#[derive(SimpleObject)]
struct UpdateWorkspaceMemberPayload {
    /// The membership with its new role.
    membership: One<WorkspaceMember>,
}

/// What `removeWorkspaceMember` answers.
#[derive(SimpleObject)]
struct RemoveWorkspaceMemberPayload {
    /// Always `true`: where nobody is removed, there is an error instead.
    removed: bool,
    /// The id of the person who was removed.
    user_id: ID,
    /// The role that their membership gave.
    role: WorkspaceRole,
    /// The workspace that they were removed from.
    workspace: One<Workspace>,
}

/// What `leaveWorkspace` answers.
#[derive(SimpleObject)]
struct LeaveWorkspacePayload {
    /// The id of the workspace that was left, which the viewer may still see by their role in the
    /// organization.
    workspace_id: ID,
}

/// What `transferWorkspaceOwnership` answers.
#[derive(SimpleObject)]
struct TransferWorkspaceOwnershipPayload {
    /// The workspace as the viewer sees it now.
    workspace: One<Workspace>,
}

/// What can be changed of the members of workspaces.
#[derive(Default)]
pub struct WorkspaceMemberMutation;

#[Object]
impl WorkspaceMemberMutation {
    /// Gives a member another role. The last OWNER stays one. Requires WORKSPACE_OWN.
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

    /// Removes a member, who cannot come back by the join code until they are invited or added
    /// again. The last OWNER stays. Requires WORKSPACE_OWN.
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

    /// Ends the viewer's own membership. The last OWNER stays. Requires being signed in.
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

    /// Makes another member of the organization OWNER of the workspace, with a membership if they
    /// have none; the viewer's own membership, if there is one, becomes ADMIN. Requires
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
