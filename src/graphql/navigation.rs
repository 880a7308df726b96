//! What an application shell needs to draw its switcher.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::check::Check;
use super::context::ContextExt;
use super::id::RawId;
use super::invitation::Invitation;
use super::organization::Organization;
use super::user::User;
use super::workspace::Workspace;
use crate::models::navigation::{self, Navigation};
use crate::models::user;

/// What an application shell needs to draw its switcher, in one request.
pub struct NavigationState {
    viewer: user::User,
    navigation: Navigation,
}

/// What an application shell needs to draw its switcher, in one request.
#[Object]
impl NavigationState {
    /// The person who asks.
    async fn viewer(&self) -> User {
        User(self.viewer.clone())
    }

    /// `null` for someone who belongs to no organization yet.
    async fn current_organization(&self) -> Option<Organization> {
        self.navigation
            .current_organization
            .clone()
            .map(Organization)
    }

    /// The one selected last, if it is still visible; else the first by name.
    async fn current_workspace(&self) -> Option<Workspace> {
        self.navigation.current_workspace.clone().map(Workspace)
    }

    /// By name; the first 500.
    async fn organizations(&self) -> Vec<Organization> {
        self.navigation
            .organizations
            .iter()
            .cloned()
            .map(Organization)
            .collect()
    }

    /// Whether there are more.
    async fn has_more_organizations(&self) -> bool {
        self.navigation.has_more_organizations
    }

    /// By name; the first 500.
    async fn workspaces(&self) -> Vec<Workspace> {
        self.navigation
            .workspaces
            .iter()
            .cloned()
            .map(Workspace)
            .collect()
    }

    /// Whether there are more.
    async fn has_more_workspaces(&self) -> bool {
        self.navigation.has_more_workspaces
    }

    /// Pending invitations for the viewer's verified email address, newest first; the first 100.
    async fn invitations(&self) -> Vec<Invitation> {
        self.navigation
            .invitations
            .iter()
            .cloned()
            .map(Invitation)
            .collect()
    }
}

/// What can be read for navigating.
#[derive(Default)]
pub struct NavigationQuery;

#[Object]
impl NavigationQuery {
    /// What an application shell needs to draw its switcher, in one request.
    async fn navigation_state(&self, ctx: &Context<'_>) -> Result<NavigationState> {
        let viewer = ctx.viewer()?.user.clone();
        let navigation =
            navigation::load(&mut ctx.app().db.read().await?, &viewer, ctx.now()).await?;
        Ok(NavigationState { viewer, navigation })
    }
}

#[derive(InputObject)]
struct SelectWorkspaceInput {
    workspace_id: RawId,
}

#[derive(SimpleObject)]
struct SelectWorkspacePayload {
    navigation_state: NavigationState,
}

/// What can be changed of what is current.
#[derive(Default)]
pub struct NavigationMutation;

#[Object]
impl NavigationMutation {
    /// Makes it the viewer's current workspace, and its organization the current one. Takes
    /// WORKSPACE_VIEW.
    async fn select_workspace(
        &self,
        ctx: &Context<'_>,
        input: SelectWorkspaceInput,
    ) -> Result<SelectWorkspacePayload> {
        let viewer = ctx.viewer()?;
        let mut check = Check::default();
        let id = check.id("workspaceId", &input.workspace_id);
        let id = check.done(id)?;
        let navigation = navigation::select(ctx.app(), viewer, id).await?;
        let navigation_state = NavigationState {
            viewer: viewer.user.clone(),
            navigation,
        };
        Ok(SelectWorkspacePayload { navigation_state })
    }
}
