//! Whose request it is.

pub mod token;
mod viewer;

pub use viewer::{Credential, Viewer};
