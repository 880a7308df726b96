//! Organizations, which people and workspaces belong to.

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
    /// The name, 2 to 80 characters.
    pub name: String,
    /// The name, folded, for ordering.
    pub name_key: String,
    /// The slug, unique on the platform.
    pub slug: String,
    /// Whether it was created for someone who created a workspace without naming an organization.
    pub is_personal: bool,
    /// The WorkOS organization that it is linked to.
    pub workos_organization_id: Option<String>,
    /// The key of its plan.
    pub plan_key: String,
    /// Who created it; `None` once they have deleted their account.
    pub created_by: Option<UserId>,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// When it was deleted; the row then only waits to be purged.
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

/// The ways to look up an organization.
#[derive(Clone, Debug)]
pub enum OrganizationBy {
    /// By its id.
    Id(OrganizationId),
    /// By its slug, or a former one.
    Slug(String),
    /// By the id of the WorkOS organization that it is linked to.
    WorkosId(String),
}

/// Returns the organization, if there is one and the viewer belongs to it.
///
/// # Errors
/// Database errors only.
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

/// Returns the given organizations that the viewer belongs to.
///
/// # Errors
/// Database errors only.
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

/// Locks the row of the workspace's organization until the transaction ends. Whatever changes the owners
/// of a workspace does so before it locks the workspace, so that nobody becomes an owner while they are
/// leaving the organization.
///
/// # Errors
/// Database errors only.
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

/// Returns the key of the organization's plan.
///
/// # Errors
/// Database errors only, including that there is no such organization.
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
