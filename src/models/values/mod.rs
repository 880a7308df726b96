//! Validation of values: one file per kind of value, pure functions without a database.
//!
//! Each parser takes what a client sent and returns the form that is stored, or [`Invalid`]. Parsing is
//! idempotent: the stored form parses to itself. Text lengths count Unicode scalar values.

pub mod cron;
pub mod domain;
pub mod email;
pub mod fold;
pub mod join_code;
pub mod json;
pub mod mention;
#[cfg(test)]
mod properties;
pub mod slug;
pub mod text;

use std::borrow::Cow;

/// Why a value was refused, for people to read, as the predicate of a sentence whose subject is the
/// field: "must be 2 to 80 characters long".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub Cow<'static, str>);

impl From<&'static str> for Invalid {
    fn from(message: &'static str) -> Self {
        Self(Cow::Borrowed(message))
    }
}

impl From<String> for Invalid {
    fn from(message: String) -> Self {
        Self(Cow::Owned(message))
    }
}

/// Implements what the types around a checked text have in common: reading, displaying and unwrapping
/// it.
macro_rules! checked_text {
    ($Type:ident) => {
        impl $Type {
            /// Returns the text, as it is stored.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $Type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<$Type> for String {
            fn from(value: $Type) -> Self {
                value.0
            }
        }
    };
}

use checked_text;
