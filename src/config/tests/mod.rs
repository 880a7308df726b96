//! The configuration, from what people write to what the server gets.

mod example;
mod refusals;
mod sources;
mod values;

use super::load::{self, File};
use super::{Config, ConfigError};

type Env<'a> = &'a [(&'a str, &'a str)];

/// Loads a file with this text, named `tenantry.toml`, and this environment.
fn try_load(text: &str, env: Env<'_>) -> Result<Config, ConfigError> {
    let file = File {
        name: "tenantry.toml".into(),
        text: text.into(),
    };
    load::load(Some(file), variables(env))
}

fn load(text: &str, env: Env<'_>) -> Config {
    try_load(text, env).unwrap()
}

/// Returns the error, which is always one line.
fn refusal(text: &str, env: Env<'_>) -> String {
    let error = try_load(text, env).unwrap_err().to_string();
    assert!(!error.contains(char::is_control), "{error:?}");
    error
}

fn variables(env: Env<'_>) -> impl Iterator<Item = (String, String)> {
    env.iter().map(|&(name, value)| (name.into(), value.into()))
}
