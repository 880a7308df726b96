//! A list that has pages: what a connection of the API shows.

use std::collections::HashMap;

use super::position::Position;
use super::{Direction, PageRequest, Window};
use crate::db::{Connection, MAX_PARENTS};
use crate::error::Result;
use crate::id::{Id, Kind, UserId};

/// The rows of several parents, each with its parent.
pub type Children<P, R> = Vec<(Id<P>, R)>;

/// The page of each of several parents.
pub type Pages<P, R> = HashMap<Id<P>, Listing<R>>;

/// A list of rows that belong to a parent. Its value holds what narrows it down and how it is
/// ordered.
///
/// Every query of a list starts from what `viewer` may see: a parent that is hidden from them has no
/// rows.
pub trait List: Send + Sync {
    /// What the rows belong to.
    type Parent: Kind + 'static;
    /// The rows.
    type Row: Send;

    /// What tells this list and its order from every other one of the same parent.
    fn name(&self) -> String;

    /// How the list runs.
    fn order(&self) -> Direction;

    /// Where a row stands in it.
    fn position(&self, row: &Self::Row) -> Position;

    /// The rows of the window for each of `parents`, of which there are at most [`MAX_PARENTS`], in
    /// one statement. For each parent, the rows come in the order of the window.
    fn read(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[Id<Self::Parent>],
        window: &Window,
    ) -> impl Future<Output = Result<Children<Self::Parent, Self::Row>>> + Send;

    /// How many rows each of `parents` has in all, in one statement. Parents without any may be left
    /// out.
    fn count(
        &self,
        conn: &mut Connection,
        viewer: UserId,
        parents: &[Id<Self::Parent>],
    ) -> impl Future<Output = Result<Vec<(Id<Self::Parent>, i64)>>> + Send;

    /// What tells cursors of the list of `parent` from those of every other list.
    fn cursor_name(&self, parent: Id<Self::Parent>) -> String {
        format!("{}:{parent}", self.name())
    }

    /// The page that `request` asks for, for each of `parents`. The number of statements does not
    /// depend on the number of rows, and on that of parents only past [`MAX_PARENTS`].
    ///
    /// # Errors
    /// Only those of the database.
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
            // A cursor belongs to the list of one parent, so that there is a window for each; without
            // one they share theirs.
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

/// What of a page is asked for besides its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// How many rows there are in all.
    pub total: bool,
    /// Whether rows lie beyond the end that the page was read from.
    pub left_out: bool,
    /// Whether rows lie beyond the other end, which is known anyhow unless a cursor ends the page.
    pub more: bool,
}

/// A page as it was read.
#[derive(Clone, Debug)]
pub struct Listing<R> {
    /// The rows, in the order of the list.
    pub rows: Vec<R>,
    /// Whether rows come before them.
    pub has_previous: bool,
    /// Whether rows come after them.
    pub has_next: bool,
    /// How many there are in all, where that was asked for.
    pub total: i64,
}

impl<R> Listing<R> {
    /// The page of a list that has no rows, or none that the viewer may see.
    pub fn empty() -> Self {
        Self {
            rows: Vec::new(),
            has_previous: false,
            has_next: false,
            total: 0,
        }
    }

    /// The page of `request` from the rows of its window, which hold one more than the page where
    /// there are more. `left_out` is whether rows lie beyond the end that the window was read from,
    /// `more` whether any lie beyond the other.
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
