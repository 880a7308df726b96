//! Lists of the invitations to an organization and to a workspace.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    Invitation, InvitationStatus, NamedInvitation, Row, invitations_before, is_pending, manages,
};
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::types::Instant;
use crate::db::{Connection, each_parent};
use crate::error::Result;
use crate::id::{OrganizationId, UserId, WorkspaceId, kind};
use crate::run;
use crate::schema::{invitations, organizations, workspaces};

/// Filters a boxed query by the status that invitations have at the given time.
macro_rules! only {
    ($query:ident, $status:expr, $now:expr) => {{
        let stored = invitations::status;
        match $status {
            None => $query,
            Some(InvitationStatus::Pending) => $query.filter(is_pending($now)),
            Some(InvitationStatus::Expired) => $query.filter(
                stored.eq(InvitationStatus::Expired).or(stored
                    .eq(InvitationStatus::Pending)
                    .and(invitations::expires_at.le($now))),
            ),
            Some(status) => $query.filter(stored.eq(status)),
        }
    }};
}

/// The invitations to an organization alone, newest first, for those who may manage its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationInvitations {
    /// Only invitations with this status.
    pub status: Option<InvitationStatus>,
    /// The time that the status is for.
    pub now: Instant,
}

impl List for OrganizationInvitations {
    type Parent = kind::Organization;
    type Row = NamedInvitation;

    fn name(&self) -> String {
        "invitations".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, row: &NamedInvitation) -> Position {
        Position::by_id(row.invitation.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
        window: &Window,
    ) -> Result<Children<kind::Organization, NamedInvitation>> {
        let found: Vec<Row> = run!(
            conn,
            each_parent(parents, |parent| {
                let query = invitations_before(viewer)
                    .filter(invitations::organization_id.eq(parent))
                    .filter(invitations::workspace_id.is_null().and(manages()))
                    .filter(by_id(invitations::id, window))
                    .into_boxed();
                only!(query, self.status, self.now)
                    .order_by(ordered(invitations::id, window.direction))
                    .limit(window.limit)
                    .select((
                        Invitation::as_select(),
                        organizations::name,
                        workspaces::name.nullable(),
                    ))
            })
            .load(conn)
            .await
        )?;
        let found = found.into_iter().map(NamedInvitation::from);
        Ok(found
            .map(|row| (row.invitation.organization_id, row))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
    ) -> Result<Vec<(OrganizationId, i64)>> {
        Ok(run!(conn, {
            let query = invitations_before(viewer)
                .filter(invitations::organization_id.eq_any(parents))
                .filter(invitations::workspace_id.is_null().and(manages()))
                .group_by(invitations::organization_id)
                .select((invitations::organization_id, count_star()))
                .into_boxed();
            only!(query, self.status, self.now).load(conn).await
        })?)
    }
}

/// The invitations to a workspace, newest first, for those who may manage it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceInvitations {
    /// Only invitations with this status.
    pub status: Option<InvitationStatus>,
    /// The time that the status is for.
    pub now: Instant,
}

impl List for WorkspaceInvitations {
    type Parent = kind::Workspace;
    type Row = NamedInvitation;

    fn name(&self) -> String {
        "invitations".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, row: &NamedInvitation) -> Position {
        Position::by_id(row.invitation.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
        window: &Window,
    ) -> Result<Children<kind::Workspace, NamedInvitation>> {
        let found: Vec<Row> = run!(
            conn,
            each_parent(parents, |parent| {
                let query = invitations_before(viewer)
                    .filter(invitations::workspace_id.assume_not_null().eq(parent))
                    .filter(manages())
                    .filter(by_id(invitations::id, window))
                    .into_boxed();
                only!(query, self.status, self.now)
                    .order_by(ordered(invitations::id, window.direction))
                    .limit(window.limit)
                    .select((
                        Invitation::as_select(),
                        organizations::name,
                        workspaces::name.nullable(),
                    ))
            })
            .load(conn)
            .await
        )?;
        let found = found.into_iter().map(NamedInvitation::from);
        Ok(found
            .filter_map(|row| Some((row.invitation.workspace_id?, row)))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
    ) -> Result<Vec<(WorkspaceId, i64)>> {
        let of = || invitations::workspace_id.assume_not_null();
        Ok(run!(conn, {
            let query = invitations_before(viewer)
                .filter(of().eq_any(parents))
                .filter(manages())
                .group_by(invitations::workspace_id)
                .select((of(), count_star()))
                .into_boxed();
            only!(query, self.status, self.now).load(conn).await
        })?)
    }
}
