//! The codes by which clients tell errors apart.

/// The values of `extensions.code`, by which clients tell errors apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Credentials are missing or invalid.
    Unauthenticated,
    /// The viewer may see the object but may not do this to it.
    Forbidden,
    /// There is no such object, or the viewer may not see it.
    NotFound,
    /// An argument is invalid.
    InvalidInput,
    /// The slug is already taken.
    SlugTaken,
    /// The object is no longer in a state that allows this.
    Conflict,
    /// A limit of the plan or of the server was reached.
    LimitReached,
    /// Too many calls.
    RateLimited,
    /// The organization or workspace would be left without an owner.
    LastOwner,
    /// A user's last workspace cannot be deleted.
    LastWorkspace,
    /// The invitation or join code can no longer be used.
    InviteUnusable,
    /// The document is too deep, too complex or too long.
    QueryTooComplex,
    /// The document could not be parsed.
    GraphqlParseFailed,
    /// The document, its variables or the operation's name do not fit the schema.
    GraphqlValidationFailed,
    /// No persisted document has that hash.
    PersistedQueryNotFound,
    /// The request took too long and was stopped.
    Timeout,
    /// The database, the identity provider or the file store cannot be reached, or the server is
    /// shutting down.
    Unavailable,
    /// The server failed.
    Internal,
}

impl ErrorCode {
    /// Returns the name that clients see.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::InvalidInput => "INVALID_INPUT",
            Self::SlugTaken => "SLUG_TAKEN",
            Self::Conflict => "CONFLICT",
            Self::LimitReached => "LIMIT_REACHED",
            Self::RateLimited => "RATE_LIMITED",
            Self::LastOwner => "LAST_OWNER",
            Self::LastWorkspace => "LAST_WORKSPACE",
            Self::InviteUnusable => "INVITE_UNUSABLE",
            Self::QueryTooComplex => "QUERY_TOO_COMPLEX",
            Self::GraphqlParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::GraphqlValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}
