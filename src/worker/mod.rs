//! What runs without a request. Every instance may run a worker: they share the work through the
//! database.

mod mail;
mod mailer;

use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;

use self::mailer::Mailer;
use crate::app::App;

/// How long the worker lets pass before it looks for work that nobody has told it of: made by another
/// instance, or put off.
const POLL: Duration = Duration::from_secs(5);

/// What runs without a request.
pub struct Worker {
    app: App,
    mailer: Mailer,
}

impl Worker {
    /// Prepares the jobs.
    ///
    /// # Errors
    /// Where the configured mail server cannot be talked to, whatever it answers.
    pub fn new(app: App) -> anyhow::Result<Self> {
        let mailer = Mailer::new(&app.config)?;
        Ok(Self { app, mailer })
    }

    /// Works until `stop` completes; then finishes what it has begun. Works on at once whenever
    /// [`App::wake_worker`] is called.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            match mail::deliver(&self.app, &self.mailer).await {
                // There may be more than one batch of it.
                Ok(done) if done > 0 => {
                    if stop.as_mut().now_or_never().is_some() {
                        return;
                    }
                    continue;
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(?error, "no mail could be sent"),
            }
            tokio::select! {
                () = stop.as_mut() => return,
                () = self.app.work() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}
