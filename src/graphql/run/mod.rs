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

/// What started a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "run::RunTrigger")]
pub enum RunTrigger {
    /// An occurrence of the schedule.
    Schedule,
    /// A call of `startRun`.
    Manual,
    /// The immediate run that setting a schedule starts.
    ScheduleSet,
}

/// The state of a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "run::RunStatus")]
pub enum RunStatus {
    /// The run is waiting for a worker.
    Queued,
    /// Answers are being collected.
    Running,
    /// All answers were collected.
    Succeeded,
    /// At least one answer was collected and at least one failed.
    Partial,
    /// No answer was collected.
    Failed,
    /// The run was stopped by `cancelRun` or by deleting its workspace. The answers collected by
    /// then are kept.
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

    /// The workspace whose prompts are put to its providers.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        Ok(Workspace(ctx.get(self.0.workspace_id).await?))
    }

    /// What started the run.
    fn trigger(&self) -> RunTrigger {
        self.0.trigger.into()
    }

    /// The state of the run.
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

    /// How many answers have been collected so far. `completed` and `failed` together reach
    /// `total`.
    fn completed(&self) -> i32 {
        self.0.completed
    }

    /// How many answers have failed so far.
    fn failed(&self) -> i32 {
        self.0.failed
    }

    /// When the run was queued.
    fn queued_at(&self) -> DateTime {
        self.0.queued_at.into()
    }

    /// When a worker first started on the run; `null` until then.
    fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When the run ended, successfully or not; `null` until then.
    fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// The answers collected so far, including failed ones, newest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn answers(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only answers from this provider; from every provider by default.")]
        provider: Option<Provider>,
    ) -> Result<Connection<Answer>> {
        let list = AnswersOfRun {
            provider: provider.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        Connection::load(ctx, list, self.0.id, args, Answer).await
    }
}
