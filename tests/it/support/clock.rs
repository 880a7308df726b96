//! A clock that a test can set.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use chrono::{TimeDelta, Utc};
use tenantry::app::Clock;
use tenantry::db::types::Instant;

/// The machine's clock, shifted as a test says, or stopped.
#[derive(Default)]
pub struct TestClock {
    /// The shift in microseconds, or the time of a stopped clock.
    by: AtomicI64,
    is_stopped: AtomicBool,
    /// How many of the next calls panic.
    breaks: AtomicUsize,
}

impl TestClock {
    /// Sets the clock to that instant. It keeps running from there, unless it is stopped.
    pub fn set(&self, to: Instant) {
        let micros = to.micros() - self.base();
        self.by.store(micros, Ordering::SeqCst);
    }

    pub fn advance(&self, by: TimeDelta) {
        let micros = by
            .num_microseconds()
            .expect("a span of a few centuries at most");
        self.by.fetch_add(micros, Ordering::SeqCst);
    }

    /// Stops the clock: from now on, it moves only when the test says so.
    pub fn stop(&self) {
        let now = self.now();
        self.is_stopped.store(true, Ordering::SeqCst);
        self.set(now);
    }

    /// Makes the next `times` calls for the time panic.
    pub fn break_for(&self, times: usize) {
        self.breaks.store(times, Ordering::SeqCst);
    }

    /// Whether all of these calls have been made.
    pub fn is_whole(&self) -> bool {
        self.breaks.load(Ordering::SeqCst) == 0
    }

    /// Returns the time that the shift is added to.
    fn base(&self) -> i64 {
        match self.is_stopped.load(Ordering::SeqCst) {
            true => 0,
            false => Utc::now().timestamp_micros(),
        }
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        let less = |breaks: usize| breaks.checked_sub(1);
        let breaks = &self.breaks;
        let broken = breaks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        assert!(broken.is_err(), "the clock is broken, as the test wants it");
        let micros = self.base() + self.by.load(Ordering::SeqCst);
        Instant::from_micros(micros).expect("a time within a few millennia")
    }
}
