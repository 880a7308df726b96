//! Workspaces.

mod limits;
mod member;
mod member_mutation;
mod mutation;
mod query;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result};

pub use member::WorkspaceMember;
pub use member_mutation::WorkspaceMemberMutation;
pub use mutation::WorkspaceMutation;
pub use query::{WorkspaceQuery, search_argument};

use self::limits::WorkspaceLimits;
use super::check::Check;
use super::connection::{Connection, PageArgs};
use super::context::ContextExt;
use super::error::{Nullable, nullable};
use super::event::{Event, EventKind, kinds};
use super::invitation::{Invitation, InvitationStatus};
use super::join_code::JoinInfo;
use super::loader::{JoinCodeOf, ScheduleOf};
use super::long::Long;
use super::organization::{Organization, Permission, permissions};
use super::prompt::Prompt;
use super::provider::Provider;
use super::resolve::One;
use super::run::{Run, RunStatus};
use super::scalar::{DateTime, Json, Url};
use super::schedule::Schedule;
use super::user::User;
use super::visibility::DomainVisibility;
use crate::access;
use crate::error::Error;
use crate::models::event::WorkspaceEvents;
use crate::models::invitation::WorkspaceInvitations;
use crate::models::organization::VisibleOrganization;
use crate::models::prompt::PromptList;
use crate::models::run::RunList;
use crate::models::workspace::{self, MemberList, VisibleWorkspace};

/// A person's role in a workspace.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "access::WorkspaceRole")]
pub enum WorkspaceRole {
    /// May rename, delete and hand over the workspace, and remove members.
    Owner,
    /// May change settings, providers and schedule, and invite.
    Admin,
    /// May work in the workspace.
    Member,
}

/// Whether a workspace is live or deleted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceStatus {
    /// The workspace is live.
    Active,
    /// Deleted; can be restored until it is purged.
    Deleted,
}

/// Who in the organization sees a workspace.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "workspace::Visibility")]
pub enum WorkspaceVisibility {
    /// Members only, and owners and admins of the organization.
    Private,
    /// Every member of the organization has the role MEMBER here.
    Organization,
}

/// An isolated environment inside an organization.
#[derive(Clone)]
pub struct Workspace(pub VisibleWorkspace);

impl Workspace {
    fn row(&self) -> &workspace::Workspace {
        &self.0.workspace
    }

    /// Returns whether the workspace is deleted and can be restored.
    pub fn is_deleted(&self) -> bool {
        self.row().deleted_at.is_some()
    }

    fn role(&self) -> Result<access::WorkspaceRole, Error> {
        self.0.role().ok_or_else(Error::not_found)
    }

    /// Returns the workspace's organization, which may have been read with it.
    async fn load_organization(&self, ctx: &Context<'_>) -> Result<Arc<VisibleOrganization>> {
        if let Some(read) = &self.0.organization {
            return Ok(read.clone());
        }
        ctx.get(self.row().organization_id).await
    }

    fn require(&self, permission: access::Permission) -> Result<(), Error> {
        if self.role()?.may(permission) {
            Ok(())
        } else {
            Err(Error::forbidden(permission.as_str()))
        }
    }
}

/// An isolated environment inside an organization.
#[Object]
impl Workspace {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.row().id.into()
    }

    /// The organization the workspace belongs to, which never changes.
    async fn organization(&self, ctx: &Context<'_>) -> Result<One<Organization>> {
        Ok(One(Organization(self.load_organization(ctx).await?)))
    }

    /// The workspace's name: 2 to 80 characters.
    fn name(&self) -> &str {
        &self.row().name
    }

    /// The workspace's slug, used in URLs and unique across the platform. A former slug still finds
    /// the workspace until another one takes it, and a deleted workspace gives up its slug.
    fn slug(&self) -> &str {
        &self.row().slug
    }

    /// What the workspace is for, in up to 2,000 characters; `null` if not set.
    fn description(&self) -> Long<Option<&str>> {
        Long(self.row().description.as_deref())
    }

    /// The domain whose mentions are tracked, such as `example.com`; `null` if there is none.
    fn domain(&self) -> Option<&str> {
        self.row().domain.as_deref()
    }

    /// The public URL of the workspace's icon; `null` if it has none. Each icon has its own URL,
    /// which is valid for as long as the workspace uses the icon.
    fn icon_url(&self, ctx: &Context<'_>) -> Option<Url> {
        let icon = self.row().icon()?;
        Some(Url(icon.url(ctx.app())))
    }

    /// Whether the workspace is live or deleted.
    fn status(&self) -> WorkspaceStatus {
        match self.row().deleted_at {
            None => WorkspaceStatus::Active,
            Some(_) => WorkspaceStatus::Deleted,
        }
    }

    /// Who in the organization sees the workspace.
    fn visibility(&self) -> WorkspaceVisibility {
        self.row().visibility.into()
    }

    /// The user who created the workspace; `null` if their account has been deleted since, or if
    /// the viewer may not see them.
    async fn created_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        ctx.find(self.row().created_by?, User).await
    }

    /// When the workspace was created.
    fn created_at(&self) -> DateTime {
        self.row().created_at.into()
    }

    /// When the workspace was last changed.
    fn updated_at(&self) -> DateTime {
        self.row().updated_at.into()
    }

    /// When the workspace was deleted; `null` if it is live.
    fn deleted_at(&self) -> Option<DateTime> {
        self.row().deleted_at.map(DateTime)
    }

    /// When the deleted workspace and everything in it will be gone for good; `null` if it is live.
    fn purge_at(&self) -> Option<DateTime> {
        self.row().purge_at.map(DateTime)
    }

    /// The highest of: the viewer's membership here; OWNER for an owner and ADMIN for an admin of the
    /// organization; MEMBER for any member of the organization where the visibility is ORGANIZATION.
    fn viewer_role(&self) -> Result<WorkspaceRole> {
        Ok(self.role()?.into())
    }

    /// What `viewerRole` allows.
    fn viewer_permissions(&self) -> Result<Vec<Permission>> {
        Ok(permissions(self.role()?.permissions()))
    }

    /// Free-form preferences of the whole workspace. Always an object.
    fn settings(&self) -> Long<Json> {
        Long(Json(self.row().settings.0.clone()))
    }

    /// Free-form state of the onboarding flow. Always an object.
    fn onboarding(&self) -> Long<Json> {
        Long(Json(self.row().onboarding.0.clone()))
    }

    /// When the onboarding was completed; `null` until then.
    fn onboarding_completed_at(&self) -> Option<DateTime> {
        self.row().onboarding_completed_at.map(DateTime)
    }

    /// When the workspace's trial ends. Set on creation if the plan has a trial; otherwise `null`.
    fn trial_ends_at(&self) -> Option<DateTime> {
        self.row().trial_ends_at.map(DateTime)
    }

    /// When prompts are collected; `null` if nothing is scheduled.
    async fn schedule(&self, ctx: &Context<'_>) -> Nullable<Schedule> {
        let found = ctx.load(ScheduleOf(self.row().id)).await;
        nullable(found.map(|found| found.and_then(Schedule::running)))
    }

    /// When a run last ended by itself, scheduled or manual; `null` before the first time.
    fn last_run_at(&self) -> Option<DateTime> {
        self.row().last_run_at.map(DateTime)
    }

    /// What the organization's plan allows, and how much of it is used.
    async fn limits(&self, ctx: &Context<'_>) -> Result<WorkspaceLimits> {
        let visible = self.load_organization(ctx).await?;
        Ok(WorkspaceLimits {
            workspace: self.row().id,
            plan: ctx.app().plan(&visible.organization.plan_key).clone(),
        })
    }

    /// The workspace's members, in the order in which they joined.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only members with this role; with any role by default.")] role: Option<
            WorkspaceRole,
        >,
    ) -> Result<Connection<WorkspaceMember>> {
        let list = MemberList {
            role: role.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        Connection::load(ctx, list, self.row().id, args, WorkspaceMember::from).await
    }

    /// The AI providers that prompts are put to, at least one; all of them by default.
    fn enabled_providers(&self) -> Vec<Provider> {
        let enabled = self.row().providers().into_iter();
        enabled.map(Into::into).collect()
    }

    /// How often answers mention the domain; by default, the answers of the last 30 days in UTC,
    /// today included.
    async fn domain_visibility(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only answers from this instant on. By default, the 30 days in UTC that end with `until` or today."
        )]
        since: Option<DateTime>,
        #[graphql(desc = "Only answers from before this instant. No end by default.")]
        until: Option<DateTime>,
    ) -> Result<DomainVisibility> {
        DomainVisibility::load(ctx, self.row().id, since, until).await
    }

    /// The join code and its terms. Requires WORKSPACE_MANAGE; otherwise `null` with the error
    /// FORBIDDEN.
    async fn join_info(&self, ctx: &Context<'_>) -> Nullable<JoinInfo> {
        let found = async {
            self.require(access::Permission::WorkspaceManage)?;
            ctx.load(JoinCodeOf(self.row().id)).await
        };
        nullable(found.await.map(|found| found.map(JoinInfo)))
    }

    /// Invitations to the workspace, newest first. Requires WORKSPACE_MANAGE; otherwise `null` with
    /// the error FORBIDDEN.
    async fn invitations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            default_with = "Some(InvitationStatus::Pending)",
            desc = "Only invitations with this status; `null` means any status."
        )]
        status: Option<InvitationStatus>,
    ) -> Nullable<Connection<Invitation>> {
        let invitations = async {
            self.require(access::Permission::WorkspaceManage)?;
            let list = WorkspaceInvitations {
                status: status.map(Into::into),
                now: ctx.now(),
            };
            let args = PageArgs::new(first, after, last, before);
            Connection::load(ctx, list, self.row().id, args, Invitation)
                .await
                .map(Some)
        };
        nullable::<_, async_graphql::Error>(invitations.await)
    }

    /// The workspace's prompts, whether active or not, oldest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn prompts(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            desc = "Only prompts whose text contains this text of up to 100 characters, regardless of case."
        )]
        search: Option<String>,
    ) -> Result<Connection<Prompt>> {
        let mut check = Check::default();
        let list = PromptList {
            search: search_argument(&mut check, &search),
        };
        let args = PageArgs::new(first, after, last, before).beside(check);
        Connection::load(ctx, list, self.row().id, args, Prompt).await
    }

    /// The workspace's runs, newest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn runs(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only runs with this status; with any status by default.")] status: Option<
            RunStatus,
        >,
    ) -> Result<Connection<Run>> {
        let list = RunList {
            status: status.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        Connection::load(ctx, list, self.row().id, args, Run).await
    }

    /// Events in the workspace, newest first. Requires WORKSPACE_MANAGE; otherwise `null` with the
    /// error FORBIDDEN.
    async fn events(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            name = "kinds",
            desc = "Only events of these kinds; of every kind by default."
        )]
        only: Option<Vec<EventKind>>,
    ) -> Nullable<Connection<Event>> {
        let events = async {
            self.require(access::Permission::WorkspaceManage)?;
            let list = WorkspaceEvents { kinds: kinds(only) };
            let args = PageArgs::new(first, after, last, before);
            Connection::load(ctx, list, self.row().id, args, Event)
                .await
                .map(Some)
        };
        nullable::<_, async_graphql::Error>(events.await)
    }
}
