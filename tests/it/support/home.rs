//! A workspace with its organization, and the people around it.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::auth::token::Identity;
use tenantry::id::{OrganizationId, WorkspaceId};
use tenantry::models::user::{self, User};
use tenantry::models::{organization, workspace};
use tenantry::schema::organization_members;

use super::people::user_id;
use super::{Client, TestServer, text};

/// A workspace and its organization.
#[derive(Clone, Debug)]
pub struct Home {
    pub workspace: String,
    pub organization: String,
}

/// Creates a workspace in a new organization, both owned by the client.
pub async fn home(owner: &Client, name: &str) -> Home {
    let input = json!({ "name": name, "organization": { "create": {} } });
    let selection = "workspace { id } organization { id }";
    let made = owner.mutate("createWorkspace", input, selection).await;
    Home {
        workspace: text(&made, "workspace.id"),
        organization: text(&made, "organization.id"),
    }
}

impl TestServer {
    /// Makes the person with that address a member of the organization.
    pub async fn colleague(&self, email: &str, home: &Home, role: OrganizationRole) -> Client {
        let client = self.user(email);
        let user = user_id(&client).await;
        let id: OrganizationId = home.organization.parse().expect("an organization's id");
        let now = self.app().now();
        self.app()
            .db
            .transaction(async |tx| organization::add_member(tx, id, user, role, now).await)
            .await
            .expect("the membership is new");
        client
    }

    /// Makes the person with that address a member of the workspace and a MEMBER of its organization.
    pub async fn member(&self, email: &str, home: &Home, role: WorkspaceRole) -> Client {
        let client = self.colleague(email, home, OrganizationRole::Member).await;
        let user = user_id(&client).await;
        let organization: OrganizationId = home.organization.parse().expect("an id");
        let id: WorkspaceId = home.workspace.parse().expect("a workspace's id");
        let now = self.app().now();
        self.app()
            .db
            .transaction(async |tx| {
                workspace::add_member(tx, organization, id, user, role, now).await
            })
            .await
            .expect("the membership is new");
        client
    }

    /// Changes the role of the person with that address in their organizations, bypassing the server.
    pub async fn set_organization_role(&self, email: &str, role: OrganizationRole) {
        let client = self.user(email);
        let user = user_id(&client).await;
        let theirs = organization_members::table.filter(organization_members::user_id.eq(user));
        self.app()
            .db
            .transaction(async |tx| {
                let role = organization_members::role.eq(role);
                let changed = diesel::update(theirs).set(role);
                Ok(tenantry::run!(tx, changed.execute(tx).await)?)
            })
            .await
            .expect("the role can be changed");
    }

    /// Signs in a person of another issuer, which may or may not have verified their address.
    pub async fn stranger(&self, subject: &str, email: &str, email_verified: bool) -> User {
        let identity = Identity {
            issuer: "https://other.example".to_owned(),
            subject: subject.to_owned(),
            email: email.to_owned(),
            email_verified,
            name: None,
            picture: None,
            workos_organization_id: None,
            issued_at: None,
            expires_at: Utc::now() + TimeDelta::days(1),
        };
        user::sign_in(&self.app().db, &identity, self.app().now())
            .await
            .expect("whoever an issuer names can sign in")
    }
}
