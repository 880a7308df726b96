use std::fmt::Write;

use super::{INTROSPECTION, ask, ask_with, each, told, tower};
use crate::error::ErrorCode;

/// Returns fields nested `depth` deep.
fn nested(depth: usize) -> String {
    format!(
        "{{ viewer {} id {} }}",
        "{ friend ".repeat(depth - 2) + "{",
        "}".repeat(depth - 1)
    )
}

#[test]
fn fields_are_nested_at_most_15_deep() {
    assert_eq!(told(ask(&nested(15))), "");
    assert_eq!(
        told(ask(&nested(16))),
        "The document is nested 16 levels deep; at most 15 are allowed."
    );

    let friends = |count: usize| format!("{}id{}", "friend { ".repeat(count), " }".repeat(count));
    let fifteen = friends(13);
    let sixteen = friends(14);
    for (deepest, is_told) in [(&fifteen, false), (&sixteen, true)] {
        for query in [
            format!("{{ viewer {{ ...F }} }} fragment F on User {{ {deepest} }}"),
            format!("{{ viewer {{ ... {{ ... on User {{ {deepest} }} }} }} }}"),
            format!("query A {{ viewer {{ id }} }} query B {{ viewer {{ {deepest} }} }}"),
        ] {
            assert_eq!(
                !told(ask_with(&query, Some("A"), "{}")).is_empty(),
                is_told,
                "{query}"
            );
        }
    }
    // Fragments that nothing spreads are validated too.
    let unused = format!(
        "{{ viewer {{ id }} }} fragment F on User {{ {} }}",
        friends(15)
    );
    assert!(told(ask(&unused)).contains("16 levels"));
}

#[test]
fn introspection_has_no_depth() {
    assert_eq!(told(ask(INTROSPECTION)), "");
    let deep = format!("{}name{}", "ofType { ".repeat(30), " }".repeat(30));
    for query in [
        format!("{{ __type(name: \"User\") {{ {deep} }} }}"),
        format!("{{ __type(name: \"User\") {{ ...F }} }} fragment F on __Type {{ {deep} }}"),
        format!("fragment R on Root {{ __schema {{ queryType {{ {deep} }} }} }} {{ ...R }}"),
        format!(
            "{{ viewer {{ {}__typename{} }} }}",
            "friend { ".repeat(14),
            " }".repeat(14)
        ),
    ] {
        assert_eq!(told(ask(&query)), "", "{query}");
    }
}

#[test]
fn selection_sets_are_nested_at_most_64_deep() {
    assert_eq!(
        told(ask(&format!(
            "{{ ...F0 }} {}",
            tower(61, 1, "Root", "viewer { id }")
        ))),
        ""
    );
    assert_eq!(
        told(ask(&format!(
            "{{ ...F0 }} {}",
            tower(62, 1, "Root", "viewer { id }")
        ))),
        "The document is nested 65 levels deep, counting fragments; at most 64 are allowed."
    );
}

#[test]
fn fields_are_at_most_5_000() {
    let told = |query: &str| told(ask(query));
    assert_eq!(told(&format!("{{ {} }}", "__typename ".repeat(5_000))), "");
    assert_eq!(
        told(&format!("{{ {} }}", "__typename ".repeat(5_001))),
        "The document asks for 5,001 fields once its fragments are expanded; at most 5,000 are \
         allowed."
    );

    let thousand = format!("fragment F on User {{ {} }}", "id ".repeat(999));
    let spread = |times: usize| {
        format!(
            "{} {thousand}",
            "{ viewer { ...F } }".replace("...F", &"...F ".repeat(times))
        )
    };
    assert_eq!(told(&spread(5)), "");
    assert!(told(&spread(6)).contains("5,995 fields"));
    // All operations are validated, not only the one that runs.
    let operations =
        |count| each(count, |i| format!("query Q{i} {{ viewer {{ ...F }} }} ")) + &thousand;
    assert_eq!(told(&operations(5)), "");
    assert!(told(&operations(6)).contains("6,000 fields"));
    // And so are fragments that nothing spreads, each of them once.
    let unused = format!("{{ viewer {{ id }} }} {}", tower(11, 2, "User", "id name"));
    assert_eq!(told(&unused), "");
    let unused = format!("{{ viewer {{ id }} }} {}", tower(12, 2, "User", "id name"));
    assert!(told(&unused).contains("8,194 fields"));
    // Spreads of a missing fragment still count.
    let unknown = format!("{{ ...F0 }} {}", tower(13, 2, "Root", "...Missing"));
    assert!(told(&unknown).contains("8,192 fields"));
}

#[test]
fn a_field_has_at_most_30_aliases() {
    let told = |query: &str| told(ask(query));
    let aliases = |from: usize, to: usize, field: &str| {
        (from..=to).fold(String::new(), |mut text, i| {
            write!(text, "a{i}: {field} ").unwrap();
            text
        })
    };
    let viewer = "viewer { id }";
    assert_eq!(told(&format!("{{ {} }}", aliases(1, 30, viewer))), "");
    assert_eq!(
        told(&format!("{{ viewer {{ id }} {} }}", aliases(1, 30, viewer))),
        ""
    );
    assert_eq!(
        told(&format!("{{ {} }}", aliases(1, 31, viewer))),
        "The field Root.viewer has 31 aliases; at most 30 are allowed."
    );

    let apart = aliases(1, 16, viewer);
    let (one, other) = (aliases(1, 16, "name"), aliases(17, 31, "name"));
    for query in [
        format!(
            "{{ {apart} ...F }} fragment F on Root {{ {} }}",
            aliases(17, 31, viewer)
        ),
        format!("{{ {apart} ... {{ {} }} }}", aliases(17, 31, viewer)),
        // The same set again under the same key, which the response merges.
        format!("{{ viewer {{ {one} }} viewer {{ {other} }} }}"),
        format!("{{ viewer {{ ... on User {{ {one} }} friend {{ {other} }} }} }}"),
        format!("{{ unknown {{ {} }} }}", aliases(1, 31, "name")),
    ] {
        assert!(told(&query).contains("has 31 aliases"), "{query}");
    }
    for query in [
        // Different fields, and the same field of different types.
        format!("{{ viewer {{ {one} {} }} }}", aliases(17, 32, "id")),
        format!(
            "{{ viewer {{ {} }} workspaces {{ nodes {{ {} }} }} }}",
            aliases(1, 20, "id"),
            aliases(21, 40, "id")
        ),
        // One alias, however often it occurs.
        format!("{{ {} }}", "a: viewer { id } ".repeat(40)),
        format!(
            "{{ {} }}",
            each(20, |i| format!("b{i}: viewer {{ {one} }} "))
        ),
        format!(
            "query A {{ {apart} }} query B {{ {} }}",
            aliases(17, 32, viewer)
        ),
    ] {
        assert_eq!(told(&query), "", "{query}");
    }
}

#[test]
fn a_field_has_at_most_20_directives() {
    for place in [
        "{ viewer @d { id } }",
        "{ viewer { id @d } }",
        "{ ... @d { viewer { id } } }",
        "{ ...F @d } fragment F on Root { viewer { id } }",
        "{ ...F } fragment F on Root @d { viewer { id } }",
        "{ viewer { id } } fragment F on Root { viewer { id @d } }",
        "query A @d { viewer { id } }",
        "query A($v: Int @d) { viewer { id } }",
        "query A { viewer { id } } query B { viewer { id @d } }",
    ] {
        let with =
            |count: usize| ask_with(&place.replace("@d", &"@d ".repeat(count)), Some("A"), "{}");
        assert_eq!(told(with(20)), "", "{place}");
        assert_eq!(
            told(with(21)),
            "The document has 21 directives on one field; at most 20 are allowed.",
            "{place}"
        );
    }
}

#[test]
fn a_fragment_that_spreads_itself_is_refused() {
    for (query, fragment) in [
        ("{ ...A } fragment A on Root { ...A }", "A"),
        (
            "{ ...A } fragment A on Root { viewer { id } ...B } fragment B on Root { ...A }",
            "A",
        ),
        (
            "{ ...A } fragment A on Root { ...B } fragment B on Root { ... { x { ...B } } }",
            "B",
        ),
        (
            "{ viewer { id } } fragment A on Root { ...B } fragment B on Root { ...A }",
            "A",
        ),
        (
            &format!("{{ ...F0 }} {}", tower(1_000, 1, "Root", "...F500")),
            "F500",
        ),
    ] {
        let error = ask(query).unwrap_err();
        assert_eq!(error.code(), ErrorCode::GraphqlValidationFailed);
        let expected =
            format!("The fragment \"{fragment}\" spreads itself, directly or through others.");
        assert_eq!(error.to_string(), expected);
    }
    let diamond = "{ ...A ...B } fragment A on Root { ...C } fragment B on Root { ...C ...A } \
                   fragment C on Root { viewer { id } }";
    assert_eq!(told(ask(diamond)), "");
}
