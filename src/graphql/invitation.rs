//! Invitations.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::error::{Nullable, nullable};
use super::id::RawId;
use super::organization::{Organization, OrganizationRole};
use super::resolve::One;
use super::scalar::DateTime;
use super::user::User;
use super::workspace::{Workspace, WorkspaceMember, WorkspaceRole};
use crate::id::InvitationId;
use crate::models::invitation::{self, Added, NamedInvitation};
use crate::models::values::email::Email;

/// What became of an invitation.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "invitation::InvitationStatus")]
pub enum InvitationStatus {
    /// It can be accepted.
    Pending,
    /// Whoever was invited is a member by it.
    Accepted,
    /// Whoever was invited does not want it.
    Declined,
    /// It was taken back.
    Revoked,
    /// It was not answered in time.
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

    /// To whom. Lower-cased, its domain in ASCII.
    fn email(&self) -> &str {
        &self.row().email
    }

    /// Readable by the person invited, who does not see the organization yet.
    fn organization_name(&self) -> &str {
        &self.0.organization_name
    }

    /// `null` for an invitation to the organization alone.
    fn workspace_name(&self) -> Option<&str> {
        self.0.workspace_name.as_deref()
    }

    /// `null` for someone who is no member.
    async fn organization(&self, ctx: &Context<'_>) -> Nullable<Organization> {
        let id = self.row().organization_id;
        let found = async { Ok::<_, async_graphql::Error>(ctx.loaders()?.load_one(id).await?) };
        nullable(found.await.map(|found| found.map(Organization)))
    }

    /// `null` for an invitation to the organization alone, and for someone who may not see it.
    async fn workspace(&self, ctx: &Context<'_>) -> Nullable<Workspace> {
        let id = self.row().workspace_id?;
        let found = async { Ok::<_, async_graphql::Error>(ctx.loaders()?.load_one(id).await?) };
        nullable(found.await.map(|found| found.map(Workspace)))
    }

    /// What the person becomes in the organization, where they are no member yet.
    fn organization_role(&self) -> OrganizationRole {
        self.row().organization_role.into()
    }

    /// What the person becomes in the workspace; `null` for an invitation to the organization alone.
    fn workspace_role(&self) -> Option<WorkspaceRole> {
        self.row().workspace_role.map(Into::into)
    }

    /// What became of it.
    fn status(&self, ctx: &Context<'_>) -> InvitationStatus {
        self.row().status_at(ctx.now()).into()
    }

    /// Who invited last; `null` for an account deleted since, and for someone who shares no
    /// organization with them.
    async fn invited_by(&self, ctx: &Context<'_>) -> Nullable<User> {
        let id = self.row().invited_by?;
        let found = async { Ok::<_, async_graphql::Error>(ctx.loaders()?.load_one(id).await?) };
        nullable(found.await.map(|found| found.map(User)))
    }

    /// Until when it can be accepted.
    fn expires_at(&self) -> DateTime {
        self.row().expires_at.into()
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        self.row().created_at.into()
    }
}

#[derive(InputObject)]
struct AddWorkspaceMemberInput {
    workspace_id: RawId,
    /// The address of a colleague, or of somebody to invite.
    email: String,
    /// At most the viewer's own.
    #[graphql(default_with = "WorkspaceRole::Member")]
    role: WorkspaceRole,
}

#[derive(InputObject)]
struct InviteOrganizationMemberInput {
    organization_id: RawId,
    /// The address of whoever is invited.
    email: String,
    /// At most the viewer's own; only an OWNER gives OWNER and BILLING_ADMIN.
    #[graphql(default_with = "OrganizationRole::Member")]
    role: OrganizationRole,
}

#[derive(InputObject)]
struct AcceptInvitationInput {
    invitation_id: RawId,
}

#[derive(InputObject)]
struct DeclineInvitationInput {
    invitation_id: RawId,
}

#[derive(InputObject)]
struct RevokeInvitationInput {
    invitation_id: RawId,
}

#[derive(InputObject)]
struct ResendInvitationInput {
    invitation_id: RawId,
}

/// Exactly one of the two is set: a colleague in the organization joins at once, anyone else is
/// invited.
#[derive(SimpleObject)]
struct AddWorkspaceMemberPayload {
    membership: Option<One<WorkspaceMember>>,
    invitation: Option<One<Invitation>>,
}

#[derive(SimpleObject)]
struct InviteOrganizationMemberPayload {
    invitation: One<Invitation>,
}

#[derive(SimpleObject)]
struct AcceptInvitationPayload {
    invitation: One<Invitation>,
    organization: One<Organization>,
    /// `null` for an invitation to the organization alone.
    workspace: Option<One<Workspace>>,
}

#[derive(SimpleObject)]
struct DeclineInvitationPayload {
    invitation: One<Invitation>,
}

#[derive(SimpleObject)]
struct RevokeInvitationPayload {
    invitation: One<Invitation>,
}

#[derive(SimpleObject)]
struct ResendInvitationPayload {
    invitation: One<Invitation>,
}

/// What can be changed of invitations.
#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Adds a colleague to a workspace, or invites whoever has the address. Inviting an address again
    /// extends its invitation, with the new role, and sends no second mail. Takes WORKSPACE_MANAGE.
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

    /// Invites whoever has the address to an organization alone. Inviting an address again extends
    /// its invitation, with the new role, and sends no second mail. Takes
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

    /// Makes the viewer, whose verified address the invitation names, a member. A role that is higher
    /// already is kept, and nothing is selected. Takes being signed in.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        input: AcceptInvitationInput,
    ) -> Result<AcceptInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = invitation_id(&input.invitation_id)?;
        let accepted = invitation::accept(ctx.app(), viewer, id).await?;
        Ok(AcceptInvitationPayload {
            invitation: One(Invitation(accepted.invitation)),
            organization: One(accepted.organization.into()),
            workspace: accepted.workspace.map(Workspace).map(One),
        })
    }

    /// Turns down an invitation that names the viewer's verified address. Takes being signed in.
    async fn decline_invitation(
        &self,
        ctx: &Context<'_>,
        input: DeclineInvitationInput,
    ) -> Result<DeclineInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = invitation_id(&input.invitation_id)?;
        let declined = invitation::decline(ctx.app(), viewer, id).await?;
        Ok(DeclineInvitationPayload {
            invitation: One(Invitation(declined)),
        })
    }

    /// Takes an invitation back. Takes WORKSPACE_MANAGE, or ORGANIZATION_MANAGE_MEMBERS for an
    /// invitation to the organization alone.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        input: RevokeInvitationInput,
    ) -> Result<RevokeInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = invitation_id(&input.invitation_id)?;
        let revoked = invitation::revoke(ctx.app(), viewer, id).await?;
        Ok(RevokeInvitationPayload {
            invitation: One(Invitation(revoked)),
        })
    }

    /// Extends an invitation and sends it again. Takes WORKSPACE_MANAGE, or
    /// ORGANIZATION_MANAGE_MEMBERS for an invitation to the organization alone.
    async fn resend_invitation(
        &self,
        ctx: &Context<'_>,
        input: ResendInvitationInput,
    ) -> Result<ResendInvitationPayload> {
        let viewer = ctx.viewer()?;
        let id = invitation_id(&input.invitation_id)?;
        let resent = invitation::resend(ctx.app(), viewer, id).await?;
        Ok(ResendInvitationPayload {
            invitation: One(Invitation(resent)),
        })
    }
}

fn invitation_id(id: &RawId) -> Result<InvitationId, crate::error::Error> {
    let mut check = Check::default();
    let id = check.id("invitationId", id);
    check.done(id)
}
