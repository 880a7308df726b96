//! `tenantry.example.toml` contains every key and its default.

use std::collections::BTreeSet;

use ::config::{FileFormat, Format};
use serde::Deserialize;
use serde_json::Value;

use super::load;
use crate::config::Config;

const EXAMPLE: &str = include_str!("../../../tenantry.example.toml");

/// Returns the example with every setting uncommented: `#key = …`, but not `# text`.
fn uncommented() -> String {
    let setting = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting.to_owned(),
        _ => line.to_owned(),
    };
    EXAMPLE.lines().map(setting).collect::<Vec<_>>().join("\n")
}

/// Returns every key of a configuration that is not a table, with its value. List indexes are left out.
pub(super) fn leaves(value: &Value) -> Vec<(String, Value)> {
    fn walk(value: &Value, key: &str, leaves: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(table) => {
                for (name, inside) in table {
                    let separator = if key.is_empty() { "" } else { "." };
                    walk(inside, &format!("{key}{separator}{name}"), leaves);
                }
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                items.iter().for_each(|item| walk(item, key, leaves));
            }
            leaf => leaves.push((key.to_owned(), leaf.clone())),
        }
    }
    let mut leaves = Vec::new();
    walk(value, "", &mut leaves);
    leaves
}

fn to_leaves(config: &Config) -> Vec<(String, Value)> {
    leaves(&serde_json::to_value(config).unwrap())
}

#[test]
fn as_it_is_it_changes_nothing() {
    assert_eq!(load(EXAMPLE, &[]), Config::default());
}

#[test]
fn uncommented_it_holds_every_key() {
    let text = uncommented();
    let table = FileFormat::Toml.parse(None, &text).unwrap();
    let written = Value::deserialize(::config::Value::from(table)).unwrap();
    let written: BTreeSet<_> = leaves(&written).into_iter().map(|(key, _)| key).collect();
    for (key, _) in to_leaves(&load(&text, &[])) {
        // The second plan only shows that there may be several.
        let is_repeated = key.starts_with("plans.pro.");
        assert!(
            is_repeated || written.contains(&key),
            "{key} is not in the example"
        );
    }
}

#[test]
fn uncommented_it_holds_the_defaults() {
    let uncommented = to_leaves(&load(&uncommented(), &[]));
    for (key, default) in to_leaves(&Config::default()) {
        let is_none = default.is_null() || default == Value::Array(Vec::new());
        if !is_none {
            assert!(
                uncommented.contains(&(key.clone(), default.clone())),
                "{key} is {default} unless set, but not in the example"
            );
        }
    }
}
