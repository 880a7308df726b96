//! Reading runs.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Run;
use crate::access::visible::{may_see, workspaces_of_viewer};
use crate::db::Connection;
use crate::error::Result;
use crate::id::{RunId, UserId};
use crate::run;
use crate::schema::{runs, workspaces};

/// Those of the runs that the viewer may see: runs in live workspaces, for whoever sees those.
///
/// # Errors
/// Only those of the database.
pub async fn visible(conn: &mut Connection, viewer: UserId, ids: &[RunId]) -> Result<Vec<Run>> {
    let workspace = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(runs::workspace_id))
        .filter(workspaces::deleted_at.is_null().and(may_see()))
        .select(workspaces::id);
    Ok(run!(
        conn,
        runs::table
            .filter(runs::id.eq_any(ids))
            .filter(exists(workspace))
            .select(Run::as_select())
            .load(conn)
            .await
    )?)
}
