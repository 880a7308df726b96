//! Connections that were dropped in the middle of a statement.

use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::time::timeout;

use super::session::Pooled;
use super::sqlite::Sqlite;
use super::tls;

/// How long asking PostgreSQL to stop may take, and then the statement to end.
const PATIENCE: Duration = Duration::from_secs(5);

impl Pooled for Object<AsyncPgConnection> {
    /// Asks PostgreSQL to stop what the connection is at, and closes it. Until then, it counts for its
    /// pool: whoever makes statements and goes away has no more of them under way than there may be
    /// connections.
    ///
    /// It is not used again, because PostgreSQL does not say when it has done with the request, which
    /// would then stop somebody else's statement.
    async fn abandon(mut self, _: bool) {
        let token = self.cancel_token();
        let asked = async {
            // The key that is sent is this connection's, which will not be used again: the server need
            // not prove who it is.
            let tls = tls::connector(false)?;
            anyhow::Ok(token.cancel_query(tls).await?)
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(())) => {
                // Closed at once, a pooler in between would not know any more whose statement to stop.
                // What is said of this is of no interest to anybody, nor is it a statement of a
                // request's.
                self.set_instrumentation(|_: InstrumentationEvent<'_>| {});
                let _ = timeout(PATIENCE, self.batch_execute("")).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a statement could not be stopped"),
            Err(_) => tracing::debug!("a statement could not be stopped in time"),
        }
        self.close();
    }

    fn close(self) {
        drop(Self::take(self));
    }
}

impl Pooled for Object<Sqlite> {
    /// Waits for the statement to stop, which its runner has told it to, and gives the connection back
    /// to its pool; one with a transaction is closed instead.
    async fn abandon(mut self, in_transaction: bool) {
        // Whatever is run waits for the statement.
        let _ = self.spawn_blocking(|_| Ok(())).await;
        if in_transaction {
            self.close();
        }
    }

    fn close(self) {
        drop(Self::take(self));
    }
}
