//! What belongs to someone else does not exist: wherever the schema takes an id, another tenant's id is
//! answered exactly like one that never existed.
//!
//! The fields are found by introspection, so that fields added later are covered as well.

use rstest::rstest;
use serde_json::json;

use crate::support::icons::offer;
use crate::support::introspection::{Field, Ids, Schema};
use crate::support::{Client, Database, Postgres, Reply, Sqlite, TestServer, text};

/// An argument or an input field that takes an id.
struct Place {
    field: Field,
    path: Vec<String>,
}

impl Place {
    /// Every place in every root field that takes an id.
    fn all(schema: &Schema) -> Vec<Self> {
        let fields = ["Query", "Mutation"].map(|root| schema.fields(root));
        let places = fields.into_iter().flatten().flat_map(|field| {
            let paths = schema.paths(&field).into_iter();
            paths.map(move |path| Self {
                field: field.clone(),
                path,
            })
        });
        places.collect()
    }

    fn name(&self) -> String {
        let Field { root, name, .. } = &self.field;
        format!("{root}.{name}({})", self.path.join("."))
    }

    /// The path as in violations: relative to `input`.
    fn violation(&self) -> String {
        let inside = match self.path.as_slice() {
            [input, rest @ ..] if input == "input" && !rest.is_empty() => rest,
            path => path,
        };
        inside.join(".")
    }

    /// The prefix of the ids that belong here.
    fn kind(&self) -> &'static str {
        self.field.kind(&self.path)
    }

    /// Asks with `id` here, and with the asker's own ids wherever else one is required.
    async fn ask(&self, schema: &Schema, client: &Client, id: &str, own: &Own) -> Reply {
        let ids = Ids {
            path: &self.path,
            id,
            others: &|kind| own.id(kind),
        };
        let (document, variables) = schema.operation(&self.field, &ids);
        client.send(&document, variables).await
    }
}

/// The ids of what a person has.
struct Own {
    user: String,
    organization: String,
    workspace: String,
    invitation: String,
    api_token: String,
    prompt: String,
    file: String,
    run: String,
}

impl Own {
    async fn of(client: &Client) -> Self {
        let input = json!({ "name": "Rocket", "organization": { "create": {} } });
        let selection = "workspace { id createdBy { id } } organization { id }";
        let made = client.mutate("createWorkspace", input, selection).await;
        // The only live workspace could not be deleted, whatever its id.
        client
            .mutate("createWorkspace", json!({ "name": "Other" }), "__typename")
            .await;
        let organization = text(&made, "organization.id");
        let input = json!({ "organizationId": organization, "email": "guest@example.com" });
        let invited = client
            .mutate("inviteOrganizationMember", input, "invitation { id }")
            .await;
        let input = json!({
            "workspaceId": text(&made, "workspace.id"),
            "prompts": [{ "text": "Who?" }],
        });
        let prompts = client
            .mutate("createPrompts", input, "prompts { id }")
            .await;
        let input = json!({ "workspaceId": text(&made, "workspace.id") });
        let run = client
            .mutate("startRun", input, "runRequest { jobId }")
            .await;
        Self {
            user: text(&made, "workspace.createdBy.id"),
            organization,
            workspace: text(&made, "workspace.id"),
            invitation: text(&invited, "invitation.id"),
            api_token: api_token(client).await,
            prompt: text(&prompts, "prompts.0.id"),
            file: offer(client).await.id,
            run: text(&run, "runRequest.jobId"),
        }
    }

    /// The person's own id of that kind.
    fn id(&self, kind: &str) -> String {
        match kind {
            "user" => self.user.clone(),
            "org" => self.organization.clone(),
            "ws" => self.workspace.clone(),
            "inv" => self.invitation.clone(),
            "tok" => self.api_token.clone(),
            "prompt" => self.prompt.clone(),
            "file" => self.file.clone(),
            "run" => self.run.clone(),
            _ => panic!("say in this file whose {kind} to try"),
        }
    }
}

/// One of the person's tokens, reused because their number is limited.
async fn api_token(client: &Client) -> String {
    let listed = client.ok("{ apiTokens { id } }", json!({})).await;
    match listed["apiTokens"][0]["id"].as_str() {
        Some(id) => id.to_owned(),
        None => {
            let input = json!({ "name": "CI" });
            let made = client
                .mutate("createApiToken", input, "apiToken { id }")
                .await;
            text(&made, "apiToken.id")
        }
    }
}

/// A well-formed id that was never issued.
fn never_was(kind: &str) -> String {
    format!("{kind}_01jv9k6rm5e2qscx1y2p9r8z4d")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_another_tenants_is_as_one_that_never_was(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| {
        config.limits.organizations_per_hour = 1_000;
        config.limits.uploads_per_hour = 1_000;
    })
    .await;
    let (ada, bob) = (
        server.user("ada@example.com"),
        server.user("bob@example.com"),
    );
    let his = Own::of(&bob).await;
    let schema = Schema::read(&bob).await;
    let places = Place::all(&schema);
    assert!(places.len() > 10, "introspection finds the fields");
    for place in places {
        let (name, kind) = (place.name(), place.kind());
        // New ones each time, since she deletes or changes them in the end.
        let hers = Own::of(&ada).await;
        let unknown = place.ask(&schema, &bob, &never_was(kind), &his).await;
        let foreign = place.ask(&schema, &bob, &hers.id(kind), &his).await;
        assert_eq!(foreign.body, unknown.body, "{name}");
        assert_eq!(foreign.status, unknown.status, "{name}");
        let other = if kind == "org" { "event" } else { "org" };
        // A node may be of any kind, and this one does not exist either.
        let other = place.ask(&schema, &bob, &never_was(other), &his).await;
        assert_eq!(other.body, unknown.body, "{name}: another kind");
        if place.field.root == "Mutation" {
            assert_eq!(unknown.code(), "NOT_FOUND", "{name}: {:#}", unknown.body);
        } else {
            assert_eq!(unknown.code(), "", "{name}: {:#}", unknown.body);
        }
        // Proves that the operation itself is valid.
        let own = place.ask(&schema, &ada, &hers.id(kind), &hers).await;
        assert_ne!(own.code(), "NOT_FOUND", "{name}: {:#}", own.body);
        assert_ne!(own.code(), "GRAPHQL_VALIDATION_FAILED", "{name}");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_id_is_refused_with_its_path(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let bob = server.user("bob@example.com");
    let his = Own::of(&bob).await;
    let schema = Schema::read(&bob).await;
    for place in Place::all(&schema) {
        let name = place.name();
        let well_formed = never_was(place.kind());
        for malformed in [
            "",
            "1",
            "ws_",
            "\u{0}",
            "01jv9k6rm5e2qscx1y2p9r8z4d",
            "thing_01jv9k6rm5e2qscx1y2p9r8z4d",
            &well_formed.to_uppercase(),
            &well_formed[..well_formed.len() - 1],
            &format!("{well_formed} "),
            // More than 128 bits.
            &well_formed.replace("_0", "_8"),
        ] {
            let reply = place.ask(&schema, &bob, malformed, &his).await;
            assert_eq!(reply.code(), "INVALID_INPUT", "{name}: {malformed:?}");
            assert_eq!(reply.violations(), [place.violation()], "{name}");
            let wanted = format!("`{}_` and 26 characters.", place.kind());
            let message = reply.message();
            assert!(message.ends_with(&wanted), "{name}: {message}");
        }
    }
}
