//! Uploaded files, which are icons of workspaces.
//!
//! A file is a row from the moment on at which its URL is given out. What the store has is written down
//! before it is stored and forgotten after it is deleted, so that nothing is left there that no row
//! knows of, whenever the process dies: first as an object to be discarded, then by the file that has
//! taken it over.

mod icon;
mod object;
mod sweep;
mod upload;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

pub use icon::{Icon, Served, choose, give, served, take_away};
pub use object::{first_discarded, forget_discarded, take_discarded};
pub use sweep::{first_to_sweep, sweep};
pub use upload::{Upload, allows, offer, receive};

use crate::db::types::Instant;
use crate::files::{Format, ObjectId};
use crate::id::{FileId, UserId, WorkspaceId};
use crate::schema::files;

/// A file that was uploaded, or may be.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = files, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct File {
    /// The file's id.
    pub id: FileId,
    /// Who asked for the URL; nobody where they deleted their account.
    pub uploaded_by: Option<UserId>,
    /// What the store has it under, once it is uploaded.
    pub object_id: Option<ObjectId>,
    /// Its format, by its content.
    pub format: Option<Format>,
    /// How long it is.
    pub bytes: Option<i32>,
    /// Pixels a line.
    pub width: Option<i32>,
    /// Lines.
    pub height: Option<i32>,
    /// The workspace whose icon it is.
    pub workspace_id: Option<WorkspaceId>,
    /// When a workspace took it, which happens once.
    pub used_at: Option<Instant>,
    /// When the URL for uploading it expires.
    pub expires_at: Instant,
    /// Until when it stays though it is no workspace's.
    pub kept_until: Instant,
    /// When the URL was asked for.
    pub created_at: Instant,
}
