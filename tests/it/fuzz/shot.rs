//! Requests: an operation in one of the shapes that clients send, and in some that they do not.

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::damage::damage;
use super::documents::Operation;
use super::pool::Pool;
use super::values::{text, wild};
use super::world::hash;

/// How long a query string may be; the HTTP client allows no more.
const LONGEST: usize = 60_000;

/// A request.
#[derive(Clone, Debug)]
pub struct Shot {
    pub method: Method,
    /// Includes the query string.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The document, if the request contains it as is and nothing else.
    pub document: Option<String>,
}

impl Shot {
    fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            headers: Vec::new(),
            body: Vec::new(),
            document: None,
        }
    }

    fn post(body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            path: "/graphql".to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            body,
            document: None,
        }
    }

    /// Whether GraphQL over HTTP defines an answer to it, be it a refusal.
    pub fn is_graphql(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        matches!(path, "/graphql" | "/graphql/stream")
            && matches!(self.method, Method::GET | Method::POST)
    }

    /// Whether the reply may have no end.
    pub fn may_subscribe(&self) -> bool {
        let subscription = b"subscription";
        let mut body = self.body.windows(subscription.len());
        self.path.contains("subscription") || body.any(|part| part == subscription)
    }

    /// A request for the operation, which may be damaged first.
    pub fn of(mut operation: Operation, rng: &mut Rng) -> Self {
        if rng.u8(..7) == 0 {
            operation.text = damage(&operation.text, rng);
        }
        if rng.u8(..20) == 0 {
            confuse(&mut operation.variables, rng);
        }
        let name = match rng.u8(..60) {
            0 => Some(text(rng)),
            1 => Some("Other".to_owned()),
            _ => operation.name.clone(),
        };
        let mut params = Map::new();
        params.insert("query".to_owned(), json!(operation.text));
        if name.is_some() || rng.bool() {
            params.insert("operationName".to_owned(), json!(name));
        }
        if !operation.variables.is_empty() || rng.bool() {
            params.insert("variables".to_owned(), operation.variables.into());
        }
        match rng.u8(..40) {
            0..34 => {
                let mut shot = Self::post(json!(params).to_string().into_bytes());
                shot.document = Some(operation.text);
                if rng.u8(..25) == 0 {
                    shot.headers.push(("accept", accept(rng)));
                }
                shot
            }
            34 => {
                persist(&mut params, &operation.text, rng);
                Self::post(json!(params).to_string().into_bytes())
            }
            // What is too long for a URL is not sent in one.
            35 if query_string(&params).len() < LONGEST => {
                let mut shot = Self::get(format!("/graphql?{}", query_string(&params)));
                shot.headers.push(("accept", accept(rng)));
                shot
            }
            36 => {
                let mut shot = Self::post(json!(params).to_string().into_bytes());
                shot.path = "/graphql/stream".to_owned();
                let query = query_string(&params);
                if rng.bool() && query.len() < LONGEST {
                    shot = Self::get(format!("/graphql/stream?{query}"));
                }
                shot.headers
                    .push(("accept", "text/event-stream".to_owned()));
                shot
            }
            37 => {
                let name = rng.choice([
                    "query",
                    "variables",
                    "operationName",
                    "extensions",
                    "documentId",
                ]);
                let value = wild(rng, 4);
                params.insert(name.unwrap_or_default().to_owned(), value);
                Self::post(json!(params).to_string().into_bytes())
            }
            38 => {
                let mut shot = Self::post(json!(params).to_string().into_bytes());
                shot.headers = vec![("content-type", content_type(rng))];
                shot
            }
            _ => Self::post(broken(&json!(params).to_string(), rng)),
        }
    }

    /// A request to any path other than those of GraphQL.
    pub fn elsewhere(pool: &Pool, rng: &mut Rng) -> Self {
        let file = pool.one("file", rng).unwrap_or("file_").to_owned();
        let odd = form_urlencoded::byte_serialize(text(rng).as_bytes()).collect::<String>();
        let odd: String = odd.chars().take(2_000).collect();
        let path = match rng.u8(..12) {
            0 => format!("/files/{file}/{odd}"),
            1 => format!("/files/{odd}/icon.png"),
            2 => format!("/uploads/{file}?{odd}={odd}"),
            3 => format!("/uploads/{file}?expires={}&signature={odd}", rng.i64(..)),
            4 => format!("/uploads/{odd}"),
            5 => "/healthz".to_owned(),
            6 => "/readyz".to_owned(),
            7 => "/metrics".to_owned(),
            8 => "/schema.graphql".to_owned(),
            9 => "/graphql/ws".to_owned(),
            10 => format!("/graphql?{odd}"),
            _ => format!("/{odd}"),
        };
        let mut shot = Self::get(path);
        let methods = [
            Method::GET,
            Method::GET,
            Method::PUT,
            Method::POST,
            Method::DELETE,
        ];
        shot.method = rng.choice(methods).unwrap_or_default();
        if shot.method != Method::GET {
            shot.body = text(rng).into_bytes();
        }
        if rng.bool() {
            shot.headers.push(("accept", accept(rng)));
        }
        shot
    }
}

/// Changes or removes a variable, or adds one if there is none.
fn confuse(variables: &mut Map<String, Value>, rng: &mut Rng) {
    let names: Vec<_> = variables.keys().cloned().collect();
    match rng.choice(&names) {
        Some(name) if rng.bool() => drop(variables.insert(name.clone(), wild(rng, 4))),
        Some(name) => drop(variables.remove(name)),
        None => drop(variables.insert(text(rng), wild(rng, 4))),
    }
}

/// Requests the document by its hash, by another hash, or by a text that is no hash.
fn persist(params: &mut Map<String, Value>, document: &str, rng: &mut Rng) {
    let hash = match rng.u8(..6) {
        0 => text(rng),
        1 => hash("another"),
        _ => hash(document),
    };
    if rng.u8(..3) == 0 {
        params.remove("query");
    }
    if rng.bool() {
        params.insert("documentId".to_owned(), json!(format!("sha256:{hash}")));
    } else {
        let version = rng.choice([1, 1, 1, 2]);
        let persisted = json!({ "version": version, "sha256Hash": hash });
        let extensions = json!({ "persistedQuery": persisted });
        params.insert("extensions".to_owned(), extensions);
    }
}

fn query_string(params: &Map<String, Value>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params {
        match value {
            Value::String(text) => query.append_pair(name, text),
            value => query.append_pair(name, &value.to_string()),
        };
    }
    query.finish()
}

fn accept(rng: &mut Rng) -> String {
    let accepts = [
        "*/*",
        "application/json",
        "application/graphql-response+json",
        "application/graphql-response+json, application/json;q=0.9",
        "application/json, text/event-stream",
        "text/event-stream",
        "text/html",
        "text/plain",
        "application/json;q=x, ;;,q=1",
        "",
    ];
    rng.choice(accepts).unwrap_or_default().to_owned()
}

fn content_type(rng: &mut Rng) -> String {
    let types = [
        "application/json; charset=utf-16",
        "APPLICATION/JSON ;x",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "",
        ";",
    ];
    rng.choice(types).unwrap_or_default().to_owned()
}

/// A body that is not a valid request.
fn broken(body: &str, rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..9) {
        0 => damage(body, rng).into_bytes(),
        1 => format!("[{body},{body}]").into_bytes(),
        2 => body.as_bytes()[..rng.usize(..body.len())].to_vec(),
        3 => (0..rng.usize(..200)).map(|_| rng.u8(..)).collect(),
        4 => wild(rng, 6).to_string().into_bytes(),
        5 => "[".repeat(rng.usize(..20_000)).into_bytes(),
        6 => format!("{{\"variables\":{}}}", "{\"a\":".repeat(rng.usize(..2_000))).into_bytes(),
        7 if rng.u8(..20) == 0 => format!("{body}{}", " ".repeat(1_100_000)).into_bytes(),
        7 => Vec::new(),
        _ => format!("\u{feff}{body}").into_bytes(),
    }
}
