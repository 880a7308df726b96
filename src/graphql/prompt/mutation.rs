//! Mutations on prompts.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::Prompt;
use crate::error::Error;
use crate::graphql::check::{Check, Checked};
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::{Many, One};
use crate::id::{PromptId, WorkspaceId};
use crate::models::prompt::{self, MAX_AT_ONCE, MAX_TAGS, NewPrompt, PromptChanges};
use crate::models::values::text;

/// A prompt to create.
#[derive(InputObject)]
struct PromptInput {
    /// The question: 1 to 2,000 characters, unique in the workspace.
    text: String,
    /// At most 20 labels of 1 to 40 characters each. They are converted to lower case, and
    /// duplicates count once.
    #[graphql(default)]
    tags: Vec<String>,
}

/// Input of `createPrompts`.
#[derive(InputObject)]
struct CreatePromptsInput {
    /// The workspace to create the prompts in.
    workspace_id: RawId,
    /// The prompts to create: 1 to 100.
    prompts: Vec<PromptInput>,
}

impl CreatePromptsInput {
    fn check(&self) -> Result<(WorkspaceId, Vec<NewPrompt>), Error> {
        let mut check = Check::default();
        let id = check.id("workspaceId", &self.workspace_id);
        if !(1..=MAX_AT_ONCE).contains(&self.prompts.len()) {
            check.refuse("prompts", "must be 1 to 100");
        }
        // Not all of them: what is wrong with thousands would be reported thousands of times.
        let prompts = self.prompts.iter().take(MAX_AT_ONCE).enumerate();
        let prompts = prompts
            .map(|(index, new)| {
                let path = format!("prompts.{index}");
                let text = check.field(&format!("{path}.text"), text::prompt_text(&new.text));
                let tags = tags(&mut check, &format!("{path}.tags"), &new.tags);
                text.with(tags).map(|(text, tags)| NewPrompt { text, tags })
            })
            .collect();
        check.done((id, prompts))
    }
}

/// Input of `updatePrompt`. Omitted fields stay as they are; `null` is INVALID_INPUT.
#[derive(InputObject)]
struct UpdatePromptInput {
    /// The prompt to change.
    prompt_id: RawId,
    /// The new question: 1 to 2,000 characters, unique in the workspace.
    text: MaybeUndefined<String>,
    /// The labels that replace the present ones: at most 20 of 1 to 40 characters each.
    tags: MaybeUndefined<Vec<String>>,
    /// Whether runs put the prompt to the providers.
    is_active: MaybeUndefined<bool>,
}

impl UpdatePromptInput {
    fn check(&self) -> Result<(PromptId, PromptChanges), Error> {
        let mut check = Check::default();
        let id = check.id("promptId", &self.prompt_id);
        let text = check.kept("text", &self.text, |text| text::prompt_text(text));
        let tags = check.kept_list("tags", &self.tags, tags);
        let is_active = check.kept("isActive", &self.is_active, |it| Ok(*it));
        let (id, text, tags, is_active) = check.done((id, text, tags, is_active))?;
        let changes = PromptChanges {
            text,
            tags,
            is_active,
        };
        Ok((id, changes))
    }
}

/// Checks tags and removes duplicates.
fn tags(check: &mut Check, path: &str, raw: &[String]) -> Checked<Vec<String>> {
    if raw.len() > MAX_TAGS {
        check.refuse(path, "must be at most 20");
    }
    let tags = raw.iter().take(MAX_TAGS).enumerate();
    let tags: Checked<Vec<_>> = tags
        .map(|(index, tag)| check.field(&format!("{path}.{index}"), text::tag(tag)))
        .collect();
    tags.map(|tags| {
        let mut unique = Vec::with_capacity(tags.len());
        for tag in tags {
            if !unique.contains(&tag) {
                unique.push(tag);
            }
        }
        unique
    })
}

/// Input of `deletePrompt`.
#[derive(InputObject)]
struct DeletePromptInput {
    /// The prompt to delete.
    prompt_id: RawId,
}

/// Payload of `createPrompts`.
#[derive(SimpleObject)]
struct CreatePromptsPayload {
    /// The new prompts, in the order given.
    prompts: Many<Prompt>,
}

/// Payload of `updatePrompt`.
#[derive(SimpleObject)]
struct UpdatePromptPayload {
    /// The prompt as it is now.
    prompt: One<Prompt>,
}

/// Payload of `deletePrompt`.
#[derive(SimpleObject)]
struct DeletePromptPayload {
    /// The id of the deleted prompt.
    deleted_id: ID,
}

/// Mutations on prompts.
#[derive(Default)]
pub struct PromptMutation;

#[Object]
impl PromptMutation {
    /// Creates prompts, all of them or none. Fails with CONFLICT if a text is given twice or the
    /// workspace already has it; `extensions.violations` says which. Requires WORKSPACE_CONTRIBUTE.
    async fn create_prompts(
        &self,
        ctx: &Context<'_>,
        input: CreatePromptsInput,
    ) -> Result<CreatePromptsPayload> {
        let viewer = ctx.viewer()?;
        let (id, new) = input.check()?;
        let prompts = prompt::create(ctx.app(), viewer, id, &new).await?;
        let prompts = prompts.into_iter().map(Prompt).collect();
        Ok(CreatePromptsPayload {
            prompts: Many(prompts),
        })
    }

    /// Changes a prompt. Its earlier answers keep the text they were given for. Fails with CONFLICT
    /// if another prompt in the workspace has the new text. Requires WORKSPACE_CONTRIBUTE.
    async fn update_prompt(
        &self,
        ctx: &Context<'_>,
        input: UpdatePromptInput,
    ) -> Result<UpdatePromptPayload> {
        let viewer = ctx.viewer()?;
        let (id, changes) = input.check()?;
        let prompt = prompt::update(ctx.app(), viewer, id, &changes).await?;
        Ok(UpdatePromptPayload {
            prompt: One(Prompt(prompt)),
        })
    }

    /// Deletes a prompt. Its answers stay in their runs. Requires WORKSPACE_CONTRIBUTE.
    async fn delete_prompt(
        &self,
        ctx: &Context<'_>,
        input: DeletePromptInput,
    ) -> Result<DeletePromptPayload> {
        let viewer = ctx.viewer()?;
        let id = input.prompt_id.only("promptId")?;
        prompt::delete(ctx.app(), viewer, id).await?;
        Ok(DeletePromptPayload {
            deleted_id: id.into(),
        })
    }
}
