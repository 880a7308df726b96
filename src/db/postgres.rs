//! Connecting to PostgreSQL.

use std::str::FromStr;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::statements::Statements;
use super::tls;

/// The half of a connection that has to be polled.
pub type PgWire =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A connection that has its bounds, and cannot write where it is `read_only`.
pub async fn establish_postgres(
    url: &str,
    read_only: bool,
    statement_timeout: Duration,
    statements: Statements,
) -> ConnectionResult<AsyncPgConnection> {
    let (client, connection) = connect_postgres(url).await?;
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    let setup = format!(
        "SET statement_timeout = {}; SET default_transaction_read_only = {read_only}; \
         SET idle_in_transaction_session_timeout = 60000; SET lock_timeout = 10000",
        statement_timeout.as_millis(),
    );
    conn.batch_execute(&setup)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    conn.set_instrumentation(statements);
    Ok(conn)
}

/// A bare connection to the PostgreSQL at that URL, with TLS as the URL says.
pub async fn connect_postgres(url: &str) -> ConnectionResult<(Client, PgWire)> {
    let bad = |error: &dyn std::fmt::Display| ConnectionError::BadConnection(error.to_string());
    let mut config = parse(url).map_err(|error| bad(&error))?;
    if config.get_application_name().is_none() {
        config.application_name("tenantry");
    }
    // A connection that only listens does not notice otherwise that the other side is gone.
    config.keepalives_idle(Duration::from_secs(30));
    let tls = tls::connector(must_verify(url)).map_err(|error| bad(&error))?;
    config
        .connect(tls)
        .await
        .map_err(|error| bad(&Causes(&error)))
}

/// tokio-postgres does not know `verify-full`, which is `require` and more.
const VERIFY: &str = "sslmode=verify-full";

fn must_verify(url: &str) -> bool {
    url.contains(VERIFY)
}

/// What the URL says.
///
/// # Errors
/// Where it is none.
pub fn parse(url: &str) -> Result<Config, tokio_postgres::Error> {
    Config::from_str(&url.replace(VERIFY, "sslmode=require"))
}

/// An error with its causes on one line: that of tokio-postgres does not print them.
struct Causes<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
