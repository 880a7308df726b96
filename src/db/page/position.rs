//! The position of a row in a list, and the cursor that encodes it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::types::Instant;
use crate::id::{Id, Kind};

/// What a list is ordered by, besides the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Nothing else: ids sort by creation.
    Id,
    /// An instant, in microseconds since the Unix epoch.
    Instant(i64),
    /// A folded text.
    Text(String),
}

impl Key {
    /// Whether a row may have this key: a forged cursor may hold a value that PostgreSQL cannot store,
    /// such as NUL in a text or an instant before its first.
    fn may_be_stored(&self) -> bool {
        match self {
            Self::Id => true,
            Self::Instant(micros) => Instant::from_micros(*micros)
                .is_some_and(|instant| (Instant::MIN..=Instant::MAX).contains(&instant)),
            Self::Text(text) => !text.contains('\0'),
        }
    }
}

/// The position of a row in a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// What the list is ordered by first.
    pub key: Key,
    /// What breaks ties.
    pub id: Uuid,
}

impl Position {
    /// Creates a position in a list ordered by id.
    pub fn by_id<K: Kind>(id: Id<K>) -> Self {
        Self {
            key: Key::Id,
            id: id.uuid(),
        }
    }

    /// Creates a position in a list ordered by an instant.
    pub fn by_instant<K: Kind>(instant: Instant, id: Id<K>) -> Self {
        Self {
            key: Key::Instant(instant.micros()),
            id: id.uuid(),
        }
    }

    /// Creates a position in a list ordered by a folded text.
    pub fn by_text<K: Kind>(text: &str, id: Id<K>) -> Self {
        Self {
            key: Key::Text(text.to_owned()),
            id: id.uuid(),
        }
    }

    /// Encodes the position as a cursor, opaque to clients, of the list with this name.
    pub fn cursor(&self, list: &str) -> String {
        let json = serde_json::json!([list, self.key, self.id.as_u128().to_string()]);
        BASE64URL_NOPAD.encode(json.to_string().as_bytes())
    }

    /// Decodes a cursor of the list with this name.
    ///
    /// # Errors
    /// [`BadCursor`] if the text is not a cursor, or is one of another list or order.
    pub fn of_cursor(cursor: &str, list: &str) -> Result<Self, BadCursor> {
        let json = BASE64URL_NOPAD
            .decode(cursor.as_bytes())
            .map_err(|_| BadCursor)?;
        let (of, key, id): (String, Key, String) =
            serde_json::from_slice(&json).map_err(|_| BadCursor)?;
        let id = id.parse().map(Uuid::from_u128).map_err(|_| BadCursor)?;
        if of == list && key.may_be_stored() {
            Ok(Self { key, id })
        } else {
            Err(BadCursor)
        }
    }

    /// Returns the position just after this one, with the same key.
    pub(super) fn next(self) -> Self {
        Self {
            id: Uuid::from_u128(self.id.as_u128().saturating_add(1)),
            ..self
        }
    }

    /// Returns the position just before this one, with the same key.
    pub(super) fn previous(self) -> Self {
        Self {
            id: Uuid::from_u128(self.id.as_u128().saturating_sub(1)),
            ..self
        }
    }
}

/// The text is not a cursor of this list.
#[derive(Debug, PartialEq, Eq)]
pub struct BadCursor;

impl fmt::Display for BadCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not a cursor of this list and order")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_one_list_only() {
        for key in [Key::Id, Key::Instant(7), Key::Text("straße".into())] {
            let position = Position {
                key,
                id: Uuid::from_u128(7),
            };
            let cursor = position.cursor("a");
            assert_eq!(Position::of_cursor(&cursor, "a"), Ok(position));
            assert_eq!(Position::of_cursor(&cursor, "b"), Err(BadCursor));
        }
        for text in ["", "!", "AAAA", "W10", "bnVsbA"] {
            assert_eq!(Position::of_cursor(text, "a"), Err(BadCursor));
        }
    }

    #[test]
    fn a_cursor_holds_what_can_be_stored() {
        let nul = Key::Text("a\0b".into());
        let instants = [i64::MIN, -8_000_000_000_000_000_000, -1, i64::MAX].map(Key::Instant);
        for key in instants.into_iter().chain([nul]) {
            let id = Uuid::from_u128(7);
            let cursor = Position { key, id }.cursor("a");
            assert_eq!(Position::of_cursor(&cursor, "a"), Err(BadCursor));
        }
    }
}
