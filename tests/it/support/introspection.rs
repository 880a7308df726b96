//! The schema according to introspection, and operations generated from it.
//!
//! A field that is added later is found, and fails here until this file knows which values to give it.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::client::Client;
use super::text;

/// The schema's types by name.
pub struct Schema(HashMap<String, Value>);

/// A field of `Query`, `Mutation` or `Subscription`.
#[derive(Clone)]
pub struct Field {
    pub root: String,
    pub name: String,
    /// In the form of introspection.
    arguments: Vec<Value>,
}

/// The ids to use in an operation.
pub struct Ids<'a> {
    /// Where `id` goes, as a path below the field: names of arguments and input fields, with `0` for
    /// list items. Nowhere if the path is empty.
    pub path: &'a [String],
    pub id: &'a str,
    /// Returns the ids that are required elsewhere, by their prefix.
    pub others: &'a dyn Fn(&str) -> String,
}

const INTROSPECTION: &str = "{ __schema { types { name kind isOneOf
    fields { name args { ...input } }
    inputFields { ...input }
    enumValues { name }
} } }
fragment input on __InputValue { name defaultValue type { ...type } }
fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

impl Schema {
    pub async fn read(client: &Client) -> Self {
        let found = client.ok(INTROSPECTION, json!({})).await;
        let types = found["__schema"]["types"].as_array().cloned();
        let named = types.into_iter().flatten().map(|t| (text(&t, "name"), t));
        Self(named.collect())
    }

    /// Returns the fields of `Query`, `Mutation` or `Subscription`.
    pub fn fields(&self, root: &str) -> Vec<Field> {
        let fields = list(&self.0[root]["fields"]).iter();
        let fields = fields.map(|field| Field {
            root: root.to_owned(),
            name: text(field, "name"),
            arguments: list(&field["args"]).to_vec(),
        });
        fields.collect()
    }

    /// Returns the paths below the field that take an id.
    pub fn paths(&self, field: &Field) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        for argument in &field.arguments {
            self.collect(&argument["type"], vec![text(argument, "name")], &mut paths);
        }
        paths
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

    /// Returns an operation that selects the field with as few arguments as possible, and its variables.
    pub fn operation(&self, field: &Field, ids: &Ids) -> (String, Value) {
        let mut declared = Vec::new();
        let mut given = Vec::new();
        let mut variables = Map::new();
        for argument in &field.arguments {
            let name = text(argument, "name");
            if ids.path.first() == Some(&name) || is_required(argument) {
                declared.push(format!("${name}: {}", written(&argument["type"])));
                given.push(format!("{name}: ${name}"));
                let value = self.value(field, &argument["type"], std::slice::from_ref(&name), ids);
                variables.insert(name, value);
            }
        }
        let within = |list: Vec<String>| match list.as_slice() {
            [] => String::new(),
            list => format!("({})", list.join(", ")),
        };
        let document = format!(
            "{}{} {{ {}{} {{ __typename }} }}",
            field.root.to_lowercase(),
            within(declared),
            field.name,
            within(given),
        );
        (document, Value::Object(variables))
    }

    /// Returns a value of the type that is well-formed except for ids.
    fn value(&self, field: &Field, of: &Value, path: &[String], ids: &Ids) -> Value {
        let name = last_name(path);
        match (of["kind"].as_str(), of["name"].as_str()) {
            (Some("NON_NULL"), _) => self.value(field, &of["ofType"], path, ids),
            (Some("LIST"), _) => {
                json!([self.value(field, &of["ofType"], &extended(path, "0"), ids)])
            }
            (Some("ENUM"), Some(of)) => self.0[of]["enumValues"][0]["name"].clone(),
            (Some("INPUT_OBJECT"), Some(of)) => self.object(field, of, path, ids),
            (_, Some("ID")) if path == ids.path => ids.id.into(),
            (_, Some("ID")) => (ids.others)(field.kind(path)).into(),
            (_, Some("String")) if name == "email" => "someone@example.com".into(),
            (_, Some("String")) if name == "workosOrganizationId" => "org_some".into(),
            (_, Some("String")) if name == "cron" => "0 6 * * *".into(),
            (_, Some("String")) if name == "timeZone" => "UTC".into(),
            (_, Some("String")) => "Some text".into(),
            (_, Some("Int")) => 1.into(),
            (_, Some("Boolean")) => true.into(),
            _ => panic!("say in this file what a {of} may be"),
        }
    }

    fn object(&self, field: &Field, of: &str, path: &[String], ids: &Ids) -> Value {
        let mut object = Map::new();
        let fields = list(&self.0[of]["inputFields"]);
        let leads = |it: &&Value| ids.path.starts_with(&extended(path, &text(it, "name")));
        let one_of = fields.iter().find(leads).or(fields.first());
        for input in fields {
            let name = text(input, "name");
            let is_given = match self.0[of]["isOneOf"] == true {
                true => one_of == Some(input),
                // This field must be given: if it is left out, the mutation is refused, because `null`
                // means to unlink.
                false => leads(&input) || is_required(input) || of == "LinkWorkosOrganizationInput",
            };
            if is_given {
                let value = self.value(field, &input["type"], &extended(path, &name), ids);
                object.insert(name, value);
            }
        }
        Value::Object(object)
    }
}

impl Field {
    /// Returns the prefix of the ids that belong at that path.
    pub fn kind(&self, path: &[String]) -> &'static str {
        match (self.name.as_str(), last_name(path)) {
            ("node" | "nodes", _) => "ws",
            ("organization", "id") => "org",
            ("workspace", "id") => "ws",
            (_, "id") if path.iter().any(|step| step == "organization") => "org",
            (_, "organizationId") => "org",
            (_, "workspaceId") => "ws",
            (_, "userId") => "user",
            (_, "invitationId") => "inv",
            (_, "apiTokenId") => "tok",
            (_, "promptId") => "prompt",
            (_, "runId") | ("run", "id") => "run",
            (_, "iconStorageId") => "file",
            _ => panic!(
                "say in this file what {} of {} is the id of",
                path.join("."),
                self.name
            ),
        }
    }
}

/// Returns the last step that is not a list index.
fn last_name(path: &[String]) -> &str {
    let mut names = path.iter().rev().filter(|step| *step != "0");
    names.next().map_or("", String::as_str)
}

fn is_required(input: &Value) -> bool {
    input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn extended(path: &[String], step: &str) -> Vec<String> {
    path.iter().cloned().chain([step.to_owned()]).collect()
}

/// Returns the type as it is declared for a variable.
fn written(of: &Value) -> String {
    match of["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", written(&of["ofType"])),
        Some("LIST") => format!("[{}]", written(&of["ofType"])),
        _ => text(of, "name"),
    }
}
