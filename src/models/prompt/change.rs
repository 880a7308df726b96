//! Changing and deleting prompts.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};

use super::{Prompt, hash};
use crate::access::WorkspaceScope;
use crate::access::scope::workspace::Contribute;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::JsonList;
use crate::error::{Error, Result, Violation};
use crate::id::{PromptId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::values::fold::fold;
use crate::run;
use crate::schema::prompts;

/// The changes to a prompt. Fields left out stay as they are.
#[derive(Clone, Debug, Default)]
pub struct PromptChanges {
    /// The new text, 1 to 2,000 characters.
    pub text: Option<String>,
    /// The new tags: at most 20, each 1 to 40 characters, in lower case, unique.
    pub tags: Option<Vec<String>>,
    /// Whether runs send it to the providers.
    pub is_active: Option<bool>,
}

/// Changes a prompt. Existing answers to it, and a run that is under way, keep the former text.
///
/// # Errors
/// As [`Viewer::workspace`] for the prompt's workspace; `CONFLICT` if another prompt there has the text.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: PromptId,
    changes: &PromptChanges,
) -> Result<Prompt> {
    app.db
        .transaction(async |tx| {
            let (scope, mut prompt) = locked(tx, viewer, id).await?;
            let data = apply(&mut prompt, changes);
            if data.contains_key("text") {
                refuse_taken(tx, &prompt).await?;
            }
            if !data.is_empty() {
                let now = app.now();
                prompt.updated_at = now;
                let row = prompts::table.find(id);
                run!(tx, diesel::update(row).set(&prompt).execute(tx).await)?;
                let event = event_of(&scope, &prompt, EventKind::PromptUpdated, data.into());
                event::record(tx, viewer, now, event).await?;
            }
            Ok(prompt)
        })
        .await
}

/// Deletes a prompt. Existing answers to it stay.
///
/// # Errors
/// As [`Viewer::workspace`] for the prompt's workspace.
pub async fn delete(app: &App, viewer: &Viewer, id: PromptId) -> Result<()> {
    app.db
        .transaction(async |tx| {
            let (scope, prompt) = locked(tx, viewer, id).await?;
            let row = prompts::table.find(id);
            run!(tx, diesel::delete(row).execute(tx).await)?;
            // The row is gone, so this is the only record of its text.
            let data = json!({ "text": prompt.text });
            let event = event_of(&scope, &prompt, EventKind::PromptDeleted, data);
            event::record(tx, viewer, app.now(), event).await
        })
        .await
}

/// Returns the prompt, and its workspace, whose row is locked. All changes to prompts are made under
/// that lock.
async fn locked(
    tx: &mut Transaction,
    viewer: &Viewer,
    id: PromptId,
) -> Result<(WorkspaceScope<Contribute>, Prompt)> {
    let workspace: Option<WorkspaceId> = run!(
        tx,
        prompts::table
            .find(id)
            .select(prompts::workspace_id)
            .first(tx)
            .await
            .optional()
    )?;
    let workspace = workspace.ok_or_else(Error::not_found)?;
    let scope = viewer.workspace::<Contribute>(tx, workspace).await?;
    let prompt: Option<Prompt> = run!(
        tx,
        prompts::table
            .filter(prompts::id.eq(id).and(prompts::workspace_id.eq(scope.id())))
            .select(Prompt::as_select())
            .first(tx)
            .await
            .optional()
    )?;
    Ok((scope, prompt.ok_or_else(Error::not_found)?))
}

/// Applies the changes to the row, and returns the fields that changed with their new values.
fn apply(prompt: &mut Prompt, changes: &PromptChanges) -> Map<String, Value> {
    let mut data = Map::new();
    if let Some(text) = changes.text.as_ref().filter(|text| **text != prompt.text) {
        prompt.text.clone_from(text);
        prompt.text_hash = hash(text);
        prompt.search_key = fold(text);
        data.insert("text".into(), text.as_str().into());
    }
    if let Some(tags) = changes.tags.as_ref().filter(|tags| **tags != prompt.tags.0) {
        prompt.tags = JsonList(tags.clone());
        data.insert("tags".into(), tags.as_slice().into());
    }
    if let Some(is_active) = changes.is_active.filter(|it| *it != prompt.is_active) {
        prompt.is_active = is_active;
        data.insert("isActive".into(), is_active.into());
    }
    data
}

/// Refuses a text that another prompt of the workspace has.
async fn refuse_taken(tx: &mut Transaction, prompt: &Prompt) -> Result<()> {
    let others = prompts::table
        .filter(prompts::workspace_id.eq(prompt.workspace_id))
        .filter(prompts::text_hash.eq(&prompt.text_hash))
        .filter(prompts::id.ne(prompt.id))
        .select(prompts::id);
    let taken: bool = run!(tx, diesel::select(exists(others)).get_result(tx).await)?;
    if taken {
        Err(Error::Taken(vec![Violation {
            field: "text".into(),
            message: "is the text of another prompt in the workspace".into(),
        }]))
    } else {
        Ok(())
    }
}

fn event_of(
    scope: &WorkspaceScope<Contribute>,
    prompt: &Prompt,
    kind: EventKind,
    data: Value,
) -> NewEvent {
    NewEvent {
        kind,
        organization: scope.workspace().organization_id,
        workspace: Some(scope.id()),
        subject: prompt.id.into(),
        data,
    }
}
