//! What every request and every job shares.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::Utc;
use tokio::sync::Notify;
use url::Url;

use crate::config::{Config, Plan};
use crate::db::Db;
use crate::db::types::Instant;

/// What every request and every job shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The configuration, as it was at start.
    pub config: Arc<Config>,
    clock: Arc<dyn Clock>,
    work: Arc<Notify>,
}

/// Tells the time. Injected, so that tests can set it.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Instant;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Utc::now().into()
    }
}

impl App {
    /// Puts together what is shared.
    pub fn new(db: Db, config: Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            db,
            config: Arc::new(config),
            clock,
            work: Arc::default(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The URL at which people reach the API: the configured one, else that of the address it is to
    /// listen on.
    pub fn public_url(&self) -> Url {
        let http = &self.config.http;
        let address = SocketAddr::new(http.host, http.port);
        self.config.public_url.clone().unwrap_or_else(|| {
            // An IP address and a port always make a URL.
            Url::parse(&format!("http://{address}")).expect("an address makes a URL")
        })
    }

    /// Tells the worker of this process, if there is one, that there may be something to do. To be
    /// called after the transaction that made it is committed; without it, the worker finds the work
    /// by polling.
    pub fn wake_worker(&self) {
        self.work.notify_one();
    }

    /// Completes when somebody has called [`App::wake_worker`] since it last did.
    pub(crate) async fn work(&self) {
        self.work.notified().await;
    }

    /// The plan by that key; the unlimited one where the operator has taken it out of the
    /// configuration since.
    pub fn plan(&self, key: &str) -> &Plan {
        self.config.plans.get(key).unwrap_or(&Plan::UNLIMITED)
    }
}
