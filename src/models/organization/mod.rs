//! Organizations: what people belong to and workspaces hang off.

mod create;
mod list;
mod member;
mod member_change;
mod plan;
mod succession;
mod update;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;

pub use create::{NewOrganization, create};
pub(in crate::models) use create::{create_in, find_personal, personal};
pub use list::OrganizationList;
pub(in crate::models) use member::membership;
pub use member::{MemberList, OrganizationMember, add_member, visible_members};
pub(in crate::models) use member_change::set_role;
pub use member_change::{leave, remove_member, transfer, update_member};
pub use plan::set_plan;
pub(in crate::models) use succession::pass_workspaces;
pub(in crate::models) use update::delete_all;
pub use update::{OrganizationChanges, delete, link_workos, update};

use crate::access::OrganizationRole;
use crate::access::visible::visible_organizations;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock};
use crate::error::Result;
use crate::id::{OrganizationId, UserId, WorkspaceId};
use crate::run;
use crate::schema::{organization_members, organization_slugs, organizations, workspaces};

/// An organization.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = organizations, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Organization {
    /// The organization's id.
    pub id: OrganizationId,
    /// 2 to 80 characters.
    pub name: String,
    /// The name, folded, for ordering.
    pub name_key: String,
    /// Unique on the platform.
    pub slug: String,
    /// Whether it was made for someone who created a workspace without naming one.
    pub is_personal: bool,
    /// The organization at WorkOS that it was linked to.
    pub workos_organization_id: Option<String>,
    /// The plan that it is on.
    pub plan_key: String,
    /// Who made it; nobody where they deleted their account.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
    /// When it was deleted; then it is only there to be purged.
    pub deleted_at: Option<Instant>,
}

/// An organization that the viewer belongs to.
#[derive(Clone, Debug)]
pub struct VisibleOrganization {
    /// The organization.
    pub organization: Organization,
    /// The viewer's role in it.
    pub role: OrganizationRole,
}

impl From<(Organization, OrganizationRole)> for VisibleOrganization {
    fn from((organization, role): (Organization, OrganizationRole)) -> Self {
        Self { organization, role }
    }
}

/// What an organization is found by.
#[derive(Clone, Debug)]
pub enum OrganizationBy {
    /// Its id.
    Id(OrganizationId),
    /// Its slug, or a former one.
    Slug(String),
    /// The id of the organization at WorkOS that it was linked to.
    WorkosId(String),
}

/// The organization, if there is one and the viewer belongs to it.
///
/// # Errors
/// Only those of the database.
pub async fn find(
    conn: &mut Connection,
    viewer: UserId,
    by: &OrganizationBy,
) -> Result<Option<VisibleOrganization>> {
    let visible = || visible_organizations(viewer);
    let found: Option<(Organization, OrganizationRole)> = match by {
        OrganizationBy::Id(id) => run!(
            conn,
            visible()
                .filter(organizations::id.eq(id))
                .select((Organization::as_select(), organization_members::role))
                .first(conn)
                .await
                .optional()
        )?,
        OrganizationBy::Slug(slug) => run!(conn, {
            let owner = organization_slugs::table
                .find(slug)
                .select(organization_slugs::organization_id);
            visible()
                .filter(organizations::id.eq_any(owner))
                .select((Organization::as_select(), organization_members::role))
                .first(conn)
                .await
                .optional()
        })?,
        OrganizationBy::WorkosId(id) => run!(
            conn,
            visible()
                .filter(organizations::workos_organization_id.eq(id))
                .select((Organization::as_select(), organization_members::role))
                .first(conn)
                .await
                .optional()
        )?,
    };
    Ok(found.map(VisibleOrganization::from))
}

/// Those of the organizations that the viewer belongs to.
///
/// # Errors
/// Only those of the database.
pub async fn visible(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[OrganizationId],
) -> Result<Vec<VisibleOrganization>> {
    let found: Vec<(Organization, OrganizationRole)> = run!(
        conn,
        visible_organizations(viewer)
            .filter(organizations::id.eq_any(ids))
            .select((Organization::as_select(), organization_members::role))
            .load(conn)
            .await
    )?;
    Ok(found.into_iter().map(VisibleOrganization::from).collect())
}

/// Locks the row of the workspace's organization until the transaction ends. Whatever changes who
/// owns a workspace does so before it locks the workspace, so that nobody becomes an owner while they
/// are leaving the organization.
///
/// # Errors
/// Only those of the database.
pub(in crate::models) async fn lock_of_workspace(
    tx: &mut Transaction,
    workspace: WorkspaceId,
) -> Result<()> {
    run!(tx, {
        let of_workspace = workspaces::table
            .find(workspace)
            .select(workspaces::organization_id);
        let row = organizations::table
            .filter(organizations::id.eq_any(of_workspace))
            .select(organizations::id);
        lock(row).get_result::<OrganizationId>(tx).await.optional()
    })?;
    Ok(())
}

/// The plan that the organization is on.
///
/// # Errors
/// Only those of the database, which has no such organization as well.
pub(in crate::models) async fn plan_key(
    conn: &mut Connection,
    id: OrganizationId,
) -> Result<String> {
    Ok(run!(
        conn,
        organizations::table
            .find(id)
            .select(organizations::plan_key)
            .first(conn)
            .await
    )?)
}
