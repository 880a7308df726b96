//! People at work.

mod client;
mod person;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::instance::Token;
use super::journal::Journal;
use client::Client;
use person::Person;
use tenantry::id::WorkspaceId;

/// What people know about each other.
#[derive(Default)]
pub struct World {
    /// Codes for joining workspaces, some of them outdated.
    codes: Mutex<Vec<(WorkspaceId, String)>>,
    /// Workspaces whose events can be subscribed to, each with the number of the person who can.
    followed: Mutex<Vec<(WorkspaceId, usize)>>,
}

/// A load that is running.
pub struct Load {
    tasks: JoinSet<()>,
    followers: JoinSet<()>,
    is_over: Arc<AtomicBool>,
    events: Arc<AtomicU64>,
}

/// Makes everybody work until `time` after the start.
pub fn start(
    urls: &Arc<[String]>,
    tokens: &[Token],
    journal: &Arc<Journal>,
    time: Duration,
) -> Load {
    let world = Arc::new(World::default());
    let is_over = Arc::new(AtomicBool::new(false));
    let events = Arc::new(AtomicU64::new(0));
    let (mut tasks, mut followers) = (JoinSet::new(), JoinSet::new());
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client of plain HTTP needs nothing");
    for n in 0..tokens.len() {
        let client = Client::new(http.clone(), urls, &tokens[n], journal);
        let mut person = Person::new(client, n, tokens, &world);
        let journal = journal.clone();
        tasks.spawn(async move {
            while journal.now() < time {
                person.act().await;
            }
        });
    }
    for server in 0..urls.len() {
        let clients: Vec<_> = tokens
            .iter()
            .map(|token| Client::new(reqwest::Client::new(), urls, token, journal))
            .collect();
        let (world, is_over, events) = (world.clone(), is_over.clone(), events.clone());
        followers.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                follow(&clients, server, &world, &events).await;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
    }
    Load {
        tasks,
        followers,
        is_over,
        events,
    }
}

impl Load {
    /// Waits for everybody to finish, and returns how many events were delivered.
    pub async fn finish(mut self) -> u64 {
        while self.tasks.join_next().await.is_some() {}
        self.is_over.store(true, Ordering::Relaxed);
        self.followers.shutdown().await;
        self.events.load(Ordering::Relaxed)
    }
}

/// Subscribes to a workspace's events with a stream, until it breaks.
async fn follow(clients: &[Client], server: usize, world: &World, events: &AtomicU64) {
    let newest = world.followed.lock().expect("no panic").last().copied();
    let Some((workspace, owner)) = newest else {
        return;
    };
    let query = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) { kind } }";
    let Ok(mut stream) = clients[owner]
        .stream(server, query, json!({ "id": workspace }))
        .await
    else {
        return;
    };
    while let Ok(Some(chunk)) = stream.chunk().await {
        let text = String::from_utf8_lossy(&chunk);
        let told = text.matches("event: next").count() + text.matches("event:next").count();
        events.fetch_add(told as u64, Ordering::Relaxed);
    }
}
