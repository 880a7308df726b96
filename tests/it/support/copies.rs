//! Workspaces by the hundred, created faster than mutations would.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use tenantry::app::App;
use tenantry::db::insert_all;
use tenantry::id::{PromptId, WorkspaceId};
use tenantry::models::prompt::Prompt;
use tenantry::models::schedule::Schedule;
use tenantry::models::workspace::Workspace;
use tenantry::schema::{prompts, schedules, workspaces};

/// Creates that many copies of a workspace, with its prompts and its schedule. The copies have no slug.
pub async fn of_workspace(app: &App, id: &str, copies: usize) {
    let id: WorkspaceId = id.parse().expect("a workspace's id");
    app.db
        .transaction(async |tx| {
            let workspace: Workspace = tenantry::run!(
                tx,
                workspaces::table
                    .find(id)
                    .select(Workspace::as_select())
                    .first(tx)
                    .await
            )?;
            let asked: Vec<Prompt> = tenantry::run!(
                tx,
                prompts::table
                    .filter(prompts::workspace_id.eq(id))
                    .select(Prompt::as_select())
                    .load(tx)
                    .await
            )?;
            let schedule: Option<Schedule> = tenantry::run!(
                tx,
                schedules::table
                    .find(id)
                    .select(Schedule::as_select())
                    .first(tx)
                    .await
                    .optional()
            )?;
            let now = workspace.created_at.to_utc();
            let mut rows = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..copies {
                let id = WorkspaceId::new(now);
                rows.0.push(Workspace {
                    id,
                    ..workspace.clone()
                });
                rows.1.extend(asked.iter().map(|prompt| Prompt {
                    id: PromptId::new(now),
                    workspace_id: id,
                    ..prompt.clone()
                }));
                rows.2.extend(schedule.iter().map(|schedule| Schedule {
                    workspace_id: id,
                    ..schedule.clone()
                }));
            }
            insert_all(tx, workspaces::table, &rows.0).await?;
            insert_all(tx, prompts::table, &rows.1).await?;
            insert_all(tx, schedules::table, &rows.2).await
        })
        .await
        .expect("the copies can be made");
}
