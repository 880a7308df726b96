//! Authorization as a type: a scope is obtained for a permission, and all code that touches tenant data
//! takes one.

use std::marker::PhantomData;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::permission::Permission;
use super::role::WorkspaceRole;
use super::visible::{visible_organizations, workspaces_of_viewer};
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock};
use crate::error::{Error, Result};
use crate::id::{OrganizationId, WorkspaceId};
use crate::models::organization::{Organization, VisibleOrganization};
use crate::models::workspace::{VisibleWorkspace, Workspace};
use crate::run;
use crate::schema::{organization_members, organizations, workspace_members, workspaces};

/// A permission as a type.
pub trait Level: Send + Sync + 'static {
    /// The permission as a value.
    const PERMISSION: Permission;
}

macro_rules! levels {
    ($($name:ident => $permission:ident),+ $(,)?) => {$(
        #[doc = concat!("[`Permission::", stringify!($permission), "`] as a type.")]
        pub struct $name;

        impl Level for $name {
            const PERMISSION: Permission = Permission::$permission;
        }
    )+};
}

/// Levels of access to an organization.
pub mod organization {
    use super::{Level, Permission};

    levels! {
        View => OrganizationView,
        Update => OrganizationUpdate,
        Delete => OrganizationDelete,
        ManageMembers => OrganizationManageMembers,
        CreateWorkspace => WorkspaceCreate,
    }
}

/// Levels of access to a workspace, from the lowest to the highest.
pub mod workspace {
    use super::{Level, Permission};

    levels! {
        View => WorkspaceView,
        Contribute => WorkspaceContribute,
        Manage => WorkspaceManage,
        Own => WorkspaceOwn,
    }
}

/// An organization in which the viewer has the permission `L`. Only [`Viewer::organization`] creates
/// one.
pub struct OrganizationScope<L> {
    organization: VisibleOrganization,
    level: PhantomData<fn() -> L>,
}

impl<L> OrganizationScope<L> {
    /// Returns the organization, with the viewer's role in it.
    pub fn visible(&self) -> &VisibleOrganization {
        &self.organization
    }

    /// Returns the organization's id.
    pub fn id(&self) -> OrganizationId {
        self.organization.organization.id
    }
}

/// A workspace in which the viewer has the permission `L`; a live one, unless made by
/// [`Viewer::deleted_workspace`]. Only [`Viewer::workspace`] and its variants create one.
pub struct WorkspaceScope<L> {
    workspace: VisibleWorkspace,
    role: WorkspaceRole,
    level: PhantomData<fn() -> L>,
}

impl<L> WorkspaceScope<L> {
    /// Returns the workspace, with the viewer's roles in it.
    pub fn visible(&self) -> &VisibleWorkspace {
        &self.workspace
    }

    /// Returns the workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace.workspace
    }

    /// Returns the workspace's id.
    pub fn id(&self) -> WorkspaceId {
        self.workspace.workspace.id
    }

    /// Returns the viewer's role in the workspace.
    pub fn role(&self) -> WorkspaceRole {
        self.role
    }

    /// Requires the permission `M`, which goes beyond `L`.
    ///
    /// # Errors
    /// `FORBIDDEN` if the viewer lacks it.
    pub fn require<M: Level>(&self) -> Result<()> {
        if self.role.may(M::PERMISSION) {
            Ok(())
        } else {
            Err(Error::forbidden(M::PERMISSION.as_str()))
        }
    }
}

impl<L: Level> WorkspaceScope<L> {
    /// Refuses a deleted workspace, and viewers who lack `L`.
    fn live(self) -> Result<Self> {
        if self.workspace().deleted_at.is_some() {
            return Err(if self.role.may(Permission::WorkspaceOwn) {
                Error::conflict("The workspace is deleted; restore it first.")
            } else {
                Error::not_found()
            });
        }
        self.require::<L>()?;
        Ok(self)
    }
}

impl Viewer {
    /// Returns the organization in order to change it, and locks its row until the transaction ends.
    ///
    /// # Errors
    /// `NOT_FOUND` if the viewer may not see it, `FORBIDDEN` if they lack `L`.
    pub async fn organization<L: Level>(
        &self,
        tx: &mut Transaction,
        id: OrganizationId,
    ) -> Result<OrganizationScope<L>> {
        let row = organizations::table.find(id).select(organizations::id);
        run!(
            tx,
            lock(row).get_result::<OrganizationId>(tx).await.optional()
        )?;
        let found: Option<(Organization, _)> = run!(
            tx,
            visible_organizations(self.id())
                .filter(organizations::id.eq(id))
                .select((Organization::as_select(), organization_members::role))
                .first(tx)
                .await
                .optional()
        )?;
        let (organization, role) = found.ok_or_else(Error::not_found)?;
        let organization = VisibleOrganization { organization, role };
        if organization.role.may(L::PERMISSION) {
            Ok(OrganizationScope {
                organization,
                level: PhantomData,
            })
        } else {
            Err(Error::forbidden(L::PERMISSION.as_str()))
        }
    }

    /// Returns the live workspace in order to change it, and locks its row until the transaction ends.
    ///
    /// # Errors
    /// `NOT_FOUND` if the viewer may not see it, `CONFLICT` if it is deleted and they could restore it,
    /// `FORBIDDEN` if they lack `L`.
    pub async fn workspace<L: Level>(
        &self,
        tx: &mut Transaction,
        id: WorkspaceId,
    ) -> Result<WorkspaceScope<L>> {
        self.locked_workspace(tx, id).await?.live()
    }

    /// Returns the deleted workspace in order to restore it, and locks its row until the transaction
    /// ends.
    ///
    /// # Errors
    /// `NOT_FOUND` if the viewer may not see it or it can no longer be restored at `now`, `CONFLICT` if
    /// it is not deleted, `FORBIDDEN` if it is not deleted and the viewer does not own it.
    pub async fn deleted_workspace(
        &self,
        tx: &mut Transaction,
        id: WorkspaceId,
        now: impl FnOnce() -> Instant,
    ) -> Result<WorkspaceScope<workspace::Own>> {
        let scope = self.locked_workspace::<workspace::Own>(tx, id).await?;
        // Waiting for the lock may have taken a while, so the time is read only now.
        if scope.workspace().is_gone(now()) {
            return Err(Error::not_found());
        }
        match (
            scope.workspace().deleted_at,
            scope.require::<workspace::Own>(),
        ) {
            (Some(_), Ok(())) => Ok(scope),
            (Some(_), Err(_)) => Err(Error::not_found()),
            (None, Ok(())) => Err(Error::conflict("The workspace is not deleted.")),
            (None, Err(forbidden)) => Err(forbidden),
        }
    }

    /// Returns the live workspace in order to read what requires `L`.
    ///
    /// # Errors
    /// As [`Viewer::workspace`].
    pub async fn workspace_to_read<L: Level>(
        &self,
        conn: &mut Connection,
        id: WorkspaceId,
    ) -> Result<WorkspaceScope<L>> {
        self.found_workspace(conn, id).await?.live()
    }

    async fn locked_workspace<L: Level>(
        &self,
        tx: &mut Transaction,
        id: WorkspaceId,
    ) -> Result<WorkspaceScope<L>> {
        let row = workspaces::table.find(id).select(workspaces::id);
        run!(tx, lock(row).get_result::<WorkspaceId>(tx).await.optional())?;
        self.found_workspace(tx, id).await
    }

    /// Finds the workspace, live or deleted but not yet gone, whatever the viewer may do there.
    async fn found_workspace<L: Level>(
        &self,
        conn: &mut Connection,
        id: WorkspaceId,
    ) -> Result<WorkspaceScope<L>> {
        let found: Option<(Workspace, _, _)> = run!(
            conn,
            workspaces_of_viewer(self.id())
                .filter(workspaces::id.eq(id))
                .select((
                    Workspace::as_select(),
                    organization_members::role,
                    workspace_members::role.nullable(),
                ))
                .first(conn)
                .await
                .optional()
        )?;
        let workspace = found
            .map(VisibleWorkspace::from)
            .filter(|visible| !visible.workspace.is_gone(self.at))
            .ok_or_else(Error::not_found)?;
        let role = workspace.role().ok_or_else(Error::not_found)?;
        Ok(WorkspaceScope {
            workspace,
            role,
            level: PhantomData,
        })
    }
}
