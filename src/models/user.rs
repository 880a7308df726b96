//! People. A person is an issuer and a subject, not an address.

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
    /// Who vouches for them.
    pub issuer: String,
    /// What the issuer calls them, for good.
    pub subject: String,
    /// Trimmed and lower-cased.
    pub email: String,
    /// Whether the issuer has seen that the address is theirs. Where it has not, the address counts
    /// for nothing.
    pub email_verified: bool,
    /// What they are called.
    pub name: Option<String>,
    /// A picture of them.
    pub avatar_url: Option<String>,
    /// The workspace that they selected last. It may be gone or hidden by now.
    pub current_workspace_id: Option<WorkspaceId>,
    /// When they were first seen.
    pub created_at: Instant,
    /// When what the issuer says of them changed last.
    pub updated_at: Instant,
    /// When the newest token was issued whose claims were taken over; nothing where none said when.
    pub claims_issued_at: Option<Instant>,
}

impl User {
    /// What to call them: their name, or the part of their address before the `@`.
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

    /// Whether a token that was issued later has told what is known of them.
    fn is_known_since(&self, identity: &Identity) -> bool {
        match (self.claims_issued_at, issued_at(identity)) {
            (Some(known), Some(issued)) => issued < known,
            _ => false,
        }
    }
}

/// When the token was issued, if it says so, as it is stored. What an issuer writes may be a date that
/// PostgreSQL does not have.
fn issued_at(identity: &Identity) -> Option<Instant> {
    let issued_at = identity.issued_at.map(Instant::from);
    issued_at.map(|at| at.max(Instant::MIN))
}

/// The person by that id, unless they have deleted their account.
///
/// # Errors
/// Only those of the database.
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

/// The person whom a verified token names: made at first sight, and kept up to date from its claims. They
/// only move forward: a token that was issued before the one whose claims the person has changes nothing,
/// so that two that are in use at the same time do not undo each other's. One that does not say when it
/// was issued is taken for new.
///
/// A token that says what is known already is not written down, however new it is: it would cost a
/// transaction each. One of between the two that says something else is therefore believed, until the
/// newer one is looked at again.
///
/// # Errors
/// `UNAUTHENTICATED` for a token of before its person deleted their account.
pub async fn sign_in(db: &Db, identity: &Identity, now: Instant) -> Result<User> {
    let mut conn = db.read().await?;
    let known = find(&mut conn, identity).await?;
    // The person may have come back since, and their tokens of before have not.
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
        // A newer token was first.
        None => find(tx, identity)
            .await?
            .ok_or_else(Error::unauthenticated)?,
    };
    // Asked again: had the account been deleted while this waited for its row, it would have been made
    // anew.
    check_not_deleted(tx, identity).await?;
    Ok(user)
}

/// Makes the person, or takes over what is said of them by now, unless a newer token said it: all in one
/// statement, so that two first requests at once make one person, and the newer of two tokens has the
/// last word.
async fn take_over(tx: &mut Transaction, said: &User) -> Result<Option<User>> {
    use diesel::query_dsl::methods::FilterDsl as _;

    // Where the token does not say when it was issued, what is known of others that did stays: those of
    // before them are still of before them.
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

/// Forgets the person, who deletes their account: their memberships, tokens and removals go, and their row
/// tells nothing of them any more. It goes itself once nothing names it as its author, of which there may
/// be any number ([`purge_person`](super::purge::purge_person)).
///
/// # Errors
/// Only those of the database.
pub(super) async fn forget(tx: &mut Transaction, user: &User, now: Instant) -> Result<()> {
    deleted_identity::record(tx, &user.issuer, &user.subject, now).await?;
    let id = user.id;
    // Those of the organizations' workspaces go with them.
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

/// Locks the viewer's row until the transaction ends: their rate limits and what they own are counted
/// under it.
///
/// # Errors
/// `UNAUTHENTICATED` where they have deleted their account meanwhile.
pub async fn lock_row(tx: &mut Transaction, id: UserId) -> Result<()> {
    let found = run!(tx, {
        let row = users::table
            .find(id)
            .filter(users::deleted_at.is_null())
            .select(users::id);
        lock(row).get_result::<UserId>(tx).await.optional()
    })?;
    found.map(|_| ()).ok_or_else(Error::unauthenticated)
}

/// Locks the rows of several people until the transaction ends, in the one order in which they are
/// locked everywhere. Whoever is gone has no row to lock.
///
/// # Errors
/// Only those of the database.
pub async fn lock_rows(tx: &mut Transaction, ids: &[UserId]) -> Result<()> {
    run!(tx, {
        let rows = users::table
            .filter(users::id.eq_any(ids))
            .order_by(users::id)
            .select(users::id);
        lock(rows).load::<UserId>(tx).await
    })?;
    Ok(())
}

/// Remembers the workspace as the person's current one.
///
/// # Errors
/// Only those of the database.
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

/// Those of the people whom the viewer may see: themself, and whoever shares an organization with
/// them.
///
/// # Errors
/// Only those of the database.
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
