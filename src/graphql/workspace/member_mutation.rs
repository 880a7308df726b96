//! What can be changed of the members of workspaces.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{Workspace, WorkspaceMember, WorkspaceRole};
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::workspace;

#[derive(InputObject)]
struct UpdateWorkspaceMemberInput {
    workspace_id: RawId,
    user_id: RawId,
    /// What they are to be.
    role: WorkspaceRole,
}

#[derive(InputObject)]
struct RemoveWorkspaceMemberInput {
    workspace_id: RawId,
    user_id: RawId,
    /// If given and the member has another role by now, nothing happens and the code is CONFLICT.
    expected_role: Option<WorkspaceRole>,
}

#[derive(InputObject)]
struct LeaveWorkspaceInput {
    workspace_id: RawId,
}

#[derive(InputObject)]
struct TransferWorkspaceOwnershipInput {
    workspace_id: RawId,
    user_id: RawId,
}

#[derive(SimpleObject)]
struct UpdateWorkspaceMemberPayload {
    membership: One<WorkspaceMember>,
}

#[derive(SimpleObject)]
struct RemoveWorkspaceMemberPayload {
    removed: bool,
    user_id: ID,
    /// What they were there.
    role: WorkspaceRole,
    workspace: One<Workspace>,
}

#[derive(SimpleObject)]
struct LeaveWorkspacePayload {
    workspace_id: ID,
}

#[derive(SimpleObject)]
struct TransferWorkspaceOwnershipPayload {
    workspace: One<Workspace>,
}

/// What can be changed of the members of workspaces.
#[derive(Default)]
pub struct WorkspaceMemberMutation;

#[Object]
impl WorkspaceMemberMutation {
    /// Gives a member another role. The last OWNER stays one. Takes WORKSPACE_OWN.
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

    /// Removes a member, who cannot come back by the join code until they are invited or added again.
    /// The last OWNER stays. Takes WORKSPACE_OWN.
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

    /// Ends the viewer's own membership. The last OWNER stays. Takes being signed in.
    async fn leave_workspace(
        &self,
        ctx: &Context<'_>,
        input: LeaveWorkspaceInput,
    ) -> Result<LeaveWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let id = check.done(id)?;
        workspace::leave(ctx.app(), viewer, id).await?;
        Ok(LeaveWorkspacePayload {
            workspace_id: id.into(),
        })
    }

    /// Makes another member of the organization OWNER of the workspace, with a membership if they
    /// have none; the viewer's own membership, if there is one, becomes ADMIN. Takes WORKSPACE_OWN.
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
