//! Reading answers.

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Answer;
use crate::access::visible::{may_see, workspaces_of_viewer};
use crate::db::page::{Children, Direction, List, Position, Window, by_id, ordered};
use crate::db::{Connection, each_parent};
use crate::error::Result;
use crate::id::{AnswerId, PromptId, RunId, UserId, kind};
use crate::models::provider::Provider;
use crate::run;
use crate::schema::{answers, prompts, runs, workspaces};

/// Returns the given answers that the viewer may see: those in live workspaces that they may see.
///
/// # Errors
/// Database errors only.
pub async fn visible(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[AnswerId],
) -> Result<Vec<Answer>> {
    let workspace = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(answers::workspace_id))
        .filter(workspaces::deleted_at.is_null().and(may_see()))
        .select(workspaces::id);
    Ok(run!(
        conn,
        answers::table
            .filter(answers::id.eq_any(ids))
            .filter(exists(workspace))
            .select(Answer::as_select())
            .load(conn)
            .await
    )?)
}

/// The answers of a run, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnswersOfRun {
    /// Only answers of this provider.
    pub provider: Option<Provider>,
}

impl List for AnswersOfRun {
    type Parent = kind::Run;
    type Row = Answer;

    fn name(&self) -> String {
        "answers".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, answer: &Answer) -> Position {
        Position::by_id(answer.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[RunId],
        window: &Window,
    ) -> Result<Children<kind::Run, Answer>> {
        let found: Vec<Answer> = run!(
            conn,
            each_parent(parents, |parent| {
                // Checked for the run, not for each answer, so that it is evaluated once.
                let run = workspaces_of_viewer(viewer)
                    .inner_join(runs::table.on(runs::workspace_id.eq(workspaces::id)))
                    .filter(runs::id.eq(parent).and(may_see()))
                    .select(runs::id);
                let mut query = answers::table
                    .filter(answers::run_id.eq(parent).and(exists(run)))
                    .filter(by_id(answers::id, window))
                    .into_boxed();
                if let Some(provider) = self.provider {
                    query = query.filter(answers::provider.eq(provider));
                }
                query
                    .order_by(ordered(answers::id, window.direction))
                    .limit(window.limit)
                    .select(Answer::as_select())
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|answer| (answer.run_id, answer))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[RunId],
    ) -> Result<Vec<(RunId, i64)>> {
        let run = || {
            workspaces_of_viewer(viewer)
                .inner_join(runs::table.on(runs::workspace_id.eq(workspaces::id)))
                .filter(runs::id.eq(answers::run_id).and(may_see()))
                .select(runs::id)
        };
        Ok(run!(conn, {
            let mut query = answers::table
                .filter(answers::run_id.eq_any(parents).and(exists(run())))
                .group_by(answers::run_id)
                .select((answers::run_id, count_star()))
                .into_boxed();
            if let Some(provider) = self.provider {
                query = query.filter(answers::provider.eq(provider));
            }
            query.load(conn).await
        })?)
    }
}

/// The answers to a prompt in all runs, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnswersOfPrompt {
    /// Only answers of this provider.
    pub provider: Option<Provider>,
}

impl List for AnswersOfPrompt {
    type Parent = kind::Prompt;
    type Row = Answer;

    fn name(&self) -> String {
        "answers".to_owned()
    }

    fn order(&self) -> Direction {
        Direction::Descending
    }

    fn position(&self, answer: &Answer) -> Position {
        Position::by_id(answer.id)
    }

    async fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[PromptId],
        window: &Window,
    ) -> Result<Children<kind::Prompt, Answer>> {
        let found: Vec<Answer> = run!(
            conn,
            each_parent(parents, |parent| {
                // Checked for the prompt, not for each answer, so that it is evaluated once.
                let prompt = workspaces_of_viewer(viewer)
                    .inner_join(prompts::table.on(prompts::workspace_id.eq(workspaces::id)))
                    .filter(prompts::id.eq(parent).and(may_see()))
                    .select(prompts::id);
                let mut query = answers::table
                    .filter(answers::prompt_id.eq(parent).and(exists(prompt)))
                    .filter(by_id(answers::id, window))
                    .into_boxed();
                if let Some(provider) = self.provider {
                    query = query.filter(answers::provider.eq(provider));
                }
                query
                    .order_by(ordered(answers::id, window.direction))
                    .limit(window.limit)
                    .select(Answer::as_select())
            })
            .load(conn)
            .await
        )?;
        Ok(found
            .into_iter()
            .map(|answer| (answer.prompt_id, answer))
            .collect())
    }

    async fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[PromptId],
    ) -> Result<Vec<(PromptId, i64)>> {
        let prompt = || {
            workspaces_of_viewer(viewer)
                .inner_join(prompts::table.on(prompts::workspace_id.eq(workspaces::id)))
                .filter(prompts::id.eq(answers::prompt_id).and(may_see()))
                .select(prompts::id)
        };
        Ok(run!(conn, {
            let mut query = answers::table
                .filter(answers::prompt_id.eq_any(parents).and(exists(prompt())))
                .group_by(answers::prompt_id)
                .select((answers::prompt_id, count_star()))
                .into_boxed();
            if let Some(provider) = self.provider {
                query = query.filter(answers::provider.eq(provider));
            }
            query.load(conn).await
        })?)
    }
}
