//! Splits the text of a document into tokens.

use crate::error::{Error, ErrorCode};

/// A token: a bracket, a name, a string with its quotes, and so on.
pub struct Token<'a> {
    /// The byte offset in the text at which it begins.
    pub at: usize,
    /// Its text.
    pub text: &'a str,
}

impl Token<'_> {
    /// Returns whether it is an opening bracket.
    pub fn opens(&self) -> bool {
        matches!(self.text, "{" | "[" | "(")
    }

    /// Returns whether it is a closing bracket.
    pub fn closes(&self) -> bool {
        matches!(self.text, "}" | "]" | ")")
    }
}

/// Splits a text into tokens as the parser does. Text that the parser would refuse may be split in
/// any way.
pub struct Lexer<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    /// Creates a lexer for that text.
    pub fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    /// Returns the next token, if there is one.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED` for a block string that is not closed. The parser takes its first two
    /// quotes for an empty string and continues after them, and each further `"""` then makes it
    /// search the rest of the text again; 140 KB of that kept it busy for 39 s.
    pub fn next(&mut self) -> Result<Option<Token<'a>>, Error> {
        loop {
            let Some(first) = self.rest.chars().next() else {
                return Ok(None);
            };
            let (length, is_token) = match first {
                '{' | '[' | '(' | '}' | ']' | ')' => (1, true),
                '!' | '$' | '&' | ':' | '=' | '@' | '|' => (1, true),
                '.' if self.rest.starts_with("...") => (3, true),
                '"' => (self.string()?, true),
                '#' => (self.until(|b| matches!(b, b'\n' | b'\r')), false),
                'a'..='z' | 'A'..='Z' | '_' => (self.name(), true),
                '-' | '0'..='9' => (self.number(), true),
                // White space, commas, and characters that begin no token.
                _ => (first.len_utf8(), false),
            };
            let at = self.text.len() - self.rest.len();
            let (text, rest) = self.rest.split_at(length);
            self.rest = rest;
            if is_token {
                return Ok(Some(Token { at, text }));
            }
        }
    }

    /// Returns the distance to the first byte, after the current one, for which `ends` holds. Every
    /// byte that ends something is ASCII, or follows one that is, so that a character begins there.
    fn until(&self, ends: impl Fn(u8) -> bool) -> usize {
        let behind = self.rest.bytes().skip(1);
        1 + behind.take_while(|byte| !ends(*byte)).count()
    }

    /// Returns the length of the name at this point.
    ///
    /// Where a value is expected, the parser also takes a keyword from the start of a longer name,
    /// and `truetruetrue` for three values. This makes two tokens of a field named `nullable`,
    /// which does no harm.
    fn name(&self) -> usize {
        ["true", "false", "null"]
            .into_iter()
            .find(|keyword| self.rest.starts_with(keyword))
            .map_or_else(
                || self.until(|byte| !byte.is_ascii_alphanumeric() && byte != b'_'),
                str::len,
            )
    }

    /// Returns the length of the number at this point. The parser allows another one to follow
    /// directly: `0-1` are two numbers, and so are `00`.
    fn number(&self) -> usize {
        let bytes = self.rest.as_bytes();
        let digits = |from: usize| {
            let rest = bytes.iter().skip(from);
            rest.take_while(|byte| byte.is_ascii_digit()).count()
        };
        let sign = usize::from(bytes.starts_with(b"-"));
        let mut end = match bytes.get(sign) {
            Some(b'0') => sign + 1,
            _ => sign + digits(sign),
        };
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if digits(end + 1 + sign) > 0 {
                end += 1 + sign + digits(end + 1 + sign);
            }
        }
        end
    }

    /// Returns the length of the string at this point, including its quotes.
    fn string(&self) -> Result<usize, Error> {
        let bytes = self.rest.as_bytes();
        if bytes.starts_with(b"\"\"\"") {
            return self.block_string();
        }
        let mut at = 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return Ok(at + 1),
                b'\n' | b'\r' => return Ok(at),
                // Skips the escaped character. If it has several bytes, the rest of them end
                // nothing either.
                b'\\' if !matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 2,
                _ => at += 1,
            }
        }
        Ok(bytes.len())
    }

    fn block_string(&self) -> Result<usize, Error> {
        let bytes = self.rest.as_bytes();
        let mut at = 3;
        while at < bytes.len() {
            if bytes[at..].starts_with(b"\"\"\"") {
                return Ok(at + 3);
            }
            at += if bytes[at..].starts_with(b"\\\"\"\"") {
                4
            } else {
                1
            };
        }
        Err(Error::Refused(
            ErrorCode::GraphqlParseFailed,
            "A block string is not closed.".into(),
        ))
    }
}
