//! Purging deleted organizations.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Purged;
use super::batch::{Batch, delete_each};
use crate::db::{Transaction, lock_skip};
use crate::error::Result;
use crate::id::OrganizationId;
use crate::run;
use crate::schema::{
    events, invitations, organization_members, organization_slugs, organizations, removals,
    workspaces,
};

/// Deletes up to `limit` rows of the organization deleted first whose workspaces are all gone, and its
/// own row once nothing else is left. Returns `None` if there is no such organization, or if other
/// instances are working on all of them.
///
/// # Errors
/// Database errors only.
pub async fn purge_organization(
    tx: &mut Transaction,
    limit: i64,
) -> Result<Option<Purged<OrganizationId>>> {
    let its_workspaces = workspaces::table
        .filter(workspaces::organization_id.eq(organizations::id))
        .select(workspaces::id);
    let found: Option<OrganizationId> = run!(
        tx,
        lock_skip(
            organizations::table
                .filter(organizations::deleted_at.is_not_null())
                .filter(not(exists(its_workspaces)))
                .order_by((organizations::deleted_at, organizations::id))
                .limit(1)
                .select(organizations::id)
        )
        .get_result(tx)
        .await
        .optional()
    )?;
    let Some(id) = found else {
        return Ok(None);
    };
    tx.plan_for_values().await?;
    let mut batch = Batch::new(limit);
    delete_each!(tx, batch,
        events: events::organization_id.eq(id),
        invitations: invitations::organization_id.eq(id),
        removals: removals::organization_id.eq(id),
        organization_members: organization_members::organization_id.eq(id),
        organization_slugs: organization_slugs::organization_id.eq(id),
    );
    let is_gone = !batch.is_full();
    if is_gone {
        let row = organizations::table.find(id);
        run!(tx, diesel::delete(row).execute(tx).await)?;
    }
    Ok(Some(Purged {
        id,
        counts: batch.counts(),
        is_gone,
    }))
}
