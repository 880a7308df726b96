//! Schedules.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::resolve::One;
use super::run::RunRequest;
use super::scalar::DateTime;
use super::workspace::Workspace;
use crate::models::schedule::{self, NewSchedule};
use crate::models::values::cron::{Cron, Zone};

/// When a workspace's prompts are put to its providers.
#[derive(SimpleObject)]
pub struct Schedule {
    /// When to run: five fields as in crontab(5), such as `0 0 * * *`.
    cron: String,
    /// The IANA time zone in which `cron` is evaluated; UTC by default.
    time_zone: String,
    /// When the schedule starts the next run.
    next_run_at: DateTime,
}

impl Schedule {
    /// Returns the schedule, unless it is stopped.
    pub fn running(schedule: schedule::Schedule) -> Option<Self> {
        Some(Self {
            cron: schedule.cron,
            time_zone: schedule.time_zone,
            next_run_at: DateTime(schedule.next_run_at?),
        })
    }
}

/// Input of `setSchedule`.
#[derive(InputObject)]
struct SetScheduleInput {
    /// The workspace to set the schedule of.
    workspace_id: RawId,
    /// When to run: five fields as in crontab(5), such as `0 0 * * *`, at most once every 15
    /// minutes unless configured otherwise. If `null` or omitted, the schedule is switched off.
    cron: Option<String>,
    /// The IANA time zone in which `cron` is evaluated, such as `Europe/Berlin`; `null` means UTC.
    #[graphql(default_with = "Some(\"UTC\".to_owned())")]
    time_zone: Option<String>,
}

/// Payload of `setSchedule`.
#[derive(SimpleObject)]
struct SetSchedulePayload {
    /// The workspace with its new schedule.
    workspace: One<Workspace>,
    /// The outcome of the run requested at once.
    run_request: One<RunRequest>,
}

/// Mutations on schedules.
#[derive(Default)]
pub struct ScheduleMutation;

#[Object]
impl ScheduleMutation {
    /// Sets when prompts are collected, and requests a run at once; the payload says what became of
    /// it. Occurrences missed while the server is down are made up for by a single run. Requires
    /// WORKSPACE_MANAGE.
    async fn set_schedule(
        &self,
        ctx: &Context<'_>,
        input: SetScheduleInput,
    ) -> Result<SetSchedulePayload> {
        let viewer = ctx.viewer()?;
        let interval = ctx.app().config.limits.min_schedule_interval_minutes;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let zone = input.time_zone.as_deref().unwrap_or("UTC");
        let zone = check.field("timeZone", Zone::parse(zone));
        let cron = check.optional("cron", &input.cron, |cron: &str| {
            Cron::parse(cron, interval)
        });
        let (id, zone, cron) = check.done((id, zone, cron))?;
        let schedule = cron.map(|cron| NewSchedule { cron, zone });
        let (workspace, request) = schedule::set(ctx.app(), viewer, id, schedule.as_ref()).await?;
        Ok(SetSchedulePayload {
            workspace: One(Workspace(workspace)),
            run_request: One(request.into()),
        })
    }
}
