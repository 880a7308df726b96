//! API tokens.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::resolve::{Many, One};
use super::scalar::DateTime;
use crate::models::api_token;
use crate::models::values::text;

/// A credential that acts as the user who created it.
#[derive(Clone)]
pub struct ApiToken(pub api_token::ApiToken);

/// A credential that acts as the user who created it.
#[Object]
impl ApiToken {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The name its user gave it: 1 to 80 characters.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The first characters of the secret, to tell tokens apart.
    fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// When the token was created.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the token was last used, to the minute; `null` if it never was.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When the token expires; `null` if it does not.
    fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }
}

/// Queries about API tokens.
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

/// Input of `createApiToken`.
#[derive(InputObject)]
struct CreateApiTokenInput {
    /// A name for the token: 1 to 80 characters.
    name: String,
    /// When the token expires, which must be in the future. If omitted, it does not expire.
    expires_at: MaybeUndefined<DateTime>,
}

/// Input of `revokeApiToken`.
#[derive(InputObject)]
struct RevokeApiTokenInput {
    /// The token to revoke, one of the viewer's own.
    api_token_id: RawId,
}

/// Payload of `createApiToken`.
#[derive(SimpleObject)]
struct CreateApiTokenPayload {
    /// The new token.
    api_token: One<ApiToken>,
    /// The token itself, for the header `Authorization: Bearer …`. Shown once: only a hash of it is
    /// stored.
    secret: String,
}

/// Payload of `revokeApiToken`.
#[derive(SimpleObject)]
struct RevokeApiTokenPayload {
    /// The id of the revoked token.
    deleted_id: ID,
}

/// Mutations on API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Creates an API token, at most 50 for each user. A request made with an API token cannot
    /// create one. Requires being signed in.
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

    /// Revokes one of the viewer's API tokens at once. Requires being signed in.
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
