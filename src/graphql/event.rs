//! The log of what happened.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::context::ContextExt;
use super::error::{Nullable, nullable};
use super::node::{self, Node};
use super::organization::Organization;
use super::scalar::{DateTime, Json};
use super::user::User;
use super::workspace::Workspace;
use crate::error::Error;
use crate::models::event;

/// What happened.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::EventKind")]
#[allow(missing_docs, reason = "each is named by what it says")]
pub enum EventKind {
    OrganizationCreated,
    OrganizationUpdated,
    OrganizationDeleted,
    OrganizationMemberAdded,
    WorkspaceCreated,
    WorkspaceUpdated,
    WorkspaceDeleted,
    WorkspaceRestored,
    WorkspaceMemberAdded,
    OrganizationMemberUpdated,
    OrganizationMemberRemoved,
    WorkspaceMemberUpdated,
    WorkspaceMemberRemoved,
    InvitationCreated,
    InvitationResent,
    InvitationAccepted,
    InvitationDeclined,
    InvitationRevoked,
    JoinCodeRotated,
    JoinCodeDisabled,
    ProvidersSet,
    ScheduleSet,
    PromptsCreated,
    PromptUpdated,
    PromptDeleted,
    RunQueued,
    RunFinished,
    RunCancelled,
}

/// Something that happened: what the audit log keeps and what subscriptions deliver.
#[derive(Clone)]
pub struct Event(pub event::Event);

/// Something that happened: what the audit log keeps and what subscriptions deliver.
#[Object]
impl Event {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What happened.
    fn kind(&self) -> EventKind {
        self.0.kind.into()
    }

    /// Where it happened.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        let found = ctx.loaders()?.load_one(self.0.organization_id).await?;
        Ok(Organization(found.ok_or_else(Error::not_found)?))
    }

    /// Where it happened, if it was in a workspace that the viewer may see.
    async fn workspace(&self, ctx: &Context<'_>) -> Nullable<Workspace> {
        let id = self.0.workspace_id?;
        let found = async { Ok::<_, async_graphql::Error>(ctx.loaders()?.load_one(id).await?) };
        nullable(found.await.map(|found| found.map(Workspace)))
    }

    /// `null` for the system, for an account deleted since, and for someone the viewer may not see.
    async fn actor(&self, ctx: &Context<'_>) -> Nullable<User> {
        let id = self.0.actor_id?;
        let found = async { Ok::<_, async_graphql::Error>(ctx.loaders()?.load_one(id).await?) };
        nullable(found.await.map(|found| found.map(User)))
    }

    /// What it happened to; `null` if that is gone or may not be seen.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        let id = self.0.subject.as_deref()?.parse().ok()?;
        nullable(node::load(ctx, id).await)
    }

    /// The fields that changed and their new values. Holds no secret.
    fn data(&self) -> Json {
        Json(self.0.data.0.clone())
    }

    /// When it happened.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// The kinds that a list of events is narrowed down to.
pub fn kinds(kinds: Option<Vec<EventKind>>) -> Option<Vec<event::EventKind>> {
    Some(kinds?.into_iter().map(Into::into).collect())
}
