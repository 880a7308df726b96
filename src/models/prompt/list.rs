//! Reading prompts.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Prompt;
use crate::access::visible::{may_own, may_see, workspaces_of_viewer};
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::{Connection, each_parent};
use crate::error::Result;
use crate::id::{PromptId, UserId, WorkspaceId, kind};
use crate::models::values::fold::like_pattern;
use crate::run;
use crate::schema::{prompts, workspaces};

/// Returns the given prompts that the viewer may see: those in live workspaces that they may see.
///
/// # Errors
/// Database errors only.
pub async fn visible(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[PromptId],
) -> Result<Vec<Prompt>> {
    let workspace = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(prompts::workspace_id))
        .filter(workspaces::deleted_at.is_null().and(may_see()))
        .select(workspaces::id);
    Ok(run!(
        conn,
        prompts::table
            .filter(prompts::id.eq_any(ids))
            .filter(exists(workspace))
            .select(Prompt::as_select())
            .load(conn)
            .await
    )?)
}

/// Returns prompts for answers that the viewer sees: like [`visible`], but also in deleted workspaces
/// that they may restore, whose lists they can read.
///
/// # Errors
/// Database errors only.
pub async fn of_answers(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[PromptId],
) -> Result<Vec<Prompt>> {
    let workspace = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(prompts::workspace_id))
        .filter(may_own().or(workspaces::deleted_at.is_null().and(may_see())))
        .select(workspaces::id);
    Ok(run!(
        conn,
        prompts::table
            .filter(prompts::id.eq_any(ids))
            .filter(exists(workspace))
            .select(Prompt::as_select())
            .load(conn)
            .await
    )?)
}

/// The prompts of a workspace, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PromptList {
    /// Only prompts whose text contains this.
    pub search: Option<String>,
}

impl List for PromptList {
    type Parent = kind::Workspace;
    type Row = Prompt;

    fn name(&self) -> String {
        "prompts".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Ascending
    }

    fn position(&self, prompt: &Prompt) -> Position {
        Position::by_id(prompt.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[WorkspaceId],
        window: &Window,
    ) -> Result<Children<kind::Workspace, Prompt>> {
        let pattern = self.search.as_deref().map(like_pattern);
        let found: Vec<Prompt> = run!(
            conn,
            each_parent(parents, |parent| {
                let workspace = workspaces_of_viewer(viewer)
                    .filter(workspaces::id.eq(parent).and(may_see()))
                    .select(workspaces::id);
                let mut query = prompts::table
                    .filter(prompts::workspace_id.eq(parent).and(exists(workspace)))
                    .filter(by_id(prompts::id, window))
                    .into_boxed();
                if let Some(pattern) = &pattern {
                    query = query.filter(prompts::search_key.like(pattern).escape('\\'));
                }
                query
                    .order_by(ordered(prompts::id, window.direction))
                    .limit(window.limit)
                    .select(Prompt::as_select())
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|prompt| (prompt.workspace_id, prompt))
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
                .filter(workspaces::id.eq(prompts::workspace_id).and(may_see()))
                .select(workspaces::id)
        };
        let pattern = self.search.as_deref().map(like_pattern);
        Ok(run!(conn, {
            let mut query = prompts::table
                .filter(
                    prompts::workspace_id
                        .eq_any(parents)
                        .and(exists(workspace())),
                )
                .group_by(prompts::workspace_id)
                .select((prompts::workspace_id, count_star()))
                .into_boxed();
            if let Some(pattern) = &pattern {
                query = query.filter(prompts::search_key.like(pattern).escape('\\'));
            }
            query.load(conn).await
        })?)
    }
}
