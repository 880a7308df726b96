//! Lists of organizations.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Organization, VisibleOrganization};
use crate::access::OrganizationRole;
use crate::access::visible::visible_organizations;
use crate::db::Connection;
use crate::db::page::{Children, Direction, List, Position, Window, by_text, ordered};
use crate::error::Result;
use crate::id::{UserId, kind};
use crate::run;
use crate::schema::{organization_members, organizations};

/// The organizations that the viewer belongs to, by name. Its only parent is the viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationList;

impl List for OrganizationList {
    type Parent = kind::User;
    type Row = VisibleOrganization;

    fn name(&self) -> String {
        "organizations".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Ascending
    }

    fn position(&self, row: &VisibleOrganization) -> Position {
        Position::by_text(&row.organization.name_key, row.organization.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        _: &[UserId],
        window: &Window,
    ) -> Result<Children<kind::User, VisibleOrganization>> {
        let found: Vec<(Organization, OrganizationRole)> = run!(
            conn,
            visible_organizations(viewer)
                .filter(by_text(organizations::name_key, organizations::id, window))
                .order_by((
                    ordered(organizations::name_key, window.direction),
                    ordered(organizations::id, window.direction),
                ))
                .limit(window.limit)
                .select((Organization::as_select(), organization_members::role))
                .load(conn)
                .await
        )?;
        Ok(found.into_iter().map(|row| (viewer, row.into())).collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        _: &[UserId],
    ) -> Result<Vec<(UserId, i64)>> {
        let count = run!(
            conn,
            visible_organizations(viewer)
                .select(count_star())
                .first(conn)
                .await
        )?;
        Ok(vec![(viewer, count)])
    }
}
