//! The limit on rows that one transaction deletes or changes, across tables.

use super::Counts;

/// How many more rows one transaction may touch, and how many it has touched.
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

    /// How many more rows the transaction may touch.
    pub(super) fn left(&self) -> i64 {
        self.left
    }

    /// Records how many rows of the table were touched.
    pub(super) fn add(&mut self, table: &'static str, touched: usize) {
        if touched > 0 {
            *self.counts.entry(table).or_default() += touched;
        }
        self.left -= i64::try_from(touched).unwrap_or(i64::MAX);
    }

    /// Whether the limit is reached, so that there may be more rows.
    pub(super) fn is_full(&self) -> bool {
        self.left <= 0
    }

    pub(super) fn counts(self) -> Counts {
        self.counts
    }
}

/// Deletes the rows of each table that match its condition, one table after the other, until the batch
/// is full.
macro_rules! delete_each {
    ($tx:ident, $batch:ident, $($table:ident: $condition:expr),+ $(,)?) => {$(
        if !$batch.is_full() {
            let some = crate::db::delete_some($table::table, $condition, $batch.left());
            let deleted = crate::run!($tx, diesel_async::RunQueryDsl::execute(some, $tx).await)?;
            $batch.add(stringify!($table), deleted);
        }
    )+};
}

/// Clears each table's column in the rows where it refers to the person, one table after the other,
/// until the batch is full.
macro_rules! let_go_each {
    ($tx:ident, $batch:ident, $person:ident, $($table:ident: $column:ident),+ $(,)?) => {$(
        if !$batch.is_full() {
            let theirs = diesel::alias!($table as theirs);
            let some = theirs
                .filter(theirs.field($table::$column).eq($person))
                .order_by(theirs.field($table::id))
                .select(theirs.field($table::id))
                .limit($batch.left());
            let rows = diesel::update($table::table.filter($table::id.eq_any(some)));
            let nobody = $table::$column.eq(None::<crate::id::UserId>);
            let changed = crate::run!(
                $tx,
                diesel_async::RunQueryDsl::execute(rows.set(nobody), $tx).await
            )?;
            $batch.add(stringify!($table), changed);
        }
    )+};
}

pub(super) use {delete_each, let_go_each};
