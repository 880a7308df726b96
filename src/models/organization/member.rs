//! Who belongs to an organization.

use diesel::dsl::{count_star, exists};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use serde_json::json;

use crate::access::OrganizationRole;
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, each_parent};
use crate::error::Result;
use crate::id::{OrganizationId, OrganizationMemberId, UserId, kind};
use crate::models::event::{EventKind, NewEvent};
use crate::models::user::User;
use crate::run;
use crate::schema::{organization_members, users};

/// A membership of an organization.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = organization_members, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct OrganizationMember {
    /// The membership's id.
    pub id: OrganizationMemberId,
    /// The organization.
    pub organization_id: OrganizationId,
    /// The member.
    pub user_id: UserId,
    /// The member's role in the organization.
    pub role: OrganizationRole,
    /// When the membership began.
    pub created_at: Instant,
}

impl OrganizationMember {
    /// Returns the event for a change of this membership. If the membership has ended, the subject is
    /// the person, because the membership is gone.
    pub(in crate::models) fn event(&self, kind: EventKind) -> NewEvent {
        let subject = match kind {
            EventKind::OrganizationMemberRemoved => self.user_id.into(),
            _ => self.id.into(),
        };
        NewEvent {
            kind,
            organization: self.organization_id,
            workspace: None,
            subject,
            data: json!({ "userId": self.user_id, "role": self.role.as_str() }),
        }
    }
}

/// Adds someone who is not a member yet.
///
/// # Errors
/// Database errors only.
pub async fn add_member(
    tx: &mut Transaction,
    organization_id: OrganizationId,
    user_id: UserId,
    role: OrganizationRole,
    now: Instant,
) -> Result<OrganizationMember> {
    let id = OrganizationMemberId::new(now.to_utc());
    let member = OrganizationMember {
        id,
        organization_id,
        user_id,
        role,
        created_at: now,
    };
    run!(
        tx,
        diesel::insert_into(organization_members::table)
            .values(&member)
            .execute(tx)
            .await
    )?;
    Ok(member)
}

/// Returns the person's membership of the organization, if any.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn membership(
    tx: &mut Transaction,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<OrganizationMember>> {
    Ok(run!(
        tx,
        organization_members::table
            .filter(organization_members::organization_id.eq(organization))
            .filter(organization_members::user_id.eq(user))
            .select(OrganizationMember::as_select())
            .first(tx)
            .await
            .optional()
    )?)
}

/// Returns the given memberships whose organization the viewer belongs to, each with its user.
///
/// # Errors
/// Database errors only.
pub async fn visible_members(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[OrganizationMemberId],
) -> Result<Vec<(OrganizationMember, User)>> {
    // The viewer's own memberships need another name than the ones looked up.
    let theirs = diesel::alias!(organization_members as theirs);
    let shared = theirs
        .filter(theirs.field(organization_members::user_id).eq(viewer))
        .filter(
            theirs
                .field(organization_members::organization_id)
                .eq(organization_members::organization_id),
        )
        .select(theirs.field(organization_members::id));
    Ok(run!(
        conn,
        organization_members::table
            .inner_join(users::table.on(users::id.eq(organization_members::user_id)))
            .filter(organization_members::id.eq_any(ids))
            .filter(exists(shared))
            .select((OrganizationMember::as_select(), User::as_select()))
            .load(conn)
            .await
    )?)
}

/// The members of an organization, in the order in which they joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberList {
    /// Only members with this role.
    pub role: Option<OrganizationRole>,
}

impl List for MemberList {
    type Parent = kind::Organization;
    type Row = (OrganizationMember, User);

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
        parents: &[OrganizationId],
        window: &Window,
    ) -> Result<Children<kind::Organization, Self::Row>> {
        let theirs = diesel::alias!(organization_members as theirs);
        let found: Vec<Self::Row> = run!(
            conn,
            each_parent(parents, |parent| {
                let shared = theirs
                    .filter(theirs.field(organization_members::user_id).eq(viewer))
                    .filter(
                        theirs
                            .field(organization_members::organization_id)
                            .eq(parent),
                    )
                    .select(theirs.field(organization_members::id));
                let mut query = organization_members::table
                    .inner_join(users::table.on(users::id.eq(organization_members::user_id)))
                    .filter(organization_members::organization_id.eq(parent))
                    .filter(exists(shared))
                    .filter(by_id(organization_members::id, window))
                    .into_boxed();
                if let Some(role) = self.role {
                    query = query.filter(organization_members::role.eq(role));
                }
                query
                    .order_by(ordered(organization_members::id, window.direction))
                    .limit(window.limit)
                    .select((OrganizationMember::as_select(), User::as_select()))
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|row| (row.0.organization_id, row))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
    ) -> Result<Vec<(OrganizationId, i64)>> {
        let theirs = diesel::alias!(organization_members as theirs);
        Ok(run!(conn, {
            let visible = theirs
                .filter(theirs.field(organization_members::user_id).eq(viewer))
                .select(theirs.field(organization_members::organization_id));
            let mut query = organization_members::table
                .filter(organization_members::organization_id.eq_any(parents))
                .filter(organization_members::organization_id.eq_any(visible))
                .group_by(organization_members::organization_id)
                .select((organization_members::organization_id, count_star()))
                .into_boxed();
            if let Some(role) = self.role {
                query = query.filter(organization_members::role.eq(role));
            }
            query.load(conn).await
        })?)
    }
}
