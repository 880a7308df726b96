//! Plans.

use async_graphql::Object;

use super::scalar::BigInt;
use crate::config;

/// The limits that an organization's subscription sets. `null` means unlimited.
pub struct Plan {
    pub key: String,
    pub limits: config::Plan,
}

/// The limits that an organization's subscription sets. `null` means unlimited.
#[Object]
impl Plan {
    /// The operator's key for the plan: `free` unless other plans are configured.
    fn key(&self) -> &str {
        &self.key
    }

    /// How many live workspaces one user may own, over all organizations on this plan; `null` means
    /// unlimited.
    fn max_owned_workspaces(&self) -> Option<i32> {
        self.limits.max_owned_workspaces
    }

    /// How many live workspaces the organization may have; `null` means unlimited.
    fn max_workspaces(&self) -> Option<i32> {
        self.limits.max_workspaces
    }

    /// How many seats a workspace has, for members and pending invitations; `null` means unlimited.
    fn max_members_per_workspace(&self) -> Option<i32> {
        self.limits.max_members_per_workspace
    }

    /// How many prompts a workspace may have; `null` means unlimited.
    fn max_prompts_per_workspace(&self) -> Option<i32> {
        self.limits.max_prompts_per_workspace
    }

    /// The maximum size of all documents in a workspace, in bytes; `null` means unlimited.
    /// Reserved: nothing counts against it yet.
    fn max_document_bytes(&self) -> Option<BigInt> {
        self.limits.max_document_bytes.map(BigInt)
    }

    /// The maximum size of all agent knowledge in a workspace, in bytes; `null` means unlimited.
    /// Reserved: nothing counts against it yet.
    fn max_agent_knowledge_bytes(&self) -> Option<BigInt> {
        self.limits.max_agent_knowledge_bytes.map(BigInt)
    }
}
