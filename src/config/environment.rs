//! The environment as a layer of the configuration.
//!
//! `TENANTRY_` and the key, with `__` between the levels; a level of digits is a place in a list:
//! `TENANTRY_AUTH__ISSUERS__0__ISSUER`. A few settings have usual names besides, which give way to
//! the full one.

use std::collections::BTreeMap;

use ::config::{Map, Value};

use super::ConfigError;

const PREFIX: &str = "TENANTRY_";

/// Names that people and platforms set without knowing of us.
const USUAL_NAMES: [(&str, &str); 9] = [
    ("DATABASE_URL", "database.url"),
    ("DATABASE_READ_URL", "database.read_url"),
    ("DATABASE_LISTEN_URL", "database.listen_url"),
    ("HOST", "http.host"),
    ("PORT", "http.port"),
    ("RUST_LOG", "log.filter"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.endpoint"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "telemetry.headers"),
    ("OTEL_SERVICE_NAME", "telemetry.service_name"),
];

/// The environment of this process, for [`Config::load`](super::Config::load).
///
/// Unlike `std::env::vars`, does not panic on what is not Unicode: no such name is ours, and in such
/// a value what cannot be read is replaced, so that it fails where it is used.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        Some((
            name.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    })
}

/// The name of the variable that sets `key`.
pub(super) fn name_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// How errors name a variable.
fn origin_of(name: &str) -> String {
    format!("the environment variable {name}")
}

/// Whether a value with this origin came from the environment.
pub(super) fn is_origin(origin: &str) -> bool {
    origin.starts_with(&origin_of(""))
}

/// The values that the environment sets, by the path where they go.
///
/// # Errors
///
/// Two variables exclude each other: one sets what the other reaches into.
pub(super) fn layer(
    env: impl Iterator<Item = (String, String)>,
) -> Result<Map<String, Value>, ConfigError> {
    // Sorted, so that the same environment always gives the same error. `${KEY:-}` in a compose
    // file makes an empty variable of one that is not set, so that is what empty means.
    let variables: BTreeMap<_, _> = env.filter(|(_, value)| !value.is_empty()).collect();

    // By path, the variable that won and what it says.
    let mut set: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for (name, value) in &variables {
        if let Some(key) = name.strip_prefix(PREFIX)
            && key != "CONFIG"
            && !is_service_link(key, value)
        {
            set.insert(path(key), (name, value));
        }
    }
    for (name, key) in USUAL_NAMES {
        if let Some(value) = variables.get(name) {
            set.entry(key.to_owned()).or_insert((name, value));
        }
    }

    for (path, (name, _)) in &set {
        let inside = |other: &&String| {
            let rest = other.strip_prefix(path.as_str());
            rest.is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        if let Some(other) = set.keys().find(inside) {
            let (other, _) = set[other];
            return Err(ConfigError::new(format!(
                "the environment variables {name} and {other} exclude each other: unset one of them"
            )));
        }
    }

    let value = |name, value| Value::new(Some(&origin_of(name)), value);
    Ok(set
        .into_iter()
        .map(|(path, (name, text))| (path, value(name, text)))
        .collect())
}

/// `AUTH__ISSUERS__0__ISSUER` as a path of the `config` crate: `auth.issuers[0].issuer`.
fn path(key: &str) -> String {
    let key = key.to_lowercase();
    let mut levels = key.split("__");
    let mut path = levels.next().unwrap_or_default().to_owned();
    for level in levels {
        // A list grows up to the place that is named, so a place is at most three digits.
        let is_place = (1..=3).contains(&level.len()) && level.bytes().all(|b| b.is_ascii_digit());
        if is_place {
            path.push_str(&format!("[{level}]"));
        } else {
            path.push_str(&format!(".{level}"));
        }
    }
    path
}

/// Kubernetes gives every pod variables about the services beside it, and a service may well be
/// called `tenantry`: `TENANTRY_SERVICE_HOST`, `TENANTRY_PORT=tcp://…`, `TENANTRY_PORT_80_TCP`.
fn is_service_link(key: &str, value: &str) -> bool {
    let numbered = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    key.starts_with("SERVICE_")
        || (key == "PORT" && value.contains("://"))
        || key.strip_prefix("PORT_").is_some_and(numbered)
}
