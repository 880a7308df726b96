//! Typed ids: UUIDv7s whose type says what they name.
//!
//! The text form of an id is a [TypeID] (specification 0.3.0): the prefix of its kind, an underscore and
//! 26 characters of base32, such as `ws_01jv9k6rm5e2qscx1y2p9r8z4d`. Only the UUID is stored, as the
//! column implies the kind.
//!
//! A new kind of object takes one line in the list under `kinds!`, and nothing else.
//!
//! [TypeID]: https://github.com/jetify-com/typeid/tree/main/spec

mod base32;
#[cfg(test)]
mod properties;
mod sequence;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// A kind of object that has ids.
pub trait Kind: Copy + Eq + Hash + Send + Sync + 'static {
    /// The prefix of its ids, before the underscore.
    const PREFIX: &'static str;
}

/// The id of a `K`.
///
/// Ids compare and sort as their UUIDs do: first by the millisecond of creation.
#[derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = crate::db::types::sql::Id)]
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// Why a text is not an id of the requested kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// The text is not an id of any kind.
    #[error("is not an id")]
    Malformed,
    /// The text is a well-formed id of another kind, so it cannot name anything here.
    #[error("is the id of something else")]
    OtherKind,
}

impl<K> Id<K> {
    /// Creates a new id for the time `now`.
    ///
    /// It holds the milliseconds of `now` since the Unix epoch (0 for an earlier time) and 73 random
    /// bits, of which the next id for the same millisecond draws 32 anew and increments the others:
    /// consecutive ids that this process creates for one millisecond are in ascending order.
    ///
    /// # Panics
    ///
    /// If the operating system provides no random bytes.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self::from_uuid(sequence::next(now))
    }

    /// Returns the id for a stored UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// Returns the UUID, as it is stored.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

// Written by hand, because derived implementations would require the same traits of `K`, which is only a
// name.

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = base32::encode(self.0.as_u128());
        // Written in one piece, not digit by digit: replies are full of ids.
        let digits = str::from_utf8(&digits).map_err(|_| fmt::Error)?;
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(digits)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = ParseIdError;

    /// Accepts only what `Display` writes: no other case, no spaces, no other length.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (prefix, uuid) = split(text).ok_or(ParseIdError::Malformed)?;
        if prefix == K::PREFIX {
            return Ok(Self::from_uuid(uuid));
        }
        AnyId::of(prefix, uuid).ok_or(ParseIdError::Malformed)?;
        Err(ParseIdError::OtherKind)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Splits an id at its last underscore. The prefix may be any text.
fn split(text: &str) -> Option<(&str, Uuid)> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    Some((prefix, Uuid::from_u128(base32::decode(suffix)?)))
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $prefix:literal $Kind:ident $KindId:ident;)*) => {
        /// The kinds of ids. They have no values: each is only a name for the type system.
        pub mod kind {
            $(
                $(#[$doc])*
                #[derive(Debug)]
                #[derive(Clone, Copy, PartialEq, Eq, Hash)]
                pub enum $Kind {}

                impl super::Kind for $Kind {
                    const PREFIX: &'static str = $prefix;
                }
            )*
        }

        $(
            $(#[$doc])*
            pub type $KindId = Id<kind::$Kind>;
        )*

        /// An id of any kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AnyId {
            $(
                $(#[$doc])*
                $Kind($KindId),
            )*
        }

        impl AnyId {
            /// Returns the id with this prefix and UUID; `None` if no kind has the prefix.
            fn of(prefix: &str, uuid: Uuid) -> Option<Self> {
                match prefix {
                    $($prefix => Some(Self::$Kind(Id::from_uuid(uuid))),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for AnyId {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$Kind(id) => fmt::Display::fmt(id, f),)*
                }
            }
        }

        $(
            impl From<$KindId> for AnyId {
                fn from(id: $KindId) -> Self {
                    Self::$Kind(id)
                }
            }
        )*
    };
}

kinds! {
    /// A person.
    "user" User UserId;
    /// An organization.
    "org" Organization OrganizationId;
    /// A workspace.
    "ws" Workspace WorkspaceId;
    /// An invitation to become a member.
    "inv" Invitation InvitationId;
    /// A membership in an organization.
    "omem" OrganizationMember OrganizationMemberId;
    /// A membership in a workspace.
    "wmem" WorkspaceMember WorkspaceMemberId;
    /// A question that is put to providers.
    "prompt" Prompt PromptId;
    /// One collection of answers.
    "run" Run RunId;
    /// What one provider answered to one prompt in one run.
    "answer" Answer AnswerId;
    /// An API token, not its secret.
    "tok" ApiToken ApiTokenId;
    /// An uploaded file.
    "file" File FileId;
    /// Something that happened.
    "event" Event EventId;
}

impl FromStr for AnyId {
    type Err = ParseIdError;

    /// Fails only with [`ParseIdError::Malformed`].
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        split(text)
            .and_then(|(prefix, uuid)| Self::of(prefix, uuid))
            .ok_or(ParseIdError::Malformed)
    }
}

impl Serialize for AnyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AnyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
