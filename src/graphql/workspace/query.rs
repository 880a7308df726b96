//! Queries about workspaces.

use async_graphql::{Context, Enum, InputObject, Object, OneofObject, Result};

use super::{Workspace, WorkspaceStatus};
use crate::db::page::Direction;
use crate::error::Error;
use crate::graphql::check::Check;
use crate::graphql::connection::{Connection, PageArgs};
use crate::graphql::context::ContextExt;
use crate::graphql::error::{Nullable, nullable};
use crate::graphql::id::RawId;
use crate::graphql::organization::normal_slug;
use crate::models::values::text;
use crate::models::workspace::{self, OrderField, WorkspaceList};

/// What to find a workspace by: exactly one of these.
#[derive(OneofObject)]
pub enum WorkspaceBy {
    /// The workspace's id.
    Id(RawId),
    /// The workspace's slug, or a former one that no other workspace has taken.
    Slug(String),
}

/// What workspaces can be ordered by.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "OrderField")]
pub enum WorkspaceOrderField {
    /// By name, regardless of case.
    Name,
    /// By time of creation.
    CreatedAt,
    /// By time of the last change.
    UpdatedAt,
}

/// The direction of an order.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Direction")]
pub enum OrderDirection {
    /// Ascending.
    #[graphql(name = "ASC")]
    Ascending,
    /// Descending.
    #[graphql(name = "DESC")]
    Descending,
}

/// The order of workspaces. Ties are broken by id.
#[derive(InputObject, Clone, Copy)]
pub struct WorkspaceOrder {
    /// What to order by.
    field: WorkspaceOrderField,
    /// The direction of the order.
    #[graphql(default_with = "OrderDirection::Ascending")]
    direction: OrderDirection,
}

impl Default for WorkspaceOrder {
    fn default() -> Self {
        Self {
            field: WorkspaceOrderField::Name,
            direction: OrderDirection::Ascending,
        }
    }
}

/// Queries about workspaces.
#[derive(Default)]
pub struct WorkspaceQuery;

#[Object]
impl WorkspaceQuery {
    /// Workspaces that the viewer may see: in every organization, or in one. `offset` skips that many
    /// rows after the cursor, for numbered pages.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn workspaces(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only workspaces of this organization; of every organization by default."
        )]
        organization_id: Option<RawId>,
        #[graphql(
            desc = "Only workspaces whose name or slug contains this text of up to 100 characters, regardless of case."
        )]
        search: Option<String>,
        #[graphql(
            default_with = "Some(WorkspaceStatus::Active)",
            desc = "Only live workspaces, or only deleted ones, which require WORKSPACE_OWN to be seen; `null` means both."
        )]
        status: Option<WorkspaceStatus>,
        #[graphql(
            default_with = "Some(WorkspaceOrder::default())",
            desc = "The order of the workspaces; by name by default."
        )]
        order_by: Option<WorkspaceOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            desc = "How many rows to skip after the cursor in `after`: 0 to 10,000; 0 by default. Cannot be combined with `last`."
        )]
        offset: Option<i32>,
    ) -> Result<Connection<Workspace>> {
        ctx.viewer()?;
        let mut check = Check::default();
        let organization = organization_id.and_then(|id| check.id("organizationId", &id).ok());
        let order = order_by.unwrap_or_default();
        let list = WorkspaceList {
            organization,
            search: search_argument(&mut check, &search),
            deleted: status.map(|status| status == WorkspaceStatus::Deleted),
            now: ctx.now(),
            field: order.field.into(),
            direction: order.direction.into(),
            with_organizations: selects_organizations(ctx),
        };
        let args = PageArgs {
            first,
            after,
            last,
            before,
            offset,
            check,
        };
        Connection::of_viewer(ctx, list, args, Workspace).await
    }

    /// A workspace; `null` if it does not exist or the viewer may not see it.
    async fn workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id or the slug of the workspace.")] by: WorkspaceBy,
    ) -> Nullable<Workspace> {
        let found = async {
            let viewer = ctx.viewer_id()?;
            let mut conn = ctx.app().db.read().await?;
            match by {
                WorkspaceBy::Id(id) => {
                    let ids = [id.only("by.id")?];
                    let now = ctx.now();
                    let mut found = workspace::visible(&mut conn, viewer, &ids, now).await?;
                    Ok::<_, Error>(found.pop())
                }
                WorkspaceBy::Slug(slug) => {
                    workspace::by_slug(&mut conn, viewer, &normal_slug(&slug)).await
                }
            }
        };
        nullable(found.await.map(|found| found.map(Workspace)))
    }
}

/// Checks whether the operation selects the organizations of the page's workspaces.
fn selects_organizations(ctx: &Context<'_>) -> bool {
    let page = ctx.look_ahead();
    let nodes = [page.field("nodes"), page.field("edges").field("node")];
    nodes.iter().any(|node| {
        ["organization", "limits"]
            .iter()
            .any(|field| node.field(field).exists())
    })
}

/// Returns the text to search a list for, if one is given and it is valid.
pub fn search_argument(check: &mut Check, search: &Option<String>) -> Option<String> {
    check.optional("search", search, text::search).ok()??
}
