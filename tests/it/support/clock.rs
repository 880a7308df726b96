//! A clock that a test can set.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use chrono::{TimeDelta, Utc};
use tenantry::app::Clock;
use tenantry::db::types::Instant;

/// The machine's clock, moved by as much as a test says, or stopped.
#[derive(Default)]
pub struct TestClock {
    /// In microseconds; of a clock that is stopped, its time.
    by: AtomicI64,
    is_stopped: AtomicBool,
    /// How many more of those who ask panic.
    breaks: AtomicUsize,
}

impl TestClock {
    /// Sets it to that instant, from which it goes on.
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

    /// From now on, it moves only when the test says so.
    pub fn stop(&self) {
        let now = self.now();
        self.is_stopped.store(true, Ordering::SeqCst);
        self.set(now);
    }

    /// Has so many panic of those who ask for the time next.
    pub fn break_for(&self, times: usize) {
        self.breaks.store(times, Ordering::SeqCst);
    }

    /// Whether all of them have.
    pub fn is_whole(&self) -> bool {
        self.breaks.load(Ordering::SeqCst) == 0
    }

    /// What it is moved from.
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
