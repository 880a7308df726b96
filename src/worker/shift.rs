//! When the jobs look for work, and when they stop.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures_util::FutureExt;
use tokio::sync::watch;

use super::outage::{Luck, Outage};
use crate::app::App;
use crate::db::on_its_thread;
use crate::error::Result;

/// How long a job lets pass before it looks for work that nobody has told it of: made by another
/// instance, put off, or due by the clock.
pub(super) const POLL: Duration = Duration::from_secs(1);

/// How many times as long as it worked a job rests that nobody waits for. With fewer, those who write
/// meanwhile wait for two of its transactions now and then.
const REST: u32 = 3;

/// From when the worker begins until it is told to stop. Each job has one of its own.
#[derive(Clone)]
pub(super) struct Shift {
    work: watch::Receiver<()>,
    stop: watch::Receiver<bool>,
    outage: Outage,
}

impl Shift {
    /// Ends once `stop` is true, or its sender gone.
    pub(super) fn new(app: &App, stop: watch::Receiver<bool>) -> Self {
        Self {
            work: app.work(),
            stop,
            outage: Outage::new(app),
        }
    }

    /// How the job of that name fares from here on.
    pub(super) fn luck(&self, name: &'static str) -> Luck {
        self.outage.luck(name)
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// Completes when it is over.
    pub(super) async fn over(&mut self) {
        // An error says that the sender is gone.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Completes when there may be work, after that time at the latest, with whether there is still time for
    /// it.
    pub(super) async fn wait(&mut self, time: Duration) -> bool {
        tokio::select! {
            // An error says that the sender is gone.
            _ = self.stop.wait_for(|stop| *stop) => false,
            _ = self.work.changed() => true,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// Does a job of that name until the shift is over: again at once for as long as it says that there
    /// may be more to do, and otherwise when there may be work again.
    pub(super) async fn repeat<F>(mut self, name: &'static str, job: impl Fn() -> F)
    where
        F: Future<Output = Result<bool>>,
    {
        let mut luck = self.luck(name);
        while !self.is_over() {
            let time = match caught(job()).await {
                Ok(may_be_more) => {
                    let time = luck.good();
                    if may_be_more {
                        continue;
                    }
                    time
                }
                Err(error) => luck.bad(&error),
            };
            if !self.wait(time).await {
                return;
            }
        }
    }

    /// As [`Shift::repeat`], for what nobody waits for: rests after each time for [`REST`] times as long
    /// as that took. Otherwise it had SQLite's one writer again before others could even ask for it.
    pub(super) async fn repeat_gently<F>(self, name: &'static str, job: impl Fn() -> F)
    where
        F: Future<Output = Result<bool>>,
    {
        let job = &job;
        let gently = || async move {
            let begun = Instant::now();
            let may_be_more = on_its_thread(job()).await?;
            if may_be_more {
                tokio::time::sleep(REST * begun.elapsed()).await;
            }
            Ok(may_be_more)
        };
        self.repeat(name, gently).await;
    }
}

/// What a job gives or, where it panicked, an error: a mistake of ours in one job must not end the others,
/// which share its task. The panic itself is in the log.
pub(super) async fn caught<T>(job: impl Future<Output = Result<T>>) -> Result<T> {
    // Nothing of a job outlives it but what is in the database, and what no panic leaves half done.
    let outcome = AssertUnwindSafe(job).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(anyhow!("it panicked").into()))
}
