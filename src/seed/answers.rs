//! The answers, and how often they mention the workspace's domain.

use std::collections::BTreeMap;

use serde_json::json;
use uuid::Uuid;

use super::Seed;
use super::draw::For;
use super::runs::Facts;
use super::words::{CLOSING, FAILURE, OPENING, RIVAL};
use crate::db::types::Instant;
use crate::db::{Row, Table};
use crate::models::provider::Provider;

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

/// How many prompts of a workspace are kept in memory while its answers are written.
const FEW: u64 = 1_000;

impl Seed {
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

    /// Returns the counts that the server would have arrived at by counting every successful answer.
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

/// Returns the text of an answer, and a JSON list of its citations.
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
        // Either in the text or among the citations.
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
