//! The state shared by all requests and jobs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::{OnceCell, watch};
use url::Url;

use crate::config::{Config, Plan};
use crate::db::Db;
use crate::db::types::Instant;
use crate::files::{SigningKey, Store};
use crate::metrics::Metrics;

/// The state shared by all requests and jobs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The configuration, as it was at startup.
    pub config: Arc<Config>,
    /// The server's counters and measurements.
    pub metrics: Metrics,
    /// The store that holds the bytes of files.
    pub files: Store,
    /// The intervals and time limits of long-lived work.
    pub pace: Pace,
    clock: Arc<dyn Clock>,
    work: Arc<watch::Sender<()>>,
    upload_key: Arc<OnceCell<SigningKey>>,
}

/// The intervals and time limits of long-lived work. Injected, so that tests need not wait as long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long followers wait for an announcement before they check for changes themselves.
    pub look: Duration,
    /// How long the access of a connected client is trusted before it is checked again.
    pub check: Duration,
    /// How long a socket may be open before its client has to sign in.
    pub sign_in: Duration,
    /// How often a socket's client has to show that it is still there.
    pub heartbeat: Duration,
    /// The longest silence on an event stream before something is sent, so that nobody takes it for
    /// dead.
    pub comment: Duration,
    /// How long a client may take to read what is waiting for it before it is cut off.
    pub read: Duration,
    /// How long a stopping server waits for work that it still has to finish.
    pub stop: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(2),
            check: Duration::from_secs(30),
            sign_in: Duration::from_secs(10),
            heartbeat: Duration::from_secs(20),
            comment: Duration::from_secs(15),
            read: Duration::from_secs(20),
            stop: Duration::from_secs(30),
        }
    }
}

/// Tells the time. Injected, so that tests can set it.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Instant;
}

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Utc::now().into()
    }
}

impl App {
    /// Creates the shared state.
    pub fn new(db: Db, files: Store, config: Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            db,
            config: Arc::new(config),
            metrics: Metrics::default(),
            files,
            pace: Pace::default(),
            clock,
            work: Arc::default(),
            upload_key: Arc::default(),
        }
    }

    /// Returns the same state with another view of the database.
    pub fn with_db(&self, db: Db) -> Self {
        Self { db, ..self.clone() }
    }

    /// Returns the current time.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Returns the URL at which people reach the API: the configured one, or else that of the configured
    /// listening address.
    pub fn public_url(&self) -> Url {
        let http = &self.config.http;
        let address = SocketAddr::new(http.host, http.port);
        self.config.public_url.clone().unwrap_or_else(|| {
            // An IP address and a port always make a valid URL.
            Url::parse(&format!("http://{address}")).expect("an address makes a URL")
        })
    }

    /// Returns the public URL of a path, which has no leading slash.
    pub fn url_of(&self, path: &str) -> String {
        let url = self.public_url();
        format!("{}/{path}", url.as_str().trim_end_matches('/'))
    }

    /// Returns the key that signs upload URLs, once it has been read from the database.
    pub(crate) fn upload_key(&self) -> &OnceCell<SigningKey> {
        &self.upload_key
    }

    /// Tells this process's worker, if it has one, that there may be work. Call this after the
    /// transaction that created the work is committed; otherwise the worker finds the work by polling.
    pub fn wake_worker(&self) {
        self.work.send_replace(());
    }

    /// Returns a receiver that changes whenever somebody calls [`App::wake_worker`].
    pub(crate) fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    /// Returns the plan with this key, or the unlimited one if the operator has since removed the plan
    /// from the configuration.
    pub fn plan(&self, key: &str) -> &Plan {
        self.config.plans.get(key).unwrap_or(&Plan::UNLIMITED)
    }
}
