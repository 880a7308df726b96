//! Announcements between processes on one PostgreSQL: NOTIFY and LISTEN, each on its own connection.
//!
//! A NOTIFY inside each transaction would cost every mutation a statement, and PostgreSQL commits such
//! transactions one after the other. So a task sends announcements after the commits, and batches those
//! that arrive meanwhile.

use std::collections::HashSet;
use std::future::poll_fn;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client};
use uuid::Uuid;

use super::{Announcements, Topic};
use crate::db::postgres::{PgWire, connect_postgres};

/// The channel of NOTIFY.
const CHANNEL: &str = "tenantry";
/// The longest payload that is sent, in bytes. PostgreSQL's own limit is just below 8,000.
const PAYLOAD: usize = 7_900;
/// How long connecting or notifying may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before reconnecting: at first, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The link to other processes.
pub(super) struct Wire {
    url: String,
    /// The first word of each payload of this process, by which it recognizes its own.
    sender: String,
}

impl Wire {
    pub(super) fn new(url: String) -> Self {
        let sender = Uuid::now_v7().simple().to_string();
        Self { url, sender }
    }

    /// Starts to announce the topics sent on the returned channel to other processes, until the sender
    /// is dropped.
    pub(super) fn speak(&self) -> mpsc::UnboundedSender<Topic> {
        let (sender, topics) = mpsc::unbounded_channel();
        tokio::spawn(speak(self.url.clone(), self.sender.clone(), topics));
        sender
    }

    /// Starts to pass on other processes' announcements, until the returned sender is dropped.
    pub(super) fn hear(&self, announcements: Weak<Announcements>) -> watch::Sender<()> {
        let (sender, stop) = watch::channel(());
        let (url, own) = (self.url.clone(), self.sender.clone());
        tokio::spawn(async move {
            let mut stop = stop;
            tokio::select! {
                // Nothing is ever sent: this completes when the sender is dropped.
                _ = stop.changed() => {}
                () = hear(url, own, announcements) => {}
            }
        });
        sender
    }
}

/// Waits twice as long each time, until reset by a success.
struct BackOff(Duration);

impl BackOff {
    fn new() -> Self {
        Self(BACK_OFF.0)
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(BACK_OFF.1);
    }
}

async fn speak(url: String, sender: String, mut topics: mpsc::UnboundedReceiver<Topic>) {
    let mut client: Option<Client> = None;
    let mut back_off = BackOff::new();
    while let Some(first) = topics.recv().await {
        let mut waiting = HashSet::from([first]);
        while let Ok(topic) = topics.try_recv() {
            waiting.insert(topic);
        }
        for payload in payloads(&sender, &waiting) {
            // A payload that cannot be sent is dropped: listeners also check for changes themselves.
            match notify(&url, &mut client, &payload).await {
                Ok(()) => back_off = BackOff::new(),
                Err(error) => {
                    tracing::debug!(%error, "other instances could not be notified of changes");
                    client = None;
                    back_off.wait().await;
                }
            }
        }
    }
}

async fn notify(url: &str, client: &mut Option<Client>, payload: &str) -> anyhow::Result<()> {
    let client = match client {
        Some(client) => client,
        None => {
            let (connected, connection) = connect(url).await?;
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "the connection for notifying other instances was lost");
                }
            });
            client.insert(connected)
        }
    };
    let values: [(&(dyn ToSql + Sync), Type); 2] = [(&CHANNEL, Type::TEXT), (&payload, Type::TEXT)];
    let telling = client.execute_typed("SELECT pg_notify($1, $2)", &values);
    timeout(PATIENCE, telling).await??;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<(Client, PgWire)> {
    Ok(timeout(PATIENCE, connect_postgres(url, "")).await??)
}

/// Joins the sender and the topics with spaces, in as many payloads as needed.
fn payloads(sender: &str, topics: &HashSet<Topic>) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut payload = sender.to_owned();
    for topic in topics {
        let topic = topic.to_string();
        if payload.len() + 1 + topic.len() > PAYLOAD {
            payloads.push(std::mem::replace(&mut payload, sender.to_owned()));
        }
        payload.push(' ');
        payload.push_str(&topic);
    }
    payloads.push(payload);
    payloads
}

async fn hear(url: String, own: String, announcements: Weak<Announcements>) {
    let mut back_off = BackOff::new();
    loop {
        match connect(&url).await {
            Ok((client, connection)) => {
                if let Err(error) =
                    pass_on(client, connection, &own, &announcements, &mut back_off).await
                {
                    tracing::debug!(%error, "the connection for notifications from other instances was lost");
                }
            }
            Err(error) => {
                tracing::debug!(%error, "cannot connect for notifications from other instances")
            }
        }
        back_off.wait().await;
    }
}

/// Passes on announcements for as long as the connection lasts.
async fn pass_on(
    client: Client,
    mut connection: PgWire,
    own: &str,
    announcements: &Weak<Announcements>,
    back_off: &mut BackOff,
) -> anyhow::Result<()> {
    let listen = format!("LISTEN {CHANNEL}");
    let mut listening = std::pin::pin!(async {
        let listening = client.batch_execute(&listen).await;
        // Announcements before this were missed.
        if listening.is_ok()
            && let Some(announcements) = announcements.upgrade()
        {
            announcements.tell_all();
        }
        listening
    });
    let mut is_listening = false;
    loop {
        // The statement's answer arrives only while the connection is polled.
        let message = tokio::select! {
            listens = &mut listening, if !is_listening => {
                listens?;
                is_listening = true;
                *back_off = BackOff::new();
                continue;
            }
            message = poll_fn(|cx| connection.poll_message(cx)) => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(notification))) => {
                let Some(announcements) = announcements.upgrade() else {
                    return Ok(());
                };
                for topic in topics(notification.payload(), own) {
                    announcements.tell(&topic);
                }
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => anyhow::bail!("the server closed the connection"),
        }
    }
}

/// Parses the topics of a payload, unless it is this process's own. Unreadable topics come from a later
/// version.
fn topics<'a>(payload: &'a str, own: &str) -> impl Iterator<Item = Topic> + use<'a> {
    let (sender, topics) = payload.split_once(' ').unwrap_or_default();
    let topics = if sender == own { "" } else { topics };
    topics.split(' ').filter_map(|topic| topic.parse().ok())
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::id::WorkspaceId;

    #[test]
    fn payloads_are_short_enough_and_lose_nothing() {
        let told: HashSet<_> = (0..1_000)
            .map(|_| Topic::Workspace(WorkspaceId::new(Utc::now())))
            .collect();
        let payloads = payloads("me", &told);
        assert!(payloads.len() > 1);
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        let heard: HashSet<_> = payloads
            .iter()
            .flat_map(|payload| topics(payload, "you"))
            .collect();
        assert_eq!(heard, told);
    }

    #[test]
    fn what_a_process_said_itself_and_what_it_cannot_read_is_passed_over() {
        let topic = Topic::Workspace(WorkspaceId::new(Utc::now()));
        assert_eq!(topics(&format!("me {topic}"), "me").count(), 0);
        let payload = format!("you what {topic} user_x");
        assert_eq!(topics(&payload, "me").collect::<Vec<_>>(), [topic]);
        assert_eq!(topics("", "me").count(), 0);
    }
}
