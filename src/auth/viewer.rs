//! The person who makes a request.

use crate::db::types::Instant;
use crate::id::UserId;
use crate::models::user::User;

/// The person who makes a request, and how they proved their identity.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The user, as of this request.
    pub user: User,
    /// How they proved their identity.
    pub credential: Credential,
    /// When they proved their identity. What was due for permanent deletion by then is gone for them.
    pub at: Instant,
    /// When the credential expires, if it does.
    pub expires_at: Option<Instant>,
}

/// What a request was signed in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token from an identity provider, or a development token.
    Identity {
        /// The WorkOS organization that the token was issued for.
        workos_organization_id: Option<String>,
    },
    /// An API token of the viewer.
    ApiToken,
}

impl Viewer {
    /// The user's id.
    pub fn id(&self) -> UserId {
        self.user.id
    }
}
