//! The log of what happened.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::context::ContextExt;
use super::error::Nullable;
use super::long::Long;
use super::node::{self, Node};
use super::organization::Organization;
use super::scalar::{DateTime, Json};
use super::user::User;
use super::workspace::Workspace;
use crate::models::event;

/// What happened.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::EventKind")]
pub enum EventKind {
    /// An organization was made; `data` has its `name` and `slug`.
    OrganizationCreated,
    /// An organization got another name or slug, or was linked to WorkOS or unlinked; `data` has
    /// what changed.
    OrganizationUpdated,
    /// An organization was deleted, and its workspaces with it.
    OrganizationDeleted,
    /// Somebody became a member of the organization; `data` has their `userId` and `role`.
    OrganizationMemberAdded,
    /// A workspace was made; `data` has its `name`, `slug`, `visibility` and `iconUrl`.
    WorkspaceCreated,
    /// A workspace was changed; `data` has the fields that changed, and of `settings` and
    /// `onboarding` the patch.
    WorkspaceUpdated,
    /// A workspace was deleted, which also revokes its pending invitations; `data` has `purgeAt`,
    /// until when it can be restored.
    WorkspaceDeleted,
    /// A deleted workspace was brought back; `data` has its `slug`, which may be a new one.
    WorkspaceRestored,
    /// Somebody became a member of the workspace; `data` has their `userId` and `role`.
    WorkspaceMemberAdded,
    /// A member of the organization got another role; `data` has their `userId` and the new `role`.
    OrganizationMemberUpdated,
    /// Somebody left the organization, was removed or deleted their account; the subject is that
    /// person, and `data` has their `userId` and the `role` that they had.
    OrganizationMemberRemoved,
    /// A member of the workspace got another role; `data` has their `userId` and the new `role`.
    WorkspaceMemberUpdated,
    /// Somebody left the workspace or was removed from it; the subject is that person, and `data`
    /// has their `userId` and the `role` that they had.
    WorkspaceMemberRemoved,
    /// Somebody was invited, or invited again, which extends the pending invitation; `data` has
    /// `email`, the roles and `expiresAt`.
    InvitationCreated,
    /// An invitation was extended and sent again; `data` has `email`, the roles and the new
    /// `expiresAt`.
    InvitationResent,
    /// The person invited accepted; `data` has `email`.
    InvitationAccepted,
    /// The person invited declined, or deleted their account.
    InvitationDeclined,
    /// An invitation was taken back, or ended because whoever sent it may no longer give what it
    /// offers or a membership took its place.
    InvitationRevoked,
    /// The workspace got a new join code; `data` has its `role`, `expiresAt` and `maxUses`, and
    /// never the code.
    JoinCodeRotated,
    /// Joining the workspace by code was switched off.
    JoinCodeDisabled,
    /// Other providers were chosen for the workspace; `data` has all `providers` that are enabled
    /// now.
    ProvidersSet,
    /// The workspace got another schedule, or none any more; `data` has `cron` and `timeZone`,
    /// which are `null` for none.
    ScheduleSet,
    /// Prompts were made; the subject is the workspace, and `data` has their `count` and
    /// `promptIds`.
    PromptsCreated,
    /// A prompt was changed; `data` has the fields that changed.
    PromptUpdated,
    /// A prompt was deleted; `data` has the `text` that it had.
    PromptDeleted,
    /// A run was queued, by somebody or, without an actor, by the schedule; `data` has its
    /// `trigger` and `total`.
    RunQueued,
    /// A run came to its end by itself; `data` has its `status`, `completed` and `failed`.
    RunFinished,
    /// A run was stopped before its end; `data` has its `completed` and `failed`.
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

    /// The organization in which it happened.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        Ok(Organization(ctx.get(self.0.organization_id).await?))
    }

    /// The workspace in which it happened; `null` for what concerns the organization alone, and for
    /// a workspace that the viewer may not see.
    async fn workspace(&self, ctx: &Context<'_>) -> Nullable<Workspace> {
        ctx.find(self.0.workspace_id?, Workspace).await
    }

    /// Who did it; `null` for the system, for an account deleted since, and for someone the viewer
    /// may not see.
    async fn actor(&self, ctx: &Context<'_>) -> Nullable<User> {
        ctx.find(self.0.actor_id?, User).await
    }

    /// What it happened to; `null` if that is gone or may not be seen.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        let id = self.0.subject.as_deref()?.parse().ok()?;
        node::load(ctx, id).await
    }

    /// The fields that changed and their new values, an object; `EventKind` says which. Holds no
    /// secret.
    fn data(&self) -> Long<Json> {
        Long(Json(self.0.data.0.clone()))
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
