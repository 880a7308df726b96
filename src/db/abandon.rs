//! Connections dropped in the middle of a statement.

use std::pin::pin;
use std::time::Duration;

use diesel::connection::InstrumentationEvent;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio::time::timeout;

use super::session::Pooled;
use super::sqlite::Sqlite;
use super::tls;

/// How long PostgreSQL may take to stop everything that was sent on a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait before cancelling again, for the next statement.
const AGAIN: Duration = Duration::from_millis(50);

impl Pooled for Object<AsyncPgConnection> {
    /// Makes PostgreSQL cancel what was sent on the connection, and closes it. Until then, the
    /// connection counts toward its pool's limit, so that clients who send statements and disconnect
    /// cannot have more statements running than there may be connections.
    ///
    /// The connection is not reused, because PostgreSQL does not say when it has handled a cancel
    /// request, which might then stop somebody else's statement.
    async fn abandon(mut self, _: bool) {
        let token = self.cancel_token();
        // The outcome of the statements below interests nobody, and they belong to no request, so they
        // are not counted.
        self.set_instrumentation(|_: InstrumentationEvent<'_>| {});
        let stopping = async {
            // The connection stays open meanwhile: once it is closed, a pooler in between no longer
            // knows whose statement to cancel.
            let mut ended = pin!(self.batch_execute(""));
            loop {
                // The key that is sent is this connection's, which is not used again, so the server need
                // not prove its identity.
                let tls = tls::connector(false)?;
                token.cancel_query(tls).await?;
                // Each request cancels one statement, and more may be queued behind it.
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
    /// Waits for the statement to stop, as its runner already told it to, and returns the connection to
    /// its pool, or closes it if a transaction is open.
    async fn abandon(mut self, in_transaction: bool) {
        // Any job waits for the statement before it.
        let _ = self.spawn_blocking(|_| Ok(())).await;
        if in_transaction {
            self.close();
        }
    }

    fn close(self) {
        drop(Self::take(self));
    }
}
