//! When the loaders' batches run: in the request's own task, when its execution has nothing else to
//! do.
//!
//! A batch that is spawned on the runtime is run by another thread while the execution still collects
//! its keys, so that a hundred objects may take dozens of statements where two are enough. And a
//! batch that goes while others are under way misses the keys that those bring. So batches go in
//! waves: all that are waiting, together, once the execution waits for nothing but them. How many
//! statements a document takes then depends on neither luck nor the number of rows.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_graphql::runtime::Timer;
use futures_util::future::{self, BoxFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use futures_util::task::{AtomicWaker, FutureObj, Spawn, SpawnError};

/// How often an execution that gave way goes on at once, before others of the thread get their turn.
const TURNS: u32 = 64;

/// The batches of one request. Cheap to clone; clones are the same batches.
#[derive(Clone, Default)]
pub struct Batches(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl Batches {
    /// Runs the execution of a request to its end, and with it the batches that it asks for.
    pub async fn run<F: Future>(&self, execution: F) -> F::Output {
        let mut execution = pin!(execution);
        let mut wave = FuturesUnordered::new();
        let rouser = Arc::new(Rouser::default());
        let waker = Waker::from(rouser.clone());
        poll_fn(|cx| {
            rouser.task.register(cx.waker());
            let mut turns = 0;
            loop {
                rouser.was_woken.store(false, Ordering::Relaxed);
                let polled = execution.as_mut().poll(&mut Context::from_waker(&waker));
                if let Poll::Ready(output) = polled {
                    return Poll::Ready(output);
                }
                if wave.is_empty() && rouser.was_woken.load(Ordering::Relaxed) {
                    if turns == TURNS {
                        return Poll::Pending;
                    }
                    turns += 1;
                    continue;
                }
                if wave.is_empty() {
                    wave.extend(self.take());
                }
                let mut answered = false;
                while let Poll::Ready(Some(())) = wave.poll_next_unpin(cx) {
                    answered = true;
                }
                if !answered {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    fn take(&self) -> Vec<FutureObj<'static, ()>> {
        // Nothing panics while it holds the lock; if it did, the list would still be whole.
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Wakes the task of an execution, and tells whether it did while that was polled: then the execution is to
/// be polled again before it can be said to wait. A list of lists gives way before all of them have been
/// polled.
#[derive(Default)]
struct Rouser {
    task: AtomicWaker,
    was_woken: AtomicBool,
}

impl Wake for Rouser {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.was_woken.store(true, Ordering::Relaxed);
        self.task.wake();
    }
}

impl Spawn for Batches {
    fn spawn_obj(&self, batch: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push(batch);
        Ok(())
    }
}

/// Lets a batch go as soon as it is run: [`Batches`] has waited already.
pub struct AtOnce;

impl Timer for AtOnce {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}
