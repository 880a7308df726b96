//! The fields of input objects in a document's text.

use std::collections::HashSet;

use async_graphql::Pos;

use super::Lexer;
use crate::error::Error;
use crate::graphql::values::Misfit;

/// Finds a field that an object in the text gives twice; the parser would drop the first one. The
/// text must be a document that can be parsed.
///
/// Rule: <https://spec.graphql.org/September2025/#sec-Input-Object-Field-Uniqueness>.
///
/// # Errors
/// `GRAPHQL_PARSE_FAILED` for a block string that is not closed.
pub fn repeated_input_field(text: &str) -> Result<Option<Misfit>, Error> {
    let mut lexer = Lexer::new(text);
    let mut open = Vec::new();
    // Where the previous token ends.
    let mut end = 0;
    while let Some(token) = lexer.next()? {
        match token.text {
            "{" => open.push(match open.last() {
                None | Some(Bracket::Selections) => Bracket::Selections,
                Some(_) => Bracket::Object(HashSet::new()),
            }),
            "(" | "[" => open.push(Bracket::Other),
            "}" | ")" | "]" => {
                open.pop();
            }
            ":" => {
                let (before, name) = last_name(&text[..end]);
                if let Some(Bracket::Object(fields)) = open.last_mut()
                    && !fields.insert(name)
                {
                    let message = format!("The input field {name} is given twice.");
                    let at = end_of(before);
                    return Ok(Some(Misfit { message, at }));
                }
            }
            _ => {}
        }
        end = token.at + token.text.len();
    }
    Ok(None)
}

/// An open bracket.
enum Bracket<'a> {
    /// A selection set.
    Selections,
    /// An input object, with the fields it has so far.
    Object(HashSet<&'a str>),
    /// Arguments, variables or a list.
    Other,
}

/// Splits the text before the name it ends with. The lexer makes two tokens of names such as
/// `nullable`.
fn last_name(text: &str) -> (&str, &str) {
    let before = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    text.split_at(before.len())
}

/// Returns the position at the end of the text.
fn end_of(text: &str) -> Pos {
    let line = text.rsplit('\n').next().unwrap_or_default();
    Pos {
        line: 1 + text.matches('\n').count(),
        column: 1 + line.chars().count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_an_object_gives_twice_is_found() {
        for (text, expected) in [
            ("{ f(x: { a: 1, a: 2 }) }", Some(("a", 1, 16))),
            ("{ f(x: { a: 1 b: 2 a: $v }) }", Some(("a", 1, 20))),
            (
                "{\n  é: f(x: [[{ a: { b: 1,\n b: 1 } }]]) }",
                Some(("b", 3, 2)),
            ),
            (
                "query($v: I = { a: 1, a: 1 }) { f(x: $v) }",
                Some(("a", 1, 23)),
            ),
            (
                "{ f @d(x: { null: 1, null # c:\n : 1 }) }",
                Some(("null", 1, 22)),
            ),
            (
                "{ f(x: { nullable: 1, nullable: 2 }) }",
                Some(("nullable", 1, 23)),
            ),
            ("{ f(x: { a: \"{ b\", a: \"\" }) }", Some(("a", 1, 20))),
            // Fields in different objects, or not fields at all.
            ("{ f(x: { a: { a: { a: 1 } }, b: { a: 1 } }) }", None),
            ("{ f(x: [{ a: 1 }, { a: 1 }]) }", None),
            ("{ f(x: { able: 1, nullable: 2 }) }", None),
            ("{ f(x: { a: 1 }) { a: b a: b } ... { a: b } a: b }", None),
            ("{ f(x: { a: \"a: 1, a: 1\" }) }", None),
            (
                "query A($a: I) { a(a: $a) } query B($a: I) { a(a: $a) }",
                None,
            ),
        ] {
            let found = repeated_input_field(text).unwrap();
            let expected = expected.map(|(name, line, column)| Misfit {
                message: format!("The input field {name} is given twice."),
                at: Pos { line, column },
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
