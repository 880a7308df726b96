//! Creating prompts.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{Prompt, hash};
use crate::access::scope::workspace::Contribute;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::{Instant, JsonList};
use crate::db::{Transaction, insert_all};
use crate::error::{Error, Result, Violation};
use crate::id::{PromptId, UserId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::values::fold::fold;
use crate::models::{organization, quota};
use crate::run;
use crate::schema::prompts;

/// The input for a new prompt.
#[derive(Clone, Debug)]
pub struct NewPrompt {
    /// The text, 1 to 2,000 characters.
    pub text: String,
    /// At most 20 tags, each 1 to 40 characters, in lower case, unique.
    pub tags: Vec<String>,
}

/// Creates 1 to 100 prompts, all or none, and returns them in the order of `new`.
///
/// # Errors
/// As [`Viewer::workspace`]; `CONFLICT` if texts are not unique, with the path of each; `LIMIT_REACHED`
/// if the plan has no room for all of them.
pub async fn create(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    new: &[NewPrompt],
) -> Result<Vec<Prompt>> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Contribute>(tx, id).await?;
            let organization = scope.workspace().organization_id;
            let now = app.now();
            let made = rows(id, viewer.id(), now, new);
            refuse_repeated(tx, id, &made).await?;
            let plan_key = organization::plan_key(tx, organization).await?;
            // There are at most 100.
            let adding = made.len() as i64;
            quota::check_prompts(tx, app.plan(&plan_key), id, adding).await?;
            insert_all(tx, prompts::table, &made).await?;
            let ids: Vec<_> = made.iter().map(|prompt| prompt.id).collect();
            let event = NewEvent {
                kind: EventKind::PromptsCreated,
                organization,
                workspace: Some(id),
                subject: id.into(),
                data: json!({ "count": ids.len(), "promptIds": ids }),
            };
            event::record(tx, viewer, now, event).await?;
            Ok(made)
        })
        .await
}

fn rows(workspace: WorkspaceId, creator: UserId, now: Instant, new: &[NewPrompt]) -> Vec<Prompt> {
    let mut ids: Vec<_> = new.iter().map(|_| PromptId::new(now.to_utc())).collect();
    // New ids are in order, unless one for another millisecond came between them. Sorted, because
    // prompts are listed by id, and those of one call in the order in which they were given.
    ids.sort_unstable();
    let row = |(id, new): (PromptId, &NewPrompt)| Prompt {
        id,
        workspace_id: workspace,
        text: new.text.clone(),
        text_hash: hash(&new.text),
        search_key: fold(&new.text),
        tags: JsonList(new.tags.clone()),
        is_active: true,
        created_by: Some(creator),
        created_at: now,
        updated_at: now,
    };
    ids.into_iter().zip(new).map(row).collect()
}

/// Refuses texts that the workspace, whose row the caller has locked, has already, and texts given more
/// than once.
async fn refuse_repeated(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    made: &[Prompt],
) -> Result<()> {
    let hashes: Vec<_> = made
        .iter()
        .map(|prompt| prompt.text_hash.as_str())
        .collect();
    let taken: HashSet<String> = run!(
        tx,
        prompts::table
            .filter(prompts::workspace_id.eq(workspace))
            .filter(prompts::text_hash.eq_any(&hashes))
            .select(prompts::text_hash)
            .load(tx)
            .await
    )?
    .into_iter()
    .collect();
    let mut first = HashMap::new();
    let mut violations = Vec::new();
    for (index, hash) in hashes.into_iter().enumerate() {
        let message = if let Some(earlier) = first.get(hash) {
            format!("is the same as prompts.{earlier}.text").into()
        } else if taken.contains(hash) {
            "is already the text of a prompt in the workspace".into()
        } else {
            first.insert(hash, index);
            continue;
        };
        let field = format!("prompts.{index}.text");
        violations.push(Violation { field, message });
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::Taken(violations))
    }
}
