//! To whom something does not belong, it does not exist: wherever the schema takes an id, one of
//! another tenant's answers exactly as one that never was.
//!
//! The fields are found by introspection, so that one that is added later is tried as well, or fails
//! here until this file knows how.

use std::collections::HashMap;

use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::support::icons::offer;
use crate::support::{Client, Database, Postgres, Reply, Sqlite, TestServer, text};

/// An input or an argument that is an id, as a path below the field.
struct Place {
    /// `Mutation` or `Query`.
    root: String,
    field: String,
    /// Its arguments, as introspection has them.
    arguments: Vec<Value>,
    /// Names of arguments and input fields; `0` inside a list.
    path: Vec<String>,
}

impl Place {
    fn name(&self) -> String {
        format!("{}.{}({})", self.root, self.field, self.path.join("."))
    }

    /// As violations tell it: inside `input`.
    fn violation(&self) -> String {
        let inside = match self.path.as_slice() {
            [input, rest @ ..] if input == "input" && !rest.is_empty() => rest,
            path => path,
        };
        inside.join(".")
    }

    /// The prefix of the ids that belong there.
    fn kind(&self) -> &'static str {
        let named = self
            .path
            .iter()
            .rev()
            .find(|step| step.parse::<usize>().is_err());
        match (self.field.as_str(), named.map_or("", String::as_str)) {
            ("node" | "nodes", _) => "ws",
            ("organization", "id") => "org",
            ("workspace", "id") => "ws",
            (_, "id") if self.path.iter().any(|step| step == "organization") => "org",
            (_, name) => kind_of(name).unwrap_or_else(|| {
                panic!("{}: say in this file what it is the id of", self.name())
            }),
        }
    }
}

fn kind_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "organizationId" => "org",
        "workspaceId" => "ws",
        "userId" => "user",
        "invitationId" => "inv",
        "apiTokenId" => "tok",
        "promptId" => "prompt",
        "runId" => "run",
        "iconStorageId" => "file",
        _ => return None,
    })
}

/// The schema's types by name.
struct Schema(HashMap<String, Value>);

const INTROSPECTION: &str = "{ __schema { types { name kind
    fields { name args { ...input } }
    inputFields { ...input }
    enumValues { name }
} } }
fragment input on __InputValue { name defaultValue type { ...type } }
fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

impl Schema {
    async fn read(client: &Client) -> Self {
        let found = client.ok(INTROSPECTION, json!({})).await;
        let types = found["__schema"]["types"].as_array().cloned();
        let named = types.into_iter().flatten().map(|t| (text(&t, "name"), t));
        Self(named.collect())
    }

    /// Every place of every field that takes an id.
    fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for root in ["Query", "Mutation"] {
            for field in list(&self.0[root]["fields"]) {
                let arguments = list(&field["args"]).to_vec();
                for argument in &arguments {
                    let mut paths = Vec::new();
                    self.collect(&argument["type"], vec![text(argument, "name")], &mut paths);
                    places.extend(paths.into_iter().map(|path| Place {
                        root: root.to_owned(),
                        field: text(field, "name"),
                        arguments: arguments.clone(),
                        path,
                    }));
                }
            }
        }
        places
    }

    fn collect(&self, of: &Value, path: Vec<String>, paths: &mut Vec<Vec<String>>) {
        match (of["kind"].as_str(), of["name"].as_str()) {
            (Some("NON_NULL"), _) => self.collect(&of["ofType"], path, paths),
            (Some("LIST"), _) => self.collect(&of["ofType"], extended(&path, "0"), paths),
            (Some("SCALAR"), Some("ID")) => paths.push(path),
            (Some("INPUT_OBJECT"), Some(name)) => {
                for field in list(&self.0[name]["inputFields"]) {
                    let path = extended(&path, &text(field, "name"));
                    self.collect(&field["type"], path, paths);
                }
            }
            _ => {}
        }
    }

    /// A value of the type that holds `id` at `path`, and elsewhere as little as it may; other ids
    /// are the asker's own.
    fn value(&self, of: &Value, path: &[String], id: &str, own: &Own) -> Value {
        match of["kind"].as_str().unwrap_or_default() {
            "NON_NULL" => self.value(&of["ofType"], path, id, own),
            "LIST" => json!([self.value(&of["ofType"], path.get(1..).unwrap_or(&[]), id, own)]),
            "ENUM" => self.0[&text(of, "name")]["enumValues"][0]["name"].clone(),
            "INPUT_OBJECT" => {
                let mut object = Map::new();
                for field in list(&self.0[&text(of, "name")]["inputFields"]) {
                    let name = text(field, "name");
                    let below = path.get(1..).filter(|rest| rest.first() == Some(&name));
                    // Left out, this one is refused, because `null` says to unlink.
                    let required = of["name"] == "LinkWorkosOrganizationInput"
                        || field["type"]["kind"] == "NON_NULL" && field["defaultValue"].is_null();
                    if let Some(below) = below {
                        object.insert(name, self.value(&field["type"], below, id, own));
                    } else if required {
                        let value = self.filled(&field["type"], &name, own);
                        object.insert(name, value);
                    }
                }
                Value::Object(object)
            }
            _ => id.into(),
        }
    }

    /// A value that is well-formed.
    fn filled(&self, of: &Value, name: &str, own: &Own) -> Value {
        match (of["kind"].as_str(), of["name"].as_str()) {
            (Some("NON_NULL"), _) => self.filled(&of["ofType"], name, own),
            (Some("LIST"), _) => json!([self.filled(&of["ofType"], name, own)]),
            (_, Some("ID")) => match kind_of(name) {
                Some("org") => own.organization.as_str().into(),
                Some("ws") => own.workspace.as_str().into(),
                Some("user") => own.user.as_str().into(),
                Some("inv") => own.invitation.as_str().into(),
                Some("tok") => own.api_token.as_str().into(),
                Some("prompt") => own.prompt.as_str().into(),
                Some("run") => own.run.as_str().into(),
                _ => panic!("say in this file which {name} is the asker's own"),
            },
            (_, Some("String")) if name == "email" => "someone@example.com".into(),
            (_, Some("String")) if name == "workosOrganizationId" => "org_some".into(),
            (_, Some("String")) if name == "cron" => "0 6 * * *".into(),
            (_, Some("String")) if name == "timeZone" => "UTC".into(),
            (_, Some("String")) => "Some text".into(),
            (_, Some("Int")) => 1.into(),
            (_, Some("Boolean")) => true.into(),
            (Some("INPUT_OBJECT" | "ENUM"), _) => self.value(of, &[], "", own),
            _ => panic!("say in this file what a {of} may be"),
        }
    }

    async fn ask(&self, client: &Client, place: &Place, id: &str, own: &Own) -> Reply {
        let mut declared = Vec::new();
        let mut given = Vec::new();
        let mut variables = Map::new();
        for argument in &place.arguments {
            let name = text(argument, "name");
            let required =
                argument["type"]["kind"] == "NON_NULL" && argument["defaultValue"].is_null();
            let value = if place.path.first() == Some(&name) {
                self.value(&argument["type"], &place.path, id, own)
            } else if required {
                self.filled(&argument["type"], &name, own)
            } else {
                continue;
            };
            declared.push(format!("${name}: {}", written(&argument["type"])));
            given.push(format!("{name}: ${name}"));
            variables.insert(name, value);
        }
        let document = format!(
            "{}({}) {{ {}({}) {{ __typename }} }}",
            place.root.to_lowercase(),
            declared.join(", "),
            place.field,
            given.join(", "),
        );
        client.send(&document, Value::Object(variables)).await
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn extended(path: &[String], step: &str) -> Vec<String> {
    path.iter().cloned().chain([step.to_owned()]).collect()
}

/// The type as it is declared for a variable.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&of["ofType"])),
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => text(of, "name"),
    }
}

/// What someone has.
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
        // The only live one could not be deleted, whatever its id.
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

    /// The id of one of these.
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

/// One of the person's tokens, of which nobody may have many.
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

/// Well-formed, and never given out.
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
    let places = schema.places();
    assert!(places.len() > 10, "introspection finds the fields");
    for place in places {
        let (name, kind) = (place.name(), place.kind());
        // New ones each time, because in the end she does it.
        let hers = Own::of(&ada).await;
        let unknown = schema.ask(&bob, &place, &never_was(kind), &his).await;
        let foreign = schema.ask(&bob, &place, &hers.id(kind), &his).await;
        assert_eq!(foreign.body, unknown.body, "{name}");
        assert_eq!(foreign.status, unknown.status, "{name}");
        let other = if kind == "org" { "event" } else { "org" };
        // Any kind is right for a node, and this one is not there either.
        let other = schema.ask(&bob, &place, &never_was(other), &his).await;
        assert_eq!(other.body, unknown.body, "{name}: another kind");
        if place.root == "Mutation" {
            assert_eq!(unknown.code(), "NOT_FOUND", "{name}: {:#}", unknown.body);
        } else {
            assert_eq!(unknown.code(), "", "{name}: {:#}", unknown.body);
        }
        // What proves that the question was the right one.
        let own = schema.ask(&ada, &place, &hers.id(kind), &hers).await;
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
    for place in schema.places() {
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
            let reply = schema.ask(&bob, &place, malformed, &his).await;
            assert_eq!(reply.code(), "INVALID_INPUT", "{name}: {malformed:?}");
            assert_eq!(reply.violations(), [place.violation()], "{name}");
            let wanted = format!("`{}_` and 26 characters.", place.kind());
            let message = reply.message();
            assert!(message.ends_with(&wanted), "{name}: {message}");
        }
    }
}
