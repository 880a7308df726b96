//! The worker, in this process.

use tenantry::worker::Worker;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::instrument::WithSubscriber;

use super::TestServer;

/// A worker that can be stopped.
pub struct Working {
    stop: oneshot::Sender<()>,
    working: JoinHandle<()>,
}

impl Working {
    pub fn start(server: &TestServer) -> Self {
        Self::logging(server, tracing::subscriber::NoSubscriber::default())
    }

    pub fn logging(
        server: &TestServer,
        log: impl tracing::Subscriber + Send + Sync + 'static,
    ) -> Self {
        let worker = Worker::new(server.app().clone()).expect("the worker can be made");
        let (stop, stopping) = oneshot::channel();
        let stopped = async {
            // Stop in either case.
            let _ = stopping.await;
        };
        let working = tokio::spawn(worker.run(stopped).with_subscriber(log));
        Self { stop, working }
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.working.await.expect("the worker ends well");
    }
}
