//! What can be changed of runs.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{Run, RunRequest};
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::run;

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
        let id = input.workspace_id.only("workspaceId")?;
        let asked = run::start(ctx.app(), viewer, id).await?;
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
        let id = input.run_id.only("runId")?;
        let run = run::cancel(ctx.app(), viewer, id).await?;
        Ok(CancelRunPayload { run: One(Run(run)) })
    }
}
