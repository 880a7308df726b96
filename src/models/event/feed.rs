//! Following the events of a workspace.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use tokio::time::{Instant as Moment, sleep};
use uuid::{Builder, Uuid};

use super::{Event, EventKind};
use crate::access::scope::workspace::Manage;
use crate::access::visible::{may_manage, may_own, workspaces_of_viewer};
use crate::app::App;
use crate::auth::Viewer;
use crate::db::types::Instant;
use crate::db::{Connection, Listener, Topic};
use crate::error::Result;
use crate::id::{EventId, UserId, WorkspaceId};
use crate::run;
use crate::schema::{events, workspaces};

/// How long after its id's time an event may still turn up, as ids sort by creation, not by commit.
/// Covers the longest transaction and the clock skew between instances.
const LOOK_BACK: Duration = Duration::from_secs(60);
/// The same for nearly all events. Most looks go back no further, so that their cost does not grow with what
/// has happened in the last minute.
const LOOK_NEAR: Duration = Duration::from_secs(2);
/// How many new events one look takes at most.
const BATCH: usize = 100;
/// How many delivered events are remembered. Beyond that, [`LOOK_BACK`] gets shorter.
const REMEMBERED: usize = 10_000;

/// The events of a workspace from some time on, each delivered once. They come in order of id as far as
/// possible: an event of a long transaction comes after younger ones.
///
/// Only ids wait in memory: a slow consumer gets its events later.
pub struct Feed {
    app: App,
    viewer: UserId,
    workspace: WorkspaceId,
    listener: Listener,
    /// Changes in the organization may take away the viewer's permission in the workspace.
    organization: Listener,
    /// Every event up to here has been delivered, or never will be.
    horizon: EventId,
    /// The same, but for events that turn up late. Not before the horizon.
    near: EventId,
    /// When everything beyond the horizon was last looked through; `None` before the first time.
    looked_back: Option<Moment>,
    /// Whether the last look left events for the next one.
    is_behind: bool,
    /// The events beyond the horizon that have been delivered, are waiting, or were there before.
    seen: BTreeSet<EventId>,
    waiting: VecDeque<EventId>,
    /// When the viewer was last known to be allowed to follow the workspace; `None` if that may have
    /// changed.
    checked: Option<Moment>,
    is_ending: bool,
}

impl Feed {
    /// Opens a feed of the events that happen in the workspace after `since`.
    ///
    /// # Errors
    /// As [`Viewer::workspace`] with `WORKSPACE_MANAGE`.
    pub async fn open(
        app: &App,
        viewer: &Viewer,
        workspace: WorkspaceId,
        since: Instant,
    ) -> Result<Self> {
        let listener = app.db.listen(Topic::Workspace(workspace));
        let mut conn = app.db.read().await?;
        let scope = viewer
            .workspace_to_read::<Manage>(&mut conn, workspace)
            .await?;
        let organization = scope.visible().workspace.organization_id;
        let organization = app.db.listen(Topic::Organization(organization));
        let horizon = first_id(since, LOOK_BACK);
        let before = before(&mut conn, workspace, horizon, since).await?;
        drop(conn);
        let mut feed = Self {
            app: app.clone(),
            viewer: viewer.id(),
            workspace,
            listener,
            organization,
            horizon,
            near: horizon,
            looked_back: None,
            is_behind: false,
            seen: before.into_iter().collect(),
            waiting: VecDeque::new(),
            checked: Some(Moment::now()),
            is_ending: false,
        };
        // Events since then were announced before anybody listened.
        feed.look().await?;
        Ok(feed)
    }

    /// Waits for the next event that the viewer may see. Returns `None` once there will be no more: the
    /// viewer may not manage the workspace any more, or it is deleted, which its owners learn from the
    /// last event.
    ///
    /// While the database cannot be reached, it keeps trying.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            let outcome = match self.deliver().await {
                Ok(Some(event)) => return Some(event),
                Ok(None) if self.is_ending => return None,
                Ok(None) if self.is_behind => self.look().await,
                Ok(None) => {
                    tokio::select! {
                        () = self.listener.changed() => {}
                        () = self.organization.changed() => self.checked = None,
                        () = sleep(self.app.pace.look) => {}
                    }
                    self.check_and_look().await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::warn!(
                    error = error.details(),
                    "the events of a workspace could not be read"
                );
                sleep(self.app.pace.look).await;
            }
        }
    }

    /// Returns the first waiting event that the viewer may see.
    async fn deliver(&mut self) -> Result<Option<Event>> {
        while let Some(id) = self.waiting.front() {
            let mut conn = self.app.db.read().await?;
            let event = visible_in(&mut conn, self.viewer, self.workspace, *id).await?;
            if event.is_none() && !may_follow(&mut conn, self.viewer, self.workspace).await? {
                self.is_ending = true;
                self.waiting.clear();
                break;
            }
            self.waiting.pop_front();
            if let Some(event) = event {
                if event.kind == EventKind::WorkspaceDeleted {
                    self.is_ending = true;
                    self.waiting.clear();
                }
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    async fn check_and_look(&mut self) -> Result<()> {
        let pace = self.app.pace.check;
        if self.checked.is_none_or(|checked| checked.elapsed() >= pace) {
            let mut conn = self.app.db.read().await?;
            self.is_ending = !may_follow(&mut conn, self.viewer, self.workspace).await?;
            self.checked = Some(Moment::now());
        }
        // Even if it is ending: the last event may be that the workspace was deleted.
        self.look().await
    }

    /// Queues new events for delivery. Now and then it looks for those that turn up late as well.
    async fn look(&mut self) -> Result<()> {
        if !self.waiting.is_empty() {
            return Ok(());
        }
        let now = self.app.now();
        let pace = self.app.pace.look;
        let is_far = self.looked_back.is_none_or(|last| last.elapsed() >= pace);
        let from = if is_far { self.horizon } else { self.near };
        let limit = self.seen.range(from..).count() + BATCH;
        let mut conn = self.app.db.read().await?;
        let found = after(&mut conn, self.workspace, from, limit).await?;
        let is_all = found.len() < limit;
        self.is_behind = !is_all;
        let new = found.into_iter().filter(|id| self.seen.insert(*id));
        self.waiting.extend(new);
        if is_all && is_far {
            self.looked_back = Some(Moment::now());
            self.horizon = self.horizon.max(first_id(now, LOOK_BACK));
        }
        if is_all {
            self.near = self.near.max(first_id(now, LOOK_NEAR));
        }
        if let Some(least) = self.seen.iter().rev().nth(REMEMBERED) {
            self.horizon = self.horizon.max(*least);
        }
        self.near = self.near.max(self.horizon);
        self.seen = self.seen.split_off(&self.horizon);
        Ok(())
    }
}

/// The smallest id that an event created that long before `now` can have.
fn first_id(now: Instant, before: Duration) -> EventId {
    let millis = now.to_utc().timestamp_millis();
    let before = i64::try_from(before.as_millis()).unwrap_or(i64::MAX);
    // An id cannot hold a time before 1970.
    let millis = u64::try_from(millis.saturating_sub(before)).unwrap_or(0);
    let uuid: Uuid = Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    EventId::from_uuid(uuid)
}

/// Returns the events beyond `horizon` that had happened by `since`.
async fn before(
    conn: &mut Connection,
    workspace: WorkspaceId,
    horizon: EventId,
    since: Instant,
) -> Result<Vec<EventId>> {
    Ok(run!(
        conn,
        events::table
            .filter(events::workspace_id.eq(workspace))
            .filter(events::id.gt(horizon).and(events::created_at.le(since)))
            .select(events::id)
            .load(conn)
            .await
    )?)
}

/// Returns the first `limit` events beyond `horizon`.
async fn after(
    conn: &mut Connection,
    workspace: WorkspaceId,
    horizon: EventId,
    limit: usize,
) -> Result<Vec<EventId>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(run!(
        conn,
        events::table
            .filter(events::workspace_id.eq(workspace))
            .filter(events::id.gt(horizon))
            .order_by(events::id)
            .limit(limit)
            .select(events::id)
            .load(conn)
            .await
    )?)
}

/// Returns the event if the viewer may manage its workspace or, once that is deleted, restore it.
async fn visible_in(
    conn: &mut Connection,
    viewer: UserId,
    workspace: WorkspaceId,
    id: EventId,
) -> Result<Option<Event>> {
    let live = workspaces::deleted_at.is_null();
    let own = workspaces_of_viewer(viewer)
        .filter(workspaces::id.eq(workspace))
        .filter(live.and(may_manage()).or(may_own()))
        .select(workspaces::id);
    Ok(run!(
        conn,
        events::table
            .find(id)
            .filter(exists(own))
            .select(Event::as_select())
            .first(conn)
            .await
            .optional()
    )?)
}

async fn may_follow(conn: &mut Connection, viewer: UserId, workspace: WorkspaceId) -> Result<bool> {
    let found: Option<WorkspaceId> = run!(
        conn,
        workspaces_of_viewer(viewer)
            .filter(workspaces::id.eq(workspace))
            .filter(workspaces::deleted_at.is_null().and(may_manage()))
            .select(workspaces::id)
            .first(conn)
            .await
            .optional()
    )?;
    Ok(found.is_some())
}
