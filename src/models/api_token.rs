//! API tokens: credentials that act as the user who created them.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use diesel::dsl::count_star;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::{Credential, Viewer};
use crate::db::Connection;
use crate::db::types::Instant;
use crate::error::{Error, ErrorCode, Result};
use crate::id::{ApiTokenId, UserId};
use crate::models::user::{self, User};
use crate::random;
use crate::run;
use crate::schema::{api_tokens, users};

/// Prefix of every secret, so that a leaked one is recognized as such.
pub const PREFIX: &str = "tnt_";
/// Maximum number of tokens per person.
const MOST: i64 = 50;
/// Number of leading characters shown to tell tokens apart. The rest keeps 226 random bits.
const SHOWN: usize = PREFIX.len() + 6;

/// A token, without its secret.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = api_tokens, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct ApiToken {
    /// The token's id.
    pub id: ApiTokenId,
    /// The user it acts as.
    pub user_id: UserId,
    /// The name, 1 to 80 characters.
    pub name: String,
    /// The first characters of the secret.
    pub prefix: String,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Instant>,
    /// When it expires; never if `None`.
    pub expires_at: Option<Instant>,
}

/// Creates a token and returns it with its secret, which is shown only once. `expires_at`, if given,
/// must be in the future.
///
/// # Errors
/// `FORBIDDEN` if the request itself uses an API token; `LIMIT_REACHED` beyond 50 tokens.
pub async fn create(
    app: &App,
    viewer: &Viewer,
    name: &str,
    expires_at: Option<Instant>,
) -> Result<(ApiToken, String)> {
    refuse_api_token(viewer)?;
    let now = app.now();
    let bytes = random::bytes::<32>()?;
    let secret = format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_lowercase());
    let token = ApiToken {
        id: ApiTokenId::new(now.to_utc()),
        user_id: viewer.id(),
        name: name.to_owned(),
        prefix: secret.chars().take(SHOWN).collect(),
        created_at: now,
        last_used_at: None,
        expires_at,
    };
    let hash = hash(&secret);
    app.db
        .transaction(async |tx| {
            user::lock_row(tx, viewer.id()).await?;
            let own = api_tokens::table.filter(api_tokens::user_id.eq(viewer.id()));
            let count: i64 = run!(tx, own.select(count_star()).first(tx).await)?;
            if count >= MOST {
                return Err(Error::LimitReached {
                    name: "apiTokens",
                    limit: MOST,
                });
            }
            let row = (&token, api_tokens::hash.eq(&hash));
            run!(
                tx,
                diesel::insert_into(api_tokens::table)
                    .values(row)
                    .execute(tx)
                    .await
            )?;
            Ok(())
        })
        .await?;
    Ok((token, secret))
}

/// Revokes one of the viewer's tokens.
///
/// # Errors
/// `NOT_FOUND` if the viewer has no token with this id.
pub async fn revoke(app: &App, viewer: &Viewer, id: ApiTokenId) -> Result<()> {
    let deleted = app
        .db
        .transaction(async |tx| {
            let own = api_tokens::id
                .eq(id)
                .and(api_tokens::user_id.eq(viewer.id()));
            Ok(run!(
                tx,
                diesel::delete(api_tokens::table.filter(own))
                    .execute(tx)
                    .await
            )?)
        })
        .await?;
    if deleted == 0 {
        Err(Error::not_found())
    } else {
        Ok(())
    }
}

/// Returns the viewer's tokens, oldest first: all of them, or only those with the given ids.
///
/// # Errors
/// Database errors only.
pub async fn of_viewer(
    conn: &mut Connection,
    viewer: UserId,
    ids: Option<&[ApiTokenId]>,
) -> Result<Vec<ApiToken>> {
    Ok(run!(conn, {
        let mut own = api_tokens::table
            .filter(api_tokens::user_id.eq(viewer))
            .into_boxed();
        if let Some(ids) = ids {
            own = own.filter(api_tokens::id.eq_any(ids));
        }
        own.order_by(api_tokens::id)
            .select(ApiToken::as_select())
            .load(conn)
            .await
    })?)
}

/// Returns the token with this secret and its user, if there is one that has not expired by `now`.
///
/// # Errors
/// Database errors only.
pub async fn authenticate(
    app: &App,
    secret: &str,
    now: Instant,
) -> Result<Option<(ApiToken, User)>> {
    let (mut conn, hash) = (app.db.read().await?, hash(secret));
    let conn = &mut conn;
    let found: Option<(ApiToken, User)> = run!(
        conn,
        api_tokens::table
            .inner_join(users::table.on(users::id.eq(api_tokens::user_id)))
            .filter(api_tokens::hash.eq(hash))
            .select((ApiToken::as_select(), User::as_select()))
            .first(conn)
            .await
            .optional()
    )?;
    Ok(found.filter(|(token, _)| token.expires_at.is_none_or(|at| now < at)))
}

/// Records that a token was used in that minute, unless the same or a later use is recorded already.
///
/// # Errors
/// Database errors only.
pub async fn note_use(app: &App, id: ApiTokenId, minute: Instant) -> Result<()> {
    app.db
        .transaction(async |tx| {
            let before = api_tokens::last_used_at
                .is_null()
                .or(api_tokens::last_used_at.lt(minute));
            let token = api_tokens::table.find(id).filter(before);
            let used = api_tokens::last_used_at.eq(minute);
            run!(tx, diesel::update(token).set(used).execute(tx).await)?;
            Ok(())
        })
        .await
}

/// Refuses a request that was authenticated with an API token.
///
/// # Errors
/// `FORBIDDEN`.
pub fn refuse_api_token(viewer: &Viewer) -> Result<()> {
    match viewer.credential {
        Credential::Identity { .. } => Ok(()),
        Credential::ApiToken => {
            let message = "This cannot be done with an API token; sign in.";
            Err(Error::Refused(ErrorCode::Forbidden, message.into()))
        }
    }
}

/// Hashes a secret. With 256 random bits, it needs no slow hash.
fn hash(secret: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(secret))
}
