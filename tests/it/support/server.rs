//! A server in this process, with a free port and a database of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::RequestBuilder;
use serde_json::Value;
use tempfile::TempDir;
use tenantry::app::{App, Clock, Pace};
use tenantry::auth::token::DevelopmentKey;
use tenantry::config::Config;
use tenantry::http::Server;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::Client;
use super::clock::TestClock;
use super::database::Database;
use super::postgres::TestDatabase;

/// A server, stopped when this is dropped, along with its database.
pub struct TestServer {
    url: String,
    metrics: Option<SocketAddr>,
    app: App,
    key: Option<DevelopmentKey>,
    clock: Arc<TestClock>,
    http: reqwest::Client,
    config: Config,
    stop: Option<oneshot::Sender<()>>,
    stopped: Option<JoinHandle<()>>,
    _database: Option<TestDatabase>,
    _data_dir: Option<TempDir>,
}

impl TestServer {
    pub async fn start(on: Database) -> Self {
        Self::with(on, |_| {}).await
    }

    /// Starts a server whose configuration the test changes first.
    pub async fn with(on: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::paced(on, Pace::default(), change).await
    }

    /// Like [`TestServer::with`], but with this pace of background activities.
    pub async fn paced(on: Database, pace: Pace, change: impl FnOnce(&mut Config)) -> Self {
        let data_dir = TempDir::new().expect("a temporary folder");
        let mut config = Config {
            data_dir: data_dir.path().to_owned(),
            ..Config::default()
        };
        config.http.port = 0;
        config.database.max_connections = 6;
        config.database.readers = 3;
        config.database.acquire_timeout_ms = 60_000;
        change(&mut config);
        let database = on.provide(&mut config).await;
        let clock = Arc::new(TestClock::default());
        let mut server = Self::run(config, clock, pace).await;
        server._database = database;
        server._data_dir = Some(data_dir);
        server
    }

    /// Starts another instance on the same database, with the same key and clock. It must be dropped
    /// first.
    pub async fn sibling(&self) -> Self {
        self.sibling_with(|_| {}).await
    }

    /// Like [`TestServer::sibling`], but the test changes the configuration first.
    pub async fn sibling_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.config.clone();
        change(&mut config);
        Self::run(config, self.clock.clone(), self.app.pace).await
    }

    async fn run(config: Config, clock: Arc<TestClock>, pace: Pace) -> Self {
        let mut server = Server::start(config.clone(), clock.clone())
            .await
            .expect("the server starts");
        server.set_pace(pace);
        let url = format!("http://{}", server.address().expect("an address"));
        let metrics = server.metrics_address().expect("an address");
        let (app, key) = (server.app().clone(), server.development_key().cloned());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self {
            url,
            metrics,
            app,
            key,
            clock,
            http: reqwest::Client::new(),
            config,
            stop: Some(stop),
            stopped: Some(running),
            _database: None,
            _data_dir: None,
        }
    }

    /// Asks the server to stop. The returned future completes when it has.
    pub fn stop(&mut self) -> impl Future<Output = ()> + use<> {
        drop(self.stop.take());
        let stopped = self.stopped.take().expect("it is stopped once");
        async {
            stopped.await.expect("it does not panic");
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the address that serves metrics, if they have their own.
    pub fn metrics(&self) -> Option<SocketAddr> {
        self.metrics
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Returns the same clock, for another instance.
    pub fn shared_clock(&self) -> Arc<TestClock> {
        self.clock.clone()
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Returns a GraphQL request with that body, not sent yet.
    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}/graphql", self.url)).json(body)
    }

    /// Returns a client without credentials.
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), &self.url, None)
    }

    /// Returns a client with this token.
    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.http.clone(), &self.url, Some(token.to_owned()))
    }

    /// Returns a client for the person with that address, with a development token.
    pub fn user(&self, email: &str) -> Client {
        self.bearer(&self.token(email))
    }

    /// Returns a development token for the person with that address, named after it.
    pub fn token(&self, email: &str) -> String {
        let now = self.clock.now().to_utc();
        self.token_for(email, now, TimeDelta::days(3650))
    }

    /// Like [`TestServer::token`], but issued at `now` and valid for `valid_for`.
    pub fn token_for(&self, email: &str, now: DateTime<Utc>, valid_for: TimeDelta) -> String {
        let key = self.key.as_ref().expect("development identities are on");
        let name = email
            .split('@')
            .next()
            .map(|name| format!("{}{}", name[..1].to_uppercase(), &name[1..]));
        key.sign(email, name.as_deref(), now, valid_for)
    }

    /// Returns how many statements `request` sends to the database, and its result.
    pub async fn statements<T>(&self, request: impl Future<Output = T>) -> (u64, T) {
        let before = self.app.db.statements().count();
        let outcome = request.await;
        (self.app.db.statements().count() - before, outcome)
    }
}
