//! Prompts, runs, their answers, and how often these mention the workspace's domain.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::draw::{For, share};
use super::people::digest;
use super::words::{CLOSING, FAILURE, OPENING, QUESTION, RIVAL, TAG, TOPIC, WHOM};
use super::{DAY, HOUR, MINUTE, Seed};
use crate::db::types::Instant;
use crate::db::{Row, Table};
use crate::models::provider::Provider;
use crate::models::run::{RunStatus, RunTrigger};
use crate::models::values::fold::fold;

pub const PROMPTS: Table = Table {
    name: "prompts",
    columns: &[
        "id",
        "workspace_id",
        "text",
        "text_hash",
        "search_key",
        "tags",
        "is_active",
        "created_by",
        "created_at",
        "updated_at",
    ],
};
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
pub const ANSWERS: Table = Table {
    name: "answers",
    columns: &[
        "id",
        "workspace_id",
        "run_id",
        "prompt_id",
        "prompt_text",
        "provider",
        "model",
        "text",
        "error",
        "citations",
        "mentions_domain",
        "latency_ms",
        "created_at",
    ],
};
pub const VISIBILITY: Table = Table {
    name: "visibility",
    columns: &["workspace_id", "day", "provider", "answers", "mentions"],
};

/// Of how many answers one failed.
const FAILURES: u64 = 40;
/// How many prompts were asked where a workspace has none any more.
const FORMER: u64 = 4;
/// Marks the ids of prompts that are not there any more.
const DELETED: u64 = 1 << 39;

/// What a workspace's runs are like.
pub struct Course {
    w: u64,
    providers: Vec<Provider>,
    /// How many prompts each run asks.
    asked: u64,
    /// The first of its answers, among all.
    first: u64,
    /// How many answers there are in the first run, which was stopped if it lacks some, and how many
    /// in each of the others.
    opening: u64,
    full: u64,
    /// How many runs there are.
    pub runs: u64,
    /// When the last one began.
    latest: Instant,
    /// How long it is from one to the next.
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

/// What is known of an answer before its text is written.
struct Facts {
    key: u64,
    prompt: u64,
    provider: Provider,
    at: Instant,
    failed: bool,
    mentions: bool,
}

impl Seed {
    /// The prompts that a workspace has.
    pub fn prompts_of(&self, w: u64) -> u64 {
        let share = share(w, self.plan.prompts, self.plan.workspaces);
        share.end - share.start
    }

    pub fn prompts_created(&self, w: u64) -> Instant {
        self.workspace_created(w).plus(TimeDelta::hours(1))
    }

    pub fn prompt_id(&self, w: u64, p: u64) -> Uuid {
        let key = match p < self.prompts_of(w) {
            true => share(w, self.plan.prompts, self.plan.workspaces).start + p,
            false => DELETED | (w * FORMER + p),
        };
        self.ids.id(For::Prompt, self.prompts_created(w), key)
    }

    /// The text of a prompt, unlike any other's of its workspace.
    fn prompt_text(&self, w: u64, p: u64) -> String {
        // Each workspace begins somewhere else.
        let start = self.draw.number(For::PromptText, w) >> 32;
        let (index, _) = self.draw.shuffled(For::PromptText, start + p, 1 << 10);
        let index = index as usize;
        let text = QUESTION[index >> 7]
            .replace("{topic}", TOPIC[index >> 3 & 15])
            .replace("{whom}", WHOM[index & 7]);
        match p >> 10 {
            0 => text,
            again => format!("{text} ({})", again + 1),
        }
    }

    pub fn prompts(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).flat_map(move |w| {
            let at = self.prompts_created(w);
            (0..self.prompts_of(w)).map(move |p| {
                let text = self.prompt_text(w, p);
                let number = self.draw.number(For::Prompt, w ^ p << 32);
                let tags: Vec<_> = TAG
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| number >> (2 * bit) & 3 == 0)
                    .map(|(_, tag)| tag)
                    .collect();
                vec![
                    self.prompt_id(w, p).into(),
                    self.workspace_id(w).into(),
                    text.as_str().into(),
                    digest(&text).into(),
                    fold(&text).into(),
                    json!(tags).to_string().into(),
                    (p % 7 != 6).into(),
                    self.user_id(self.workspace_member(w, 0)).into(),
                    at.into(),
                    at.into(),
                ]
            })
        })
    }

    pub fn course(&self, w: u64) -> Course {
        let answers = share(w, self.plan.answers, self.plan.workspaces);
        let (first, count) = (answers.start, answers.end - answers.start);
        let providers = self.providers(w);
        let each = providers.len() as u64;
        let asked = match self.prompts_of(w) {
            0 => FORMER,
            prompts => prompts,
        };
        // Not more than would leave it without a single whole run.
        let asked = asked.min(count / each).max(1);
        let full = asked * each;
        let runs = count.div_ceil(full);
        // 80 days at most, which ends before the workspace was deleted, if it was.
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

    /// How many answers there are in a run, and which is the first, among all.
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

    fn run_id(&self, course: &Course, i: u64) -> Uuid {
        let (_, first) = Self::extent(course, i);
        self.ids.id(For::Run, Self::began(course, i), first)
    }

    /// The answers of a run, in the order in which they came.
    fn facts(&self, course: &Course, i: u64) -> impl Iterator<Item = Facts> + use<'_> {
        let (count, first) = Self::extent(course, i);
        let (began, has_domain) = (Self::began(course, i), self.domain(course.w).is_some());
        let gap = course.gap.num_microseconds().unwrap_or(DAY);
        // All of them come in half the time to the next run, and the last ones before the end.
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

    /// When a run of the workspace last came to its end.
    pub fn last_run(&self, w: u64) -> Option<Instant> {
        let course = self.course(w);
        let last = self.stint(&course, course.runs.checked_sub(1)?);
        (last.status != RunStatus::Cancelled).then_some(last.finished_at)
    }

    /// Every run of every workspace.
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

    pub fn answers(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).flat_map(move |w| {
            let course = self.course(w);
            let (workspace, domain) = (self.workspace_id(w), self.domain(w));
            let questions: Vec<_> = (0..course.asked.min(FEW))
                .map(|p| (self.prompt_id(w, p), self.prompt_text(w, p)))
                .collect();
            (0..course.runs).flat_map(move |i| {
                let run = self.run_id(&course, i);
                let (domain, questions) = (domain.clone(), questions.clone());
                self.facts(&course, i).map(move |facts| {
                    let question = questions.get(facts.prompt as usize).cloned();
                    let (prompt, asked) = question.unwrap_or_else(|| {
                        let p = facts.prompt;
                        (self.prompt_id(w, p), self.prompt_text(w, p))
                    });
                    let mentioned = domain.as_deref().filter(|_| facts.mentions);
                    self.answer(&facts, mentioned, workspace, run, (prompt, asked))
                })
            })
        })
    }

    fn answer(
        &self,
        facts: &Facts,
        mentioned: Option<&str>,
        workspace: Uuid,
        run: Uuid,
        (prompt, asked): (Uuid, String),
    ) -> Row {
        let number = self.draw.number(For::AnswerText, facts.key);
        let (text, citations) = said(number, mentioned);
        let failure = FAILURE[number as usize % FAILURE.len()];
        let citations = match facts.failed {
            true => "[]".to_owned(),
            false => citations,
        };
        vec![
            self.ids.id(For::Answer, facts.at, facts.key).into(),
            workspace.into(),
            run.into(),
            prompt.into(),
            asked.into(),
            facts.provider.as_str().into(),
            model(facts.provider).into(),
            (!facts.failed).then_some(text).into(),
            facts.failed.then_some(failure).into(),
            citations.into(),
            facts.mentions.into(),
            ((300 + number % 4_700) as i64).into(),
            facts.at.into(),
        ]
    }

    /// What counting each of the answers that did not fail would have come to.
    pub fn visibility(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).flat_map(move |w| {
            let course = self.course(w);
            let mut counts: BTreeMap<(Instant, Provider), (i64, i64)> = BTreeMap::new();
            for facts in (0..course.runs).flat_map(|i| self.facts(&course, i)) {
                if !facts.failed {
                    let key = (facts.at.to_day(), facts.provider);
                    let (answers, mentions) = counts.entry(key).or_default();
                    *answers += 1;
                    *mentions += i64::from(facts.mentions);
                }
            }
            let workspace = self.workspace_id(w);
            counts
                .into_iter()
                .map(move |((day, provider), (answers, mentions))| {
                    vec![
                        workspace.into(),
                        day.to_utc().date_naive().to_string().into(),
                        provider.as_str().into(),
                        answers.into(),
                        mentions.into(),
                    ]
                })
        })
    }
}

/// As many prompts of a workspace are kept while its answers are written.
const FEW: u64 = 1_000;

/// The text of an answer, and a JSON list of what it cites.
fn said(number: u64, mentioned: Option<&str>) -> (String, String) {
    let pick = |shift: u32, of: usize| (number >> shift) as usize % of;
    let opening = OPENING[pick(0, OPENING.len())];
    let closing = CLOSING[pick(8, CLOSING.len())];
    let (one, other) = (pick(16, RIVAL.len()), pick(24, RIVAL.len()));
    let site = |rival: usize| format!("{}.example", RIVAL[rival].to_lowercase());
    let mut citations = vec![format!("https://{}/reviews", site(one))];
    if other != one {
        citations.push(format!("https://www.{}/compare", site(other)));
    }
    let own = match mentioned {
        None => String::new(),
        // In the text, or among what is cited.
        Some(domain) if number >> 40 & 1 == 0 => {
            format!(" Many also like {domain} for its support.")
        }
        Some(domain) => {
            citations.insert(0, format!("https://{domain}/guide"));
            String::new()
        }
    };
    let rivals = format!("{} and {} are often named.", RIVAL[one], RIVAL[other]);
    let text = format!("{opening} {rivals}{own}\n\n{closing}");
    (text, json!(citations).to_string())
}

fn model(provider: Provider) -> &'static str {
    match provider {
        Provider::Openai => "gpt-4.1-mini",
        Provider::Anthropic => "claude-haiku-4-5",
        Provider::Google => "gemini-2.5-flash",
        Provider::Perplexity => "sonar",
        Provider::Mistral => "mistral-small-latest",
        Provider::Cohere => "command-a-03-2025",
    }
}
