//! Runs.

mod mutation;
mod request;

use async_graphql::{Context, Enum, ID, Object, Result};

pub use mutation::RunMutation;
pub use request::RunRequest;

use super::answer::Answer;
use super::connection::{Connection, PageArgs};
use super::context::ContextExt;
use super::provider::Provider;
use super::scalar::DateTime;
use super::workspace::Workspace;
use crate::models;
use crate::models::answer::AnswersOfRun;
use crate::models::run;

/// What asked for a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "run::RunTrigger")]
pub enum RunTrigger {
    /// An occurrence of the schedule.
    Schedule,
    /// Somebody who called `startRun`.
    Manual,
    /// The immediate run that setting a schedule starts.
    ScheduleSet,
}

/// How far a run has come.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "run::RunStatus")]
pub enum RunStatus {
    /// It waits for a worker to take it up.
    Queued,
    /// Answers are being collected.
    Running,
    /// All answers were collected.
    Succeeded,
    /// At least one answer was collected and at least one failed.
    Partial,
    /// No answer was collected.
    Failed,
    /// It was stopped, by `cancelRun` or by deleting its workspace. The answers that it had
    /// collected stay.
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

    /// The workspace whose prompts it puts to the providers.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        Ok(Workspace(ctx.get(self.0.workspace_id).await?))
    }

    /// What asked for it.
    fn trigger(&self) -> RunTrigger {
        self.0.trigger.into()
    }

    /// How far it has come.
    fn status(&self) -> RunStatus {
        self.0.status.into()
    }

    /// Why the run failed, for a person to read; `null` unless the status is FAILED.
    fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// Prompts × providers, fixed when the run was queued.
    fn total(&self) -> i32 {
        self.0.total
    }

    /// How many answers have been collected so far. With `failed`, it reaches `total`.
    fn completed(&self) -> i32 {
        self.0.completed
    }

    /// How many answers have failed so far.
    fn failed(&self) -> i32 {
        self.0.failed
    }

    /// When it was asked for.
    fn queued_at(&self) -> DateTime {
        self.0.queued_at.into()
    }

    /// When a worker first took it up; `null` until then.
    fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended, whichever way; `null` until then.
    fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// The answers collected so far, failed ones included, newest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn answers(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only answers of this provider; of every provider unless given.")]
        provider: Option<Provider>,
    ) -> Result<Connection<Answer>> {
        let list = AnswersOfRun {
            provider: provider.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        Connection::load(ctx, list, self.0.id, args, Answer).await
    }
}
