//! Organizations.

mod member;
mod member_mutation;
mod mutation;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, OneofObject, Result};

pub use member::OrganizationMember;
pub use member_mutation::OrganizationMemberMutation;
pub use mutation::OrganizationMutation;

use super::check::Check;
use super::connection::{Connection, PageArgs};
use super::context::ContextExt;
use super::error::{Nullable, nullable};
use super::event::{Event, EventKind, kinds};
use super::id::RawId;
use super::invitation::{Invitation, InvitationStatus};
use super::plan::Plan;
use super::resolve::One;
use super::scalar::DateTime;
use super::workspace::{Workspace, search_argument};
use crate::access;
use crate::error::Error;
use crate::models::event::OrganizationEvents;
use crate::models::invitation::OrganizationInvitations;
use crate::models::organization::{
    self, MemberList, OrganizationBy, OrganizationList, VisibleOrganization,
};
use crate::models::workspace::WorkspacesOfOrganization;

/// A person's role in an organization.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "access::OrganizationRole")]
pub enum OrganizationRole {
    /// May do everything, deleting the organization included.
    Owner,
    /// May manage members and workspaces.
    Admin,
    /// May see the organization, the workspaces that they were added to, and those visible to the
    /// organization.
    Member,
    /// May manage billing, and sees no workspace that they were not added to.
    BillingAdmin,
}

/// What a role allows.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "access::Permission")]
pub enum Permission {
    /// See the organization and its members.
    OrganizationView,
    /// Rename the organization, change its slug, and link it to WorkOS.
    OrganizationUpdate,
    /// Delete the organization along with its workspaces.
    OrganizationDelete,
    /// Invite people to the organization, change roles in it, and remove members.
    OrganizationManageMembers,
    /// Manage the organization's billing. Nothing in this API requires it yet.
    OrganizationManageBilling,
    /// Create workspaces in the organization.
    WorkspaceCreate,
    /// See the workspace, its members, prompts, runs and answers.
    WorkspaceView,
    /// Change content: create, change and delete prompts, start and cancel runs.
    WorkspaceContribute,
    /// Change the workspace itself: providers, schedule, settings, invitations, join code. See its
    /// events.
    WorkspaceManage,
    /// Change the name, slug, domain and visibility, remove members, change roles, transfer
    /// ownership, delete and restore.
    WorkspaceOwn,
}

/// Converts permissions to those of the API.
pub fn permissions(permissions: &[access::Permission]) -> Vec<Permission> {
    permissions.iter().copied().map(Permission::from).collect()
}

/// A group of people and the workspaces that belong to it.
#[derive(Clone)]
pub struct Organization(pub Arc<VisibleOrganization>);

impl From<VisibleOrganization> for Organization {
    fn from(visible: VisibleOrganization) -> Self {
        Self(Arc::new(visible))
    }
}

/// A group of people and the workspaces that belong to it.
#[Object]
impl Organization {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.organization.id.into()
    }

    /// The organization's name: 2 to 80 characters.
    fn name(&self) -> &str {
        &self.0.organization.name
    }

    /// The organization's slug, used in URLs and unique across the platform. A former slug still
    /// finds the organization until another one takes it.
    fn slug(&self) -> &str {
        &self.0.organization.slug
    }

    /// True for the organization made for a user who created a workspace without naming one.
    fn is_personal(&self) -> bool {
        self.0.organization.is_personal
    }

    /// The id of the WorkOS organization it is linked to; `null` if there is none.
    fn workos_organization_id(&self) -> Option<&str> {
        self.0.organization.workos_organization_id.as_deref()
    }

    /// The viewer's role in the organization, and what it allows.
    fn viewer_access(&self) -> One<OrganizationAccess> {
        One(OrganizationAccess(self.0.clone()))
    }

    /// The limits that the organization's subscription sets.
    fn plan(&self, ctx: &Context<'_>) -> One<Plan> {
        let key = self.0.organization.plan_key.clone();
        let limits = ctx.app().plan(&key).clone();
        One(Plan { key, limits })
    }

    /// When the organization was created.
    fn created_at(&self) -> DateTime {
        self.0.organization.created_at.into()
    }

    /// When the organization was last changed.
    fn updated_at(&self) -> DateTime {
        self.0.organization.updated_at.into()
    }

    /// The organization's members, in the order in which they joined.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn members(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only members with this role; with any role by default.")] role: Option<
            OrganizationRole,
        >,
    ) -> Result<Connection<OrganizationMember>> {
        let list = MemberList {
            role: role.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        let id = self.0.organization.id;
        Connection::load(ctx, list, id, args, OrganizationMember::from).await
    }

    /// The organization's live workspaces that the viewer may see, by name.
    async fn workspaces(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            desc = "Only workspaces whose name or slug contains this text of up to 100 characters, regardless of case."
        )]
        search: Option<String>,
    ) -> Result<Connection<Workspace>> {
        let mut check = Check::default();
        let list = WorkspacesOfOrganization {
            search: search_argument(&mut check, &search),
        };
        let args = PageArgs::new(first, after, last, before).beside(check);
        Connection::load(ctx, list, self.0.organization.id, args, Workspace).await
    }

    /// Invitations to the organization alone, newest first. Requires ORGANIZATION_MANAGE_MEMBERS;
    /// otherwise `null` with the error FORBIDDEN.
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
            let needed = access::Permission::OrganizationManageMembers;
            if !self.0.role.may(needed) {
                return Err(Error::forbidden(needed.as_str()).into());
            }
            let list = OrganizationInvitations {
                status: status.map(Into::into),
                now: ctx.now(),
            };
            let args = PageArgs::new(first, after, last, before);
            Connection::load(ctx, list, self.0.organization.id, args, Invitation)
                .await
                .map(Some)
        };
        nullable::<_, async_graphql::Error>(invitations.await)
    }

    /// Events in the organization and its workspaces, newest first. For owners and admins;
    /// otherwise `null` with the error FORBIDDEN.
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
            if !self.0.role.is_admin() {
                return Err(Error::forbidden("being an OWNER or ADMIN of the organization").into());
            }
            let list = OrganizationEvents { kinds: kinds(only) };
            let args = PageArgs::new(first, after, last, before);
            Connection::load(ctx, list, self.0.organization.id, args, Event)
                .await
                .map(Some)
        };
        nullable::<_, async_graphql::Error>(events.await)
    }
}

/// What the viewer may do in an organization.
pub struct OrganizationAccess(Arc<VisibleOrganization>);

/// What the viewer may do in an organization.
#[Object]
impl OrganizationAccess {
    /// The organization.
    fn organization(&self) -> One<Organization> {
        One(Organization(self.0.clone()))
    }

    /// The viewer's role in the organization.
    fn role(&self) -> OrganizationRole {
        self.0.role.into()
    }

    /// Whether the role is OWNER or ADMIN.
    fn is_admin(&self) -> bool {
        self.0.role.is_admin()
    }

    /// Whether the role is OWNER or BILLING_ADMIN.
    fn can_manage_billing(&self) -> bool {
        self.0
            .role
            .may(access::Permission::OrganizationManageBilling)
    }

    /// What the role allows in the organization.
    fn permissions(&self) -> Vec<Permission> {
        permissions(self.0.role.permissions())
    }
}

/// What to find an organization by: exactly one of these.
#[derive(OneofObject)]
#[graphql(name = "OrganizationBy")]
pub enum OrganizationByInput {
    /// The organization's id.
    Id(RawId),
    /// The organization's slug, or a former one that no other organization has taken.
    Slug(String),
    /// The id of the WorkOS organization it is linked to.
    WorkosOrganizationId(String),
}

/// Queries about organizations.
#[derive(Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// Organizations that the viewer belongs to, by name.
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<Organization>> {
        let args = PageArgs::new(first, after, last, before);
        Connection::of_viewer(ctx, OrganizationList, args, Organization::from).await
    }

    /// An organization; `null` if it does not exist or the viewer may not see it, which is not an
    /// error.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The id or the slug of the organization, or the id of its WorkOS organization."
        )]
        by: OrganizationByInput,
    ) -> Nullable<Organization> {
        let found = async {
            let viewer = ctx.viewer_id()?;
            let by = match by {
                OrganizationByInput::Id(id) => OrganizationBy::Id(id.only("by.id")?),
                OrganizationByInput::Slug(slug) => OrganizationBy::Slug(normal_slug(&slug)),
                OrganizationByInput::WorkosOrganizationId(id) => {
                    // PostgreSQL does not accept this character, and no id contains it.
                    OrganizationBy::WorkosId(id.replace('\0', " "))
                }
            };
            organization::find(&mut ctx.app().db.read().await?, viewer, &by).await
        };
        nullable(found.await.map(|found| found.map(Organization::from)))
    }

    /// What the viewer may do in an organization; `null` if they are not a member.
    async fn organization_access(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization to return the viewer's access to.")]
        organization_id: RawId,
    ) -> Nullable<OrganizationAccess> {
        let found = async {
            let viewer = ctx.viewer_id()?;
            let by = OrganizationBy::Id(organization_id.only("organizationId")?);
            organization::find(&mut ctx.app().db.read().await?, viewer, &by).await
        };
        let found = found.await.map(|found| found.map(Arc::new));
        nullable(found.map(|found| found.map(OrganizationAccess)))
    }
}

/// Normalizes a slug for lookup. The result for a slug that no object can have matches none.
pub fn normal_slug(slug: &str) -> String {
    slug.trim().to_lowercase().replace('\0', " ")
}
