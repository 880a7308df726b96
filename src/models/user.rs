//! People. A person is identified by issuer and subject, not by address.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::auth::token::Identity;
use crate::db::types::Instant;
use crate::db::{Connection, Db, Transaction, lock};
use crate::error::{Error, Result};
use crate::id::{UserId, WorkspaceId};
use crate::models::deleted_identity;
use crate::run;
use crate::schema::{api_tokens, organization_members, removals, users};

/// A person.
#[derive(Queryable, Selectable, Insertable, Clone, Debug, PartialEq)]
#[diesel(table_name = users, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The issuer of their tokens.
    pub issuer: String,
    /// The issuer's permanent id for them.
    pub subject: String,
    /// Their address, trimmed and in lower case.
    pub email: String,
    /// Whether the issuer has verified the address. An unverified one counts for nothing.
    pub email_verified: bool,
    /// Their name.
    pub name: Option<String>,
    /// The URL of a picture of them.
    pub avatar_url: Option<String>,
    /// The workspace that they selected last. It may be deleted or hidden by now.
    pub current_workspace_id: Option<WorkspaceId>,
    /// When they were first seen.
    pub created_at: Instant,
    /// When the issuer's claims about them last changed.
    pub updated_at: Instant,
    /// When the newest token was issued whose claims were recorded; `None` if no token said when.
    pub claims_issued_at: Option<Instant>,
}

impl User {
    /// Returns what to call them: their name, or the part of their address before the `@`.
    pub fn display_name(&self) -> &str {
        let local = self.email.split('@').next().unwrap_or(&self.email);
        self.name.as_deref().unwrap_or(local)
    }

    fn is_as_said_by(&self, identity: &Identity) -> bool {
        self.email == identity.email
            && self.email_verified == identity.email_verified
            && self.name == identity.name
            && self.avatar_url.as_deref() == identity.picture.as_ref().map(url::Url::as_str)
    }

    /// Whether the recorded claims come from a token issued later than this one.
    fn is_known_since(&self, identity: &Identity) -> bool {
        match (self.claims_issued_at, issued_at(identity)) {
            (Some(known), Some(issued)) => issued < known,
            _ => false,
        }
    }
}

/// Returns when the token was issued, if it says so, as it can be stored. An issuer may write a date
/// that PostgreSQL does not support.
fn issued_at(identity: &Identity) -> Option<Instant> {
    let issued_at = identity.issued_at.map(Instant::from);
    issued_at.map(|at| at.max(Instant::MIN))
}

/// Returns the person with this id, unless they have deleted their account.
///
/// # Errors
/// Database errors only.
pub async fn by_id(conn: &mut Connection, id: UserId) -> Result<Option<User>> {
    Ok(run!(
        conn,
        users::table
            .find(id)
            .filter(users::deleted_at.is_null())
            .select(User::as_select())
            .first(conn)
            .await
            .optional()
    )?)
}

/// Returns the person that a verified token names. They are created at first sight and updated from the
/// token's claims, which only move forward: a token issued before the one whose claims are recorded
/// changes nothing, so that two tokens in use at the same time do not undo each other's claims. A token
/// without an issue time is taken for new.
///
/// A token whose claims match the recorded ones is not recorded, however new it is, as that would cost a
/// transaction each time. If an older token, but newer than the recorded one, has other claims, it is
/// therefore believed until the newest one is used again.
///
/// # Errors
/// `UNAUTHENTICATED` for a token issued before its person deleted their account.
pub async fn sign_in(db: &Db, identity: &Identity, now: Instant) -> Result<User> {
    let mut conn = db.read().await?;
    let known = find(&mut conn, identity).await?;
    // The person may have come back since; their tokens from before the deletion stay invalid.
    check_not_deleted(&mut conn, identity).await?;
    drop(conn);
    let says_nothing_new =
        |user: &User| user.is_as_said_by(identity) || user.is_known_since(identity);
    if let Some(user) = known.filter(says_nothing_new) {
        return Ok(user);
    }
    db.transaction(async |tx| record(tx, identity, now).await)
        .await
}

async fn find(conn: &mut Connection, identity: &Identity) -> Result<Option<User>> {
    Ok(run!(
        conn,
        users::table
            .filter(
                users::issuer
                    .eq(&identity.issuer)
                    .and(users::subject.eq(&identity.subject))
            )
            .select(User::as_select())
            .first(conn)
            .await
            .optional()
    )?)
}

async fn record(tx: &mut Transaction, identity: &Identity, now: Instant) -> Result<User> {
    let user = User {
        id: UserId::new(now.to_utc()),
        issuer: identity.issuer.clone(),
        subject: identity.subject.clone(),
        email: identity.email.clone(),
        email_verified: identity.email_verified,
        name: identity.name.clone(),
        avatar_url: identity.picture.as_ref().map(ToString::to_string),
        current_workspace_id: None,
        created_at: now,
        updated_at: now,
        claims_issued_at: issued_at(identity),
    };
    let user = match take_over(tx, &user).await? {
        Some(user) => user,
        // The claims of a newer token were recorded first.
        None => find(tx, identity)
            .await?
            .ok_or_else(Error::unauthenticated)?,
    };
    // Checked again: if the account was deleted while this waited for its row, the person was just
    // created anew.
    check_not_deleted(tx, identity).await?;
    Ok(user)
}

/// Creates the person or records the token's claims, unless those of a newer token are recorded. One
/// statement, so that two concurrent first requests create one person, and the newer of two tokens wins.
/// Returns `None` if a newer token has won.
async fn take_over(tx: &mut Transaction, said: &User) -> Result<Option<User>> {
    use diesel::query_dsl::methods::FilterDsl as _;

    // A token without an issue time leaves the recorded one as it is: tokens issued before that are
    // still outdated.
    let issued_at = said
        .claims_issued_at
        .map(|at| users::claims_issued_at.eq(Some(at)));
    let is_newest = (users::claims_issued_at.is_null())
        .or(excluded(users::claims_issued_at).is_null())
        .or(users::claims_issued_at.le(excluded(users::claims_issued_at)));
    Ok(run!(
        tx,
        diesel::insert_into(users::table)
            .values(said)
            .on_conflict((users::issuer, users::subject))
            .do_update()
            .set((
                users::email.eq(&said.email),
                users::email_verified.eq(said.email_verified),
                users::name.eq(&said.name),
                users::avatar_url.eq(&said.avatar_url),
                users::updated_at.eq(said.updated_at),
                issued_at,
            ))
            .filter(is_newest)
            .returning(User::as_returning())
            .get_result(tx)
            .await
            .optional()
    )?)
}

async fn check_not_deleted(conn: &mut Connection, identity: &Identity) -> Result<()> {
    let Identity {
        issuer, subject, ..
    } = identity;
    deleted_identity::check(conn, issuer, subject, identity.issued_at).await
}

/// Forgets the person, who deletes their account: deletes their memberships, tokens and removals, and
/// clears all personal data from their row. The row itself is deleted once no other row names them as
/// its author, of which there may be any number ([`purge_person`](super::purge::purge_person)).
///
/// # Errors
/// Database errors only.
pub(super) async fn forget(tx: &mut Transaction, user: &User, now: Instant) -> Result<()> {
    deleted_identity::record(tx, &user.issuer, &user.subject, now).await?;
    let id = user.id;
    // Their memberships of workspaces are deleted with these.
    let memberships = organization_members::table.filter(organization_members::user_id.eq(id));
    run!(tx, diesel::delete(memberships).execute(tx).await)?;
    let tokens = api_tokens::table.filter(api_tokens::user_id.eq(id));
    run!(tx, diesel::delete(tokens).execute(tx).await)?;
    let removed = removals::table.filter(removals::user_id.eq(id));
    run!(tx, diesel::delete(removed).execute(tx).await)?;
    let nobody = (
        users::issuer.eq(""),
        users::subject.eq(id.to_string()),
        users::email.eq(""),
        users::email_verified.eq(false),
        users::name.eq(None::<String>),
        users::avatar_url.eq(None::<String>),
        users::current_workspace_id.eq(None::<WorkspaceId>),
        users::updated_at.eq(now),
        users::claims_issued_at.eq(None::<Instant>),
        users::deleted_at.eq(Some(now)),
    );
    run!(
        tx,
        diesel::update(users::table.find(id))
            .set(nobody)
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Locks the viewer's row until the transaction ends. Their rate limits and what they own are counted
/// under this lock.
///
/// # Errors
/// `UNAUTHENTICATED` if they have deleted their account meanwhile.
pub(in crate::models) async fn lock_row(tx: &mut Transaction, id: UserId) -> Result<()> {
    let found = run!(tx, {
        let row = users::table
            .find(id)
            .filter(users::deleted_at.is_null())
            .select(users::id);
        lock(row).get_result::<UserId>(tx).await.optional()
    })?;
    found.map(|_| ()).ok_or_else(Error::unauthenticated)
}

/// Locks the rows of several people until the transaction ends, in the order in which they are locked
/// everywhere. Ids without a row are skipped.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn lock_rows(tx: &mut Transaction, ids: &[UserId]) -> Result<()> {
    run!(tx, {
        let rows = users::table
            .filter(users::id.eq_any(ids))
            .order_by(users::id)
            .select(users::id);
        lock(rows).load::<UserId>(tx).await
    })?;
    Ok(())
}

/// Stores the workspace as the person's current one.
///
/// # Errors
/// Database errors only.
pub(super) async fn set_current_workspace(
    tx: &mut Transaction,
    user: UserId,
    workspace: WorkspaceId,
) -> Result<()> {
    run!(
        tx,
        diesel::update(users::table.find(user))
            .set(users::current_workspace_id.eq(workspace))
            .execute(tx)
            .await
    )?;
    Ok(())
}

/// Returns the given people whom the viewer may see: the viewer, and whoever shares an organization with
/// them.
///
/// # Errors
/// Database errors only.
pub async fn visible(conn: &mut Connection, viewer: UserId, ids: &[UserId]) -> Result<Vec<User>> {
    let theirs = diesel::alias!(organization_members as theirs);
    let shared = organization_members::table
        .inner_join(
            theirs.on(theirs
                .field(organization_members::organization_id)
                .eq(organization_members::organization_id)),
        )
        .filter(organization_members::user_id.eq(viewer))
        .filter(theirs.field(organization_members::user_id).eq(users::id))
        .select(organization_members::id);
    Ok(run!(
        conn,
        users::table
            .filter(users::id.eq_any(ids))
            .filter(users::id.eq(viewer).or(diesel::dsl::exists(shared)))
            .select(User::as_select())
            .load(conn)
            .await
    )?)
}
