use async_graphql::parser::parse_query;

use super::super::text::measure;
use super::{check_text, each, told};
use crate::error::ErrorCode;

#[test]
fn tokens_are_told_apart_as_the_parser_does() {
    for (text, expected) in [
        ("", 0),
        (" ,\t\r\n\u{feff},", 0),
        ("# a b { c\n", 0),
        ("# a\rb", 1),
        ("a", 1),
        ("_a9 b", 2),
        ("{a}", 3),
        (
            "query($v: [Int!]! = [1]) @d { a(x: $v, y: A) ... @d { b } ...F }",
            37,
        ),
        ("!$&()...:=@[]{|}", 14),
        // Dots that are not a spread are malformed.
        ("a . b .. c", 3),
        ("0 -1 1.5 -1.5e+10 1E5 1e-5", 6),
        // The parser begins the next number right where one ends.
        ("00", 2),
        ("0-1-10", 3),
        ("1e5-3", 2),
        ("1.", 1),
        ("-", 1),
        // Likewise a keyword, wherever a value is expected.
        ("truefalsenull", 3),
        ("trueness", 2),
        (r#""a b { c""#, 1),
        (r#""""#, 1),
        (r#""" "a" "#, 2),
        (r#""a""b""#, 2),
        (r#""a \" b \\" c"#, 2),
        (r#""\é" a"#, 2),
        ("\"ü € 🦀\" a", 2),
        // A string not closed on its line is malformed.
        ("\"a b\nc", 2),
        ("\"a \\\nc", 2),
        ("\"a", 1),
        ("\"\\", 1),
        (r#""""a "b" ""c \""" d""" e"#, 2),
        ("\"\"\"a\n{ b\n\"\"\" c", 2),
        (r#""""""" a"#, 2),
        ("% ü € 🦀 ^", 0),
    ] {
        assert_eq!(measure(text).unwrap().0, expected, "{text}");
    }
}

#[test]
fn a_text_has_at_most_10_000_tokens() {
    let of = |count: usize| format!("{{ {} }}", "a ".repeat(count - 2));
    assert!(check_text(&of(10_000)).is_ok());
    assert_eq!(
        told(check_text(&of(10_001))),
        "The document has 10,001 tokens; at most 10,000 are allowed."
    );
    let comments = "# { a b c }\n".repeat(80_000);
    assert!(check_text(&comments).is_ok());
}

#[test]
fn brackets_are_nested_at_most_64_deep() {
    for (open, close) in [("{a", "}"), ("[", "]"), ("(", ")"), ("{[(", ")]}")] {
        let depth = 64 / open.replace('a', "").len();
        let of = |depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
        assert!(check_text(&of(depth)).is_ok(), "{open}");
        assert!(check_text(&of(depth).repeat(3)).is_ok(), "{open}");
        assert!(
            told(check_text(&of(depth + 1))).contains("levels deep; at most 64"),
            "{open}"
        );
        // A bracket that closes nothing opens nothing either.
        let unbalanced = format!("{}{}", close.repeat(1_000), of(depth));
        assert!(check_text(&unbalanced).is_ok(), "{open}");
    }
    assert!(check_text(&"[".repeat(5_000)).is_err());
    assert!(check_text(&format!("\"{}\"", "[".repeat(5_000))).is_ok());
    assert!(check_text(&format!("#{}", "[".repeat(5_000))).is_ok());
    assert!(check_text(&format!("\"\"\"{}\"\"\"", "[".repeat(5_000))).is_ok());
}

/// Runs in a test's thread, which has the same 2 MiB of stack as a thread of the server.
#[test]
fn what_passes_does_not_overflow_the_parser() {
    let lists = format!("{{a(x:{}{})}}", "[".repeat(62), "]".repeat(62));
    let objects = format!("{{a(x:{}1{})}}", "{x:".repeat(62), "}".repeat(62));
    let sets = format!("{}{}", "{a".repeat(64), "}".repeat(64));
    let inline = format!("{}a{}", "{...".repeat(63) + "{", "}".repeat(64));
    let ty = format!("query($v:{}Int{}){{a}}", "[".repeat(63), "]".repeat(63));
    for text in [lists, objects, sets, inline, ty] {
        assert!(check_text(&text).is_ok());
        assert!(parse_query(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_block_string_must_be_closed() {
    // The parser reads the first one as `""` and `""`, and would look for an end from each `"""`.
    let again = each(20_000, |_| r#" \""""""#.to_owned());
    for text in [
        r#"{ a(x: [""""]) }"#,
        r#"{ a(x: """b) }"#,
        &format!("{{ a(x: [\"\"\"{again}]) }}"),
    ] {
        let error = check_text(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::GraphqlParseFailed);
        assert_eq!(error.to_string(), "A block string is not closed.");
    }
}
