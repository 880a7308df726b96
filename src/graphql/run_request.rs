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
    /// A run was queued, or one is under way already, which is given instead.
    Queued,
    /// There is no active prompt, so there is nothing to run.
    Empty,
    /// The run could not be queued.
    Failed,
    /// The schedule was switched off, so no run was asked for.
    NotRequested,
}

/// What became of asking for a run.
#[derive(SimpleObject)]
pub struct RunRequest {
    /// What became of it.
    status: RunRequestStatus,
    /// The run's id.
    job_id: Option<ID>,
    /// The run.
    run: Option<One<Run>>,
    /// Where the status is FAILED: why.
    code: Option<ErrorCode>,
    /// Where the status is FAILED: in how many seconds it may be tried again.
    retry_after_seconds: Option<i32>,
    /// Where the status is FAILED: why, for a person to read.
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

#[derive(InputObject)]
struct StartRunInput {
    /// Whose prompts are put to its providers.
    workspace_id: RawId,
}

#[derive(InputObject)]
struct CancelRunInput {
    /// Which run is stopped.
    run_id: RawId,
}

/// What `startRun` answers.
#[derive(SimpleObject)]
struct StartRunPayload {
    /// What became of it.
    run_request: One<RunRequest>,
}

/// What `cancelRun` answers.
#[derive(SimpleObject)]
struct CancelRunPayload {
    /// The run, stopped.
    run: One<Run>,
}

/// What can be changed of runs.
#[derive(Default)]
pub struct RunMutation;

#[Object]
impl RunMutation {
    /// Puts every active prompt to every enabled provider. Where a run is under way already, that one
    /// is given; where there is no active prompt, the status is EMPTY. At most 3 a minute for each
    /// workspace, the runs that `setSchedule` asks for included. Takes WORKSPACE_CONTRIBUTE.
    async fn start_run(&self, ctx: &Context<'_>, input: StartRunInput) -> Result<StartRunPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let asked = run::start(ctx.app(), viewer, check.done(id)?).await?;
        Ok(StartRunPayload {
            run_request: One(asked.into()),
        })
    }

    /// Stops a run. The answers that it has collected stay. CONFLICT where it has ended. Takes
    /// WORKSPACE_CONTRIBUTE.
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
