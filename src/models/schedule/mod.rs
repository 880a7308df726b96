//! Schedules: when a workspace's prompts are sent to its providers.

mod due;
mod pause;
mod set;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;

pub use due::{first_due, run_due};
pub(in crate::models) use pause::{pause, pause_of_organizations, resume};
pub use set::{NewSchedule, RunRequest, set};

use crate::access::visible::{may_see, workspaces_of_viewer};
use crate::db::Connection;
use crate::db::types::Instant;
use crate::error::Result;
use crate::id::{UserId, WorkspaceId};
use crate::run;
use crate::schema::{schedules, workspaces};

/// When a workspace's prompts are sent to its providers.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug, PartialEq, Eq)]
#[diesel(table_name = schedules, check_for_backend(Pg, Sqlite))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Schedule {
    /// The workspace, which has at most one schedule.
    pub workspace_id: WorkspaceId,
    /// A cron expression of five fields, as in crontab(5).
    pub cron: String,
    /// An IANA time zone.
    pub time_zone: String,
    /// The next occurrence; `None` while the workspace is deleted.
    pub next_run_at: Option<Instant>,
}

/// Returns the schedules of the given workspaces that the viewer may see.
///
/// # Errors
/// Database errors only.
pub async fn visible(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[WorkspaceId],
) -> Result<Vec<Schedule>> {
    Ok(run!(
        conn,
        workspaces_of_viewer(viewer)
            .inner_join(schedules::table.on(schedules::workspace_id.eq(workspaces::id)))
            .filter(workspaces::id.eq_any(ids).and(may_see()))
            .select(Schedule::as_select())
            .load(conn)
            .await
    )?)
}
