//! Paginated lists, which the API shows as connections.

use std::collections::HashMap;

use super::position::Position;
use super::{Direction, PageRequest, Window};
use crate::db::{Connection, MAX_PARENTS};
use crate::error::Result;
use crate::id::{Id, Kind, UserId};

/// The rows of several parents, each row with its parent.
pub type Children<P, R> = Vec<(Id<P>, R)>;

/// One page for each of several parents.
pub type Pages<P, R> = HashMap<Id<P>, Listing<R>>;

/// A list of rows that belong to a parent. Its value holds the filter and the order.
///
/// Every query of a list starts from what `viewer` may see: a parent hidden from them has no rows.
pub trait List: Send + Sync {
    /// What the rows belong to.
    type Parent: Kind + 'static;
    /// The rows.
    type Row: Send;

    /// Returns a name that tells this list and its order from every other list of the same parent.
    fn name(&self) -> String;

    /// Returns the order of the list.
    fn order(&self) -> Direction;

    /// Returns the position of a row in the list.
    fn position(&self, row: &Self::Row) -> Position;

    /// Reads the rows of the window for each of `parents` (at most [`MAX_PARENTS`]) in one statement.
    /// Each parent's rows come in the order of the window.
    fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[Id<Self::Parent>],
        window: &Window,
    ) -> impl Future<Output = Result<Children<Self::Parent, Self::Row>>> + Send;

    /// Counts all rows of each of `parents` in one statement. Parents without rows may be left out.
    fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[Id<Self::Parent>],
    ) -> impl Future<Output = Result<Vec<(Id<Self::Parent>, i64)>>> + Send;

    /// Returns the name that tells cursors of `parent`'s list from those of every other list.
    fn cursor_name(&self, parent: Id<Self::Parent>) -> String {
        format!("{}:{parent}", self.name())
    }

    /// Reads the page that `request` asks for, for each of `parents`. The number of statements does not
    /// depend on the number of rows, and on the number of parents only beyond [`MAX_PARENTS`], or with a
    /// cursor or an offset.
    ///
    /// # Errors
    /// Database errors only.
    fn pages(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[Id<Self::Parent>],
        request: &PageRequest,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Pages<Self::Parent, Self::Row>>> + Send {
        async move {
            let mut pages = HashMap::with_capacity(parents.len());
            // A cursor belongs to the list of one parent, so each parent has its own window; without a
            // cursor they share one.
            let together = if request.has_cursor() { 1 } else { MAX_PARENTS };
            for parents in parents.chunks(together) {
                let window = request.window(self.order());
                let mut rows = group(self.read(conn, viewer, parents, &window).await?);
                let totals: HashMap<_, _> = if wanted.total {
                    self.count(conn, viewer, parents)
                        .await?
                        .into_iter()
                        .collect()
                } else {
                    HashMap::new()
                };
                for (parent, rows) in parents.iter().map(|parent| (*parent, rows.remove(parent))) {
                    let rows = rows.unwrap_or_default();
                    let left_out = if wanted.left_out && request.may_leave_out() {
                        let beyond = window.left_out(rows.first().map(|row| self.position(row)));
                        !self
                            .read(conn, viewer, &[parent], &beyond)
                            .await?
                            .is_empty()
                    } else {
                        false
                    };
                    let mut more = rows.len() > usize::from(request.size);
                    if !more && wanted.more && request.is_cut_off() {
                        let beyond = window.cut_off();
                        more = !self
                            .read(conn, viewer, &[parent], &beyond)
                            .await?
                            .is_empty();
                    }
                    let total = totals.get(&parent).copied().unwrap_or(0);
                    pages.insert(parent, Listing::new(request, rows, left_out, more, total));
                }
            }
            Ok(pages)
        }
    }
}

fn group<P: Kind, R>(children: Children<P, R>) -> HashMap<Id<P>, Vec<R>> {
    let mut groups: HashMap<_, Vec<_>> = HashMap::new();
    for (parent, row) in children {
        groups.entry(parent).or_default().push(row);
    }
    groups
}

/// What else is requested of a page besides its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// How many rows there are in all.
    pub total: bool,
    /// Whether rows lie beyond the end that the page is read from.
    pub left_out: bool,
    /// Whether rows lie beyond the other end, which is known anyway unless a cursor bounds the page
    /// there.
    pub more: bool,
}

/// A page that was read.
#[derive(Clone, Debug)]
pub struct Listing<R> {
    /// The rows, in the order of the list.
    pub rows: Vec<R>,
    /// Whether other rows precede these.
    pub has_previous: bool,
    /// Whether other rows follow these.
    pub has_next: bool,
    /// How many rows there are in all; 0 unless requested.
    pub total: i64,
}

impl<R> Listing<R> {
    /// Returns the page of a list that has no rows, or none that the viewer may see.
    pub fn empty() -> Self {
        Self {
            rows: Vec::new(),
            has_previous: false,
            has_next: false,
            total: 0,
        }
    }

    /// Makes the page of `request` from the rows of its window, which holds one row more than the page
    /// if the list goes on. `left_out` says whether rows lie beyond the end that the window was read
    /// from, `more` whether any lie beyond the other.
    fn new(
        request: &PageRequest,
        mut rows: Vec<R>,
        left_out: bool,
        more: bool,
        total: i64,
    ) -> Self {
        rows.truncate(request.size.into());
        if request.from_end {
            rows.reverse();
            Self {
                rows,
                has_previous: more,
                has_next: left_out,
                total,
            }
        } else {
            Self {
                rows,
                has_previous: left_out,
                has_next: more,
                total,
            }
        }
    }
}
