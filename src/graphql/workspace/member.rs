//! Members of workspaces.

use async_graphql::{Context, ID, Object, Result};

use super::{Workspace, WorkspaceRole};
use crate::error::Error;
use crate::graphql::context::ContextExt;
use crate::graphql::resolve::One;
use crate::graphql::scalar::DateTime;
use crate::graphql::user::User;
use crate::models::{user, workspace};

/// A membership of a workspace.
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

/// A membership of a workspace.
#[Object]
impl WorkspaceMember {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.member.id.into()
    }

    /// Of what.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        let found = ctx.loaders()?.load_one(self.member.workspace_id).await?;
        Ok(Workspace(found.ok_or_else(Error::not_found)?))
    }

    /// Who.
    fn user(&self) -> One<User> {
        One(User(self.user.clone()))
    }

    /// What they are there.
    fn role(&self) -> WorkspaceRole {
        self.member.role.into()
    }

    /// Since when.
    fn created_at(&self) -> DateTime {
        self.member.created_at.into()
    }
}
