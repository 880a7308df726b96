//! Collecting the answers of one run: every prompt is sent to every provider, and each answer is stored
//! as it arrives. No database connection is held while waiting for a provider.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use tracing::Instrument;

use super::lease;
use crate::app::App;
use crate::db::types::JsonList;
use crate::error::Result;
use crate::id::{AnswerId, PromptId};
use crate::models::answer::Answer;
use crate::models::provider::Provider;
use crate::models::run::work::{self, Lease};
use crate::models::run::{HolderId, Run};
use crate::models::values::mention::mentions;
use crate::providers::{Failure, Providers};
use crate::telemetry::{self, Outcome};
use crate::worker::shift::Shift;

/// How many prompts are read at a time.
const PAGE: i64 = 100;
/// How long calls under way may take once the worker stops.
const GRACE: Duration = Duration::from_secs(20);

/// A run that this worker has claimed.
pub(super) struct Collection {
    pub app: App,
    pub providers: Providers,
    pub run: Run,
    pub holder: HolderId,
}

/// What a provider is asked: a prompt, as it was when the run was queued.
type Question = (PromptId, String);

/// Why a collection ended.
enum End {
    /// Every provider has answered every prompt, or failed to.
    Done,
    /// The worker is stopping.
    Over,
    /// This worker no longer holds the run.
    Lost,
}

/// The lease is another worker's now, or the run was cancelled.
struct Lost;

impl Collection {
    /// Collects the missing answers until all are stored, the lease is lost, or the shift is over.
    pub(super) async fn run(self, shift: Shift) {
        let span = telemetry::run(&self.run.id.to_string(), self.run.total);
        let outcome = self.work(shift).instrument(span.clone()).await;
        outcome.record(&span);
    }

    async fn work(self, shift: Shift) -> Outcome<'static> {
        let id = self.run.id;
        let _under_way = self.app.metrics.run_under_way();
        tracing::info!(run = %id, total = self.run.total, "run claimed");
        let mut until = shift.clone();
        let ended = tokio::select! {
            ended = self.collect(&shift) => ended,
            () = lease::keep(&self.app, &self.run, self.holder) => End::Lost,
            () = async { until.over().await; tokio::time::sleep(GRACE).await } => End::Over,
        };
        let (word, written) = match ended {
            End::Done => ("ended", self.finish().await),
            End::Over => ("given_back", self.give_back().await),
            End::Lost => {
                tracing::info!(run = %id, "run stopped, or claimed by another worker");
                ("lost", Ok(()))
            }
        };
        let is_fault = written.is_err();
        // If this fails, the lease expires by itself.
        if let Err(error) = written {
            tracing::warn!(run = %id, error = error.details(), "the end of a run could not be stored");
        }
        Outcome { word, is_fault }
    }

    async fn collect(&self, shift: &Shift) -> End {
        let cut_short = AtomicBool::new(false);
        let providers = self.run.providers.0.iter();
        let collected = try_join_all(providers.map(|p| self.ask_all(*p, shift, &cut_short))).await;
        match collected {
            Ok(_) if cut_short.into_inner() => End::Over,
            Ok(_) => End::Done,
            Err(Lost) => End::Lost,
        }
    }

    /// Repeats `attempt` until it succeeds, with pauses. While the lease lasts, no database error is a reason
    /// to drop calls under way or answers not stored yet: each has been paid for, and the next worker would
    /// pay for it again.
    async fn insist<T, F>(&self, shift: &Shift, attempt: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T>>,
    {
        let mut luck = shift.luck("runs");
        loop {
            match attempt().await {
                Ok(value) => {
                    luck.good();
                    return value;
                }
                Err(error) => tokio::time::sleep(luck.bad(&error)).await,
            }
        }
    }

    /// Asks the provider every prompt it has not answered yet, as many at a time as its concurrency
    /// limit allows.
    async fn ask_all(
        &self,
        provider: Provider,
        shift: &Shift,
        cut_short: &AtomicBool,
    ) -> Result<(), Lost> {
        let answered = self.insist(shift, || self.answered(provider)).await;
        let goes_on = || {
            let is_over = shift.is_over();
            cut_short.fetch_or(is_over, Ordering::Relaxed);
            !is_over
        };
        self.questions(shift)
            .filter(|(prompt, _)| std::future::ready(!answered.contains(prompt)))
            .take_while(|_| std::future::ready(goes_on()))
            .map(Ok)
            .try_for_each_concurrent(self.providers.concurrency(provider), |question| {
                self.ask(provider, question, shift)
            })
            .await
    }

    async fn answered(&self, provider: Provider) -> Result<HashSet<PromptId>> {
        let mut conn = self.app.db.read().await?;
        work::answered(&mut conn, self.run.id, provider).await
    }

    /// Streams the prompts of the run, ordered by id.
    fn questions(&self, shift: &Shift) -> impl Stream<Item = Question> {
        let pages = stream::unfold(None, async move |after| {
            let page = self.insist(shift, || self.prompts_after(after)).await;
            let last = page.last().map(|(prompt, _)| *prompt);
            last.map(|last| (stream::iter(page), Some(last)))
        });
        pages.flatten()
    }

    async fn prompts_after(&self, after: Option<PromptId>) -> Result<Vec<Question>> {
        let mut conn = self.app.db.read().await?;
        work::prompts_after(&mut conn, self.run.id, after, PAGE).await
    }

    async fn ask(&self, provider: Provider, question: Question, shift: &Shift) -> Result<(), Lost> {
        let answer = self.answer(provider, question).await;
        match self.insist(shift, || self.store(&answer)).await {
            Lease::Held => {
                let is_failed = answer.error.is_some();
                self.app.metrics.answer(provider, is_failed);
                Ok(())
            }
            Lease::Lost => Err(Lost),
        }
    }

    /// Returns the provider's answer, or the reason why there is none.
    async fn answer(&self, provider: Provider, (prompt_id, prompt_text): Question) -> Answer {
        let asked = self.providers.ask(provider, &prompt_text).await;
        let (model, text, error, citations, latency) = match asked {
            Ok(reply) => (
                reply.model,
                Some(reply.text),
                None,
                reply.citations,
                reply.latency,
            ),
            Err(failure) => {
                let Failure {
                    model,
                    message,
                    latency,
                } = failure;
                (model, None, Some(message), Vec::new(), latency)
            }
        };
        let now = self.app.now();
        Answer {
            id: AnswerId::new(now.to_utc()),
            workspace_id: self.run.workspace_id,
            run_id: self.run.id,
            prompt_id,
            prompt_text,
            provider,
            model,
            text,
            error,
            citations: JsonList(citations),
            // Determined when the answer is stored, from the domain the workspace has then.
            mentions_domain: false,
            latency_ms: i32::try_from(latency.as_millis()).unwrap_or(i32::MAX),
            created_at: now,
        }
    }

    async fn store(&self, answer: &Answer) -> Result<Lease> {
        // An answer may be long. It is searched before the transaction, so that nobody waits for that,
        // and searched again only if the workspace's domain has changed in the meantime.
        let expected = self.domain().await?;
        let as_expected = is_mentioned(expected.as_deref(), answer);
        let stored = self
            .app
            .db
            .transaction(async |tx| {
                let domain = work::domain(tx, &self.run).await?;
                let mentions_domain = if domain == expected {
                    as_expected
                } else {
                    is_mentioned(domain.as_deref(), answer)
                };
                let answer = Answer {
                    mentions_domain,
                    ..answer.clone()
                };
                work::store(tx, self.holder, &answer).await
            })
            .await;
        match stored {
            // An earlier attempt stored it, but its outcome never reached us.
            Err(error) if error.is_unique_violation() && self.is_stored(answer.id).await? => {
                Ok(Lease::Held)
            }
            stored => stored,
        }
    }

    async fn domain(&self) -> Result<Option<String>> {
        let mut conn = self.app.db.read().await?;
        work::domain(&mut conn, &self.run).await
    }

    async fn is_stored(&self, answer: AnswerId) -> Result<bool> {
        let mut conn = self.app.db.read().await?;
        work::is_stored(&mut conn, answer).await
    }

    async fn finish(&self) -> Result<()> {
        let (id, now) = (self.run.id, self.app.now());
        let lease = self
            .app
            .db
            .transaction(async |tx| work::finish(tx, id, self.holder, now).await)
            .await?;
        if lease == Lease::Held {
            tracing::info!(run = %id, "run ended");
        }
        Ok(())
    }

    async fn give_back(&self) -> Result<()> {
        let id = self.run.id;
        self.app
            .db
            .transaction(async |tx| work::give_back(tx, id, self.holder).await)
            .await?;
        tracing::info!(run = %id, "run released");
        Ok(())
    }
}

/// Whether the answer mentions the domain. `false` if either is missing.
fn is_mentioned(domain: Option<&str>, answer: &Answer) -> bool {
    match (domain, &answer.text) {
        (Some(domain), Some(text)) => mentions(domain, text, &answer.citations.0),
        _ => false,
    }
}
