//! Slugs: a table for each kind, in which a slug stands once, with its owner, as current or as
//! former. A former one still finds its owner until another takes it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::values::slug::{Slug, SlugBase};
use crate::db::{Connection, Transaction};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{OrganizationId, WorkspaceId};
use crate::random;
use crate::run;
use crate::schema::{organization_slugs, workspace_slugs};

/// How many numbered slugs are looked at in one statement.
const BATCH: u64 = 16;

/// The kinds of slugs; each is unique among its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlugKind {
    /// Of organizations.
    Organization,
    /// Of workspaces.
    Workspace,
}

/// Whose slug it is to be.
#[derive(Clone, Copy, Debug)]
pub enum Owner {
    /// An organization's.
    Organization(OrganizationId),
    /// A workspace's.
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
    /// The slug of one whose name leaves nothing to make one from.
    pub const fn fallback(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Workspace => "workspace",
        }
    }
}

/// One expression for the table of either kind, which is called `$slugs` in it.
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

/// The same, in which `$own` says that a slug is the owner's.
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

/// Takes a slug that was asked for; a former one of another owner's as well.
///
/// # Errors
/// `SLUG_TAKEN`.
pub async fn take(tx: &mut Transaction, owner: Owner, slug: &Slug) -> Result<()> {
    if try_take(tx, owner, slug).await? {
        return Ok(());
    }
    let message = format!("The slug {slug} is taken.");
    Err(Error::Refused(ErrorCode::SlugTaken, message.into()))
}

/// As [`take`], and tells whether it was free.
///
/// # Errors
/// Only those of the database.
pub async fn try_take(tx: &mut Transaction, owner: Owner, slug: &Slug) -> Result<bool> {
    // Gives `DO UPDATE` its `WHERE`.
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

/// Takes the first free slug made from `base`, which no one holds or held. It begins with `found`, which
/// [`free`] gave.
///
/// # Errors
/// Only those of the database.
pub async fn take_free(
    tx: &mut Transaction,
    owner: Owner,
    base: &SlugBase,
    found: Slug,
) -> Result<Slug> {
    let mut slug = found;
    // Another transaction may take it first: then this one waits for it, gets nothing, and sees what
    // it took.
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

/// The owner's current slug becomes a former one.
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

/// Frees the current slug of a workspace that is deleted. Its former ones stay: anyone may take them.
///
/// # Errors
/// Only those of the database.
pub async fn release_workspace(tx: &mut Transaction, id: WorkspaceId) -> Result<()> {
    use workspace_slugs::{is_current, table, workspace_id};
    let current = table.filter(workspace_id.eq(id).and(is_current));
    run!(tx, diesel::delete(current).execute(tx).await)?;
    Ok(())
}

/// Whether the slug is nobody's current one.
///
/// # Errors
/// Only those of the database.
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

/// A slug made from `base` that no one holds or held: the first of its numbers, or, where there are
/// very many, one after which none is far.
///
/// # Errors
/// Only those of the database.
pub async fn free(conn: &mut Connection, kind: SlugKind, base: &SlugBase) -> Result<Slug> {
    let mut low = 0;
    let mut numbers: Vec<u64> = (1..=BATCH).collect();
    loop {
        let slugs: Vec<Slug> = numbers.iter().map(|n| base.numbered(*n)).collect();
        let taken = taken(conn, kind, &slugs).await?;
        let free = slugs.iter().position(|slug| !taken.contains(slug.as_str()));
        // Numbers are taken in order, so the first free one lies where the taken ones end: between two
        // of these, which is cut evenly, or after them, where they double. Whoever goes to the length of
        // taking those has others get any number.
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

/// One that is hardly anybody's.
fn any_number() -> Result<u64> {
    Ok(u32::from_ne_bytes(random::bytes()?).into())
}

/// Some numbers that cut the gap evenly, and its end.
fn cut(low: u64, high: u64) -> Vec<u64> {
    let cuts = (high - low).min(BATCH);
    (1..=cuts)
        .map(|nth| low + (high - low) * nth / cuts)
        .collect()
}

/// Which of the slugs someone holds or held.
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
