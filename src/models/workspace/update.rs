//! Changing workspaces.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value};

use super::{Visibility, VisibleWorkspace, Workspace};
use crate::access::scope::workspace::{Manage, Own};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::{Instant, Json};
use crate::error::{Error, Result};
use crate::id::{FileId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::file;
use crate::models::patch::Patch;
use crate::models::slugs::{self, Owner};
use crate::models::values::domain::Domain;
use crate::models::values::json;
use crate::models::values::slug::Slug;
use crate::run;
use crate::schema::workspaces;

/// The changes to a workspace. Fields left out stay as they are.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceChanges {
    /// The new name. Requires `WORKSPACE_OWN`.
    pub name: Option<String>,
    /// The new slug. Requires `WORKSPACE_OWN`. The former one still finds the workspace until another
    /// takes it.
    pub slug: Option<Slug>,
    /// The domain whose mentions are tracked. Requires `WORKSPACE_OWN`.
    pub domain: Patch<Domain>,
    /// Who in the organization sees it. Requires `WORKSPACE_OWN`.
    pub visibility: Option<Visibility>,
    /// The description, up to 2,000 characters.
    pub description: Patch<String>,
    /// A file that the viewer has uploaded, to be its icon.
    pub icon: Patch<FileId>,
    /// A JSON Merge Patch (RFC 7396) for the settings.
    pub settings: Option<Value>,
    /// A JSON Merge Patch (RFC 7396) for the onboarding state.
    pub onboarding: Option<Value>,
    /// When the onboarding was completed.
    pub onboarding_completed_at: Patch<Instant>,
}

impl WorkspaceChanges {
    fn take_owning(&self) -> bool {
        self.name.is_some()
            || self.slug.is_some()
            || self.visibility.is_some()
            || self.domain != Patch::Keep
    }
}

/// Changes a workspace.
///
/// # Errors
/// As [`Viewer::workspace`] and [`file::choose`]; `SLUG_TAKEN`; `INVALID_INPUT` if a merged document
/// would be too large.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    changes: &WorkspaceChanges,
) -> Result<VisibleWorkspace> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Manage>(tx, id).await?;
            if changes.take_owning() {
                scope.require::<Own>()?;
            }
            let mut visible = scope.visible().clone();
            let workspace = &mut visible.workspace;
            if let Some(slug) = changes
                .slug
                .as_ref()
                .filter(|slug| slug.as_str() != workspace.slug)
            {
                slugs::take(tx, Owner::Workspace(id), slug).await?;
            }
            let now = app.now();
            let mut data = apply(workspace, changes)?;
            if set_icon(tx, viewer, workspace, &changes.icon, now).await? {
                let url = workspace.icon().map(|icon| icon.url(app));
                data.insert("iconUrl".to_owned(), url.into());
            }
            if !data.is_empty() {
                workspace.updated_at = now;
                workspace.set_keys();
                let row = workspaces::table.find(id);
                run!(tx, diesel::update(row).set(&*workspace).execute(tx).await)?;
                let event = NewEvent {
                    kind: EventKind::WorkspaceUpdated,
                    organization: workspace.organization_id,
                    workspace: Some(id),
                    subject: id.into(),
                    data: Value::Object(data),
                };
                event::record(tx, viewer, now, event).await?;
            }
            Ok(visible)
        })
        .await
}

/// Replaces or removes the icon of the workspace, whose row is locked. Returns whether that is a change.
async fn set_icon(
    tx: &mut Transaction,
    viewer: &Viewer,
    workspace: &mut Workspace,
    icon: &Patch<FileId>,
    now: Instant,
) -> Result<bool> {
    let icon = match icon {
        Patch::Keep => return Ok(false),
        Patch::Clear if workspace.icon().is_none() => return Ok(false),
        Patch::Clear => None,
        Patch::Set(file) => Some(file::choose(tx, viewer, *file, now).await?),
    };
    file::take_away(tx, workspace.id, now).await?;
    if let Some(icon) = icon {
        file::give(tx, icon, workspace.id, now).await?;
    }
    workspace.set_icon(icon);
    Ok(true)
}

/// Applies all changes except the icon to the row, and returns the fields that changed with their new
/// values.
fn apply(workspace: &mut Workspace, changes: &WorkspaceChanges) -> Result<Map<String, Value>> {
    let mut data = Map::new();
    let mut note = |field: &str, changed: bool, value: Value| {
        if changed {
            data.insert(field.to_owned(), value);
        }
    };
    if let Some(name) = changes.name.clone() {
        note("name", name != workspace.name, name.as_str().into());
        workspace.name = name;
    }
    if let Some(slug) = &changes.slug {
        note(
            "slug",
            slug.as_str() != workspace.slug,
            slug.as_str().into(),
        );
        workspace.slug = slug.to_string();
    }
    if let Some(domain) = changes.domain.clone().changed() {
        let domain = domain.map(String::from);
        note(
            "domain",
            domain != workspace.domain,
            domain.as_deref().into(),
        );
        workspace.domain = domain;
    }
    if let Some(visibility) = changes.visibility {
        note(
            "visibility",
            visibility != workspace.visibility,
            visibility.as_str().into(),
        );
        workspace.visibility = visibility;
    }
    if let Some(description) = changes.description.clone().changed() {
        note(
            "description",
            description != workspace.description,
            description.as_deref().into(),
        );
        workspace.description = description;
    }
    if let Some(at) = changes.onboarding_completed_at.clone().changed() {
        let value = at.map(|at| at.to_string());
        note(
            "onboardingCompletedAt",
            at != workspace.onboarding_completed_at,
            value.into(),
        );
        workspace.onboarding_completed_at = at;
    }
    // Record the patch, not the whole document: it shows what changed, and is never larger than the
    // request.
    if let Some(patch) = &changes.settings {
        let merged = merge("settings", &workspace.settings, patch)?;
        note("settings", merged != workspace.settings, patch.clone());
        workspace.settings = merged;
    }
    if let Some(patch) = &changes.onboarding {
        let merged = merge("onboarding", &workspace.onboarding, patch)?;
        note("onboarding", merged != workspace.onboarding, patch.clone());
        workspace.onboarding = merged;
    }
    Ok(data)
}

fn merge(field: &'static str, document: &Json, patch: &Value) -> Result<Json> {
    json::merge(&document.0, patch)
        .map(Json)
        .map_err(|invalid| Error::invalid(field, invalid.0))
}
