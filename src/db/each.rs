//! The page of each parent: a list inside a list, in one statement.
//!
//! The child query is written once, with [`Parent`] where the parent's id goes, and with its own
//! order and limit. PostgreSQL runs it for each parent by `LATERAL`, SQLite by `UNION ALL`; a window
//! function would read every row of every parent.

use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Array;
use diesel::sqlite::Sqlite;

use super::types::sql;
use crate::id::{Id, Kind};

/// As many parents as one statement may have: SQLite joins at most 500 queries by `UNION ALL`.
pub const MAX_PARENTS: usize = 400;

/// The id of a parent inside the child query.
pub struct Parent<K>(pub Id<K>);

impl<K> Clone for Parent<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Parent<K> {}

impl<K> Expression for Parent<K> {
    type SqlType = sql::Id;
}

impl<K, QS> AppearsOnTable<QS> for Parent<K> {}
impl<K, QS> SelectableExpression<QS> for Parent<K> {}

impl<K, GB> ValidGrouping<GB> for Parent<K> {
    type IsAggregate = is_aggregate::Never;
}

impl<K: 'static> QueryId for Parent<K> {
    type QueryId = Parent<K>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<K> QueryFragment<Pg> for Parent<K> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("parent.id");
        Ok(())
    }
}

impl<K: Kind> QueryFragment<Sqlite> for Parent<K> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<sql::Id, _>(&self.0)
    }
}

/// One statement that gives the rows of `child` for each of `parents`, at least one and at most
/// [`MAX_PARENTS`]. Rows come in no order that can be relied on.
pub fn each_parent<K, Q>(parents: &[Id<K>], child: impl Fn(Parent<K>) -> Q) -> EachParent<K, Q> {
    EachParent {
        parents: parents.to_vec(),
        children: parents.iter().map(|id| child(Parent(*id))).collect(),
    }
}

/// See [`each_parent`].
pub struct EachParent<K, Q> {
    parents: Vec<Id<K>>,
    children: Vec<Q>,
}

impl<K, Q: Query> Query for EachParent<K, Q> {
    type SqlType = Q::SqlType;
}

impl<K, Q, C> diesel::RunQueryDsl<C> for EachParent<K, Q> {}

impl<K, Q> QueryId for EachParent<K, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<K: Kind, Q: QueryFragment<Pg>> QueryFragment<Pg> for EachParent<K, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let Some(child) = self.children.first() else {
            return Ok(());
        };
        out.push_sql("SELECT page.* FROM unnest(");
        out.push_bind_param::<Array<sql::Id>, _>(&self.parents)?;
        out.push_sql(") AS parent(id) CROSS JOIN LATERAL (");
        child.walk_ast(out.reborrow())?;
        out.push_sql(") AS page");
        Ok(())
    }
}

impl<K, Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for EachParent<K, Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        for (index, child) in self.children.iter().enumerate() {
            out.push_sql(if index == 0 {
                "SELECT * FROM ("
            } else {
                " UNION ALL SELECT * FROM ("
            });
            child.walk_ast(out.reborrow())?;
            out.push_sql(")");
        }
        Ok(())
    }
}
