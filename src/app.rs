//! What every request and every job shares.

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

/// What every request and every job shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The configuration, as it was at start.
    pub config: Arc<Config>,
    /// What is counted and measured.
    pub metrics: Metrics,
    /// Where the bytes of files are.
    pub files: Store,
    /// How often what lasts looks at something, and how long it waits.
    pub pace: Pace,
    clock: Arc<dyn Clock>,
    work: Arc<watch::Sender<()>>,
    upload_key: Arc<OnceCell<SigningKey>>,
}

/// How often what lasts looks at something, and how long it waits. Injected, so that tests need not
/// wait as long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long whoever follows something lets pass before they look without having been told.
    pub look: Duration,
    /// How long whoever is connected is believed before it is asked again whether they may be.
    pub check: Duration,
    /// How long a socket may be open before its client has to sign in.
    pub sign_in: Duration,
    /// How often a socket's client has to show that it is still there.
    pub heartbeat: Duration,
    /// How often something is sent down a stream of events, so that nobody takes it for dead.
    pub comment: Duration,
    /// How long a client may take to read what waits for it before it is cut off.
    pub read: Duration,
    /// How long the server waits, when it stops, for what it still has to finish.
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

    /// The same with another view of the database.
    pub fn with_db(&self, db: Db) -> Self {
        Self { db, ..self.clone() }
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

    /// The URL at which people reach that path, which has no slash in front.
    pub fn url_of(&self, path: &str) -> String {
        let url = self.public_url();
        format!("{}/{path}", url.as_str().trim_end_matches('/'))
    }

    /// The key that signs the URLs of uploads, once it has been read from the database.
    pub(crate) fn upload_key(&self) -> &OnceCell<SigningKey> {
        &self.upload_key
    }

    /// Tells the worker of this process, if there is one, that there may be something to do. To be
    /// called after the transaction that made it is committed; without it, the worker finds the work
    /// by polling.
    pub fn wake_worker(&self) {
        self.work.send_replace(());
    }

    /// Changes whenever somebody calls [`App::wake_worker`].
    pub(crate) fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    /// The plan by that key; the unlimited one where the operator has taken it out of the
    /// configuration since.
    pub fn plan(&self, key: &str) -> &Plan {
        self.config.plans.get(key).unwrap_or(&Plan::UNLIMITED)
    }
}
