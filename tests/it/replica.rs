//! Read replicas: what reads them, what never does, and how queries are answered while they are away.

use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use tenantry::config::{self, Secret};
use tenantry::db::PoolStatus;
use tokio_postgres::Client;

use crate::support::metrics::{scrape, value};
use crate::support::office::{Office, Person};
use crate::support::postgres::OwnCluster;
use crate::support::process::Program;
use crate::support::slow::{connect_to, execute};
use crate::support::{Socket, Sqlite, TestServer, at, until};

/// A server on a primary and its replica, and a connection to each.
struct World {
    server: TestServer,
    ada: Person,
    office: Office,
    replica: OwnCluster,
    to_primary: Client,
    to_replica: Client,
    _primary: OwnCluster,
}

impl World {
    /// Starts both with an office that the replica has; `None` if PostgreSQL is not installed.
    async fn new() -> Option<Self> {
        Self::with(|_| {}).await
    }

    /// The same, whose configuration the test changes first.
    async fn with(change: impl FnOnce(&mut config::Database)) -> Option<Self> {
        let primary = OwnCluster::start()?;
        let replica = primary.replica();
        let url = |cluster: &OwnCluster| Some(Secret::new(cluster.url().to_owned()));
        let server = TestServer::with(Sqlite, |config| {
            config.database.url = url(&primary);
            config.database.read_url = url(&replica);
            change(&mut config.database);
        })
        .await;
        let ada = Person::new(&server, "ada").await;
        let office = Office::of(&ada).await;
        let world = Self {
            to_primary: connect_to(primary.url()).await,
            to_replica: connect_to(replica.url()).await,
            server,
            ada,
            office,
            replica,
            _primary: primary,
        };
        world.catch_up().await;
        world.until_used(true).await;
        Some(world)
    }

    /// Waits until the replica has what the primary has.
    async fn catch_up(&self) {
        let query = "SELECT pg_current_wal_lsn()::text";
        let row = self.to_primary.query_one(query, &[]).await;
        let last: String = row.expect("a place").get(0);
        let query = format!("SELECT pg_last_wal_replay_lsn() >= '{last}'::pg_lsn");
        until("the replica has it", async || {
            let row = self.to_replica.query_one(&query, &[]).await;
            row.expect("a comparison").get(0)
        })
        .await;
    }

    /// Pauses replay on the replica once it has caught up.
    async fn freeze(&self) {
        self.catch_up().await;
        execute(&self.to_replica, "SELECT pg_wal_replay_pause()").await;
        let query = "SELECT pg_get_wal_replay_pause_state() = 'paused'";
        until("the replica stands still", async || {
            let row = self.to_replica.query_one(query, &[]).await;
            row.expect("a state").get(0)
        })
        .await;
    }

    /// The number of workspaces that a query counts.
    async fn told(&self) -> u64 {
        let data = self
            .ada
            .ok("{ workspaces { totalCount } }", json!({}))
            .await;
        at(&data, "workspaces.totalCount")
            .as_u64()
            .expect("a number")
    }

    async fn metric(&self, name: &str) -> Option<f64> {
        let text = scrape(self.server.http(), self.server.url()).await;
        value(&text, &format!("tenantry_{name}"), &[])
    }

    /// Whether the server has been asking the replica how far it is, on a connection that does nothing else.
    async fn is_checked_apart(&self) -> bool {
        let query = "SELECT count(*) = 1 FROM pg_stat_activity \
            WHERE application_name = 'tenantry' AND query LIKE '%pg_last_wal_replay_lsn%'";
        let row = self.to_replica.query_one(query, &[]).await;
        row.expect("a comparison").get(0)
    }

    /// Waits until the metrics say whether the replica is used, which changes only while queries arrive.
    async fn until_used(&self, used: bool) {
        until("the server says so", async || {
            self.told().await;
            self.metric("database_replica_used").await == Some(used.into())
        })
        .await;
    }

    async fn readiness(&self) -> String {
        let url = format!("{}/readyz", self.server.url());
        let reply = self.server.http().get(url).send().await.expect("a reply");
        assert!(reply.status().is_success());
        reply.text().await.expect("text")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_read_it_and_nothing_else_does() {
    let Some(world) = World::new().await else {
        return;
    };
    let (server, ada) = (&world.server, &world.ada);
    let mut socket = Socket::of(server, &ada.email).await;
    let events = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) {
        kind actor { email } workspace { description }
    } }";
    let follows = json!({ "id": world.office.workspace });
    socket.subscribe("e", events, follows).await;
    socket.settle().await;
    assert_eq!(world.told().await, 1);
    world.freeze().await;

    // A mutation's answer includes what it wrote, as far as its fields reach.
    let input = json!({ "name": "New", "organization": { "id": world.office.organization } });
    let selection = "workspace {
        id name viewerRole createdBy { email }
        members(first: 5) { totalCount nodes { user { email } } }
        limits { members { used } }
        organization { workspaces(first: 5) { totalCount nodes { name } } }
    }";
    let made = ada.mutate("createWorkspace", input, selection).await;
    let made = &made["workspace"];
    assert_eq!(made["members"]["totalCount"], 1);
    assert_eq!(made["createdBy"]["email"], ada.email.as_str());
    assert_eq!(at(made, "organization.workspaces.totalCount"), 2);
    let input = json!({ "workspaceId": made["id"] });
    let selection = "navigationState { currentWorkspace { id } workspaces { id } }";
    let selected = ada.mutate("selectWorkspace", input, selection).await;
    let navigation = &selected["navigationState"];
    assert_eq!(at(navigation, "currentWorkspace.id"), &made["id"]);
    assert_eq!(navigation["workspaces"].as_array().map(Vec::len), Some(2));

    // So does a subscription's event.
    let input = json!({ "workspaceId": world.office.workspace, "description": "Seen" });
    ada.mutate("updateWorkspace", input, "workspace { id }")
        .await;
    let event = socket.next("e").await["workspaceEvents"].take();
    assert_eq!(at(&event, "workspace.description"), "Seen");

    // Identities are read from the primary: a new user is known, and a revoked token is refused.
    let eve = server.user("eve@example.com");
    eve.ok("{ viewer { email } }", json!({})).await;
    let input = json!({ "name": "Robot" });
    let token = ada
        .mutate("createApiToken", input, "secret apiToken { id }")
        .await;
    let robot = server.bearer(token["secret"].as_str().expect("a secret"));
    robot.ok("{ viewer { email } }", json!({})).await;
    let input = json!({ "apiTokenId": at(&token, "apiToken.id") });
    ada.mutate("revokeApiToken", input, "__typename").await;
    robot
        .refused("UNAUTHENTICATED", "{ viewer { email } }", json!({}))
        .await;

    // A query sees only what the replica has.
    assert_eq!(world.told().await, 1);
    let query = "query($id: ID!) { node(id: $id) { id } }";
    let found = ada.ok(query, json!({ "id": made["id"] })).await;
    assert_eq!(found["node"], Value::Null);
    execute(&world.to_replica, "SELECT pg_wal_replay_resume()").await;
    world.catch_up().await;
    assert_eq!(world.told().await, 2);
    assert_eq!(
        world.metric("database_replica_failures_total").await,
        Some(0.0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_read_the_primary_while_it_is_away() {
    let Some(world) = World::new().await else {
        return;
    };
    assert_eq!(world.readiness().await, "ready\n");
    world.replica.stop("immediate");
    for _ in 0..10 {
        assert_eq!(world.told().await, 1);
    }
    world.until_used(false).await;
    assert!(
        world
            .readiness()
            .await
            .contains("the replica is unavailable")
    );
    assert!(world.metric("database_replica_failures_total").await >= Some(1.0));
    world.replica.resume();
    world.until_used(true).await;
    assert_eq!(world.readiness().await, "ready\n");
}

/// The replica's connection is cut in the middle of a statement.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_the_replica_gives_up_is_answered_by_the_primary() {
    let Some(world) = World::new().await else {
        return;
    };
    // Switching the segment writes the lock out, so that it is replayed on the replica.
    let lock = "BEGIN; LOCK TABLE workspaces; SELECT pg_switch_wal()";
    execute(&world.to_primary, lock).await;
    world.freeze().await;
    // Replay is paused, so the replica keeps the lock.
    execute(&world.to_primary, "ROLLBACK").await;
    let waiting = "FROM pg_stat_activity \
        WHERE application_name = 'tenantry' AND wait_event_type = 'Lock'";
    let giving_up = async {
        let count = format!("SELECT count(*) > 0 {waiting}");
        until("the query waits", async || {
            let row = world.to_replica.query_one(&count, &[]).await;
            row.expect("a comparison").get(0)
        })
        .await;
        let end = format!("SELECT pg_terminate_backend(pid) {waiting}");
        execute(&world.to_replica, &end).await;
    };
    let (told, ()) = tokio::join!(world.told(), giving_up);
    assert_eq!(told, 1);
    execute(&world.to_replica, "SELECT pg_wal_replay_resume()").await;
}

/// Someone who was removed does not go on seeing what a stale replica still has.
#[tokio::test(flavor = "multi_thread")]
async fn queries_read_the_primary_while_it_is_far_behind() {
    let Some(world) = World::new().await else {
        return;
    };
    world.freeze().await;
    world.office.workspace(&world.ada, "New").await;
    assert_eq!(world.told().await, 1);
    until("the primary is read", async || world.told().await != 1).await;
    assert_eq!(world.metric("database_replica_used").await, Some(0.0));
    execute(&world.to_replica, "SELECT pg_wal_replay_resume()").await;
    world.until_used(true).await;
    assert_eq!(world.told().await, 2);
}

/// An instance that starts does not know yet how far behind it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_read_only_once_it_is_known_to_be_near() {
    let Some(world) = World::new().await else {
        return;
    };
    world.freeze().await;
    world.office.workspace(&world.ada, "New").await;
    let other = world.server.sibling().await;
    let ada = other.user(&world.ada.email);
    let told = async || {
        let data = ada.ok("{ workspaces { totalCount } }", json!({})).await;
        at(&data, "workspaces.totalCount").as_u64()
    };
    assert_eq!(told().await, Some(2));
    execute(&world.to_replica, "SELECT pg_wal_replay_resume()").await;
    let is_used = async || {
        let text = scrape(other.http(), other.url()).await;
        value(&text, "tenantry_database_replica_used", &[]) == Some(1.0)
    };
    until("the replica is used", is_used).await;
    assert_eq!(told().await, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_busy_is_not_away() {
    let world = World::with(|database| {
        database.readers = 1;
        database.acquire_timeout_ms = 2_000;
    });
    let Some(world) = world.await else {
        return;
    };
    let db = world.server.app().db.for_query();
    let held = &mut db.read().await.expect("a connection");
    let asked = diesel::sql_query("SELECT 1");
    let asked = tenantry::run!(held, asked.execute(held).await);
    asked.expect("it is there");
    let free = |pool: &PoolStatus| pool.name != "replica" || pool.available == 0;
    assert!(db.pools().iter().all(free));

    // The primary answers what the replica has no connection for.
    assert_eq!(world.told().await, 1);
    until("it is checked", async || world.is_checked_apart().await).await;
    assert_eq!(world.metric("database_replica_used").await, Some(1.0));
    let failures = world.metric("database_replica_failures_total").await;
    assert_eq!(failures, Some(0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_told_of_it() {
    let Some(primary) = OwnCluster::start() else {
        return;
    };
    let program = Program::new(Sqlite).await;
    let said = |arguments: &[&str], replica: &str| {
        let mut command = program.command(arguments);
        command
            .env("DATABASE_URL", primary.url())
            .env("DATABASE_READ_URL", replica);
        let output = command.output().expect("the program can be run");
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).expect("text")
    };
    let line = |said: &str| {
        let line = said.lines().find(|line| line.contains(" replica "));
        line.unwrap_or_else(|| panic!("{said}")).to_owned()
    };
    said(&["migrate"], primary.url());
    let replica = primary.replica();
    let found = line(&said(&["check"], replica.url()));
    assert!(
        found.starts_with("ok") && found.contains("PostgreSQL"),
        "{found}"
    );
    let nobody = "postgres://someone:hunter2@127.0.0.1:1/none";
    let found = line(&said(&["check"], nobody));
    assert!(
        found.starts_with("problem") && found.contains("DATABASE_READ_URL"),
        "{found}"
    );
    assert!(!found.contains("hunter2"));
    let refused = said(&[], "postgres://someone:hunter2@host:none/none");
    assert!(refused.contains("database.read_url"), "{refused}");
    assert!(!refused.contains("hunter2"));
}
