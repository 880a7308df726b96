//! Errors about keys that do not exist.

use ::config::{Value, ValueKind};

use super::load::defaults;
use super::{ConfigError, environment};

/// Returns the error for `key`, which is none of `siblings`. It names the first setting inside it and
/// the most similar known key, if any is similar enough.
pub(super) fn error(key: &str, value: &Value, siblings: &[&str]) -> ConfigError {
    let (key, value) = first_setting(key.to_owned(), value);
    let mut message = format!("unknown key `{key}`");
    if let Some(origin) = value.origin() {
        message.push_str(&format!(" in {origin}"));
    }
    if let Some(nearest) = nearest(&key, siblings) {
        message.push_str(&format!(": did you mean `{nearest}`"));
        if value.origin().is_some_and(environment::is_origin) {
            message.push_str(&format!(" ({})", environment::name_of(&nearest)));
        }
        message.push('?');
    }
    ConfigError::new(message)
}

/// Returns the first leaf of a value, which is what the user wrote: tables only come from its path.
fn first_setting(key: String, value: &Value) -> (String, &Value) {
    match &value.kind {
        ValueKind::Table(table) => match table.iter().min_by_key(|(name, _)| *name) {
            Some((name, inside)) => first_setting(format!("{key}.{name}"), inside),
            None => (key, value),
        },
        _ => (key, value),
    }
}

/// Returns the known key most similar to `key`.
fn nearest(key: &str, siblings: &[&str]) -> Option<String> {
    let mut known: Vec<String> = match key.rsplit_once('.') {
        Some((table, _)) => siblings
            .iter()
            .map(|name| format!("{table}.{name}"))
            .collect(),
        None => siblings.iter().map(|&name| name.to_owned()).collect(),
    };
    if let Ok(defaults) = defaults() {
        collect(&defaults.cache, "", &mut known);
    }
    known.sort();
    known
        .into_iter()
        .min_by_key(|known| distance(key, known))
        .filter(|known| is_near(key, known))
}

/// Whether at most half of the key, not counting the leading tables that are right, has to change.
fn is_near(key: &str, known: &str) -> bool {
    let both = key.split('.').zip(known.split('.'));
    let right = both.take_while(|(key, known)| key == known);
    let right: usize = right.map(|(level, _)| level.len() + 1).sum();
    2 * distance(key, known) <= key.len().saturating_sub(right)
}

/// Collects every key inside a value, tables included.
fn collect(value: &Value, table: &str, keys: &mut Vec<String>) {
    if let ValueKind::Table(inside) = &value.kind {
        for (name, value) in inside {
            let key = match table {
                "" => name.clone(),
                table => format!("{table}.{name}"),
            };
            collect(value, &key, keys);
            keys.push(key);
        }
    }
}

/// Returns how many typos turn `known` into `key`. Leaving out the first tables counts as one: `port` is
/// near `http.port`.
fn distance(key: &str, known: &str) -> usize {
    let whole = strsim::damerau_levenshtein(key, known);
    let levels: Vec<_> = known.split('.').collect();
    match levels.len().checked_sub(key.split('.').count()) {
        Some(left_out @ 1..) => {
            let end = levels[left_out..].join(".");
            whole.min(1 + strsim::damerau_levenshtein(key, &end))
        }
        _ => whole,
    }
}
