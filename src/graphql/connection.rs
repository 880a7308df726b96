//! Pages, by the Relay cursor connections specification.
//!
//! <https://relay.dev/graphql/connections.htm>

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::{Context, Object, ObjectType, Result, SimpleObject, TypeName};

use super::check::Check;
use super::context::ContextExt;
use super::loader::PageOf;
use super::resolve::{Many, One};
use crate::db::page::{List, Listing, PageRequest, Position, Wanted};
use crate::error::Error;
use crate::id::Id;
use crate::models::values::Invalid;

/// The number of rows in a page unless a size is given.
const DEFAULT_SIZE: u16 = 20;
/// The maximum number of rows in a page.
const MAX_SIZE: i32 = 100;
/// The maximum number of rows to skip.
const MAX_OFFSET: i32 = 10_000;

/// The arguments of a paged field, as the client sent them.
#[derive(Default)]
pub struct PageArgs {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
    pub offset: Option<i32>,
    /// Checks of the field's other arguments.
    pub check: Check,
}

impl PageArgs {
    /// The four arguments that every paged field has.
    pub fn new(
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Self {
        Self {
            first,
            after,
            last,
            before,
            offset: None,
            check: Check::default(),
        }
    }

    /// Adds arguments that were checked already: the field is refused if anything is wrong with
    /// either.
    pub fn beside(self, check: Check) -> Self {
        Self { check, ..self }
    }

    /// Returns the page that the arguments ask for, of the list whose cursors have that name.
    ///
    /// # Errors
    /// `INVALID_INPUT` with everything that is wrong.
    fn request(self, cursor_name: impl Fn() -> String) -> Result<PageRequest, Error> {
        let mut check = self.check;
        for (field, size) in [("first", self.first), ("last", self.last)] {
            if size.is_some_and(|size| !(1..=MAX_SIZE).contains(&size)) {
                check.refuse(field, "must be 1 to 100");
            }
        }
        if self.first.is_some() && self.last.is_some() {
            check.refuse("last", "cannot be combined with `first`");
        }
        if let Some(offset) = self.offset {
            if !(0..=MAX_OFFSET).contains(&offset) {
                check.refuse("offset", "must be 0 to 10,000");
            }
            if self.last.is_some() {
                check.refuse("offset", "cannot be combined with `last`");
            }
        }
        let position = |cursor: &str| {
            let position = Position::of_cursor(cursor, &cursor_name());
            position.map_err(|bad| Invalid(bad.to_string().into()))
        };
        let after = check.optional("after", &self.after, position);
        let before = check.optional("before", &self.before, position);
        let (after, before) = check.done((after, before))?;
        // All of these fit into `u16` by now.
        let narrow = |number: i32| u16::try_from(number).unwrap_or(DEFAULT_SIZE);
        Ok(PageRequest {
            size: self.first.or(self.last).map_or(DEFAULT_SIZE, narrow),
            from_end: self.last.is_some(),
            after,
            before,
            offset: self.offset.map_or(0, narrow),
        })
    }
}

/// A page of a list.
pub struct Connection<T> {
    edges: Vec<Edge<T>>,
    page_info: PageInfo,
    total: i64,
}

/// A row of a page.
pub struct Edge<T> {
    list: Arc<str>,
    position: Position,
    node: T,
}

impl<T> Edge<T> {
    fn cursor_text(&self) -> String {
        self.position.cursor(&self.list)
    }
}

/// The position of a page in its list.
#[derive(SimpleObject, Clone)]
pub struct PageInfo {
    /// Whether there are rows before the page.
    has_previous_page: bool,
    /// Whether there are rows after the page.
    has_next_page: bool,
    /// The cursor of the first row; `null` if the page is empty.
    start_cursor: Option<String>,
    /// The cursor of the last row; `null` if the page is empty.
    end_cursor: Option<String>,
}

impl<T> Connection<T> {
    /// Wraps a page that has been read.
    pub fn new<L: List>(
        list: &L,
        parent: Id<L::Parent>,
        listing: Listing<L::Row>,
        node: impl Fn(L::Row) -> T,
    ) -> Self {
        let name: Arc<str> = list.cursor_name(parent).into();
        let edge = |row| Edge {
            list: name.clone(),
            position: list.position(&row),
            node: node(row),
        };
        let edges: Vec<_> = listing.rows.into_iter().map(edge).collect();
        let page_info = PageInfo {
            has_previous_page: listing.has_previous,
            has_next_page: listing.has_next,
            start_cursor: edges.first().map(Edge::cursor_text),
            end_cursor: edges.last().map(Edge::cursor_text),
        };
        Self {
            edges,
            page_info,
            total: listing.total,
        }
    }

    /// Loads a page of a list in a parent object, together with those of the parent's siblings.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `INVALID_INPUT` for the field's arguments.
    pub async fn load<L>(
        ctx: &Context<'_>,
        list: L,
        parent: Id<L::Parent>,
        args: PageArgs,
        node: impl Fn(L::Row) -> T,
    ) -> Result<Self>
    where
        L: List + Clone + Eq + std::hash::Hash + 'static,
        L::Row: Clone + Sync + 'static,
    {
        // Boxed, because every object with such a list would otherwise reserve room for this
        // future.
        Box::pin(async move {
            let request = args.request(|| list.cursor_name(parent))?;
            let wanted = wanted(ctx, &request);
            let key = PageOf {
                list: list.clone(),
                parent,
                request,
                wanted,
            };
            let listing = ctx.load(key).await?;
            let listing = listing.map_or_else(Listing::empty, |listing| (*listing).clone());
            Ok(Self::new(&list, parent, listing, node))
        })
        .await
    }

    /// Loads a page of a list of the viewer's own.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `INVALID_INPUT` for the field's arguments.
    pub async fn of_viewer<L>(
        ctx: &Context<'_>,
        list: L,
        args: PageArgs,
        node: impl Fn(L::Row) -> T,
    ) -> Result<Self>
    where
        L: List<Parent = crate::id::kind::User>,
    {
        let viewer = ctx.viewer_id()?;
        let request = args.request(|| list.cursor_name(viewer))?;
        let wanted = wanted(ctx, &request);
        let parents = [viewer];
        let mut conn = ctx.app().db.read().await?;
        // Boxed, because it is large and would otherwise be part of every query.
        let pages = Box::pin(list.pages(&mut conn, viewer, &parents, &request, wanted));
        let mut pages = pages.await?;
        let listing = pages.remove(&viewer).unwrap_or_else(Listing::empty);
        Ok(Self::new(&list, viewer, listing, node))
    }
}

/// Returns what is selected of the page beyond its rows.
fn wanted(ctx: &Context<'_>, request: &PageRequest) -> Wanted {
    let selected = ctx.look_ahead();
    let (behind, ahead) = if request.from_end {
        ("hasNextPage", "hasPreviousPage")
    } else {
        ("hasPreviousPage", "hasNextPage")
    };
    Wanted {
        total: selected.field("totalCount").exists(),
        left_out: selected.field("pageInfo").field(behind).exists(),
        more: selected.field("pageInfo").field(ahead).exists(),
    }
}

impl<T: ObjectType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<T: ObjectType> Connection<T> {
    /// The rows, each with its cursor.
    fn edges(&self) -> Many<&Edge<T>> {
        self.edges.iter().collect()
    }

    /// The rows, without their cursors.
    fn nodes(&self) -> Many<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// The page's position in its list.
    fn page_info(&self) -> One<&PageInfo> {
        One(&self.page_info)
    }

    /// The number of rows in the whole list. Counted only when it is selected.
    fn total_count(&self) -> i64 {
        self.total
    }
}

impl<T: ObjectType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

/// A row of a page, with its cursor.
#[Object(name_type)]
impl<T: ObjectType> Edge<T> {
    /// The row.
    fn node(&self) -> One<&T> {
        One(&self.node)
    }

    /// The row's position in the list, to pass as `after` or `before`.
    fn cursor(&self) -> String {
        self.cursor_text()
    }
}
