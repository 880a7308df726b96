//! Checks on a document's text that async-graphql's parser does not offer.

mod escapes;
mod input_fields;
mod lexer;

pub use escapes::unescape;
pub use input_fields::repeated_input_field;
pub(super) use lexer::Lexer;
