//! The log entry and metrics of an operation that has no request log line of its own.

use std::time::Instant as Moment;

use async_graphql::Response;

use super::operation::{Checked, codes};
use super::state::State;
use crate::graphql::finish;

/// The results of an operation so far.
#[derive(Default)]
pub struct OperationLog {
    results: u64,
    /// The codes of its errors, each once.
    errors: Vec<String>,
}

impl OperationLog {
    /// Whether the operation has had no result yet.
    pub fn is_empty(&self) -> bool {
        self.results == 0 && self.errors.is_empty()
    }

    /// Counts a result, and returns it in the form that clients get.
    pub fn result(&mut self, response: Response, checked: &Checked) -> Response {
        self.results += 1;
        self.refusal(response, checked)
    }

    /// Notes why there is no result, and returns the response in the form that clients get.
    pub fn refusal(&mut self, mut response: Response, checked: &Checked) -> Response {
        finish(&mut response, &checked.id.text);
        for code in codes(&response) {
            if !self.errors.contains(&code) {
                self.errors.push(code);
            }
        }
        response
    }

    /// Logs and counts the operation, which has ended. `is_read` is whether all of it was delivered.
    pub fn tell(&self, state: &State, checked: &Checked, begun: Moment, is_read: bool) {
        let duration = begun.elapsed();
        let Self { results, errors } = self;
        checked.count(state, errors, duration);
        let errors = Some(errors.join(",")).filter(|errors| !errors.is_empty());
        tracing::info!(
            request_id = checked.id.text,
            kind = %checked.kind,
            operation = checked.name,
            viewer = checked.viewer(),
            results,
            errors,
            is_read,
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            trace_id = checked.id.trace.id(),
            "operation",
        );
    }
}
