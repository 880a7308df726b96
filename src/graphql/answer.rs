//! Answers.

use async_graphql::{Context, ID, Object, Result};

use super::context::ContextExt;
use super::error::Nullable;
use super::loader::{PromptOfAnswer, RunOfAnswer};
use super::long::Long;
use super::prompt::Prompt;
use super::provider::Provider;
use super::run::Run;
use super::scalar::{DateTime, Url};
use crate::models;

/// What one provider answered to one prompt in one run.
#[derive(Clone)]
pub struct Answer(pub models::answer::Answer);

/// What one provider answered to one prompt in one run.
#[Object]
impl Answer {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The run that collected it.
    async fn run(&self, ctx: &Context<'_>) -> Result<Run> {
        Ok(Run(ctx.get(RunOfAnswer(self.0.run_id)).await?))
    }

    /// The prompt that was put to the provider; `null` if it has been deleted since.
    async fn prompt(&self, ctx: &Context<'_>) -> Nullable<Prompt> {
        ctx.find(PromptOfAnswer(self.0.prompt_id), Prompt).await
    }

    /// The prompt's text as it was when the run was queued.
    fn prompt_text(&self) -> Long<&str> {
        Long(&self.0.prompt_text)
    }

    /// The provider that answered or failed to.
    fn provider(&self) -> Provider {
        self.0.provider.into()
    }

    /// The model that answered, as the provider names it.
    fn model(&self) -> &str {
        &self.0.model
    }

    /// The provider's answer; `null` if the provider failed.
    fn text(&self) -> Long<Option<&str>> {
        Long(self.0.text.as_deref())
    }

    /// Why the provider failed, for a person to read; `null` if it answered.
    fn error(&self) -> Long<Option<&str>> {
        Long(self.0.error.as_deref())
    }

    /// The http and https URLs that the answer cites, in order, without duplicates.
    fn citations(&self) -> Long<Vec<Url>> {
        let citations = self.0.citations.0.iter();
        Long(citations.map(|url| Url(url.as_str().to_owned())).collect())
    }

    /// Whether the text names the workspace's domain or cites a page on it, going by the domain
    /// that the workspace had when the answer was stored.
    fn mentions_domain(&self) -> bool {
        self.0.mentions_domain
    }

    /// How long the provider took, in milliseconds.
    fn latency_ms(&self) -> i32 {
        self.0.latency_ms
    }

    /// When the answer was stored.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}
