//! Deserializing the merged values into the structs.
//!
//! The `config` crate's own deserializer turns `true` into 1 and `2.5` into 3, and quotes the value in
//! its errors, even if it is a password. This one accepts text for a number or a boolean, because the
//! environment has nothing else, and is otherwise strict about types; its errors name the key and where
//! it was set, and repeat no value.

use std::fmt;

use ::config::{Value, ValueKind};
use serde::de::{
    DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use super::load::first_origin;
use super::{ConfigError, bounds, unknown};

/// A value, and the key it was found at.
pub(super) struct Entry {
    key: String,
    value: Value,
}

/// What is wrong and, once known, where.
#[derive(Debug)]
pub(super) enum Fault {
    /// Text to put after the key: "must be …".
    Problem(String),
    /// A table lacks this field.
    Missing(&'static str),
    /// The complete error, with its place.
    Placed(ConfigError),
}

impl Entry {
    /// The whole configuration.
    pub fn root(value: Value) -> Self {
        Self {
            key: String::new(),
            value,
        }
    }

    /// Returns the key of what is at `level` inside `key`.
    fn inside(key: &str, level: &str) -> String {
        match key {
            "" => level.to_owned(),
            key => format!("{key}.{level}"),
        }
    }

    /// Returns the fault of a value that is not what was expected.
    fn not(&self, expected: &str) -> Fault {
        Fault::Problem(match self.value.kind {
            // TOML has no null: this index of a list was skipped.
            ValueKind::Nil => "is missing: number a list from 0, without gaps".to_owned(),
            _ => expected.to_owned(),
        })
    }

    /// Returns the number if it is within the bounds of its key and of its type, whose maximum is
    /// `greatest`.
    fn number<T: TryFrom<i128>>(&self, greatest: impl Into<i128>) -> Result<T, Fault> {
        let number = match &self.value.kind {
            ValueKind::I64(number) => Some(i128::from(*number)),
            ValueKind::U64(number) => Some(i128::from(*number)),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.not("must be a whole number"))?;
        let bounds = bounds::of(&self.key);
        let (least, most) = (*bounds.start(), greatest.into().min(*bounds.end()));
        if number < least {
            return Err(Fault::Problem(format!("must be at least {least}")));
        }
        T::try_from(number)
            .ok()
            .filter(|_| number <= most)
            .ok_or_else(|| Fault::Problem(format!("must be at most {most}")))
    }

    /// Returns the text. It must not be empty: empty text is not meaningful for any setting.
    fn text(self) -> Result<String, Fault> {
        match self.value.kind {
            ValueKind::String(text) if text.is_empty() => Err(Fault::Problem(
                "must not be empty: give it a value, or leave it out".to_owned(),
            )),
            ValueKind::String(text) => Ok(text),
            _ => Err(self.not("must be text, in quotes")),
        }
    }

    /// Returns the entries of the table, by name.
    fn table(self) -> Result<Entries, Fault> {
        let ValueKind::Table(table) = self.value.kind else {
            return Err(self.not("must be a table with keys of its own"));
        };
        let mut entries: Vec<_> = table.into_iter().collect();
        // Tables have no order. Sorted in reverse, so that the first is popped first.
        entries.sort_by(|(a, _), (b, _)| b.cmp(a));
        Ok(Entries {
            key: self.key,
            entries,
        })
    }
}

macro_rules! numbers {
    ($($deserialize:ident $visit:ident $type:ident,)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.number($type::MAX)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Entry {
    type Error = Fault;

    numbers! {
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let truth = match &self.value.kind {
            ValueKind::Boolean(truth) => Some(*truth),
            ValueKind::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        visitor.visit_bool(truth.ok_or_else(|| self.not("must be true or false"))?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(self.text()?.to_lowercase().into_deserializer())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value.kind {
            ValueKind::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let values: Vec<Value> = match &self.value.kind {
            ValueKind::Array(values) => values.clone(),
            // The short form of a list, for the environment.
            ValueKind::String(text) => {
                let origin = self.value.origin().map(str::to_owned);
                let items = text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty());
                items
                    .map(|item| Value::new(origin.as_ref(), item))
                    .collect()
            }
            _ => return Err(self.not("must be a list")),
        };
        visitor.visit_seq(Items {
            key: self.key,
            values: values.into_iter().enumerate(),
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(self.table()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let table = self.table()?;
        for (name, value) in table.entries.iter().rev() {
            if !fields.contains(&name.as_str()) {
                let key = Self::inside(&table.key, name);
                return Err(Fault::Placed(unknown::error(&key, value, fields)));
            }
        }
        visitor.visit_map(table)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Fault> {
        // For developers who add a key: every test that loads a configuration runs into this.
        Err(self.not("has a type that is not supported"))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The entries of a table, in reverse order.
struct Entries {
    key: String,
    entries: Vec<(String, Value)>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        match self.entries.last() {
            Some((name, _)) => seed
                .deserialize(name.as_str().into_deserializer())
                .map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        // Serde asks for a value only after its key, whose entry is still there.
        let (name, value) = self.entries.pop().expect("a value follows its key");
        place(Entry::inside(&self.key, &name), value, seed)
    }
}

/// The items of a list.
struct Items {
    key: String,
    values: std::iter::Enumerate<std::vec::IntoIter<Value>>,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((index, value)) = self.values.next() else {
            return Ok(None);
        };
        place(Entry::inside(&self.key, &index.to_string()), value, seed).map(Some)
    }
}

/// Reads a value, and adds to a fault where it occurred.
fn place<'de, T: DeserializeSeed<'de>>(
    key: String,
    value: Value,
    seed: T,
) -> Result<T::Value, Fault> {
    let origin = first_origin(&value).map(str::to_owned);
    let entry = Entry {
        key: key.clone(),
        value,
    };
    seed.deserialize(entry).map_err(|fault| {
        let (key, problem) = match fault {
            Fault::Problem(problem) => (key, problem),
            Fault::Missing(field) => (Entry::inside(&key, field), "is missing".to_owned()),
            Fault::Placed(_) => return fault,
        };
        Fault::Placed(ConfigError::about(&key, &problem, origin.as_deref()))
    })
}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Problem(message.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn unknown_variant(_variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Problem(format!("must be one of: {}", expected.join(", ")))
    }

    fn invalid_type(_unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Problem(format!("must be {expected}"))
    }

    fn invalid_value(_unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Problem(format!("must be {expected}"))
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => f.write_str(problem),
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::Placed(error) => error.fmt(f),
        }
    }
}

impl From<Fault> for ConfigError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Placed(error) => error,
            fault => Self::new(format!("the configuration {fault}")),
        }
    }
}
