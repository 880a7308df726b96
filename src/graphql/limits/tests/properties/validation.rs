//! Runs the validator and the executor on documents that are let in.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use async_graphql::parser::parse_query;
use async_graphql::{EmptyMutation, EmptySubscription, Request, Schema, Variables};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::super::chosen;
use super::super::hostile::{Query, schema};
use crate::graphql::limits::{Shape, check, check_text};

struct Real {
    schema: Schema<Query, EmptyMutation, EmptySubscription>,
    shape: Shape,
    runtime: Runtime,
}

static REAL: LazyLock<Real> = LazyLock::new(|| {
    let schema = schema();
    Real {
        shape: Shape::of(&schema.sdl()),
        schema,
        runtime: tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
    }
});

/// Generates selections on `Query`, valid and invalid, each repeated a number of times.
fn selection() -> impl Strategy<Value = String> {
    const LEAVES: [&str; 14] = [
        "number ",
        "number(x: 1) ",
        "number(x: $v) ",
        "number(x: [1 2 3]) ",
        "number(y: 1) ",
        "a: number ",
        "a: number(x: 2) ",
        "json(value: {a: [$v {b: $w}]}) ",
        "json(value: $w) ",
        "__typename ",
        "unknown ",
        "query ",
        "number { number } ",
        "__schema { types { fields { name type { name } } } } ",
    ];
    let leaf = (prop::sample::select(&LEAVES[..]), 1..40_usize)
        .prop_map(|(leaf, times)| leaf.repeat(times));
    let spread = (0..8_usize, 1..6_usize).prop_map(|(n, times)| format!("...F{n} ").repeat(times));
    prop_oneof![3 => leaf, 1 => spread].prop_recursive(4, 16, 4, |inner| {
        let set = prop::collection::vec(inner, 1..4).prop_map(|items| items.concat());
        let start = prop::sample::select(
            &[
                "query",
                "q: query",
                "queries",
                "queries(first: 3)",
                "queries(first: 100)",
                "...",
                "... on Query @include(if: $b)",
                "... @skip(if: true)",
                "... on Int",
                "... on Missing",
            ][..],
        );
        (start, set).prop_map(|(start, set)| format!("{start} {{ {set}}} "))
    })
}

fn document() -> impl Strategy<Value = String> {
    const HEADS: [&str; 7] = [
        "",
        "query ",
        "query Q($v: Int = 1, $w: JSON, $b: Boolean! = true) ",
        "query($v: [Int], $w: Missing, $b: Int) ",
        "query($v: Int, $v: Int) @d @d ",
        "mutation ",
        "subscription ",
    ];
    let fragment = (
        selection(),
        prop::sample::select(&["Query", "Int", "Missing"][..]),
    );
    let fragments = prop::collection::vec(fragment, 0..9);
    let operations = prop::collection::vec((prop::sample::select(&HEADS[..]), selection()), 1..3);
    (operations, fragments).prop_map(|(operations, fragments)| {
        let mut text = String::new();
        for (head, set) in operations {
            text += &format!("{head}{{ {set}}} ");
        }
        for (at, (set, on)) in fragments.into_iter().enumerate() {
            text += &format!("fragment F{at} on {on} {{ {set}}} ");
        }
        text
    })
}

proptest! {
    #[test]
    fn what_is_let_in_is_validated_and_executed_in_no_time(text in document()) {
        let Real { schema, shape, runtime } = &*REAL;
        let begun = Instant::now();
        let Ok(document) = check_text(&text).map(|()| parse_query(&text)) else {
            return Ok(());
        };
        let Ok(document) = document else { return Ok(()) };
        let checked = check(shape, &document, chosen(&document, None), &Variables::default());
        prop_assert!(begun.elapsed() < Duration::from_secs(2), "{:?}: {}", begun.elapsed(), text);
        if checked.is_ok() {
            let mut request = Request::new(text.clone());
            request.set_parsed_query(document);
            let begun = Instant::now();
            let response = runtime.block_on(schema.execute(request));
            prop_assert!(begun.elapsed() < Duration::from_secs(5), "{:?}: {}", begun.elapsed(), text);
            prop_assert!(response.errors.len() <= 50_000);
        }
    }
}
