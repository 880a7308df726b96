//! What every request and every job shares.

use std::sync::Arc;

use chrono::Utc;

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
        }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The plan by that key; the unlimited one where the operator has taken it out of the
    /// configuration since.
    pub fn plan(&self, key: &str) -> &Plan {
        self.config.plans.get(key).unwrap_or(&Plan::UNLIMITED)
    }
}
