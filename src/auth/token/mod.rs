//! Bearer JWTs (RFC 7519): verifying who signed one, and reading whom it is about.
//!
//! ```text
//! token ─ Jwt::parse ─ its issuer ─ times, audience ─ KeyCache::select ─ signature ─ Profile ─ Identity
//! ```
//!
//! Nothing here depends on a database or a server. The time is an argument, so that tests can set it.

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
