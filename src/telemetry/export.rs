//! The way of spans from whoever makes them to whoever sends them. Nobody who makes one waits: where
//! the collector does not keep up, spans are lost, and the log says now and then how many.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};
use tokio::runtime::Handle;

/// How many spans wait to be sent, those included that are on their way.
const LONGEST: usize = 2048;
/// How often the log says that spans are lost.
const PAUSE: Duration = Duration::from_secs(60);

/// What waits to be sent, and what was lost. Cheap to clone; clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: AtomicUsize,
    lost: AtomicUsize,
    /// When the log last said how many.
    told: Mutex<Option<Instant>>,
}

impl Queue {
    /// What takes spans and hands them to `sender` in batches, in a thread of its own.
    pub fn processor(&self, sender: Sender) -> impl SpanProcessor + use<> {
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(LONGEST)
            .build();
        let batches = BatchSpanProcessor::builder(sender)
            .with_batch_config(config)
            .build();
        Bounded {
            queue: self.clone(),
            batches,
        }
    }

    /// Says how many spans were lost since it was last said, those included that still wait.
    pub fn close(&self) {
        let waiting = self.0.waiting.load(Ordering::Relaxed);
        let spans = self.0.lost.swap(0, Ordering::Relaxed) + waiting;
        if spans > 0 {
            tracing::warn!(spans, "spans of traces were lost");
        }
    }

    /// Makes room for one more span, if there is.
    fn enter(&self) -> bool {
        let waiting = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting < LONGEST {
            return true;
        }
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.lost.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// So many spans were sent, or lost for that reason.
    fn leave(&self, spans: usize, failure: Option<&OTelSdkError>) {
        self.0.waiting.fetch_sub(spans, Ordering::Relaxed);
        if failure.is_some() {
            self.0.lost.fetch_add(spans, Ordering::Relaxed);
        }
        if self.0.lost.load(Ordering::Relaxed) > 0 {
            self.tell(failure);
        }
    }

    fn tell(&self, failure: Option<&OTelSdkError>) {
        // Nothing panics while it holds the lock.
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= PAUSE) {
            *told = Some(Instant::now());
            let spans = self.0.lost.swap(0, Ordering::Relaxed);
            let reason = match failure {
                Some(error) => error.to_string(),
                None => "the collector does not keep up".to_owned(),
            };
            tracing::warn!(spans, reason, "spans of traces were lost");
        }
    }
}

/// Takes no more spans than the queue has room for.
#[derive(Debug)]
struct Bounded {
    queue: Queue,
    batches: BatchSpanProcessor,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.queue.enter() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Sends batches of spans.
#[derive(Debug)]
pub(super) struct Sender {
    otlp: Arc<Otlp>,
    /// The thread that asks for it has no timers and no sockets.
    runtime: Handle,
    queue: Queue,
}

impl Sender {
    pub fn new(otlp: Otlp, runtime: Handle, queue: Queue) -> Self {
        Self {
            otlp: Arc::new(otlp),
            runtime,
            queue,
        }
    }
}

impl SpanExporter for Sender {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (spans, otlp) = (batch.len(), self.otlp.clone());
        let sending = self.runtime.spawn(async move { otlp.export(batch).await });
        let sent = sending
            .await
            .unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())));
        self.queue.leave(spans, sent.as_ref().err());
        sent
    }

    fn set_resource(&mut self, resource: &Resource) {
        // Before the first batch, nobody else has it.
        if let Some(otlp) = Arc::get_mut(&mut self.otlp) {
            otlp.set_resource(resource);
        }
    }
}
