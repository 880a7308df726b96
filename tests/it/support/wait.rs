//! Waiting for things that happen in the background.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Long enough for anything that is going to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The time between two checks: imperceptible, but long enough to leave the processor to what is waited
/// for.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until the condition holds. Panics with `what` if that takes too long.
pub async fn until(what: &str, condition: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, condition).await;
}

/// Like [`until`], but waits no longer than `patience`.
pub async fn until_within(
    patience: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> bool,
) {
    let waiting = async {
        while !condition().await {
            sleep(PAUSE).await;
        }
    };
    let in_time = timeout(patience, waiting).await;
    assert!(in_time.is_ok(), "not within {patience:?}: {what}");
}
