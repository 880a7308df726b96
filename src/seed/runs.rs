//! The runs: when each took place, and the outcome of each answer, but not its text.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::draw::{For, share};
use super::prompts::FORMER;
use super::{DAY, HOUR, MINUTE, Seed};
use crate::db::types::Instant;
use crate::db::{Row, Table};
use crate::models::provider::Provider;
use crate::models::run::{RunStatus, RunTrigger};

pub const RUNS: Table = Table {
    name: "runs",
    columns: &[
        "id",
        "workspace_id",
        "trigger",
        "status",
        "error",
        "providers",
        "occurrence",
        "total",
        "completed",
        "failed",
        "queued_at",
        "started_at",
        "finished_at",
    ],
};

/// One answer in this many failed.
const FAILURES: u64 = 40;

/// The properties of a workspace's runs.
pub struct Course {
    w: u64,
    providers: Vec<Provider>,
    /// How many prompts each run asks.
    pub asked: u64,
    /// The index of the first of their answers, among all answers.
    first: u64,
    /// How many answers the first run has, which was cancelled if some are missing, and how many each of
    /// the others has.
    opening: u64,
    full: u64,
    /// How many runs there are.
    pub runs: u64,
    /// When the last run began.
    latest: Instant,
    /// The time from the start of one run to the start of the next.
    gap: TimeDelta,
}

/// One run of a workspace.
#[derive(Clone, Copy)]
pub struct Stint {
    pub id: Uuid,
    pub queued_at: Instant,
    pub finished_at: Instant,
    pub status: RunStatus,
    pub total: u64,
    pub completed: u64,
    pub failed: u64,
}

/// What is known about an answer without its text.
pub struct Facts {
    pub key: u64,
    pub prompt: u64,
    pub provider: Provider,
    pub at: Instant,
    pub failed: bool,
    pub mentions: bool,
}

impl Seed {
    pub fn course(&self, w: u64) -> Course {
        let answers = share(w, self.plan.answers, self.plan.workspaces);
        let (first, count) = (answers.start, answers.end - answers.start);
        let providers = self.providers(w);
        let each = providers.len() as u64;
        let asked = match self.prompts_of(w) {
            0 => FORMER,
            prompts => prompts,
        };
        // Few enough for at least one complete run, if possible.
        let asked = asked.min(count / each).max(1);
        let full = asked * each;
        let runs = count.div_ceil(full);
        // At most 80 days in total, ending before the workspace was deleted, if it was.
        let gap = (80 * DAY / (runs as i64).max(1)).min(DAY);
        let end = self.deleted_at(w).unwrap_or(self.plan.now);
        Course {
            w,
            providers,
            asked,
            first,
            opening: count - runs.saturating_sub(1) * full,
            full,
            runs,
            latest: end.plus(TimeDelta::microseconds(-HOUR)),
            gap: TimeDelta::microseconds(gap),
        }
    }

    /// Returns how many answers a run has, and the index of the first, among all answers.
    fn extent(course: &Course, i: u64) -> (u64, u64) {
        match i {
            0 => (course.opening, course.first),
            i => {
                let before = course.opening + (i - 1) * course.full;
                (course.full, course.first + before)
            }
        }
    }

    fn began(course: &Course, i: u64) -> Instant {
        let later = i64::try_from(course.runs - 1 - i).unwrap_or(i64::MAX);
        let before = course.gap.num_microseconds().unwrap_or(DAY) * later;
        course.latest.plus(TimeDelta::microseconds(-before))
    }

    pub fn run_id(&self, course: &Course, i: u64) -> Uuid {
        let (_, first) = Self::extent(course, i);
        self.ids.id(For::Run, Self::began(course, i), first)
    }

    /// Returns the answers of a run, in the order in which they arrived.
    pub fn facts(&self, course: &Course, i: u64) -> impl Iterator<Item = Facts> + use<'_> {
        let (count, first) = Self::extent(course, i);
        let (began, has_domain) = (Self::began(course, i), self.domain(course.w).is_some());
        let gap = course.gap.num_microseconds().unwrap_or(DAY);
        // All of them arrive within half the time to the next run, and the last run's before the end.
        let step = ((gap / 2).min(HOUR / 2) / (course.full as i64 + 1)).min(MINUTE / 30);
        let providers = course.providers.clone();
        (0..count).map(move |j| {
            let key = first + j;
            let number = self.draw.number(For::Answer, key);
            let failed = number.is_multiple_of(FAILURES);
            let each = providers.len() as u64;
            Facts {
                key,
                prompt: j / each,
                provider: providers[(j % each) as usize],
                at: began.plus(TimeDelta::microseconds((j as i64 + 1) * step)),
                failed,
                mentions: has_domain && !failed && number >> 32 & 7 < 3,
            }
        })
    }

    pub fn stint(&self, course: &Course, i: u64) -> Stint {
        let (mut completed, mut failed, mut finished_at) = (0, 0, Self::began(course, i));
        for facts in self.facts(course, i) {
            match facts.failed {
                true => failed += 1,
                false => completed += 1,
            }
            finished_at = facts.at;
        }
        let status = match (completed, failed) {
            (completed, failed) if completed + failed < course.full => RunStatus::Cancelled,
            (_, 0) => RunStatus::Succeeded,
            (0, _) => RunStatus::Failed,
            _ => RunStatus::Partial,
        };
        Stint {
            id: self.run_id(course, i),
            queued_at: Self::began(course, i),
            finished_at,
            status,
            total: course.full,
            completed,
            failed,
        }
    }

    /// Returns when the last run of a workspace finished. `None` if it was cancelled or there is none.
    pub fn last_run(&self, w: u64) -> Option<Instant> {
        let course = self.course(w);
        let last = self.stint(&course, course.runs.checked_sub(1)?);
        (last.status != RunStatus::Cancelled).then_some(last.finished_at)
    }

    /// Returns every run of every workspace, with the indexes of both.
    pub fn stints(&self) -> impl Iterator<Item = (u64, u64, Stint)> + '_ {
        (0..self.plan.workspaces).flat_map(move |w| {
            let course = self.course(w);
            (0..course.runs).map(move |i| (w, i, self.stint(&course, i)))
        })
    }

    pub fn runs(&self) -> impl Iterator<Item = Row> + '_ {
        self.stints().map(move |(w, i, stint)| {
            let scheduled = w % 3 == 0 && i > 0;
            let trigger = match scheduled {
                true => RunTrigger::Schedule,
                false => RunTrigger::Manual,
            };
            let error = (stint.status == RunStatus::Failed)
                .then_some("No answer was collected. The first failure: no provider answered.");
            let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            vec![
                stint.id.into(),
                self.workspace_id(w).into(),
                trigger.as_str().into(),
                stint.status.as_str().into(),
                error.into(),
                json!(self.providers(w)).to_string().into(),
                scheduled.then_some(stint.queued_at).into(),
                number(stint.total).into(),
                number(stint.completed).into(),
                number(stint.failed).into(),
                stint.queued_at.into(),
                stint.queued_at.into(),
                stint.finished_at.into(),
            ]
        })
    }
}
