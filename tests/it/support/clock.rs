//! A clock that a test can set.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{TimeDelta, Utc};
use tenantry::app::Clock;
use tenantry::db::types::Instant;

/// The machine's clock, moved by as much as a test says.
#[derive(Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Sets it to that instant, from which it goes on.
    pub fn set(&self, to: Instant) {
        let micros = to.micros() - Utc::now().timestamp_micros();
        self.0.store(micros, Ordering::SeqCst);
    }

    pub fn advance(&self, by: TimeDelta) {
        let micros = by
            .num_microseconds()
            .expect("a span of a few centuries at most");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        (Utc::now() + TimeDelta::microseconds(self.0.load(Ordering::SeqCst))).into()
    }
}
