//! Who belongs to a workspace.

use diesel::dsl::count_star;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_source::AliasedField;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use serde_json::json;

use crate::access::WorkspaceRole;
use crate::access::visible::{may_see, workspaces_of_viewer};
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, each_parent};
use crate::error::Result;
use crate::id::{OrganizationId, UserId, WorkspaceId, WorkspaceMemberId, kind};
use crate::models::event::{EventKind, NewEvent};
use crate::models::user::User;
use crate::run;
use crate::schema::{users, workspace_members, workspaces};

/// A membership of a workspace.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = workspace_members, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct WorkspaceMember {
    /// The membership's id.
    pub id: WorkspaceMemberId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// The workspace's organization, whose member they are as well.
    pub organization_id: OrganizationId,
    /// The member.
    pub user_id: UserId,
    /// The member's role in the workspace.
    pub role: WorkspaceRole,
    /// When the membership began.
    pub created_at: Instant,
}

impl WorkspaceMember {
    /// Returns the event for a change of this membership. If the membership has ended, the subject is
    /// the person, because the membership is gone.
    pub(in crate::models) fn event(&self, kind: EventKind) -> NewEvent {
        let subject = match kind {
            EventKind::WorkspaceMemberRemoved => self.user_id.into(),
            _ => self.id.into(),
        };
        NewEvent {
            kind,
            organization: self.organization_id,
            workspace: Some(self.workspace_id),
            subject,
            data: json!({ "userId": self.user_id, "role": self.role.as_str() }),
        }
    }
}

/// Adds a member of the organization, who is not yet one of the workspace, to the workspace.
///
/// # Errors
/// Database errors only.
pub async fn add_member(
    tx: &mut Transaction,
    organization_id: OrganizationId,
    workspace_id: WorkspaceId,
    user_id: UserId,
    role: WorkspaceRole,
    now: Instant,
) -> Result<WorkspaceMember> {
    let id = WorkspaceMemberId::new(now.to_utc());
    let created_at = now;
    let member = WorkspaceMember {
        id,
        workspace_id,
        organization_id,
        user_id,
        role,
        created_at,
    };
    run!(
        tx,
        diesel::insert_into(workspace_members::table)
            .values(&member)
            .execute(tx)
            .await
    )?;
    Ok(member)
}

/// Returns the person's membership of the workspace, if any.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn membership(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<WorkspaceMember>> {
    Ok(run!(
        tx,
        workspace_members::table
            .filter(workspace_members::workspace_id.eq(workspace))
            .filter(workspace_members::user_id.eq(user))
            .select(WorkspaceMember::as_select())
            .first(tx)
            .await
            .optional()
    )?)
}

// The viewer's own membership is joined as `workspace_members`, so the listed ones need another name.
diesel::alias!(const LISTED: Alias<Listed> = workspace_members as listed);

/// The memberships of the workspaces that the viewer may see, each with its user.
#[diesel::dsl::auto_type]
fn memberships(viewer: UserId) -> _ {
    let workspace_id: AliasedField<Listed, workspace_members::workspace_id> =
        LISTED.field(workspace_members::workspace_id);
    let user_id: AliasedField<Listed, workspace_members::user_id> =
        LISTED.field(workspace_members::user_id);
    let seen: workspaces_of_viewer = workspaces_of_viewer(viewer);
    seen.inner_join(LISTED.on(workspace_id.eq(workspaces::id)))
        .inner_join(users::table.on(users::id.eq(user_id)))
}

/// Returns the given memberships whose workspace the viewer may see, each with its user.
///
/// # Errors
/// Database errors only.
pub async fn visible_members(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[WorkspaceMemberId],
) -> Result<Vec<(WorkspaceMember, User)>> {
    Ok(run!(
        conn,
        memberships(viewer)
            .filter(LISTED.field(workspace_members::id).eq_any(ids))
            .filter(workspaces::deleted_at.is_null().and(may_see()))
            .select((
                LISTED.fields(workspace_members::all_columns),
                User::as_select()
            ))
            .load(conn)
            .await
    )?)
}

/// The members of a workspace, in the order in which they joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberList {
    /// Only members with this role.
    pub role: Option<WorkspaceRole>,
}

impl List for MemberList {
    type Parent = kind::Workspace;
    type Row = (WorkspaceMember, User);

    fn name(&self) -> String {
        "members".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Ascending
    }

    fn position(&self, (member, _): &Self::Row) -> Position {
        Position::by_id(member.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
        window: &Window,
    ) -> Result<Children<kind::Workspace, Self::Row>> {
        let found: Vec<Self::Row> = run!(
            conn,
            each_parent(parents, |parent| {
                let mut query = memberships(viewer)
                    .filter(workspaces::id.eq(parent).and(may_see()))
                    .filter(by_id(LISTED.field(workspace_members::id), window))
                    .into_boxed();
                if let Some(role) = self.role {
                    query = query.filter(LISTED.field(workspace_members::role).eq(role));
                }
                query
                    .order_by(ordered(
                        LISTED.field(workspace_members::id),
                        window.direction,
                    ))
                    .limit(window.limit)
                    .select((
                        LISTED.fields(workspace_members::all_columns),
                        User::as_select(),
                    ))
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|row| (row.0.workspace_id, row))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
    ) -> Result<Vec<(WorkspaceId, i64)>> {
        Ok(run!(conn, {
            let mut query = memberships(viewer)
                .filter(workspaces::id.eq_any(parents).and(may_see()))
                .group_by(workspaces::id)
                .select((workspaces::id, count_star()))
                .into_boxed();
            if let Some(role) = self.role {
                query = query.filter(LISTED.field(workspace_members::role).eq(role));
            }
            query.load(conn).await
        })?)
    }
}
