//! Why a token does not say who somebody is. Nothing here holds a token or any part of one.

/// Why [`Verifier::verify`](super::Verifier::verify) gave no identity.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum TokenError {
    /// It is the token: asking again will not help.
    #[error("the token is refused: {0}")]
    Invalid(#[from] Refusal),
    /// It is not the token: its issuer could not be asked, and nothing it said earlier will do.
    #[error("the issuer {issuer} cannot be asked: {cause}")]
    Unavailable {
        /// The issuer's configured name.
        issuer: String,
        /// What happened, for a log.
        cause: String,
    },
}

/// What is wrong with a token, for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than 16 KiB.
    #[error("it is too long")]
    TooLong,
    /// Not three parts of base64url with JSON objects in the first two (RFC 7515 §3.1).
    #[error("it is no signed JWT")]
    Malformed,
    /// It says that something has to be understood that is not (RFC 7515 §4.1.11).
    #[error("it has a critical header")]
    CriticalHeader,
    /// `none`, HMAC, or another that is not accepted.
    #[error("its algorithm is not accepted")]
    Algorithm,
    /// Nobody of this name is configured.
    #[error("its issuer is unknown")]
    Issuer,
    /// It is meant for somebody else.
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
    /// The issuer has no key of this id, or, where the token names none, not exactly one that fits.
    #[error("its key is unknown")]
    Key,
    /// The key that it names is not for its algorithm.
    #[error("its algorithm does not fit its key")]
    KeyMismatch,
    /// It was not signed with that key, or was changed since.
    #[error("its signature is wrong")]
    Signature,
    /// This claim is missing or is not what it has to be.
    #[error("its claim {0} is missing or malformed")]
    Claim(&'static str),
    /// The issuer's userinfo endpoint does not take it, or speaks of somebody else.
    #[error("its issuer does not tell whom it is about")]
    Userinfo,
}
