//! Lists of workspaces.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Row, RowAndOrganization, VisibleWorkspace, Workspace};
use crate::access::visible::{
    may_restore, may_see, may_see_or_restore, workspaces_and_organizations_of_viewer,
    workspaces_of_viewer,
};
use crate::db::page::{
    Children, Direction, List, Position, Window, by_id, by_instant, by_text, ordered,
};
use crate::db::types::Instant;
use crate::db::{Connection, each_parent};
use crate::error::Result;
use crate::id::{OrganizationId, UserId, kind};
use crate::models::organization::Organization;
use crate::models::values::fold::like_pattern;
use crate::run;
use crate::schema::{organization_members, workspace_members, workspaces};

/// The orders that workspaces can be listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderField {
    /// By name, regardless of case.
    Name,
    /// By creation time.
    CreatedAt,
    /// By the time of the last change.
    UpdatedAt,
}

/// The workspaces that the viewer may see, in every organization or in one. Its only parent is the
/// viewer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceList {
    /// Only workspaces of this organization.
    pub organization: Option<OrganizationId>,
    /// Only workspaces whose name or slug contains this text.
    pub search: Option<String>,
    /// Only deleted or only live workspaces; both if `None`.
    pub deleted: Option<bool>,
    /// The time at which deleted workspaces must still be restorable; those due to be purged by then are
    /// left out.
    pub now: Instant,
    /// What to order by.
    pub field: OrderField,
    /// Ascending or descending.
    pub direction: Direction,
    /// Whether each workspace is read with its organization.
    pub with_organizations: bool,
}

impl WorkspaceList {
    /// All live workspaces by name.
    pub const BY_NAME: Self = Self {
        organization: None,
        search: None,
        deleted: Some(false),
        now: Instant::MIN,
        field: OrderField::Name,
        direction: Direction::Ascending,
        with_organizations: false,
    };
}

/// Applies the list's filters.
macro_rules! narrowed {
    ($query:expr, $list:expr) => {{
        let mut query = $query;
        if let Some(organization) = $list.organization {
            query = query.filter(workspaces::organization_id.eq(organization));
        }
        if let Some(search) = &$list.search {
            query = query.filter(
                workspaces::search_key
                    .like(like_pattern(search))
                    .escape('\\'),
            );
        }
        match $list.deleted {
            Some(true) => query.filter(
                workspaces::deleted_at
                    .is_not_null()
                    .and(may_restore($list.now)),
            ),
            Some(false) => query.filter(workspaces::deleted_at.is_null().and(may_see())),
            None => query.filter(may_see_or_restore($list.now)),
        }
    }};
}

/// Applies the list's order and the window.
macro_rules! page {
    ($query:expr, $list:expr, $window:expr) => {{
        let (query, direction) = ($query, $window.direction);
        let query = match $list.field {
            OrderField::Name => query
                .filter(by_text(workspaces::name_key, workspaces::id, $window))
                .order_by(ordered(workspaces::name_key, direction)),
            OrderField::CreatedAt => query.filter(by_id(workspaces::id, $window)),
            OrderField::UpdatedAt => query
                .filter(by_instant(workspaces::updated_at, workspaces::id, $window))
                .order_by(ordered(workspaces::updated_at, direction)),
        };
        query
            .then_order_by(ordered(workspaces::id, direction))
            .limit($window.limit)
            .offset($window.offset)
    }};
}

impl List for WorkspaceList {
    type Parent = kind::User;
    type Row = VisibleWorkspace;

    fn name(&self) -> String {
        format!("workspaces:{:?}:{:?}", self.field, self.direction)
    }

    fn order(&self) -> Direction {
        self.direction
    }

    fn position(&self, row: &VisibleWorkspace) -> Position {
        let workspace = &row.workspace;
        match self.field {
            OrderField::Name => Position::by_text(&workspace.name_key, workspace.id),
            OrderField::CreatedAt => Position::by_id(workspace.id),
            OrderField::UpdatedAt => Position::by_instant(workspace.updated_at, workspace.id),
        }
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        _: &[UserId],
        window: &Window,
    ) -> Result<Children<kind::User, VisibleWorkspace>> {
        if self.with_organizations {
            let found: Vec<RowAndOrganization> = run!(conn, {
                let query = workspaces_and_organizations_of_viewer(viewer).into_boxed();
                page!(narrowed!(query, self), self, window)
                    .select((
                        Workspace::as_select(),
                        organization_members::role,
                        workspace_members::role.nullable(),
                        Organization::as_select(),
                    ))
                    .load(conn)
                    .await
            })?;
            let found = found.into_iter();
            return Ok(found.map(|row| (viewer, row.into())).collect());
        }
        let found: Vec<Row> = run!(conn, {
            let query = workspaces_of_viewer(viewer).into_boxed();
            page!(narrowed!(query, self), self, window)
                .select((
                    Workspace::as_select(),
                    organization_members::role,
                    workspace_members::role.nullable(),
                ))
                .load(conn)
                .await
        })?;
        Ok(found.into_iter().map(|row| (viewer, row.into())).collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        _: &[UserId],
    ) -> Result<Vec<(UserId, i64)>> {
        let count = run!(conn, {
            let query = workspaces_of_viewer(viewer)
                .select(count_star())
                .into_boxed();
            narrowed!(query, self).first(conn).await
        })?;
        Ok(vec![(viewer, count)])
    }
}

/// The live workspaces of an organization that the viewer may see, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspacesOfOrganization {
    /// Only workspaces whose name or slug contains this text.
    pub search: Option<String>,
}

impl List for WorkspacesOfOrganization {
    type Parent = kind::Organization;
    type Row = VisibleWorkspace;

    fn name(&self) -> String {
        "workspaces".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Ascending
    }

    fn position(&self, row: &VisibleWorkspace) -> Position {
        Position::by_text(&row.workspace.name_key, row.workspace.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
        window: &Window,
    ) -> Result<Children<kind::Organization, VisibleWorkspace>> {
        let pattern = self.search.as_deref().map(like_pattern);
        let found: Vec<Row> = run!(
            conn,
            each_parent(parents, |parent| {
                let mut query = workspaces_of_viewer(viewer)
                    .filter(workspaces::organization_id.eq(parent))
                    .filter(workspaces::deleted_at.is_null().and(may_see()))
                    .filter(by_text(workspaces::name_key, workspaces::id, window))
                    .into_boxed();
                if let Some(pattern) = &pattern {
                    query = query.filter(workspaces::search_key.like(pattern).escape('\\'));
                }
                query
                    .order_by((
                        ordered(workspaces::name_key, window.direction),
                        ordered(workspaces::id, window.direction),
                    ))
                    .limit(window.limit)
                    .select((
                        Workspace::as_select(),
                        organization_members::role,
                        workspace_members::role.nullable(),
                    ))
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|row| (row.0.organization_id, row.into()))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
    ) -> Result<Vec<(OrganizationId, i64)>> {
        let pattern = self.search.as_deref().map(like_pattern);
        Ok(run!(conn, {
            let mut query = workspaces_of_viewer(viewer)
                .filter(workspaces::organization_id.eq_any(parents))
                .filter(workspaces::deleted_at.is_null().and(may_see()))
                .group_by(workspaces::organization_id)
                .select((workspaces::organization_id, count_star()))
                .into_boxed();
            if let Some(pattern) = &pattern {
                query = query.filter(workspaces::search_key.like(pattern).escape('\\'));
            }
            query.load(conn).await
        })?)
    }
}
