//! Characters that strings escape by their code point.

use std::borrow::Cow;

use super::Lexer;
use crate::error::Error;

/// Replaces escapes such as `\u{1F680}` and the pair `\uD83D\uDE80` by the character that they
/// stand for: the parser only knows `\u` with four digits that are not a surrogate. Escapes that
/// stand for no character are left for the parser to refuse. Errors further on in the line are then
/// reported at a lower column.
///
/// Rule: <https://spec.graphql.org/September2025/#sec-String-Value>.
///
/// # Errors
/// `GRAPHQL_PARSE_FAILED` for a block string that is not closed.
pub fn unescape(text: &str) -> Result<Cow<'_, str>, Error> {
    if !text.contains("\\u") {
        return Ok(text.into());
    }
    let mut plain = String::with_capacity(text.len());
    let mut copied = 0;
    let mut lexer = Lexer::new(text);
    while let Some(token) = lexer.next()? {
        if token.text.starts_with('"') && !token.text.starts_with("\"\"\"") {
            plain.push_str(&text[copied..token.at]);
            unescape_string(token.text, &mut plain);
            copied = token.at + token.text.len();
        }
    }
    plain.push_str(&text[copied..]);
    Ok(plain.into())
}

fn unescape_string(string: &str, plain: &mut String) {
    let mut rest = string;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        plain.push_str(before);
        let length = match character(escape) {
            Some((character, length)) => {
                push(character, plain);
                length
            }
            // Any other escape, whose second character does not begin one: `\\u` is a backslash and
            // a letter.
            None => {
                let length = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                plain.push_str(&escape[..length]);
                length
            }
        };
        rest = &escape[length..];
    }
    plain.push_str(rest);
}

/// Returns the character and length of the escape at the start of the text, if the parser does not
/// know it.
fn character(escape: &str) -> Option<(char, usize)> {
    let digits = escape.strip_prefix("\\u")?;
    if let Some(digits) = digits.strip_prefix('{') {
        let (digits, _) = digits.split_once('}')?;
        let character = char::from_u32(number(digits)?)?;
        return Some((character, "\\u{}".len() + digits.len()));
    }
    let high = number(digits.get(..4)?)?;
    let low = number(digits.get(4..)?.strip_prefix("\\u")?.get(..4)?)?;
    if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
        return None;
    }
    let character = char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?;
    Some((character, "\\uD83D\\uDE80".len()))
}

fn number(digits: &str) -> Option<u32> {
    // `from_str_radix` accepts a sign, GraphQL does not.
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

/// Appends a character of a string, escaped in four digits if it cannot stand there by itself.
fn push(character: char, plain: &mut String) {
    match character {
        '"' | '\\' | '\0'..' ' => plain.push_str(&format!("\\u{:04X}", u32::from(character))),
        _ => plain.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_parser_does_not_know_is_replaced() {
        for (text, expected) in [
            (r#"{ a(x: "\u{1F680}!") }"#, r#"{ a(x: "🚀!") }"#),
            (r#"{ a(x: "\uD83D\uDE80") }"#, r#"{ a(x: "🚀") }"#),
            (r#"{ a(x: "\ud83d\ude80é\u{e9}") }"#, r#"{ a(x: "🚀éé") }"#),
            (
                r#"{ a(x: "\u{22}\u{5c}\u{0}\u{000A}") }"#,
                r#"{ a(x: "\u0022\u005C\u0000\u000A") }"#,
            ),
            (
                r#"{ a(x: "\u{1F680}", y: "\u{41}") }"#,
                r#"{ a(x: "🚀", y: "A") }"#,
            ),
            // Backslashes and letters.
            (r#"{ a(x: "\\u{41}") }"#, r#"{ a(x: "\\u{41}") }"#),
            (r#"{ a(x: "\\\u{41}") }"#, r#"{ a(x: "\\A") }"#),
            // Nothing in these is an escape, except of a closing `"""`.
            (r#"{ a(x: """\u{41}""") }"#, r#"{ a(x: """\u{41}""") }"#),
            ("{ a } # \"\\u{41}\"", "{ a } # \"\\u{41}\""),
            // Escapes that the parser knows.
            (r#"{ a(x: "\u0041\n") }"#, r#"{ a(x: "\u0041\n") }"#),
            // Escapes that stand for no character.
            (r#"{ a(x: "\uD83D") }"#, r#"{ a(x: "\uD83D") }"#),
            (r#"{ a(x: "\uD83D\u0041") }"#, r#"{ a(x: "\uD83D\u0041") }"#),
            (r#"{ a(x: "\uDE80\uD83D") }"#, r#"{ a(x: "\uDE80\uD83D") }"#),
            (r#"{ a(x: "\u{D83D}") }"#, r#"{ a(x: "\u{D83D}") }"#),
            (r#"{ a(x: "\u{110000}") }"#, r#"{ a(x: "\u{110000}") }"#),
            (r#"{ a(x: "\u{+41}\u{}") }"#, r#"{ a(x: "\u{+41}\u{}") }"#),
            (r#"{ a(x: "\u{41") }"#, r#"{ a(x: "\u{41") }"#),
            (
                r#"{ a(x: "\u{41é}\u4é00") }"#,
                r#"{ a(x: "\u{41é}\u4é00") }"#,
            ),
            ("{ a(x: \"\\u", "{ a(x: \"\\u"),
        ] {
            assert_eq!(unescape(text).unwrap(), expected, "{text}");
        }
    }
}
