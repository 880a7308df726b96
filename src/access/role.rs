//! The roles in organizations and workspaces, and how they compare.

use crate::models::workspace::Visibility;
use crate::text_enum;

text_enum! {
    /// A person's role in an organization.
    pub enum OrganizationRole {
        /// May do everything, deleting the organization included.
        Owner = "OWNER",
        /// May manage members and workspaces.
        Admin = "ADMIN",
        /// May see the organization and the workspaces that are open to them.
        Member = "MEMBER",
        /// May manage billing, and sees no workspace that they were not added to.
        BillingAdmin = "BILLING_ADMIN",
    }
}

text_enum! {
    /// A person's role in a workspace.
    pub enum WorkspaceRole {
        /// May rename, delete and hand over the workspace, and remove members.
        Owner = "OWNER",
        /// May change settings, providers and schedule, and invite.
        Admin = "ADMIN",
        /// May work in the workspace.
        Member = "MEMBER",
    }
}

impl OrganizationRole {
    /// Returns whether this is an owner or an admin.
    pub fn is_admin(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// Returns the rank of the role: a higher rank may do more.
    pub fn rank(self) -> u8 {
        match self {
            Self::Owner => 3,
            Self::Admin => 2,
            Self::Member | Self::BillingAdmin => 1,
        }
    }

    /// Returns whether a person with this role may give `role` to others, and take it from them: nobody
    /// reaches above themself, and only owners may give the billing role.
    pub fn may_give(self, role: Self) -> bool {
        let is_for_owners = role == Self::BillingAdmin;
        self == Self::Owner || !is_for_owners && self.rank() >= role.rank()
    }

    /// Returns the role that this one implies in a workspace of the organization, without a membership
    /// there.
    pub fn in_workspace(self, visibility: Visibility) -> Option<WorkspaceRole> {
        match (self, visibility) {
            (Self::Owner, _) => Some(WorkspaceRole::Owner),
            (Self::Admin, _) => Some(WorkspaceRole::Admin),
            (Self::Member, Visibility::Organization) => Some(WorkspaceRole::Member),
            (Self::Member, Visibility::Private) | (Self::BillingAdmin, _) => None,
        }
    }
}

impl WorkspaceRole {
    /// Returns the rank of the role: a higher rank may do more.
    pub fn rank(self) -> u8 {
        match self {
            Self::Owner => 3,
            Self::Admin => 2,
            Self::Member => 1,
        }
    }

    /// Returns a person's role in a workspace: the higher of their membership's role there and the role
    /// implied by the one in its organization. Nothing else gives access.
    pub fn effective(
        membership: Option<Self>,
        organization: OrganizationRole,
        visibility: Visibility,
    ) -> Option<Self> {
        let given = organization.in_workspace(visibility);
        membership
            .into_iter()
            .chain(given)
            .max_by_key(|role| role.rank())
    }
}
