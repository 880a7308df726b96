//! What clients have seen of the server's data, for use in further requests.

use std::collections::BTreeMap;

use data_encoding::BASE64URL_NOPAD;
use fastrand::Rng;
use serde_json::{Value, json};

/// How many texts of a kind are kept.
const MOST: usize = 48;

/// Texts seen in replies, by kind.
#[derive(Default)]
pub struct Pool {
    /// Ids by their prefix, cursors by the field they belong to, and `slug`, `code`, `email`.
    seen: BTreeMap<String, Vec<String>>,
    /// The index at which the last text replaced another in a full list.
    oldest: usize,
}

impl Pool {
    pub fn add(&mut self, kind: &str, text: impl Into<String>) {
        let seen = self.seen.entry(kind.to_owned()).or_default();
        let text = text.into();
        if seen.contains(&text) {
            return;
        }
        if seen.len() < MOST {
            seen.push(text);
        } else {
            self.oldest = (self.oldest + 1) % MOST;
            seen[self.oldest] = text;
        }
    }

    /// A text of that kind, if any was seen.
    pub fn one(&self, kind: &str, rng: &mut Rng) -> Option<&str> {
        rng.choice(self.seen.get(kind)?).map(String::as_str)
    }

    /// An id of any kind.
    pub fn any_id(&self, rng: &mut Rng) -> Option<&str> {
        let kinds = self.seen.keys().filter(|kind| !kind.contains('.'));
        let kind = rng.choice(kinds.collect::<Vec<_>>())?;
        self.one(kind, rng)
    }

    /// Keeps every text in a reply. `field` is the field that the reply is the value of.
    pub fn keep(&mut self, reply: &Value, field: &str) {
        match reply {
            Value::Object(fields) => {
                for (name, value) in fields {
                    // Aliases are the field's name and a number; edges and page infos belong to the
                    // list.
                    let name = name.split("_n").next().unwrap_or_default();
                    let of_list = matches!(name, "pageInfo" | "edges" | "nodes");
                    match value {
                        Value::String(text) => self.keep_text(text, name, field),
                        value => self.keep(value, if of_list { field } else { name }),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.keep(item, field)),
            _ => {}
        }
    }

    fn keep_text(&mut self, text: &str, name: &str, parent: &str) {
        match name {
            "cursor" | "startCursor" | "endCursor" => self.add(&format!("cursor.{parent}"), text),
            "slug" | "suggestion" => self.add("slug.", text),
            "inviteCode" => self.add("code.", text),
            "email" => self.add("email.", text),
            _ => {
                if let Some((prefix, suffix)) = text.split_once('_')
                    && suffix.len() == 26
                    && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
                {
                    self.add(prefix, text);
                }
            }
        }
    }

    /// A cursor for a list: usually one of its own, else one of another list, a broken one or a forged
    /// one.
    pub fn cursor(&self, field: &str, rng: &mut Rng) -> Option<String> {
        let kind = format!("cursor.{field}");
        let cursors = self.seen.keys().filter(|kind| kind.starts_with("cursor."));
        let cursors: Vec<_> = cursors.collect();
        let other = rng.choice(&cursors).map(|kind| kind.as_str());
        let kind = if rng.u8(..10) > 0 && self.seen.contains_key(&kind) {
            kind.as_str()
        } else {
            other?
        };
        let cursor = self.one(kind, rng)?.to_owned();
        Some(match rng.u8(..10) {
            0..6 => cursor,
            6 => cursor[..rng.usize(..cursor.len())].to_owned(),
            _ => forge(&cursor, rng).unwrap_or(cursor),
        })
    }
}

/// A cursor of the same list with another position in it.
fn forge(cursor: &str, rng: &mut Rng) -> Option<String> {
    let json = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
    let mut parts: Vec<Value> = serde_json::from_slice(&json).ok()?;
    let keys = [
        json!(null),
        json!(0),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1.5),
        json!(""),
        json!("\u{10ffff}"),
        json!("a\u{0}b"),
        json!("%_\\'\""),
        json!("z".repeat(5_000)),
        json!([]),
    ];
    let ids = [
        json!("0"),
        json!("+1"),
        json!("-1"),
        json!(u128::MAX.to_string()),
        json!("340282366920938463463374607431768211456"),
        json!(7),
        json!("x"),
    ];
    match rng.u8(..3) {
        0 => *parts.get_mut(1)? = rng.choice(keys)?,
        1 => *parts.get_mut(2)? = rng.choice(ids)?,
        _ => {
            *parts.get_mut(1)? = rng.choice(keys)?;
            *parts.get_mut(2)? = rng.choice(ids)?;
        }
    }
    Some(BASE64URL_NOPAD.encode(&serde_json::to_vec(&parts).ok()?))
}
