//! Mutations on workspaces.

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

/// An organization to create together with a workspace.
#[derive(InputObject)]
struct NewOrganizationInput {
    /// The name: 2 to 80 characters. Defaults to the workspace's name.
    name: Option<String>,
}

/// Input of `createWorkspace`.
#[derive(InputObject)]
struct CreateWorkspaceInput {
    /// The name: 2 to 80 characters.
    name: String,
    /// The slug, used in URLs: 2 to 50 characters of a-z, 0-9 and single hyphens between them.
    /// Derived from the name by default.
    slug: Option<String>,
    /// What the workspace is for, in up to 2,000 characters.
    description: Option<String>,
    /// The domain whose mentions are tracked: a domain name of at most 253 characters; a URL is
    /// reduced to its host.
    domain: Option<String>,
    /// The `storageId` returned by `generateWorkspaceIconUploadUrl`, once the image is uploaded.
    icon_storage_id: Option<RawId>,
    /// If left out: the viewer's current organization where they have WORKSPACE_CREATE in it, else
    /// their personal one, which is made where there is none.
    organization: Option<WorkspaceOrganizationInput>,
    /// Who in the organization sees the workspace.
    #[graphql(default_with = "WorkspaceVisibility::Private")]
    visibility: WorkspaceVisibility,
    /// Free-form preferences: an object of at most 64 KiB, nested at most 16 levels deep. Empty by
    /// default.
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

/// Input of `updateWorkspace`. Omitted fields stay as they are; `null` is INVALID_INPUT unless the
/// field says otherwise. `name`, `slug`, `domain` and `visibility` require WORKSPACE_OWN, the rest
/// WORKSPACE_MANAGE.
#[derive(InputObject)]
struct UpdateWorkspaceInput {
    /// The workspace to change.
    workspace_id: RawId,
    /// Who in the organization sees the workspace.
    visibility: MaybeUndefined<WorkspaceVisibility>,
    /// The new name: 2 to 80 characters.
    name: MaybeUndefined<String>,
    /// The new slug, used in URLs: 2 to 50 characters of a-z, 0-9 and single hyphens between them.
    slug: MaybeUndefined<String>,
    /// What the workspace is for, in up to 2,000 characters. `null` clears it.
    description: MaybeUndefined<String>,
    /// The domain whose mentions are tracked: a domain name of at most 253 characters; a URL is
    /// reduced to its host. `null` clears it.
    domain: MaybeUndefined<String>,
    /// The `storageId` returned by `generateWorkspaceIconUploadUrl`, once the image is uploaded.
    /// `null` removes the icon.
    icon_storage_id: MaybeUndefined<RawId>,
    /// A patch to merge into the settings by RFC 7396: `null` removes a key. The result must be an
    /// object of at most 64 KiB, nested at most 16 levels deep.
    settings: MaybeUndefined<Json>,
    /// A patch to merge into the onboarding state in the same way.
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

/// Input of `deleteWorkspace`.
#[derive(InputObject)]
struct DeleteWorkspaceInput {
    /// The workspace to delete.
    workspace_id: RawId,
}

/// Input of `restoreWorkspace`.
#[derive(InputObject)]
struct RestoreWorkspaceInput {
    /// The deleted workspace to restore.
    workspace_id: RawId,
}

/// Payload of `createWorkspace`.
#[derive(SimpleObject)]
struct CreateWorkspacePayload {
    /// The new workspace.
    workspace: One<Workspace>,
    /// The organization of the new workspace, which may be new as well.
    organization: One<Organization>,
    /// Whether the viewer belonged to no workspace before.
    is_first_workspace: bool,
}

/// Payload of `updateWorkspace`.
#[derive(SimpleObject)]
struct UpdateWorkspacePayload {
    /// The workspace as it is now.
    workspace: One<Workspace>,
}

/// Payload of `deleteWorkspace`.
#[derive(SimpleObject)]
struct DeleteWorkspacePayload {
    /// The workspace, now DELETED, with its `purgeAt`.
    workspace: One<Workspace>,
}

/// Payload of `restoreWorkspace`.
#[derive(SimpleObject)]
struct RestoreWorkspacePayload {
    /// The workspace, now ACTIVE again.
    workspace: One<Workspace>,
}

/// Mutations on workspaces.
#[derive(Default)]
pub struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Creates a workspace owned by the viewer and selects it for them. In an existing
    /// organization, this requires WORKSPACE_CREATE. If an organization is created as well: at most
    /// 3 an hour for each user unless configured otherwise, including those that
    /// `createOrganization` creates. Requires being signed in.
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

    /// Changes a workspace. `name`, `slug`, `domain` and `visibility` also require WORKSPACE_OWN.
    /// Requires WORKSPACE_MANAGE.
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

    /// Deletes a workspace. `restoreWorkspace` can bring it back until `purgeAt`. Requires
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

    /// Restores a deleted workspace, with a new slug if its own has been taken since. Requires
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
