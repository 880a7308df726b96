//! The data behind an application shell's switcher, and the current workspace and organization.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::try_join3;

use crate::access::scope::workspace::View;
use crate::app::App;
use crate::auth::Viewer;
use crate::db::page::{Direction, List, Window};
use crate::db::types::Instant;
use crate::db::{Connection, Db};
use crate::error::Result;
use crate::id::{OrganizationId, WorkspaceId};
use crate::models::invitation::{self, NamedInvitation};
use crate::models::organization::{self, OrganizationBy, OrganizationList, VisibleOrganization};
use crate::models::user::{self, User};
use crate::models::workspace::{self, VisibleWorkspace, WorkspaceList};

/// Maximum number of organizations, and of workspaces, in a switcher.
const MOST: i64 = 500;
/// Maximum number of invitations in a switcher.
const MOST_INVITATIONS: i64 = 100;

/// The data that an application shell needs to draw its switcher.
#[derive(Clone, Debug)]
pub struct Navigation {
    /// The first 500 organizations by name.
    pub organizations: Vec<Arc<VisibleOrganization>>,
    /// Whether there are more organizations.
    pub has_more_organizations: bool,
    /// The first 500 workspaces by name, each with its organization if that is in `organizations`.
    pub workspaces: Vec<VisibleWorkspace>,
    /// Whether there are more workspaces.
    pub has_more_workspaces: bool,
    /// The workspace selected last if it is still visible, else the first by name.
    pub current_workspace: Option<VisibleWorkspace>,
    /// The current workspace's organization, else the first by name.
    pub current_organization: Option<Arc<VisibleOrganization>>,
    /// The invitations that the person can answer, newest first; at most 100.
    pub invitations: Vec<NamedInvitation>,
}

/// Loads the person's navigation state at `now`.
///
/// # Errors
/// Database errors only.
pub async fn load(db: &Db, user: &User, now: Instant) -> Result<Navigation> {
    let viewer = [user.id];
    let first = first(MOST + 1);
    // These do not depend on one another.
    let (organizations, workspaces, invitations) = try_join3(
        async {
            let mut conn = db.read().await?;
            OrganizationList
                .read(&mut conn, user.id, &viewer, &first)
                .await
        },
        async {
            let mut conn = db.read().await?;
            let list = WorkspaceList::BY_NAME;
            list.read(&mut conn, user.id, &viewer, &first).await
        },
        async {
            let mut conn = db.read().await?;
            invitation::answerable(&mut conn, user.id, now, MOST_INVITATIONS).await
        },
    )
    .await?;
    let (organizations, has_more_organizations) = cut(organizations);
    let organizations: Vec<_> = organizations.into_iter().map(Arc::new).collect();
    let (mut workspaces, has_more_workspaces) = cut(workspaces);
    let by_id: HashMap<_, _> = organizations
        .iter()
        .map(|visible| (visible.organization.id, visible))
        .collect();
    for visible in &mut workspaces {
        let organization = by_id.get(&visible.workspace.organization_id);
        visible.organization = organization.map(|&organization| organization.clone());
    }

    let mut current_workspace = workspaces.first().cloned();
    if let Some(selected) = user.current_workspace_id {
        let listed = workspaces
            .iter()
            .find(|visible| visible.workspace.id == selected)
            .cloned();
        let selected = match listed {
            None if has_more_workspaces => live(&mut db.read().await?, user, selected, now).await?,
            listed => listed,
        };
        current_workspace = selected.or(current_workspace);
    }
    let mut current_organization = organizations.first().cloned();
    if let Some(visible) = &current_workspace {
        let id = visible.workspace.organization_id;
        current_organization = match by_id.get(&id) {
            None => find_organization(&mut db.read().await?, user, id)
                .await?
                .map(Arc::new),
            Some(&listed) => Some(listed.clone()),
        };
    }
    Ok(Navigation {
        organizations,
        has_more_organizations,
        workspaces,
        has_more_workspaces,
        current_workspace,
        current_organization,
        invitations,
    })
}

/// Returns the organization of the person's current workspace, else their first by name.
///
/// # Errors
/// Database errors only.
pub(super) async fn current_organization(
    conn: &mut Connection,
    user: &User,
    now: Instant,
) -> Result<Option<VisibleOrganization>> {
    // As of now, not as of the start of the request.
    let selected = user::by_id(conn, user.id)
        .await?
        .and_then(|user| user.current_workspace_id);
    let mut current = match selected {
        Some(selected) => live(conn, user, selected, now).await?,
        None => None,
    };
    let first = first(1);
    if current.is_none() {
        let workspaces = WorkspaceList::BY_NAME
            .read(conn, user.id, &[user.id], &first)
            .await?;
        current = workspaces
            .into_iter()
            .next()
            .map(|(_, workspace)| workspace);
    }
    if let Some(visible) = current {
        return find_organization(conn, user, visible.workspace.organization_id).await;
    }
    let organizations = OrganizationList
        .read(conn, user.id, &[user.id], &first)
        .await?;
    Ok(organizations
        .into_iter()
        .next()
        .map(|(_, organization)| organization))
}

/// Makes a workspace the viewer's current one, and its organization the current organization.
///
/// # Errors
/// As [`Viewer::workspace`].
pub async fn select(app: &App, viewer: &Viewer, id: WorkspaceId) -> Result<Navigation> {
    app.db
        .transaction(async |tx| {
            // Not locked: the workspace does not change, and the user's row would have to be locked
            // before it.
            viewer.workspace_to_read::<View>(tx, id).await?;
            user::set_current_workspace(tx, viewer.id(), id).await
        })
        .await?;
    let mut user = viewer.user.clone();
    user.current_workspace_id = Some(id);
    load(&app.db, &user, app.now()).await
}

async fn live(
    conn: &mut Connection,
    user: &User,
    id: WorkspaceId,
    now: Instant,
) -> Result<Option<VisibleWorkspace>> {
    let found = workspace::visible(conn, user.id, &[id], now).await?;
    Ok(found
        .into_iter()
        .find(|visible| visible.workspace.deleted_at.is_none()))
}

async fn find_organization(
    conn: &mut Connection,
    user: &User,
    id: OrganizationId,
) -> Result<Option<VisibleOrganization>> {
    organization::find(conn, user.id, &OrganizationBy::Id(id)).await
}

/// The window of a list's first `limit` rows.
fn first(limit: i64) -> Window {
    Window {
        low: None,
        high: None,
        direction: Direction::Ascending,
        limit,
        offset: 0,
    }
}

fn cut<P, R>(rows: Vec<(P, R)>) -> (Vec<R>, bool) {
    let has_more = rows.len() > MOST as usize;
    (
        rows.into_iter()
            .take(MOST as usize)
            .map(|(_, row)| row)
            .collect(),
        has_more,
    )
}
