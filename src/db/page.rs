//! Keyset pages.
//!
//! A list is ordered by a key and an id that breaks ties. A page of it is the rows between two
//! positions, read from one end: the same statement serves `first` and `last`, `after` and `before`,
//! with a cursor and without.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::types::Instant;

/// What a list can be ordered by, besides the id.
pub trait Key: Clone + PartialOrd + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Not after any key of a row.
    fn min() -> Self;
    /// After every key of a row.
    fn max() -> Self;
}

/// Lists ordered by the id alone.
impl Key for () {
    fn min() -> Self {}
    fn max() -> Self {}
}

impl Key for String {
    fn min() -> Self {
        String::new()
    }

    fn max() -> Self {
        // The last code point, which is assigned to nothing and which no name may hold.
        "\u{10FFFF}".to_owned()
    }
}

/// Instants travel in cursors as microseconds.
impl Key for i64 {
    fn min() -> Self {
        Instant::MIN.micros()
    }

    fn max() -> Self {
        Instant::MAX.micros()
    }
}

/// The place of a row in a list.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub struct Position<K>(pub K, pub Uuid);

impl<K: Key> Position<K> {
    fn start() -> Self {
        Self(K::min(), Uuid::nil())
    }

    fn end() -> Self {
        Self(K::max(), Uuid::max())
    }

    /// The cursor of this position in the list of that name, which clients take as it is.
    pub fn cursor(&self, list: &str) -> String {
        let json = serde_json::json!([list, self.0, self.1.as_simple().to_string()]);
        BASE64URL_NOPAD.encode(json.to_string().as_bytes())
    }

    /// The position of a cursor of the list of that name.
    ///
    /// # Errors
    /// Where it is no cursor, or that of another list or order.
    pub fn of_cursor(cursor: &str, list: &str) -> Result<Self, BadCursor> {
        let json = BASE64URL_NOPAD
            .decode(cursor.as_bytes())
            .map_err(|_| BadCursor)?;
        let (of, key, id): (String, K, String) =
            serde_json::from_slice(&json).map_err(|_| BadCursor)?;
        let id = Uuid::try_parse(&id).map_err(|_| BadCursor)?;
        if of == list {
            Ok(Self(key, id))
        } else {
            Err(BadCursor)
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

/// Which way a list runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the least key to the greatest.
    Ascending,
    /// From the greatest key to the least.
    Descending,
}

impl Direction {
    fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The rows between two positions, neither of them included, read in `direction`.
#[derive(Clone, Debug)]
pub struct Window<K> {
    /// Only rows after this one, by key.
    pub low: Position<K>,
    /// Only rows before this one, by key.
    pub high: Position<K>,
    /// Which end to read from.
    pub direction: Direction,
    /// As many rows at the most.
    pub limit: i64,
    /// As many rows are passed over first.
    pub offset: i64,
}

/// The page that a client asks for, its cursors still as they came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// How many rows: 1 to 100.
    pub size: usize,
    /// Whether the page is the last of the list (`last`) and not its first (`first`).
    pub from_end: bool,
    /// Only rows that come after this one in the list.
    pub after: Option<String>,
    /// Only rows that come before this one in the list.
    pub before: Option<String>,
    /// As many rows are passed over first.
    pub offset: usize,
}

impl PageRequest {
    /// The window that holds the page and one row more, which tells whether the list goes on.
    ///
    /// # Errors
    /// The name of the argument whose cursor is not one of this list.
    pub fn window<K: Key>(&self, list: &str, order: Direction) -> Result<Window<K>, &'static str> {
        let position = |cursor: &Option<String>, name| match cursor {
            Some(cursor) => Position::of_cursor(cursor, list)
                .map(Some)
                .map_err(|_| name),
            None => Ok(None),
        };
        let (after, before) = (
            position(&self.after, "after")?,
            position(&self.before, "before")?,
        );
        let (low, high) = match order {
            Direction::Ascending => (after, before),
            Direction::Descending => (before, after),
        };
        Ok(Window {
            low: low.unwrap_or_else(Position::start),
            high: high.unwrap_or_else(Position::end),
            direction: if self.from_end {
                order.reversed()
            } else {
                order
            },
            // `size` is at most 100 and `offset` at most 10,000.
            limit: self.size as i64 + 1,
            offset: self.offset as i64,
        })
    }

    /// Whether rows may lie before the page, on the side where no row more was read.
    pub fn may_leave_out(&self) -> bool {
        self.offset > 0
            || if self.from_end {
                self.before.is_some()
            } else {
                self.after.is_some()
            }
    }
}

impl<K: Key> Window<K> {
    /// The window of one row that tells whether any lie beyond the page, on the side that `self` was
    /// read from: before its first row, or, where it has none, before its own beginning.
    pub fn left_out(&self, first: Option<Position<K>>) -> Self {
        let mut window = Self {
            low: Position::start(),
            high: Position::end(),
            direction: self.direction.reversed(),
            limit: 1,
            offset: 0,
        };
        match (self.direction, first) {
            (Direction::Ascending, Some(first)) => window.high = first,
            (Direction::Descending, Some(first)) => window.low = first,
            // The row of the cursor itself lies outside of `self`, and counts. Rows that `offset`
            // passed over lie inside, and then there are no others.
            (Direction::Ascending, None) if self.offset > 0 => window.high = self.high.clone(),
            (Direction::Descending, None) if self.offset > 0 => window.low = self.low.clone(),
            (Direction::Ascending, None) => window.high = self.low.clone().next(),
            (Direction::Descending, None) => window.low = self.high.clone().previous(),
        }
        window
    }
}

impl<K> Position<K> {
    fn next(self) -> Self {
        Self(self.0, Uuid::from_u128(self.1.as_u128().saturating_add(1)))
    }

    fn previous(self) -> Self {
        Self(self.0, Uuid::from_u128(self.1.as_u128().saturating_sub(1)))
    }
}

/// A page as it was read.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub rows: Vec<T>,
    /// Whether rows come before them.
    pub has_previous: bool,
    /// Whether rows come after them.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// The page of `request` from the rows of its window. `left_out` is whether rows lie on the side
    /// that the window was read from.
    pub fn new(request: &PageRequest, mut rows: Vec<T>, left_out: bool) -> Self {
        let more = rows.len() > request.size;
        rows.truncate(request.size);
        if request.from_end {
            rows.reverse();
            Self {
                rows,
                has_previous: more,
                has_next: left_out,
            }
        } else {
            Self {
                rows,
                has_previous: left_out,
                has_next: more,
            }
        }
    }
}
