//! Mutations on organizations.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::Organization;
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::organization::{self, NewOrganization, OrganizationChanges};
use crate::models::values::slug::Slug;
use crate::models::values::{Invalid, text};

/// Input of `createOrganization`.
#[derive(InputObject)]
struct CreateOrganizationInput {
    /// The name: 2 to 80 characters.
    name: String,
    /// The slug, used in URLs: 2 to 50 characters of a-z, 0-9 and single hyphens between them.
    /// Derived from the name by default.
    slug: Option<String>,
}

/// Input of `updateOrganization`. Omitted fields stay as they are.
#[derive(InputObject)]
struct UpdateOrganizationInput {
    /// The organization to change.
    organization_id: RawId,
    /// The new name: 2 to 80 characters. `null` is INVALID_INPUT.
    name: MaybeUndefined<String>,
    /// The new slug, used in URLs: 2 to 50 characters of a-z, 0-9 and single hyphens between them.
    /// `null` is INVALID_INPUT.
    slug: MaybeUndefined<String>,
}

/// Input of `deleteOrganization`.
#[derive(InputObject)]
struct DeleteOrganizationInput {
    /// The organization to delete.
    organization_id: RawId,
}

/// Input of `linkWorkosOrganization`.
#[derive(InputObject)]
struct LinkWorkosOrganizationInput {
    /// The organization to link.
    organization_id: RawId,
    /// The id of an organization at WorkOS: 1 to 255 ASCII characters without spaces. `null`
    /// removes the link; the field must not be omitted.
    workos_organization_id: MaybeUndefined<String>,
}

/// Payload of `createOrganization`.
#[derive(SimpleObject)]
struct CreateOrganizationPayload {
    /// The new organization.
    organization: One<Organization>,
}

/// Payload of `updateOrganization`.
#[derive(SimpleObject)]
struct UpdateOrganizationPayload {
    /// The organization as it is now.
    organization: One<Organization>,
}

/// Payload of `deleteOrganization`.
#[derive(SimpleObject)]
struct DeleteOrganizationPayload {
    /// The id of the deleted organization.
    deleted_id: ID,
}

/// Payload of `linkWorkosOrganization`.
#[derive(SimpleObject)]
struct LinkWorkosOrganizationPayload {
    /// The organization as it is now.
    organization: One<Organization>,
}

/// Mutations on organizations.
#[derive(Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Creates an organization owned by the viewer. At most 3 an hour for each user unless
    /// configured otherwise, including those that `createWorkspace` creates. Requires being signed
    /// in.
    async fn create_organization(
        &self,
        ctx: &Context<'_>,
        input: CreateOrganizationInput,
    ) -> Result<CreateOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let name = check.field("name", text::name(&input.name));
        let slug = check.optional("slug", &input.slug, Slug::parse);
        let (name, slug) = check.done((name, slug))?;
        let new = NewOrganization {
            name,
            slug,
            is_personal: false,
        };
        let organization = organization::create(ctx.app(), viewer, &new).await?;
        Ok(CreateOrganizationPayload {
            organization: One(organization.into()),
        })
    }

    /// Renames an organization or changes its slug. Requires ORGANIZATION_UPDATE.
    async fn update_organization(
        &self,
        ctx: &Context<'_>,
        input: UpdateOrganizationInput,
    ) -> Result<UpdateOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let name = check.kept("name", &input.name, |name| text::name(name));
        let slug = check.kept("slug", &input.slug, |slug| Slug::parse(slug));
        let (id, name, slug) = check.done((id, name, slug))?;
        let changes = OrganizationChanges { name, slug };
        let organization = organization::update(ctx.app(), viewer, id, &changes).await?;
        Ok(UpdateOrganizationPayload {
            organization: One(organization.into()),
        })
    }

    /// Deletes an organization along with its workspaces. Cannot be undone. Requires
    /// ORGANIZATION_DELETE.
    async fn delete_organization(
        &self,
        ctx: &Context<'_>,
        input: DeleteOrganizationInput,
    ) -> Result<DeleteOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let id = input.organization_id.only("organizationId")?;
        organization::delete(ctx.app(), viewer, id).await?;
        Ok(DeleteOrganizationPayload {
            deleted_id: id.into(),
        })
    }

    /// Links an organization to one at WorkOS, or removes the link. Fails with CONFLICT if the
    /// WorkOS organization is linked to another organization. Requires ORGANIZATION_UPDATE.
    async fn link_workos_organization(
        &self,
        ctx: &Context<'_>,
        input: LinkWorkosOrganizationInput,
    ) -> Result<LinkWorkosOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        if input.workos_organization_id.is_undefined() {
            check.refuse(
                "workosOrganizationId",
                "must be given; null unlinks the organization",
            );
        }
        let workos_id = input.workos_organization_id.take();
        let workos_id = check.optional("workosOrganizationId", &workos_id, workos_organization_id);
        let (id, workos_id) = check.done((id, workos_id))?;
        let workos_id = workos_id.as_deref();
        let organization = organization::link_workos(ctx.app(), viewer, id, workos_id).await?;
        Ok(LinkWorkosOrganizationPayload {
            organization: One(organization.into()),
        })
    }
}

/// Checks an organization's id at WorkOS, which is an opaque word.
fn workos_organization_id(id: &str) -> std::result::Result<String, Invalid> {
    let id = id.trim();
    if (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(id.to_owned())
    } else {
        Err("must be 1 to 255 ASCII characters without spaces".into())
    }
}
