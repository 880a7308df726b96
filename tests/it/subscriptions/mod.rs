//! Subscriptions: over WebSocket and over server-sent events, and what they deliver.

mod bounds;
mod events;
mod runs;
mod sse;
mod ws;

use std::time::Duration;

use tenantry::app::Pace;

use crate::support::office::Person;
use crate::support::{Database, TestServer};
use serde_json::json;

/// Follows the events of a workspace.
const EVENTS: &str = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) { kind } }";

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(3600);

/// A pace that checks very often whether subscribers are still allowed, and looks for news only when
/// notified.
fn suspicious() -> Pace {
    Pace {
        look: NEVER,
        check: Duration::from_millis(50),
        ..Pace::default()
    }
}

async fn suspicious_server(on: Database) -> TestServer {
    TestServer::paced(on, suspicious(), |_| {}).await
}

/// Changes the workspace's description, which makes an event.
async fn describe(by: &Person, workspace: impl serde::Serialize, description: &str) {
    let input = json!({ "workspaceId": workspace, "description": description });
    by.mutate("updateWorkspace", input, "workspace { id }")
        .await;
}
