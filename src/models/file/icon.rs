//! Files as icons of workspaces.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::File;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock};
use crate::error::{Error, Result};
use crate::files::{Format, ObjectId};
use crate::id::{FileId, WorkspaceId};
use crate::run;
use crate::schema::files;

/// How long the content of a former icon is kept.
const REMOVED_DAYS: u32 = 7;

/// A workspace's icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icon {
    /// The file.
    pub id: FileId,
    /// Its format.
    pub format: Format,
}

impl Icon {
    /// The public URL of the icon.
    pub fn url(self, app: &App) -> String {
        let Self { id, format } = self;
        app.url_of(&format!("files/{id}/{}", format.file_name()))
    }
}

/// Locks a file that the viewer has uploaded and that no workspace has had yet, until the transaction
/// ends. The organization and the workspace must have been locked before.
///
/// # Errors
/// `NOT_FOUND` if the viewer has no file with this id; `CONFLICT` if a workspace has or had it;
/// `INVALID_INPUT` if it has not been uploaded yet.
pub(in crate::models) async fn choose(
    tx: &mut Transaction,
    viewer: &Viewer,
    id: FileId,
    now: Instant,
) -> Result<Icon> {
    let found: Option<File> = run!(
        tx,
        lock(files::table.find(id).select(File::as_select()))
            .get_result(tx)
            .await
            .optional()
    )?;
    let file = found
        .filter(|file| file.uploaded_by == Some(viewer.id()))
        .ok_or_else(Error::not_found)?;
    if file.used_at.is_some() {
        return Err(Error::conflict(
            "This file has already been used; upload it again.",
        ));
    }
    if file.kept_until <= now {
        return Err(Error::not_found());
    }
    match file.format {
        Some(format) => Ok(Icon { id, format }),
        None => Err(Error::invalid("iconStorageId", "has not been uploaded yet")),
    }
}

/// Makes a file chosen in this transaction the icon of the workspace. Unless it is new, the workspace is
/// locked and has no other icon.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn give(
    tx: &mut Transaction,
    icon: Icon,
    workspace: WorkspaceId,
    now: Instant,
) -> Result<()> {
    run!(
        tx,
        diesel::update(files::table.find(icon.id))
            .set((
                files::workspace_id.eq(workspace),
                files::used_at.eq(now),
                // It is kept while it belongs to the workspace, and no longer.
                files::kept_until.eq(now),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Takes away the icon, if there is one, of a workspace whose row is locked. It is served no more; its
/// content is deleted later.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn take_away(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    now: Instant,
) -> Result<()> {
    run!(
        tx,
        diesel::update(files::table.filter(files::workspace_id.eq(workspace)))
            .set((
                files::workspace_id.eq(None::<WorkspaceId>),
                files::kept_until.eq(now.plus_days(REMOVED_DAYS)),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// What is needed to serve an icon.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Its id in the store.
    pub object: ObjectId,
    /// Its format.
    pub format: Format,
}

/// Returns what to serve for a file: something only while it is a workspace's icon. Icons are public.
///
/// # Errors
/// Database errors only.
pub async fn served(conn: &mut Connection, id: FileId) -> Result<Option<Served>> {
    let found: Option<(Option<ObjectId>, Option<Format>)> = run!(
        conn,
        files::table
            .find(id)
            .filter(files::workspace_id.is_not_null())
            .select((files::object_id, files::format))
            .first(conn)
            .await
            .optional()
    )?;
    let (object, format) = found.unwrap_or_default();
    let both = object.zip(format);
    Ok(both.map(|(object, format)| Served { object, format }))
}
