//! Memberships of organizations and workspaces, created without asking anybody.

use serde_json::json;
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::app::Clock;
use tenantry::id::{Id, Kind, UserId};
use tenantry::models::{organization, workspace};

use super::{Client, TestServer, text};

impl TestServer {
    /// Makes the person, who must not be a member yet, a member of the organization.
    pub async fn join_organization(&self, id: &str, person: &Client, role: OrganizationRole) {
        let (organization, user) = (parse(id), user_id(person).await);
        let now = self.clock().now();
        self.app()
            .db
            .transaction(async |tx| {
                organization::add_member(tx, organization, user, role, now)
                    .await
                    .map(drop)
            })
            .await
            .expect("the person is no member yet");
    }

    /// Makes the person, who must be a member of the organization, a member of its workspace.
    pub async fn join_workspace(
        &self,
        organization: &str,
        id: &str,
        person: &Client,
        role: WorkspaceRole,
    ) {
        let (organization, workspace) = (parse(organization), parse(id));
        let user = user_id(person).await;
        let now = self.clock().now();
        self.app()
            .db
            .transaction(async |tx| {
                workspace::add_member(tx, organization, workspace, user, role, now)
                    .await
                    .map(drop)
            })
            .await
            .expect("the person is a member of the organization and none of the workspace");
    }
}

/// Returns the client's user id.
pub async fn user_id(person: &Client) -> UserId {
    let viewer = person.ok("{ viewer { id } }", json!({})).await;
    parse(&text(&viewer, "viewer.id"))
}

fn parse<K: Kind>(id: &str) -> Id<K> {
    id.parse().expect("an id of that kind")
}

/// Creates an organization owned by the person.
pub async fn organization(person: &Client, name: &str) -> String {
    let made = person
        .mutate(
            "createOrganization",
            json!({ "name": name }),
            "organization { id }",
        )
        .await;
    text(&made, "organization.id")
}

/// Creates a workspace in the organization, on behalf of the person.
pub async fn workspace(person: &Client, organization: &str, name: &str) -> String {
    let input = json!({ "name": name, "organization": { "id": organization } });
    let made = person
        .mutate("createWorkspace", input, "workspace { id }")
        .await;
    text(&made, "workspace.id")
}
