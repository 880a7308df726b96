//! `[limits]`: rate limits, intervals and retention periods.

use serde::{Deserialize, Serialize};

/// Rate limits, intervals and retention periods. Each number is at least 1; windows are sliding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Organizations that one user may create per hour, including those that `createWorkspace` creates.
    /// Default: 3.
    pub organizations_per_hour: u32,

    /// Attempts to join by code, successful or not, by one user per 15 minutes. Default: 5.
    pub joins_per_15_minutes: u32,

    /// Invitations that one organization may send per hour, including those sent again. Default: 50.
    pub invitations_per_hour: u32,

    /// Icon upload URLs that one user may request per hour. Default: 20.
    pub uploads_per_hour: u32,

    /// Runs that may be started in one workspace per minute. Default: 3.
    pub runs_per_minute: u32,

    /// The total cost of the operations of one viewer per minute; requests without credentials are
    /// counted by client address. Default: none, and nothing is counted.
    pub cost_per_minute: Option<u32>,

    /// Subscriptions that one viewer may have open at the same time, per instance. Default: 1,000.
    pub subscriptions_per_viewer: u32,

    /// The shortest time between two occurrences of a schedule, in minutes, up to 525,600 (a year).
    /// Default: 15.
    pub min_schedule_interval_minutes: u32,

    /// How long an invitation can be accepted, in days, up to 36,500. Default: 7.
    pub invitation_days: u32,

    /// How long a deleted workspace can be restored before it is deleted for good, in days, up to
    /// 36,500. Default: 30.
    pub purge_days: u32,

    /// How long a run stays with a worker that has stopped renewing its lease, in seconds, up to 3,600.
    /// Default: 30.
    pub run_lease_seconds: u32,

    /// How long runs and their answers are kept after the run has ended, in days, up to 36,500; mentions
    /// of the domain stay counted. Default: none, and they are kept as long as their workspace.
    pub run_days: Option<u32>,

    /// Whether deleting one's only live workspace is refused. Default: true.
    pub protect_last_workspace: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            organizations_per_hour: 3,
            joins_per_15_minutes: 5,
            invitations_per_hour: 50,
            uploads_per_hour: 20,
            runs_per_minute: 3,
            cost_per_minute: None,
            subscriptions_per_viewer: 1_000,
            min_schedule_interval_minutes: 15,
            invitation_days: 7,
            purge_days: 30,
            run_lease_seconds: 30,
            run_days: None,
            protect_last_workspace: true,
        }
    }
}
