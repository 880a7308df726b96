//! Prompts: the questions that are sent to every enabled provider.

mod change;
mod create;
mod list;

use data_encoding::HEXLOWER;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use sha2::{Digest, Sha256};

pub use change::{PromptChanges, delete, update};
pub use create::{NewPrompt, create};
pub use list::{PromptList, of_answers, visible};

use crate::db::types::{Instant, JsonList};
use crate::id::{PromptId, UserId, WorkspaceId};
use crate::schema::prompts;

/// Maximum number of prompts per call.
pub const MAX_AT_ONCE: usize = 100;

/// Maximum number of tags per prompt.
pub const MAX_TAGS: usize = 20;

/// A question that is sent to every enabled provider.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = prompts, check_for_backend(Pg, Sqlite))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Prompt {
    /// The prompt's id.
    pub id: PromptId,
    /// The workspace it belongs to.
    pub workspace_id: WorkspaceId,
    /// The text, 1 to 2,000 characters, unique in the workspace.
    pub text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub text_hash: String,
    /// The text, folded, for searching.
    pub search_key: String,
    /// At most 20 tags, each 1 to 40 characters, in lower case, unique.
    pub tags: JsonList<String>,
    /// Whether runs send it to the providers.
    pub is_active: bool,
    /// Who created it; `None` once they have deleted their account.
    pub created_by: Option<UserId>,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// Hashes a text, to keep texts unique in a workspace: a text can be too long for a B-tree key.
fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}
