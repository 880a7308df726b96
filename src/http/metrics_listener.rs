//! The separate listener for `/metrics`.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::observe;
use crate::app::App;
use crate::config::Config;
use crate::start::StartError;

/// A bound listener for `/metrics` that does not answer yet.
pub struct MetricsListener(TcpListener);

/// A listener that answers until this value is dropped.
pub struct Answering(#[expect(dead_code, reason = "dropping it ends the task")] JoinSet<()>);

impl MetricsListener {
    /// Binds the configured address, if there is one.
    ///
    /// # Errors
    /// One line for the operator.
    pub async fn bind(config: &Config) -> Result<Option<Self>, StartError> {
        let Some(address) = config.metrics.listen else {
            return Ok(None);
        };
        match TcpListener::bind(address).await {
            Ok(listener) => Ok(Some(Self(listener))),
            Err(error) => Err(StartError(format!(
                "cannot listen on {address} for metrics: {error}; set metrics.listen to another address"
            ))),
        }
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// If the operating system does not report it.
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        let address = self.0.local_addr();
        address.map_err(|error| StartError(error.to_string()))
    }

    /// Answers requests until the returned value is dropped.
    pub fn answer(self, app: App) -> Answering {
        let router: Router = observe::router(app);
        let mut task = JoinSet::new();
        task.spawn(async move {
            // `serve` retries what fails, and ends only with the task.
            if let Err(error) = axum::serve(self.0, router).await {
                tracing::error!(%error, "metrics are no longer served");
            }
        });
        Answering(task)
    }
}
