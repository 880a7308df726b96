//! The text of a document, and what has to be known of it that async-graphql's parser does not tell.

mod escapes;
mod input_fields;
mod lexer;

pub use escapes::unescape;
pub use input_fields::repeated_input_field;
pub(super) use lexer::Lexer;
