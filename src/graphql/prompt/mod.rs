//! Prompts.

mod mutation;

use async_graphql::{Context, ID, Object, Result};

pub use mutation::PromptMutation;

use super::answer::Answer;
use super::connection::{Connection, PageArgs};
use super::context::ContextExt;
use super::error::Nullable;
use super::long::Long;
use super::provider::Provider;
use super::scalar::DateTime;
use super::user::User;
use super::workspace::Workspace;
use crate::models;
use crate::models::answer::AnswersOfPrompt;

/// A question that is put to every enabled provider.
#[derive(Clone)]
pub struct Prompt(pub models::prompt::Prompt);

/// A question that is put to every enabled provider.
#[Object]
impl Prompt {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The workspace the prompt belongs to.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        Ok(Workspace(ctx.get(self.0.workspace_id).await?))
    }

    /// The question: 1 to 2,000 characters, unique in the workspace.
    fn text(&self) -> Long<&str> {
        Long(&self.0.text)
    }

    /// Labels for grouping prompts, in lower case, without duplicates.
    fn tags(&self) -> Long<&[String]> {
        Long(&self.0.tags.0)
    }

    /// Whether runs put the prompt to the providers.
    fn is_active(&self) -> bool {
        self.0.is_active
    }

    /// The user who created the prompt; `null` if their account has been deleted since, or if the
    /// viewer may not see them.
    async fn created_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        ctx.find(self.0.created_by?, User).await
    }

    /// When the prompt was created.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the prompt was last changed.
    fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }

    /// The prompt's answers from all runs, including failed ones, newest first.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn answers(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Only answers from this provider; from every provider by default.")]
        provider: Option<Provider>,
    ) -> Result<Connection<Answer>> {
        let list = AnswersOfPrompt {
            provider: provider.map(Into::into),
        };
        let args = PageArgs::new(first, after, last, before);
        Connection::load(ctx, list, self.0.id, args, Answer).await
    }
}
