//! One connection to whichever database it is.

use diesel::SqliteConnection;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::tally;

/// A pooled connection that can read. What writes takes a [`Transaction`](super::Transaction).
pub struct Connection(Inner);

/// The two databases, for [`run!`].
#[allow(
    clippy::large_enum_variant,
    reason = "one is held at a time, and a box would cost each checkout an allocation"
)]
pub enum Inner {
    /// PostgreSQL.
    Postgres(Object<AsyncPgConnection>),
    /// SQLite.
    Sqlite(Object<SyncConnectionWrapper<SqliteConnection>>),
}

impl Connection {
    pub(super) fn new(inner: Inner) -> Self {
        Self(inner)
    }

    /// Whichever database it is, for one statement; for [`run!`] and for the few helpers that differ.
    pub fn inner(&mut self) -> &mut Inner {
        tally::add();
        &mut self.0
    }
}

/// Runs one Diesel expression on whichever database the connection is to, and gives its
/// `QueryResult`.
///
/// `run!(conn, users::table.find(id).first(conn).await)`: inside the expression, the name given first is
/// the connection. The expression is compiled once for each database.
#[macro_export]
macro_rules! run {
    ($conn:ident, $query:expr) => {
        match $conn.inner() {
            $crate::db::Inner::Postgres($conn) => {
                let $conn = &mut **$conn;
                $query
            }
            $crate::db::Inner::Sqlite($conn) => {
                let $conn = &mut **$conn;
                $query
            }
        }
    };
}
