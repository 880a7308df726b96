//! The AI providers whose answers are collected.

use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::resolve::One;
use super::workspace::Workspace;
use crate::models::{provider, workspace};

/// An AI provider whose answers are collected.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "provider::Provider")]
pub enum Provider {
    /// OpenAI.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Google,
    /// Perplexity.
    Perplexity,
    /// Mistral AI.
    Mistral,
    /// Cohere.
    Cohere,
}

/// Input of `setEnabledProviders`.
#[derive(InputObject)]
struct SetEnabledProvidersInput {
    /// The workspace to choose providers for.
    workspace_id: RawId,
    /// All providers to enable, at least one; duplicates count once. The others are disabled.
    providers: Vec<Provider>,
}

/// Payload of `setEnabledProviders`.
#[derive(SimpleObject)]
struct SetEnabledProvidersPayload {
    /// The workspace with the providers now enabled.
    workspace: One<Workspace>,
}

/// Mutations on providers.
#[derive(Default)]
pub struct ProviderMutation;

#[Object]
impl ProviderMutation {
    /// Chooses the AI providers that prompts are put to, from the next run on. Requires
    /// WORKSPACE_MANAGE.
    async fn set_enabled_providers(
        &self,
        ctx: &Context<'_>,
        input: SetEnabledProvidersInput,
    ) -> Result<SetEnabledProvidersPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        if input.providers.is_empty() {
            check.refuse("providers", "must name at least one");
        }
        let id = check.done(id)?;
        let providers: Vec<_> = input.providers.into_iter().map(Into::into).collect();
        let visible = workspace::set_providers(ctx.app(), viewer, id, &providers).await?;
        Ok(SetEnabledProvidersPayload {
            workspace: One(Workspace(visible)),
        })
    }
}
