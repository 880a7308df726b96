//! The event log.

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

/// The kind of an event.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::EventKind")]
pub enum EventKind {
    /// An organization was created; `data` has its `name` and `slug`.
    OrganizationCreated,
    /// An organization's name or slug changed, or it was linked to WorkOS or unlinked; `data` has
    /// the fields that changed.
    OrganizationUpdated,
    /// An organization was deleted along with its workspaces.
    OrganizationDeleted,
    /// A person became a member of the organization; `data` has their `userId` and `role`.
    OrganizationMemberAdded,
    /// A workspace was created; `data` has its `name`, `slug`, `visibility` and `iconUrl`.
    WorkspaceCreated,
    /// A workspace was changed; `data` has the fields that changed; for `settings` and
    /// `onboarding`, it has the patch.
    WorkspaceUpdated,
    /// A workspace was deleted, which also revokes its pending invitations; `data` has `purgeAt`,
    /// the time until which it can be restored.
    WorkspaceDeleted,
    /// A deleted workspace was restored; `data` has its `slug`, which may be a new one.
    WorkspaceRestored,
    /// A person became a member of the workspace; `data` has their `userId` and `role`.
    WorkspaceMemberAdded,
    /// The role of an organization member changed; `data` has their `userId` and the new `role`.
    OrganizationMemberUpdated,
    /// A person left the organization, was removed or deleted their account; the subject is that
    /// person, and `data` has their `userId` and former `role`.
    OrganizationMemberRemoved,
    /// The role of a workspace member changed; `data` has their `userId` and the new `role`.
    WorkspaceMemberUpdated,
    /// A person left the workspace or was removed from it; the subject is that person, and `data`
    /// has their `userId` and former `role`.
    WorkspaceMemberRemoved,
    /// A person was invited, or invited again, which extends the pending invitation; `data` has
    /// `email`, the roles and `expiresAt`.
    InvitationCreated,
    /// An invitation was extended and sent again; `data` has `email`, the roles and the new
    /// `expiresAt`.
    InvitationResent,
    /// The invited person accepted; `data` has `email`.
    InvitationAccepted,
    /// The invited person declined, or deleted their account.
    InvitationDeclined,
    /// An invitation was revoked, or ended because its sender may no longer grant what it offers or
    /// because a membership took its place.
    InvitationRevoked,
    /// The workspace got a new join code; `data` has its `role`, `expiresAt` and `maxUses`, but
    /// never the code.
    JoinCodeRotated,
    /// Joining the workspace by code was switched off.
    JoinCodeDisabled,
    /// The workspace's enabled providers changed; `data` has all `providers` now enabled.
    ProvidersSet,
    /// The workspace's schedule was set or switched off; `data` has `cron` and `timeZone`, which
    /// are `null` if it was switched off.
    ScheduleSet,
    /// Prompts were created; the subject is the workspace, and `data` has their `count` and
    /// `promptIds`.
    PromptsCreated,
    /// A prompt was changed; `data` has the fields that changed.
    PromptUpdated,
    /// A prompt was deleted; `data` has its former `text`.
    PromptDeleted,
    /// A run was queued by a person or, if there is no actor, by the schedule; `data` has its
    /// `trigger` and `total`.
    RunQueued,
    /// A run ended by itself; `data` has its `status`, `completed` and `failed`.
    RunFinished,
    /// A run was cancelled; `data` has its `completed` and `failed`.
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

    /// The organization the event happened in.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        Ok(Organization(ctx.get(self.0.organization_id).await?))
    }

    /// The workspace the event happened in; `null` if it concerns the organization alone, or if the
    /// viewer may not see the workspace.
    async fn workspace(&self, ctx: &Context<'_>) -> Nullable<Workspace> {
        ctx.find(self.0.workspace_id?, Workspace).await
    }

    /// The user who did it; `null` for the system, for an account deleted since, and for a user the
    /// viewer may not see.
    async fn actor(&self, ctx: &Context<'_>) -> Nullable<User> {
        ctx.find(self.0.actor_id?, User).await
    }

    /// What it happened to; `null` if that is gone or may not be seen.
    async fn subject(&self, ctx: &Context<'_>) -> Nullable<Node> {
        let id = self.0.subject.as_deref()?.parse().ok()?;
        node::load(ctx, id).await
    }

    /// An object with the fields that changed and their new values, as described at each
    /// `EventKind`. Holds no secrets.
    fn data(&self) -> Long<Json> {
        Long(Json(self.0.data.0.clone()))
    }

    /// When the event happened.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// Converts the kinds that a list of events is filtered by.
pub fn kinds(kinds: Option<Vec<EventKind>>) -> Option<Vec<event::EventKind>> {
    Some(kinds?.into_iter().map(Into::into).collect())
}
