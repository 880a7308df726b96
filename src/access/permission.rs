//! The permissions, the roles that grant them, and the mutations that require them.

use super::role::{OrganizationRole, WorkspaceRole};

/// A permission that a role may grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the organization.
    OrganizationView,
    /// Rename the organization, change its slug, link it.
    OrganizationUpdate,
    /// Delete the organization.
    OrganizationDelete,
    /// Invite, change and remove members.
    OrganizationManageMembers,
    /// Manage billing.
    OrganizationManageBilling,
    /// Create workspaces in the organization.
    WorkspaceCreate,
    /// See the workspace.
    WorkspaceView,
    /// Change content.
    WorkspaceContribute,
    /// Change the workspace itself.
    WorkspaceManage,
    /// Rename, hand over, delete and restore the workspace.
    WorkspaceOwn,
}

use Permission as P;

impl Permission {
    /// Returns the name that clients see.
    pub const fn as_str(self) -> &'static str {
        match self {
            P::OrganizationView => "ORGANIZATION_VIEW",
            P::OrganizationUpdate => "ORGANIZATION_UPDATE",
            P::OrganizationDelete => "ORGANIZATION_DELETE",
            P::OrganizationManageMembers => "ORGANIZATION_MANAGE_MEMBERS",
            P::OrganizationManageBilling => "ORGANIZATION_MANAGE_BILLING",
            P::WorkspaceCreate => "WORKSPACE_CREATE",
            P::WorkspaceView => "WORKSPACE_VIEW",
            P::WorkspaceContribute => "WORKSPACE_CONTRIBUTE",
            P::WorkspaceManage => "WORKSPACE_MANAGE",
            P::WorkspaceOwn => "WORKSPACE_OWN",
        }
    }
}

impl OrganizationRole {
    /// Returns what the role allows in its organization.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Owner => &[
                P::OrganizationView,
                P::OrganizationUpdate,
                P::OrganizationDelete,
                P::OrganizationManageMembers,
                P::OrganizationManageBilling,
                P::WorkspaceCreate,
            ],
            Self::Admin => &[
                P::OrganizationView,
                P::OrganizationManageMembers,
                P::WorkspaceCreate,
            ],
            Self::Member => &[P::OrganizationView],
            Self::BillingAdmin => &[P::OrganizationView, P::OrganizationManageBilling],
        }
    }

    /// Checks whether the role grants `permission`.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

impl WorkspaceRole {
    /// Returns what the role allows in its workspace.
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Owner => &[
                P::WorkspaceView,
                P::WorkspaceContribute,
                P::WorkspaceManage,
                P::WorkspaceOwn,
            ],
            Self::Admin => &[P::WorkspaceView, P::WorkspaceContribute, P::WorkspaceManage],
            Self::Member => &[P::WorkspaceView, P::WorkspaceContribute],
        }
    }

    /// Checks whether the role grants `permission`.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

/// What a mutation requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Being signed in. The mutation's own rules may require more.
    SignedIn,
    /// A permission in the organization or workspace that the input names.
    Permission(Permission),
    /// One of two permissions, depending on what the object that the input names belongs to.
    Either {
        /// If it belongs to a workspace.
        workspace: Permission,
        /// If it belongs to the organization alone.
        organization: Permission,
    },
    /// Being an owner of the organization.
    OrganizationOwner,
}

impl Takes {
    /// Returns the last sentence of the mutation's description.
    pub fn sentence(self) -> String {
        match self {
            Self::SignedIn => "Requires being signed in.".to_owned(),
            Self::Permission(permission) => format!("Requires {}.", permission.as_str()),
            Self::Either {
                workspace,
                organization,
            } => format!(
                "Requires {}, or {} for an invitation to the organization alone.",
                workspace.as_str(),
                organization.as_str()
            ),
            Self::OrganizationOwner => "Requires being an OWNER of the organization.".to_owned(),
        }
    }
}

const MANAGES_INVITATION: Takes = Takes::Either {
    workspace: P::WorkspaceManage,
    organization: P::OrganizationManageMembers,
};

/// Every mutation with what it requires; the minimum, if that depends on the input.
pub const MUTATIONS: &[(&str, Takes)] = &[
    ("createOrganization", Takes::SignedIn),
    (
        "updateOrganization",
        Takes::Permission(P::OrganizationUpdate),
    ),
    (
        "linkWorkosOrganization",
        Takes::Permission(P::OrganizationUpdate),
    ),
    (
        "deleteOrganization",
        Takes::Permission(P::OrganizationDelete),
    ),
    (
        "updateOrganizationMember",
        Takes::Permission(P::OrganizationManageMembers),
    ),
    (
        "removeOrganizationMember",
        Takes::Permission(P::OrganizationManageMembers),
    ),
    ("leaveOrganization", Takes::SignedIn),
    ("transferOrganizationOwnership", Takes::OrganizationOwner),
    ("createWorkspace", Takes::SignedIn),
    ("updateWorkspace", Takes::Permission(P::WorkspaceManage)),
    ("deleteWorkspace", Takes::Permission(P::WorkspaceOwn)),
    ("restoreWorkspace", Takes::Permission(P::WorkspaceOwn)),
    ("generateWorkspaceIconUploadUrl", Takes::SignedIn),
    ("selectWorkspace", Takes::Permission(P::WorkspaceView)),
    ("joinWorkspaceByCode", Takes::SignedIn),
    ("rotateJoinCode", Takes::Permission(P::WorkspaceManage)),
    ("disableJoinCode", Takes::Permission(P::WorkspaceManage)),
    ("setEnabledProviders", Takes::Permission(P::WorkspaceManage)),
    ("createApiToken", Takes::SignedIn),
    ("revokeApiToken", Takes::SignedIn),
    ("updateWorkspaceMember", Takes::Permission(P::WorkspaceOwn)),
    ("removeWorkspaceMember", Takes::Permission(P::WorkspaceOwn)),
    ("leaveWorkspace", Takes::SignedIn),
    (
        "transferWorkspaceOwnership",
        Takes::Permission(P::WorkspaceOwn),
    ),
    ("deleteAccount", Takes::SignedIn),
    ("addWorkspaceMember", Takes::Permission(P::WorkspaceManage)),
    (
        "inviteOrganizationMember",
        Takes::Permission(P::OrganizationManageMembers),
    ),
    ("acceptInvitation", Takes::SignedIn),
    ("declineInvitation", Takes::SignedIn),
    ("createPrompts", Takes::Permission(P::WorkspaceContribute)),
    ("updatePrompt", Takes::Permission(P::WorkspaceContribute)),
    ("deletePrompt", Takes::Permission(P::WorkspaceContribute)),
    ("revokeInvitation", MANAGES_INVITATION),
    ("resendInvitation", MANAGES_INVITATION),
    ("setSchedule", Takes::Permission(P::WorkspaceManage)),
    ("startRun", Takes::Permission(P::WorkspaceContribute)),
    ("cancelRun", Takes::Permission(P::WorkspaceContribute)),
];
