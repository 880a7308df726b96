//! Joining workspaces by code.

mod joining;
mod racing;
mod returning;

use serde_json::{Value, json};

use crate::support::{Client, text};

const INFO: &str = "query($id: ID!) { workspace(by: { id: $id }) {
    joinInfo { inviteCode expiresAt role maxUses uses } } }";
const JOINED: &str = "workspace { id viewerRole } membership { id role user { id email } }";

async fn workspace(owner: &Client) -> (String, String) {
    let made = owner
        .mutate(
            "createWorkspace",
            json!({ "name": "Rocket" }),
            "workspace { id }",
        )
        .await;
    let id = text(&made, "workspace.id");
    let code = text(&info(owner, &id).await, "inviteCode");
    (id, code)
}

async fn info(viewer: &Client, id: &str) -> Value {
    viewer.ok(INFO, json!({ "id": id })).await["workspace"]["joinInfo"].take()
}

async fn rotate(owner: &Client, input: Value) -> String {
    let rotated = owner
        .mutate("rotateJoinCode", input, "joinInfo { inviteCode }")
        .await;
    text(&rotated, "joinInfo.inviteCode")
}
