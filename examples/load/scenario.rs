//! The requests that are sent, and the tenants whose people send them.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry::auth::token::DevelopmentKey;

use crate::program::Serving;

/// A navigating person has this many organizations with one workspace each, and one more with the rest
/// of their workspaces.
const ORGANIZATIONS: usize = 5;
const WORKSPACES: usize = 8;
/// How many workspaces a listing person has.
const LISTED: usize = 50;
/// How many members a workspace has.
const MEMBERS: usize = 20;

/// One kind of request.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// The name in the table.
    pub name: &'static str,
    /// Whether its statements are worth comparing.
    pub asks_the_database: bool,
    query: &'static str,
    variables: fn(&Person, usize) -> Value,
    who: fn(&Tenants) -> &[Person],
}

impl Scenario {
    /// All scenarios, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::NAVIGATION,
        Self::WORKSPACES,
        Self::MEMBERS,
        Self::CREATE,
        Self::INTROSPECTION,
    ];

    /// What an application shell needs to draw its switcher.
    pub const NAVIGATION: Self = Self {
        name: "navigation state",
        asks_the_database: true,
        query: "{ navigationState {
                viewer { id name email avatarUrl }
                currentOrganization { id slug } currentWorkspace { id slug }
                organizations { id name slug viewerAccess { role permissions } }
                workspaces { id name slug iconUrl viewerRole organization { id } }
                invitations { id }
            } }",
        variables: |_, _| json!({}),
        who: |tenants| &tenants.navigators,
    };

    /// A page of workspaces, each with its organization.
    pub const WORKSPACES: Self = Self {
        name: "50 workspaces",
        asks_the_database: true,
        query: "{ workspaces(first: 50) {
                nodes { id name slug viewerRole organization { id name slug } }
                pageInfo { hasNextPage endCursor }
            } }",
        variables: |_, _| json!({}),
        who: |tenants| &tenants.listers,
    };

    /// A workspace with its members and their profiles.
    pub const MEMBERS: Self = Self {
        name: "20 members",
        asks_the_database: true,
        query: "query Members($id: ID!) { workspace(by: { id: $id }) {
                id name slug
                members(first: 20) { nodes { role createdAt user { id name email avatarUrl } } }
            } }",
        variables: |person, _| json!({ "id": person.id }),
        who: |tenants| &tenants.members,
    };

    /// A new workspace in an organization.
    pub const CREATE: Self = Self {
        name: "createWorkspace",
        asks_the_database: true,
        query: "mutation Create($input: CreateWorkspaceInput!) {
                createWorkspace(input: $input) { workspace { id slug viewerRole } }
            }",
        variables: |person, nth| {
            let name = format!("Rocket {} {nth}", person.number);
            json!({ "input": { "name": name, "organization": { "id": person.id } } })
        },
        who: |tenants| &tenants.makers,
    };

    /// The schema.
    pub const INTROSPECTION: Self = Self {
        name: "introspection",
        asks_the_database: false,
        query: include_str!("introspection.graphql"),
        variables: |_, _| json!({}),
        who: |tenants| &tenants.navigators,
    };

    /// Returns the people who send it, one per connection.
    pub fn people<'a>(&self, tenants: &'a Tenants) -> &'a [Person] {
        (self.who)(tenants)
    }

    /// Returns a person's `nth` request as sent over the wire.
    pub fn request(&self, person: &Person, nth: usize) -> Vec<u8> {
        let variables = (self.variables)(person, nth);
        let body = json!({ "query": self.query, "variables": variables }).to_string();
        format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            person.token,
            body.len()
        )
        .into_bytes()
    }
}

/// A person who sends requests.
pub struct Person {
    /// The person's index.
    number: usize,
    token: String,
    /// The workspace or organization that the requests are about.
    id: String,
}

/// The people who send each request.
pub struct Tenants {
    /// People in 6 organizations with 8 workspaces in total.
    navigators: Vec<Person>,
    /// People with 50 workspaces.
    listers: Vec<Person>,
    /// People in a workspace with 20 members.
    members: Vec<Person>,
    /// People who own an organization.
    makers: Vec<Person>,
}

impl Tenants {
    /// Creates one person of each kind per connection, through the API.
    pub async fn make(serving: &Serving, data_dir: &Path, connections: usize) -> Result<Self> {
        let api = Api {
            url: format!("http://{}/graphql", serving.address),
            http: reqwest::Client::new(),
            key: DevelopmentKey::load_or_create(data_dir)?,
        };
        let mut tenants = Self {
            navigators: Vec::new(),
            listers: Vec::new(),
            members: Vec::new(),
            makers: Vec::new(),
        };
        let joiners: Vec<_> = (1..MEMBERS)
            .map(|number| api.token(&format!("joiner-{number}")))
            .collect();
        for number in 0..connections {
            let person = |name: &str, id| Person {
                number,
                token: api.token(&format!("{name}-{number}")),
                id,
            };
            let navigator = person("navigator", String::new());
            for _ in 0..ORGANIZATIONS {
                api.workspace(&navigator.token, None).await?;
            }
            let (organization, ..) = api.workspace(&navigator.token, None).await?;
            for _ in ORGANIZATIONS + 1..WORKSPACES {
                api.workspace(&navigator.token, Some(&organization)).await?;
            }
            tenants.navigators.push(navigator);

            let lister = person("lister", String::new());
            let (organization, ..) = api.workspace(&lister.token, None).await?;
            for _ in 1..LISTED {
                api.workspace(&lister.token, Some(&organization)).await?;
            }
            tenants.listers.push(lister);

            let member = person("member", String::new());
            let (_, workspace, code) = api.workspace(&member.token, None).await?;
            for joiner in &joiners {
                let join = "mutation($code: String!) {
                    joinWorkspaceByCode(input: { code: $code }) { workspace { id } } }";
                api.send(joiner, join, json!({ "code": code })).await?;
            }
            tenants.members.push(Person {
                id: workspace,
                ..member
            });

            let maker = person("maker", String::new());
            let (organization, ..) = api.workspace(&maker.token, None).await?;
            tenants.makers.push(Person {
                id: organization,
                ..maker
            });
        }
        Ok(tenants)
    }
}

struct Api {
    url: String,
    http: reqwest::Client,
    key: DevelopmentKey,
}

impl Api {
    fn token(&self, name: &str) -> String {
        let email = format!("{name}@example.com");
        self.key
            .sign(&email, Some(name), Utc::now(), TimeDelta::days(1))
    }

    /// Creates a workspace, in a new organization unless one is given. Returns the organization, the
    /// workspace, and its join code.
    async fn workspace(
        &self,
        token: &str,
        organization: Option<&str>,
    ) -> Result<(String, String, String)> {
        let make = "mutation($input: CreateWorkspaceInput!) { createWorkspace(input: $input) {
            organization { id } workspace { id joinInfo { inviteCode } } } }";
        let organization =
            organization.map_or_else(|| json!({ "create": {} }), |id| json!({ "id": id }));
        let input = json!({ "name": "Rocket Labs", "organization": organization });
        let made = self.send(token, make, json!({ "input": input })).await?;
        let text = |path: &str| {
            let found = made.pointer(path).and_then(Value::as_str);
            found
                .map(str::to_owned)
                .with_context(|| format!("no {path} in {made}"))
        };
        Ok((
            text("/createWorkspace/organization/id")?,
            text("/createWorkspace/workspace/id")?,
            text("/createWorkspace/workspace/joinInfo/inviteCode")?,
        ))
    }

    async fn send(&self, token: &str, query: &str, variables: Value) -> Result<Value> {
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(&self.url).bearer_auth(token).json(&body);
        let mut reply: Value = request.send().await?.json().await?;
        ensure!(reply.get("errors").is_none(), "{reply}");
        Ok(reply["data"].take())
    }
}
