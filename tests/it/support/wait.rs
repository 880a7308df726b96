//! Waiting for what comes about by itself.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Long enough for anything that is going to happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Between one look and the next: so short that nobody notices, and long enough to leave the processor to
/// what is waited for.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until it is so, and fails with `what` where it does not come about.
pub async fn until(what: &str, condition: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, condition).await;
}

/// The same, for as long as that.
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
