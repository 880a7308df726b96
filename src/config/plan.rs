//! `[plans.…]`: the limits of an organization.

use serde::{Deserialize, Serialize};

/// The limits of an organization on this plan. Each is at least 1; one that is left out is unlimited.
/// Counts fit GraphQL's `Int`, sizes its `BigInt`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Live workspaces that one user may own, across all organizations on this plan.
    pub max_owned_workspaces: Option<i32>,
    /// Live workspaces per organization.
    pub max_workspaces: Option<i32>,
    /// Seats per workspace: members and pending invitations.
    pub max_members_per_workspace: Option<i32>,
    /// Prompts per workspace.
    pub max_prompts_per_workspace: Option<i32>,
    /// Total size of documents, in bytes.
    pub max_document_bytes: Option<i64>,
    /// Total size of agent knowledge, in bytes.
    pub max_agent_knowledge_bytes: Option<i64>,
    /// How long the plan can be tried, in days, up to 36,500. If left out, there is no trial.
    pub trial_days: Option<u32>,
}

impl Plan {
    /// The plan without limits and without a trial.
    pub const UNLIMITED: Self = Self {
        max_owned_workspaces: None,
        max_workspaces: None,
        max_members_per_workspace: None,
        max_prompts_per_workspace: None,
        max_document_bytes: None,
        max_agent_knowledge_bytes: None,
        trial_days: None,
    };
}
