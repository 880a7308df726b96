//! Members of workspaces.

use async_graphql::{Context, ID, Object, Result};

use super::{Workspace, WorkspaceRole};
use crate::graphql::context::ContextExt;
use crate::graphql::resolve::One;
use crate::graphql::scalar::DateTime;
use crate::graphql::user::User;
use crate::models::{user, workspace};

/// A person's membership in a workspace.
#[derive(Clone)]
pub struct WorkspaceMember {
    member: workspace::WorkspaceMember,
    user: user::User,
}

impl From<(workspace::WorkspaceMember, user::User)> for WorkspaceMember {
    fn from((member, user): (workspace::WorkspaceMember, user::User)) -> Self {
        Self { member, user }
    }
}

/// A person's membership in a workspace.
#[Object]
impl WorkspaceMember {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.member.id.into()
    }

    /// The workspace they are a member of.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        Ok(Workspace(ctx.get(self.member.workspace_id).await?))
    }

    /// The person who is a member.
    fn user(&self) -> One<User> {
        One(User(self.user.clone()))
    }

    /// The role that the membership gives. The person's role in the organization may give a higher
    /// one.
    fn role(&self) -> WorkspaceRole {
        self.member.role.into()
    }

    /// When they became a member.
    fn created_at(&self) -> DateTime {
        self.member.created_at.into()
    }
}
