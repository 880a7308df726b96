//! Keyset pages.
//!
//! A list is ordered by a key and an id that breaks ties. A page of it is the rows between two
//! positions, read from one end: the same statement serves `first` and `last`, `after` and `before`,
//! with a cursor and without.

mod fragment;
mod list;
mod position;
#[cfg(test)]
mod properties;

pub use fragment::{by_id, by_instant, by_text, ordered};
pub use list::{Children, List, Listing, Pages, Wanted};
pub use position::{BadCursor, Key, Position};

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
pub struct Window {
    /// Only rows whose key is greater than this one's.
    pub low: Option<Position>,
    /// Only rows whose key is less than this one's.
    pub high: Option<Position>,
    /// Which end to read from.
    pub direction: Direction,
    /// As many rows at the most.
    pub limit: i64,
    /// As many rows are passed over first.
    pub offset: i64,
}

/// The page that a client asks for.
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
    /// As many rows are passed over first: at most 10,000.
    pub offset: u16,
}

impl PageRequest {
    /// The window that holds the page and one row more, which tells whether the list goes on.
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

    /// Whether rows may lie beyond the end that the page is read from.
    fn may_leave_out(&self) -> bool {
        self.offset > 0
            || if self.from_end {
                self.before.is_some()
            } else {
                self.after.is_some()
            }
    }

    /// Whether rows may lie beyond the far end of the window, where no page of it reaches.
    fn is_cut_off(&self) -> bool {
        if self.from_end {
            self.after.is_some()
        } else {
            self.before.is_some()
        }
    }

    /// Whether the page is one list's alone: cursors belong to one list.
    pub fn has_cursor(&self) -> bool {
        self.after.is_some() || self.before.is_some()
    }
}

impl Window {
    /// The window of one row that tells whether any lie beyond the page, on the side that `self` was
    /// read from: before its first row, or, where it has none, before its own beginning.
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
            // Rows that `offset` passed over lie inside the window, and then there are no others.
            (Direction::Ascending, None) if self.offset > 0 => beyond.high.clone_from(&self.high),
            (Direction::Descending, None) if self.offset > 0 => beyond.low.clone_from(&self.low),
            // The row of the cursor itself lies outside of the window, and counts.
            (Direction::Ascending, None) => beyond.high = self.low.clone().map(Position::next),
            (Direction::Descending, None) => beyond.low = self.high.clone().map(Position::previous),
        }
        beyond
    }

    /// The window of one row that tells whether any lie beyond the end that `self` is read towards.
    fn cut_off(&self) -> Self {
        let mut beyond = Self {
            low: None,
            high: None,
            direction: self.direction,
            limit: 1,
            offset: 0,
        };
        // The row of the cursor itself lies outside of the window, and counts.
        match self.direction {
            Direction::Ascending => beyond.low = self.high.clone().map(Position::previous),
            Direction::Descending => beyond.high = self.low.clone().map(Position::next),
        }
        beyond
    }
}
