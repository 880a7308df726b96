//! Keyset pagination.
//!
//! A list is ordered by a key, with an id to break ties. A page is the rows between two positions, read
//! from one end: the same statement serves `first` and `last`, `after` and `before`, with and without a
//! cursor.

mod fragment;
mod list;
mod position;
#[cfg(test)]
mod properties;

pub use fragment::{by_id, by_instant, by_text, ordered};
pub use list::{Children, List, Listing, Pages, Wanted};
pub use position::{BadCursor, Key, Position};

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the smallest key to the largest.
    Ascending,
    /// From the largest key to the smallest.
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

/// The rows between two positions, both exclusive, read in `direction`.
#[derive(Clone, Debug)]
pub struct Window {
    /// Only rows after this position, in ascending order.
    pub low: Option<Position>,
    /// Only rows before this position, in ascending order.
    pub high: Option<Position>,
    /// The order to read in, which decides the end to start from.
    pub direction: Direction,
    /// At most this many rows.
    pub limit: i64,
    /// How many rows to skip first.
    pub offset: i64,
}

/// The page that a client requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// How many rows: 1 to 100.
    pub size: u16,
    /// Whether the page is the last of the list (`last`) and not its first (`first`).
    pub from_end: bool,
    /// Only rows that come after this one in the list.
    pub after: Option<Position>,
    /// Only rows that come before this one in the list.
    pub before: Option<Position>,
    /// How many rows to skip first: at most 10,000.
    pub offset: u16,
}

impl PageRequest {
    /// Returns the window that holds the page and one row more, which tells whether the list goes on.
    fn window(&self, order: Direction) -> Window {
        let (after, before) = (self.after.clone(), self.before.clone());
        let (low, high) = match order {
            Direction::Ascending => (after, before),
            Direction::Descending => (before, after),
        };
        Window {
            low,
            high,
            direction: if self.from_end {
                order.reversed()
            } else {
                order
            },
            limit: i64::from(self.size) + 1,
            offset: self.offset.into(),
        }
    }

    /// Returns whether rows may lie beyond the end that the page is read from.
    fn may_leave_out(&self) -> bool {
        self.offset > 0
            || if self.from_end {
                self.before.is_some()
            } else {
                self.after.is_some()
            }
    }

    /// Returns whether a cursor bounds the far end of the window, so that there may be rows that it
    /// cannot reach.
    fn is_cut_off(&self) -> bool {
        if self.from_end {
            self.after.is_some()
        } else {
            self.before.is_some()
        }
    }

    /// Returns whether the page has a cursor, and so belongs to the list of a single parent.
    pub fn has_cursor(&self) -> bool {
        self.after.is_some() || self.before.is_some()
    }
}

impl Window {
    /// Returns the one-row window that tells whether rows lie beyond the page, on the side that `self`
    /// was read from: before the page's first row or, if it has none, before the beginning of `self`.
    fn left_out(&self, first: Option<Position>) -> Self {
        let mut beyond = Self {
            low: None,
            high: None,
            direction: self.direction.reversed(),
            limit: 1,
            offset: 0,
        };
        match (self.direction, first) {
            (Direction::Ascending, Some(first)) => beyond.high = Some(first),
            (Direction::Descending, Some(first)) => beyond.low = Some(first),
            // With an empty page, rows skipped by `offset` lie inside the window, and there are no
            // others in it.
            (Direction::Ascending, None) if self.offset > 0 => beyond.high.clone_from(&self.high),
            (Direction::Descending, None) if self.offset > 0 => beyond.low.clone_from(&self.low),
            // The cursor's own row lies outside the window, and counts.
            (Direction::Ascending, None) => beyond.high = self.low.clone().map(Position::next),
            (Direction::Descending, None) => beyond.low = self.high.clone().map(Position::previous),
        }
        beyond
    }

    /// Returns the one-row window that tells whether rows lie beyond the end that `self` is read toward.
    fn cut_off(&self) -> Self {
        let mut beyond = Self {
            low: None,
            high: None,
            direction: self.direction,
            limit: 1,
            offset: 0,
        };
        // The cursor's own row lies outside the window, and counts.
        match self.direction {
            Direction::Ascending => beyond.low = self.high.clone().map(Position::previous),
            Direction::Descending => beyond.high = self.low.clone().map(Position::next),
        }
        beyond
    }
}
