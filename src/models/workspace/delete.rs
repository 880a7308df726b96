//! Deleting workspaces, which is a soft deletion, and restoring them.

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::VisibleWorkspace;
use crate::access::WorkspaceRole;
use crate::access::scope::workspace::Own;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{UserId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::slugs::{self, Owner, SlugKind};
use crate::models::values::slug::{Slug, SlugBase};
use crate::models::{invitation, organization, quota, run, schedule, user};
use crate::run;
use crate::schema::{workspace_members, workspaces};

/// Deletes a workspace. It can be restored until it is due to be purged; its slug is free at once.
///
/// # Errors
/// As [`Viewer::workspace`]; `LAST_WORKSPACE` if it is the viewer's only live one and last workspaces
/// are protected.
pub async fn delete(app: &App, viewer: &Viewer, id: WorkspaceId) -> Result<VisibleWorkspace> {
    app.db
        .transaction(async |tx| {
            // This lock keeps the viewer's last two workspaces from being deleted concurrently.
            user::lock_row(tx, viewer.id()).await?;
            let scope = viewer.workspace::<Own>(tx, id).await?;
            let mut visible = scope.visible().clone();
            if app.config.limits.protect_last_workspace
                && visible.membership_role.is_some()
                && live_memberships(tx, viewer.id()).await? == 1
            {
                let message = "This is your last workspace.";
                return Err(Error::Refused(ErrorCode::LastWorkspace, message.into()));
            }
            let now = app.now();
            let purge_at = now.plus_days(app.config.limits.purge_days);
            visible.workspace.deleted_at = Some(now);
            visible.workspace.purge_at = Some(purge_at);
            visible.workspace.updated_at = now;
            save(tx, &visible).await?;
            slugs::release_workspace(tx, id).await?;
            invitation::revoke_of_workspace(tx, id, now).await?;
            schedule::pause(tx, id).await?;
            let organization = visible.workspace.organization_id;
            run::cancel_of_workspace(tx, viewer, id, organization, now).await?;
            let data = json!({ "purgeAt": purge_at.to_string() });
            event::record(
                tx,
                viewer,
                now,
                event_of(&visible, EventKind::WorkspaceDeleted, data),
            )
            .await?;
            Ok(visible)
        })
        .await
}

/// Restores a deleted workspace, with a new slug if its own was taken meanwhile.
///
/// # Errors
/// As [`Viewer::deleted_workspace`]; `LIMIT_REACHED` if the plan has no room for it.
pub async fn restore(app: &App, viewer: &Viewer, id: WorkspaceId) -> Result<VisibleWorkspace> {
    app.db
        .transaction(async |tx| {
            let owners = owners(tx, id).await?;
            user::lock_rows(tx, &owners).await?;
            organization::lock_of_workspace(tx, id).await?;
            let scope = viewer.deleted_workspace(tx, id, || app.now()).await?;
            let mut visible = scope.visible().clone();
            let organization = visible.workspace.organization_id;
            let plan_key = organization::plan_key(tx, organization).await?;
            quota::check_workspaces(tx, app.plan(&plan_key), organization).await?;
            quota::check_owned_workspaces_of(tx, app, &owners, &plan_key).await?;
            let now = app.now();
            visible.workspace.slug = retake(tx, id, &visible.workspace.slug).await?.into();
            visible.workspace.set_keys();
            visible.workspace.deleted_at = None;
            visible.workspace.purge_at = None;
            visible.workspace.updated_at = now;
            save(tx, &visible).await?;
            schedule::resume(tx, id, now).await?;
            let data = json!({ "slug": visible.workspace.slug });
            event::record(
                tx,
                viewer,
                now,
                event_of(&visible, EventKind::WorkspaceRestored, data),
            )
            .await?;
            Ok(visible)
        })
        .await
}

/// Takes the slug that the workspace had, or one derived from it.
async fn retake(tx: &mut Transaction, id: WorkspaceId, slug: &str) -> Result<Slug> {
    let base = match Slug::parse(slug) {
        Ok(slug) => {
            if slugs::try_take(tx, Owner::Workspace(id), &slug).await? {
                return Ok(slug);
            }
            SlugBase::from(slug)
        }
        // The slug has become reserved since.
        Err(_) => SlugBase::from_name(slug, SlugKind::Workspace.fallback()),
    };
    let found = slugs::free(tx, SlugKind::Workspace, &base).await?;
    slugs::take_free(tx, Owner::Workspace(id), &base, found).await
}

async fn save(tx: &mut Transaction, visible: &VisibleWorkspace) -> Result<()> {
    let workspace = &visible.workspace;
    let row = workspaces::table.find(workspace.id);
    run!(tx, diesel::update(row).set(workspace).execute(tx).await)?;
    Ok(())
}

fn event_of(visible: &VisibleWorkspace, kind: EventKind, data: serde_json::Value) -> NewEvent {
    let workspace = &visible.workspace;
    NewEvent {
        kind,
        organization: workspace.organization_id,
        workspace: Some(workspace.id),
        subject: workspace.id.into(),
        data,
    }
}

/// Returns who owns the workspace, live or deleted, by a membership of their own.
async fn owners(tx: &mut Transaction, id: WorkspaceId) -> Result<Vec<UserId>> {
    Ok(run!(
        tx,
        workspace_members::table
            .filter(workspace_members::workspace_id.eq(id))
            .filter(workspace_members::role.eq(WorkspaceRole::Owner))
            .select(workspace_members::user_id)
            .load(tx)
            .await
    )?)
}

/// Counts the live workspaces in which the person has a membership of their own.
async fn live_memberships(tx: &mut Transaction, user: UserId) -> Result<i64> {
    Ok(run!(
        tx,
        workspace_members::table
            .inner_join(workspaces::table.on(workspaces::id.eq(workspace_members::workspace_id)))
            .filter(
                workspace_members::user_id
                    .eq(user)
                    .and(workspaces::deleted_at.is_null())
            )
            .select(count_star())
            .first(tx)
            .await
    )?)
}
