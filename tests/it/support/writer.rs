//! Keeping the database's writer busy.

use std::sync::Arc;

use tenantry::error::Result;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::server::TestServer;

/// An open transaction, so that nobody else can write if `database.max_connections` is 1.
pub struct BusyWriter {
    free: Arc<Notify>,
    holding: JoinHandle<Result<()>>,
}

impl BusyWriter {
    pub async fn of(server: &TestServer) -> Self {
        let (busy, free) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let holding = tokio::spawn({
            let (db, busy, free) = (server.app().db.clone(), busy.clone(), free.clone());
            async move {
                db.transaction(async |_| {
                    busy.notify_one();
                    free.notified().await;
                    Ok(())
                })
                .await
            }
        });
        busy.notified().await;
        Self { free, holding }
    }

    /// Lets the others write.
    pub async fn end(self) {
        self.free.notify_one();
        let ended = self.holding.await.expect("it ends");
        ended.expect("it is committed");
    }
}
