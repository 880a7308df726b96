//! Property tests: statements that hold for every document.

mod cost;
mod expansion;
mod text;
mod validation;
