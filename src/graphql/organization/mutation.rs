//! What can be changed of organizations.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::Organization;
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::organization::{self, NewOrganization, OrganizationChanges};
use crate::models::values::slug::Slug;
use crate::models::values::{Invalid, text};

#[derive(InputObject)]
struct CreateOrganizationInput {
    /// 2 to 80 characters.
    name: String,
    /// 2 to 50 characters; made from the name unless given.
    slug: Option<String>,
}

#[derive(InputObject)]
struct UpdateOrganizationInput {
    organization_id: RawId,
    /// 2 to 80 characters.
    name: MaybeUndefined<String>,
    /// 2 to 50 characters.
    slug: MaybeUndefined<String>,
}

#[derive(InputObject)]
struct DeleteOrganizationInput {
    organization_id: RawId,
}

#[derive(InputObject)]
struct LinkWorkosOrganizationInput {
    organization_id: RawId,
    /// `null` unlinks it.
    workos_organization_id: MaybeUndefined<String>,
}

#[derive(SimpleObject)]
struct CreateOrganizationPayload {
    organization: One<Organization>,
}

#[derive(SimpleObject)]
struct UpdateOrganizationPayload {
    organization: One<Organization>,
}

#[derive(SimpleObject)]
struct DeleteOrganizationPayload {
    deleted_id: ID,
}

#[derive(SimpleObject)]
struct LinkWorkosOrganizationPayload {
    organization: One<Organization>,
}

/// What can be changed of organizations.
#[derive(Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Makes an organization, owned by the viewer. At most 3 an hour for each user, together with
    /// those that `createWorkspace` makes. Takes being signed in.
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

    /// Renames an organization or changes its slug. Takes ORGANIZATION_UPDATE.
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

    /// Deletes an organization and its workspaces with it. Cannot be undone. Takes
    /// ORGANIZATION_DELETE.
    async fn delete_organization(
        &self,
        ctx: &Context<'_>,
        input: DeleteOrganizationInput,
    ) -> Result<DeleteOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let id = check.done(id)?;
        organization::delete(ctx.app(), viewer, id).await?;
        Ok(DeleteOrganizationPayload {
            deleted_id: id.into(),
        })
    }

    /// Links an organization to one at WorkOS, or unlinks it. Takes ORGANIZATION_UPDATE.
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

/// What WorkOS calls an organization: an opaque word.
fn workos_organization_id(id: &str) -> std::result::Result<String, Invalid> {
    let id = id.trim();
    if (1..=255).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(id.to_owned())
    } else {
        Err("must be 1 to 255 ASCII characters without spaces".into())
    }
}
