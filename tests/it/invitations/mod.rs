//! Invitations: who may give, see and answer them, and how races end.

mod answering;
mod giving;
mod managing;
mod racing;
mod seeing;

use serde_json::{Value, json};
use tenantry::config::Config;

use crate::support::{Client, Home, text};

const INVITATION: &str = "id email status organizationRole workspaceRole expiresAt createdAt
    organizationName workspaceName organization { id } workspace { id } invitedBy { email }";

/// Allows every workspace `members` members.
fn allow(config: &mut Config, members: i32) {
    let plan = config.plans.entry(config.default_plan.clone()).or_default();
    plan.max_members_per_workspace = Some(members);
}

/// Adds the address to the workspace, and returns the resulting membership or invitation.
async fn add(by: &Client, home: &Home, email: &str, role: &str) -> Value {
    let selection =
        format!("membership {{ id role user {{ email }} }} invitation {{ {INVITATION} }}");
    by.mutate("addWorkspaceMember", adding(home, email, role), &selection)
        .await
}

fn adding(home: &Home, email: &str, role: &str) -> Value {
    json!({ "workspaceId": home.workspace, "email": email, "role": role })
}

/// Invites the address to the workspace, and returns the invitation's id.
async fn invite(by: &Client, home: &Home, email: &str, role: &str) -> String {
    text(&add(by, home, email, role).await, "invitation.id")
}

fn inviting(home: &Home, email: &str, role: &str) -> Value {
    json!({ "organizationId": home.organization, "email": email, "role": role })
}

/// Invites the address to the organization, and returns the invitation's id.
async fn invite_to_organization(by: &Client, home: &Home, email: &str, role: &str) -> String {
    let input = inviting(home, email, role);
    let made = by.mutate("inviteOrganizationMember", input, "invitation { id }");
    text(&made.await, "invitation.id")
}

fn of(invitation: &str) -> Value {
    json!({ "invitationId": invitation })
}

/// The workspace's invitations with that status; all of them for `null`.
async fn listed(by: &Client, home: &Home, status: Value) -> Value {
    let query = "query($id: ID!, $status: InvitationStatus) { workspace(by: { id: $id }) {
        invitations(status: $status) { totalCount nodes { id email status workspaceRole } } } }";
    let variables = json!({ "id": home.workspace, "status": status });
    by.ok(query, variables).await["workspace"]["invitations"].take()
}

/// The ids of the invitations that the client can answer.
async fn answerable(by: &Client) -> Vec<String> {
    let found = by
        .ok("{ navigationState { invitations { id } } }", Value::Null)
        .await;
    let found = found["navigationState"]["invitations"].as_array();
    found
        .into_iter()
        .flatten()
        .map(|invitation| text(invitation, "id"))
        .collect()
}

/// The client's own role in the workspace, from the list of its members.
async fn role_of(by: &Client, home: &Home) -> Value {
    let query = "query($id: ID!) { viewer { email } workspace(by: { id: $id }) {
        members { nodes { role user { email } } } } }";
    let found = by.ok(query, json!({ "id": home.workspace })).await;
    let members = found["workspace"]["members"]["nodes"].as_array();
    let own = members
        .into_iter()
        .flatten()
        .find(|member| member["user"]["email"] == found["viewer"]["email"]);
    own.map_or(Value::Null, |member| member["role"].clone())
}
