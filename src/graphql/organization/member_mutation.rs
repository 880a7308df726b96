//! Mutations on members of organizations.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{Organization, OrganizationMember, OrganizationRole};
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::organization;

/// Input of `updateOrganizationMember`.
#[derive(InputObject)]
struct UpdateOrganizationMemberInput {
    /// The organization the person is a member of.
    organization_id: RawId,
    /// The member whose role changes.
    user_id: RawId,
    /// The member's new role.
    role: OrganizationRole,
}

/// Input of `removeOrganizationMember`.
#[derive(InputObject)]
struct RemoveOrganizationMemberInput {
    /// The organization to remove the person from.
    organization_id: RawId,
    /// The member to remove.
    user_id: RawId,
}

/// Input of `leaveOrganization`.
#[derive(InputObject)]
struct LeaveOrganizationInput {
    /// The organization to leave.
    organization_id: RawId,
}

/// Input of `transferOrganizationOwnership`.
#[derive(InputObject)]
struct TransferOrganizationOwnershipInput {
    /// The organization to hand over.
    organization_id: RawId,
    /// The member who becomes OWNER; must not be the viewer.
    user_id: RawId,
}

/// Payload of `updateOrganizationMember`.
#[derive(SimpleObject)]
struct UpdateOrganizationMemberPayload {
    /// The membership with its new role.
    membership: One<OrganizationMember>,
}

/// Payload of `removeOrganizationMember`.
#[derive(SimpleObject)]
struct RemoveOrganizationMemberPayload {
    /// Always `true`: if nobody is removed, the mutation fails instead.
    removed: bool,
    /// The id of the person removed.
    user_id: ID,
    /// The organization they were removed from.
    organization: One<Organization>,
}

/// Payload of `leaveOrganization`.
#[derive(SimpleObject)]
struct LeaveOrganizationPayload {
    /// The id of the organization the viewer left, which they can no longer see.
    organization_id: ID,
}

/// Payload of `transferOrganizationOwnership`.
#[derive(SimpleObject)]
struct TransferOrganizationOwnershipPayload {
    /// The organization, in which the viewer is now ADMIN.
    organization: One<Organization>,
}

/// Mutations on members of organizations.
#[derive(Default)]
pub struct OrganizationMemberMutation;

#[Object]
impl OrganizationMemberMutation {
    /// Changes a member's role. The last OWNER cannot be changed; only an OWNER may grant or take
    /// away OWNER and BILLING_ADMIN. Requires ORGANIZATION_MANAGE_MEMBERS.
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

    /// Removes a member from the organization and all its workspaces; workspaces of which they were
    /// the only owner pass to the organization's longest-standing OWNER. They cannot come back with
    /// a join code until they are invited again. The last OWNER cannot be removed. Requires
    /// ORGANIZATION_MANAGE_MEMBERS.
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

    /// Ends the viewer's own membership of the organization and all its workspaces; workspaces of
    /// which they were the only owner pass to the organization's longest-standing OWNER. The last
    /// OWNER cannot leave. Requires being signed in.
    async fn leave_organization(
        &self,
        ctx: &Context<'_>,
        input: LeaveOrganizationInput,
    ) -> Result<LeaveOrganizationPayload> {
        let viewer = ctx.viewer()?;
        let id = input.organization_id.only("organizationId")?;
        organization::leave(ctx.app(), viewer, id).await?;
        Ok(LeaveOrganizationPayload {
            organization_id: id.into(),
        })
    }

    /// Makes another member OWNER of the organization, and the viewer ADMIN. Requires being an
    /// OWNER of the organization.
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
