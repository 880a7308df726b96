//! Invitations: offers of membership, sent to an email address. Only people with that address verified
//! can accept them.

mod answer;
mod grant;
mod invite;
mod letter;
mod list;
mod manage;
mod offer;
mod people;
mod place;
mod revoke;

use std::collections::HashSet;

use diesel::dsl;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;

pub use answer::{Accepted, accept, decline};
pub use invite::{Added, add_workspace_member, invite_organization_member};
pub use list::{OrganizationInvitations, WorkspaceInvitations};
pub use manage::{resend, revoke};
pub(in crate::models) use revoke::{
    decline_all, revoke_of_inviter, revoke_of_organizations, revoke_of_workspace, revoke_unrightful,
};

use crate::access::{OrganizationRole, WorkspaceRole};
use crate::db::Connection;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{InvitationId, OrganizationId, UserId, WorkspaceId};
use crate::run;
use crate::schema::{
    invitations, organization_members, organizations, users, workspace_members, workspaces,
};
use crate::text_enum;

text_enum! {
    /// The state of an invitation.
    pub enum InvitationStatus {
        /// It can be accepted, unless it has expired.
        Pending = "PENDING",
        /// The person invited has accepted it.
        Accepted = "ACCEPTED",
        /// The person invited has declined it.
        Declined = "DECLINED",
        /// It was revoked.
        Revoked = "REVOKED",
        /// It was not answered in time.
        Expired = "EXPIRED",
    }
}

/// An invitation.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = invitations, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Invitation {
    /// The invitation's id.
    pub id: InvitationId,
    /// The organization it invites to.
    pub organization_id: OrganizationId,
    /// The workspace it invites to; `None` if it is to the organization alone.
    pub workspace_id: Option<WorkspaceId>,
    /// The address of the person invited, trimmed and in lower case, its domain in ASCII.
    pub email: String,
    /// The person's role in the organization, if they are not a member yet.
    pub organization_role: OrganizationRole,
    /// The person's role in the workspace.
    pub workspace_role: Option<WorkspaceRole>,
    /// The stored status. See [`Invitation::status_at`] for the status at a given time.
    pub status: InvitationStatus,
    /// Who last invited the person; `None` once they have deleted their account.
    pub invited_by: Option<UserId>,
    /// When it expires.
    pub expires_at: Instant,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Invitation {
    /// Returns the status at `now`. Invitations expire by the clock, so that no job has to run for it.
    pub fn status_at(&self, now: Instant) -> InvitationStatus {
        match self.status {
            InvitationStatus::Pending if self.expires_at <= now => InvitationStatus::Expired,
            status => status,
        }
    }

    /// Returns whether it can still be accepted at `now`.
    pub fn is_pending_at(&self, now: Instant) -> bool {
        self.status_at(now) == InvitationStatus::Pending
    }
}

/// An invitation with the names of its organization and workspace, which the person invited may read
/// before they can see either.
#[derive(Clone, Debug)]
pub struct NamedInvitation {
    /// The invitation.
    pub invitation: Invitation,
    /// The organization's name.
    pub organization_name: String,
    /// The workspace's name, if the invitation is to one.
    pub workspace_name: Option<String>,
}

type Row = (Invitation, String, Option<String>);

impl From<Row> for NamedInvitation {
    fn from((invitation, organization_name, workspace_name): Row) -> Self {
        Self {
            invitation,
            organization_name,
            workspace_name,
        }
    }
}

/// Whether an invitation can still be accepted at `now`: [`Invitation::is_pending_at`] in SQL.
#[dsl::auto_type]
pub(in crate::models) fn is_pending(now: Instant) -> _ {
    let unanswered: dsl::Eq<invitations::status, InvitationStatus> =
        invitations::status.eq(InvitationStatus::Pending);
    let in_time: dsl::Gt<invitations::expires_at, Instant> = invitations::expires_at.gt(now);
    unanswered.and(in_time)
}

/// Every invitation with its organization and workspace, the viewer, and the viewer's memberships there,
/// if any. Includes invitations that are hidden from the viewer: filter by [`is_invited`] or
/// [`manages`].
#[dsl::auto_type]
fn invitations_before(viewer: UserId) -> _ {
    let is_viewer: dsl::Eq<users::id, UserId> = users::id.eq(viewer);
    let in_organization: dsl::Eq<organization_members::user_id, UserId> =
        organization_members::user_id.eq(viewer);
    let in_workspace: dsl::Eq<workspace_members::user_id, UserId> =
        workspace_members::user_id.eq(viewer);
    invitations::table
        .inner_join(organizations::table.on(organizations::id.eq(invitations::organization_id)))
        .inner_join(users::table.on(is_viewer))
        .left_join(workspaces::table.on(workspaces::id.nullable().eq(invitations::workspace_id)))
        .left_join(
            organization_members::table.on(organization_members::organization_id
                .eq(invitations::organization_id)
                .and(in_organization)),
        )
        .left_join(
            workspace_members::table.on(workspace_members::workspace_id
                .nullable()
                .eq(invitations::workspace_id)
                .and(in_workspace)),
        )
}

/// Whether the viewer is the person invited: the invitation is to their verified address.
#[dsl::auto_type]
fn is_invited() -> _ {
    users::email_verified.and(users::email.eq(invitations::email))
}

/// Whether the viewer may manage the invitation, in SQL: `ORGANIZATION_MANAGE_MEMBERS`, or
/// `WORKSPACE_MANAGE` in its workspace. Once the workspace is deleted, only its owners may.
#[dsl::auto_type]
fn manages() -> _ {
    let administers: AnyOf<organization_members::role, OrganizationRole, 2> =
        organization_members::role
            .nullable()
            .eq_any([OrganizationRole::Owner, OrganizationRole::Admin]);
    let manages: AnyOf<workspace_members::role, WorkspaceRole, 2> = workspace_members::role
        .nullable()
        .eq_any([WorkspaceRole::Owner, WorkspaceRole::Admin]);
    let owns_all: AnyOf<organization_members::role, OrganizationRole, 1> =
        organization_members::role
            .nullable()
            .eq_any([OrganizationRole::Owner]);
    let owns: AnyOf<workspace_members::role, WorkspaceRole, 1> = workspace_members::role
        .nullable()
        .eq_any([WorkspaceRole::Owner]);
    let live: dsl::IsNull<dsl::Nullable<workspaces::deleted_at>> =
        workspaces::deleted_at.nullable().is_null();
    administers.or(manages).and(live.or(owns_all).or(owns))
}

type AnyOf<C, R, const N: usize> = dsl::EqAny<dsl::Nullable<C>, [R; N]>;

/// Returns the given invitations that the viewer may see: those to their verified address, and those
/// that they may manage.
///
/// # Errors
/// Database errors only.
pub async fn visible(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[InvitationId],
) -> Result<Vec<NamedInvitation>> {
    read(conn, viewer, ids, true).await
}

/// Like [`visible`], but without those to deleted workspaces, which can only be listed.
///
/// # Errors
/// Database errors only.
pub async fn visible_to_live(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[InvitationId],
) -> Result<Vec<NamedInvitation>> {
    read(conn, viewer, ids, false).await
}

async fn read(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[InvitationId],
    with_deleted: bool,
) -> Result<Vec<NamedInvitation>> {
    let found: Vec<Row> = run!(conn, {
        let mut query = invitations_before(viewer)
            .filter(invitations::id.eq_any(ids))
            .filter(manages().or(is_invited().nullable()))
            .into_boxed();
        if !with_deleted {
            query = query.filter(workspaces::deleted_at.nullable().is_null());
        }
        query
            .select((
                Invitation::as_select(),
                organizations::name,
                workspaces::name.nullable(),
            ))
            .load(conn)
            .await
    })?;
    Ok(found.into_iter().map(NamedInvitation::from).collect())
}

/// Returns the given invitations that cannot be accepted any more.
///
/// # Errors
/// Database errors only.
pub async fn over(
    conn: &mut Connection,
    ids: &[InvitationId],
    now: Instant,
) -> Result<HashSet<InvitationId>> {
    let found: Vec<InvitationId> = run!(
        conn,
        invitations::table
            .filter(invitations::id.eq_any(ids))
            .filter(dsl::not(is_pending(now)))
            .select(invitations::id)
            .load(conn)
            .await
    )?;
    Ok(found.into_iter().collect())
}

/// Returns the invitations that the viewer can answer, newest first; at most `limit`.
///
/// # Errors
/// Database errors only.
pub async fn answerable(
    conn: &mut Connection,
    viewer: UserId,
    now: Instant,
    limit: i64,
) -> Result<Vec<NamedInvitation>> {
    let found: Vec<Row> = run!(
        conn,
        invitations_before(viewer)
            .filter(is_invited().and(is_pending(now)))
            .filter(
                organizations::deleted_at
                    .is_null()
                    .and(workspaces::deleted_at.nullable().is_null())
            )
            .order_by(invitations::id.desc())
            .limit(limit)
            .select((
                Invitation::as_select(),
                organizations::name,
                workspaces::name.nullable()
            ))
            .load(conn)
            .await
    )?;
    Ok(found.into_iter().map(NamedInvitation::from).collect())
}
