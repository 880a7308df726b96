//! Inserting hundreds of rows.

use diesel::associations::HasTable;
use diesel::pg::Pg;
use diesel::query_builder::{InsertStatement, QueryFragment, QueryId};
use diesel::query_dsl::methods::ExecuteDsl;
use diesel::{Insertable, SqliteConnection, Table};
use diesel_async::RunQueryDsl;

use super::connection::Inner;
use super::transaction::Transaction;
use crate::error::Result;

/// The most rows that one statement inserts: far below the number of parameters that either database
/// allows.
const BATCH: usize = 500;

/// Inserts all the rows, [`BATCH`] of them per statement. On SQLite, Diesel's own batch insert does not
/// compile with an asynchronous connection, so it runs on the connection's thread.
///
/// # Errors
/// Database errors only.
pub async fn insert_all<T, R>(tx: &mut Transaction, table: T, rows: &[R]) -> Result<()>
where
    T: Table + HasTable<Table = T> + Copy + Send + 'static,
    R: Clone + Send + 'static,
    Vec<R>: Insertable<T>,
    InsertStatement<T, <Vec<R> as Insertable<T>>::Values>:
        QueryFragment<Pg> + QueryId + Send + ExecuteDsl<SqliteConnection>,
{
    for batch in rows.chunks(BATCH) {
        let rows = batch.to_vec();
        let inserted = match tx.inner() {
            Inner::Postgres(conn) => {
                let insert = diesel::insert_into(table).values(rows);
                RunQueryDsl::execute(insert, &mut &***conn).await
            }
            Inner::Sqlite(conn) => {
                conn.spawn_blocking(move |conn| {
                    ExecuteDsl::execute(diesel::insert_into(table).values(rows), conn)
                })
                .await
            }
        };
        tx.settle();
        inserted?;
    }
    Ok(())
}
