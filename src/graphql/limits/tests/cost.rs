use async_graphql::Variables;
use async_graphql::parser::parse_query;

use super::super::cost::{self, Cost};
use super::super::fragments::Fragments;
use super::{INTROSPECTION, ask, ask_with, shape, told};

const TOO_MANY: &str = "The operation asks for N objects, multiplying the sizes of nested lists; \
                        at most 10,000 are allowed.";

/// Returns the cost of a document's only operation; the variables are JSON.
fn cost(query: &str, variables: &str) -> Cost {
    let document = parse_query(query).unwrap();
    let fragments = Fragments::of(&document).unwrap();
    let (_, operation) = document.operations.iter().next().unwrap();
    let variables = Variables::from_json(serde_json::from_str(variables).unwrap());
    cost::of(&shape(), &fragments, &operation.node, &variables)
}

#[test]
fn lists_inside_lists_are_multiplied() {
    for (query, expected) in [
        ("{ viewer { id tags friend { tags } } }", 0),
        ("{ workspaces { nodes { id } } }", 20),
        ("{ workspaces { totalCount } }", 20),
        ("{ workspaces(first: 7) { nodes { id } } }", 7),
        ("{ workspaces(last: 7) { nodes { id } } }", 7),
        (
            "{ a: workspaces(first: 7) { nodes { id } } workspaces { nodes { id } } }",
            27,
        ),
        (
            "{ workspaces(first: 7) { nodes { prompts(first: 3) { nodes { text } } } } }",
            21,
        ),
        (
            "{ workspaces(first: 7) { nodes { prompts(first: 3) { edges { node { text } } } } } }",
            21,
        ),
        // Both return the page.
        (
            "{ workspaces(first: 7) { nodes { prompts(first: 3) { nodes { text } edges { node { text } } } } } }",
            21,
        ),
        // The costs of lists side by side are added.
        (
            "{ workspaces(first: 7) { nodes { prompts(first: 3) { totalCount } members(first: 2) { id } } } }",
            35,
        ),
        (
            "{ workspaces(first: 2) { nodes { organization { workspaces(first: 3) { nodes { id } } } } } }",
            6,
        ),
        // Unbounded lists, of objects and of a union.
        ("{ navigationState { organizations { id } } }", 20),
        (
            "{ navigationState { organizations { workspaces(first: 5) { nodes { subjects { __typename } } } } } }",
            10_000,
        ),
        ("{ nodes(ids: []) { id } }", 0),
        ("{ nodes(ids: \"a\") { id } }", 1),
        (
            "{ nodes(ids: [\"a\", \"b\"]) { id ... on Workspace { prompts { totalCount } } } }",
            40,
        ),
        (
            "{ ...F a: workspaces(first: 3) { nodes { ...W } } } fragment F on Root { workspaces(first: 2) { nodes { ...W } } } fragment W on Workspace { prompts(first: 5) { totalCount } }",
            25,
        ),
        (
            "{ ... { workspaces(first: 2) { ... { nodes { ... on Node { ... on Workspace { prompts(first: 5) { totalCount } } } } } } } }",
            10,
        ),
        (
            "mutation { createPrompts(texts: []) { workspace { members(first: 5) { id } } } }",
            500,
        ),
        ("{ unknown(first: 100) { nodes { id } } }", 0),
        ("{ __schema { types { name } } }", 0),
    ] {
        assert_eq!(cost(query, "{}").objects, expected, "{query}");
    }
}

#[test]
fn sizes_may_be_variables() {
    let query = "query($n: Int = 3, $m: Int) { workspaces(first: $n, last: $m) { totalCount } }";
    for (variables, expected) in [
        ("{}", 3),
        (r#"{"n": 50}"#, 50),
        (r#"{"n": null}"#, 20),
        (r#"{"m": 2, "n": null}"#, 2),
        // Invalid sizes are left to the resolver to refuse.
        (r#"{"n": 0}"#, 20),
        (r#"{"n": -1}"#, 20),
        (r#"{"n": 101}"#, 20),
        (r#"{"n": 99999999999999999999}"#, 20),
        (r#"{"n": 1.5}"#, 20),
        (r#"{"n": "5"}"#, 20),
        (r#"{"n": [5]}"#, 20),
    ] {
        assert_eq!(cost(query, variables).objects, expected, "{variables}");
    }
    for (size, expected) in [
        ("0", 20),
        ("101", 20),
        ("null", 20),
        ("\"5\"", 20),
        ("$none", 20),
        ("100", 100),
    ] {
        let query = format!("{{ workspaces(first: {size}) {{ totalCount }} }}");
        assert_eq!(cost(&query, r#"{"none": 5}"#).objects, expected, "{size}");
    }
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let many = format!("{{\"ids\": {:?}}}", vec!["a"; 1_000]);
    for (variables, expected) in [
        (r#"{"ids": ["a", "b", "c"]}"#, 3),
        (r#"{"ids": "a"}"#, 1),
        ("{}", 0),
        // As many as are allowed: more are left to the resolver to refuse.
        (many.as_str(), 100),
    ] {
        assert_eq!(cost(query, variables).objects, expected, "{variables}");
    }
}

#[test]
fn all_of_it_is_one_number() {
    for (query, expected) in [
        ("{ viewer { id } }", 1),
        ("{ __typename }", 1),
        ("{ workspaces(first: 7) { nodes { id } } }", 8),
        ("{ nothing }", 1),
        (
            "mutation { createPrompts(texts: []) { workspace { id } } }",
            31,
        ),
        ("mutation { __typename nothing }", 1),
        (
            "mutation { a: createPrompts(texts: []) { workspace { members(first: 5) { id } } } ...F } \
             fragment F on Mutation { ... { b: createPrompts(texts: []) { workspace { id } } } }",
            541,
        ),
        (INTROSPECTION, 52),
    ] {
        assert_eq!(cost(query, "{}").total(), expected, "{query}");
    }
}

#[test]
fn objects_are_at_most_10_000() {
    let of = |outer: usize, inner: &str| {
        told(ask(&format!(
            "{{ workspaces(first: {outer}) {{ nodes {{ {inner} }} }} }}"
        )))
    };
    assert_eq!(of(100, "prompts(first: 100) { nodes { text } }"), "");
    assert_eq!(
        of(
            99,
            "prompts(first: 100) { nodes { text } } members(first: 1) { id }"
        ),
        ""
    );
    assert_eq!(
        of(
            100,
            "prompts(first: 100) { nodes { text } } members(first: 1) { id }"
        ),
        TOO_MANY.replace('N', "10,100")
    );
    let deep =
        "organization { workspaces(first: 100) { nodes { prompts(first: 2) { totalCount } } } }";
    assert_eq!(of(100, deep), TOO_MANY.replace('N', "20,000"));
    let inside = |count| {
        let open = "organization { workspaces(first: 100) { nodes { ".repeat(count);
        of(100, &format!("{open} id {}", "} } }".repeat(count)))
    };
    assert_eq!(inside(3), TOO_MANY.replace('N', "100,000,000"));
    // A list in a mutation's payload is like any other.
    let mutation = |inner: &str| {
        told(ask(&format!(
            "mutation {{ createPrompts(texts: []) {{ {inner} }} }}"
        )))
    };
    assert_eq!(
        mutation("workspace { prompts(first: 100) { totalCount } }"),
        ""
    );
    assert_eq!(
        mutation(
            "workspace { prompts(first: 100) { nodes { workspace { members(first: 6) { id } } } } }"
        ),
        TOO_MANY.replace('N', "60,000")
    );
}

#[test]
fn values_are_counted_for_each_object() {
    for (query, expected) in [
        ("{ viewer { id tags friend { tags } } }", 3),
        ("{ workspaces(first: 7) { nodes { id } } }", 7),
        (
            "{ workspaces(first: 7) { totalCount nodes { id a: id } } }",
            21,
        ),
        (
            "{ workspaces(first: 7) { nodes { id prompts(first: 3) { nodes { text b: text } } } } }",
            49,
        ),
        (
            "{ nodes(ids: [\"a\", \"b\"]) { ...N } } fragment N on Node { id ... { id } }",
            4,
        ),
        ("{ unknown { a b } }", 2),
        ("{ __schema { types { name } } }", 0),
    ] {
        assert_eq!(cost(query, "{}").values, expected, "{query}");
    }
}

#[test]
fn values_are_at_most_250_000() {
    let of = |count: usize| {
        let texts: Vec<_> = (0..count).map(|nth| format!("a{nth}: text")).collect();
        let prompts = format!("prompts(first: 100) {{ nodes {{ {} }} }}", texts.join(" "));
        told(ask(&format!(
            "{{ workspaces(first: 100) {{ nodes {{ {prompts} }} }} }}"
        )))
    };
    assert_eq!(of(25), "");
    assert_eq!(
        of(26),
        "The operation asks for 260,000 values, multiplying the sizes of lists; at most \
         250,000 are allowed."
    );
}

#[test]
fn only_the_operation_that_runs_counts() {
    let query = "query Small { viewer { id } } query Large { workspaces(first: 100) { nodes { \
                 prompts(first: 100) { nodes { workspace { members(first: 2) { id } } } } } } }";
    assert_eq!(told(ask_with(query, Some("Small"), "{}")), "");
    assert_ne!(told(ask_with(query, Some("Large"), "{}")), "");
    // Only the defaults of the operation that runs count.
    let query = "query A($n: Int = 1) { ...F } query B($n: Int = 100) { ...F } fragment F on Root \
                 { workspaces(first: $n) { nodes { prompts(first: $n) { nodes { workspace { \
                 members(first: 2) { id } } } } } } }";
    assert_eq!(told(ask_with(query, Some("A"), "{}")), "");
    assert_ne!(told(ask_with(query, Some("B"), "{}")), "");
}

#[test]
fn introspection_is_bounded_by_itself() {
    let asked = cost(INTROSPECTION, "{}").introspected;
    assert!(asked < 60_000, "{asked}");
    let of = |inside: &str| told(ask(&format!("{{ __schema {{ types {{ {inside} }} }} }}")));
    assert_eq!(of("fields { type { ofType { fields { name } } } }"), "");
    assert_eq!(
        of(
            "fields { type { fields { type { fields { type { fields { type { fields { name } } } } } } } } }"
        ),
        "The operation asks for about 1,222,211 values that describe the schema; at most 200,000 \
         are allowed."
    );
    assert_ne!(of(&format!("fields {{ {} }}", "name ".repeat(4_000))), "");
    let fragments = "{ __type(name: \"Node\") { ...A } } fragment A on __Type { possibleTypes { \
                     ...B } } fragment B on __Type { fields { type { ofType { ...C } } } } fragment \
                     C on __Type { possibleTypes { interfaces { possibleTypes { fields { args { \
                     name } } } } } }";
    assert_ne!(told(ask(fragments)), "");
}
