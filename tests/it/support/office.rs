//! People who work together, set up without asking anybody.

use std::ops::Deref;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::id::{InvitationId, OrganizationId, UserId, WorkspaceId};
use tenantry::models::invitation::InvitationStatus;
use tenantry::models::{organization, workspace};
use tenantry::run;
use tenantry::schema::{invitations, removals};

use super::client::Client;
use super::server::TestServer;
use super::text;

/// A signed-in person, with their client, id and address.
pub struct Person {
    pub client: Client,
    pub id: UserId,
    pub email: String,
}

impl Deref for Person {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Person {
    /// Signs in `<name>@example.com`.
    pub async fn new(server: &TestServer, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let client = server.user(&email);
        let viewer = client.ok("{ viewer { id } }", json!({})).await;
        let id = text(&viewer, "viewer.id").parse().expect("an id");
        Self { client, id, email }
    }
}

/// An organization with a workspace, both owned by their creator.
pub struct Office {
    pub organization: OrganizationId,
    pub workspace: WorkspaceId,
}

impl Office {
    /// Creates an organization owned by `owner`, with one private workspace.
    pub async fn of(owner: &Person) -> Self {
        let input = json!({ "name": "Office", "organization": { "create": {} } });
        let made = owner
            .mutate(
                "createWorkspace",
                input,
                "workspace { id } organization { id }",
            )
            .await;
        Self {
            organization: text(&made, "organization.id").parse().expect("an id"),
            workspace: text(&made, "workspace.id").parse().expect("an id"),
        }
    }

    /// Creates another workspace in the organization, on behalf of someone who may.
    pub async fn workspace(&self, by: &Person, name: &str) -> WorkspaceId {
        let input = json!({ "name": name, "organization": { "id": self.organization } });
        let made = by
            .mutate("createWorkspace", input, "workspace { id }")
            .await;
        text(&made, "workspace.id").parse().expect("an id")
    }

    /// Adds a person to the organization and, if given a role there, to the workspace.
    pub async fn person(
        &self,
        server: &TestServer,
        name: &str,
        role: OrganizationRole,
        workspace_role: Option<WorkspaceRole>,
    ) -> Person {
        let person = Person::new(server, name).await;
        join_organization(server, self.organization, &person, role).await;
        if let Some(role) = workspace_role {
            self.join(server, self.workspace, &person, role).await;
        }
        person
    }

    /// Makes a member of the organization a member of the workspace.
    pub async fn join(
        &self,
        server: &TestServer,
        id: WorkspaceId,
        person: &Person,
        role: WorkspaceRole,
    ) {
        let (organization, user, now) = (self.organization, person.id, server.app().now());
        let joined = server.app().db.transaction(async |tx| {
            workspace::add_member(tx, organization, id, user, role, now).await
        });
        joined.await.expect("they become a member");
    }

    /// Returns the input of a mutation about a person in the workspace.
    pub fn about(&self, person: &Person) -> Value {
        json!({ "workspaceId": self.workspace, "userId": person.id })
    }

    /// Returns the input of a mutation about a person in the organization.
    pub fn organization_about(&self, person: &Person) -> Value {
        json!({ "organizationId": self.organization, "userId": person.id })
    }

    /// Returns the addresses and roles of the workspace's members, in order of joining.
    pub async fn members(&self, seen_by: &Client) -> Vec<(String, String)> {
        members(seen_by, "workspace", self.workspace.to_string()).await
    }

    /// Returns the addresses and roles of the organization's members, in order of joining.
    pub async fn organization_members(&self, seen_by: &Client) -> Vec<(String, String)> {
        members(seen_by, "organization", self.organization.to_string()).await
    }

    /// Returns the events of the organization and its workspaces, newest first, as kind and data.
    pub async fn events(&self, seen_by: &Client) -> Vec<(String, Value)> {
        let query = "query($id: ID!) { organization(by: { id: $id }) {
            events(first: 100) { nodes { kind data } } } }";
        let found = seen_by.ok(query, json!({ "id": self.organization })).await;
        let nodes = found["organization"]["events"]["nodes"].as_array();
        let event = |node: &Value| (text(node, "kind"), node["data"].clone());
        nodes.expect("events").iter().map(event).collect()
    }

    /// Invites an address to a workspace or, without one, to the organization only.
    pub async fn invite(
        &self,
        inviter: &Person,
        email: &str,
        to: Option<WorkspaceId>,
    ) -> InvitationId {
        let (mutation, place, id) = match to {
            Some(id) => ("addWorkspaceMember", "workspaceId", json!(id)),
            None => (
                "inviteOrganizationMember",
                "organizationId",
                json!(self.organization),
            ),
        };
        let input = json!({ place: id, "email": email });
        let invited = inviter.mutate(mutation, input, "invitation { id }").await;
        text(&invited, "invitation.id").parse().expect("an id")
    }
}

async fn members(seen_by: &Client, kind: &str, id: String) -> Vec<(String, String)> {
    let query = format!(
        "query($id: ID!) {{ {kind}(by: {{ id: $id }}) {{
            members(first: 100) {{ nodes {{ role user {{ email }} }} }} }} }}"
    );
    let found = seen_by.ok(&query, json!({ "id": id })).await;
    let nodes = found[kind]["members"]["nodes"].as_array();
    let member = |node: &Value| (text(node, "user.email"), text(node, "role"));
    nodes.expect("members").iter().map(member).collect()
}

/// Makes a person a member of the organization.
pub async fn join_organization(
    server: &TestServer,
    id: OrganizationId,
    person: &Person,
    role: OrganizationRole,
) {
    let (user, now) = (person.id, server.app().now());
    let joined = server
        .app()
        .db
        .transaction(async |tx| organization::add_member(tx, id, user, role, now).await);
    joined.await.expect("they become a member");
}

/// Returns the status of an invitation.
pub async fn invitation_status(server: &TestServer, id: InvitationId) -> InvitationStatus {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let status = invitations::table.find(id).select(invitations::status);
    run!(conn, status.first(conn).await).expect("there is the invitation")
}

/// Returns what the person was removed from: workspaces, and `None` for organizations.
pub async fn removals_of(server: &TestServer, person: &Person) -> Vec<Option<WorkspaceId>> {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let theirs = removals::table
        .filter(removals::user_id.eq(person.id))
        .order_by(removals::created_at)
        .select(removals::workspace_id);
    run!(conn, theirs.load(conn).await).expect("removals are read")
}
