//! PostgreSQL's prepared statements: each is prepared once per session.

use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};

/// A session for the program's own statements, which have a limited number of texts: it keeps each of
/// them prepared. Diesel itself keeps no `UPDATE` and no upsert prepared, because it cannot know that
/// their texts are limited, and PostgreSQL would parse and plan them again each time. Several statements
/// may be under way at once.
///
/// Not for statements whose text depends on the number of rows, such as an `INSERT` of many.
pub struct Prepared<'a>(pub(super) &'a AsyncPgConnection);

impl SimpleAsyncConnection for Prepared<'_> {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        (&mut &*self.0).batch_execute(query).await
    }
}

type Plain<'a> = &'a AsyncPgConnection;

impl<'a> AsyncConnectionCore for Prepared<'a> {
    type LoadFuture<'conn, 'query> = <Plain<'a> as AsyncConnectionCore>::LoadFuture<'conn, 'query>;
    type ExecuteFuture<'conn, 'query> =
        <Plain<'a> as AsyncConnectionCore>::ExecuteFuture<'conn, 'query>;
    type Stream<'conn, 'query> = <Plain<'a> as AsyncConnectionCore>::Stream<'conn, 'query>;
    type Row<'conn, 'query> = <Plain<'a> as AsyncConnectionCore>::Row<'conn, 'query>;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        self.0.load(Known(source.as_query()))
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        source: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        self.0.execute_returning_count(Known(source))
    }
}

/// A statement that has a limited number of texts.
struct Known<Q>(Q);

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Known<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

// Found in the cache by its text: statements of one type may have several.
impl<Q> QueryId for Known<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Known<Q> {
    type SqlType = Q::SqlType;
}
