//! Runs and answers, created without asking any provider.

use serde::Serialize;
use serde_json::json;
use tenantry::db::insert_all;
use tenantry::db::types::JsonList;
use tenantry::id::{AnswerId, PromptId, RunId, WorkspaceId};
use tenantry::models::answer::Answer;
use tenantry::models::provider::Provider;
use tenantry::models::run::{Run, RunStatus, RunTrigger};
use tenantry::schema::{answers, runs};

use super::client::Client;
use super::server::TestServer;
use super::{at, text};

impl TestServer {
    /// Returns a manual run with this status and no answers.
    pub fn a_run(&self, workspace: WorkspaceId, status: RunStatus) -> Run {
        let now = self.app().now();
        let is_unfinished = matches!(status, RunStatus::Queued | RunStatus::Running);
        Run {
            id: RunId::new(now.to_utc()),
            workspace_id: workspace,
            trigger: RunTrigger::Manual,
            status,
            error: None,
            providers: JsonList(vec![Provider::Openai, Provider::Cohere]),
            occurrence: None,
            total: 2,
            completed: 0,
            failed: 0,
            queued_at: now,
            started_at: (status != RunStatus::Queued).then_some(now),
            finished_at: (!is_unfinished).then_some(now),
            lease_holder: None,
            leased_until: None,
        }
    }

    /// Returns an answer that was collected in the run.
    pub fn answer(&self, run: &Run, prompt: PromptId, provider: Provider) -> Answer {
        let now = self.app().now();
        Answer {
            id: AnswerId::new(now.to_utc()),
            workspace_id: run.workspace_id,
            run_id: run.id,
            prompt_id: prompt,
            prompt_text: "As it was".into(),
            provider,
            model: "model-1".into(),
            text: Some("An answer".into()),
            error: None,
            citations: JsonList(Vec::new()),
            mentions_domain: false,
            latency_ms: 7,
            created_at: now,
        }
    }

    pub async fn insert_runs(&self, rows: &[Run]) {
        let inserted = self
            .app()
            .db
            .transaction(async |tx| insert_all(tx, runs::table, rows).await);
        inserted.await.expect("the runs are inserted");
    }

    pub async fn insert_answers(&self, rows: &[Answer]) {
        let inserted = self
            .app()
            .db
            .transaction(async |tx| insert_all(tx, answers::table, rows).await);
        inserted.await.expect("the answers are inserted");
    }
}

/// Creates prompts with these texts, on behalf of someone who may.
pub async fn prompts(by: &Client, workspace: impl Serialize, texts: &[&str]) -> Vec<PromptId> {
    let prompts: Vec<_> = texts.iter().map(|text| json!({ "text": text })).collect();
    let input = json!({ "workspaceId": workspace, "prompts": prompts });
    let made = by.mutate("createPrompts", input, "prompts { id }").await;
    let made = at(&made, "prompts").as_array().expect("prompts").iter();
    made.map(|prompt| text(prompt, "id").parse().expect("an id"))
        .collect()
}
