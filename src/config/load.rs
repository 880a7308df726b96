//! Merging the sources of the configuration.

use std::io;
use std::path::Path;

use ::config::{FileFormat, Format, Map, Source, Value, ValueKind};
use serde::Deserialize;

use super::reader::Entry;
use super::{Config, ConfigError, environment, validate};

/// Read if no file is named and this one exists.
const DEFAULT_FILE: &str = "tenantry.toml";

/// A configuration file as it was read.
pub(super) struct File {
    /// The name that errors use for it.
    pub name: String,
    /// Its content, TOML.
    pub text: String,
}

/// Values by path, each with its origin.
#[derive(Clone, Debug)]
struct Layer(Map<String, Value>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ::config::ConfigError> {
        Ok(self.0.clone())
    }
}

/// Reads the named file, or else `tenantry.toml` if it exists.
///
/// # Errors
///
/// If the file cannot be read. A named file must exist.
pub(super) fn read(file: Option<&Path>) -> Result<Option<File>, ConfigError> {
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(File { name, text })),
        Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConfigError::new(format!("cannot read {name}: {error}"))),
    }
}

/// Merges the sources into one configuration.
///
/// # Errors
///
/// As [`Config::load`].
pub(super) fn load(
    file: Option<File>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Config, ConfigError> {
    let merged = merge(file, env)?;
    let config = Config::deserialize(Entry::root(merged.clone()))?;
    let problems: Vec<_> = validate::problems(&config)
        .into_iter()
        .map(|(key, problem)| ConfigError::about(&key, &problem, origin(&merged, &key)).to_string())
        .collect();
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError::new(problems.join("; ")))
    }
}

/// Merges the defaults, the file and the environment, each overriding the one before.
fn merge(
    file: Option<File>,
    env: impl Iterator<Item = (String, String)>,
) -> Result<Value, ConfigError> {
    let file = match file {
        Some(file) => parse(&file)?,
        None => Map::new(),
    };
    let builder = ::config::Config::builder()
        .add_source(defaults()?)
        .add_source(Layer(file))
        .add_source(Layer(environment::layer(env)?));
    Ok(builder.build().map_err(internal)?.cache)
}

/// Returns the defaults as a layer. A user's settings override them key by key, so that setting a
/// provider's model keeps that provider's own URL.
pub(super) fn defaults() -> Result<::config::Config, ConfigError> {
    ::config::Config::try_from(&Config::default()).map_err(internal)
}

/// Converts an error that cannot occur: the library only fails on files and types, and neither is
/// involved here.
fn internal(error: ::config::ConfigError) -> ConfigError {
    ConfigError::new(format!("the configuration cannot be merged: {error}"))
}

fn parse(file: &File) -> Result<Map<String, Value>, ConfigError> {
    FileFormat::Toml
        .parse(Some(&file.name), &file.text)
        .map_err(|error| {
            // The report has the position on its first line, the problem on its last, and between them a
            // line of the file, which may contain a secret. About a number that is too large, the report
            // is one line, without a position.
            let report = error.to_string();
            let place = report
                .lines()
                .next()
                .and_then(|line| line.strip_prefix("TOML parse error at "));
            let what = report.lines().last().unwrap_or_default();
            let place = place.map_or(String::new(), |place| format!(" at {place}"));
            ConfigError::new(format!("{} is not valid TOML{place}: {what}", file.name))
        })
}

/// Returns where the value at `key`, or the first setting inside it, was set. `None` for a default.
fn origin<'a>(merged: &'a Value, key: &str) -> Option<&'a str> {
    let at = key
        .split('.')
        .try_fold(merged, |value, level| match &value.kind {
            ValueKind::Table(table) => table.get(level),
            ValueKind::Array(values) => values.get(level.parse::<usize>().ok()?),
            _ => None,
        })?;
    first_origin(at)
}

/// Returns where the first setting inside a value was set, or else the value itself.
pub(super) fn first_origin(value: &Value) -> Option<&str> {
    let inside = match &value.kind {
        ValueKind::Table(table) => {
            // Sorted, since tables have no order and errors should be the same every time.
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            entries
                .into_iter()
                .find_map(|(_, value)| first_origin(value))
        }
        ValueKind::Array(values) => values.iter().find_map(first_origin),
        _ => None,
    };
    inside.or(value.origin())
}
