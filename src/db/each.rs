//! A page of children for each of several parents, in one statement.
//!
//! The child query is written once, with [`Parent`] in place of the parent's id, and with its own order
//! and limit. PostgreSQL runs it for each parent by `LATERAL`, SQLite by `UNION ALL`; a window function
//! would read every row of every parent.

use std::iter;
use std::sync::OnceLock;

use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Array;
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::types::sql;
use crate::id::{Id, Kind};

/// The most parents of one statement: those of one page. With 400 queries joined by `UNION ALL`, SQLite
/// takes four times as long for each, and it allows no more than 500.
pub const MAX_PARENTS: usize = 100;

/// The numbers of queries that a statement on SQLite is padded to, with queries for a parent that does
/// not exist. A connection keeps each text that it prepared, at about 9 KB per query in it, so there
/// must not be one for every number of parents.
const SIZES: [usize; 6] = [1, 2, 5, 10, 20, KEPT];

/// The largest number of queries in a statement that SQLite keeps prepared. A longer one is prepared
/// each time.
const KEPT: usize = 50;

/// Stands for the id of a parent inside the child query.
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

/// Makes one statement that returns the rows of `child` for each of `parents`, at least one and at most
/// [`MAX_PARENTS`], in no particular order.
pub fn each_parent<K, Q, F: Fn(Parent<K>) -> Q>(
    parents: &[Id<K>],
    child: F,
) -> EachParent<K, Q, F> {
    EachParent {
        parents: parents.to_vec(),
        child,
        children: OnceLock::new(),
    }
}

/// See [`each_parent`].
pub struct EachParent<K, Q, F> {
    parents: Vec<Id<K>>,
    child: F,
    /// The child queries, as many as the database needs.
    children: OnceLock<Vec<Q>>,
}

impl<K, Q, F: Fn(Parent<K>) -> Q> EachParent<K, Q, F> {
    fn children(&self, parents: impl Iterator<Item = Id<K>>) -> &[Q] {
        self.children
            .get_or_init(|| parents.map(|id| (self.child)(Parent(id))).collect())
    }
}

impl<K, Q: Query, F> Query for EachParent<K, Q, F> {
    type SqlType = Q::SqlType;
}

impl<K, Q, F, C> diesel::RunQueryDsl<C> for EachParent<K, Q, F> {}

impl<K, Q, F> QueryId for EachParent<K, Q, F> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<K, Q, F> QueryFragment<Pg> for EachParent<K, Q, F>
where
    K: Kind,
    Q: QueryFragment<Pg>,
    F: Fn(Parent<K>) -> Q,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let one = self.parents.iter().copied().take(1);
        let Some(child) = self.children(one).first() else {
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

impl<K, Q, F> QueryFragment<Sqlite> for EachParent<K, Q, F>
where
    Q: QueryFragment<Sqlite>,
    F: Fn(Parent<K>) -> Q,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let size = SIZES.into_iter().find(|size| *size >= self.parents.len());
        if size.is_none() {
            out.unsafe_to_cache_prepared();
        }
        let nobody = iter::repeat(Id::from_uuid(Uuid::nil()));
        let parents = self.parents.iter().copied().chain(nobody);
        let size = size.unwrap_or(self.parents.len());
        for (index, child) in self.children(parents.take(size)).iter().enumerate() {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use diesel::prelude::*;

    use super::*;
    use crate::id::kind;
    use crate::schema::workspaces;

    #[test]
    fn sqlite_keeps_few_texts_of_a_list() {
        let kept = (1..=MAX_PARENTS).filter_map(|many| {
            let parents: Vec<Id<kind::Workspace>> = vec![Id::from_uuid(Uuid::max()); many];
            let query = each_parent(&parents, |id| {
                workspaces::table.find(id).select(workspaces::name)
            });
            let is_kept = query.is_safe_to_cache_prepared(&Sqlite).unwrap();
            let text = diesel::debug_query::<Sqlite, _>(&query).to_string();
            let (text, _) = text.split_once(" -- binds: ").unwrap();
            is_kept.then(|| text.to_owned())
        });
        let kept: HashSet<_> = kept.collect();
        assert_eq!(kept.len(), SIZES.len());
    }
}
