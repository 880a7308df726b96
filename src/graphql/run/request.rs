//! Outcomes of requesting a run.

use async_graphql::{Enum, ID, SimpleObject};

use super::Run;
use crate::graphql::error::ErrorCode;
use crate::graphql::resolve::One;
use crate::models::run::Asked;
use crate::models::schedule;

/// The outcome of requesting a run.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum RunRequestStatus {
    /// A run was queued, or one was already queued or running and is returned instead.
    Queued,
    /// There is no active prompt, so there is nothing to run.
    Empty,
    /// The run could not be queued, for the reason in `code`. A schedule set by the same mutation
    /// stays set.
    Failed,
    /// The schedule was switched off, so no run was requested.
    NotRequested,
}

/// The outcome of requesting a run.
#[derive(SimpleObject)]
pub struct RunRequest {
    /// Whether there is a run and, if not, why.
    status: RunRequestStatus,
    /// The run's id; `null` unless the status is QUEUED.
    job_id: Option<ID>,
    /// The run that was queued, or was already queued or running; `null` unless the status is
    /// QUEUED.
    run: Option<One<Run>>,
    /// Why the run could not be queued, as a code; `null` unless the status is FAILED.
    code: Option<ErrorCode>,
    /// How many seconds to wait before trying again; `null` unless the status is FAILED.
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
