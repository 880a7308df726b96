//! The condition and the order of a window, in SQL that both databases can serve from an index.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, HasSqlType};

use uuid::Uuid;

use super::position::{Key, Position};
use super::{Direction, Window};
use crate::db::types::{Instant, sql};

/// Selects the window's rows in a list ordered by id.
pub fn by_id<I>(id: I, window: &Window) -> BetweenIds<I> {
    let bound = |position: &Option<Position>| position.as_ref().map(|position| position.id);
    BetweenIds {
        id,
        low: bound(&window.low),
        high: bound(&window.high),
    }
}

/// Selects the window's rows in a list ordered by a folded text.
pub fn by_text<C, I>(column: C, id: I, window: &Window) -> Between<C, I, String> {
    between(column, id, window, |key| match key {
        Key::Text(text) => Some(text.clone()),
        Key::Id | Key::Instant(_) => None,
    })
}

/// Selects the window's rows in a list ordered by an instant.
pub fn by_instant<C, I>(column: C, id: I, window: &Window) -> Between<C, I, Instant> {
    between(column, id, window, |key| match key {
        Key::Instant(micros) => Instant::from_micros(*micros),
        Key::Id | Key::Text(_) => None,
    })
}

/// A cursor's key has the type that its list is ordered by. A forged cursor with another key sets no
/// bound.
fn between<C, I, K>(
    column: C,
    id: I,
    window: &Window,
    of: impl Fn(&Key) -> Option<K>,
) -> Between<C, I, K> {
    let bound = |position: &Option<Position>| {
        position
            .as_ref()
            .and_then(|position| Some((of(&position.key)?, position.id)))
    };
    Between {
        column,
        id,
        low: bound(&window.low),
        high: bound(&window.high),
    }
}

/// `expression ASC` or `expression DESC`, decided when the query runs.
pub fn ordered<E>(expression: E, direction: Direction) -> Ordered<E> {
    Ordered {
        expression,
        direction,
    }
}

/// See [`by_text`].
pub struct Between<C, I, K> {
    column: C,
    id: I,
    low: Option<(K, Uuid)>,
    high: Option<(K, Uuid)>,
}

/// See [`by_id`].
pub struct BetweenIds<I> {
    id: I,
    low: Option<Uuid>,
    high: Option<Uuid>,
}

/// See [`ordered`].
pub struct Ordered<E> {
    expression: E,
    direction: Direction,
}

impl<C, I, K> Expression for Between<C, I, K> {
    type SqlType = Bool;
}

impl<I> Expression for BetweenIds<I> {
    type SqlType = Bool;
}

impl<E: Expression> Expression for Ordered<E> {
    type SqlType = E::SqlType;
}

impl<C, I: AppearsOnTable<QS>, K, QS> AppearsOnTable<QS> for Between<C, I, K> {}
impl<I: AppearsOnTable<QS>, QS> AppearsOnTable<QS> for BetweenIds<I> {}
impl<E: AppearsOnTable<QS>, QS> AppearsOnTable<QS> for Ordered<E> {}

impl<C, I, K, GB> ValidGrouping<GB> for Between<C, I, K> {
    type IsAggregate = is_aggregate::Never;
}

impl<I, GB> ValidGrouping<GB> for BetweenIds<I> {
    type IsAggregate = is_aggregate::Never;
}

impl<E, GB> ValidGrouping<GB> for Ordered<E> {
    type IsAggregate = is_aggregate::Never;
}

impl<C, I, K> QueryId for Between<C, I, K> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<I> QueryId for BetweenIds<I> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<E> QueryId for Ordered<E> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, I, K, DB> QueryFragment<DB> for Between<C, I, K>
where
    DB: Backend + HasSqlType<C::SqlType> + HasSqlType<sql::Id>,
    C: Expression + QueryFragment<DB>,
    I: QueryFragment<DB>,
    K: ToSql<C::SqlType, DB>,
    Uuid: ToSql<sql::Id, DB>,
{
    /// Writes `key >= $1 AND (key > $1 OR id > $2)`, which both databases serve from an index, unlike a
    /// row comparison.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("1 = 1");
        for (bound, operator) in [(&self.low, " >"), (&self.high, " <")] {
            let Some((key, id)) = bound else { continue };
            out.push_sql(" AND ");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(operator);
            out.push_sql("= ");
            out.push_bind_param::<C::SqlType, _>(key)?;
            out.push_sql(" AND (");
            self.column.walk_ast(out.reborrow())?;
            out.push_sql(operator);
            out.push_sql(" ");
            out.push_bind_param::<C::SqlType, _>(key)?;
            out.push_sql(" OR ");
            self.id.walk_ast(out.reborrow())?;
            out.push_sql(operator);
            out.push_sql(" ");
            out.push_bind_param::<sql::Id, _>(id)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

impl<I, DB> QueryFragment<DB> for BetweenIds<I>
where
    DB: Backend + HasSqlType<sql::Id>,
    I: QueryFragment<DB>,
    Uuid: ToSql<sql::Id, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("1 = 1");
        for (bound, operator) in [(&self.low, " > "), (&self.high, " < ")] {
            let Some(id) = bound else { continue };
            out.push_sql(" AND ");
            self.id.walk_ast(out.reborrow())?;
            out.push_sql(operator);
            out.push_bind_param::<sql::Id, _>(id)?;
        }
        Ok(())
    }
}

impl<E: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Ordered<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.expression.walk_ast(out.reborrow())?;
        out.push_sql(match self.direction {
            Direction::Ascending => " ASC",
            Direction::Descending => " DESC",
        });
        Ok(())
    }
}
