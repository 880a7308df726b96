//! Limits on open connections.

use std::net::IpAddr;
use std::sync::Arc;

use crate::config;
use crate::http::client::accountable;
use crate::http::places::{Place, Places};
use crate::metrics::{Bound, Counted, Metrics};

/// How many connections may be open, and how many are.
pub struct Bounds {
    http: config::Http,
    metrics: Metrics,
    all: Arc<Places<()>>,
    of_addresses: Arc<Places<IpAddr>>,
}

/// The place of an open connection. Dropping it frees the place.
pub struct Slot {
    _of_all: Place<()>,
    /// The address's place, if connections of the address are limited.
    _of_address: Option<Place<IpAddr>>,
    _counted: Counted,
}

impl Bounds {
    /// The configured limits, with no connection open.
    pub fn new(http: &config::Http, metrics: Metrics) -> Self {
        Self {
            http: http.clone(),
            metrics,
            all: Places::new(http.max_connections),
            of_addresses: Places::new(http.max_connections_per_address),
        }
    }

    /// Takes a place for a connection from `peer`, if there is one left. Trusted proxies have no limit
    /// of their own, since their connections carry many clients.
    pub fn take(&self, peer: IpAddr) -> Option<Slot> {
        let refuse = |bound| self.metrics.refused_connection(bound);
        let Some(of_all) = self.all.take(()) else {
            refuse(Bound::All);
            return None;
        };
        let trusted = &self.http.trusted_proxies;
        let is_trusted = trusted.iter().any(|network| network.contains(peer));
        let of_address = match is_trusted {
            true => None,
            false => match self.of_addresses.take(accountable(peer)) {
                None => {
                    refuse(Bound::Address);
                    return None;
                }
                place => place,
            },
        };
        Some(Slot {
            _of_all: of_all,
            _of_address: of_address,
            _counted: self.metrics.connection(),
        })
    }
}
