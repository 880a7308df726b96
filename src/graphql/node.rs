//! Objects by id.

use async_graphql::{Context, ID, Interface, Object, Result};
use futures_util::future::join_all;

use super::answer::Answer;
use super::api_token::ApiToken;
use super::check::{Check, Checked};
use super::context::ContextExt;
use super::error::{Nullable, nullable};
use super::event::Event;
use super::id::RawId;
use super::invitation::Invitation;
use super::organization::{Organization, OrganizationMember};
use super::prompt::Prompt;
use super::run::Run;
use super::user::User;
use super::workspace::{Workspace, WorkspaceMember};
use crate::error::Error;
use crate::id::AnyId;

/// An object with a globally unique id. An id is a short type prefix, an underscore and 26 base32
/// characters, such as `ws_01jv9k6rm5e2qscx1y2p9r8z4d` (the TypeID format over UUIDv7), so that a
/// log line or a URL tells what it names and ids sort by creation time. Prefixes: user, org, ws, inv,
/// omem, wmem, prompt, run, answer, tok, file, event.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID", desc = "The globally unique id."))]
pub enum Node {
    User(User),
    Organization(Organization),
    Workspace(Workspace),
    OrganizationMember(OrganizationMember),
    WorkspaceMember(WorkspaceMember),
    Invitation(Invitation),
    Prompt(Prompt),
    Run(Run),
    Answer(Answer),
    Event(Event),
    ApiToken(ApiToken),
}

/// Returns the object, if it exists and the viewer may see it.
pub async fn load(ctx: &Context<'_>, id: AnyId) -> Nullable<Node> {
    match id {
        AnyId::User(id) => ctx.find(id, |row| User(row).into()).await,
        AnyId::Organization(id) => ctx.find(id, |row| Organization(row).into()).await,
        AnyId::Workspace(id) => ctx.find(id, |row| Workspace(row).into()).await,
        AnyId::Invitation(id) => ctx.find(id, |row| Invitation(row).into()).await,
        AnyId::OrganizationMember(id) => {
            ctx.find(id, |row| OrganizationMember::from(row).into())
                .await
        }
        AnyId::WorkspaceMember(id) => ctx.find(id, |row| WorkspaceMember::from(row).into()).await,
        AnyId::Prompt(id) => ctx.find(id, |row| Prompt(row).into()).await,
        AnyId::Run(id) => ctx.find(id, |row| Run(row).into()).await,
        AnyId::Answer(id) => ctx.find(id, |row| Answer(row).into()).await,
        AnyId::ApiToken(id) => ctx.find(id, |row| ApiToken(row).into()).await,
        AnyId::Event(id) => ctx.find(id, |row| Event(row).into()).await,
        // Files are not objects of the API: they are only seen as the icons of workspaces.
        AnyId::File(_) => None,
    }
}

/// Like [`load`], but without deleted workspaces, which are looked up elsewhere.
async fn load_live(ctx: &Context<'_>, id: AnyId) -> Nullable<Node> {
    let found = load(ctx, id).await;
    found.filter(|found| !matches!(found, Ok(Node::Workspace(it)) if it.is_deleted()))
}

/// The maximum number of ids in one request for nodes.
const MOST: usize = 100;

/// Queries by id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object that the viewer may see, by its id.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of an object of any type that implements `Node`.")] id: RawId,
    ) -> Nullable<Node> {
        let node = async {
            ctx.viewer()?;
            load_live(ctx, id.only("id")?).await.transpose()
        };
        nullable(node.await)
    }

    /// As `node`, for up to 100 ids at once, in their order; `null` where there is none.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Up to 100 ids of objects of any types that implement `Node`.")] ids: Vec<
            RawId,
        >,
    ) -> Result<Vec<Option<Node>>> {
        ctx.viewer()?;
        if ids.len() > MOST {
            return Err(Error::invalid("ids", "must be at most 100").into());
        }
        let mut check = Check::default();
        let ids = ids.iter().enumerate();
        let ids = ids
            .map(|(index, id)| check.id(&format!("ids.{index}"), id))
            .collect::<Checked<Vec<_>>>();
        join_all(check.done(ids)?.into_iter().map(|id| load_live(ctx, id)))
            .await
            .into_iter()
            .map(Option::transpose)
            .collect()
    }
}
