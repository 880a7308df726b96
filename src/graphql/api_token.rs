//! API tokens.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::resolve::{Many, One};
use super::scalar::DateTime;
use crate::models::api_token;
use crate::models::values::text;

/// A credential that acts as the user who made it.
#[derive(Clone)]
pub struct ApiToken(pub api_token::ApiToken);

/// A credential that acts as the user who made it.
#[Object]
impl ApiToken {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// What its user calls it: 1 to 80 characters.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The first characters of the secret, to tell tokens apart.
    fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last used, to the minute; `null` if it never was.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When it stops being accepted; `null` when it does not expire.
    fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }
}

/// What can be read of API tokens.
#[derive(Default)]
pub struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// The viewer's own API tokens, without their secrets, oldest first.
    async fn api_tokens(&self, ctx: &Context<'_>) -> Result<Many<ApiToken>> {
        let viewer = ctx.viewer_id()?;
        let mut conn = ctx.app().db.read().await?;
        let tokens = api_token::of_viewer(&mut conn, viewer, None).await?;
        Ok(tokens.into_iter().map(ApiToken).collect())
    }
}

/// What `createApiToken` takes.
#[derive(InputObject)]
struct CreateApiTokenInput {
    /// What to call it: 1 to 80 characters.
    name: String,
    /// When it stops being accepted, which must lie in the future; without it, the token does not
    /// expire.
    expires_at: MaybeUndefined<DateTime>,
}

/// What `revokeApiToken` takes.
#[derive(InputObject)]
struct RevokeApiTokenInput {
    /// The token to end, one of the viewer's own.
    api_token_id: RawId,
}

/// What `createApiToken` answers.
#[derive(SimpleObject)]
struct CreateApiTokenPayload {
    /// The token that was made.
    api_token: One<ApiToken>,
    /// The token itself, for the header `Authorization: Bearer …`. Shown once: only a hash of it is
    /// stored.
    secret: String,
}

/// What `revokeApiToken` answers.
#[derive(SimpleObject)]
struct RevokeApiTokenPayload {
    /// The id of the token that is gone.
    deleted_id: ID,
}

/// What can be changed of API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes an API token, at most 50 for each user. A request that comes with an API token cannot
    /// make one. Requires being signed in.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let name = check.field("name", text::token_name(&input.name));
        let expires_at = input.expires_at.take().map(|at| at.0);
        let expires_at = check.ahead("expiresAt", expires_at, ctx.now());
        let (name, expires_at) = check.done((name, expires_at))?;
        let (token, secret) = api_token::create(ctx.app(), viewer, &name, expires_at).await?;
        Ok(CreateApiTokenPayload {
            api_token: One(ApiToken(token)),
            secret,
        })
    }

    /// Ends an API token of the viewer's own, at once. Requires being signed in.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        input: RevokeApiTokenInput,
    ) -> Result<RevokeApiTokenPayload> {
        let viewer = ctx.viewer()?;
        let id = input.api_token_id.only("apiTokenId")?;
        api_token::revoke(ctx.app(), viewer, id).await?;
        Ok(RevokeApiTokenPayload {
            deleted_id: id.into(),
        })
    }
}
