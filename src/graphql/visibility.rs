//! How often answers mention the domain of their workspace.

use std::sync::Arc;

use async_graphql::{Context, Object, Result, SimpleObject};

use super::context::ContextExt;
use super::loader::VisibilityOf;
use super::provider::Provider;
use super::resolve::Many;
use super::scalar::{Date, DateTime};
use crate::id::WorkspaceId;
use crate::models::visibility::{Span, Visibility};

/// How often answers mention the workspace's domain. Failed answers do not count.
pub struct DomainVisibility(Arc<Visibility>);

impl DomainVisibility {
    /// Loads the visibility for a workspace, from the arguments of the field being resolved.
    ///
    /// # Errors
    /// `INVALID_INPUT` if the times are in the wrong order.
    pub async fn load(
        ctx: &Context<'_>,
        workspace: WorkspaceId,
        since: Option<DateTime>,
        until: Option<DateTime>,
    ) -> Result<Self> {
        let (since, until) = (since.map(|it| it.0), until.map(|it| it.0));
        let span = Span::new(since, until, ctx.now())?;
        let by_day = ctx.look_ahead().field("byDay").exists();
        let key = VisibilityOf {
            workspace,
            span,
            by_day,
        };
        Ok(Self(ctx.get(key).await?))
    }
}

/// How often answers mention the workspace's domain. Failed answers do not count.
#[Object]
impl DomainVisibility {
    /// The number of answers.
    fn answers(&self) -> i32 {
        number(self.0.total().answers)
    }

    /// The number of those answers that mention the domain.
    fn mentions(&self) -> i32 {
        number(self.0.total().mentions)
    }

    /// mentions ÷ answers, from 0 to 1; `null` where there is no answer.
    fn rate(&self) -> Option<f64> {
        self.0.total().rate()
    }

    /// The figures per provider that answered, in the order of `Provider`.
    fn by_provider(&self) -> Many<ProviderVisibility> {
        let by_provider = self.0.by_provider.iter();
        by_provider
            .map(|(provider, tally)| ProviderVisibility {
                provider: (*provider).into(),
                answers: number(tally.answers),
                mentions: number(tally.mentions),
                rate: tally.rate(),
            })
            .collect()
    }

    /// The figures per day that has answers, in order.
    fn by_day(&self) -> Many<DailyVisibility> {
        let by_day = self.0.by_day.iter();
        by_day
            .map(|(day, tally)| DailyVisibility {
                day: Date(*day),
                answers: number(tally.answers),
                mentions: number(tally.mentions),
                rate: tally.rate(),
            })
            .collect()
    }
}

/// How often a provider's answers mention the workspace's domain.
#[derive(SimpleObject)]
pub struct ProviderVisibility {
    /// The provider whose answers are counted.
    provider: Provider,
    /// The number of answers from the provider.
    answers: i32,
    /// The number of those answers that mention the domain.
    mentions: i32,
    /// mentions ÷ answers, from 0 to 1. Never `null`, because providers without answers are not
    /// listed.
    rate: Option<f64>,
}

/// How often one day's answers mention the workspace's domain.
#[derive(SimpleObject)]
pub struct DailyVisibility {
    /// The day, in UTC.
    day: Date,
    /// The number of answers on that day.
    answers: i32,
    /// The number of those answers that mention the domain.
    mentions: i32,
    /// mentions ÷ answers, from 0 to 1. Never `null`, because days without answers are not listed.
    rate: Option<f64>,
}

/// Converts a count to a GraphQL `Int`, which holds no greater number than `i32::MAX`.
fn number(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
