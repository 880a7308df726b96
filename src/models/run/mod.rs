//! Runs: collections of answers, for which every active prompt is sent to every enabled provider.

mod cancel;
mod count;
mod follow;
mod forget;
mod list;
mod queue;
pub mod work;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;

pub use cancel::cancel;
pub(in crate::models) use cancel::{cancel_of_organizations, cancel_of_workspace};
pub use count::{Unfinished, count_unfinished};
pub use follow::Follow;
pub use forget::{Forgotten, first_end, forget};
use list::unfinished;
pub use list::{RunList, readable, visible};
pub use queue::{Asked, start};
pub(in crate::models) use queue::{Asker, ask};

use crate::db::types::{Instant, JsonList};
use crate::id::{Id, Kind, RunId, WorkspaceId};
use crate::models::provider::Provider;
use crate::schema::runs;
use crate::text_enum;

text_enum! {
    /// What requested a run.
    pub enum RunTrigger {
        /// An occurrence of the schedule.
        Schedule = "SCHEDULE",
        /// A person.
        Manual = "MANUAL",
        /// Setting the schedule.
        ScheduleSet = "SCHEDULE_SET",
    }
}

text_enum! {
    /// How far a run has come.
    pub enum RunStatus {
        /// It is waiting for a worker.
        Queued = "QUEUED",
        /// A worker has claimed it.
        Running = "RUNNING",
        /// All answers were collected.
        Succeeded = "SUCCEEDED",
        /// At least one answer was collected and at least one failed.
        Partial = "PARTIAL",
        /// No answer was collected.
        Failed = "FAILED",
        /// It was cancelled.
        Cancelled = "CANCELLED",
    }
}

/// A worker that processes runs. Clients never see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {}

impl Kind for Holder {
    const PREFIX: &'static str = "worker";
}

/// The id of a worker.
pub type HolderId = Id<Holder>;

/// One collection of answers, for which every active prompt is sent to every enabled provider.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = runs, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Run {
    /// The run's id.
    pub id: RunId,
    /// The workspace it belongs to.
    pub workspace_id: WorkspaceId,
    /// What requested it.
    pub trigger: RunTrigger,
    /// How far it has come.
    pub status: RunStatus,
    /// Why it failed, in human-readable form.
    pub error: Option<String>,
    /// The providers that its prompts are sent to.
    pub providers: JsonList<Provider>,
    /// When it was due, if the schedule requested it. Unique in the workspace.
    pub occurrence: Option<Instant>,
    /// Number of prompts × providers, fixed when it was queued.
    pub total: i32,
    /// Number of answers collected.
    pub completed: i32,
    /// Number of answers that failed.
    pub failed: i32,
    /// When it was queued.
    pub queued_at: Instant,
    /// When a worker first claimed it.
    pub started_at: Option<Instant>,
    /// When it ended, for whatever reason. At most one run in a workspace has none.
    pub finished_at: Option<Instant>,
    /// The worker that has it; `None` while it waits.
    pub lease_holder: Option<HolderId>,
    /// When the worker's lease ends, unless renewed.
    pub leased_until: Option<Instant>,
}
