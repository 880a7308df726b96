//! Join codes: whoever has one can join the workspace it belongs to.

use chrono::TimeDelta;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;
use serde_json::json;

use crate::access::scope::workspace::Manage;
use crate::access::visible::{may_manage, workspaces_of_viewer};
use crate::access::{OrganizationRole, WorkspaceRole, WorkspaceScope};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock};
use crate::error::{Error, ErrorCode, Result};
use crate::id::{OrganizationId, UserId, WorkspaceId};
use crate::models::event::{self, EventKind, NewEvent};
use crate::models::organization::{self, Organization};
use crate::models::rate_limit::{self, Rule};
use crate::models::values::join_code::JoinCode as Code;
use crate::models::workspace::{self, VisibleWorkspace, WorkspaceMember};
use crate::models::{quota, removal, user};
use crate::random;
use crate::run;
use crate::schema::{join_codes, organizations, workspaces};

/// The join code of a workspace.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Clone, Debug)]
#[diesel(table_name = join_codes, check_for_backend(Pg, Sqlite))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
#[diesel(primary_key(workspace_id))]
pub struct JoinCode {
    /// The workspace it belongs to.
    pub workspace_id: WorkspaceId,
    /// The code, 12 characters; see [`Code`].
    pub code: String,
    /// Whether people can join by it.
    pub is_enabled: bool,
    /// The role of whoever joins; never OWNER.
    pub role: WorkspaceRole,
    /// When it expires; never if `None`.
    pub expires_at: Option<Instant>,
    /// How many people may join; unlimited if `None`.
    pub max_uses: Option<i32>,
    /// How many people have joined.
    pub uses: i32,
    /// When it was created.
    pub created_at: Instant,
}

impl JoinCode {
    /// Returns the code as people read it, while it is enabled.
    pub fn shown(&self) -> Option<String> {
        let code = Code::parse(&self.code).ok()?;
        self.is_enabled.then(|| code.to_string())
    }

    fn is_usable(&self, now: Instant) -> bool {
        self.is_enabled
            && self.expires_at.is_none_or(|at| now < at)
            && self.max_uses.is_none_or(|most| self.uses < most)
    }
}

/// The terms of a new code.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The role of whoever joins.
    pub role: WorkspaceRole,
    /// When it expires, which is in the future; never if `None`.
    pub expires_at: Option<Instant>,
    /// How many people may join, at least 1; unlimited if `None`.
    pub max_uses: Option<i32>,
}

impl Terms {
    /// The terms of the code that a workspace is created with.
    pub const FIRST: Self = Self {
        role: WorkspaceRole::Member,
        expires_at: None,
        max_uses: None,
    };
}

/// Gives the workspace a new code; its old one stops working.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn replace(
    tx: &mut Transaction,
    workspace: WorkspaceId,
    terms: Terms,
    now: Instant,
) -> Result<JoinCode> {
    let code = JoinCode {
        workspace_id: workspace,
        code: Code::generate(random::bytes()?).as_str().to_owned(),
        is_enabled: true,
        role: terms.role,
        expires_at: terms.expires_at,
        max_uses: terms.max_uses,
        uses: 0,
        created_at: now,
    };
    run!(
        tx,
        diesel::insert_into(join_codes::table)
            .values(&code)
            .on_conflict(join_codes::workspace_id)
            .do_update()
            .set(&code)
            .execute(tx)
            .await
    )?;
    Ok(code)
}

/// Returns the codes of the given workspaces that the viewer may manage.
///
/// # Errors
/// Database errors only.
pub async fn of_workspaces(
    conn: &mut Connection,
    viewer: UserId,
    ids: &[WorkspaceId],
) -> Result<Vec<JoinCode>> {
    Ok(run!(
        conn,
        workspaces_of_viewer(viewer)
            .inner_join(join_codes::table.on(join_codes::workspace_id.eq(workspaces::id)))
            .filter(workspaces::id.eq_any(ids).and(may_manage()))
            .select(JoinCode::as_select())
            .load(conn)
            .await
    )?)
}

/// Creates a new code; the old one stops working at once.
///
/// # Errors
/// As [`Viewer::workspace`].
pub async fn rotate(
    app: &App,
    viewer: &Viewer,
    id: WorkspaceId,
    terms: Terms,
) -> Result<(VisibleWorkspace, JoinCode)> {
    let now = app.now();
    app.db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Manage>(tx, id).await?;
            let code = replace(tx, id, terms, now).await?;
            let data = json!({
                "role": code.role.as_str(),
                "expiresAt": code.expires_at.map(|at| at.to_string()),
                "maxUses": code.max_uses,
            });
            let event = event_of(&scope, EventKind::JoinCodeRotated, data);
            event::record(tx, viewer, now, event).await?;
            Ok((scope.visible().clone(), code))
        })
        .await
}

/// Disables joining by code until a new code is created.
///
/// # Errors
/// As [`Viewer::workspace`].
pub async fn disable(app: &App, viewer: &Viewer, id: WorkspaceId) -> Result<VisibleWorkspace> {
    app.db
        .transaction(async |tx| {
            let scope = viewer.workspace::<Manage>(tx, id).await?;
            let enabled = join_codes::table.find(id).filter(join_codes::is_enabled);
            let off = join_codes::is_enabled.eq(false);
            let changed = run!(tx, diesel::update(enabled).set(off).execute(tx).await)?;
            if changed > 0 {
                let event = event_of(&scope, EventKind::JoinCodeDisabled, json!({}));
                event::record(tx, viewer, app.now(), event).await?;
            }
            Ok(scope.visible().clone())
        })
        .await
}

fn event_of(scope: &WorkspaceScope<Manage>, kind: EventKind, data: serde_json::Value) -> NewEvent {
    NewEvent {
        kind,
        organization: scope.workspace().organization_id,
        workspace: Some(scope.id()),
        subject: scope.id().into(),
        data,
    }
}

/// Joins the workspace of the code. A member keeps their role, and the call does not count as a use.
///
/// # Errors
/// `RATE_LIMITED`, which counts failures too; `NOT_FOUND` for a code that never existed or was replaced;
/// `INVITE_UNUSABLE` for a code that has expired, is used up or disabled, and for someone who was
/// removed and not invited again; `LIMIT_REACHED` if there is no seat; `UNAUTHENTICATED` for someone who
/// has deleted their account meanwhile.
pub async fn join(
    app: &App,
    viewer: &Viewer,
    code: &str,
) -> Result<(VisibleWorkspace, WorkspaceMember)> {
    count_try(app, viewer).await?;
    let code = Code::parse(code).map_err(|_| Error::not_found())?;
    app.db
        .transaction(async |tx| join_in(tx, app, viewer, &code).await)
        .await
}

/// Counts the attempt in its own transaction, so that it stays counted if joining is refused.
async fn count_try(app: &App, viewer: &Viewer) -> Result<()> {
    let rule = Rule {
        name: "joins",
        limit: app.config.limits.joins_per_15_minutes,
        window: TimeDelta::minutes(15),
    };
    app.db
        .transaction(async |tx| {
            user::lock_row(tx, viewer.id()).await?;
            rate_limit::hit(tx, app, &rule, viewer.id(), app.now()).await
        })
        .await
}

async fn join_in(
    tx: &mut Transaction,
    app: &App,
    viewer: &Viewer,
    code: &Code,
) -> Result<(VisibleWorkspace, WorkspaceMember)> {
    let now = app.now();
    // Keeps the account from being deleted meanwhile: what that deletes, and who gets what is left,
    // depends on the memberships that exist.
    user::lock_row(tx, viewer.id()).await?;
    let (organization, code) = locked(tx, code).await?.ok_or_else(Error::not_found)?;
    let (organization_id, workspace) = (organization.id, code.workspace_id);
    let member = match workspace::membership(tx, workspace, viewer.id()).await? {
        Some(member) => member,
        None => {
            if !code.is_usable(now)
                || removal::stands(tx, organization_id, workspace, viewer.id()).await?
            {
                let message = "The join code can no longer be used.";
                return Err(Error::Refused(ErrorCode::InviteUnusable, message.into()));
            }
            quota::check_seat(tx, app.plan(&organization.plan_key), workspace, now).await?;
            admit(tx, viewer, organization_id, &code, now).await?
        }
    };
    let visible = workspace::visible(tx, viewer.id(), &[workspace], now)
        .await?
        .pop();
    Ok((visible.ok_or_else(Error::not_found)?, member))
}

/// Returns the code with its workspace's organization, if the code exists and the workspace is live.
/// Locks the rows of both, so that uses and seats are counted one join at a time.
async fn locked(tx: &mut Transaction, code: &Code) -> Result<Option<(Organization, JoinCode)>> {
    let of_code = join_codes::code.eq(code.as_str());
    let found: Option<(OrganizationId, WorkspaceId)> = run!(
        tx,
        join_codes::table
            .inner_join(workspaces::table.on(workspaces::id.eq(join_codes::workspace_id)))
            .filter(of_code)
            .select((workspaces::organization_id, workspaces::id))
            .first(tx)
            .await
            .optional()
    )?;
    let Some((organization, workspace)) = found else {
        return Ok(None);
    };
    let organization = organizations::table
        .find(organization)
        .select(organizations::id);
    run!(
        tx,
        lock(organization)
            .get_result::<OrganizationId>(tx)
            .await
            .optional()
    )?;
    let workspace = workspaces::table.find(workspace).select(workspaces::id);
    run!(
        tx,
        lock(workspace)
            .get_result::<WorkspaceId>(tx)
            .await
            .optional()
    )?;
    Ok(run!(
        tx,
        join_codes::table
            .inner_join(workspaces::table.on(workspaces::id.eq(join_codes::workspace_id)))
            .inner_join(organizations::table.on(organizations::id.eq(workspaces::organization_id)))
            .filter(of_code)
            .filter(
                workspaces::deleted_at
                    .is_null()
                    .and(organizations::deleted_at.is_null())
            )
            .select((Organization::as_select(), JoinCode::as_select()))
            .first(tx)
            .await
            .optional()
    )?)
}

async fn admit(
    tx: &mut Transaction,
    viewer: &Viewer,
    organization: OrganizationId,
    code: &JoinCode,
    now: Instant,
) -> Result<WorkspaceMember> {
    let (workspace, user) = (code.workspace_id, viewer.id());
    let colleague = organization::membership(tx, organization, user).await?;
    if colleague.is_none() {
        let role = OrganizationRole::Member;
        let member = organization::add_member(tx, organization, user, role, now).await?;
        let event = member.event(EventKind::OrganizationMemberAdded);
        event::record(tx, viewer, now, event).await?;
    }
    let member = workspace::add_member(tx, organization, workspace, user, code.role, now).await?;
    let uses = join_codes::uses.eq(join_codes::uses + 1);
    run!(
        tx,
        diesel::update(join_codes::table.find(workspace))
            .set(uses)
            .execute(tx)
            .await
    )?;
    let event = member.event(EventKind::WorkspaceMemberAdded);
    event::record(tx, viewer, now, event).await?;
    Ok(member)
}
