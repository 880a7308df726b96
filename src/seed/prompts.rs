//! The prompts.

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::Seed;
use super::draw::{For, share};
use super::people::digest;
use super::words::{QUESTION, TAG, TOPIC, WHOM};
use crate::db::types::Instant;
use crate::db::{Row, Table};
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

/// How many prompts the runs of a workspace asked if it has no prompts any more.
pub const FORMER: u64 = 4;
/// Marks the ids of prompts that no longer exist.
const DELETED: u64 = 1 << 39;

impl Seed {
    /// Returns how many prompts a workspace has.
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

    /// Returns the text of a prompt, which is unique in its workspace.
    pub fn prompt_text(&self, w: u64, p: u64) -> String {
        // Each workspace starts somewhere else.
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
}
