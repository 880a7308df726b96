//! Lists of events.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Event, EventKind};
use crate::access::visible::{
    may_administer, may_manage, visible_organizations, workspaces_of_viewer,
};
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::{Connection, each_parent};
use crate::error::Result;
use crate::id::{OrganizationId, UserId, WorkspaceId, kind};
use crate::run;
use crate::schema::{events, organizations, workspaces};

/// The events of an organization and of its workspaces, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationEvents {
    /// Only events of these kinds; all kinds if `None`.
    pub kinds: Option<Vec<EventKind>>,
}

impl List for OrganizationEvents {
    type Parent = kind::Organization;
    type Row = Event;

    fn name(&self) -> String {
        "events".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, event: &Event) -> Position {
        Position::by_id(event.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
        window: &Window,
    ) -> Result<Children<kind::Organization, Event>> {
        let found: Vec<Event> = run!(
            conn,
            each_parent(parents, |parent| {
                let organization = visible_organizations(viewer)
                    .filter(
                        organizations::id
                            .eq(events::organization_id)
                            .and(may_administer()),
                    )
                    .select(organizations::id);
                let mut query = events::table
                    .filter(events::organization_id.eq(parent).and(exists(organization)))
                    .filter(by_id(events::id, window))
                    .into_boxed();
                if let Some(kinds) = &self.kinds {
                    query = query.filter(events::kind.eq_any(kinds));
                }
                query
                    .order_by(ordered(events::id, window.direction))
                    .limit(window.limit)
                    .select(Event::as_select())
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|event| (event.organization_id, event))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[OrganizationId],
    ) -> Result<Vec<(OrganizationId, i64)>> {
        let organization = || {
            visible_organizations(viewer)
                .filter(
                    organizations::id
                        .eq(events::organization_id)
                        .and(may_administer()),
                )
                .select(organizations::id)
        };
        Ok(run!(conn, {
            let mut query = events::table
                .filter(
                    events::organization_id
                        .eq_any(parents)
                        .and(exists(organization())),
                )
                .group_by(events::organization_id)
                .select((events::organization_id, count_star()))
                .into_boxed();
            if let Some(kinds) = &self.kinds {
                query = query.filter(events::kind.eq_any(kinds));
            }
            query.load(conn).await
        })?)
    }
}

/// The events of a workspace, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceEvents {
    /// Only events of these kinds; all kinds if `None`.
    pub kinds: Option<Vec<EventKind>>,
}

impl List for WorkspaceEvents {
    type Parent = kind::Workspace;
    type Row = Event;

    fn name(&self) -> String {
        "events".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, event: &Event) -> Position {
        Position::by_id(event.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
        window: &Window,
    ) -> Result<Children<kind::Workspace, Event>> {
        let found: Vec<Event> = run!(
            conn,
            each_parent(parents, |parent| {
                let workspace = workspaces_of_viewer(viewer)
                    .filter(workspaces::id.eq(parent).and(may_manage()))
                    .select(workspaces::id);
                let mut query = events::table
                    .filter(
                        events::workspace_id
                            .assume_not_null()
                            .eq(parent)
                            .and(exists(workspace)),
                    )
                    .filter(by_id(events::id, window))
                    .into_boxed();
                if let Some(kinds) = &self.kinds {
                    query = query.filter(events::kind.eq_any(kinds));
                }
                query
                    .order_by(ordered(events::id, window.direction))
                    .limit(window.limit)
                    .select(Event::as_select())
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .filter_map(|event| Some((event.workspace_id?, event)))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
    ) -> Result<Vec<(WorkspaceId, i64)>> {
        let workspace = || {
            workspaces_of_viewer(viewer)
                .filter(
                    workspaces::id
                        .nullable()
                        .eq(events::workspace_id)
                        .and(may_manage()),
                )
                .select(workspaces::id)
        };
        let of = || events::workspace_id.assume_not_null();
        Ok(run!(conn, {
            let mut query = events::table
                .filter(of().eq_any(parents).and(exists(workspace())))
                .group_by(events::workspace_id)
                .select((of(), count_star()))
                .into_boxed();
            if let Some(kinds) = &self.kinds {
                query = query.filter(events::kind.eq_any(kinds));
            }
            query.load(conn).await
        })?)
    }
}
