//! Announcements of changes to all listeners, once the change is committed.
//!
//! Within a process, no announcement is lost. Other processes on the same PostgreSQL are woken by NOTIFY
//! (see [`wire`]), which may be lost, and other processes on the same SQLite file are not woken at all,
//! so listeners also check for changes themselves every few seconds.

mod wire;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{mpsc, watch};

use self::wire::Wire;
use super::pool::Db;
use crate::id::{AnyId, OrganizationId, ParseIdError, RunId, WorkspaceId};

/// What an announcement is about. It says only that there may be something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// An event was written in the organization, outside of its workspaces.
    Organization(OrganizationId),
    /// An event was written in the workspace.
    Workspace(WorkspaceId),
    /// The run's row changed.
    Run(RunId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(id) => id.fmt(f),
            Self::Workspace(id) => id.fmt(f),
            Self::Run(id) => id.fmt(f),
        }
    }
}

impl FromStr for Topic {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        match text.parse()? {
            AnyId::Organization(id) => Ok(Self::Organization(id)),
            AnyId::Workspace(id) => Ok(Self::Workspace(id)),
            AnyId::Run(id) => Ok(Self::Run(id)),
            _ => Err(ParseIdError::OtherKind),
        }
    }
}

/// Hears announcements of a topic until it is dropped. See [`Db::listen`].
pub struct Listener {
    announcements: Arc<Announcements>,
    topic: Topic,
    told: watch::Receiver<()>,
}

impl Listener {
    /// Completes when the topic has been announced since the last completion, or since the listener was
    /// made; once, however many announcements there were. Cancel safe: dropping the future before it
    /// completes loses nothing.
    pub async fn changed(&mut self) {
        if self.told.changed().await.is_err() {
            // The sender lives as long as anybody listens.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut topics = self.announcements.topics();
        // This listener's own receiver is still counted.
        if topics
            .get(&self.topic)
            .is_some_and(|told| told.receiver_count() <= 1)
        {
            topics.remove(&self.topic);
        }
    }
}

impl Db {
    /// Listens to a topic from now on.
    pub fn listen(&self, topic: Topic) -> Listener {
        let announcements = self.announcements().clone();
        let told = announcements
            .topics()
            .entry(topic)
            .or_insert_with(|| watch::channel(()).0)
            .subscribe();
        announcements.hear_others();
        Listener {
            announcements,
            topic,
            told,
        }
    }
}

/// The announcements of a process.
pub(super) struct Announcements {
    topics: Mutex<HashMap<Topic, watch::Sender<()>>>,
    /// The link to other processes; none on SQLite.
    wire: Option<Wire>,
    outgoing: OnceLock<mpsc::UnboundedSender<Topic>>,
    hearing: OnceLock<watch::Sender<()>>,
}

impl Announcements {
    /// Creates the announcements of a process: on PostgreSQL with the URL of a direct connection, on
    /// SQLite without.
    pub(super) fn new(listen_url: Option<String>) -> Self {
        Self {
            topics: Mutex::default(),
            wire: listen_url.map(Wire::new),
            outgoing: OnceLock::new(),
            hearing: OnceLock::new(),
        }
    }

    /// Announces the topics to all listeners, here and in other processes.
    pub(super) fn announce(&self, topics: &HashSet<Topic>) {
        for topic in topics {
            self.tell(topic);
        }
        if let Some(wire) = &self.wire
            && !topics.is_empty()
        {
            let outgoing = self.outgoing.get_or_init(|| wire.speak());
            for topic in topics {
                // The receiver ends only with the process.
                let _ = outgoing.send(*topic);
            }
        }
    }

    /// Wakes the topic's listeners in this process.
    fn tell(&self, topic: &Topic) {
        if let Some(told) = self.topics().get(topic) {
            told.send_replace(());
        }
    }

    /// Wakes all listeners in this process, as some announcements may have been missed.
    fn tell_all(&self) {
        for told in self.topics().values() {
            told.send_replace(());
        }
    }

    fn hear_others(self: &Arc<Self>) {
        if let Some(wire) = &self.wire {
            self.hearing.get_or_init(|| wire.hear(Arc::downgrade(self)));
        }
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<Topic, watch::Sender<()>>> {
        // Nothing panics while holding the lock; even then, the map would be intact.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use chrono::Utc;
    use futures_util::FutureExt;

    use super::*;

    fn listen(announcements: &Arc<Announcements>, topic: Topic) -> Listener {
        let told = announcements
            .topics()
            .entry(topic)
            .or_insert_with(|| watch::channel(()).0)
            .subscribe();
        Listener {
            announcements: announcements.clone(),
            topic,
            told,
        }
    }

    #[test]
    fn a_listener_hears_once_of_what_was_announced_since() {
        let announcements = Arc::new(Announcements::new(None));
        let topic = Topic::Workspace(WorkspaceId::new(Utc::now()));
        let other = Topic::Workspace(WorkspaceId::new(Utc::now()));
        let mut listener = listen(&announcements, topic);
        assert!(listener.changed().now_or_never().is_none());
        announcements.announce(&HashSet::from([other]));
        assert!(listener.changed().now_or_never().is_none());
        announcements.announce(&HashSet::from([topic]));
        announcements.announce(&HashSet::from([topic]));
        assert!(listener.changed().now_or_never().is_some());
        assert!(listener.changed().now_or_never().is_none());
    }

    #[test]
    fn a_topic_is_forgotten_with_its_last_listener() {
        let announcements = Arc::new(Announcements::new(None));
        let topic = Topic::Run(RunId::new(Utc::now()));
        let (one, other) = (listen(&announcements, topic), listen(&announcements, topic));
        drop(one);
        assert_eq!(announcements.topics().len(), 1);
        drop(other);
        assert!(announcements.topics().is_empty());
    }

    #[test]
    fn topics_are_written_as_their_ids() {
        let id = RunId::new(Utc::now());
        assert_eq!(id.to_string().parse(), Ok(Topic::Run(id)));
        let id = WorkspaceId::new(Utc::now());
        assert_eq!(
            Topic::Workspace(id).to_string().parse(),
            Ok(Topic::Workspace(id))
        );
        assert!("user_00000000000000000000000000".parse::<Topic>().is_err());
    }
}
