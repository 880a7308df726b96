//! Bounds on a document's text, before it is parsed.

use super::super::text::Lexer;
use super::{MAX_BRACKETS, MAX_TOKENS, at_most};
use crate::error::Error;

/// Refuses a text that has too many tokens, or brackets nested so deep that parsing it could
/// overflow the stack. Malformed text passes, except for what the lexer refuses.
pub fn check_text(query: &str) -> Result<(), Error> {
    let (tokens, depth) = measure(query)?;
    at_most(MAX_TOKENS, tokens, |n| {
        format!("The document has {n} tokens")
    })?;
    at_most(MAX_BRACKETS, depth, |n| {
        format!("The document nests brackets {n} levels deep")
    })
}

/// Returns how many tokens a text has, and how deep its brackets are nested.
pub(super) fn measure(text: &str) -> Result<(usize, usize), Error> {
    let mut tokens = 0_usize;
    let mut depth = 0_usize;
    let mut deepest = 0_usize;
    let mut lexer = Lexer::new(text);
    while let Some(token) = lexer.next()? {
        tokens += 1;
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            // The parser stops at a bracket that closes nothing.
            depth = depth.saturating_sub(1);
        }
        deepest = deepest.max(depth);
    }
    Ok((tokens, deepest))
}
