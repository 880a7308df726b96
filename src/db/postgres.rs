//! Connecting to PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::statements::Statements;
use super::tls;
use crate::error::causes;

/// The half of a connection that has to be polled.
pub type PgWire =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Returns the settings of a session, which are sent when it starts. A pooler that lends one connection
/// to several sessions in turn refuses them there; with `SET`, it would let them leak into later
/// sessions.
///
/// A statement is planned once per session, not again for its parameters: the indexes are made for plans
/// that suit all values, and planning a page of several parents takes longer than reading it.
pub fn settings(read_only: bool, statement_timeout: Duration) -> String {
    format!(
        "-c statement_timeout={} -c default_transaction_read_only={read_only} \
         -c idle_in_transaction_session_timeout=60000 -c lock_timeout=10000 \
         -c plan_cache_mode=force_generic_plan",
        statement_timeout.as_millis(),
    )
}

/// Connects Diesel, with these settings (`-c name=value`).
pub async fn establish_postgres(
    url: &str,
    settings: &str,
    statements: Statements,
) -> ConnectionResult<AsyncPgConnection> {
    let (client, connection) = connect_postgres(url, settings).await?;
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    conn.set_instrumentation(statements);
    Ok(conn)
}

/// Connects to the PostgreSQL at `url`, with TLS as the URL says. The settings (`-c name=value`) follow
/// those of the URL.
pub async fn connect_postgres(url: &str, settings: &str) -> ConnectionResult<(Client, PgWire)> {
    let bad = |error: &dyn std::fmt::Display| ConnectionError::BadConnection(error.to_string());
    let mut config = parse(url).map_err(|error| bad(&error))?;
    if config.get_application_name().is_none() {
        config.application_name("tenantry");
    }
    if !settings.is_empty() {
        let own = config.get_options().unwrap_or_default();
        let all = format!("{own} {settings}");
        config.options(all.trim_start());
    }
    // Otherwise, a connection that only listens does not notice that the other side is gone.
    config.keepalives_idle(Duration::from_secs(30));
    // Nor does one that waits for an answer to something that never arrived.
    config.tcp_user_timeout(Duration::from_secs(10));
    let tls = tls::connector(must_verify(url)).map_err(|error| bad(&error))?;
    config
        .connect(tls)
        .await
        // The `Display` of tokio-postgres's errors leaves out their causes.
        .map_err(|error| bad(&causes(&error)))
}

/// tokio-postgres does not know `verify-full`, which is `require` and more.
const VERIFY: &str = "sslmode=verify-full";

fn must_verify(url: &str) -> bool {
    url.contains(VERIFY)
}

/// Parses the URL of a PostgreSQL database.
///
/// # Errors
/// If the text is not such a URL.
pub fn parse(url: &str) -> Result<Config, tokio_postgres::Error> {
    Config::from_str(&url.replace(VERIFY, "sslmode=require"))
}
