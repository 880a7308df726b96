//! Plan limits. Each is counted under the lock of the row that the caller's transaction holds, so that
//! racing requests, however many, cannot exceed it.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::access::WorkspaceRole;
use crate::app::App;
use crate::config::Plan;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction};
use crate::error::{Error, Result};
use crate::id::{OrganizationId, UserId, WorkspaceId};
use crate::models::invitation::is_pending;
use crate::run;
use crate::schema::{invitations, organizations, prompts, workspace_members, workspaces};

/// Counts the seats taken in each workspace, by members and by invitations that can still be accepted.
/// Takes two statements, however many workspaces there are; every workspace is in the result.
///
/// # Errors
/// Database errors only.
pub async fn seats_used(
    conn: &mut Connection,
    workspaces: &[WorkspaceId],
    now: Instant,
) -> Result<Vec<(WorkspaceId, i64)>> {
    let members = members(conn, workspaces).await?;
    let workspace = || invitations::workspace_id.assume_not_null();
    let invited: Vec<(WorkspaceId, i64)> = run!(
        conn,
        invitations::table
            .filter(workspace().eq_any(workspaces))
            .filter(is_pending(now))
            .group_by(invitations::workspace_id)
            .select((workspace(), count_star()))
            .load(conn)
            .await
    )?;
    let mut used: HashMap<_, _> = workspaces.iter().map(|id| (*id, 0)).collect();
    for (id, count) in members.into_iter().chain(invited) {
        *used.entry(id).or_default() += count;
    }
    Ok(used.into_iter().collect())
}

async fn members(
    conn: &mut Connection,
    workspaces: &[WorkspaceId],
) -> Result<Vec<(WorkspaceId, i64)>> {
    Ok(run!(
        conn,
        workspace_members::table
            .filter(workspace_members::workspace_id.eq_any(workspaces))
            .group_by(workspace_members::workspace_id)
            .select((workspace_members::workspace_id, count_star()))
            .load(conn)
            .await
    )?)
}

/// Refuses if one more member or pending invitation would not fit into the workspace, whose row the
/// caller has locked.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(in crate::models) async fn check_seat(
    tx: &mut Transaction,
    plan: &Plan,
    workspace: WorkspaceId,
    now: Instant,
) -> Result<()> {
    let Some(limit) = plan.max_members_per_workspace else {
        return Ok(());
    };
    let used = seats_used(tx, &[workspace], now).await?;
    check(
        "maxMembersPerWorkspace",
        limit,
        used.iter().map(|(_, used)| used).sum(),
    )
}

/// Refuses if one more member would not fit into the workspace, whose row the caller has locked. Pending
/// invitations do not count: whoever accepts has a seat already, unless the plan shrank.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(in crate::models) async fn check_seat_for_acceptance(
    tx: &mut Transaction,
    plan: &Plan,
    workspace: WorkspaceId,
) -> Result<()> {
    let Some(limit) = plan.max_members_per_workspace else {
        return Ok(());
    };
    let members = members(tx, &[workspace]).await?;
    check(
        "maxMembersPerWorkspace",
        limit,
        members.iter().map(|(_, count)| count).sum(),
    )
}

/// Refuses if the person, whose row the caller has locked, could not own one more live workspace across
/// all organizations on the plan with this key. Only workspaces where their own membership is OWNER
/// count; being an OWNER of the organization does not.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(in crate::models) async fn check_owned_workspaces(
    tx: &mut Transaction,
    app: &App,
    user: UserId,
    plan_key: &str,
) -> Result<()> {
    check_owned_workspaces_of(tx, app, &[user], plan_key).await
}

/// Like [`check_owned_workspaces`], but for several people: one more workspace for each of them.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(in crate::models) async fn check_owned_workspaces_of(
    tx: &mut Transaction,
    app: &App,
    users: &[UserId],
    plan_key: &str,
) -> Result<()> {
    let Some(limit) = app.plan(plan_key).max_owned_workspaces else {
        return Ok(());
    };
    let owned: Vec<(UserId, i64)> = run!(
        tx,
        workspace_members::table
            .inner_join(workspaces::table.on(workspaces::id.eq(workspace_members::workspace_id)))
            .inner_join(organizations::table.on(organizations::id.eq(workspaces::organization_id)))
            .filter(workspace_members::user_id.eq_any(users))
            .filter(workspace_members::role.eq(WorkspaceRole::Owner))
            .filter(workspaces::deleted_at.is_null())
            .filter(organizations::plan_key.eq(plan_key))
            .group_by(workspace_members::user_id)
            .select((workspace_members::user_id, count_star()))
            .load(tx)
            .await
    )?;
    let most = owned.into_iter().map(|(_, owned)| owned).max();
    check("maxOwnedWorkspaces", limit, most.unwrap_or(0))
}

/// Refuses if the organization, whose row the caller has locked, could not have one more live workspace.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(in crate::models) async fn check_workspaces(
    tx: &mut Transaction,
    plan: &Plan,
    organization: OrganizationId,
) -> Result<()> {
    let Some(limit) = plan.max_workspaces else {
        return Ok(());
    };
    let live = run!(
        tx,
        workspaces::table
            .filter(workspaces::organization_id.eq(organization))
            .filter(workspaces::deleted_at.is_null())
            .select(count_star())
            .first(tx)
            .await
    )?;
    check("maxWorkspaces", limit, live)
}

/// Counts the prompts of each workspace, active or not. Takes one statement, however many workspaces
/// there are; those without prompts are not in the result.
///
/// # Errors
/// Database errors only.
pub async fn prompts_used(
    conn: &mut Connection,
    workspaces: &[WorkspaceId],
) -> Result<Vec<(WorkspaceId, i64)>> {
    Ok(run!(
        conn,
        prompts::table
            .filter(prompts::workspace_id.eq_any(workspaces))
            .group_by(prompts::workspace_id)
            .select((prompts::workspace_id, count_star()))
            .load(conn)
            .await
    )?)
}

/// Refuses if `adding` more prompts would not fit into the workspace, whose row the caller has locked.
///
/// # Errors
/// `LIMIT_REACHED`.
pub(in crate::models) async fn check_prompts(
    tx: &mut Transaction,
    plan: &Plan,
    workspace: WorkspaceId,
    adding: i64,
) -> Result<()> {
    let Some(limit) = plan.max_prompts_per_workspace else {
        return Ok(());
    };
    let used = prompts_used(tx, &[workspace]).await?;
    let used: i64 = used.iter().map(|(_, used)| used).sum();
    check_adding("maxPromptsPerWorkspace", limit, used, adding)
}

/// Refuses if one more than `used` would exceed the named limit.
fn check(name: &'static str, limit: i32, used: i64) -> Result<()> {
    check_adding(name, limit, used, 1)
}

/// Refuses if `adding` more than `used` would exceed the named limit.
fn check_adding(name: &'static str, limit: i32, used: i64, adding: i64) -> Result<()> {
    let limit = limit.into();
    if used + adding <= limit {
        Ok(())
    } else {
        Err(Error::LimitReached { name, limit })
    }
}
