//! Subscriptions. A resolver parses its arguments and opens one stream of the models, each item of
//! which is then executed like a request.

use async_graphql::{Context, Result, Subscription as Object};
use futures_util::stream::{self, Stream};

use super::context::{ContextExt, items};
use super::event::Event;
use super::id::RawId;
use super::run::Run;
use crate::models::event::Feed;
use crate::models::run::Follow;

/// The subscription root: everything that can be followed. A subscription selects one of these
/// fields, and ends once the viewer may no longer see what it follows.
pub struct Subscription;

/// The subscription root: everything that can be followed. A subscription selects one of these
/// fields, and ends once the viewer may no longer see what it follows.
#[Object]
impl Subscription {
    /// The run as it is now, then again each time it changes, until it ends. Changes that arrive
    /// faster than they are read are merged into one. Requires WORKSPACE_VIEW.
    async fn run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run to follow.")] id: RawId,
    ) -> Result<impl Stream<Item = Run>> {
        let viewer = ctx.viewer()?;
        let id = id.only("id")?;
        let follow = Follow::open(ctx.app(), viewer, id).await?;
        let runs = stream::unfold(follow, |mut follow| async {
            Some((Run(follow.next().await?), follow))
        });
        Ok(items(ctx, runs))
    }

    /// The events of a workspace from now on, each once, ordered by id as far as possible. Requires
    /// WORKSPACE_MANAGE, and ends when the viewer loses it.
    async fn workspace_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The workspace to follow.")] workspace_id: RawId,
    ) -> Result<impl Stream<Item = Event>> {
        let viewer = ctx.viewer()?;
        let id = workspace_id.only("workspaceId")?;
        let feed = Feed::open(ctx.app(), viewer, id, ctx.now()).await?;
        let events = stream::unfold(feed, |mut feed| async {
            Some((Event(feed.next().await?), feed))
        });
        Ok(items(ctx, events))
    }
}
