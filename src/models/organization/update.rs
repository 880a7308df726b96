//! Changing, linking and deleting organizations.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Map, Value, json};

use super::{Organization, VisibleOrganization};
use crate::access::scope::organization::{Delete, Update};
use crate::app::App;
use crate::auth::{Credential, Viewer};
use crate::db::types::Instant;
use crate::db::{Transaction, lock, on_its_thread};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{OrganizationId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::slugs::{self, Owner};
use crate::models::values::fold::fold;
use crate::models::values::slug::Slug;
use crate::models::{invitation, run, schedule};
use crate::run;
use crate::schema::{
    organization_members, organization_slugs, organizations, workspace_slugs, workspaces,
};

/// The changes to an organization. Fields left out stay as they are.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChanges {
    /// The new name, 2 to 80 characters.
    pub name: Option<String>,
    /// The new slug. The former one still finds the organization until another takes it.
    pub slug: Option<Slug>,
}

/// Changes the organization's name or slug.
///
/// # Errors
/// As [`Viewer::organization`]; `SLUG_TAKEN`.
pub async fn update(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    changes: &OrganizationChanges,
) -> Result<VisibleOrganization> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.organization::<Update>(tx, id).await?;
            let VisibleOrganization {
                mut organization,
                role,
            } = scope.visible().clone();
            let mut data = Map::new();
            if let Some(name) = changes
                .name
                .as_ref()
                .filter(|name| **name != organization.name)
            {
                organization.name.clone_from(name);
                organization.name_key = fold(name);
                data.insert("name".into(), name.clone().into());
            }
            if let Some(slug) = changes
                .slug
                .as_ref()
                .filter(|slug| slug.as_str() != organization.slug)
            {
                slugs::take(tx, Owner::Organization(id), slug).await?;
                organization.slug = slug.to_string();
                data.insert("slug".into(), slug.as_str().into());
            }
            if !data.is_empty() {
                save(tx, app, viewer, &mut organization, data).await?;
            }
            Ok(VisibleOrganization { organization, role })
        })
        .await
}

/// Links the organization to the WorkOS organization with this id, or unlinks it. If issuers are
/// configured, the viewer's token must have been issued for the WorkOS organization.
///
/// # Errors
/// As [`Viewer::organization`]; `FORBIDDEN` if the token is for another organization; `CONFLICT` if the
/// id is linked to another organization.
pub async fn link_workos(
    app: &App,
    viewer: &Viewer,
    id: OrganizationId,
    workos_id: Option<&str>,
) -> Result<VisibleOrganization> {
    let linked = app
        .db
        .transaction(async |tx| {
            let scope = viewer.organization::<Update>(tx, id).await?;
            if let Some(wanted) = workos_id {
                check_token_is_of(app, viewer, wanted)?;
            }
            let VisibleOrganization {
                mut organization,
                role,
            } = scope.visible().clone();
            if organization.workos_organization_id.as_deref() != workos_id {
                organization.workos_organization_id = workos_id.map(str::to_owned);
                let data = json!({ "workosOrganizationId": workos_id });
                let data = data.as_object().cloned().unwrap_or_default();
                save(tx, app, viewer, &mut organization, data).await?;
            }
            Ok(VisibleOrganization { organization, role })
        })
        .await;
    match linked {
        Err(error) if error.is_unique_violation() => Err(Error::conflict(
            "That WorkOS organization is linked to another organization.",
        )),
        linked => linked,
    }
}

fn check_token_is_of(app: &App, viewer: &Viewer, workos_id: &str) -> Result<()> {
    let issued_for = match &viewer.credential {
        Credential::Identity {
            workos_organization_id,
        } => workos_organization_id.as_deref(),
        Credential::ApiToken => None,
    };
    if app.config.auth.issuers.is_empty() || issued_for == Some(workos_id) {
        return Ok(());
    }
    let message = "Sign in to that WorkOS organization to link it.";
    Err(Error::Refused(ErrorCode::Forbidden, message.into()))
}

async fn save(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    organization: &mut Organization,
    data: Map<String, Value>,
) -> Result<()> {
    let now = app.now();
    organization.updated_at = now;
    run!(
        tx,
        diesel::update(organizations::table.find(organization.id))
            .set((
                organizations::name.eq(&organization.name),
                organizations::name_key.eq(&organization.name_key),
                organizations::slug.eq(&organization.slug),
                organizations::workos_organization_id.eq(&organization.workos_organization_id),
                organizations::updated_at.eq(now),
            ))
            .execute(tx)
            .await
    )?;
    let event = NewEvent {
        kind: EventKind::OrganizationUpdated,
        organization: organization.id,
        workspace: None,
        subject: organization.id.into(),
        data: Value::Object(data),
    };
    event::record(tx, viewer, now, event).await
}

/// Deletes the organization and its workspaces, and frees all their slugs. Their contents are left to be
/// purged; nobody can see them any more, because nobody belongs to the organization.
///
/// # Errors
/// As [`Viewer::organization`].
pub async fn delete(app: &App, viewer: &Viewer, id: OrganizationId) -> Result<()> {
    app.db
        .transaction(async |tx| {
            viewer.organization::<Delete>(tx, id).await?;
            on_its_thread(delete_all(tx, viewer, &[id], app.now())).await
        })
        .await
}

/// Like [`delete`], but for several organizations, and as part of a transaction that has checked the
/// permission and locked the rows.
pub(in crate::models) async fn delete_all(
    tx: &mut Transaction,
    viewer: &Viewer,
    ids: &[OrganizationId],
    now: Instant,
) -> Result<()> {
    let event = |id: &OrganizationId| NewEvent {
        kind: EventKind::OrganizationDeleted,
        organization: *id,
        workspace: None,
        subject: (*id).into(),
        data: json!({}),
    };
    event::record_all(tx, viewer, now, ids.iter().map(event).collect()).await?;
    // First of all: a transaction that has locked one of the workspaces has finished by then, so that
    // what it wrote is covered below, and one that locks it later finds it deleted.
    delete_workspaces(tx, ids, now).await?;
    invitation::revoke_of_organizations(tx, ids, now).await?;
    schedule::pause_of_organizations(tx, ids).await?;
    run::cancel_of_organizations(tx, ids, now).await?;
    run!(tx, {
        let own = workspaces::table
            .filter(workspaces::organization_id.eq_any(ids))
            .select(workspaces::id);
        let slugs = workspace_slugs::table.filter(workspace_slugs::workspace_id.eq_any(own));
        diesel::delete(slugs).execute(tx).await
    })?;
    let slugs = organization_slugs::table.filter(organization_slugs::organization_id.eq_any(ids));
    run!(tx, diesel::delete(slugs).execute(tx).await)?;
    // The memberships of its workspaces are deleted with these.
    let members =
        organization_members::table.filter(organization_members::organization_id.eq_any(ids));
    run!(tx, diesel::delete(members).execute(tx).await)?;
    run!(
        tx,
        diesel::update(organizations::table.filter(organizations::id.eq_any(ids)))
            .set((
                organizations::deleted_at.eq(now),
                // Lets the WorkOS organization be linked to another organization.
                organizations::workos_organization_id.eq(None::<String>),
            ))
            .execute(tx)
            .await
    )?;
    Ok(())
}

async fn delete_workspaces(
    tx: &mut Transaction,
    of: &[OrganizationId],
    now: Instant,
) -> Result<()> {
    // An update alone would lock the rows in arbitrary order.
    run!(tx, {
        let rows = workspaces::table
            .filter(workspaces::organization_id.eq_any(of))
            .order_by(workspaces::id)
            .select(workspaces::id);
        lock(rows).load::<WorkspaceId>(tx).await
    })?;
    run!(
        tx,
        diesel::update(workspaces::table.filter(workspaces::organization_id.eq_any(of)))
            .set((workspaces::deleted_at.eq(now), workspaces::purge_at.eq(now)))
            .execute(tx)
            .await
    )?;
    Ok(())
}
