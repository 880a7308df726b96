//! Counting the statements sent to the database and, on demand, recording their texts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::connection::{Instrumentation, InstrumentationEvent};

/// Counts the statements of every connection of a pool, transaction control included. Cheap to clone;
/// clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    count: AtomicU64,
    is_recording: AtomicBool,
    texts: Mutex<Vec<String>>,
}

impl Statements {
    /// Returns how many statements there were so far.
    pub fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }

    /// Records the texts of statements from now on, without their values, until [`recorded`] takes them.
    /// For tests and benchmarks of query plans: nothing bounds how many are kept.
    ///
    /// [`recorded`]: Statements::recorded
    pub fn record(&self) {
        self.0.is_recording.store(true, Ordering::Relaxed);
    }

    /// Returns the texts of the statements since [`record`](Statements::record), in the order they were
    /// sent, and stops recording.
    pub fn recorded(&self) -> Vec<String> {
        self.0.is_recording.store(false, Ordering::Relaxed);
        std::mem::take(&mut *self.texts())
    }

    fn texts(&self) -> MutexGuard<'_, Vec<String>> {
        // Nothing panics while holding the lock; even then, the list would be intact.
        self.0.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        // Not logged: a statement prints with its values, which may be secret.
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            self.0.count.fetch_add(1, Ordering::Relaxed);
            if self.0.is_recording.load(Ordering::Relaxed) {
                let printed = query.to_string();
                let text = printed.split(" -- binds: ").next().unwrap_or_default();
                self.texts().push(text.to_owned());
            }
        }
    }
}
