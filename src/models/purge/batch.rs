//! As many rows as one transaction deletes, from one table after the other.

use super::Counts;

/// What is left of the rows that one transaction may delete, and what it has deleted.
pub(super) struct Batch {
    left: i64,
    counts: Counts,
}

impl Batch {
    pub(super) fn new(limit: i64) -> Self {
        Self {
            left: limit,
            counts: Counts::new(),
        }
    }

    /// How many more rows may go.
    pub(super) fn left(&self) -> i64 {
        self.left
    }

    /// So many of that table went.
    pub(super) fn add(&mut self, table: &'static str, deleted: usize) {
        if deleted > 0 {
            *self.counts.entry(table).or_default() += deleted;
        }
        self.left -= i64::try_from(deleted).unwrap_or(i64::MAX);
    }

    /// Whether no more may go: there may be more then.
    pub(super) fn is_full(&self) -> bool {
        self.left <= 0
    }

    pub(super) fn counts(self) -> Counts {
        self.counts
    }
}

/// Deletes rows of each of the tables that fulfil its condition, and goes on to the next one once
/// there are none left.
macro_rules! delete_each {
    ($tx:ident, $batch:ident, $($table:ident: $condition:expr),+ $(,)?) => {$(
        if !$batch.is_full() {
            let some = crate::db::delete_some($table::table, $condition, $batch.left());
            let deleted = crate::run!($tx, diesel_async::RunQueryDsl::execute(some, $tx).await)?;
            $batch.add(stringify!($table), deleted);
        }
    )+};
}

pub(super) use delete_each;
