//! The environment as a layer of the configuration.
//!
//! A variable's name is `TENANTRY_` and the key, with `__` between the levels; a level of digits is a
//! list index: `TENANTRY_AUTH__ISSUERS__0__ISSUER`. A few settings also have conventional names, which
//! give way to the full one.

use std::collections::BTreeMap;

use ::config::{Map, Value};

use super::ConfigError;

const PREFIX: &str = "TENANTRY_";

/// Conventional names, which people and platforms set without knowing of Tenantry.
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

/// Returns the environment of this process, for [`Config::load`](super::Config::load).
///
/// Unlike `std::env::vars`, does not panic on invalid Unicode: variables with such names are skipped,
/// since none of ours has one, and in values the invalid parts are replaced, so that they fail where
/// they are used.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        Some((
            name.into_string().ok()?,
            value.to_string_lossy().into_owned(),
        ))
    })
}

/// Returns the name of the variable that sets `key`.
pub(super) fn name_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_uppercase())
}

/// Returns how errors refer to a variable.
fn origin_of(name: &str) -> String {
    format!("the environment variable {name}")
}

/// Whether a value with this origin came from the environment.
pub(super) fn is_origin(origin: &str) -> bool {
    origin.starts_with(&origin_of(""))
}

/// Returns the values that the environment sets, by the path they are stored at.
///
/// # Errors
///
/// If two variables exclude each other: one sets a value, the other a key inside it.
pub(super) fn layer(
    env: impl Iterator<Item = (String, String)>,
) -> Result<Map<String, Value>, ConfigError> {
    // Sorted, so that the same environment always gives the same error. `${KEY:-}` in a compose file
    // turns an unset variable into an empty one, so empty means unset.
    let variables: BTreeMap<_, _> = env.filter(|(_, value)| !value.is_empty()).collect();

    // By path, the variable that won and its value.
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

/// Converts `AUTH__ISSUERS__0__ISSUER` to a path of the `config` crate: `auth.issuers[0].issuer`.
fn path(key: &str) -> String {
    let key = key.to_lowercase();
    let mut levels = key.split("__");
    let mut path = levels.next().unwrap_or_default().to_owned();
    for level in levels {
        // A list grows up to the given index, so an index has at most three digits.
        let is_place = (1..=3).contains(&level.len()) && level.bytes().all(|b| b.is_ascii_digit());
        if is_place {
            path.push_str(&format!("[{level}]"));
        } else {
            path.push_str(&format!(".{level}"));
        }
    }
    path
}

/// Whether Kubernetes set this variable. It gives every pod variables about the services in its
/// namespace, and a service may well be called `tenantry`: `TENANTRY_SERVICE_HOST`,
/// `TENANTRY_PORT=tcp://…`, `TENANTRY_PORT_80_TCP`.
fn is_service_link(key: &str, value: &str) -> bool {
    let numbered = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    key.starts_with("SERVICE_")
        || (key == "PORT" && value.contains("://"))
        || key.strip_prefix("PORT_").is_some_and(numbered)
}
