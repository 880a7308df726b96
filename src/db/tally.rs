//! How many statements one piece of work sends to the database, on whatever connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static OWN: Tally;
}

/// Counts the statements of one piece of work, transaction control included. Cheap to clone; clones
/// share one count.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<AtomicU64>);

impl Tally {
    /// Runs the work and counts the statements that it sends from its own task.
    pub fn count<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        OWN.scope(self.clone(), work)
    }

    /// Returns how many statements there were so far.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts a statement for the work that sends it, if anybody counts.
pub(super) fn add() {
    // An error means that nobody counts.
    let _ = OWN.try_with(|Tally(own)| own.fetch_add(1, Ordering::Relaxed));
}
