//! The AI providers that a workspace's prompts are sent to.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{VisibleWorkspace, Workspace};
use crate::access::scope::workspace::Manage;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::JsonList;
use crate::error::Result;
use crate::id::WorkspaceId;
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::provider::Provider;
use crate::run;
use crate::schema::workspaces;

impl Workspace {
    /// Returns the providers that prompts are sent to, in the order of [`Provider`]; there is at least
    /// one.
    pub fn providers(&self) -> Vec<Provider> {
        match &self.enabled_providers {
            Some(JsonList(enabled)) => in_order(enabled),
            None => Provider::ALL.to_vec(),
        }
    }
}

/// Sets the providers that prompts are sent to from now on. The caller has checked that there is at
/// least one; duplicates count once. Runs requested before keep theirs.
/// # Errors
/// As [`Viewer::workspace`].
pub async fn set_providers(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    providers: &[Provider],
) -> Result<VisibleWorkspace> {
    let providers = in_order(providers);
    app.db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Manage>(tx, id).await?;
            let mut visible = scope.visible().clone();
            let workspace = &mut visible.workspace;
            if workspace.providers() == providers {
                return Ok(visible);
            }
            let now = app.now();
            workspace.enabled_providers = Some(JsonList(providers.clone()));
            workspace.updated_at = now;
            let row = workspaces::table.find(id);
            run!(tx, diesel::update(row).set(&*workspace).execute(tx).await)?;
            let event = NewEvent {
                kind: EventKind::ProvidersSet,
                organization: workspace.organization_id,
                workspace: Some(id),
                subject: id.into(),
                data: json!({ "providers": providers }),
            };
            event::record(tx, viewer, now, event).await?;
            Ok(visible)
        })
        .await
}

fn in_order(providers: &[Provider]) -> Vec<Provider> {
    let named = |provider: &Provider| providers.contains(provider);
    Provider::ALL.iter().copied().filter(named).collect()
}
