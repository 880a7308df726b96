//! Reading runs.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Run, RunStatus};
use crate::access::visible::{may_own, may_see, workspaces_of_viewer};
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::{Connection, Transaction, each_parent};
use crate::error::Result;
use crate::id::{RunId, UserId, WorkspaceId, kind};
use crate::run;
use crate::schema::{runs, workspaces};

/// Returns the given runs that the viewer may see: those in live workspaces that they may see.
///
/// # Errors
/// Database errors only.
pub async fn visible(conn: &mut Connection, viewer: UserId, ids: &[RunId]) -> Result<Vec<Run>> {
    let workspace = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(runs::workspace_id))
        .filter(workspaces::deleted_at.is_null().and(may_see()))
        .select(workspaces::id);
    Ok(run!(
        conn,
        runs::table
            .filter(runs::id.eq_any(ids))
            .filter(exists(workspace))
            .select(Run::as_select())
            .load(conn)
            .await
    )?)
}

/// Returns the given runs that the viewer may read: like [`visible`], but also in deleted workspaces
/// that they may restore, whose lists they can read.
///
/// # Errors
/// Database errors only.
pub async fn readable(conn: &mut Connection, viewer: UserId, ids: &[RunId]) -> Result<Vec<Run>> {
    let workspace = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(runs::workspace_id))
        .filter(may_own().or(workspaces::deleted_at.is_null().and(may_see())))
        .select(workspaces::id);
    Ok(run!(
        conn,
        runs::table
            .filter(runs::id.eq_any(ids))
            .filter(exists(workspace))
            .select(Run::as_select())
            .load(conn)
            .await
    )?)
}

/// Returns the workspace's unfinished run, of which there is at most one. The transaction must have
/// locked the workspace's row.
///
/// # Errors
/// Database errors only.
pub(super) async fn unfinished(
    tx: &mut Transaction,
    workspace: WorkspaceId,
) -> Result<Option<Run>> {
    Ok(run!(
        tx,
        runs::table
            .filter(runs::workspace_id.eq(workspace))
            .filter(runs::finished_at.is_null())
            .select(Run::as_select())
            .first(tx)
            .await
            .optional()
    )?)
}

/// The runs of a workspace, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunList {
    /// Only runs with this status.
    pub status: Option<RunStatus>,
}

impl List for RunList {
    type Parent = kind::Workspace;
    type Row = Run;

    fn name(&self) -> String {
        "runs".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, run: &Run) -> Position {
        Position::by_id(run.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
        window: &Window,
    ) -> Result<Children<kind::Workspace, Run>> {
        let found: Vec<Run> = run!(
            conn,
            each_parent(parents, |parent| {
                let workspace = workspaces_of_viewer(viewer)
                    .filter(workspaces::id.eq(parent).and(may_see()))
                    .select(workspaces::id);
                let mut query = runs::table
                    .filter(runs::workspace_id.eq(parent).and(exists(workspace)))
                    .filter(by_id(runs::id, window))
                    .into_boxed();
                if let Some(status) = self.status {
                    query = query.filter(runs::status.eq(status));
                }
                query
                    .order_by(ordered(runs::id, window.direction))
                    .limit(window.limit)
                    .select(Run::as_select())
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|run| (run.workspace_id, run))
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
                .filter(workspaces::id.eq(runs::workspace_id).and(may_see()))
                .select(workspaces::id)
        };
        Ok(run!(conn, {
            let mut query = runs::table
                .filter(runs::workspace_id.eq_any(parents).and(exists(workspace())))
                .group_by(runs::workspace_id)
                .select((runs::workspace_id, count_star()))
                .into_boxed();
            if let Some(status) = self.status {
                query = query.filter(runs::status.eq(status));
            }
            query.load(conn).await
        })?)
    }
}
