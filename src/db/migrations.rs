//! The migrations, embedded in the binary, and how they are run.

use anyhow::anyhow;
use diesel::migration::MigrationVersion;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::options::Kind;
use super::pool::Db;
use crate::error::{Error, Result};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
pub(super) const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// The key of the advisory lock under which migrations run on PostgreSQL: "tenantry" in ASCII.
const LOCK: i64 = 0x7465_6e61_6e74_7279;

diesel::table! {
    #[sql_name = "__diesel_schema_migrations"]
    done (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

/// Brings the database up to date, under a lock, so that several instances can start at once. Returns
/// the versions that were missing.
///
/// # Errors
/// If the database cannot be reached or a migration fails; a failed migration leaves nothing behind, and
/// none after it is run.
pub async fn migrate(db: &Db) -> Result<Vec<String>> {
    match db.kind() {
        Kind::Postgres => migrate_postgres(db).await,
        Kind::Sqlite => migrate_sqlite(db).await,
    }
}

async fn migrate_postgres(db: &Db) -> Result<Vec<String>> {
    // A separate connection: the lock ends with it, whatever happens.
    let mut conn = db.establish_postgres().await?;
    // The holder of the lock may be running migrations that take long, so waiting for it is not bounded.
    // Locks that a migration waits for are, because others queue behind it.
    conn.batch_execute("SET lock_timeout = 0").await?;
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(LOCK)
        .execute(&mut conn)
        .await?;
    conn.batch_execute("RESET lock_timeout").await?;
    // Diesel's harness blocks its thread.
    tokio::task::spawn_blocking(move || {
        let mut harness = AsyncMigrationHarness::new(conn);
        versions(harness.run_pending_migrations(POSTGRES))
    })
    .await
    .map_err(|error| anyhow!(error))?
}

async fn migrate_sqlite(db: &Db) -> Result<Vec<String>> {
    let mut conn = db.write().await?;
    conn.on_sqlite(|conn| {
        Ok(conn.immediate_transaction(|conn| versions(conn.run_pending_migrations(SQLITE))))
    })
    .await?
}

fn versions(
    outcome: diesel::migration::Result<Vec<MigrationVersion<'_>>>,
) -> Result<Vec<String>, Error> {
    let versions = outcome.map_err(|error| anyhow!("a migration failed: {error}"))?;
    Ok(versions.iter().map(ToString::to_string).collect())
}
