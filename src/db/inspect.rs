//! What operators want to know about a database.

use anyhow::anyhow;
use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;

use super::connection::Connection;
use super::migrations::{SQLITE, done};
use super::options::Kind;
use super::pool::Db;
use crate::error::{Error, Result};
use crate::run;

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    n: i32,
}

/// Returns the database's name and version, such as `PostgreSQL 17.2`.
///
/// # Errors
/// Database errors only.
pub async fn version(conn: &mut Connection) -> Result<String> {
    let query = match conn.kind() {
        Kind::Postgres => "SELECT 'PostgreSQL ' || current_setting('server_version') AS version",
        Kind::Sqlite => "SELECT 'SQLite ' || sqlite_version() AS version",
    };
    let found: Version = run!(conn, diesel::sql_query(query).get_result(conn).await)?;
    Ok(found.version)
}

/// Checks whether statements that take too long are stopped, as far as that is a setting of the
/// database.
///
/// # Errors
/// Database errors only.
pub async fn is_bounded(conn: &mut Connection) -> Result<bool> {
    let query = match conn.kind() {
        Kind::Postgres => "SELECT (current_setting('statement_timeout') <> '0')::int AS n",
        Kind::Sqlite => return Ok(true),
    };
    let found: Number = run!(conn, diesel::sql_query(query).get_result(conn).await)?;
    Ok(found.n > 0)
}

/// Checks whether PostgreSQL reports its errors in another language than English, in which they are not
/// recognized, and returns what the operator has to run if so.
///
/// # Errors
/// Database errors only.
pub async fn foreign_messages(conn: &mut Connection) -> Result<Option<ForeignMessages>> {
    if conn.kind() == Kind::Sqlite {
        return Ok(None);
    }
    let query =
        "SELECT current_setting('lc_messages') AS locale, quote_ident(current_user) AS role";
    let found: ForeignMessages = run!(conn, diesel::sql_query(query).get_result(conn).await)?;
    Ok(Some(found).filter(|found| !is_english(&found.locale)))
}

/// A PostgreSQL that reports its errors in another language than English.
#[derive(QueryableByName, Debug)]
pub struct ForeignMessages {
    /// The locale of its messages, such as `de_DE.UTF-8`.
    #[diesel(sql_type = Text)]
    locale: String,
    /// The role we connect as, quoted for SQL.
    #[diesel(sql_type = Text)]
    role: String,
}

impl std::fmt::Display for ForeignMessages {
    /// Writes what is wrong, and the statement to run.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { locale, role } = self;
        write!(
            f,
            "reports errors in the language of {locale}, so transient ones cannot be recognized; as a \
             superuser, run: ALTER ROLE {role} SET lc_messages = 'C'"
        )
    }
}

/// Returns whether messages in that locale are English. An empty locale stands for the server's
/// environment, which the server does not reveal.
fn is_english(locale: &str) -> bool {
    let language = locale.split(['.', '_', '@']).next().unwrap_or_default();
    matches!(language, "" | "C" | "POSIX" | "en") || language.starts_with("English")
}

/// Checks that the file of a SQLite database can be written, by trying to. Waits for another writer, and
/// takes a file that stays locked for writable.
///
/// # Errors
/// If the file cannot be written.
pub async fn prove_writable(db: &Db) -> Result<()> {
    if db.kind() == Kind::Postgres {
        return Ok(());
    }
    let mut conn = db.write().await?;
    let write = |conn: &mut SqliteConnection| {
        conn.immediate_transaction(|conn| {
            conn.batch_execute("PRAGMA user_version = 1")?;
            QueryResult::<()>::Err(RollbackTransaction)
        })
    };
    match conn.on_sqlite(write).await {
        Err(Error::Database(RollbackTransaction)) => Ok(()),
        Err(error) if error.is_contention() => Ok(()),
        written => written,
    }
}

/// The migrations in which the database and this binary differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Migrations that have yet to run.
    pub missing: Vec<String>,
    /// Migrations that a newer binary has run.
    pub unknown: Vec<String>,
}

/// Compares the database's migrations with this binary's. In an empty database, all are missing.
///
/// # Errors
/// Database errors only.
pub async fn standing(conn: &mut Connection) -> Result<Standing> {
    let known = known()?;
    let ran: Vec<String> = match is_any_done(conn).await? {
        true => run!(conn, done::table.select(done::version).load(conn).await)?,
        false => Vec::new(),
    };
    let beyond = |of: &[String], other: &[String]| {
        let beyond = of.iter().filter(|version| !other.contains(version));
        beyond.cloned().collect()
    };
    Ok(Standing {
        missing: beyond(&known, &ran),
        unknown: beyond(&ran, &known),
    })
}

/// Returns the versions of this binary's migrations.
fn known() -> Result<Vec<String>> {
    let known = MigrationSource::<Sqlite>::migrations(&SQLITE).map_err(|error| anyhow!(error))?;
    let versions = known.iter().map(|it| it.name().version().to_string());
    Ok(versions.collect())
}

async fn is_any_done(conn: &mut Connection) -> Result<bool> {
    let query = match conn.kind() {
        Kind::Postgres => {
            "SELECT (to_regclass('__diesel_schema_migrations') IS NOT NULL)::int AS n"
        }
        Kind::Sqlite => {
            "SELECT count(*) AS n FROM sqlite_master WHERE name = '__diesel_schema_migrations'"
        }
    };
    let tables: Number = run!(conn, diesel::sql_query(query).get_result(conn).await)?;
    Ok(tables.n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_english_from_other_languages() {
        for locale in [
            "C",
            "POSIX",
            "C.UTF-8",
            "en_US.utf8",
            "en",
            "English_United States.1252",
        ] {
            assert!(is_english(locale), "{locale}");
        }
        for locale in ["de_DE.UTF-8", "German_Germany.1252", "eno", "es"] {
            assert!(!is_english(locale), "{locale}");
        }
    }
}
