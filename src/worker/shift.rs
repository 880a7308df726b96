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

/// How long a job waits before it looks for work that it was not woken for: created by another instance,
/// put off, or due by the clock.
pub(super) const POLL: Duration = Duration::from_secs(1);

/// How long a job that nobody waits for rests, as a multiple of the time it worked. With a smaller
/// factor, concurrent writers sometimes have to wait for two of its transactions.
const REST: u32 = 3;

/// The time from when the worker starts until it is told to stop. Each job has its own clone.
#[derive(Clone)]
pub(super) struct Shift {
    work: watch::Receiver<()>,
    stop: watch::Receiver<bool>,
    outage: Outage,
}

impl Shift {
    /// Starts a shift that ends once `stop` is true or its sender is gone.
    pub(super) fn new(app: &App, stop: watch::Receiver<bool>) -> Self {
        Self {
            work: app.work(),
            stop,
            outage: Outage::new(app),
        }
    }

    /// Tracks the successes and failures of the job of that name.
    pub(super) fn luck(&self, name: &'static str) -> Luck {
        self.outage.luck(name)
    }

    /// Whether the shift is over.
    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// Completes when the shift is over.
    pub(super) async fn over(&mut self) {
        // An error means that the sender is gone.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Waits until there may be work, but no longer than `time`. Returns `false` if the shift is over.
    pub(super) async fn wait(&mut self, time: Duration) -> bool {
        tokio::select! {
            // An error means that the sender is gone.
            _ = self.stop.wait_for(|stop| *stop) => false,
            _ = self.work.changed() => true,
            () = tokio::time::sleep(time) => true,
        }
    }

    /// Repeats a job until the shift is over: immediately while it reports that there may be more to do,
    /// and otherwise when there may be work again.
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

    /// Like [`Shift::repeat`], for jobs that nobody waits for: rests after each round for [`REST`] times
    /// as long as the round took. Otherwise the job would take SQLite's only writer again before others
    /// could even ask for it.
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

/// Returns the job's result, or an error if the job panicked: a bug in one job must not end the others,
/// which share its task. The panic itself is in the log.
pub(super) async fn caught<T>(job: impl Future<Output = Result<T>>) -> Result<T> {
    // A job leaves nothing behind but what is in the database, which a panic cannot leave half done.
    let outcome = AssertUnwindSafe(job).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(anyhow!("the job panicked").into()))
}
