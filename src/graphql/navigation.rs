//! What an application shell needs to draw its switcher.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::context::ContextExt;
use super::id::RawId;
use super::invitation::Invitation;
use super::organization::Organization;
use super::resolve::{Many, One};
use super::user::User;
use super::workspace::Workspace;
use crate::models::navigation::{self, Navigation};
use crate::models::user;

/// What an application shell needs to draw its switcher, in one request.
#[derive(SimpleObject)]
pub struct NavigationState {
    /// The user who makes the request.
    viewer: One<User>,
    /// The organization of the current workspace, otherwise the first by name; `null` if the viewer
    /// belongs to no organization yet.
    current_organization: Option<One<Organization>>,
    /// The workspace selected last if it is still visible, otherwise the first by name; `null` if
    /// the viewer can see none.
    current_workspace: Option<One<Workspace>>,
    /// The first 500 organizations that the viewer belongs to, by name.
    organizations: Many<Organization>,
    /// Whether the viewer belongs to more than those 500 organizations.
    has_more_organizations: bool,
    /// The first 500 live workspaces that the viewer may see, by name.
    workspaces: Many<Workspace>,
    /// Whether the viewer may see more than those 500 workspaces.
    has_more_workspaces: bool,
    /// The newest 100 pending invitations to the viewer's verified email address, newest first.
    invitations: Many<Invitation>,
}

impl NavigationState {
    fn new(viewer: user::User, navigation: Navigation) -> Self {
        Self {
            viewer: One(User(viewer)),
            current_organization: navigation.current_organization.map(Organization).map(One),
            current_workspace: navigation.current_workspace.map(Workspace).map(One),
            organizations: all(navigation.organizations, Organization),
            has_more_organizations: navigation.has_more_organizations,
            workspaces: all(navigation.workspaces, Workspace),
            has_more_workspaces: navigation.has_more_workspaces,
            invitations: all(navigation.invitations, Invitation),
        }
    }
}

fn all<R, T>(rows: Vec<R>, object: impl Fn(R) -> T) -> Many<T> {
    rows.into_iter().map(object).collect()
}

/// Queries for navigation.
#[derive(Default)]
pub struct NavigationQuery;

#[Object]
impl NavigationQuery {
    /// What an application shell needs to draw its switcher, in one request.
    async fn navigation_state(&self, ctx: &Context<'_>) -> Result<One<NavigationState>> {
        let viewer = ctx.viewer()?.user.clone();
        // Boxed, because it is large and would otherwise be part of every query.
        let navigation = Box::pin(navigation::load(&ctx.app().db, &viewer, ctx.now())).await?;
        Ok(One(NavigationState::new(viewer, navigation)))
    }
}

/// Input of `selectWorkspace`.
#[derive(InputObject)]
struct SelectWorkspaceInput {
    /// The workspace to make the current one.
    workspace_id: RawId,
}

/// Payload of `selectWorkspace`.
#[derive(SimpleObject)]
struct SelectWorkspacePayload {
    /// What an application shell needs to redraw its switcher.
    navigation_state: One<NavigationState>,
}

/// Mutations on what is current.
#[derive(Default)]
pub struct NavigationMutation;

#[Object]
impl NavigationMutation {
    /// Makes a workspace the viewer's current one, and its organization the current organization.
    /// Requires WORKSPACE_VIEW.
    async fn select_workspace(
        &self,
        ctx: &Context<'_>,
        input: SelectWorkspaceInput,
    ) -> Result<SelectWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let id = input.workspace_id.only("workspaceId")?;
        let navigation = navigation::select(ctx.app(), viewer, id).await?;
        let navigation_state = NavigationState::new(viewer.user.clone(), navigation);
        Ok(SelectWorkspacePayload {
            navigation_state: One(navigation_state),
        })
    }
}
