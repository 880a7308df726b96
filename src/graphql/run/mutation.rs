//! Mutations on runs.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{Run, RunRequest};
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::run;

/// Input of `startRun`.
#[derive(InputObject)]
struct StartRunInput {
    /// The workspace to collect answers for.
    workspace_id: RawId,
}

/// Input of `cancelRun`.
#[derive(InputObject)]
struct CancelRunInput {
    /// The run to cancel.
    run_id: RawId,
}

/// Payload of `startRun`.
#[derive(SimpleObject)]
struct StartRunPayload {
    /// The run, or why there is none.
    run_request: One<RunRequest>,
}

/// Payload of `cancelRun`.
#[derive(SimpleObject)]
struct CancelRunPayload {
    /// The run, now CANCELLED.
    run: One<Run>,
}

/// Mutations on runs.
#[derive(Default)]
pub struct RunMutation;

#[Object]
impl RunMutation {
    /// Puts every active prompt to every enabled provider. If a run is already queued or running,
    /// returns that run instead; if there is no active prompt, the status is EMPTY. At most 3 a
    /// minute for each workspace unless configured otherwise, including the runs that `setSchedule`
    /// requests. Requires WORKSPACE_CONTRIBUTE.
    async fn start_run(&self, ctx: &Context<'_>, input: StartRunInput) -> Result<StartRunPayload> {
        let viewer = ctx.viewer()?;
        let id = input.workspace_id.only("workspaceId")?;
        let asked = run::start(ctx.app(), viewer, id).await?;
        Ok(StartRunPayload {
            run_request: One(asked.into()),
        })
    }

    /// Cancels a run. The answers collected so far are kept. Fails with CONFLICT if the run has
    /// ended. Requires WORKSPACE_CONTRIBUTE.
    async fn cancel_run(
        &self,
        ctx: &Context<'_>,
        input: CancelRunInput,
    ) -> Result<CancelRunPayload> {
        let viewer = ctx.viewer()?;
        let id = input.run_id.only("runId")?;
        let run = run::cancel(ctx.app(), viewer, id).await?;
        Ok(CancelRunPayload { run: One(Run(run)) })
    }
}
