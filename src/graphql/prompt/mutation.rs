//! What can be changed of prompts.

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

/// A prompt to make.
#[derive(InputObject)]
struct PromptInput {
    /// What is asked: 1 to 2,000 characters, unlike the text of any other prompt in the workspace.
    text: String,
    /// At most 20 labels of 1 to 40 characters each; they are lower-cased, and duplicates count
    /// once.
    #[graphql(default)]
    tags: Vec<String>,
}

/// What `createPrompts` takes.
#[derive(InputObject)]
struct CreatePromptsInput {
    /// The workspace that the prompts are for.
    workspace_id: RawId,
    /// 1 to 100 prompts.
    prompts: Vec<PromptInput>,
}

impl CreatePromptsInput {
    fn check(&self) -> Result<(WorkspaceId, Vec<NewPrompt>), Error> {
        let mut check = Check::default();
        let id = check.id("workspaceId", &self.workspace_id);
        if !(1..=MAX_AT_ONCE).contains(&self.prompts.len()) {
            check.refuse("prompts", "must be 1 to 100");
        }
        // No further: what is wrong with thousands of them would be told thousands of times.
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

/// What `updatePrompt` takes. What is left out stays as it is; `null` is INVALID_INPUT.
#[derive(InputObject)]
struct UpdatePromptInput {
    /// The prompt to change.
    prompt_id: RawId,
    /// What is asked: 1 to 2,000 characters, unlike the text of any other prompt in the workspace.
    text: MaybeUndefined<String>,
    /// All its labels from now on: at most 20 of 1 to 40 characters each.
    tags: MaybeUndefined<Vec<String>>,
    /// Whether runs put it to the providers.
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

/// Tags, each once.
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

/// What `deletePrompt` takes.
#[derive(InputObject)]
struct DeletePromptInput {
    /// The prompt to delete.
    prompt_id: RawId,
}

/// What `createPrompts` answers.
#[derive(SimpleObject)]
struct CreatePromptsPayload {
    /// The prompts that were made, in the order in which they were given.
    prompts: Many<Prompt>,
}

/// What `updatePrompt` answers.
#[derive(SimpleObject)]
struct UpdatePromptPayload {
    /// The prompt as it is now.
    prompt: One<Prompt>,
}

/// What `deletePrompt` answers.
#[derive(SimpleObject)]
struct DeletePromptPayload {
    /// The id of the prompt that is gone.
    deleted_id: ID,
}

/// What can be changed of prompts.
#[derive(Default)]
pub struct PromptMutation;

#[Object]
impl PromptMutation {
    /// Makes prompts, all of them or none, and answers them in the order given. The same text
    /// twice, or one that the workspace has already, is CONFLICT, with `extensions.violations`
    /// telling which. Requires WORKSPACE_CONTRIBUTE.
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

    /// Changes a prompt. Answers that were given to it keep its text as it was. The text of another
    /// prompt in the workspace is CONFLICT. Requires WORKSPACE_CONTRIBUTE.
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

    /// Deletes a prompt. Answers that were given to it stay in their runs. Requires
    /// WORKSPACE_CONTRIBUTE.
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
