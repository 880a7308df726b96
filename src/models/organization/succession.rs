//! Handing over the workspaces of a person who leaves.

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::access::{OrganizationRole, WorkspaceRole};
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{MAX_PARENTS, Transaction, each_parent, insert_all, lock};
use crate::error::Result;
use crate::id::{OrganizationId, UserId, WorkspaceId, WorkspaceMemberId};
use crate::models::event::{self, EventKind};
use crate::models::workspace::WorkspaceMember;
use crate::run;
use crate::schema::{organization_members, workspace_members, workspaces};

/// Maximum number of rows that one statement names by id.
const BATCH: usize = 1_000;

/// Passes the workspaces, live and deleted, of which `leaver` is the only owner to the longest-standing
/// other OWNER of their organization, so that no workspace is left without an owner. The caller has
/// locked the rows of the organizations. Plan limits do not apply. The leaver's own memberships stay:
/// they end with those of the organizations.
///
/// Works in batches of hundreds, so that the number of statements hardly grows with that of the
/// organizations and workspaces.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn pass_workspaces(
    tx: &mut Transaction,
    actor: &Viewer,
    organizations: &[OrganizationId],
    leaver: UserId,
    now: Instant,
) -> Result<()> {
    let orphans = orphans(tx, organizations, leaver).await?;
    if orphans.is_empty() {
        return Ok(());
    }
    let heirs = heirs(tx, organizations, leaver).await?;
    let mut known = memberships(tx, organizations, heirs.values().copied().collect()).await?;
    let (mut raised, mut added) = (Vec::new(), Vec::new());
    for (workspace_id, organization_id) in orphans {
        let Some(user_id) = heirs.get(&organization_id).copied() else {
            continue;
        };
        let role = WorkspaceRole::Owner;
        match known.remove(&(workspace_id, user_id)) {
            Some(member) => raised.push(WorkspaceMember { role, ..member }),
            None => added.push(WorkspaceMember {
                id: WorkspaceMemberId::new(now.to_utc()),
                workspace_id,
                organization_id,
                user_id,
                role,
                created_at: now,
            }),
        }
    }
    for batch in raised.chunks(BATCH) {
        let rows = workspace_members::id.eq_any(batch.iter().map(|member| member.id));
        run!(
            tx,
            diesel::update(workspace_members::table.filter(rows))
                .set(workspace_members::role.eq(WorkspaceRole::Owner))
                .execute(tx)
                .await
        )?;
    }
    insert_all(tx, workspace_members::table, &added).await?;
    let raised = raised
        .iter()
        .map(|m| m.event(EventKind::WorkspaceMemberUpdated));
    let added = added
        .iter()
        .map(|m| m.event(EventKind::WorkspaceMemberAdded));
    event::record_all(tx, actor, now, raised.chain(added).collect()).await
}

/// Locks and returns the workspaces that would have no OWNER without the leaver.
async fn orphans(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
    leaver: UserId,
) -> Result<Vec<(WorkspaceId, OrganizationId)>> {
    run!(tx, {
        let owned = workspace_members::table
            .filter(workspace_members::user_id.eq(leaver))
            .filter(workspace_members::organization_id.eq_any(organizations))
            .filter(workspace_members::role.eq(WorkspaceRole::Owner))
            .select(workspace_members::workspace_id);
        let rows = workspaces::table
            .filter(workspaces::id.eq_any(owned))
            .order_by(workspaces::id)
            .select(workspaces::id);
        lock(rows).load::<WorkspaceId>(tx).await
    })?;
    let others = diesel::alias!(workspace_members as others);
    let other_owner = others
        .filter(
            others
                .field(workspace_members::workspace_id)
                .eq(workspace_members::workspace_id),
        )
        .filter(
            others
                .field(workspace_members::role)
                .eq(WorkspaceRole::Owner),
        )
        .filter(others.field(workspace_members::user_id).ne(leaver))
        .select(others.field(workspace_members::id));
    Ok(run!(
        tx,
        workspace_members::table
            .filter(workspace_members::user_id.eq(leaver))
            .filter(workspace_members::organization_id.eq_any(organizations))
            .filter(workspace_members::role.eq(WorkspaceRole::Owner))
            .filter(not(exists(other_owner)))
            .order_by(workspace_members::workspace_id)
            .select((
                workspace_members::workspace_id,
                workspace_members::organization_id
            ))
            .load(tx)
            .await
    )?)
}

/// Returns the longest-standing OWNER of each organization, other than the leaver.
async fn heirs(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
    leaver: UserId,
) -> Result<HashMap<OrganizationId, UserId>> {
    let mut heirs = HashMap::new();
    for batch in organizations.chunks(MAX_PARENTS) {
        let found: Vec<(OrganizationId, UserId)> = run!(
            tx,
            each_parent(batch, |organization| organization_members::table
                .filter(organization_members::organization_id.eq(organization))
                .filter(organization_members::role.eq(OrganizationRole::Owner))
                .filter(organization_members::user_id.ne(leaver))
                .order_by(organization_members::id)
                .limit(1)
                .select((
                    organization_members::organization_id,
                    organization_members::user_id
                )))
            .load(tx)
            .await
        )?;
        heirs.extend(found);
    }
    Ok(heirs)
}

/// Returns the memberships that the people have in workspaces of the organizations.
async fn memberships(
    tx: &mut Transaction,
    organizations: &[OrganizationId],
    people: Vec<UserId>,
) -> Result<HashMap<(WorkspaceId, UserId), WorkspaceMember>> {
    let found: Vec<WorkspaceMember> = run!(
        tx,
        workspace_members::table
            .filter(workspace_members::organization_id.eq_any(organizations))
            .filter(workspace_members::user_id.eq_any(&people))
            .select(WorkspaceMember::as_select())
            .load(tx)
            .await
    )?;
    let keyed = found
        .into_iter()
        .map(|member| ((member.workspace_id, member.user_id), member));
    Ok(keyed.collect())
}
