//! How many connections may be open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config;
use crate::http::client::accountable;
use crate::metrics::{Bound, Counted, Metrics};

/// How many connections may be open, and how many are.
pub struct Bounds {
    http: config::Http,
    metrics: Metrics,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    /// Those of each address that has any.
    of: HashMap<IpAddr, usize>,
}

/// The place of an open connection, which is free again with this value.
pub struct Slot {
    bounds: Arc<Bounds>,
    /// Whose it is, if that is counted.
    address: Option<IpAddr>,
    _counted: Counted,
}

impl Bounds {
    /// Those of the configuration, with none open.
    pub fn new(http: &config::Http, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            http: http.clone(),
            metrics,
            open: Mutex::default(),
        })
    }

    /// A place for a connection from there, if there is one left. Trusted proxies may have them all:
    /// their connections are those of many.
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        let mut open = self.open();
        if open.all >= self.http.max_connections {
            self.metrics.refused_connection(Bound::All);
            return None;
        }
        let trusted = &self.http.trusted_proxies;
        let is_trusted = trusted.iter().any(|network| network.contains(peer));
        let address = (!is_trusted).then(|| accountable(peer));
        if let Some(address) = address {
            let own = open.of.entry(address).or_default();
            if *own >= self.http.max_connections_per_address {
                self.metrics.refused_connection(Bound::Address);
                return None;
            }
            *own += 1;
        }
        open.all += 1;
        Some(Slot {
            bounds: self.clone(),
            address,
            _counted: self.metrics.connection(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it holds the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut open = self.bounds.open();
        open.all -= 1;
        if let Some(address) = self.address
            && let Some(own) = open.of.get_mut(&address)
        {
            *own -= 1;
            if *own == 0 {
                open.of.remove(&address);
            }
        }
    }
}
