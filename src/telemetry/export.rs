//! The queue between the code that creates spans and the exporter that sends them. Creating a span never
//! waits: if the collector cannot keep up, spans are lost, and the log occasionally says how many.

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

/// How many spans may wait to be sent, including those being sent.
const LONGEST: usize = 2048;
/// The shortest time between two log messages about lost spans.
const PAUSE: Duration = Duration::from_secs(60);

/// The counts of spans that wait to be sent and that were lost. Cheap to clone; clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: AtomicUsize,
    lost: AtomicUsize,
    /// When the log last reported lost spans.
    told: Mutex<Option<Instant>>,
}

impl Queue {
    /// Returns a processor that collects spans and hands them to `sender` in batches, in its own thread.
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

    /// Logs how many spans were lost since the last report, including those still waiting.
    pub fn close(&self) {
        let waiting = self.0.waiting.load(Ordering::Relaxed);
        let spans = self.0.lost.swap(0, Ordering::Relaxed) + waiting;
        if spans > 0 {
            tracing::warn!(spans, "spans of traces were lost");
        }
    }

    /// Reserves a place for one more span. Returns `false`, and counts the span as lost, if there is
    /// none.
    fn enter(&self) -> bool {
        let waiting = self.0.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting < LONGEST {
            return true;
        }
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.lost.fetch_add(1, Ordering::Relaxed);
        false
    }

    /// Records that `spans` spans were sent or, with a failure, lost.
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
        // Nothing panics while holding the lock.
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= PAUSE) {
            *told = Some(Instant::now());
            let spans = self.0.lost.swap(0, Ordering::Relaxed);
            let reason = match failure {
                Some(error) => error.to_string(),
                None => "the collector cannot keep up".to_owned(),
            };
            tracing::warn!(spans, reason, "spans of traces were lost");
        }
    }
}

/// A processor that takes no more spans than the queue has room for.
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
    /// For sending: the thread that exports has neither timers nor sockets.
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
        // Before the first batch, this is the only reference.
        if let Some(otlp) = Arc::get_mut(&mut self.otlp) {
            otlp.set_resource(resource);
        }
    }
}
