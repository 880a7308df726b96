//! Uploaded files, which are icons of workspaces.
//!
//! A file has a row from the moment its upload URL is handed out. Every object in the store is recorded
//! in the database before it is stored, and forgotten only after it is deleted, so that a crash at any
//! time leaves no object without a row: first as an object to be discarded, then as part of the file
//! that has taken it over.

mod icon;
mod object;
mod sweep;
mod upload;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

pub use icon::{Icon, Served, served};
pub(in crate::models) use icon::{choose, give, take_away};
pub use object::{first_discarded, forget_discarded, take_discarded};
pub use sweep::{first_to_sweep, sweep};
pub use upload::{Upload, allows, offer, receive};

use crate::db::types::Instant;
use crate::files::{Format, ObjectId};
use crate::id::{FileId, UserId, WorkspaceId};
use crate::schema::files;

/// A file that was uploaded, or may still be.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = files, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct File {
    /// The file's id.
    pub id: FileId,
    /// Who requested the upload URL; `None` once they have deleted their account.
    pub uploaded_by: Option<UserId>,
    /// Its id in the store, once uploaded.
    pub object_id: Option<ObjectId>,
    /// Its format, detected from its content.
    pub format: Option<Format>,
    /// Its size in bytes.
    pub bytes: Option<i32>,
    /// Its width in pixels.
    pub width: Option<i32>,
    /// Its height in pixels.
    pub height: Option<i32>,
    /// The workspace whose icon it is.
    pub workspace_id: Option<WorkspaceId>,
    /// When a workspace took it as its icon, which happens at most once.
    pub used_at: Option<Instant>,
    /// When the upload URL expires.
    pub expires_at: Instant,
    /// Until when it is kept while it belongs to no workspace.
    pub kept_until: Instant,
    /// When the upload URL was requested.
    pub created_at: Instant,
}
