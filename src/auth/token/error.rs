//! Why a token yields no identity. No error contains a token or any part of one.

/// Why [`Verifier::verify`](super::Verifier::verify) returned no identity.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// The token is at fault: trying again will not help.
    #[error("the token is refused: {0}")]
    Invalid(#[from] Refusal),
    /// The token is not at fault: its issuer cannot be reached, and there are no earlier keys or answers
    /// to use.
    #[error("the issuer {issuer} is unavailable: {cause}")]
    Unavailable {
        /// The issuer's configured name.
        issuer: String,
        /// What happened, for the log.
        cause: String,
    },
}

/// What is wrong with a token, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than 16 KiB.
    #[error("it is too long")]
    TooLong,
    /// Not three parts of base64url with JSON objects in the first two (RFC 7515 §3.1).
    #[error("it is not a signed JWT")]
    Malformed,
    /// It has a `crit` header (RFC 7515 §4.1.11); no extension is supported.
    #[error("it has a critical header")]
    CriticalHeader,
    /// `none`, HMAC, or any other that is not accepted.
    #[error("its algorithm is not accepted")]
    Algorithm,
    /// No issuer of this name is configured.
    #[error("its issuer is unknown")]
    Issuer,
    /// It is meant for another audience.
    #[error("it is for another audience")]
    Audience,
    /// `exp` has passed by more than the leeway.
    #[error("it has expired")]
    Expired,
    /// `nbf` is further ahead than the leeway.
    #[error("it is not valid yet")]
    NotYetValid,
    /// `iat` is further ahead than the leeway.
    #[error("it was issued in the future")]
    IssuedInFuture,
    /// The issuer has no key with this id or, if the token names none, not exactly one that fits.
    #[error("its key is unknown")]
    Key,
    /// The key it names is not for its algorithm.
    #[error("its algorithm does not match its key")]
    KeyMismatch,
    /// It was not signed with that key, or was changed since.
    #[error("its signature is wrong")]
    Signature,
    /// This claim is missing or malformed.
    #[error("its claim {0} is missing or malformed")]
    Claim(&'static str),
    /// The issuer's userinfo endpoint refuses the token, or answers about somebody else.
    #[error("its issuer did not confirm whom it is about")]
    Userinfo,
}
