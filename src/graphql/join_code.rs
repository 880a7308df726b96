//! Join codes.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::resolve::One;
use super::scalar::DateTime;
use super::workspace::{Workspace, WorkspaceMember, WorkspaceRole};
use crate::access;
use crate::models::join_code::{self, JoinCode, Terms};

/// The code by which people join a workspace, and its terms.
pub struct JoinInfo(pub JoinCode);

/// The code by which people join a workspace, and its terms.
#[Object]
impl JoinInfo {
    /// The code, as `XXXX-XXXX-XXXX`; `null` while joining by code is switched off.
    fn invite_code(&self) -> Option<String> {
        self.0.shown()
    }

    /// When the code expires; `null` if it does not.
    fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// The role that a person who joins gets.
    fn role(&self) -> WorkspaceRole {
        self.0.role.into()
    }

    /// How many people may join with the code; `null` means any number.
    fn max_uses(&self) -> Option<i32> {
        self.0.max_uses
    }

    /// How many people have joined with the code so far.
    fn uses(&self) -> i32 {
        self.0.uses
    }
}

/// Input of `joinWorkspaceByCode`.
#[derive(InputObject)]
struct JoinWorkspaceByCodeInput {
    /// The code, as `XXXX-XXXX-XXXX`; case and hyphens do not matter.
    code: String,
}

/// Input of `rotateJoinCode`.
#[derive(InputObject)]
struct RotateJoinCodeInput {
    /// The workspace to create a new code for.
    workspace_id: RawId,
    /// When the new code expires, which must be in the future. If omitted, it does not expire.
    expires_at: MaybeUndefined<DateTime>,
    /// The role that a person who joins gets: MEMBER or ADMIN.
    #[graphql(default_with = "WorkspaceRole::Member")]
    role: WorkspaceRole,
    /// How many people may join with the new code, at least 1; any number by default.
    max_uses: MaybeUndefined<i32>,
}

/// Input of `disableJoinCode`.
#[derive(InputObject)]
struct DisableJoinCodeInput {
    /// The workspace whose code is switched off.
    workspace_id: RawId,
}

/// Payload of `joinWorkspaceByCode`.
#[derive(SimpleObject)]
struct JoinWorkspaceByCodePayload {
    /// The workspace that the viewer joined.
    workspace: One<Workspace>,
    /// The viewer's membership. If they were already a member, it is the one they had.
    membership: One<WorkspaceMember>,
}

/// Payload of `rotateJoinCode`.
#[derive(SimpleObject)]
struct RotateJoinCodePayload {
    /// The workspace the code belongs to.
    workspace: One<Workspace>,
    /// The new code and its terms.
    join_info: One<JoinInfo>,
}

/// Payload of `disableJoinCode`.
#[derive(SimpleObject)]
struct DisableJoinCodePayload {
    /// The workspace, which can no longer be joined by code.
    workspace: One<Workspace>,
}

/// Mutations on join codes.
#[derive(Default)]
pub struct JoinCodeMutation;

#[Object]
impl JoinCodeMutation {
    /// Joins the workspace that the code belongs to. Joining twice is not an error. At most 5
    /// attempts in 15 minutes for each user unless configured otherwise, including failed ones.
    /// Requires being signed in.
    async fn join_workspace_by_code(
        &self,
        ctx: &Context<'_>,
        input: JoinWorkspaceByCodeInput,
    ) -> Result<JoinWorkspaceByCodePayload> {
        let viewer = ctx.viewer()?;
        let (workspace, member) = join_code::join(ctx.app(), viewer, &input.code).await?;
        let membership = WorkspaceMember::from((member, viewer.user.clone()));
        Ok(JoinWorkspaceByCodePayload {
            workspace: One(Workspace(workspace)),
            membership: One(membership),
        })
    }

    /// Creates a new code; the old one stops working at once. Requires WORKSPACE_MANAGE.
    async fn rotate_join_code(
        &self,
        ctx: &Context<'_>,
        input: RotateJoinCodeInput,
    ) -> Result<RotateJoinCodePayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let role = access::WorkspaceRole::from(input.role);
        if role == access::WorkspaceRole::Owner {
            check.refuse("role", "must be MEMBER or ADMIN");
        }
        let max_uses = input.max_uses.take();
        if max_uses.is_some_and(|most| most < 1) {
            check.refuse("maxUses", "must be at least 1");
        }
        let expires_at = input.expires_at.take().map(|at| at.0);
        let expires_at = check.ahead("expiresAt", expires_at, ctx.now());
        let (id, expires_at) = check.done((id, expires_at))?;
        let terms = Terms {
            role,
            expires_at,
            max_uses,
        };
        let (workspace, code) = join_code::rotate(ctx.app(), viewer, id, terms).await?;
        Ok(RotateJoinCodePayload {
            workspace: One(Workspace(workspace)),
            join_info: One(JoinInfo(code)),
        })
    }

    /// Switches off joining by code until a new code is created. Requires WORKSPACE_MANAGE.
    async fn disable_join_code(
        &self,
        ctx: &Context<'_>,
        input: DisableJoinCodeInput,
    ) -> Result<DisableJoinCodePayload> {
        let viewer = ctx.viewer()?;
        let id = input.workspace_id.only("workspaceId")?;
        let workspace = join_code::disable(ctx.app(), viewer, id).await?;
        Ok(DisableJoinCodePayload {
            workspace: One(Workspace(workspace)),
        })
    }
}
