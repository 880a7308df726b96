//! Answers: the responses of one provider to one prompt in one run.

mod list;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use url::Url;

pub use list::{AnswersOfPrompt, AnswersOfRun, visible};

use crate::db::types::{Instant, JsonList};
use crate::id::{AnswerId, PromptId, RunId, WorkspaceId};
use crate::models::provider::Provider;
use crate::schema::answers;

/// The response of one provider to one prompt in one run.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = answers, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Answer {
    /// The answer's id.
    pub id: AnswerId,
    /// The workspace it belongs to.
    pub workspace_id: WorkspaceId,
    /// The run that it was collected in.
    pub run_id: RunId,
    /// The prompt, which may have been deleted since.
    pub prompt_id: PromptId,
    /// The prompt's text as it was when the run was queued.
    pub prompt_text: String,
    /// The provider that answered.
    pub provider: Provider,
    /// The provider's name for the model that answered.
    pub model: String,
    /// The text of the answer; `None` if the provider failed.
    pub text: Option<String>,
    /// Why the provider failed, in human-readable form.
    pub error: Option<String>,
    /// The pages that the answer cites, in order, without duplicates.
    pub citations: JsonList<Url>,
    /// Whether the text names the workspace's domain or cites a page on it.
    pub mentions_domain: bool,
    /// How long the provider took, in milliseconds.
    pub latency_ms: i32,
    /// When it was stored.
    pub created_at: Instant,
}
