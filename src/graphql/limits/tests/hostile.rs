use std::time::{Duration, Instant};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{EmptyMutation, EmptySubscription, Json, Object, Request, Schema, Variables};

use super::super::{Shape, check, check_text};
use super::{INTROSPECTION, ask, chosen, each, shape, told, tower};
use crate::error::{Error, ErrorCode};

/// A schema for the real validator.
pub(super) struct Query;

#[Object]
#[allow(clippy::unused_async, reason = "resolvers are")]
impl Query {
    async fn number(&self, x: Option<i32>) -> i32 {
        x.unwrap_or_default()
    }

    async fn json(&self, value: Option<Json<serde_json::Value>>) -> bool {
        value.is_some()
    }

    async fn query(&self) -> Self {
        Query
    }

    async fn queries(&self, first: Option<i32>) -> Vec<Query> {
        (0..first.unwrap_or(20)).map(|_| Query).collect()
    }
}

pub(super) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .limit_recursive_depth(super::super::MAX_NESTING)
        .finish()
}

/// Returns how long it takes to check a document: the shortest of several runs, since the machine
/// may be busy with other things.
fn time(text: &str, document: &ExecutableDocument) -> (Duration, Result<(), Error>) {
    let shape = shape();
    let variables = Variables::default();
    let once = || {
        let start = Instant::now();
        let _ = check_text(text);
        let result = check(&shape, document, chosen(document, None), &variables).map(drop);
        (start.elapsed(), result)
    };
    let tries = (0..5).map(|_| once());
    tries.min_by_key(|(time, _)| *time).unwrap()
}

#[test]
fn bombs_are_refused_without_going_off() {
    for (levels, width) in [(24, 2), (24, 10), (60, 3), (200, 2), (200, 10), (1_000, 2)] {
        for leaf in ["viewer { id }", "...Missing"] {
            let text = format!("{{ ...F0 }} {}", tower(levels, width, "Root", leaf));
            let (time, result) = time(&text, &parse_query(&text).unwrap());
            assert!(told(result).contains("fields once its fragments are expanded"));
            assert!(
                time < Duration::from_millis(50),
                "{levels} × {width}: {time:?}"
            );
        }
    }
    // Nested in fields, and multiplying lists.
    let text = "{ workspaces { nodes { ...F0 } } } ".to_owned()
        + &each(12, |i| {
            format!(
                "fragment F{} on Workspace {{ organization {{ workspaces {{ nodes {{ ...F{i} ...F{i} }} }} }} }} ",
                i - 1
            )
        })
        + "fragment F12 on Workspace { id }";
    let (time, result) = time(&text, &parse_query(&text).unwrap());
    assert_ne!(told(result), "");
    assert!(time < Duration::from_millis(50), "{time:?}");
}

#[test]
fn wide_documents_take_linear_time() {
    let leaf = "fragment F on Root { viewer { id } }";
    for (text, code) in [
        (
            format!("{{ {} }} {leaf}", "...F ".repeat(20_000)),
            ErrorCode::QueryTooComplex,
        ),
        (
            format!("{{ {} }}", "...Missing ".repeat(10_000)),
            ErrorCode::QueryTooComplex,
        ),
        (
            each(4_000, |i| format!("query Q{i} {{ ...F }} ")) + leaf,
            ErrorCode::QueryTooComplex,
        ),
        (
            each(2_000, |i| {
                format!("fragment G{i} on Root {{ {} }} ", "...F ".repeat(5))
            }) + leaf
                + "{ id }",
            ErrorCode::QueryTooComplex,
        ),
        // Each fragment spreads all that come after it.
        (
            each(200, |i| {
                format!(
                    "fragment G{i} on Root {{ id {} }} ",
                    each(200 - i, |j| format!("...G{} ", i + j))
                )
            }) + "{ ...G1 }",
            ErrorCode::QueryTooComplex,
        ),
        // A cycle of fragments, and one in which each spreads the next many times.
        (
            each(3_000, |i| {
                format!("fragment G{i} on Root {{ ...G{} }} ", i % 3_000 + 1)
            }) + "{ ...G1 }",
            ErrorCode::GraphqlValidationFailed,
        ),
        (
            each(100, |i| {
                format!(
                    "fragment G{i} on Root {{ {} }} ",
                    format!("...G{} ", i % 100 + 1).repeat(150)
                )
            }) + "{ ...G1 }",
            ErrorCode::GraphqlValidationFailed,
        ),
    ] {
        assert!(
            text.len() > 80_000 && text.len() < 250_000,
            "{}",
            text.len()
        );
        let (time, result) = time(&text, &parse_query(&text).unwrap());
        assert_eq!(result.unwrap_err().code(), code);
        assert!(time < Duration::from_millis(150), "{time:?}: {text:.80}");
    }
}

#[test]
fn what_the_validator_would_multiply_is_refused() {
    let arguments = |count| each(count, |i| format!("x{i}: 1 "));
    let undefined = |count| each(count, |i| format!("x: $v{i} "));
    for (query, expected) in [
        (
            format!(
                "{{ number({}) {} }}",
                arguments(1_250),
                "number ".repeat(4_900)
            ),
            "6,126,250 fields and arguments to compare",
        ),
        (
            format!(
                "{{ ...F0 }} {}",
                tower(30, 1, "Query", &"number number(x: 1) ".repeat(900))
            ),
            "57,600 fields and arguments to compare",
        ),
        (
            each(800, |i| format!("query Q{i} {{ ...F }} "))
                + &format!("fragment F on Query {{ number({}) }}", undefined(1_200)),
            "960,000 values once",
        ),
        (
            format!("query($v: JSON) {{ {} }}", "json(value: $v) ".repeat(30)),
            "variables come to 1,200,030 values",
        ),
        (
            format!(
                "query($v: JSON) {{ ...F0 }} {}",
                tower(5, 2, "Query", "... @include(if: [$v]) { number }")
            ),
            "variables come to 1,280,064 values",
        ),
        (
            format!(
                "query($v: JSON = \"{}\") {{ {} }}",
                "a".repeat(900_000),
                "json(value: $v) ".repeat(80)
            ),
            "variables come to 1,125,040 values",
        ),
    ] {
        let variables = serde_json::json!({"v": vec![0; 40_000]});
        let variables = Variables::from_json(if query.contains("= \"") {
            serde_json::json!({})
        } else {
            variables
        });
        check_text(&query).unwrap();
        let document = parse_query(&query).unwrap();
        let told = told(check(
            &shape(),
            &document,
            chosen(&document, None),
            &variables,
        ));
        assert!(told.contains(expected), "{told}");
    }
    // A value as large as a body of 1 MiB can hold may be used once.
    let variables = Variables::from_json(serde_json::json!({"v": vec![0; 500_000]}));
    let document = parse_query("query($v: JSON) { json(value: $v) }").unwrap();
    assert!(check(&shape(), &document, chosen(&document, None), &variables).is_ok());
}

#[tokio::test]
async fn defaults_are_of_a_type_that_exists() {
    let shape = Shape::of(&schema().sdl());
    let of = |ty: &str, default: &str| {
        let query = format!("query($v: {ty}{default}) {{ number }}");
        let document = parse_query(query).unwrap();
        check(
            &shape,
            &document,
            chosen(&document, None),
            &Variables::default(),
        )
    };
    for ty in ["Missing", "[Missing]", "[Missing!]!", "[[Missing]]"] {
        let error = of(ty, " = [1]").unwrap_err();
        assert_eq!(error.code(), ErrorCode::GraphqlValidationFailed);
        assert_eq!(error.to_string(), "Unknown type \"Missing\".");
        assert!(of(ty, "").is_ok());
    }
    for ty in [
        "[Int!]!",
        "[ID]",
        "[String]",
        "[Float]",
        "[Boolean]",
        "[JSON]",
        "[Query]",
        "[__TypeKind]",
        "Int",
    ] {
        assert!(of(ty, " = [1]").is_ok());
        // The validator panics on a type that it does not know, but on none of these.
        let query = format!("query($v: {ty} = [1]) {{ number }}");
        assert!(!schema().execute(query).await.errors.is_empty());
    }
}

/// Runs the real validator on the most expensive documents that pass. The time it takes is a small
/// part of the bound, which only has to tell a second from a minute.
#[tokio::test]
async fn what_passes_is_validated_in_no_time() {
    let schema = schema();
    let shape = Shape::of(&schema.sdl());
    for query in [
        format!("{{ {} }}", "number ".repeat(5_000)),
        format!("{{ {} }}", "__typename ".repeat(5_000)),
        format!("{{ {} }}", "number(x: 1) ".repeat(1_660)),
        format!("{{ {} }}", "number number(x: 1) ".repeat(1_400)),
        format!("{{ {} }}", "query { number } ".repeat(2_400)),
        format!("{{ {} }}", each(2_400, |i| format!("...{{ unknown{i} }} "))),
        format!(
            "{{ number({}) {} }}",
            each(9, |i| format!("x{i}: 1 ")),
            "number ".repeat(4_900)
        ),
        format!(
            "{{ ...F0 }} {}",
            tower(10, 2, "Query", "number number query { number }")
        ),
        format!(
            "{{ ...F0 }} {}",
            tower(60, 1, "Query", &"number number(x: 1) ".repeat(350))
        ),
        each(500, |i| format!("query Q{i}($v: Int) {{ ...F }} "))
            + &format!(
                "fragment F on Query {{ {} }}",
                each(9, |i| format!("number(x: $v{i}) "))
            ),
        format!(
            "{{ queries(first: 100) {{ queries(first: 100) {{ {} }} }} }}",
            "number ".repeat(5)
        ),
        INTROSPECTION.to_owned(),
        format!(
            "{{ __schema {{ types {{ fields {{ {} }} }} }} }}",
            "name ".repeat(1_900)
        ),
    ] {
        check_text(&query).unwrap();
        let document = parse_query(&query).unwrap();
        check(
            &shape,
            &document,
            chosen(&document, None),
            &Variables::default(),
        )
        .unwrap();
        let mut request = Request::new(query.clone());
        request.set_parsed_query(document);
        let start = Instant::now();
        let response = schema.execute(request).await;
        let time = start.elapsed();
        assert!(
            response.errors.len() <= 50_000,
            "{}: {query:.80}",
            response.errors.len()
        );
        assert!(time < Duration::from_secs(10), "{time:?}: {query:.80}");
    }
}

#[test]
fn counts_do_not_overflow() {
    // 20 to the power of 60.
    let fields = format!("{{ ...F0 }} {}", tower(60, 20, "Root", "viewer { id }"));
    assert!(told(ask(&fields)).starts_with("The document asks for more than 1,000,000,000 fields"));
}
