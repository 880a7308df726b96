//! What can be changed of workspaces.

use async_graphql::{
    Context, InputObject, MaybeUndefined, Object, OneofObject, Result, SimpleObject,
};

use super::{Workspace, WorkspaceVisibility};
use crate::db::types;
use crate::graphql::check::{Check, Checked};
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::organization::Organization;
use crate::graphql::resolve::One;
use crate::graphql::scalar::{DateTime, Json};
use crate::models::patch::Patch;
use crate::models::values::domain::Domain;
use crate::models::values::slug::Slug;
use crate::models::values::{json, text};
use crate::models::workspace::{self, NewWorkspace, Place, WorkspaceChanges};

/// Where a new workspace belongs.
#[derive(OneofObject)]
enum WorkspaceOrganizationInput {
    /// An existing organization in which the viewer has WORKSPACE_CREATE.
    Id(RawId),
    /// A new organization, owned by the viewer.
    Create(NewOrganizationInput),
}

#[derive(InputObject)]
struct NewOrganizationInput {
    /// 2 to 80 characters; the workspace's name unless given.
    name: Option<String>,
}

#[derive(InputObject)]
struct CreateWorkspaceInput {
    /// 2 to 80 characters.
    name: String,
    /// 2 to 50 characters of a-z, 0-9 and single hyphens inside; made from the name unless given.
    slug: Option<String>,
    /// Up to 2,000 characters.
    description: Option<String>,
    /// A domain name of at most 253 characters; a URL is reduced to its host.
    domain: Option<String>,
    /// As returned by generateWorkspaceIconUploadUrl.
    icon_storage_id: Option<RawId>,
    /// If left out: the viewer's current organization where they have WORKSPACE_CREATE in it, else
    /// their personal one, which is made where there is none.
    organization: Option<WorkspaceOrganizationInput>,
    /// Who of the organization sees it.
    #[graphql(default_with = "WorkspaceVisibility::Private")]
    visibility: WorkspaceVisibility,
    /// An object.
    settings: Option<Json>,
}

impl CreateWorkspaceInput {
    fn check(&self) -> Result<NewWorkspace, crate::error::Error> {
        let mut check = Check::default();
        let name = check.field("name", text::name(&self.name));
        let slug = check.optional("slug", &self.slug, Slug::parse);
        let description = check.optional("description", &self.description, text::description);
        let domain = check.optional("domain", &self.domain, Domain::parse);
        let icon = match &self.icon_storage_id {
            Some(id) => check.id("iconStorageId", id).map(Some),
            None => check.field("iconStorageId", Ok(None)),
        };
        let place = self.place(&mut check);
        let settings = match &self.settings {
            Some(Json(settings)) => {
                let checked = check.field("settings", json::object(settings));
                checked.map(|()| types::Json(settings.clone()))
            }
            None => check.field("settings", Ok(types::Json::empty())),
        };
        let (name, slug, description, domain, icon, place, settings) =
            check.done((name, slug, description, domain, icon, place, settings))?;
        Ok(NewWorkspace {
            name,
            slug,
            description: description.flatten(),
            domain,
            icon,
            place,
            visibility: self.visibility.into(),
            settings,
        })
    }

    fn place(&self, check: &mut Check) -> Checked<Place> {
        match &self.organization {
            None => check.field("organization", Ok(Place::Default)),
            Some(WorkspaceOrganizationInput::Id(id)) => {
                check.id("organization.id", id).map(Place::Existing)
            }
            Some(WorkspaceOrganizationInput::Create(new)) => {
                let name = check.optional("organization.create.name", &new.name, text::name);
                name.map(Place::New)
            }
        }
    }
}

/// What is left out stays. `name`, `slug`, `domain` and `visibility` take WORKSPACE_OWN, the rest
/// WORKSPACE_MANAGE.
#[derive(InputObject)]
struct UpdateWorkspaceInput {
    workspace_id: RawId,
    /// Who of the organization sees it.
    visibility: MaybeUndefined<WorkspaceVisibility>,
    /// 2 to 80 characters.
    name: MaybeUndefined<String>,
    /// 2 to 50 characters.
    slug: MaybeUndefined<String>,
    /// `null` clears it.
    description: MaybeUndefined<String>,
    /// `null` clears it.
    domain: MaybeUndefined<String>,
    /// `null` removes the icon.
    icon_storage_id: MaybeUndefined<RawId>,
    /// Merged into the settings as RFC 7396 says: `null` removes a key.
    settings: MaybeUndefined<Json>,
    /// Merged likewise.
    onboarding: MaybeUndefined<Json>,
    /// `null` clears it.
    onboarding_completed_at: MaybeUndefined<DateTime>,
}

impl UpdateWorkspaceInput {
    fn check(&self) -> Result<(crate::id::WorkspaceId, WorkspaceChanges), crate::error::Error> {
        let patch = |patch: &Json| json::object(&patch.0).map(|()| patch.0.clone());
        let mut check = Check::default();
        let id = check.id("workspaceId", &self.workspace_id);
        let visibility = check.kept("visibility", &self.visibility, |v| Ok((*v).into()));
        let name = check.kept("name", &self.name, |name| text::name(name));
        let slug = check.kept("slug", &self.slug, |slug| Slug::parse(slug));
        let description = check.cleared("description", &self.description, |text| {
            text::description(text)
        });
        let domain = check.cleared("domain", &self.domain, |host| Domain::parse(host).map(Some));
        let icon = match &self.icon_storage_id {
            MaybeUndefined::Undefined => check.field("iconStorageId", Ok(Patch::Keep)),
            MaybeUndefined::Null => check.field("iconStorageId", Ok(Patch::Clear)),
            MaybeUndefined::Value(id) => check.id("iconStorageId", id).map(Patch::Set),
        };
        let settings = check.kept("settings", &self.settings, patch);
        let onboarding = check.kept("onboarding", &self.onboarding, patch);
        let completed = check.cleared(
            "onboardingCompletedAt",
            &self.onboarding_completed_at,
            |at| Ok(Some(at.0)),
        );
        let checked = (
            id,
            visibility,
            name,
            slug,
            description,
            domain,
            icon,
            settings,
            onboarding,
            completed,
        );
        let (
            id,
            visibility,
            name,
            slug,
            description,
            domain,
            icon,
            settings,
            onboarding,
            onboarding_completed_at,
        ) = check.done(checked)?;
        let changes = WorkspaceChanges {
            name,
            slug,
            domain,
            visibility,
            description,
            icon,
            settings,
            onboarding,
            onboarding_completed_at,
        };
        Ok((id, changes))
    }
}

#[derive(InputObject)]
struct DeleteWorkspaceInput {
    workspace_id: RawId,
}

#[derive(InputObject)]
struct RestoreWorkspaceInput {
    workspace_id: RawId,
}

#[derive(SimpleObject)]
struct CreateWorkspacePayload {
    workspace: One<Workspace>,
    organization: One<Organization>,
    /// Whether the viewer belonged to no workspace before.
    is_first_workspace: bool,
}

#[derive(SimpleObject)]
struct UpdateWorkspacePayload {
    workspace: One<Workspace>,
}

#[derive(SimpleObject)]
struct DeleteWorkspacePayload {
    workspace: One<Workspace>,
}

#[derive(SimpleObject)]
struct RestoreWorkspacePayload {
    workspace: One<Workspace>,
}

/// What can be changed of workspaces.
#[derive(Default)]
pub struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Makes a workspace, owned by the viewer, and selects it for them. At most 3 an hour for each
    /// user when it makes an organization; in an existing one it takes WORKSPACE_CREATE. Takes being
    /// signed in.
    async fn create_workspace(
        &self,
        ctx: &Context<'_>,
        input: CreateWorkspaceInput,
    ) -> Result<CreateWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let created = workspace::create(ctx.app(), viewer, &input.check()?).await?;
        Ok(CreateWorkspacePayload {
            workspace: One(Workspace(created.workspace)),
            organization: One(created.organization.into()),
            is_first_workspace: created.is_first,
        })
    }

    /// Changes a workspace; `name`, `slug`, `domain` and `visibility` take WORKSPACE_OWN. Takes
    /// WORKSPACE_MANAGE.
    async fn update_workspace(
        &self,
        ctx: &Context<'_>,
        input: UpdateWorkspaceInput,
    ) -> Result<UpdateWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let (id, changes) = input.check()?;
        let workspace = workspace::update(ctx.app(), viewer, id, &changes).await?;
        Ok(UpdateWorkspacePayload {
            workspace: One(Workspace(workspace)),
        })
    }

    /// Deletes a workspace. Soft: `restoreWorkspace` brings it back until `purgeAt`. Takes
    /// WORKSPACE_OWN.
    async fn delete_workspace(
        &self,
        ctx: &Context<'_>,
        input: DeleteWorkspaceInput,
    ) -> Result<DeleteWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let workspace = workspace::delete(ctx.app(), viewer, check.done(id)?).await?;
        Ok(DeleteWorkspacePayload {
            workspace: One(Workspace(workspace)),
        })
    }

    /// Brings a deleted workspace back, with a new slug where its own was taken meanwhile. Takes
    /// WORKSPACE_OWN.
    async fn restore_workspace(
        &self,
        ctx: &Context<'_>,
        input: RestoreWorkspaceInput,
    ) -> Result<RestoreWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let workspace = workspace::restore(ctx.app(), viewer, check.done(id)?).await?;
        Ok(RestoreWorkspacePayload {
            workspace: One(Workspace(workspace)),
        })
    }
}
