//! How the database executes the server's statements.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use tenantry::db::{Inner, Kind, Transaction};
use tenantry::run;
use uuid::Uuid;

use super::server::TestServer;

/// A statement that the server sent, and the steps in which the database executes it, independent of its
/// values.
#[derive(Debug)]
pub struct Plan {
    /// The text, with names in double quotes on both databases.
    pub sql: String,
    /// The lines of the generic plan on PostgreSQL, and of the query plan on SQLite.
    pub steps: Vec<String>,
    kind: Kind,
}

#[derive(QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    text: String,
}

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

impl TestServer {
    /// Returns the plans of the queries that the server sends for `request`, and the result of that.
    pub async fn plans<T>(&self, request: impl Future<Output = T>) -> (Vec<Plan>, T) {
        let db = &self.app().db;
        db.statements().record();
        let outcome = request.await;
        let texts = db.statements().recorded();
        let queries = texts.iter().filter(|text| text.starts_with("SELECT"));
        let mut plans = Vec::new();
        for sql in queries {
            let kind = db.kind();
            let steps = db.transaction(async |tx| {
                Ok(match kind {
                    Kind::Postgres => postgres_steps(tx, sql).await,
                    Kind::Sqlite => sqlite_steps(tx, sql).await,
                })
            });
            plans.push(Plan {
                sql: sql.replace('`', "\""),
                steps: steps.await.expect("the transaction ends"),
                kind,
            });
        }
        (plans, outcome)
    }

    /// Inserts `rows` rows with one statement, which is fast. In the columns, `n` is the number of the
    /// row, from 0; `{id:x}` stands for the [id of that number](numbered), `{uuid:x}` for that UUID,
    /// `{now}` for an instant, and `{true}` for true.
    pub async fn insert_series(&self, rows: usize, into: &str, columns: &str) {
        let kind = self.app().db.kind();
        let last = rows - 1;
        let columns = columns
            .replace(
                "{now}",
                by(kind, "'2026-01-01Z'::timestamptz", "1767225600000000"),
            )
            .replace("{true}", by(kind, "true", "1"));
        let columns = marked(&columns, "{id:", |number| match kind {
            Kind::Postgres => {
                format!("('01900000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid")
            }
            Kind::Sqlite => format!("unhex('01900000000070008000' || printf('%012x', {number}))"),
        });
        let columns = marked(&columns, "{uuid:", |uuid| match kind {
            Kind::Postgres => format!("'{uuid}'::uuid"),
            Kind::Sqlite => format!("x'{}'", uuid.replace('-', "")),
        });
        self.batch(&match kind {
            Kind::Postgres => format!(
                "INSERT INTO {into} SELECT {columns} FROM generate_series(0, {last}) AS series(n)"
            ),
            Kind::Sqlite => format!(
                "INSERT INTO {into} WITH RECURSIVE series(n) AS
                    (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < {last})
                    SELECT {columns} FROM series"
            ),
        })
        .await;
    }

    /// Makes PostgreSQL update its statistics, as its daemon does from time to time. SQLite has none
    /// here, as in production.
    pub async fn analyze(&self) {
        if self.app().db.kind() == Kind::Postgres {
            self.batch("ANALYZE").await;
        }
    }

    /// Runs the statements, in one transaction.
    pub async fn batch(&self, sql: &str) {
        let outcome = self.app().db.transaction(async |tx| {
            match tx.inner() {
                Inner::Postgres(conn) => conn.prepared().batch_execute(sql).await?,
                Inner::Sqlite(conn) => conn.batch_execute(sql).await?,
            }
            Ok(())
        });
        outcome.await.expect(sql);
    }
}

fn by<'a>(kind: Kind, postgres: &'a str, sqlite: &'a str) -> &'a str {
    match kind {
        Kind::Postgres => postgres,
        Kind::Sqlite => sqlite,
    }
}

/// Replaces the mark and what follows it, up to the next closing brace.
fn marked(text: &str, mark: &str, write: impl Fn(&str) -> String) -> String {
    let mut parts = text.split(mark);
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (inside, after) = part.split_once('}').expect("the mark ends");
        written += &write(inside);
        written += after;
    }
    written
}

/// Returns the UUID that stands for a number in [`TestServer::insert_series`].
pub fn numbered(number: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(number))
}

/// Returns the generic plan, which does not depend on the values: the sessions are set to use no other.
async fn postgres_steps(tx: &mut Transaction, sql: &str) -> Vec<String> {
    // The argument of `unnest` is the only parameter whose type PostgreSQL cannot infer.
    let typed = sql.replace("unnest($1)", "unnest($1::uuid[])");
    let parameters = (1..).take_while(|n| typed.contains(&format!("${n}")));
    let nulls = vec!["NULL"; parameters.count()].join(", ");
    let arguments = if nulls.is_empty() {
        nulls
    } else {
        format!("({nulls})")
    };
    let prepare = format!("PREPARE asked AS {typed}");
    let explain = format!("EXPLAIN EXECUTE asked{arguments}");
    let Inner::Postgres(conn) = tx.inner() else {
        unreachable!("it is PostgreSQL");
    };
    let conn = &mut conn.prepared();
    conn.batch_execute(&prepare).await.expect(sql);
    let steps: Vec<PostgresStep> = diesel::sql_query(explain).load(conn).await.expect(sql);
    conn.batch_execute("DEALLOCATE asked").await.expect(sql);
    steps.into_iter().map(|step| step.text).collect()
}

async fn sqlite_steps(tx: &mut Transaction, sql: &str) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let steps: Vec<SqliteStep> = run!(tx, diesel::sql_query(&explain).load(tx).await).expect(sql);
    steps.into_iter().map(|step| step.detail).collect()
}

impl Plan {
    /// Whether the statement reads a page of the table, in the order of its ids.
    pub fn is_page_of(&self, table: &str) -> bool {
        self.sql.contains(&format!(" ORDER BY \"{table}\".\"id\" "))
    }

    /// Whether rows of the table are read.
    pub fn reads(&self, table: &str) -> bool {
        self.steps
            .iter()
            .any(|step| table_of(self.kind, step) == Some(table))
    }

    /// Fails unless the rows of the table are read through the index only, and already in the desired
    /// order, so that no rows beyond the page are read.
    pub fn assert_served_from(&self, table: &str, index: &str) {
        self.assert_bounded_by(table, index);
        for step in &self.steps {
            // A bitmap scan reads rows in the order of the table.
            let is_sort = match self.kind {
                Kind::Postgres => step.contains("Sort  (cost") || step.contains("Bitmap Heap Scan"),
                Kind::Sqlite => step.contains("USE TEMP B-TREE"),
            };
            assert!(!is_sort, "it sorts: {self:#?}");
        }
    }

    /// Fails unless the index determines which rows of the table are read, sorted or not.
    pub fn assert_bounded_by(&self, table: &str, index: &str) {
        assert!(self.reads(table), "{table} is not read: {self:#?}");
        let bitmap = format!("Bitmap Index Scan on {index} ");
        let of_index = self.steps.iter().any(|step| step.contains(&bitmap));
        for step in &self.steps {
            if table_of(self.kind, step) == Some(table) {
                let by_index = match self.kind {
                    Kind::Postgres if step.contains("Bitmap Heap Scan") => of_index,
                    Kind::Postgres => step.contains(&format!(" using {index} on ")),
                    Kind::Sqlite => {
                        step.starts_with("SEARCH ") && step.contains(&format!(" INDEX {index} ("))
                    }
                };
                assert!(by_index, "{step} instead of {index}: {self:#?}");
            }
        }
    }
}

/// Returns the table whose rows the step reads, if it reads any.
fn table_of(kind: Kind, step: &str) -> Option<&str> {
    let rest = match kind {
        // `Index Scan Backward using answers_of_run on answers  (cost=…)`. A bitmap index scan reads
        // only the index, for the bitmap of another step.
        Kind::Postgres if step.contains("Bitmap Index Scan") => return None,
        Kind::Postgres => step.split_once("Scan")?.1.split_once(" on ")?.1,
        Kind::Sqlite => step
            .strip_prefix("SEARCH ")
            .or_else(|| step.strip_prefix("SCAN "))?,
    };
    rest.split_whitespace().next()
}
