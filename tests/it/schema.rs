//! What the GraphQL schema promises, and the database tables behind it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl as _;
use rstest::rstest;
use serde_json::{Value, json};
use tenantry::access::permission::MUTATIONS;
use tenantry::db::{Connection, Kind};

use crate::support::{Client, Database, Postgres, Sqlite, TestServer, text};

/// A column as described by a database.
#[derive(QueryableByName, Debug)]
struct Row {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

/// The columns of each table in order: `name -> Nullable<Text>`.
type Tables = BTreeMap<String, Vec<String>>;

/// SQLite allows NULL in the primary key of a table with rowids; ours never is NULL.
const SQLITE: &str = r#"
    SELECT m.name AS of_table, c.name, lower(c.type) AS kind, (c."notnull" = 0 AND c.pk = 0) AS nullable
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' ORDER BY m.name, c.cid"#;

const POSTGRES: &str = "
    SELECT table_name::text AS of_table, column_name::text AS name, data_type::text AS kind,
        is_nullable = 'YES' AS nullable
    FROM information_schema.columns WHERE table_schema = 'public'
    ORDER BY table_name, ordinal_position";

/// The types in `src/schema.rs` that may stand for a column type of a database.
fn types_of(kind: Kind, sql_type: &str) -> &'static str {
    match (kind, sql_type) {
        (Kind::Sqlite, "blob") => "Id",
        (Kind::Sqlite, "integer") => "Instant Bool Integer BigInt",
        (Kind::Sqlite, "text") => "Text Json",
        (Kind::Postgres, "uuid") => "Id",
        (Kind::Postgres, "timestamp with time zone") => "Instant",
        (Kind::Postgres, "boolean") => "Bool",
        (Kind::Postgres, "integer") => "Integer",
        (Kind::Postgres, "bigint") => "BigInt",
        (Kind::Postgres, "text") => "Text Json",
        (Kind::Sqlite, "real") | (Kind::Postgres, "double precision") => "Double",
        (kind, other) => panic!("{other} on {kind:?} is no type that both databases have"),
    }
}

async fn rows(conn: &mut Connection, kind: Kind) -> Vec<Row> {
    let query = match kind {
        Kind::Sqlite => SQLITE,
        Kind::Postgres => POSTGRES,
    };
    tenantry::run!(conn, diesel::sql_query(query).load(conn).await).expect("the catalogue is read")
}

/// The tables as declared in `src/schema.rs`.
fn declared() -> Tables {
    let source = fs::read_to_string(root().join("src/schema.rs")).expect("the file");
    let mut tables = Tables::new();
    let mut table = None;
    for line in source.lines().map(str::trim) {
        if let Some((name, _)) = line
            .split_once(" (")
            .filter(|(_, rest)| rest.ends_with(") {"))
        {
            table = Some(name.to_owned());
        } else if let (Some(table), Some(column)) = (&table, line.strip_suffix(','))
            && column.contains(" -> ")
        {
            let columns: &mut Vec<_> = tables.entry(table.clone()).or_default();
            columns.push(column.to_owned());
        }
    }
    tables
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_those_of_the_migrations(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let db = &server.app().db;
    let mut conn = db.read().await.expect("a connection");
    let mut found: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows(&mut conn, db.kind()).await {
        if row.of_table != "__diesel_schema_migrations" {
            found.entry(row.of_table.clone()).or_default().push(row);
        }
    }
    let declared = declared();
    assert!(declared.len() > 5, "the file is understood");
    assert_eq!(
        declared.keys().collect::<Vec<_>>(),
        found.keys().collect::<Vec<_>>()
    );
    for (table, columns) in found {
        let as_declared = columns.iter().zip(&declared[&table]).map(|(row, column)| {
            let (_, kind) = column.split_once(" -> ").expect("a column");
            let kind = kind.trim_start_matches("Nullable<").trim_end_matches('>');
            let known = types_of(db.kind(), &row.kind);
            let kind = if known.split(' ').any(|known| known == kind) {
                kind
            } else {
                known
            };
            let Row { name, nullable, .. } = row;
            if *nullable {
                format!("{name} -> Nullable<{kind}>")
            } else {
                format!("{name} -> {kind}")
            }
        });
        let as_declared: Vec<_> = as_declared.collect();
        assert_eq!(as_declared, declared[&table], "{table}");
        assert_eq!(columns.len(), declared[&table].len(), "{table}");
    }
}

#[test]
fn the_printed_schema_is_current() {
    let printed = fs::read_to_string(root().join("schema.graphql")).unwrap_or_default();
    let schema = tenantry::graphql::schema(true);
    assert!(
        printed.trim_end() == tenantry::graphql::sdl(&schema).trim_end(),
        "schema.graphql is not what the code says; update it: cargo run -- schema > schema.graphql"
    );
}

const DESCRIPTIONS: &str = "{ __schema { types { name kind description
    fields { name description args { name description } }
    inputFields { name description }
    enumValues { name description }
} } }";

async fn types(client: &Client) -> Vec<Value> {
    let found = client.ok(DESCRIPTIONS, json!({})).await;
    let types = found["__schema"]["types"].as_array().cloned();
    types.expect("types")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_ends_with_what_it_takes() {
    let server = TestServer::start(Sqlite).await;
    let types = types(&server.anonymous()).await;
    let mutations = types.iter().find(|found| found["name"] == "Mutation");
    let fields = mutations.and_then(|found| found["fields"].as_array());
    let mut found = HashSet::new();
    for field in fields.expect("mutations") {
        let name = text(field, "name");
        let (_, takes) = MUTATIONS
            .iter()
            .find(|(mutation, _)| *mutation == name)
            .unwrap_or_else(|| panic!("{name} has no row in access::permission::MUTATIONS"));
        // The source's line breaks are kept in descriptions.
        let description = text(field, "description").replace('\n', " ");
        let sentence = takes.sentence();
        assert!(
            description.ends_with(&sentence),
            "{name} must end with {sentence:?}: {description}"
        );
        found.insert(name);
    }
    for (name, _) in MUTATIONS {
        assert!(
            found.remove(*name),
            "{name} is there twice, or is no mutation"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_the_schema_is_described() {
    let server = TestServer::start(Sqlite).await;
    let mut bare = Vec::new();
    for found in types(&server.anonymous()).await {
        let name = text(&found, "name");
        if name.starts_with("__") || ["ID", "Int", "Float", "String", "Boolean"].contains(&&*name) {
            continue;
        }
        let mut look = |of: &Value, path: String| {
            let is_bare = of["description"].as_str().is_none_or(str::is_empty);
            if is_bare {
                bare.push(path);
            }
        };
        look(&found, name.clone());
        for kind in ["fields", "inputFields", "enumValues"] {
            for member in found[kind].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", text(member, "name"));
                look(member, path.clone());
                for argument in member["args"].as_array().into_iter().flatten() {
                    look(argument, format!("{path}({})", text(argument, "name")));
                }
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}
