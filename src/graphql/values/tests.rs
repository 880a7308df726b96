use async_graphql::parser::parse_query;
use serde_json::{Value as Json, json};

use super::*;

const SDL: &str = "
type Query {
    things(first: Int, order: Order = UP, ids: [ID!], all: [[Int]], at: DateTime, on: Date): [Thing!]!
    thing(by: By!): Thing
    needs(id: ID!, size: Int! = 3, open: Boolean, rate: Float, data: JSON, big: BigInt, url: URL): Thing
}
type Thing { name(short: Boolean!): String, things(like: Filter): [Thing!]! }
type Mutation { make(input: MakeInput!): Thing }
input MakeInput { name: String!, tags: [String!]! = [], order: Order, inside: MakeInput, note: String }
input Filter { name: String }
input By @oneOf { id: ID, name: String }
enum Order { UP, DOWN }
scalar DateTime
scalar Date
scalar JSON
scalar BigInt
scalar URL
directive @include(if: Boolean!) on FIELD
";

/// Returns what is wrong with the first operation of a document, given the values of its variables.
fn misfit(document: &str, variables: Json) -> Option<String> {
    let shape = Shape::of(SDL);
    let document = parse_query(document).unwrap_or_else(|error| panic!("{document}: {error}"));
    let (_, operation) = document.operations.iter().next().expect("one");
    let variables = Variables::from_json(variables);
    check_document(&shape, &document, &operation.node, &variables)
        .and_then(|()| check_variables(&shape, &operation.node, &variables))
        .err()
        .map(|misfit| misfit.message)
}

#[test]
fn what_fits_in_a_document_is_let_through() {
    for document in [
        "{ things(first: 3, order: DOWN, ids: [1, \"b\"], all: [[1, null], null, []]) { name(short: true) } }",
        // A single value given for a list is a list of one.
        "{ things(ids: \"a\", all: 1) { name(short: false) } }",
        "{ things(first: null, at: \"2026-01-01T00:00:00Z\", on: \"2026-01-01\") { __typename } }",
        "{ thing(by: { id: 1 }) { things(like: { name: null }) { name(short: true) } } }",
        "{ needs(id: \"a\", open: true, rate: 1, data: { a: [1, B, null] }, big: 9007199254740993, url: \"https://a.example\") { __typename } }",
        "mutation { make(input: { name: \"a\", order: UP, inside: { name: \"b\", tags: \"c\" } }) { __typename } }",
        // Unknown names are left to the validator.
        "{ nothing(a: 1) { b(c: \"d\") } things(nothing: 1) { ...Nothing } }",
        "query($a: Nothing) { things(first: $b) { __typename } }",
        "{ things @include(if: true) @nothing(a: 1) { __typename } __type(name: 1) { name } }",
    ] {
        assert_eq!(misfit(document, json!({})), None, "{document}");
    }
}

#[test]
fn what_does_not_fit_in_a_document_is_told() {
    for (document, expected) in [
        (
            "{ things(first: \"3\") { x } }",
            "first: expected a value of type Int.",
        ),
        (
            "{ things(first: 2147483648) { x } }",
            "first: expected a value of type Int.",
        ),
        (
            "{ things(first: 1.5) { x } }",
            "first: expected a value of type Int.",
        ),
        (
            "{ things(first: [1]) { x } }",
            "first: expected a value of type Int.",
        ),
        (
            "{ things(order: \"UP\") { x } }",
            "order: expected a value of type Order.",
        ),
        (
            "{ things(order: LEFT) { x } }",
            "order: expected a value of type Order.",
        ),
        (
            "{ things(ids: [\"a\", null]) { x } }",
            "ids.1: null is not allowed for ID!.",
        ),
        (
            "{ things(ids: [\"a\", 1.5]) { x } }",
            "ids.1: expected a value of type ID.",
        ),
        (
            "{ things(all: [[1, \"2\"]]) { x } }",
            "all.0.1: expected a value of type Int.",
        ),
        (
            "{ things(at: \"soon\") { x } }",
            "at: Failed to parse \"DateTime\": expected an RFC 3339 date and time.",
        ),
        (
            "{ needs(id: null) { x } }",
            "id: null is not allowed for ID!.",
        ),
        ("{ needs(id: A) { x } }", "id: expected a value of type ID."),
        (
            "{ needs(id: 1, open: 1) { x } }",
            "open: expected a value of type Boolean.",
        ),
        (
            "{ needs(id: 1, rate: \"1\") { x } }",
            "rate: expected a value of type Float.",
        ),
        ("{ thing(by: {}) { x } }", "by: By takes exactly one field."),
        (
            "{ thing(by: { id: null }) { x } }",
            "by.id: null is not allowed for ID!.",
        ),
        (
            "{ thing(by: { id: 1, name: \"a\" }) { x } }",
            "by: By takes exactly one field.",
        ),
        (
            "{ thing(by: 1) { x } }",
            "by: expected an object of type By.",
        ),
        (
            "mutation { make(input: {}) { x } }",
            "input.name: a value of type String! is required.",
        ),
        (
            "mutation { make(input: { nmae: \"a\" }) { x } }",
            "input.nmae: MakeInput has no such field; did you mean name?",
        ),
        (
            "mutation { make(input: { name: \"a\", elsewhere: 1 }) { x } }",
            "input.elsewhere: MakeInput has no such field.",
        ),
        (
            "mutation { make(input: { name: \"a\", inside: { name: 1 } }) { x } }",
            "input.inside.name: expected a value of type String.",
        ),
        (
            "mutation { make(input: { name: \"a\", tags: null }) { x } }",
            "input.tags: null is not allowed for [String!]!.",
        ),
        // Anywhere in the document.
        (
            "{ ...A } fragment A on Query { ... { things { name(short: 1) } } }",
            "short: expected a value of type Boolean.",
        ),
        (
            "{ things @include(if: 1) { x } }",
            "if: expected a value of type Boolean.",
        ),
        (
            "query($a: Int = \"1\") { things(first: $a) { x } }",
            "$a: expected a value of type Int.",
        ),
        (
            "query($a: Order = \"UP\") { things(order: $a) { x } }",
            "$a: expected a value of type Order.",
        ),
    ] {
        assert_eq!(
            misfit(document, json!({})).as_deref(),
            Some(expected),
            "{document}"
        );
    }
}

#[test]
fn a_variable_stands_only_where_all_that_it_may_be_is_taken() {
    for (declared, taken_by, fits) in [
        ("$a: Int", "things(first: $a)", true),
        ("$a: Int!", "things(first: $a)", true),
        ("$a: String", "things(first: $a)", false),
        ("$a: [Int]", "things(first: $a)", false),
        ("$a: ID", "needs(id: $a)", false),
        ("$a: ID = 1", "needs(id: $a)", true),
        ("$a: ID = null", "needs(id: $a)", false),
        ("$a: String!", "needs(id: $a)", false),
        // The argument has a default value.
        ("$a: Int", "needs(id: 1, size: $a)", true),
        ("$a: ID!", "things(ids: [$a])", true),
        ("$a: ID", "things(ids: [$a])", false),
        ("$a: [ID!]", "things(ids: $a)", true),
        ("$a: [ID!]!", "things(ids: $a)", true),
        ("$a: [ID]", "things(ids: $a)", false),
        ("$a: ID!", "things(ids: $a)", false),
        ("$a: By!", "thing(by: $a)", true),
        ("$a: ID", "thing(by: { id: $a })", true),
        ("$a: Int", "thing(by: { id: $a })", false),
        ("$a: Boolean", "things @include(if: $a)", false),
        (
            "$a: Filter",
            "things { things(like: $a) { __typename } }",
            true,
        ),
        (
            "$a: By",
            "things { things(like: $a) { __typename } }",
            false,
        ),
    ] {
        let set = if taken_by.ends_with('}') {
            ""
        } else {
            "{ __typename }"
        };
        for document in [
            format!("query({declared}) {{ {taken_by} {set} }}"),
            format!("query({declared}) {{ ...F }} fragment F on Query {{ {taken_by} {set} }}"),
        ] {
            let told = misfit(&document, json!({}));
            let of_use = told.filter(|told| told.contains("the variable $a is of type"));
            assert_eq!(of_use.is_none(), fits, "{document}: {of_use:?}");
        }
    }
    let null = json!({ "a": null });
    for taken_by in [
        "needs(id: $a)",
        "thing(by: { id: $a })",
        "things(ids: [$a])",
    ] {
        let document = format!("query($a: ID = 1) {{ {taken_by} {{ x }} }}");
        assert_eq!(misfit(&document, json!({})), None, "{document}");
        let told = misfit(&document, null.clone()).unwrap_or_default();
        assert!(
            told.ends_with("the variable $a is null, but ID! is expected."),
            "{told}"
        );
    }
    assert_eq!(
        misfit("query($a: Int = 1) { things(first: $a) { x } }", null),
        None
    );
    assert_eq!(
        misfit("query($a: String) { things(first: $a) { x } }", json!({})).as_deref(),
        Some("first: the variable $a is of type String, but Int is expected.")
    );
}

#[test]
fn values_of_variables_are_held_against_their_types() {
    for (declared, value, expected) in [
        ("Int", json!(3), None),
        ("Int", json!(null), None),
        (
            "Int",
            json!(2_147_483_648_u32),
            Some("$a: expected a value of type Int."),
        ),
        (
            "Int!",
            json!(null),
            Some("The variable $a of type Int! is required."),
        ),
        ("Order", json!("UP"), None),
        (
            "Order",
            json!("LEFT"),
            Some("$a: expected a value of type Order."),
        ),
        ("ID", json!(7), None),
        ("ID", json!(true), Some("$a: expected a value of type ID.")),
        ("[Int!]", json!([1, 2]), None),
        ("[Int!]", json!(1), None),
        (
            "[Int!]",
            json!([1, null]),
            Some("$a.1: null is not allowed for Int!."),
        ),
        ("JSON", json!({ "a": [{ "b": 1.5 }] }), None),
        ("MakeInput", json!({ "name": "a", "order": "UP" }), None),
        (
            "MakeInput",
            json!("a"),
            Some("$a: expected an object of type MakeInput."),
        ),
        (
            "MakeInput",
            json!({ "order": "UP" }),
            Some("$a.name: a value of type String! is required."),
        ),
        (
            "MakeInput",
            json!({ "name": "a", "tags": [1] }),
            Some("$a.tags.0: expected a value of type String."),
        ),
        ("By", json!({ "id": 1 }), None),
        (
            "By",
            json!({ "id": 1, "name": null }),
            Some("$a: By takes exactly one field."),
        ),
        (
            "Date",
            json!("2026-1-1"),
            Some("$a: Failed to parse \"Date\": expected a day as YYYY-MM-DD."),
        ),
        ("Nothing", json!(1), None),
    ] {
        let document = format!("query($a: {declared}) {{ __typename }}");
        let told = misfit(&document, json!({ "a": value }));
        assert_eq!(told.as_deref(), expected, "{declared}: {value}");
    }
    assert_eq!(
        misfit("query($a: Int! = 3) { __typename }", json!({})),
        None
    );
    assert!(misfit("query($a: Int!) { __typename }", json!({})).is_some());
}

#[test]
fn a_name_of_any_length_is_told_at_once() {
    let name = "x".repeat(1024 * 1024);
    let begun = std::time::Instant::now();
    let document = format!("mutation {{ make(input: {{ name: \"a\", {name}: 1 }}) {{ x }} }}");
    let told = misfit(&document, json!({})).expect("there is no such field");
    assert!(told.ends_with("MakeInput has no such field."));
    assert!(begun.elapsed() < std::time::Duration::from_secs(1));
}
