//! Making workspaces.

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

/// What whoever makes a workspace is in it.
const FIRST_ROLE: WorkspaceRole = WorkspaceRole::Owner;

/// Where a new workspace belongs.
#[derive(Clone, Debug)]
pub enum Place {
    /// An existing organization.
    Existing(OrganizationId),
    /// A new one of that name, or of the workspace's.
    New(Option<String>),
    /// The viewer's current organization where they may create workspaces in it, else their
    /// personal one, which is made where there is none.
    Default,
}

/// What a new workspace is to be.
#[derive(Clone, Debug)]
pub struct NewWorkspace {
    /// 2 to 80 characters.
    pub name: String,
    /// Made from the name unless given.
    pub slug: Option<Slug>,
    /// Up to 2,000 characters.
    pub description: Option<String>,
    /// The domain whose mentions are tracked.
    pub domain: Option<Domain>,
    /// An uploaded file of the viewer's that is to be its icon.
    pub icon: Option<FileId>,
    /// Where it belongs.
    pub place: Place,
    /// Who of the organization sees it.
    pub visibility: Visibility,
    /// An object.
    pub settings: Json,
}

/// A workspace that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// The workspace.
    pub workspace: VisibleWorkspace,
    /// What it belongs to.
    pub organization: VisibleOrganization,
    /// Whether the viewer belonged to no workspace before.
    pub is_first: bool,
}

/// Makes a workspace, with the viewer as its owner, and selects it for them.
///
/// # Errors
/// `SLUG_TAKEN`; `NOT_FOUND` and `FORBIDDEN` for the organization; `RATE_LIMITED` where it makes one;
/// `LIMIT_REACHED` where the plan has no room for it; those of [`file::choose`].
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

/// What comes with each workspace: its owner, whose current one it becomes, its join code, and the event.
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
