//! Statements that would go on for good, and what the database says of those that are under way.

use std::time::Duration;

use diesel_async::RunQueryDsl;
use tenantry::db::Kind;
use tenantry::run;
use tokio_postgres::{Client, NoTls};

use super::server::TestServer;
use super::wait::{until, until_within};

/// How soon what is stopped must have stopped: sooner than it would by itself.
const STOPPED: Duration = Duration::from_secs(5);

/// Has each statement that reads prompts go on for good, until [`Slow::end`].
pub struct Slow {
    postgres: Option<Postgres>,
}

struct Postgres {
    /// Has the table locked.
    locks: Client,
    /// One more: what a transaction is told of the others' activity stays as it was.
    looks: Client,
}

impl Slow {
    /// Prompts that cannot be read.
    pub async fn prompts(server: &TestServer) -> Self {
        let slow = Self::watching(server).await;
        match &slow.postgres {
            Some(it) => execute(&it.locks, "BEGIN; LOCK TABLE prompts").await,
            None => {
                let endless = "CREATE VIEW prompts AS WITH RECURSIVE n(x) AS \
                    (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                    SELECT kept.* FROM n CROSS JOIN kept WHERE x < 0";
                write(server, &["ALTER TABLE prompts RENAME TO kept", endless]).await;
            }
        }
        slow
    }

    /// People that can be read and not changed: of PostgreSQL alone.
    pub async fn people(server: &TestServer) -> Self {
        let slow = Self::watching(server).await;
        if let Some(it) = &slow.postgres {
            execute(&it.locks, "BEGIN; LOCK TABLE users IN SHARE MODE").await;
        }
        slow
    }

    /// Workspaces that can be read and not changed: of PostgreSQL alone.
    pub async fn workspaces(server: &TestServer) -> Self {
        let slow = Self::watching(server).await;
        if let Some(it) = &slow.postgres {
            let lock = "BEGIN; SELECT id FROM workspaces FOR NO KEY UPDATE";
            execute(&it.locks, lock).await;
        }
        slow
    }

    /// Waits until so many statements of PostgreSQL's wait for another one.
    pub async fn waiting(&self, statements: i64) {
        if self.postgres.is_some() {
            let what = format!("{statements} statements wait");
            until(&what, async || {
                self.count("wait_event_type = 'Lock'").await == statements
            })
            .await;
        }
    }

    async fn watching(server: &TestServer) -> Self {
        let postgres = match server.app().db.kind() {
            Kind::Sqlite => None,
            Kind::Postgres => Some(Postgres {
                locks: connect(server).await,
                looks: connect(server).await,
            }),
        };
        Self { postgres }
    }

    /// Puts everything back.
    pub async fn end(self, server: &TestServer) {
        match &self.postgres {
            Some(it) => execute(&it.locks, "ROLLBACK").await,
            None => {
                write(
                    server,
                    &["DROP VIEW prompts", "ALTER TABLE kept RENAME TO prompts"],
                )
                .await;
            }
        }
    }

    /// Waits until a statement that goes on for good is under way, which is the last of so many that the
    /// server has sent.
    pub async fn met(&self, server: &TestServer, sent: u64) {
        let statements = server.app().db.statements();
        until("the statement is under way", async || {
            match &self.postgres {
                Some(_) => self.count("wait_event_type = 'Lock'").await > 0,
                None => statements.count() >= sent,
            }
        })
        .await;
    }

    /// Waits until PostgreSQL has nothing to do, and no transaction open, for the server. It is known of
    /// SQLite by its one reader, which is at nothing else.
    pub async fn nothing_runs(&self) {
        if self.postgres.is_some() {
            until_within(STOPPED, "nothing runs", async || {
                self.count("state <> 'idle'").await == 0
            })
            .await;
        }
    }

    async fn count(&self, condition: &str) -> i64 {
        let client = &self.postgres.as_ref().expect("PostgreSQL").looks;
        let query = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'tenantry' AND {condition}"
        );
        let found = client.query_one(&query, &[]).await;
        found.expect("PostgreSQL tells what it does").get(0)
    }
}

async fn connect(server: &TestServer) -> Client {
    let url = server.app().config.database.url.as_ref();
    connect_to(url.expect("PostgreSQL has a URL").expose()).await
}

/// A connection of the test's own.
pub async fn connect_to(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("it is there");
    tokio::spawn(connection);
    client
}

/// Runs statements.
pub async fn execute(client: &Client, statement: &str) {
    client.batch_execute(statement).await.expect(statement);
}

async fn write(server: &TestServer, statements: &[&str]) {
    let written = server.app().db.transaction(async |tx| {
        for statement in statements {
            run!(tx, diesel::sql_query(*statement).execute(tx).await)?;
        }
        Ok(())
    });
    written.await.expect("the schema changes");
}
