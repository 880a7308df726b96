//! Compares the lexer with the parser.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{Selection, SelectionSet};
use async_graphql_value::Value;
use proptest::prelude::*;

use super::super::super::text::measure;
use super::super::check_text;
use crate::error::ErrorCode;

/// Generates the tokens of a well-formed document.
fn tokens() -> impl Strategy<Value = Vec<String>> {
    let name = || prop::sample::select(&["a", "on", "query", "nullable", "_9", "trueA"][..]);
    let value = prop_oneof![
        prop::sample::select(
            &[
                "1",
                "-0",
                "1.5e+3",
                "\"\"",
                "\"a { b\"",
                "\"\\\" \\u0041 \\\\\"",
                "\"é🦀\"",
                "\"\"\" a \" { \\\"\"\" ( \"\"\"",
                "\"\"\"\"\"\"",
                "null",
                "true",
                "false",
                "A",
                "$",
            ][..]
        )
        .prop_map(|value| match value {
            "$" => vec!["$".to_owned(), "v".to_owned()],
            value => vec![value.to_owned()],
        }),
    ]
    .prop_recursive(4, 8, 3, |inner| {
        let many = prop::collection::vec(inner, 0..3);
        prop_oneof![
            many.clone()
                .prop_map(|items| wrap("[", items.concat(), "]")),
            many.prop_map(|items| {
                let field = |item: Vec<String>| [vec!["k".into(), ":".into()], item].concat();
                wrap("{", items.into_iter().flat_map(field).collect(), "}")
            }),
        ]
    });
    let arguments = prop_oneof![
        2 => Just(Vec::new()),
        1 => value.prop_map(|value| wrap("(", [vec!["x".into(), ":".into()], value].concat(), ")")),
    ];
    let field = (name(), arguments.clone())
        .prop_map(|(name, arguments)| [vec![name.to_owned()], arguments].concat());
    let selection = field.prop_recursive(4, 16, 3, move |inner| {
        let set =
            prop::collection::vec(inner, 1..4).prop_map(|items| wrap("{", items.concat(), "}"));
        let start = prop_oneof![
            Just(vec!["a".to_owned(), ":".to_owned(), "b".to_owned()]),
            Just(vec!["...".to_owned()]),
            arguments
                .clone()
                .prop_map(|it| [vec!["...".into(), "@".into(), "d".into()], it].concat()),
        ];
        (start, set).prop_map(|(start, set)| [start, set].concat())
    });
    prop::collection::vec(selection, 1..5).prop_map(|items| wrap("{", items.concat(), "}"))
}

fn wrap(open: &str, inside: Vec<String>, close: &str) -> Vec<String> {
    [vec![open.to_owned()], inside, vec![close.to_owned()]].concat()
}

fn between() -> impl Strategy<Value = Vec<&'static str>> {
    let between = prop::sample::select(
        &[
            " ",
            "  ",
            ",",
            "\n",
            "\r\n",
            "\t",
            "\u{feff}",
            " #{ é \"\n",
            ",#(\r",
        ][..],
    );
    prop::collection::vec(between, 8..9)
}

/// Generates text that looks like a document.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: [&str; 44] = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "!",
        "$",
        ":",
        "=",
        "@",
        "|",
        "&",
        "...",
        ".",
        "a",
        "on ",
        "query",
        "fragment ",
        "mutation",
        "true",
        "null",
        "0",
        "-",
        "1.5",
        "e5",
        "\"",
        "\"\"\"",
        "\\\"\"\"",
        "\"a\"",
        "\\",
        "\\u",
        "\\u0041",
        "#",
        "\n",
        "\r",
        " ",
        ",",
        "\u{feff}",
        "é",
        "🦀",
        "\0",
        "{a}",
        "a(x:1)",
    ];
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40).prop_map(|it| it.concat())
}

/// Returns how deep a document is, counting what the text has brackets for, and how many fields it
/// has.
fn extent(set: &SelectionSet) -> (usize, usize) {
    let mut most = (0, 0);
    for item in &set.items {
        let (depth, fields) = match &item.node {
            Selection::Field(field) => {
                let values = field
                    .node
                    .arguments
                    .iter()
                    .map(|(_, value)| 1 + depth(&value.node));
                let (below, fields) = extent(&field.node.selection_set.node);
                (below.max(values.max().unwrap_or(0)), fields + 1)
            }
            Selection::InlineFragment(inline) => extent(&inline.node.selection_set.node),
            Selection::FragmentSpread(_) => (0, 0),
        };
        most = (most.0.max(depth), most.1 + fields);
    }
    (most.0 + usize::from(!set.items.is_empty()), most.1)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Checks that a short text that can be parsed is let in, and that its measure covers what was
/// parsed.
fn is_let_in_if_parsed(text: &str) -> Result<(), TestCaseError> {
    let checked = check_text(text);
    let Ok(document) = parse_query(text) else {
        return Ok(());
    };
    if let Err(error) = checked {
        // The only thing that is refused although it can be parsed, and it is not GraphQL.
        prop_assert_eq!(error.code(), ErrorCode::GraphqlParseFailed);
        prop_assert!(text.contains("\"\"\""));
        return Ok(());
    }
    let (tokens, deepest) = measure(text).unwrap();
    for (_, operation) in document.operations.iter() {
        let (depth, fields) = extent(&operation.node.selection_set.node);
        prop_assert!(
            depth <= deepest,
            "{} and not {} deep: {}",
            deepest,
            depth,
            text
        );
        prop_assert!(
            fields <= tokens,
            "{} tokens and {} fields: {}",
            tokens,
            fields,
            text
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn tokens_are_counted_as_they_are_written(tokens in tokens(), between in between()) {
        let mut text = String::new();
        for (at, token) in tokens.iter().enumerate() {
            text.push_str(between[at % between.len()]);
            text.push_str(token);
        }
        prop_assert!(parse_query(&text).is_ok(), "{}", text);
        // The lexer ends a keyword where it ends as a value.
        let split = |token: &&String| ["nullable", "trueA"].contains(&token.as_str());
        let expected = tokens.len() + tokens.iter().filter(split).count();
        prop_assert_eq!(measure(&text).unwrap().0, expected, "{}", text);
        is_let_in_if_parsed(&text)?;
    }

    #[test]
    fn what_can_be_parsed_is_let_in(
        tokens in tokens(), pieces in soup(), at in any::<prop::sample::Index>(), gone in 0..4_usize,
    ) {
        is_let_in_if_parsed(&pieces)?;
        is_let_in_if_parsed(&format!("{{{pieces}}}"))?;
        let mut tokens = tokens;
        let at = at.index(tokens.len());
        let end = (at + gone).min(tokens.len());
        tokens.splice(at..end, [pieces]);
        is_let_in_if_parsed(&tokens.concat())?;
        is_let_in_if_parsed(&tokens.join(" "))?;
    }

    #[test]
    fn no_text_is_trouble(text in prop_oneof![soup(), any::<String>(), "\\PC{0,60}"]) {
        // Whatever it returns, it takes time linear in the text's length.
        let _ = check_text(&text);
        is_let_in_if_parsed(&text)?;
    }
}
