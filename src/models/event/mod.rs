//! The log of what happened, which feeds the audit log, subscriptions and mail.

mod feed;
mod list;

use diesel::dsl::exists;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use serde_json::Value;

pub use feed::Feed;
pub use list::{OrganizationEvents, WorkspaceEvents};

use crate::access::visible::{
    may_administer, may_manage, may_own, visible_organizations, workspaces_of_viewer,
};
use crate::auth::Viewer;
use crate::db::types::{Instant, Json};
use crate::db::{Connection, Topic, Transaction, insert_all};
use crate::error::Result;
use crate::id::{AnyId, EventId, OrganizationId, UserId, WorkspaceId};
use crate::run;
use crate::schema::{events, organizations, workspaces};
use crate::text_enum;

text_enum! {
    /// What happened.
    #[allow(missing_docs, reason = "each is named by what it says")]
    pub enum EventKind {
        OrganizationCreated = "ORGANIZATION_CREATED",
        OrganizationUpdated = "ORGANIZATION_UPDATED",
        OrganizationDeleted = "ORGANIZATION_DELETED",
        OrganizationMemberAdded = "ORGANIZATION_MEMBER_ADDED",
        WorkspaceCreated = "WORKSPACE_CREATED",
        WorkspaceUpdated = "WORKSPACE_UPDATED",
        WorkspaceDeleted = "WORKSPACE_DELETED",
        WorkspaceRestored = "WORKSPACE_RESTORED",
        WorkspaceMemberAdded = "WORKSPACE_MEMBER_ADDED",
        OrganizationMemberUpdated = "ORGANIZATION_MEMBER_UPDATED",
        OrganizationMemberRemoved = "ORGANIZATION_MEMBER_REMOVED",
        WorkspaceMemberUpdated = "WORKSPACE_MEMBER_UPDATED",
        WorkspaceMemberRemoved = "WORKSPACE_MEMBER_REMOVED",
        InvitationCreated = "INVITATION_CREATED",
        InvitationResent = "INVITATION_RESENT",
        InvitationAccepted = "INVITATION_ACCEPTED",
        InvitationDeclined = "INVITATION_DECLINED",
        InvitationRevoked = "INVITATION_REVOKED",
        JoinCodeRotated = "JOIN_CODE_ROTATED",
        JoinCodeDisabled = "JOIN_CODE_DISABLED",
        ProvidersSet = "PROVIDERS_SET",
        ScheduleSet = "SCHEDULE_SET",
        PromptsCreated = "PROMPTS_CREATED",
        PromptUpdated = "PROMPT_UPDATED",
        PromptDeleted = "PROMPT_DELETED",
        RunQueued = "RUN_QUEUED",
        RunFinished = "RUN_FINISHED",
        RunCancelled = "RUN_CANCELLED",
    }
}

/// Something that happened.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = events, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Event {
    /// The event's id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// The organization it happened in.
    pub organization_id: OrganizationId,
    /// The workspace it happened in, if any.
    pub workspace_id: Option<WorkspaceId>,
    /// Who did it; `None` if it was the system or an account deleted since.
    pub actor_id: Option<UserId>,
    /// The id of what it happened to, in text form.
    pub subject: Option<String>,
    /// The fields that changed, with their new values. Holds no secrets.
    pub data: Json,
    /// When it happened.
    pub created_at: Instant,
}

/// An event to be recorded.
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// The organization it happened in.
    pub organization: OrganizationId,
    /// The workspace it happened in, if any.
    pub workspace: Option<WorkspaceId>,
    /// What it happened to.
    pub subject: AnyId,
    /// The fields that changed, with their new values. Holds no secrets.
    pub data: Value,
}

impl NewEvent {
    fn by(self, actor: Option<UserId>, now: Instant) -> Event {
        Event {
            id: EventId::new(now.to_utc()),
            kind: self.kind,
            organization_id: self.organization,
            workspace_id: self.workspace,
            actor_id: actor,
            subject: Some(self.subject.to_string()),
            data: Json(self.data),
            created_at: now,
        }
    }
}

/// Records an event, in the transaction that makes it true.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn record(
    tx: &mut Transaction,
    actor: &Viewer,
    now: Instant,
    event: NewEvent,
) -> Result<()> {
    insert(tx, &event.by(Some(actor.id()), now)).await
}

/// Like [`record`], but for what the server itself did.
///
/// # Errors
/// Database errors only.
pub async fn record_by_system(tx: &mut Transaction, now: Instant, event: NewEvent) -> Result<()> {
    insert(tx, &event.by(None, now)).await
}

async fn insert(tx: &mut Transaction, event: &Event) -> Result<()> {
    announce(tx, event);
    run!(
        tx,
        diesel::insert_into(events::table)
            .values(event)
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Like [`record`], but for many events at once.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn record_all(
    tx: &mut Transaction,
    actor: &Viewer,
    now: Instant,
    events: Vec<NewEvent>,
) -> Result<()> {
    let rows: Vec<_> = events
        .into_iter()
        .map(|event| event.by(Some(actor.id()), now))
        .collect();
    for event in &rows {
        announce(tx, event);
    }
    insert_all(tx, events::table, &rows).await
}

/// Wakes whoever follows the workspace or, without one, the organization.
fn announce(tx: &mut Transaction, event: &Event) {
    tx.announce(match event.workspace_id {
        Some(workspace) => Topic::Workspace(workspace),
        None => Topic::Organization(event.organization_id),
    });
}

/// Returns the given events that the viewer may see: an organization's are for its owners and admins, a
/// workspace's also for whoever may manage it, or restore it if it is deleted.
///
/// # Errors
/// Database errors only.
pub async fn visible(conn: &mut Connection, viewer: UserId, ids: &[EventId]) -> Result<Vec<Event>> {
    let of_organization = visible_organizations(viewer)
        .filter(
            organizations::id
                .eq(events::organization_id)
                .and(may_administer()),
        )
        .select(organizations::id);
    let of_workspace = workspaces_of_viewer(viewer)
        .filter(
            workspaces::id
                .nullable()
                .eq(events::workspace_id)
                .and(may_own().or(workspaces::deleted_at.is_null().and(may_manage()))),
        )
        .select(workspaces::id);
    Ok(run!(
        conn,
        events::table
            .filter(events::id.eq_any(ids))
            .filter(exists(of_organization).or(exists(of_workspace)))
            .select(Event::as_select())
            .load(conn)
            .await
    )?)
}
