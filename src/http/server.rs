//! The server: starting it from the configuration, and stopping it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::{Extension, Router};
use tokio::net::TcpListener;

use super::client::Peer;
use super::documents::Documents;
use super::metrics_listener::MetricsListener;
use super::origin::cors;
use super::playground::Playground;
use super::serve::serve;
use super::state::State;
use crate::app::{App, Clock, Pace};
use crate::auth::Authenticator;
use crate::auth::token::{DevelopmentKey, Verifier, http_client};
use crate::config::Config;
use crate::start::{StartError, bring_up_to_date, development_key, open, open_files, read_keys};

/// A server that is bound, but does not answer yet.
pub struct Server {
    listener: TcpListener,
    metrics: Option<MetricsListener>,
    state: State,
    development: Option<DevelopmentKey>,
}

impl Server {
    /// Binds the address, opens the database, and migrates it if that is configured.
    ///
    /// # Errors
    /// One line for the operator.
    pub async fn start(mut config: Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        // Anything that may keep the server from starting comes before changing the database.
        let listener = bind(&config).await?;
        let documents = Documents::load(config.graphql.trusted_documents.as_deref())?;
        let playground = Playground::open(&config.playground)?;
        let metrics = MetricsListener::bind(&config).await?;
        // Port 0 means any free port: from here on, the configuration holds the one it got.
        if let Ok(address) = listener.local_addr() {
            config.http.port = address.port();
        }
        let http = http_client().map_err(|error| StartError(error.to_string()))?;
        read_keys(&config, &http).await?;
        let db = open(&config).await?;
        let files = open_files(&config)?;
        let development = development_key(&config)?;
        let verifier = Verifier::new(config.auth.issuers.clone(), development.clone(), http);
        bring_up_to_date(&db, &config).await?;
        let app = App::new(db, files, config, clock);
        let state = State::new(app, Authenticator::new(verifier), documents, playground);
        Ok(Self {
            listener,
            metrics,
            state,
            development,
        })
    }

    /// The application state, shared by requests and jobs.
    pub fn app(&self) -> &App {
        &self.state.app
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// If the operating system does not report it.
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        self.listener
            .local_addr()
            .map_err(|error| StartError(error.to_string()))
    }

    /// The address of the separate metrics listener, if there is one.
    ///
    /// # Errors
    /// As [`Server::address`].
    pub fn metrics_address(&self) -> Result<Option<SocketAddr>, StartError> {
        self.metrics
            .as_ref()
            .map(MetricsListener::address)
            .transpose()
    }

    /// The URL at which people reach the server: the configured one, or the address it listens on.
    ///
    /// # Errors
    /// As [`Server::address`].
    pub fn url(&self) -> Result<String, StartError> {
        if let Some(url) = &self.state.app.config.public_url {
            return Ok(url.as_str().trim_end_matches('/').to_owned());
        }
        Ok(format!("http://{}", self.address()?))
    }

    /// The key that signs development identities, if these are accepted.
    pub fn development_key(&self) -> Option<&DevelopmentKey> {
        self.development.as_ref()
    }

    /// Sets the intervals and timeouts of long-lived work.
    pub fn set_pace(&mut self, pace: Pace) {
        self.state.app.pace = pace;
    }

    /// Returns the router without the listener, for callers that bring requests in another way, as
    /// benchmarks do. Requests count as coming from this machine.
    pub fn into_router(self) -> Router {
        let cors = cors(&self.state.app.config);
        let peer = Peer(Ipv4Addr::LOCALHOST.into());
        super::router(self.state, cors).layer(Extension(peer))
    }

    /// Answers requests until `stop` completes. Then reports that it is not ready for the configured
    /// drain time, after which it accepts no new connections, ends subscriptions, and finishes the
    /// requests in progress, waiting at most 30 seconds for them.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        self.run_until(stop, std::future::pending()).await;
    }

    /// Like [`Server::run`], but `hurry` ends the drain time early.
    pub async fn run_until(self, stop: impl Future<Output = ()>, hurry: impl Future<Output = ()>) {
        let http = self.state.app.config.http.clone();
        let (metrics, draining) = (self.state.app.metrics.clone(), self.state.draining.clone());
        let cors = cors(&self.state.app.config);
        let (stopping, pace) = (self.state.stopping.clone(), self.state.app.pace);
        let mut stopped = stopping.subscribe();
        // Served until all requests are finished.
        let _metrics = self
            .metrics
            .map(|metrics| metrics.answer(self.state.app.clone()));
        let router = super::router(self.state, cors);
        let stop = async {
            stop.await;
            draining.store(true, Ordering::Relaxed);
            if let Some(seconds) = http.drain_seconds {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
                    () = hurry => {}
                }
            }
            stopping.send_replace(true);
        };
        let serving = serve(
            self.listener,
            router,
            &http,
            pace,
            metrics,
            stopping.clone(),
        );
        let given_up = async move {
            // The sender is held above, so this only waits.
            let _ = stopped.wait_for(|is_stopping| *is_stopping).await;
            drop(stopped);
            tokio::time::sleep(pace.stop).await;
        };
        let finished = async {
            tokio::join!(serving, stop);
            stopping.closed().await;
        };
        tokio::select! {
            () = finished => {}
            () = given_up => tracing::warn!("stopped before all requests were answered"),
        }
    }
}

/// Binds the address for requests.
///
/// # Errors
/// One line for the operator.
pub async fn bind(config: &Config) -> Result<TcpListener, StartError> {
    let address = config.http.address();
    TcpListener::bind(address).await.map_err(|error| {
        StartError(match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{address} is in use by another program; set PORT to another port, or to 0 for any free one"
            ),
            _ => format!(
                "cannot listen on {address}: {error}; set HOST and PORT to an address of this machine"
            ),
        })
    })
}
