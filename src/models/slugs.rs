//! Slugs. There is one table per kind, in which each slug occurs once, with its owner, as a current or a
//! former slug. A former one still finds its owner until another takes it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::values::slug::{Slug, SlugBase};
use crate::db::{Connection, Transaction};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{OrganizationId, WorkspaceId};
use crate::random;
use crate::run;
use crate::schema::{organization_slugs, workspace_slugs};

/// How many numbered slugs one statement checks.
const BATCH: u64 = 16;

/// The kinds of slugs. A slug is unique within its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlugKind {
    /// Slugs of organizations.
    Organization,
    /// Slugs of workspaces.
    Workspace,
}

/// The owner of a slug.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// An organization.
    Organization(OrganizationId),
    /// A workspace.
    Workspace(WorkspaceId),
}

impl Owner {
    fn kind(self) -> SlugKind {
        match self {
            Self::Organization(_) => SlugKind::Organization,
            Self::Workspace(_) => SlugKind::Workspace,
        }
    }
}

impl SlugKind {
    /// Returns the slug for a name from which none can be made.
    pub const fn fallback(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Workspace => "workspace",
        }
    }
}

/// Evaluates an expression with the table of the given kind, which the expression calls `$slugs`.
macro_rules! of_kind {
    ($kind:expr, $slugs:ident, $expression:expr) => {
        match $kind {
            SlugKind::Organization => {
                use organization_slugs as $slugs;
                $expression
            }
            SlugKind::Workspace => {
                use workspace_slugs as $slugs;
                $expression
            }
        }
    };
}

/// Like `of_kind`, where `$own` is the expression that a slug is the owner's.
macro_rules! of_owner {
    ($owner:expr, $slugs:ident, $own:ident, $expression:expr) => {
        match $owner {
            Owner::Organization(id) => {
                use organization_slugs as $slugs;
                let $own = organization_slugs::organization_id.eq(id);
                $expression
            }
            Owner::Workspace(id) => {
                use workspace_slugs as $slugs;
                let $own = workspace_slugs::workspace_id.eq(id);
                $expression
            }
        }
    };
}

/// Takes a requested slug, which may be another owner's former one.
///
/// # Errors
/// `SLUG_TAKEN`.
pub(in crate::models) async fn take(tx: &mut Transaction, owner: Owner, slug: &Slug) -> Result<()> {
    if try_take(tx, owner, slug).await? {
        return Ok(());
    }
    let message = format!("The slug {slug} is taken.");
    Err(Error::Refused(ErrorCode::SlugTaken, message.into()))
}

/// Like [`take`], but returns whether the slug was free.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn try_take(
    tx: &mut Transaction,
    owner: Owner,
    slug: &Slug,
) -> Result<bool> {
    // Provides the `WHERE` of `DO UPDATE`.
    use diesel::query_dsl::methods::FilterDsl as _;

    retire(tx, owner).await?;
    let slug = slug.as_str();
    let taken = of_owner!(
        owner,
        slugs,
        own,
        run!(
            tx,
            diesel::insert_into(slugs::table)
                .values((slugs::slug.eq(slug), own, slugs::is_current.eq(true)))
                .on_conflict(slugs::slug)
                .do_update()
                .set((own, slugs::is_current.eq(true)))
                .filter(slugs::is_current.eq(false))
                .execute(tx)
                .await
        )
    )?;
    Ok(taken == 1)
}

/// Takes a slug made from `base` that nobody holds or held, trying `found` first, which [`free`]
/// returned.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn take_free(
    tx: &mut Transaction,
    owner: Owner,
    base: &SlugBase,
    found: Slug,
) -> Result<Slug> {
    let mut slug = found;
    // If another transaction takes the slug first, this one waits for it, adds nothing, and then sees
    // what that one took.
    while !add(tx, owner, &slug).await? {
        slug = free(tx, owner.kind(), base).await?;
    }
    Ok(slug)
}

async fn add(tx: &mut Transaction, owner: Owner, slug: &Slug) -> Result<bool> {
    let slug = slug.as_str();
    let added = of_owner!(
        owner,
        slugs,
        own,
        run!(
            tx,
            diesel::insert_into(slugs::table)
                .values((slugs::slug.eq(slug), own, slugs::is_current.eq(true)))
                .on_conflict_do_nothing()
                .execute(tx)
                .await
        )
    )?;
    Ok(added == 1)
}

/// Turns the owner's current slug into a former one.
async fn retire(tx: &mut Transaction, owner: Owner) -> Result<()> {
    of_owner!(
        owner,
        slugs,
        own,
        run!(
            tx,
            diesel::update(slugs::table.filter(own.and(slugs::is_current)))
                .set(slugs::is_current.eq(false))
                .execute(tx)
                .await
        )
    )?;
    Ok(())
}

/// Frees the current slug of a workspace that is being deleted. Its former ones stay: anyone may take
/// them.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn release_workspace(
    tx: &mut Transaction,
    id: WorkspaceId,
) -> Result<()> {
    use workspace_slugs::{is_current, table, workspace_id};
    let current = table.filter(workspace_id.eq(id).and(is_current));
    run!(tx, diesel::delete(current).execute(tx).await)?;
    Ok(())
}

/// Checks whether nobody has the slug as their current one.
///
/// # Errors
/// Database errors only.
pub async fn is_available(conn: &mut Connection, kind: SlugKind, slug: &Slug) -> Result<bool> {
    let slug = slug.as_str();
    let current: Option<bool> = of_kind!(
        kind,
        slugs,
        run!(
            conn,
            slugs::table
                .find(slug)
                .select(slugs::is_current)
                .first(conn)
                .await
                .optional()
        )
    )?;
    Ok(current != Some(true))
}

/// Returns a slug made from `base` that nobody holds or held: normally with the lowest free number,
/// found in few statements; if very many are taken, with a random one.
///
/// # Errors
/// Database errors only.
pub async fn free(conn: &mut Connection, kind: SlugKind, base: &SlugBase) -> Result<Slug> {
    let mut low = 0;
    let mut numbers: Vec<u64> = (1..=BATCH).collect();
    loop {
        let slugs: Vec<Slug> = numbers.iter().map(|n| base.numbered(*n)).collect();
        let taken = taken(conn, kind, &slugs).await?;
        let free = slugs.iter().position(|slug| !taken.contains(slug.as_str()));
        // Numbers are taken in order, so the first free one is where the taken ones end: between two of
        // these, a gap that is cut evenly, or after them, where they double. If someone bothers to take
        // all of those, others get a random number.
        let last_taken = free.unwrap_or(numbers.len()).checked_sub(1);
        low = last_taken.map_or(low, |last| numbers[last]);
        numbers = match free {
            Some(free) if numbers[free] - low == 1 => return Ok(base.numbered(numbers[free])),
            Some(free) => cut(low, numbers[free]),
            None if low == BATCH => (1..=BATCH).map(|power| low << power).collect(),
            None => return Ok(base.numbered(any_number()?)),
        };
    }
}

/// Returns a random number, which is hardly ever taken.
fn any_number() -> Result<u64> {
    Ok(u32::from_ne_bytes(random::bytes()?).into())
}

/// Returns numbers that cut the gap evenly, including its end.
fn cut(low: u64, high: u64) -> Vec<u64> {
    let cuts = (high - low).min(BATCH);
    (1..=cuts)
        .map(|nth| low + (high - low) * nth / cuts)
        .collect()
}

/// Returns which of the slugs somebody holds or held.
async fn taken(
    conn: &mut Connection,
    kind: SlugKind,
    slugs: &[Slug],
) -> Result<std::collections::HashSet<String>> {
    let wanted: Vec<&str> = slugs.iter().map(Slug::as_str).collect();
    let taken: Vec<String> = of_kind!(
        kind,
        slugs,
        run!(
            conn,
            slugs::table
                .filter(slugs::slug.eq_any(&wanted))
                .select(slugs::slug)
                .load(conn)
                .await
        )
    )?;
    Ok(taken.into_iter().collect())
}
