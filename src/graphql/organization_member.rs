//! What can be changed of the members of organizations.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::organization::{Organization, OrganizationMember, OrganizationRole};
use super::resolve::One;
use crate::models::organization;

#[derive(InputObject)]
struct UpdateOrganizationMemberInput {
    organization_id: RawId,
    user_id: RawId,
    /// What they are to be.
    role: OrganizationRole,
}

#[derive(InputObject)]
struct RemoveOrganizationMemberInput {
    organization_id: RawId,
    user_id: RawId,
}

#[derive(InputObject)]
struct LeaveOrganizationInput {
    organization_id: RawId,
}

#[derive(InputObject)]
struct TransferOrganizationOwnershipInput {
    organization_id: RawId,
    user_id: RawId,
}

#[derive(SimpleObject)]
struct UpdateOrganizationMemberPayload {
    membership: One<OrganizationMember>,
}

#[derive(SimpleObject)]
struct RemoveOrganizationMemberPayload {
    removed: bool,
    user_id: ID,
    organization: One<Organization>,
}

#[derive(SimpleObject)]
struct LeaveOrganizationPayload {
    organization_id: ID,
}

#[derive(SimpleObject)]
struct TransferOrganizationOwnershipPayload {
    organization: One<Organization>,
}

/// What can be changed of the members of organizations.
#[derive(Default)]
pub struct OrganizationMemberMutation;

#[Object]
impl OrganizationMemberMutation {
    /// Gives a member another role. The last OWNER stays one; only an OWNER gives or takes OWNER and
    /// BILLING_ADMIN. Takes ORGANIZATION_MANAGE_MEMBERS.
    async fn update_organization_member(
        &self,
        ctx: &Context<'_>,
        input: UpdateOrganizationMemberInput,
    ) -> Result<UpdateOrganizationMemberPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let user = check.id("userId", &input.user_id);
        let (id, user) = check.done((id, user))?;
        let role = input.role.into();
        let member = organization::update_member(ctx.app(), viewer, id, user, role).await?;
        Ok(UpdateOrganizationMemberPayload {
            membership: One(member.into()),
        })
    }

    /// Removes a member from the organization and all its workspaces; those that they alone owned
    /// pass to its longest-standing OWNER. They cannot come back by a join code until they are invited
    /// again. The last OWNER stays. Takes ORGANIZATION_MANAGE_MEMBERS.
    async fn remove_organization_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveOrganizationMemberInput,
    ) -> Result<RemoveOrganizationMemberPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let user = check.id("userId", &input.user_id);
        let (id, user) = check.done((id, user))?;
        let organization = organization::remove_member(ctx.app(), viewer, id, user).await?;
        Ok(RemoveOrganizationMemberPayload {
            removed: true,
            user_id: user.into(),
            organization: One(organization.into()),
        })
    }

    /// Ends the viewer's own membership, and those of all workspaces of the organization; workspaces
    /// that they alone owned pass to its longest-standing OWNER. The last OWNER stays. Takes being
    /// signed in.
    async fn leave_organization(
        &self,
        ctx: &Context<'_>,
        input: LeaveOrganizationInput,
    ) -> Result<LeaveOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let id = check.done(id)?;
        organization::leave(ctx.app(), viewer, id).await?;
        Ok(LeaveOrganizationPayload {
            organization_id: id.into(),
        })
    }

    /// Makes another member OWNER of the organization, and the viewer ADMIN. Takes being an OWNER of
    /// the organization.
    async fn transfer_organization_ownership(
        &self,
        ctx: &Context<'_>,
        input: TransferOrganizationOwnershipInput,
    ) -> Result<TransferOrganizationOwnershipPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let user = check.id("userId", &input.user_id);
        let (id, user) = check.done((id, user))?;
        let organization = organization::transfer(ctx.app(), viewer, id, user).await?;
        Ok(TransferOrganizationOwnershipPayload {
            organization: One(organization.into()),
        })
    }
}
