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

/// Where a new workspace belongs: exactly one of these.
#[derive(OneofObject)]
enum WorkspaceOrganizationInput {
    /// An existing organization in which the viewer has WORKSPACE_CREATE.
    Id(RawId),
    /// A new organization, owned by the viewer.
    Create(NewOrganizationInput),
}

/// An organization that is made together with a workspace.
#[derive(InputObject)]
struct NewOrganizationInput {
    /// What it is called: 2 to 80 characters; the workspace's name unless given.
    name: Option<String>,
}

/// What `createWorkspace` takes.
#[derive(InputObject)]
struct CreateWorkspaceInput {
    /// What it is called: 2 to 80 characters.
    name: String,
    /// Its name in URLs: 2 to 50 characters of a-z, 0-9 and single hyphens inside; made from the
    /// name unless given.
    slug: Option<String>,
    /// What it is for, in up to 2,000 characters.
    description: Option<String>,
    /// The domain whose mentions are tracked: a domain name of at most 253 characters; a URL is
    /// reduced to its host.
    domain: Option<String>,
    /// As returned by `generateWorkspaceIconUploadUrl`, once the image is uploaded.
    icon_storage_id: Option<RawId>,
    /// If left out: the viewer's current organization where they have WORKSPACE_CREATE in it, else
    /// their personal one, which is made where there is none.
    organization: Option<WorkspaceOrganizationInput>,
    /// Who in the organization sees it.
    #[graphql(default_with = "WorkspaceVisibility::Private")]
    visibility: WorkspaceVisibility,
    /// Free-form preferences: an object of at most 64 KiB, nested at most 16 levels deep. Empty
    /// unless given.
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

/// What `updateWorkspace` takes. What is left out stays as it is; `null` is INVALID_INPUT unless
/// the field says what it does. `name`, `slug`, `domain` and `visibility` require WORKSPACE_OWN,
/// the rest WORKSPACE_MANAGE.
#[derive(InputObject)]
struct UpdateWorkspaceInput {
    /// The workspace to change.
    workspace_id: RawId,
    /// Who in the organization sees it.
    visibility: MaybeUndefined<WorkspaceVisibility>,
    /// What it is called: 2 to 80 characters.
    name: MaybeUndefined<String>,
    /// Its name in URLs: 2 to 50 characters of a-z, 0-9 and single hyphens inside.
    slug: MaybeUndefined<String>,
    /// What it is for, in up to 2,000 characters. `null` clears it.
    description: MaybeUndefined<String>,
    /// The domain whose mentions are tracked: a domain name of at most 253 characters; a URL is
    /// reduced to its host. `null` clears it.
    domain: MaybeUndefined<String>,
    /// As returned by `generateWorkspaceIconUploadUrl`, once the image is uploaded. `null` removes
    /// the icon.
    icon_storage_id: MaybeUndefined<RawId>,
    /// Merged into the settings as RFC 7396 says: `null` removes a key. They stay an object of at
    /// most 64 KiB, nested at most 16 levels deep.
    settings: MaybeUndefined<Json>,
    /// Merged into the onboarding in the same way.
    onboarding: MaybeUndefined<Json>,
    /// When the onboarding was completed. `null` clears it.
    onboarding_completed_at: MaybeUndefined<DateTime>,
}

impl UpdateWorkspaceInput {
    fn check(&self) -> Result<(crate::id::WorkspaceId, WorkspaceChanges), crate::error::Error> {
        let patch = |patch: &Json| json::patch(&patch.0).map(|()| patch.0.clone());
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

/// What `deleteWorkspace` takes.
#[derive(InputObject)]
struct DeleteWorkspaceInput {
    /// The workspace to delete.
    workspace_id: RawId,
}

/// What `restoreWorkspace` takes.
#[derive(InputObject)]
struct RestoreWorkspaceInput {
    /// The deleted workspace to bring back.
    workspace_id: RawId,
}

/// What `createWorkspace` answers.
#[derive(SimpleObject)]
struct CreateWorkspacePayload {
    /// The workspace that was made.
    workspace: One<Workspace>,
    /// The organization that it was made in, or that was made with it.
    organization: One<Organization>,
    /// Whether the viewer belonged to no workspace before.
    is_first_workspace: bool,
}

/// What `updateWorkspace` answers.
#[derive(SimpleObject)]
struct UpdateWorkspacePayload {
    /// The workspace as it is now.
    workspace: One<Workspace>,
}

/// What `deleteWorkspace` answers.
#[derive(SimpleObject)]
struct DeleteWorkspacePayload {
    /// The workspace, now DELETED, with its `purgeAt`.
    workspace: One<Workspace>,
}

/// What `restoreWorkspace` answers.
#[derive(SimpleObject)]
struct RestoreWorkspacePayload {
    /// The workspace, now ACTIVE again.
    workspace: One<Workspace>,
}

/// What can be changed of workspaces.
#[derive(Default)]
pub struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Makes a workspace, owned by the viewer, and selects it for them. Where it makes an
    /// organization as well, at most 3 an hour for each user unless configured otherwise, together
    /// with those that `createOrganization` makes; in an existing one, it requires
    /// WORKSPACE_CREATE. Requires being signed in.
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

    /// Changes a workspace. `name`, `slug`, `domain` and `visibility` require WORKSPACE_OWN as
    /// well. Requires WORKSPACE_MANAGE.
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

    /// Deletes a workspace. Soft: `restoreWorkspace` brings it back until `purgeAt`. Requires
    /// WORKSPACE_OWN.
    async fn delete_workspace(
        &self,
        ctx: &Context<'_>,
        input: DeleteWorkspaceInput,
    ) -> Result<DeleteWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let id = input.workspace_id.only("workspaceId")?;
        let workspace = workspace::delete(ctx.app(), viewer, id).await?;
        Ok(DeleteWorkspacePayload {
            workspace: One(Workspace(workspace)),
        })
    }

    /// Brings a deleted workspace back, with a new slug where its own was taken meanwhile. Requires
    /// WORKSPACE_OWN.
    async fn restore_workspace(
        &self,
        ctx: &Context<'_>,
        input: RestoreWorkspaceInput,
    ) -> Result<RestoreWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let id = input.workspace_id.only("workspaceId")?;
        let workspace = workspace::restore(ctx.app(), viewer, id).await?;
        Ok(RestoreWorkspacePayload {
            workspace: One(Workspace(workspace)),
        })
    }
}
