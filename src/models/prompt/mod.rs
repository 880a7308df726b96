//! Prompts: the questions that are put to every enabled provider.

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

/// As many prompts are made by one call.
pub const MAX_AT_ONCE: usize = 100;

/// As many tags a prompt may have.
pub const MAX_TAGS: usize = 20;

/// A question that is put to every enabled provider.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = prompts, check_for_backend(Pg, Sqlite))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Prompt {
    /// The prompt's id.
    pub id: PromptId,
    /// Where it is asked for.
    pub workspace_id: WorkspaceId,
    /// 1 to 2,000 characters, unlike any other's in the workspace.
    pub text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub text_hash: String,
    /// The text, folded, for searching.
    pub search_key: String,
    /// At most 20, each 1 to 40 characters, lower-cased, unique.
    pub tags: JsonList<String>,
    /// Whether runs put it to the providers.
    pub is_active: bool,
    /// Who made it; nobody where they deleted their account.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was changed last.
    pub updated_at: Instant,
}

/// By what the texts of a workspace are told apart: a key of a B-tree cannot be as long as a text.
fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}
