//! Authentication.

mod authenticator;
pub mod token;
mod uses;
mod viewer;

pub use authenticator::{Authenticator, Recalled, Refused, is_api_token};
pub use viewer::{Credential, Viewer};
