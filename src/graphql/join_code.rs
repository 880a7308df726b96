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

/// How people join a workspace by code.
pub struct JoinInfo(pub JoinCode);

/// How people join a workspace by code.
#[Object]
impl JoinInfo {
    /// The code, as `XXXX-XXXX-XXXX`; `null` while joining by code is switched off.
    fn invite_code(&self) -> Option<String> {
        self.0.shown()
    }

    /// When the code expires; `null` when it does not.
    fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// The role that a person who joins gets.
    fn role(&self) -> WorkspaceRole {
        self.0.role.into()
    }

    /// How many people may join by the code; `null` when any number may.
    fn max_uses(&self) -> Option<i32> {
        self.0.max_uses
    }

    /// How many people have joined by the code so far.
    fn uses(&self) -> i32 {
        self.0.uses
    }
}

/// What `joinWorkspaceByCode` takes.
#[derive(InputObject)]
struct JoinWorkspaceByCodeInput {
    /// The code, as `XXXX-XXXX-XXXX`; case and hyphens do not matter.
    code: String,
}

/// What `rotateJoinCode` takes.
#[derive(InputObject)]
struct RotateJoinCodeInput {
    /// The workspace that gets a new code.
    workspace_id: RawId,
    /// When the new code expires, which must lie in the future; without it, the code does not
    /// expire.
    expires_at: MaybeUndefined<DateTime>,
    /// The role that a person who joins gets: MEMBER or ADMIN.
    #[graphql(default_with = "WorkspaceRole::Member")]
    role: WorkspaceRole,
    /// How many people may join by the new code, at least 1; any number unless given.
    max_uses: MaybeUndefined<i32>,
}

/// What `disableJoinCode` takes.
#[derive(InputObject)]
struct DisableJoinCodeInput {
    /// The workspace whose code is switched off.
    workspace_id: RawId,
}

/// What `joinWorkspaceByCode` answers.
#[derive(SimpleObject)]
struct JoinWorkspaceByCodePayload {
    /// The workspace that was joined.
    workspace: One<Workspace>,
    /// The viewer's membership, which is the one that they had if they were a member already.
    membership: One<WorkspaceMember>,
}

/// What `rotateJoinCode` answers.
#[derive(SimpleObject)]
struct RotateJoinCodePayload {
    /// The workspace that the code belongs to.
    workspace: One<Workspace>,
    /// The new code and its terms.
    join_info: One<JoinInfo>,
}

/// What `disableJoinCode` answers.
#[derive(SimpleObject)]
struct DisableJoinCodePayload {
    /// The workspace, which nobody can join by code now.
    workspace: One<Workspace>,
}

/// What can be changed of join codes.
#[derive(Default)]
pub struct JoinCodeMutation;

#[Object]
impl JoinCodeMutation {
    /// Joins the workspace that the code belongs to. Joining twice is no error. At most 5 tries in
    /// 15 minutes for each user unless configured otherwise, failed ones included. Requires being
    /// signed in.
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

    /// Makes a new code; the old one stops working at once. Requires WORKSPACE_MANAGE.
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

    /// Switches joining by code off, until a new code is made. Requires WORKSPACE_MANAGE.
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
