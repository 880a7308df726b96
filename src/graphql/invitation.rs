//! Invitations.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::error::Nullable;
use super::id::RawId;
use super::organization::{Organization, OrganizationRole};
use super::resolve::One;
use super::scalar::DateTime;
use super::user::User;
use super::workspace::{Workspace, WorkspaceMember, WorkspaceRole};
use crate::models::invitation::{self, Added, NamedInvitation};
use crate::models::values::email::Email;

/// The state of an invitation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "invitation::InvitationStatus")]
pub enum InvitationStatus {
    /// The invitation can still be answered.
    Pending,
    /// The invited person accepted.
    Accepted,
    /// The invited person declined, or deleted their account.
    Declined,
    /// The invitation was revoked, or ended because what it is to was deleted, because a membership
    /// took its place, or because its sender may no longer grant what it offers.
    Revoked,
    /// The invitation was not answered in time.
    Expired,
}

/// An offer of membership, sent to an email address. The person with that verified address may accept
/// it; nobody else can.
#[derive(Clone)]
pub struct Invitation(pub NamedInvitation);

impl Invitation {
    fn row(&self) -> &invitation::Invitation {
        &self.0.invitation
    }
}

/// An offer of membership, sent to an email address. The person with that verified address may accept
/// it; nobody else can.
#[Object]
impl Invitation {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.row().id.into()
    }

    /// The address the invitation was sent to, in lower case, with its domain in ASCII.
    fn email(&self) -> &str {
        &self.row().email
    }

    /// The name of the organization. Readable by the invited person, who cannot see the
    /// organization yet.
    fn organization_name(&self) -> &str {
        &self.0.organization_name
    }

    /// The name of the workspace; `null` for an invitation to the organization alone.
    fn workspace_name(&self) -> Option<&str> {
        self.0.workspace_name.as_deref()
    }

    /// The organization the invitation is to; `null` if the viewer is not a member.
    async fn organization(&self, ctx: &Context<'_>) -> Nullable<Organization> {
        ctx.find(self.row().organization_id, Organization).await
    }

    /// The workspace the invitation is to; `null` for an invitation to the organization alone, or
    /// if the viewer may not see the workspace.
    async fn workspace(&self, ctx: &Context<'_>) -> Nullable<Workspace> {
        ctx.find(self.row().workspace_id?, Workspace).await
    }

    /// The role that accepting gives in the organization. An invitation to a workspace does not
    /// change the role of someone who is already a member of the organization.
    fn organization_role(&self) -> OrganizationRole {
        self.row().organization_role.into()
    }

    /// The role that accepting gives in the workspace; `null` for an invitation to the organization
    /// alone.
    fn workspace_role(&self) -> Option<WorkspaceRole> {
        self.row().workspace_role.map(Into::into)
    }

    /// The state of the invitation.
    fn status(&self, ctx: &Context<'_>) -> InvitationStatus {
        self.row().status_at(ctx.now()).into()
    }

    /// The user who last sent the invitation; `null` if their account has been deleted since, or if
    /// they share no organization with the viewer.
    async fn invited_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        ctx.find(self.row().invited_by?, User).await
    }

    /// Until when the invitation can be accepted: 7 days after it was created or last extended,
    /// unless configured otherwise.
    fn expires_at(&self) -> DateTime {
        self.row().expires_at.into()
    }

    /// When the invitation was created.
    fn created_at(&self) -> DateTime {
        self.row().created_at.into()
    }
}

/// Input of `addWorkspaceMember`.
#[derive(InputObject)]
struct AddWorkspaceMemberInput {
    /// The workspace to add the person to.
    workspace_id: RawId,
    /// The email address of a colleague, or of a person to invite.
    email: String,
    /// The person's role in the workspace, at most the viewer's own.
    #[graphql(default_with = "WorkspaceRole::Member")]
    role: WorkspaceRole,
}

/// Input of `inviteOrganizationMember`.
#[derive(InputObject)]
struct InviteOrganizationMemberInput {
    /// The organization to invite the person to.
    organization_id: RawId,
    /// The email address of the person to invite.
    email: String,
    /// The person's role, at most the viewer's own; only an OWNER may grant OWNER and
    /// BILLING_ADMIN.
    #[graphql(default_with = "OrganizationRole::Member")]
    role: OrganizationRole,
}

/// Input of `acceptInvitation`.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// The invitation to accept, which must name the viewer's verified address.
    invitation_id: RawId,
}

/// Input of `declineInvitation`.
#[derive(InputObject)]
struct DeclineInvitationInput {
    /// The invitation to decline, which must name the viewer's verified address.
    invitation_id: RawId,
}

/// Input of `revokeInvitation`.
#[derive(InputObject)]
struct RevokeInvitationInput {
    /// The invitation to revoke.
    invitation_id: RawId,
}

/// Input of `resendInvitation`.
#[derive(InputObject)]
struct ResendInvitationInput {
    /// The invitation to extend and send again.
    invitation_id: RawId,
}

/// Exactly one of the two is set: a colleague in the organization joins at once, anyone else is
/// invited.
#[derive(SimpleObject)]
struct AddWorkspaceMemberPayload {
    /// The colleague's new membership; `null` if the person was invited.
    membership: Option<One<WorkspaceMember>>,
    /// The invitation that was created or extended; `null` if a colleague joined at once.
    invitation: Option<One<Invitation>>,
}

/// Payload of `inviteOrganizationMember`.
#[derive(SimpleObject)]
struct InviteOrganizationMemberPayload {
    /// The invitation that was created or extended.
    invitation: One<Invitation>,
}

/// Payload of `acceptInvitation`.
#[derive(SimpleObject)]
struct AcceptInvitationPayload {
    /// The invitation, now ACCEPTED.
    invitation: One<Invitation>,
    /// The organization, of which the viewer is now a member.
    organization: One<Organization>,
    /// The workspace, of which the viewer is now a member; `null` for an invitation to the
    /// organization alone.
    workspace: Option<One<Workspace>>,
}

/// Payload of `declineInvitation`.
#[derive(SimpleObject)]
struct DeclineInvitationPayload {
    /// The invitation, now DECLINED.
    invitation: One<Invitation>,
}

/// Payload of `revokeInvitation`.
#[derive(SimpleObject)]
struct RevokeInvitationPayload {
    /// The invitation, now REVOKED.
    invitation: One<Invitation>,
}

/// Payload of `resendInvitation`.
#[derive(SimpleObject)]
struct ResendInvitationPayload {
    /// The invitation, with its new `expiresAt`.
    invitation: One<Invitation>,
}

/// Mutations on invitations.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Adds a colleague to a workspace, or invites the person with the given address. Inviting an
    /// address again extends its invitation, with the new role, and sends no second mail. At most
    /// 50 mails an hour for each organization unless configured otherwise. Requires
    /// WORKSPACE_MANAGE.
    async fn add_workspace_member(
        &self,
        ctx: &Context<'_>,
        input: AddWorkspaceMemberInput,
    ) -> Result<AddWorkspaceMemberPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let email = check.field("email", Email::parse(&input.email));
        let (id, email) = check.done((id, email))?;
        let role = input.role.into();
        let added = invitation::add_workspace_member(ctx.app(), viewer, id, &email, role).await?;
        let (membership, invitation) = match added {
            Added::Member(member, user) => (Some((member, user).into()), None),
            Added::Invited(invitation) => (None, Some(Invitation(invitation))),
        };
        Ok(AddWorkspaceMemberPayload {
            membership: membership.map(One),
            invitation: invitation.map(One),
        })
    }

    /// Invites the person with the given address to an organization alone. Inviting an address
    /// again extends its invitation, with the new role, and sends no second mail. At most 50 mails
    /// an hour for each organization unless configured otherwise. Requires
    /// ORGANIZATION_MANAGE_MEMBERS.
    async fn invite_organization_member(
        &self,
        ctx: &Context<'_>,
        input: InviteOrganizationMemberInput,
    ) -> Result<InviteOrganizationMemberPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("organizationId", &input.organization_id);
        let email = check.field("email", Email::parse(&input.email));
        let (id, email) = check.done((id, email))?;
        let role = input.role.into();
        let invited =
            invitation::invite_organization_member(ctx.app(), viewer, id, &email, role).await?;
        Ok(InviteOrganizationMemberPayload {
            invitation: One(Invitation(invited)),
        })
    }

    /// Accepts an invitation that names the viewer's verified address, making them a member. If
    /// they already have a higher role, they keep it. The current workspace does not change.
    /// Requires being signed in.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = input.invitation_id.only("invitationId")?;
        let accepted = invitation::accept(ctx.app(), viewer, id).await?;
        Ok(AcceptInvitationPayload {
            invitation: One(Invitation(accepted.invitation)),
            organization: One(accepted.organization.into()),
            workspace: accepted.workspace.map(Workspace).map(One),
        })
    }

    /// Declines an invitation that names the viewer's verified address. Requires being signed in.
    async fn decline_invitation(
        &self,
        ctx: &Context<'_>,
        input: DeclineInvitationInput,
    ) -> Result<DeclineInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = input.invitation_id.only("invitationId")?;
        let declined = invitation::decline(ctx.app(), viewer, id).await?;
        Ok(DeclineInvitationPayload {
            invitation: One(Invitation(declined)),
        })
    }

    /// Revokes an invitation. Requires WORKSPACE_MANAGE, or ORGANIZATION_MANAGE_MEMBERS for an
    /// invitation to the organization alone.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = input.invitation_id.only("invitationId")?;
        let revoked = invitation::revoke(ctx.app(), viewer, id).await?;
        Ok(RevokeInvitationPayload {
            invitation: One(Invitation(revoked)),
        })
    }

    /// Extends an invitation and sends it again, which counts toward the hourly limit. Requires
    /// WORKSPACE_MANAGE, or ORGANIZATION_MANAGE_MEMBERS for an invitation to the organization
    /// alone.
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = input.invitation_id.only("invitationId")?;
        let resent = invitation::resend(ctx.app(), viewer, id).await?;
        Ok(ResendInvitationPayload {
            invitation: One(Invitation(resent)),
        })
    }
}
