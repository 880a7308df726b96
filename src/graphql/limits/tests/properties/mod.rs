//! What holds of every document, tried with any.

mod cost;
mod expansion;
mod text;
mod validation;
