//! How often one piece of work goes to the database, whatever connections it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

tokio::task_local! {
    static OWN: Tally;
}

/// Counts the statements of one piece of work, transaction control included. Cheap to clone; clones
/// count together.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<AtomicU64>);

impl Tally {
    /// Does the work, and counts the statements that it makes in its own task.
    pub fn count<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        OWN.scope(self.clone(), work)
    }

    /// How many there were so far.
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts a statement for the work that makes it, if anybody counts.
pub(super) fn add() {
    // An error says that nobody does.
    let _ = OWN.try_with(|Tally(own)| own.fetch_add(1, Ordering::Relaxed));
}
