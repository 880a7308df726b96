//! Runs.

use async_graphql::{Context, Enum, ID, Object, Result};

use super::answer::Answer;
use super::connection::{Connection, PageArgs};
use super::context::ContextExt;
use super::provider::Provider;
use super::scalar::DateTime;
use super::workspace::Workspace;
use crate::error::Error;
use crate::models;
use crate::models::answer::AnswersOfRun;
use crate::models::run;

/// What asked for a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "run::RunTrigger")]
pub enum RunTrigger {
    /// An occurrence of the schedule.
    Schedule,
    /// Somebody, by `startRun`.
    Manual,
    /// The immediate run that setting a schedule starts.
    ScheduleSet,
}

/// How far a run has come.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "run::RunStatus")]
pub enum RunStatus {
    /// It waits to be taken up.
    Queued,
    /// Answers are being collected.
    Running,
    /// All answers were collected.
    Succeeded,
    /// At least one answer was collected and at least one failed.
    Partial,
    /// No answer was collected.
    Failed,
    /// It was stopped.
    Cancelled,
}

/// One collection of answers: every active prompt put to every enabled provider.
#[derive(Clone)]
pub struct Run(pub models::run::Run);

/// One collection of answers: every active prompt put to every enabled provider.
#[Object]
impl Run {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Where.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        let found = ctx.loaders()?.load_one(self.0.workspace_id).await?;
        Ok(Workspace(found.ok_or_else(Error::not_found)?))
    }

    /// What asked for it.
    fn trigger(&self) -> RunTrigger {
        self.0.trigger.into()
    }

    /// How far it has come.
    fn status(&self) -> RunStatus {
        self.0.status.into()
    }

    /// Why the run failed, for a person to read.
    fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// Prompts × providers, fixed when the run was queued.
    fn total(&self) -> i32 {
        self.0.total
    }

    /// How many answers were collected.
    fn completed(&self) -> i32 {
        self.0.completed
    }

    /// How many answers failed.
    fn failed(&self) -> i32 {
        self.0.failed
    }

    /// When it was asked for.
    fn queued_at(&self) -> DateTime {
        self.0.queued_at.into()
    }

    /// When it was first taken up.
    fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended, whichever way.
    fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
    /// What was collected, newest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn answers(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only those of this provider.")] provider: Option<Provider>,
    ) -> Result<Connection<Answer>> {
        let list = AnswersOfRun {
            provider: provider.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        Connection::load(ctx, list, self.0.id, args, Answer).await
    }
}
