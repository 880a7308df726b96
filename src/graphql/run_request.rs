//! Asking for runs, and stopping them.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::error::ErrorCode;
use super::id::RawId;
use super::resolve::One;
use super::run::Run;
use crate::models::run::{self, Asked};
use crate::models::schedule;

/// What became of asking for a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum RunRequestStatus {
    /// A run was queued, or one was under way already and is given instead.
    Queued,
    /// There is no active prompt, so there is nothing to run.
    Empty,
    /// The run could not be queued, as `code` says; the schedule is set nonetheless.
    Failed,
    /// The schedule was switched off, so no run was asked for.
    NotRequested,
}

/// What became of asking for a run.
#[derive(SimpleObject)]
pub struct RunRequest {
    /// Whether there is a run, and if not, why not.
    status: RunRequestStatus,
    /// The run's id; `null` unless the status is QUEUED.
    job_id: Option<ID>,
    /// The run that was queued or was under way already; `null` unless the status is QUEUED.
    run: Option<One<Run>>,
    /// Why the run could not be queued; `null` unless the status is FAILED.
    code: Option<ErrorCode>,
    /// In how many seconds to try again; `null` unless the status is FAILED.
    retry_after_seconds: Option<i32>,
    /// Why the run could not be queued, for a person to read; `null` unless the status is FAILED.
    error: Option<String>,
}

impl RunRequest {
    fn of(status: RunRequestStatus) -> Self {
        Self {
            status,
            job_id: None,
            run: None,
            code: None,
            retry_after_seconds: None,
            error: None,
        }
    }
}

impl From<Asked> for RunRequest {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Given(run) => Self {
                job_id: Some(run.id.into()),
                run: Some(One(Run(run))),
                ..Self::of(RunRequestStatus::Queued)
            },
            Asked::Empty => Self::of(RunRequestStatus::Empty),
        }
    }
}

impl From<schedule::RunRequest> for RunRequest {
    fn from(request: schedule::RunRequest) -> Self {
        match request {
            schedule::RunRequest::Asked(asked) => asked.into(),
            schedule::RunRequest::NotRequested => Self::of(RunRequestStatus::NotRequested),
            schedule::RunRequest::Refused(error) => {
                let wait = error.retry_after_seconds();
                Self {
                    code: Some(error.code().into()),
                    retry_after_seconds: wait.map(|wait| i32::try_from(wait).unwrap_or(i32::MAX)),
                    error: Some(error.to_string()),
                    ..Self::of(RunRequestStatus::Failed)
                }
            }
        }
    }
}

/// What `startRun` takes.
#[derive(InputObject)]
struct StartRunInput {
    /// The workspace whose prompts are put to its providers.
    workspace_id: RawId,
}

/// What `cancelRun` takes.
#[derive(InputObject)]
struct CancelRunInput {
    /// The run to stop.
    run_id: RawId,
}

/// What `startRun` answers.
#[derive(SimpleObject)]
struct StartRunPayload {
    /// The run, or why there is none.
    run_request: One<RunRequest>,
}

/// What `cancelRun` answers.
#[derive(SimpleObject)]
struct CancelRunPayload {
    /// The run, now CANCELLED.
    run: One<Run>,
}

/// What can be changed of runs.
#[derive(Default)]
pub struct RunMutation;

#[Object]
impl RunMutation {
    /// Puts every active prompt to every enabled provider. Where a run is under way already, that
    /// one is given; where there is no active prompt, the status is EMPTY. At most 3 a minute for
    /// each workspace unless configured otherwise, the runs that `setSchedule` asks for included.
    /// Requires WORKSPACE_CONTRIBUTE.
    async fn start_run(&self, ctx: &Context<'_>, input: StartRunInput) -> Result<StartRunPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let asked = run::start(ctx.app(), viewer, check.done(id)?).await?;
        Ok(StartRunPayload {
            run_request: One(asked.into()),
        })
    }

    /// Stops a run. The answers that it has collected stay. A run that has ended is CONFLICT.
    /// Requires WORKSPACE_CONTRIBUTE.
    async fn cancel_run(
        &self,
        ctx: &Context<'_>,
        input: CancelRunInput,
    ) -> Result<CancelRunPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("runId", &input.run_id);
        let run = run::cancel(ctx.app(), viewer, check.done(id)?).await?;
        Ok(CancelRunPayload { run: One(Run(run)) })
    }
}
