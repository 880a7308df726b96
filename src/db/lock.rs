//! Row locks.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

/// Locks the query's rows for writing until the transaction ends: `FOR NO KEY UPDATE` on PostgreSQL,
/// nothing on SQLite, whose single writer is the lock.
///
/// The stronger `FOR UPDATE` would also wait for, and hold up, every insertion of a row that refers to
/// the locked one, such as an event.
///
/// Diesel's `for_update()` does not compile for SQLite. Locks are taken in the same order everywhere:
/// user, organization, workspace.
pub fn lock<Q>(query: Q) -> Lock<Q> {
    Lock(query)
}

/// See [`lock`].
#[derive(Clone, Copy, QueryId)]
pub struct Lock<Q>(Q);

impl<Q: Query> Query for Lock<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> diesel::RunQueryDsl<C> for Lock<Q> {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Lock<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" FOR NO KEY UPDATE");
        Ok(())
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Lock<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// Like [`lock`], but skips rows that another transaction has locked: `FOR NO KEY UPDATE SKIP LOCKED` on
/// PostgreSQL, nothing on SQLite. For queues, whose workers must not wait for one another.
pub fn lock_skip<Q>(query: Q) -> LockSkip<Q> {
    LockSkip(query)
}

/// See [`lock_skip`].
#[derive(Clone, Copy, QueryId)]
pub struct LockSkip<Q>(Q);

impl<Q: Query> Query for LockSkip<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> diesel::RunQueryDsl<C> for LockSkip<Q> {}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for LockSkip<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" FOR NO KEY UPDATE SKIP LOCKED");
        Ok(())
    }
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for LockSkip<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}
