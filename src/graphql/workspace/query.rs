//! What can be read of workspaces.

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

/// What a workspace is found by: exactly one of these.
#[derive(OneofObject)]
pub enum WorkspaceBy {
    /// Its id.
    Id(RawId),
    /// Its slug, or a former one that no other workspace has taken.
    Slug(String),
}

/// What workspaces can be ordered by.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "OrderField")]
pub enum WorkspaceOrderField {
    /// By name, regardless of case.
    Name,
    /// By when they were made.
    CreatedAt,
    /// By when they were last changed.
    UpdatedAt,
}

/// Whether a list begins with the least or with the greatest.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Direction")]
pub enum OrderDirection {
    /// From the least to the greatest.
    #[graphql(name = "ASC")]
    Ascending,
    /// From the greatest to the least.
    #[graphql(name = "DESC")]
    Descending,
}

/// How workspaces are ordered. The id breaks ties.
#[derive(InputObject, Clone, Copy)]
pub struct WorkspaceOrder {
    /// What they are ordered by.
    field: WorkspaceOrderField,
    /// Whether the least or the greatest comes first.
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

/// What can be read of workspaces.
#[derive(Default)]
pub struct WorkspaceQuery;

#[Object]
impl WorkspaceQuery {
    /// Workspaces that the viewer may see: in every organization, or in one. `offset` skips that
    /// many after the cursor, for numbered pages.
    #[allow(clippy::too_many_arguments, reason = "the arguments are the API's")]
    async fn workspaces(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only workspaces of this organization; of every organization unless given."
        )]
        organization_id: Option<RawId>,
        #[graphql(
            desc = "Only workspaces whose name or slug contains this text of up to 100 characters, in any case."
        )]
        search: Option<String>,
        #[graphql(
            default_with = "Some(WorkspaceStatus::Active)",
            desc = "Only live workspaces, or only deleted ones, which WORKSPACE_OWN lets see; `null` means both."
        )]
        status: Option<WorkspaceStatus>,
        #[graphql(
            default_with = "Some(WorkspaceOrder::default())",
            desc = "How they are ordered: by name unless given."
        )]
        order_by: Option<WorkspaceOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(
            desc = "How many rows to skip, after those that `after` skips: 0 to 10,000, 0 unless given. Not together with `last`."
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

    /// A workspace; `null` where there is none or the viewer may not see it.
    async fn workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id or its slug.")] by: WorkspaceBy,
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

/// Whether the page's workspaces are asked for their organizations.
fn selects_organizations(ctx: &Context<'_>) -> bool {
    let page = ctx.look_ahead();
    let nodes = [page.field("nodes"), page.field("edges").field("node")];
    nodes.iter().any(|node| {
        ["organization", "limits"]
            .iter()
            .any(|field| node.field(field).exists())
    })
}

/// The text that a list is searched for, if there is one and it can be.
pub fn search_argument(check: &mut Check, search: &Option<String>) -> Option<String> {
    check.optional("search", search, text::search).ok()??
}
