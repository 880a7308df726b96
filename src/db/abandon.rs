//! Connections that were dropped in the middle of a statement.

use std::pin::pin;
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::time::timeout;

use super::session::Pooled;
use super::sqlite::Sqlite;
use super::tls;

/// How long PostgreSQL may take to stop all that was sent down a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// When it is asked again, for the next statement.
const AGAIN: Duration = Duration::from_millis(50);

impl Pooled for Object<AsyncPgConnection> {
    /// Asks PostgreSQL to stop what was sent down the connection, and closes it. Until then, it counts for
    /// its pool: whoever makes statements and goes away has no more of them under way than there may be
    /// connections.
    ///
    /// It is not used again, because PostgreSQL does not say when it has done with the request, which
    /// would then stop somebody else's statement.
    async fn abandon(mut self, _: bool) {
        let token = self.cancel_token();
        // What is said of this is of no interest to anybody, nor is it a statement of a request's.
        self.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        let stopping = async {
            // Closed before that, a pooler in between would not know any more whose statement to stop.
            let mut ended = pin!(self.batch_execute(""));
            loop {
                // The key that is sent is this connection's, which will not be used again: the server
                // need not prove who it is.
                let tls = tls::connector(false)?;
                token.cancel_query(tls).await?;
                // That stops one statement, and there may be more behind it.
                if timeout(AGAIN, &mut ended).await.is_ok() {
                    return anyhow::Ok(());
                }
            }
        };
        match timeout(PATIENCE, stopping).await {
            Ok(Ok(())) => {}
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
