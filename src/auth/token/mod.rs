//! Bearer JWTs (RFC 7519): who signed one, and whom it is about.
//!
//! ```text
//! token ─ Jwt::parse ─ its issuer ─ times, audience ─ KeyCache::select ─ signature ─ Profile ─ Identity
//! ```
//!
//! Nothing here knows a database or a server. The clock is an argument, so that a test can move it.

mod claims;
mod development;
mod error;
mod fetch;
mod jwt;
mod key_cache;
mod key_set;
mod profile;
#[cfg(test)]
mod tests;
mod userinfo;
mod verifier;

pub use development::{DevelopmentKey, DevelopmentKeyError, ISSUER as DEVELOPMENT_ISSUER};
pub use error::{Refusal, TokenError};
pub use fetch::http_client;
pub use key_cache::count_keys;
pub use verifier::{Identity, Verifier};
