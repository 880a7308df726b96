//! Writing hundreds of thousands of rows, bypassing Diesel's types: COPY on PostgreSQL, long statements
//! on SQLite. For filling an empty database; requests go through Diesel.

use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::Arc;

use anyhow::anyhow;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::BoxedSqlQuery;
use diesel::query_builder::SqlQuery;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use futures_util::{SinkExt as _, pin_mut};
use uuid::Uuid;

use super::options::Kind;
use super::pool::Db;
use super::types::Instant;
use crate::error::Result;
use crate::run;

/// Rows per statement on SQLite, which allows 32,766 values: no table has more than 30 columns.
const ROWS: usize = 100;

/// The page cache for writing to many indexes on SQLite: 64 MiB.
const SQLITE_SETUP: &str = "PRAGMA cache_size = -65536";

/// A table and the columns that are written.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The table's name.
    pub name: &'static str,
    /// The columns' names, in the order of a row's values.
    pub columns: &'static [&'static str],
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// An id.
    Id(Uuid),
    /// Text, without U+0000.
    Text(String),
    /// An integer.
    Integer(i64),
    /// True or false.
    Bool(bool),
    /// A point in time.
    At(Instant),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Instant> for Value {
    fn from(at: Instant) -> Self {
        Self::At(at)
    }
}

/// The values of a row, in the order of its table's columns.
pub type Row = Vec<Value>;

/// Writes rows in batches.
pub struct Bulk<'a> {
    db: &'a Db,
    /// A separate connection: Diesel's does not support COPY.
    postgres: Option<tokio_postgres::Client>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

impl<'a> Bulk<'a> {
    /// Opens a connection for COPY, on PostgreSQL.
    ///
    /// # Errors
    /// `UNAVAILABLE` if the database cannot be reached.
    pub async fn open(db: &'a Db) -> Result<Self> {
        let postgres = match db.kind() {
            Kind::Postgres => Some(db.connect_bare().await?),
            Kind::Sqlite => None,
        };
        Ok(Self { db, postgres })
    }

    /// Counts the table's rows, once other writers on SQLite are done.
    ///
    /// # Errors
    /// Database errors only.
    pub async fn count(&self, table: &Table) -> Result<u64> {
        let query = format!("SELECT count(*) AS n FROM {}", table.name);
        self.db
            .transaction(async |tx| {
                let found: Count = run!(tx, {
                    let query = diesel::sql_query(&query);
                    diesel_async::RunQueryDsl::get_result(query, tx).await
                })?;
                Ok(u64::try_from(found.n).unwrap_or_default())
            })
            .await
    }

    /// Writes the rows in one transaction: all of them, or none.
    ///
    /// # Errors
    /// Database errors only.
    pub async fn write(&self, table: &Table, rows: Vec<Row>) -> Result<()> {
        match &self.postgres {
            Some(client) => copy(client, table, &rows).await,
            None => self.insert(table, rows).await,
        }
    }

    /// Analyzes the database, so that PostgreSQL plans well from the start.
    ///
    /// # Errors
    /// Database errors only.
    pub async fn finish(self) -> Result<()> {
        if let Some(client) = &self.postgres {
            client
                .batch_execute("ANALYZE")
                .await
                .map_err(|error| anyhow!(error))?;
        }
        Ok(())
    }

    async fn insert(&self, table: &Table, rows: Vec<Row>) -> Result<()> {
        let (table, rows) = (*table, Arc::new(rows));
        self.db
            .transaction(async |tx| {
                let rows = Arc::clone(&rows);
                tx.on_sqlite(move |conn| insert_all(conn, &table, &rows))
                    .await
            })
            .await
    }
}

async fn copy(client: &tokio_postgres::Client, table: &Table, rows: &[Row]) -> Result<()> {
    let statement = format!("COPY {} ({}) FROM STDIN", table.name, columns(table));
    let failed = |error: tokio_postgres::Error| {
        anyhow::Error::new(error).context(format!("COPY {}", table.name))
    };
    let sink = client.copy_in(&statement).await.map_err(failed)?;
    pin_mut!(sink);
    let mut text = String::new();
    for row in rows {
        for (index, value) in row.iter().enumerate() {
            if index > 0 {
                text.push('\t');
            }
            write_value(&mut text, value);
        }
        text.push('\n');
    }
    // Unless finished, the COPY is rolled back.
    sink.send(Cursor::new(text.into_bytes()))
        .await
        .map_err(failed)?;
    sink.finish().await.map_err(failed)?;
    Ok(())
}

/// Writes a value in the text format of COPY.
///
/// <https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2>
fn write_value(text: &mut String, value: &Value) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Null => write!(text, "\\N"),
        Value::Id(id) => write!(text, "{id}"),
        Value::Integer(number) => write!(text, "{number}"),
        Value::Bool(value) => write!(text, "{}", if *value { 't' } else { 'f' }),
        Value::At(at) => write!(text, "{at}"),
        Value::Text(value) => {
            for c in value.chars() {
                match c {
                    '\\' => text.push_str("\\\\"),
                    '\n' => text.push_str("\\n"),
                    '\r' => text.push_str("\\r"),
                    '\t' => text.push_str("\\t"),
                    c => text.push(c),
                }
            }
            Ok(())
        }
    };
}

fn columns(table: &Table) -> String {
    table.columns.join(", ")
}

fn insert_all(conn: &mut SqliteConnection, table: &Table, rows: &[Row]) -> QueryResult<()> {
    conn.batch_execute(SQLITE_SETUP)?;
    let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
    for rows in rows.chunks(ROWS) {
        let values = vec![row.as_str(); rows.len()].join(", ");
        let (name, columns) = (table.name, columns(table));
        let statement = format!("INSERT INTO {name} ({columns}) VALUES {values}");
        let mut query = diesel::sql_query(statement).into_boxed::<Sqlite>();
        for value in rows.iter().flatten() {
            query = bind(query, value);
        }
        diesel::RunQueryDsl::execute(query, conn)?;
    }
    Ok(())
}

type Bound<'a> = BoxedSqlQuery<'a, Sqlite, SqlQuery>;

fn bind<'a>(query: Bound<'a>, value: &'a Value) -> Bound<'a> {
    match value {
        Value::Null => query.bind::<Nullable<Text>, _>(None::<String>),
        Value::Id(id) => query.bind::<Binary, _>(&id.as_bytes()[..]),
        Value::Text(text) => query.bind::<Text, _>(text.as_str()),
        Value::Integer(number) => query.bind::<BigInt, _>(*number),
        Value::Bool(value) => query.bind::<Bool, _>(*value),
        Value::At(at) => query.bind::<BigInt, _>(at.micros()),
    }
}
