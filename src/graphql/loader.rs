//! The loaders of one request: they load together what many objects ask for one by one. Every batch
//! is filtered by what the viewer may see, so that a key from elsewhere loads nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};

use super::context::Course;
use crate::app::App;
use crate::db::Connection;
use crate::db::page::{List, Listing, PageRequest, Wanted};
use crate::error::Error;
use crate::id::{
    AnswerId, ApiTokenId, EventId, Id, InvitationId, OrganizationId, OrganizationMemberId,
    PromptId, RunId, UserId, WorkspaceId, WorkspaceMemberId,
};
use crate::models::answer::{self, Answer};
use crate::models::api_token::{self, ApiToken};
use crate::models::event;
use crate::models::event::Event;
use crate::models::invitation::{self, NamedInvitation};
use crate::models::join_code::{self, JoinCode};
use crate::models::organization::{self, OrganizationMember, VisibleOrganization};
use crate::models::prompt::{self, Prompt};
use crate::models::quota;
use crate::models::run::{self, Run};
use crate::models::schedule::{self, Schedule};
use crate::models::user::{self, User};
use crate::models::visibility::{self, Span, Visibility};
use crate::models::workspace::{self, VisibleWorkspace, WorkspaceMember};

type Loaded<K, V> = Result<HashMap<K, V>, Arc<Error>>;

/// A key by which something is loaded.
pub trait Key: Send + Sized + 'static {
    /// The value that is loaded.
    type Value;

    /// Loads the value for this key, if the viewer may see it. An error is shared by all keys
    /// loaded in the same batch.
    fn load(
        self,
        loaders: &DataLoader<Loaders>,
    ) -> impl Future<Output = Result<Option<Self::Value>, Arc<Error>>> + Send;
}

impl<K> Key for K
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    Loaders: Loader<K, Error = Arc<Error>>,
{
    type Value = <Loaders as Loader<K>>::Value;

    fn load(
        self,
        loaders: &DataLoader<Loaders>,
    ) -> impl Future<Output = Result<Option<Self::Value>, Arc<Error>>> + Send {
        loaders.load_one(self)
    }
}

/// Loads what the viewer may see.
pub struct Loaders {
    app: App,
    course: Course,
    viewer: UserId,
}

impl Loaders {
    /// Creates the loaders for a request of the viewer.
    pub fn new(app: App, course: Course, viewer: UserId) -> Self {
        Self {
            app,
            course,
            viewer,
        }
    }

    /// Returns those of the keys' workspaces that the viewer may see.
    async fn visible<K>(
        &self,
        conn: &mut Connection,
        keys: &[K],
        workspace: impl Fn(&K) -> WorkspaceId,
    ) -> Result<Vec<WorkspaceId>, Error> {
        let ids: Vec<_> = keys.iter().map(workspace).collect();
        workspace::visible_ids(conn, self.viewer, &ids, self.course.now()).await
    }
}

/// Maps each value by its key.
fn keyed<K: Eq + Hash, V>(
    found: impl IntoIterator<Item = V>,
    key: impl Fn(&V) -> K,
) -> HashMap<K, V> {
    found
        .into_iter()
        .map(|value| (key(&value), value))
        .collect()
}

impl Loader<UserId> for Loaders {
    type Value = User;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[UserId]) -> Loaded<UserId, User> {
        let mut conn = self.app.db.read().await?;
        let found = user::visible(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |user| user.id))
    }
}

impl Loader<OrganizationId> for Loaders {
    type Value = Arc<VisibleOrganization>;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[OrganizationId]) -> Loaded<OrganizationId, Self::Value> {
        let mut conn = self.app.db.read().await?;
        let found = organization::visible(&mut conn, self.viewer, ids).await?;
        let found = found.into_iter().map(Arc::new);
        Ok(keyed(found, |visible| visible.organization.id))
    }
}

impl Loader<WorkspaceId> for Loaders {
    type Value = VisibleWorkspace;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[WorkspaceId]) -> Loaded<WorkspaceId, VisibleWorkspace> {
        let mut conn = self.app.db.read().await?;
        let found = workspace::visible(&mut conn, self.viewer, ids, self.course.now()).await?;
        Ok(keyed(found, |visible| visible.workspace.id))
    }
}

/// Loads the number of seats taken in a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeatsOf(pub WorkspaceId);

impl Loader<SeatsOf> for Loaders {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SeatsOf]) -> Loaded<SeatsOf, i64> {
        let mut conn = self.app.db.read().await?;
        let ids = self.visible(&mut conn, keys, |key| key.0).await?;
        let used = quota::seats_used(&mut conn, &ids, self.course.now()).await?;
        let keyed = used.into_iter().map(|(id, used)| (SeatsOf(id), used));
        Ok(keyed.collect())
    }
}

/// Loads the number of prompts in a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PromptsOf(pub WorkspaceId);

impl Loader<PromptsOf> for Loaders {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PromptsOf]) -> Loaded<PromptsOf, i64> {
        let mut conn = self.app.db.read().await?;
        let ids = self.visible(&mut conn, keys, |key| key.0).await?;
        let used = quota::prompts_used(&mut conn, &ids).await?;
        let keyed = used.into_iter().map(|(id, used)| (PromptsOf(id), used));
        Ok(keyed.collect())
    }
}

/// Loads how often the answers in a workspace mention its domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VisibilityOf {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The time span of the answers.
    pub span: Span,
    /// Whether daily figures are wanted.
    pub by_day: bool,
}

impl Loader<VisibilityOf> for Loaders {
    type Value = Arc<Visibility>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[VisibilityOf]) -> Loaded<VisibilityOf, Self::Value> {
        // Aliases may ask for other time spans, which take other statements.
        let mut groups: HashMap<_, Vec<_>> = HashMap::new();
        for key in keys {
            let group = groups.entry((key.span, key.by_day)).or_default();
            group.push(key.workspace);
        }
        let mut conn = self.app.db.read().await?;
        let mut loaded = HashMap::with_capacity(keys.len());
        for ((span, by_day), ids) in groups {
            let (viewer, now) = (self.viewer, self.course.now());
            let found =
                visibility::of_workspaces(&mut conn, viewer, &ids, span, by_day, now).await?;
            for (workspace, visibility) in found {
                let key = VisibilityOf {
                    workspace,
                    span,
                    by_day,
                };
                loaded.insert(key, Arc::new(visibility));
            }
        }
        Ok(loaded)
    }
}

impl Loader<OrganizationMemberId> for Loaders {
    type Value = (OrganizationMember, User);
    type Error = Arc<Error>;

    async fn load(
        &self,
        ids: &[OrganizationMemberId],
    ) -> Loaded<OrganizationMemberId, (OrganizationMember, User)> {
        let mut conn = self.app.db.read().await?;
        let found = organization::visible_members(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |(member, _)| member.id))
    }
}

impl Loader<WorkspaceMemberId> for Loaders {
    type Value = (WorkspaceMember, User);
    type Error = Arc<Error>;

    async fn load(
        &self,
        ids: &[WorkspaceMemberId],
    ) -> Loaded<WorkspaceMemberId, (WorkspaceMember, User)> {
        let mut conn = self.app.db.read().await?;
        let found = workspace::visible_members(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |(member, _)| member.id))
    }
}

impl Loader<ApiTokenId> for Loaders {
    type Value = ApiToken;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[ApiTokenId]) -> Loaded<ApiTokenId, ApiToken> {
        let mut conn = self.app.db.read().await?;
        let found = api_token::of_viewer(&mut conn, self.viewer, Some(ids)).await?;
        Ok(keyed(found, |token| token.id))
    }
}

/// Loads the schedule of a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ScheduleOf(pub WorkspaceId);

impl Loader<ScheduleOf> for Loaders {
    type Value = Schedule;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ScheduleOf]) -> Loaded<ScheduleOf, Schedule> {
        let mut conn = self.app.db.read().await?;
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let found = schedule::visible(&mut conn, self.viewer, &ids).await?;
        Ok(keyed(found, |schedule| ScheduleOf(schedule.workspace_id)))
    }
}

/// Loads the join code of a workspace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct JoinCodeOf(pub WorkspaceId);

impl Loader<JoinCodeOf> for Loaders {
    type Value = JoinCode;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[JoinCodeOf]) -> Loaded<JoinCodeOf, JoinCode> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut conn = self.app.db.read().await?;
        let found = join_code::of_workspaces(&mut conn, self.viewer, &ids).await?;
        Ok(keyed(found, |code| JoinCodeOf(code.workspace_id)))
    }
}

impl Loader<InvitationId> for Loaders {
    type Value = NamedInvitation;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[InvitationId]) -> Loaded<InvitationId, NamedInvitation> {
        let mut conn = self.app.db.read().await?;
        let found = invitation::visible_to_live(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |named| named.invitation.id))
    }
}

impl Loader<RunId> for Loaders {
    type Value = Run;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[RunId]) -> Loaded<RunId, Run> {
        let mut conn = self.app.db.read().await?;
        let found = run::visible(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |run| run.id))
    }
}

/// Loads the run of an answer that the viewer can see.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunOfAnswer(pub RunId);

impl Loader<RunOfAnswer> for Loaders {
    type Value = Run;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[RunOfAnswer]) -> Loaded<RunOfAnswer, Run> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut conn = self.app.db.read().await?;
        let found = run::readable(&mut conn, self.viewer, &ids).await?;
        Ok(keyed(found, |run| RunOfAnswer(run.id)))
    }
}

impl Loader<PromptId> for Loaders {
    type Value = Prompt;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[PromptId]) -> Loaded<PromptId, Prompt> {
        let mut conn = self.app.db.read().await?;
        let found = prompt::visible(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |prompt| prompt.id))
    }
}

/// Loads the prompt of an answer that the viewer can see.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PromptOfAnswer(pub PromptId);

impl Loader<PromptOfAnswer> for Loaders {
    type Value = Prompt;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PromptOfAnswer]) -> Loaded<PromptOfAnswer, Prompt> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let mut conn = self.app.db.read().await?;
        let found = prompt::of_answers(&mut conn, self.viewer, &ids).await?;
        Ok(keyed(found, |prompt| PromptOfAnswer(prompt.id)))
    }
}

impl Loader<AnswerId> for Loaders {
    type Value = Answer;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[AnswerId]) -> Loaded<AnswerId, Answer> {
        let mut conn = self.app.db.read().await?;
        let found = answer::visible(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |answer| answer.id))
    }
}

impl Loader<EventId> for Loaders {
    type Value = Event;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[EventId]) -> Loaded<EventId, Event> {
        let mut conn = self.app.db.read().await?;
        let found = event::visible(&mut conn, self.viewer, ids).await?;
        Ok(keyed(found, |event| event.id))
    }
}

/// Loads one page of a list in a parent object.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageOf<L: List> {
    /// The list, filtered by its arguments.
    pub list: L,
    /// The object that the list belongs to.
    pub parent: Id<L::Parent>,
    /// The page to load.
    pub request: PageRequest,
    /// What is selected of the page beyond its rows.
    pub wanted: Wanted,
}

impl<L> Loader<PageOf<L>> for Loaders
where
    L: List + Clone + Eq + Hash + 'static,
    L::Row: Clone + Sync + 'static,
{
    type Value = Arc<Listing<L::Row>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PageOf<L>]) -> Loaded<PageOf<L>, Self::Value> {
        // Aliases may ask for other pages of the same lists, which take other statements.
        let mut groups: HashMap<_, Vec<_>> = HashMap::new();
        for key in keys {
            let group: (&L, &PageRequest, Wanted) = (&key.list, &key.request, key.wanted);
            groups.entry(group).or_default().push(key.parent);
        }
        let mut conn = self.app.db.read().await?;
        let mut loaded = HashMap::with_capacity(keys.len());
        for ((list, request, wanted), parents) in groups {
            let pages = list
                .pages(&mut conn, self.viewer, &parents, request, wanted)
                .await?;
            for (parent, listing) in pages {
                let (list, request) = (list.clone(), request.clone());
                loaded.insert(
                    PageOf {
                        list,
                        parent,
                        request,
                        wanted,
                    },
                    Arc::new(listing),
                );
            }
        }
        Ok(loaded)
    }
}
