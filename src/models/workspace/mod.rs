//! Workspaces: isolated environments inside an organization.

mod create;
mod delete;
mod list;
mod member;
mod member_change;
mod providers;
mod update;

use std::sync::Arc;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;

pub use create::{Created, NewWorkspace, Place, create};
pub use delete::{delete, restore};
pub use list::{OrderField, WorkspaceList, WorkspacesOfOrganization};
pub(in crate::models) use member::membership;
pub use member::{MemberList, WorkspaceMember, add_member, visible_members};
pub(in crate::models) use member_change::set_role;
pub use member_change::{Removed, leave, remove_member, transfer, update_member};
pub use providers::set_providers;
pub use update::{WorkspaceChanges, update};

use crate::access::visible::{may_see, may_see_or_restore, workspaces_of_viewer};
use crate::access::{OrganizationRole, WorkspaceRole};
use crate::db::Connection;
use crate::db::types::{Instant, Json, JsonList};
use crate::error::Result;
use crate::files::Format;
use crate::id::{FileId, OrganizationId, UserId, WorkspaceId};
use crate::models::file::Icon;
use crate::models::organization::{Organization, VisibleOrganization};
use crate::models::provider::Provider;
use crate::models::values::fold::fold;
use crate::run;
use crate::schema::{organization_members, workspace_members, workspace_slugs, workspaces};
use crate::text_enum;

text_enum! {
    /// Who in the organization sees a workspace.
    pub enum Visibility {
        /// Members only, and the organization's owners and admins.
        Private = "PRIVATE",
        /// Every member of the organization, with the role MEMBER here.
        Organization = "ORGANIZATION",
    }
}

/// A workspace.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = workspaces, check_for_backend(Pg, Sqlite))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Workspace {
    /// The workspace's id.
    pub id: WorkspaceId,
    /// The organization it belongs to, for good.
    pub organization_id: OrganizationId,
    /// The name, 2 to 80 characters.
    pub name: String,
    /// The name, folded, for ordering.
    pub name_key: String,
    /// The name and the slug, folded, for searching.
    pub search_key: String,
    /// The slug, unique among live workspaces.
    pub slug: String,
    /// The description, up to 2,000 characters.
    pub description: Option<String>,
    /// The domain whose mentions are tracked.
    pub domain: Option<String>,
    /// Who in the organization sees it.
    pub visibility: Visibility,
    /// Free-form preferences, always an object.
    pub settings: Json,
    /// Free-form state of the onboarding flow, always an object.
    pub onboarding: Json,
    /// When the onboarding was completed.
    pub onboarding_completed_at: Option<Instant>,
    /// When its trial ends, if its plan has one.
    pub trial_ends_at: Option<Instant>,
    /// Who created it; `None` once they have deleted their account.
    pub created_by: Option<UserId>,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// When it was deleted.
    pub deleted_at: Option<Instant>,
    /// When it is due to be purged.
    pub purge_at: Option<Instant>,
    /// The AI providers that prompts are sent to; all of them if `None`.
    pub enabled_providers: Option<JsonList<Provider>>,
    /// When a run last finished.
    pub last_run_at: Option<Instant>,
    /// The file that is its icon.
    pub icon_id: Option<FileId>,
    /// That file's format.
    pub icon_format: Option<Format>,
}

impl Workspace {
    /// Returns whether it can no longer be restored. What is left of it waits to be purged, and nobody
    /// sees any of it.
    pub fn is_gone(&self, now: Instant) -> bool {
        self.purge_at.is_some_and(|purge_at| purge_at <= now)
    }

    /// Returns its icon, if it has one.
    pub fn icon(&self) -> Option<Icon> {
        let both = self.icon_id.zip(self.icon_format);
        both.map(|(id, format)| Icon { id, format })
    }

    fn set_icon(&mut self, icon: Option<Icon>) {
        self.icon_id = icon.map(|icon| icon.id);
        self.icon_format = icon.map(|icon| icon.format);
    }

    /// Updates the keys for ordering and searching from the name and the slug.
    fn set_keys(&mut self) {
        self.name_key = fold(&self.name);
        self.search_key = format!("{}\n{}", self.name_key, self.slug);
    }
}

/// A workspace, with what determines the viewer's role in it.
#[derive(Clone, Debug)]
pub struct VisibleWorkspace {
    /// The workspace.
    pub workspace: Workspace,
    /// The viewer's role in its organization.
    pub organization_role: OrganizationRole,
    /// The role of the viewer's own membership, if they have one.
    pub membership_role: Option<WorkspaceRole>,
    /// Its organization, if read along with it.
    pub organization: Option<Arc<VisibleOrganization>>,
}

impl VisibleWorkspace {
    /// Returns the viewer's role, if they have one.
    pub fn role(&self) -> Option<WorkspaceRole> {
        let Self {
            workspace,
            organization_role,
            membership_role,
            organization: _,
        } = self;
        WorkspaceRole::effective(*membership_role, *organization_role, workspace.visibility)
    }
}

type Row = (Workspace, OrganizationRole, Option<WorkspaceRole>);

impl From<Row> for VisibleWorkspace {
    fn from((workspace, organization_role, membership_role): Row) -> Self {
        Self {
            workspace,
            organization_role,
            membership_role,
            organization: None,
        }
    }
}

type RowAndOrganization = (
    Workspace,
    OrganizationRole,
    Option<WorkspaceRole>,
    Organization,
);

impl From<RowAndOrganization> for VisibleWorkspace {
    fn from((workspace, role, membership_role, organization): RowAndOrganization) -> Self {
        let organization = VisibleOrganization { organization, role };
        Self {
            workspace,
            organization_role: role,
            membership_role,
            organization: Some(Arc::new(organization)),
        }
    }
}

/// Returns the given workspaces that the viewer may see; deleted ones only if they may restore them now.
///
/// # Errors
/// Database errors only.
pub async fn visible(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[WorkspaceId],
    now: Instant,
) -> Result<Vec<VisibleWorkspace>> {
    let found: Vec<Row> = run!(
        conn,
        workspaces_of_viewer(viewer)
            .filter(workspaces::id.eq_any(ids).and(may_see_or_restore(now)))
            .select((
                Workspace::as_select(),
                organization_members::role,
                workspace_members::role.nullable()
            ))
            .load(conn)
            .await
    )?;
    Ok(found.into_iter().map(VisibleWorkspace::from).collect())
}

/// Like [`visible`], but returns only the ids, for callers that do not need the rows.
///
/// # Errors
/// Database errors only.
pub async fn visible_ids(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[WorkspaceId],
    now: Instant,
) -> Result<Vec<WorkspaceId>> {
    Ok(run!(
        conn,
        workspaces_of_viewer(viewer)
            .filter(workspaces::id.eq_any(ids).and(may_see_or_restore(now)))
            .select(workspaces::id)
            .load(conn)
            .await
    )?)
}

/// Returns the live workspace that has or last had this slug, if the viewer may see it.
///
/// # Errors
/// Database errors only.
pub async fn by_slug(
    conn: &mut Connection,
    viewer: UserId,
    slug: &str,
) -> Result<Option<VisibleWorkspace>> {
    let owner = workspace_slugs::table
        .find(slug)
        .select(workspace_slugs::workspace_id);
    let found: Option<Row> = run!(
        conn,
        workspaces_of_viewer(viewer)
            .filter(workspaces::id.eq_any(owner))
            .filter(workspaces::deleted_at.is_null().and(may_see()))
            .select((
                Workspace::as_select(),
                organization_members::role,
                workspace_members::role.nullable()
            ))
            .first(conn)
            .await
            .optional()
    )?;
    Ok(found.map(VisibleWorkspace::from))
}
