//! The viewer's account.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::context::ContextExt;
use super::organization::Organization;
use super::resolve::Many;
use crate::models::account::{self, Deletion};

/// What `deleteAccount` would do now.
pub struct AccountDeletion(Deletion);

/// What `deleteAccount` would do now.
#[Object]
impl AccountDeletion {
    /// Whether the account can be deleted now, that is, whether `blockedBy` is empty.
    fn can_delete(&self) -> bool {
        self.0.blocked_by.is_empty()
    }

    /// Organizations with other members that the viewer alone owns: they must be handed over first.
    fn blocked_by(&self) -> Many<Organization> {
        let organizations = self.0.blocked_by.iter().cloned();
        organizations.map(Organization::from).collect()
    }

    /// Organizations that would be deleted, the viewer being the only member.
    fn deletes(&self) -> Many<Organization> {
        let organizations = self.0.deletes.iter().cloned();
        organizations.map(Organization::from).collect()
    }
}

/// Queries about the viewer's account.
#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// What `deleteAccount` would do now.
    async fn account_deletion(&self, ctx: &Context<'_>) -> Result<AccountDeletion> {
        let viewer = ctx.viewer_id()?;
        let mut conn = ctx.app().db.read().await?;
        let deletion = account::deletion(&mut conn, viewer).await?;
        Ok(AccountDeletion(deletion))
    }
}

/// Input of `deleteAccount`.
#[derive(InputObject)]
struct DeleteAccountInput {
    /// The viewer's own email address, typed again: this cannot be undone.
    confirm_email: String,
}

/// Payload of `deleteAccount`.
#[derive(SimpleObject)]
struct DeleteAccountPayload {
    /// The former id of the deleted user.
    deleted_user_id: ID,
}

/// Mutations on the viewer's account.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Deletes the viewer and everything that is theirs alone. Cannot be undone. Fails with
    /// CONFLICT while the viewer is the only OWNER of an organization that has other members;
    /// `extensions.blockedBy` lists these organizations. Fails with FORBIDDEN if the request is
    /// made with an API token. Requires being signed in.
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        input: DeleteAccountInput,
    ) -> Result<DeleteAccountPayload> {
        let viewer = ctx.viewer()?;
        account::delete(ctx.app(), viewer, &input.confirm_email).await?;
        Ok(DeleteAccountPayload {
            deleted_user_id: viewer.id().into(),
        })
    }
}
