//! Statements that never end by themselves, and what the database reports about running ones.

use std::time::Duration;

use diesel_async::RunQueryDsl;
use tenantry::db::Kind;
use tenantry::run;
use tokio_postgres::{Client, NoTls};

use super::server::TestServer;
use super::wait::{until, until_within};

/// How soon a stopped statement must have ended: sooner than it would by itself.
const STOPPED: Duration = Duration::from_secs(5);

/// Makes certain statements run endlessly or wait, until [`Slow::end`].
pub struct Slow {
    postgres: Option<Postgres>,
}

struct Postgres {
    /// Holds the lock.
    locks: Client,
    /// A separate connection: within a transaction, the view of the others' activity does not change.
    looks: Client,
}

impl Slow {
    /// Makes prompts unreadable.
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

    /// Makes people readable but not writable. PostgreSQL only.
    pub async fn people(server: &TestServer) -> Self {
        let slow = Self::watching(server).await;
        if let Some(it) = &slow.postgres {
            execute(&it.locks, "BEGIN; LOCK TABLE users IN SHARE MODE").await;
        }
        slow
    }

    /// Makes workspaces readable but not writable. PostgreSQL only.
    pub async fn workspaces(server: &TestServer) -> Self {
        let slow = Self::watching(server).await;
        if let Some(it) = &slow.postgres {
            let lock = "BEGIN; SELECT id FROM workspaces FOR NO KEY UPDATE";
            execute(&it.locks, lock).await;
        }
        slow
    }

    /// Waits until exactly `statements` PostgreSQL statements are waiting for a lock.
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

    /// Restores everything.
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

    /// Waits until an endless statement is running, which is the last of the `sent` statements that the
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

    /// Waits until no statement runs and no transaction is open for the server in PostgreSQL. Does
    /// nothing with SQLite, where a test can tell by the only reader being free again.
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

/// Opens a connection for the test itself.
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
