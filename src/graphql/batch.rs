//! Decides when the loaders' batches run: in the request's own task, once its execution has nothing
//! else to do.
//!
//! A batch spawned on the runtime would be run by another thread while the execution still collects
//! keys, so that a hundred objects could take dozens of statements instead of two. A batch that
//! starts while others are in flight misses the keys that those produce. So batches run in waves:
//! all waiting batches together, once the execution waits for nothing but them. The number of
//! statements a document takes then depends neither on luck nor on the number of rows.

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

/// How many times in a row an execution that yielded is polled again at once, before other tasks on
/// the thread get their turn.
const TURNS: u32 = 64;

/// The batches of one request. Cheap to clone; clones share the same batches.
#[derive(Clone, Default)]
pub struct Batches(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl Batches {
    /// Runs a request's execution to completion, along with the batches that it asks for.
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
        // Nothing panics while holding the lock; even if it did, the list would be intact.
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Wakes the task of an execution, and records whether that happened while the execution was being
/// polled: it must then be polled again before it can be said to wait. A list of lists yields
/// before all of them have been polled.
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

/// Dispatches a batch as soon as it runs: [`Batches`] has already done the waiting.
pub struct AtOnce;

impl Timer for AtOnce {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}
