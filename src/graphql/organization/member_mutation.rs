//! What can be changed of the members of organizations.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::{Organization, OrganizationMember, OrganizationRole};
use crate::graphql::check::Check;
use crate::graphql::context::ContextExt;
use crate::graphql::id::RawId;
use crate::graphql::resolve::One;
use crate::models::organization;

/// What `updateOrganizationMember` takes.
#[derive(InputObject)]
struct UpdateOrganizationMemberInput {
    /// The organization that the person is a member of.
    organization_id: RawId,
    /// The member whose role changes.
    user_id: RawId,
    /// Their new role.
    role: OrganizationRole,
}

/// What `removeOrganizationMember` takes.
#[derive(InputObject)]
struct RemoveOrganizationMemberInput {
    /// The organization that the person is removed from.
    organization_id: RawId,
    /// The member to remove.
    user_id: RawId,
}

/// What `leaveOrganization` takes.
#[derive(InputObject)]
struct LeaveOrganizationInput {
    /// The organization to leave.
    organization_id: RawId,
}

/// What `transferOrganizationOwnership` takes.
#[derive(InputObject)]
struct TransferOrganizationOwnershipInput {
    /// The organization to hand over.
    organization_id: RawId,
    /// The member who becomes OWNER; somebody other than the viewer.
    user_id: RawId,
}

/// What `updateOrganizationMember` answers.
#[derive(SimpleObject)]
struct UpdateOrganizationMemberPayload {
    /// The membership with its new role.
    membership: One<OrganizationMember>,
}

/// What `removeOrganizationMember` answers.
#[derive(SimpleObject)]
struct RemoveOrganizationMemberPayload {
    /// Always `true`: where nobody is removed, there is an error instead.
    removed: bool,
    /// The id of the person who was removed.
    user_id: ID,
    /// The organization that they were removed from.
    organization: One<Organization>,
}

/// What `leaveOrganization` answers.
#[derive(SimpleObject)]
struct LeaveOrganizationPayload {
    /// The id of the organization that was left, which the viewer does not see any more.
    organization_id: ID,
}

/// What `transferOrganizationOwnership` answers.
#[derive(SimpleObject)]
struct TransferOrganizationOwnershipPayload {
    /// The organization, in which the viewer is ADMIN now.
    organization: One<Organization>,
}

/// What can be changed of the members of organizations.
#[derive(Default)]
pub struct OrganizationMemberMutation;

#[Object]
impl OrganizationMemberMutation {
    /// Gives a member another role. The last OWNER stays one; only an OWNER gives or takes OWNER
    /// and BILLING_ADMIN. Requires ORGANIZATION_MANAGE_MEMBERS.
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
    /// pass to its longest-standing OWNER. They cannot come back by a join code until they are
    /// invited again. The last OWNER stays. Requires ORGANIZATION_MANAGE_MEMBERS.
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

    /// Ends the viewer's own membership, and those in all workspaces of the organization;
    /// workspaces that they alone owned pass to its longest-standing OWNER. The last OWNER stays.
    /// Requires being signed in.
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
