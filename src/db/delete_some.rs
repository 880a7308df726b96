//! Deleting a bounded number of rows in one statement.

use diesel::associations::HasTable;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_source::QuerySource;
use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;

/// Deletes up to `limit` of the table's rows that match `condition`, in no particular order. Neither
/// database supports `DELETE` with `LIMIT`, so rows are selected by their storage location (`ctid`,
/// `rowid`).
pub fn delete_some<T, C>(table: T, condition: C, limit: i64) -> DeleteSome<T::FromClause, C>
where
    T: HasTable<Table = T> + QuerySource,
{
    DeleteSome {
        table: table.from_clause(),
        condition,
        limit,
    }
}

/// See [`delete_some`].
pub struct DeleteSome<F, C> {
    table: F,
    condition: C,
    limit: i64,
}

impl<F, C> QueryId for DeleteSome<F, C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<F, C, Conn> diesel::RunQueryDsl<Conn> for DeleteSome<F, C> {}

impl<F, C> QueryFragment<Pg> for DeleteSome<F, C>
where
    F: QueryFragment<Pg>,
    C: QueryFragment<Pg>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("DELETE FROM ");
        self.table.walk_ast(out.reborrow())?;
        // With an array, PostgreSQL looks the locations up one by one instead of joining with the whole
        // table.
        out.push_sql(" WHERE ctid = ANY (ARRAY(SELECT ctid FROM ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.condition.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<F, C> QueryFragment<Sqlite> for DeleteSome<F, C>
where
    F: QueryFragment<Sqlite>,
    C: QueryFragment<Sqlite>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("DELETE FROM ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE rowid IN (SELECT rowid FROM ");
        self.table.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE ");
        self.condition.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(")");
        Ok(())
    }
}
