//! Creating workspaces.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{Visibility, VisibleWorkspace, Workspace, add_member};
use crate::access::scope::organization::CreateWorkspace;
use crate::access::{Permission, WorkspaceRole};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::Transaction;
use crate::db::types::{Instant, Json};
use crate::error::Result;
use crate::id::{FileId, OrganizationId, UserId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::file;
use crate::models::join_code;
use crate::models::navigation;
use crate::models::organization::{self, NewOrganization, VisibleOrganization};
use crate::models::quota;
use crate::models::slugs::{self, Owner, SlugKind};
use crate::models::user;
use crate::models::values::domain::Domain;
use crate::models::values::slug::{Slug, SlugBase};
use crate::run;
use crate::schema::{workspace_members, workspaces};

/// The role of whoever creates a workspace.
const FIRST_ROLE: WorkspaceRole = WorkspaceRole::Owner;

/// The organization that a new workspace is created in.
#[derive(Clone, Debug)]
pub enum Place {
    /// An existing organization.
    Existing(OrganizationId),
    /// A new organization of this name, or of the workspace's name if `None`.
    New(Option<String>),
    /// The viewer's current organization if they may create workspaces in it, else their personal one,
    /// which is created if there is none.
    Default,
}

/// The input for a new workspace.
#[derive(Clone, Debug)]
pub struct NewWorkspace {
    /// The name, 2 to 80 characters.
    pub name: String,
    /// The slug; made from the name if `None`.
    pub slug: Option<Slug>,
    /// The description, up to 2,000 characters.
    pub description: Option<String>,
    /// The domain whose mentions are tracked.
    pub domain: Option<Domain>,
    /// A file that the viewer has uploaded, to be its icon.
    pub icon: Option<FileId>,
    /// The organization it is created in.
    pub place: Place,
    /// Who in the organization sees it.
    pub visibility: Visibility,
    /// Free-form preferences, an object.
    pub settings: Json,
}

/// A workspace that was created.
#[derive(Clone, Debug)]
pub struct Created {
    /// The workspace.
    pub workspace: VisibleWorkspace,
    /// The organization it belongs to.
    pub organization: VisibleOrganization,
    /// Whether the viewer belonged to no workspace before.
    pub is_first: bool,
}

/// Creates a workspace with the viewer as its owner, and makes it their current one.
///
/// # Errors
/// As [`file::choose`]; `SLUG_TAKEN`; `NOT_FOUND` and `FORBIDDEN` for the organization; `RATE_LIMITED`
/// if an organization is created; `LIMIT_REACHED` if the plan has no room for the workspace.
pub async fn create(app: &App, viewer: &Viewer, new: &NewWorkspace) -> Result<Created> {
    app.db
        .transaction(async |tx| create_in(tx, app, viewer, new).await)
        .await
}

async fn create_in(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    new: &NewWorkspace,
) -> Result<Created> {
    let now = app.now();
    user::lock_row(tx, viewer.id()).await?;
    let ((is_member, slug), organization) = tx
        .together(
            async |tx: &mut Transaction| {
                tx.together(
                    async |tx| has_membership(tx, viewer.id()).await,
                    async |tx| find_slug(tx, new).await,
                )
                .await
            },
            async |tx| place(tx, app, viewer, new, now).await,
        )
        .await?;
    let plan_key = &organization.organization.plan_key;
    quota::check_workspaces(tx, app.plan(plan_key), organization.organization.id).await?;
    quota::check_owned_workspaces(tx, app, viewer.id(), plan_key).await?;
    let workspace = insert(tx, app, viewer, new, slug, &organization, now).await?;
    furnish(tx, app, viewer, &workspace, now).await?;
    let organization_role = organization.role;
    let workspace = VisibleWorkspace {
        workspace,
        organization_role,
        membership_role: Some(FIRST_ROLE),
        organization: None,
    };
    Ok(Created {
        workspace,
        organization,
        is_first: !is_member,
    })
}

/// Adds what every workspace comes with: its owner, for whom it becomes the current one, its join code,
/// and the event.
async fn furnish(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    workspace: &Workspace,
    now: Instant,
) -> Result<()> {
    let (id, organization) = (workspace.id, workspace.organization_id);
    tx.together(
        async |tx: &mut Transaction| {
            tx.together(
                async |tx| add_member(tx, organization, id, viewer.id(), FIRST_ROLE, now).await,
                async |tx| user::set_current_workspace(tx, viewer.id(), id).await,
            )
            .await
        },
        async |tx: &mut Transaction| {
            tx.together(
                async |tx| join_code::replace(tx, id, join_code::Terms::FIRST, now).await,
                async |tx| event::record(tx, viewer, now, created(app, workspace)).await,
            )
            .await
        },
    )
    .await?;
    Ok(())
}

fn created(app: &App, workspace: &Workspace) -> NewEvent {
    NewEvent {
        kind: EventKind::WorkspaceCreated,
        organization: workspace.organization_id,
        workspace: Some(workspace.id),
        subject: workspace.id.into(),
        data: json!({
            "name": workspace.name,
            "slug": workspace.slug,
            "visibility": workspace.visibility.as_str(),
            "iconUrl": workspace.icon().map(|icon| icon.url(app)),
        }),
    }
}

async fn find_slug(tx: &mut Transaction, new: &NewWorkspace) -> Result<Slug> {
    match &new.slug {
        Some(slug) => Ok(slug.clone()),
        None => slugs::free(tx, SlugKind::Workspace, &slug_base(new)).await,
    }
}

fn slug_base(new: &NewWorkspace) -> SlugBase {
    SlugBase::from_name(&new.name, SlugKind::Workspace.fallback())
}

async fn place(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    new: &NewWorkspace,
    now: Instant,
) -> Result<VisibleOrganization> {
    let existing = match &new.place {
        Place::Existing(id) => Some(*id),
        Place::New(name) => {
            let name = name.as_ref().unwrap_or(&new.name).clone();
            let new = NewOrganization {
                name,
                slug: None,
                is_personal: false,
            };
            return organization::create_in(tx, app, viewer, &new, now).await;
        }
        Place::Default => {
            let current = navigation::current_organization(tx, &viewer.user, now).await?;
            match current.filter(|current| current.role.may(Permission::WorkspaceCreate)) {
                Some(current) => Some(current.organization.id),
                None => organization::find_personal(tx, viewer.id()).await?,
            }
        }
    };
    match existing {
        Some(id) => Ok(viewer
            .organization::<CreateWorkspace>(tx, id)
            .await?
            .visible()
            .clone()),
        None => {
            let new = organization::personal(viewer);
            organization::create_in(tx, app, viewer, &new, now).await
        }
    }
}

async fn insert(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    new: &NewWorkspace,
    slug: Slug,
    organization: &VisibleOrganization,
    now: Instant,
) -> Result<Workspace> {
    let id = WorkspaceId::new(now.to_utc());
    let icon = match new.icon {
        Some(file) => Some(file::choose(tx, viewer, file, now).await?),
        None => None,
    };
    let plan = app.plan(&organization.organization.plan_key);
    let mut workspace = Workspace {
        id,
        organization_id: organization.organization.id,
        name: new.name.clone(),
        name_key: String::new(),
        search_key: String::new(),
        slug: slug.to_string(),
        description: new.description.clone(),
        domain: new.domain.clone().map(String::from),
        visibility: new.visibility,
        settings: new.settings.clone(),
        onboarding: Json::empty(),
        onboarding_completed_at: None,
        trial_ends_at: plan.trial_days.map(|days| now.plus_days(days)),
        created_by: Some(viewer.id()),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        purge_at: None,
        enabled_providers: None,
        last_run_at: None,
        icon_id: None,
        icon_format: None,
    };
    workspace.set_icon(icon);
    workspace.set_keys();
    run!(
        tx,
        diesel::insert_into(workspaces::table)
            .values(&workspace)
            .execute(tx)
            .await
    )?;
    if let Some(icon) = icon {
        file::give(tx, icon, id, now).await?;
    }
    match &new.slug {
        Some(slug) => slugs::take(tx, Owner::Workspace(id), slug).await?,
        None => {
            let slug = slugs::take_free(tx, Owner::Workspace(id), &slug_base(new), slug).await?;
            if slug.as_str() != workspace.slug {
                workspace.slug = slug.into();
                workspace.set_keys();
                run!(
                    tx,
                    diesel::update(workspaces::table.find(id))
                        .set((
                            workspaces::slug.eq(&workspace.slug),
                            workspaces::search_key.eq(&workspace.search_key)
                        ))
                        .execute(tx)
                        .await
                )?;
            }
        }
    }
    Ok(workspace)
}

async fn has_membership(tx: &mut Transaction, user: UserId) -> Result<bool> {
    let live = workspace_members::table
        .inner_join(workspaces::table.on(workspaces::id.eq(workspace_members::workspace_id)))
        .filter(
            workspace_members::user_id
                .eq(user)
                .and(workspaces::deleted_at.is_null()),
        )
        .select(workspace_members::id);
    Ok(run!(tx, diesel::select(exists(live)).get_result(tx).await)?)
}
