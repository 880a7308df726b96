//! The limits of a workspace and how much of them is used.

use async_graphql::{Context, Object, Result, SimpleObject};

use crate::config;
use crate::graphql::context::ContextExt;
use crate::graphql::loader::{PromptsOf, SeatsOf};
use crate::graphql::scalar::BigInt;
use crate::id::WorkspaceId;

/// The limits that the organization's plan sets for a workspace. `null` means unlimited.
pub struct WorkspaceLimits {
    pub workspace: WorkspaceId,
    pub plan: config::Plan,
}

/// The limits that the organization's plan sets for a workspace. `null` means unlimited.
#[Object]
impl WorkspaceLimits {
    /// The maximum size of all documents, in bytes; `null` means unlimited. Reserved: nothing
    /// counts against it yet.
    fn max_document_bytes(&self) -> Option<BigInt> {
        self.plan.max_document_bytes.map(BigInt)
    }

    /// The maximum size of all agent knowledge, in bytes; `null` means unlimited. Reserved: nothing
    /// counts against it yet.
    fn max_agent_knowledge_bytes(&self) -> Option<BigInt> {
        self.plan.max_agent_knowledge_bytes.map(BigInt)
    }

    /// Seats, which are taken by members and pending invitations.
    async fn members(&self, ctx: &Context<'_>) -> Result<Quota> {
        let used = ctx.load(SeatsOf(self.workspace)).await?;
        let limit = self.plan.max_members_per_workspace;
        Ok(Quota::new(used.unwrap_or(0), limit))
    }

    /// Prompts, whether active or not.
    async fn prompts(&self, ctx: &Context<'_>) -> Result<Quota> {
        let used = ctx.load(PromptsOf(self.workspace)).await?;
        let limit = self.plan.max_prompts_per_workspace;
        Ok(Quota::new(used.unwrap_or(0), limit))
    }
}

/// A limit and how much of it is used.
#[derive(SimpleObject)]
pub struct Quota {
    /// How many are in use.
    used: i32,
    /// How many are allowed; `null` means unlimited.
    limit: Option<i32>,
    /// How many more are allowed, at least 0; `null` means unlimited.
    remaining: Option<i32>,
}

impl Quota {
    fn new(used: i64, limit: Option<i32>) -> Self {
        let used = i32::try_from(used).unwrap_or(i32::MAX);
        // After the plan shrinks, more may be in use than is allowed.
        let remaining = limit.map(|limit| (limit - used).max(0));
        Self {
            used,
            limit,
            remaining,
        }
    }
}
