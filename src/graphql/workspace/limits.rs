//! What is left of a workspace's plan.

use async_graphql::{Context, Object, Result, SimpleObject};

use crate::config;
use crate::graphql::context::ContextExt;
use crate::graphql::loader::{PromptsOf, SeatsOf};
use crate::graphql::scalar::BigInt;
use crate::id::WorkspaceId;

/// What the organization's plan allows in a workspace. `null` means unlimited.
pub struct WorkspaceLimits {
    pub workspace: WorkspaceId,
    pub plan: config::Plan,
}

/// What the organization's plan allows in a workspace. `null` means unlimited.
#[Object]
impl WorkspaceLimits {
    /// How many bytes of documents it may hold; `null` means unlimited. Reserved: nothing counts
    /// against it yet.
    fn max_document_bytes(&self) -> Option<BigInt> {
        self.plan.max_document_bytes.map(BigInt)
    }

    /// How many bytes of knowledge its agents may hold; `null` means unlimited. Reserved: nothing
    /// counts against it yet.
    fn max_agent_knowledge_bytes(&self) -> Option<BigInt> {
        self.plan.max_agent_knowledge_bytes.map(BigInt)
    }

    /// Seats, which members and pending invitations take.
    async fn members(&self, ctx: &Context<'_>) -> Result<Quota> {
        let used = ctx.load(SeatsOf(self.workspace)).await?;
        let limit = self.plan.max_members_per_workspace;
        Ok(Quota::new(used.unwrap_or(0), limit))
    }

    /// Prompts, active or not.
    async fn prompts(&self, ctx: &Context<'_>) -> Result<Quota> {
        let used = ctx.load(PromptsOf(self.workspace)).await?;
        let limit = self.plan.max_prompts_per_workspace;
        Ok(Quota::new(used.unwrap_or(0), limit))
    }
}

/// How much of a limit is used.
#[derive(SimpleObject)]
pub struct Quota {
    /// How many there are.
    used: i32,
    /// How many there may be; `null` means unlimited.
    limit: Option<i32>,
    /// How many more fit, at least 0; `null` means unlimited.
    remaining: Option<i32>,
}

impl Quota {
    fn new(used: i64, limit: Option<i32>) -> Self {
        let used = i32::try_from(used).unwrap_or(i32::MAX);
        // After a plan shrank, more may be used than there is.
        let remaining = limit.map(|limit| (limit - used).max(0));
        Self {
            used,
            limit,
            remaining,
        }
    }
}
