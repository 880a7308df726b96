//! What a viewer may see: every query that crosses tenants starts here.

use diesel::dsl;
use diesel::prelude::*;

use super::role::{OrganizationRole, WorkspaceRole};
use crate::db::types::Instant;
use crate::id::UserId;
use crate::models::workspace::Visibility;
use crate::schema::{organization_members, organizations, workspace_members, workspaces};

/// The live organizations that the viewer belongs to, each with their membership.
#[dsl::auto_type]
pub fn visible_organizations(viewer: UserId) -> _ {
    let theirs: dsl::Eq<organization_members::user_id, UserId> =
        organization_members::user_id.eq(viewer);
    organizations::table
        .inner_join(
            organization_members::table.on(organization_members::organization_id
                .eq(organizations::id)
                .and(theirs)),
        )
        .filter(organizations::deleted_at.is_null())
}

/// The workspaces, live and deleted, of the organizations that the viewer belongs to, each with the
/// viewer's membership of the organization and, if there is one, of the workspace. Those organizations
/// are live, because deleting one ends all its memberships. The workspaces include some that are hidden
/// from the viewer: combine this with [`may_see`].
#[dsl::auto_type]
pub fn workspaces_of_viewer(viewer: UserId) -> _ {
    let in_organization: dsl::Eq<organization_members::user_id, UserId> =
        organization_members::user_id.eq(viewer);
    let in_workspace: dsl::Eq<workspace_members::user_id, UserId> =
        workspace_members::user_id.eq(viewer);
    workspaces::table
        .inner_join(
            organization_members::table.on(organization_members::organization_id
                .eq(workspaces::organization_id)
                .and(in_organization)),
        )
        .left_join(
            workspace_members::table.on(workspace_members::workspace_id
                .eq(workspaces::id)
                .and(in_workspace)),
        )
}

/// Like [`workspaces_of_viewer`], each workspace with its organization.
#[dsl::auto_type]
pub fn workspaces_and_organizations_of_viewer(viewer: UserId) -> _ {
    let of_workspace: dsl::Eq<organizations::id, workspaces::organization_id> =
        organizations::id.eq(workspaces::organization_id);
    let all: workspaces_of_viewer = workspaces_of_viewer(viewer);
    all.inner_join(organizations::table.on(of_workspace))
}

/// Whether the viewer has a role in the workspace: [`WorkspaceRole::effective`] in SQL.
///
/// [`WorkspaceRole::effective`]: super::WorkspaceRole::effective
#[dsl::auto_type]
pub fn may_see() -> _ {
    let open: dsl::Eq<workspaces::visibility, Visibility> =
        workspaces::visibility.eq(Visibility::Organization);
    let owner: dsl::Eq<organization_members::role, OrganizationRole> =
        organization_members::role.eq(OrganizationRole::Owner);
    let admin: dsl::Eq<organization_members::role, OrganizationRole> =
        organization_members::role.eq(OrganizationRole::Admin);
    let member: dsl::Eq<organization_members::role, OrganizationRole> =
        organization_members::role.eq(OrganizationRole::Member);
    workspace_members::id
        .nullable()
        .is_not_null()
        .or(owner)
        .or(admin)
        .or(member.and(open))
}

/// Whether the viewer may restore the workspace at `now`.
#[dsl::auto_type]
pub fn may_restore(now: Instant) -> _ {
    let restorable: dsl::Gt<dsl::AssumeNotNull<workspaces::purge_at>, Instant> =
        workspaces::purge_at.assume_not_null().gt(now);
    restorable.and(may_own())
}

/// Whether the viewer may see the workspace at `now`, live or deleted: only those who may restore a
/// deleted workspace see it.
#[dsl::auto_type]
pub fn may_see_or_restore(now: Instant) -> _ {
    let restore: may_restore = may_restore(now);
    workspaces::deleted_at.is_null().and(may_see()).or(restore)
}

/// Whether the viewer may manage the workspace: `WORKSPACE_MANAGE` in SQL.
#[dsl::auto_type]
pub fn may_manage() -> _ {
    let organization: dsl::EqAny<organization_members::role, [OrganizationRole; 2]> =
        organization_members::role.eq_any([OrganizationRole::Owner, OrganizationRole::Admin]);
    let workspace: dsl::EqAny<workspace_members::role, [WorkspaceRole; 2]> =
        workspace_members::role.eq_any([WorkspaceRole::Owner, WorkspaceRole::Admin]);
    organization.or(workspace_members::id
        .nullable()
        .is_not_null()
        .and(workspace))
}

/// Whether the viewer is an owner or admin of the organization, who alone may see its events.
#[dsl::auto_type]
pub fn may_administer() -> _ {
    let admins: dsl::EqAny<organization_members::role, [OrganizationRole; 2]> =
        organization_members::role.eq_any([OrganizationRole::Owner, OrganizationRole::Admin]);
    admins
}

/// Whether the viewer owns the workspace: `WORKSPACE_OWN` in SQL.
#[dsl::auto_type]
pub fn may_own() -> _ {
    let organization: dsl::Eq<organization_members::role, OrganizationRole> =
        organization_members::role.eq(OrganizationRole::Owner);
    let workspace: dsl::Eq<workspace_members::role, WorkspaceRole> =
        workspace_members::role.eq(WorkspaceRole::Owner);
    organization.or(workspace_members::id
        .nullable()
        .is_not_null()
        .and(workspace))
}
