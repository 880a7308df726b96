//! Values for arguments and inputs: most of them fit, and some do not at all.

use async_graphql::parser::types::{BaseType, Type};
use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::model::{Argument, Kind, Model};
use super::pool::Pool;

/// Marks the value of an enum, which is a string in JSON but not in a document.
const ENUM: char = '\u{f8ff}';

/// Makes values.
pub struct Values<'a> {
    pub model: &'a Model,
    pub pool: &'a Pool,
    /// How many values in a thousand do not fit.
    pub wild: u32,
}

impl Values<'_> {
    /// A value of the type for the argument or field `name` of the field or input object `of`. Enum
    /// values are marked: see [`to_json`] and [`to_literal`].
    pub fn of(&self, ty: &Type, name: &str, of: &str, rng: &mut Rng) -> Value {
        if rng.u32(..1_000) < self.wild {
            return wild(rng, 3);
        }
        if ty.nullable && rng.u8(..12) == 0 {
            return Value::Null;
        }
        match &ty.base {
            BaseType::List(inner) => {
                let many = match rng.u8(..40) {
                    0 => 120,
                    1..8 => 0,
                    _ => rng.usize(1..4),
                };
                (0..many).map(|_| self.of(inner, name, of, rng)).collect()
            }
            BaseType::Named(kind) => match self.model.kind(kind) {
                Kind::Enum(values) => {
                    let value = rng.choice(values).map_or("", String::as_str);
                    json!(format!("{ENUM}{value}"))
                }
                Kind::Input { fields, is_one_of } => self.input(fields, *is_one_of, kind, rng),
                Kind::Scalar | Kind::Output { .. } => self.scalar(kind, name, of, rng),
            },
        }
    }

    fn input(&self, fields: &[Argument], is_one_of: bool, of: &str, rng: &mut Rng) -> Value {
        let mut object = Map::new();
        if is_one_of && rng.u32(..200) >= self.wild {
            if let Some(field) = rng.choice(fields) {
                let ty = Type {
                    nullable: false,
                    ..field.ty.clone()
                };
                object.insert(field.name.clone(), self.of(&ty, &field.name, of, rng));
            }
            return object.into();
        }
        for field in fields {
            let is_left_out = match field.ty.nullable {
                true => rng.u8(..5) > 1,
                false => rng.u32(..1_000) < self.wild,
            };
            if !is_left_out {
                let value = self.of(&field.ty, &field.name, of, rng);
                object.insert(field.name.clone(), value);
            }
        }
        if rng.u32(..1_000) < self.wild {
            object.insert("unknown".to_owned(), wild(rng, 1));
        }
        object.into()
    }

    fn scalar(&self, kind: &str, name: &str, of: &str, rng: &mut Rng) -> Value {
        match kind {
            "ID" => self.id(name, of, rng),
            "Int" => match rng.u8(..10) {
                0..7 => json!(rng.i32(1..8)),
                7 => json!(rng.i32(-2..130)),
                8 => json!(rng.choice([0, -1, 100, 101, 10_000, 10_001]).unwrap_or(0)),
                _ => json!(rng.choice([i32::MIN, i32::MAX]).unwrap_or(0)),
            },
            "Boolean" => json!(rng.bool()),
            "Float" => json!(rng.f64() * 10.0),
            "BigInt" => json!(rng.i64(..)),
            "DateTime" if rng.u8(..8) > 0 => json!(one_of(&DATES[..4], rng)),
            "DateTime" => json!(one_of(DATES, rng)),
            "Date" => json!(one_of(
                &["2026-01-01", "2026-02-30", "9999-12-31", "x"],
                rng
            )),
            "URL" => json!(one_of(&["https://a.example/", "javascript:1", "x"], rng)),
            "JSON" => match rng.u8(..6) {
                0 => wild(rng, 20),
                _ => Value::Object(
                    (0..rng.usize(..4))
                        .map(|_| (one_of(&["a", "b", "c"], rng), wild(rng, 3)))
                        .collect(),
                ),
            },
            _ => json!(self.text(name, of, rng)),
        }
    }

    fn id(&self, name: &str, of: &str, rng: &mut Rng) -> Value {
        let kind = match (name, of) {
            ("workspaceId", _) | ("id", "WorkspaceBy") => "ws",
            ("organizationId", _) | ("id", "OrganizationBy" | "WorkspaceOrganizationInput") => {
                "org"
            }
            ("userId", _) => "user",
            ("invitationId", _) => "inv",
            ("promptId", _) => "prompt",
            ("runId", _) | ("id", "run") => "run",
            ("apiTokenId", _) => "tok",
            ("iconStorageId", _) => "file",
            _ => "",
        };
        let known = match rng.u8(..12) {
            0 => return json!(text(rng)),
            1 => return json!(format!("ws_{:026}", rng.u32(..))),
            2 => self.pool.any_id(rng),
            _ if kind.is_empty() => self.pool.any_id(rng),
            _ => self.pool.one(kind, rng),
        };
        json!(known.unwrap_or("ws_00000000000000000000000000"))
    }

    fn text(&self, name: &str, of: &str, rng: &mut Rng) -> String {
        let seen = |kind: &str, rng: &mut Rng| self.pool.one(kind, rng).map(str::to_owned);
        let known = match name {
            "slug" if rng.u8(..3) == 0 => seen("slug.", rng),
            "slug" => Some(format!(
                "{}-{}",
                one_of(&["acme", "a", "x-y"], rng),
                rng.u16(..)
            )),
            "code" => seen("code.", rng),
            "email" | "confirmEmail" if rng.u8(..3) == 0 => {
                Some(format!("p{}@example.com", rng.u16(..)))
            }
            // Rarely right, since deleting an account takes everything with it.
            "confirmEmail" if rng.u8(..4) > 0 => None,
            "email" | "confirmEmail" => seen("email.", rng),
            "after" | "before" => self.pool.cursor(of, rng),
            "domain" => Some(one_of(DOMAINS, rng)),
            "cron" => Some(cron(rng)),
            "timeZone" => Some(one_of(ZONES, rng)),
            "name" | "text" | "description" | "tags" | "search" if rng.u8(..10) > 0 => Some(
                format!("{} {}", one_of(&["Acme", "é", "a b"], rng), rng.u16(..)),
            ),
            _ => None,
        };
        match known {
            Some(known) if rng.u8(..12) > 0 => known,
            _ => text(rng),
        }
    }
}

const DATES: &[&str] = &[
    "2026-01-01T00:00:00Z",
    "2030-01-01T00:00:00.123456+02:00",
    "2126-06-30T23:59:60Z",
    "9999-12-31T23:59:59Z",
    "1969-12-31T23:59:59Z",
    "10000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01",
    "now",
];

const DOMAINS: &[&str] = &[
    "example.com",
    "https://www.example.com/x",
    "bücher.example",
    "127.1",
    "xn--a",
    "a..b",
    "例え。テスト",
    "http://[::1]/",
    "a.b:99999",
    "\u{200d}.com",
];

const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "america/new_york",
    "Pacific/Apia",
    "Africa/Cairo",
    "+02:00",
    "Mars",
];

/// A cron pattern, or almost one.
fn cron(rng: &mut Rng) -> String {
    const FIELDS: &[&str] = &[
        "0",
        "30",
        "1,2",
        "1-5",
        "*",
        "*/2",
        "0-23",
        "31",
        "2",
        "7",
        "SUN",
        "jan",
        "L",
        "#",
        "60",
        "*/0",
        "1-5/2",
        "99999999999",
    ];
    if rng.bool() {
        let fields = [rng.u8(..60), rng.u8(..24)];
        return format!(
            "{} {} * * {}",
            fields[0],
            fields[1],
            one_of(&["*", "MON-FRI", "7"], rng)
        );
    }
    let fields: Vec<_> = (0..rng.usize(4..7)).map(|_| one_of(FIELDS, rng)).collect();
    fields.join(" ")
}

fn one_of(texts: &[&str], rng: &mut Rng) -> String {
    rng.choice(texts).copied().unwrap_or_default().to_owned()
}

/// Any text.
pub fn text(rng: &mut Rng) -> String {
    const PIECES: &[&str] = &[
        "",
        " ",
        "a",
        "Ü",
        "0",
        "\0",
        "\n",
        "\u{202e}",
        "\u{feff}",
        "\u{200d}",
        "🦀",
        "字",
        "'",
        "\"",
        "\\",
        "%",
        "_",
        "--",
        ";",
        "$1",
        "{}",
        "\u{10ffff}",
        "\u{ffff}",
        "null",
        "ws_",
        "é\u{301}",
        "ı",
        "İ",
        "<b>",
        "\r",
        "\t",
        "../",
        "@",
        ".",
    ];
    match rng.u8(..24) {
        0 => one_of(PIECES, rng).repeat(rng.usize(..3_000)),
        1 => (0..rng.usize(..40)).map(|_| rng.char(..)).collect(),
        _ => (0..rng.usize(..6)).map(|_| one_of(PIECES, rng)).collect(),
    }
}

/// Any value.
pub fn wild(rng: &mut Rng, levels: usize) -> Value {
    match rng.u8(..if levels == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(..)),
        3 => json!(rng.f64() * 1e300),
        4 => json!(rng.choice([0_u64, 1, 1 << 31, 1 << 53, u64::MAX])),
        5 | 6 => json!(text(rng)),
        7 => (0..rng.usize(..4)).map(|_| wild(rng, levels - 1)).collect(),
        8 => Value::Object(
            (0..rng.usize(..4))
                .map(|_| (text(rng), wild(rng, levels - 1)))
                .collect(),
        ),
        _ => {
            let (inside, levels) = (wild(rng, 0), rng.usize(..levels * 2 + 1));
            (0..levels).fold(inside, |inside, level| match level % 2 {
                0 => json!([inside]),
                _ => json!({ "a": inside }),
            })
        }
    }
}

/// The value as JSON.
pub fn to_json(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix(ENUM) {
            Some(name) => json!(name),
            None => json!(text),
        },
        Value::Array(items) => items.into_iter().map(to_json).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Value::Object(fields.map(|(name, value)| (name, to_json(value))).collect())
        }
        value => value,
    }
}

/// The value as a literal in a document. Keys that are not names are left out.
pub fn to_literal(value: &Value) -> String {
    match value {
        Value::String(text) => match text.strip_prefix(ENUM) {
            Some(name) => name.to_owned(),
            None => json!(text).to_string(),
        },
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(to_literal).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let is_name = |name: &str| {
                name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            };
            let fields = fields.iter().filter(|(name, _)| is_name(name));
            let fields: Vec<_> = fields
                .map(|(name, value)| format!("{name}: {}", to_literal(value)))
                .collect();
            format!("{{{}}}", fields.join(" "))
        }
        value => value.to_string(),
    }
}
