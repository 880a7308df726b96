//! Errors, and the codes by which clients tell them apart. Knows neither GraphQL nor HTTP.

mod code;
mod failure;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use self::failure::Failure;
use crate::id::OrganizationId;

pub use self::code::ErrorCode;

/// The result of anything that may be refused or fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An invalid argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path inside `input`, or the argument's name: `slug`, `prompts.0.text`.
    pub field: String,
    /// What is wrong with it, for people to read.
    pub message: Cow<'static, str>,
}

/// Why something was refused, or how it failed.
#[derive(Debug)]
pub enum Error {
    /// A refusal that needs no more than a code and a sentence.
    Refused(ErrorCode, Cow<'static, str>),
    /// Invalid arguments, all of them at once.
    InvalidInput(Vec<Violation>),
    /// Arguments that must be unique and whose values are already in use.
    Taken(Vec<Violation>),
    /// A limit of a plan or of the server was reached.
    LimitReached {
        /// The limit's name, as in `Plan` or the configuration.
        name: &'static str,
        /// Its value.
        limit: i64,
    },
    /// Too many calls; the next one may succeed after this time.
    RateLimited(Duration),
    /// The account cannot be deleted while it is the only owner of these organizations (each with its
    /// name), which have other members.
    MustHandOver(Vec<(OrganizationId, String)>),
    /// The database refused a statement or failed.
    Database(DieselError),
    /// No connection to the database was available; the cause, for the log.
    NoConnection(String),
    /// The identity provider could not be asked whether credentials are valid; the cause, for the log.
    NoIssuer(String),
    /// Anything that should not have happened.
    Internal(anyhow::Error),
}

impl Error {
    /// Credentials are missing or invalid.
    pub fn unauthenticated() -> Self {
        Self::Refused(ErrorCode::Unauthenticated, "Sign in to do this.".into())
    }

    /// The viewer may see the object but may not do this to it, which requires `permission`.
    pub fn forbidden(permission: &str) -> Self {
        Self::Refused(
            ErrorCode::Forbidden,
            format!("Requires {permission}.").into(),
        )
    }

    /// No object has this id, or the viewer may not see it; callers cannot tell which.
    pub fn not_found() -> Self {
        Self::Refused(
            ErrorCode::NotFound,
            "There is no such object, or you may not see it.".into(),
        )
    }

    /// The object is no longer in a state that allows this.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(ErrorCode::Conflict, message.into())
    }

    /// The organization or workspace would be left without an owner.
    pub fn last_owner() -> Self {
        let message = "There must be at least one OWNER; make somebody else an OWNER first.";
        Self::Refused(ErrorCode::LastOwner, message.into())
    }

    /// An argument is invalid.
    pub fn invalid(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidInput(vec![Violation {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// Returns the code by which clients know the error.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(code, _) => *code,
            Self::InvalidInput(_) => ErrorCode::InvalidInput,
            Self::Taken(_) => ErrorCode::Conflict,
            Self::LimitReached { .. } => ErrorCode::LimitReached,
            Self::RateLimited(_) => ErrorCode::RateLimited,
            Self::MustHandOver(_) => ErrorCode::Conflict,
            Self::NoConnection(_) | Self::NoIssuer(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
            Self::Database(error) => match Failure::of(error) {
                Failure::Timeout => ErrorCode::Timeout,
                Failure::Unreachable | Failure::Contended => ErrorCode::Unavailable,
                Failure::Aborted | Failure::Other => ErrorCode::Internal,
            },
        }
    }

    /// Returns how many seconds to wait before calling again, rounded up, if there were too many calls.
    pub fn retry_after_seconds(&self) -> Option<i64> {
        match self {
            Self::RateLimited(wait) => Some(seconds_up(*wait)),
            _ => None,
        }
    }

    /// Checks whether the transaction lost to another one, so that retrying all of it may succeed.
    pub fn is_contention(&self) -> bool {
        matches!(self, Self::Database(error) if Failure::of(error) == Failure::Contended)
    }

    /// Checks whether the database cannot be reached.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::NoConnection(_) => true,
            Self::Database(error) => Failure::of(error) == Failure::Unreachable,
            _ => false,
        }
    }

    /// Checks whether the file of a SQLite database is not a database, or is damaged.
    pub fn is_of_broken_file(&self) -> bool {
        let told = self.details();
        ["not a database", "malformed"]
            .iter()
            .any(|it| told.contains(it))
    }

    /// Checks whether the statement was skipped because an earlier one in its transaction had failed.
    pub fn is_of_aborted_transaction(&self) -> bool {
        matches!(self, Self::Database(error) if Failure::of(error) == Failure::Aborted)
    }

    /// Checks whether a statement that failed here might succeed on another database with the same content:
    /// not if it was refused or timed out, or its result could not be decoded.
    pub fn may_do_better_elsewhere(&self) -> bool {
        match self {
            Self::Database(DieselError::BrokenTransactionManager) => true,
            Self::Database(error @ DieselError::DatabaseError(..)) => {
                Failure::of(error) != Failure::Timeout
            }
            _ => false,
        }
    }

    /// Returns what happened, with its causes, on one line: for the log and the operator, never for
    /// clients.
    pub fn details(&self) -> String {
        let text = match self {
            Self::NoConnection(cause) | Self::NoIssuer(cause) => cause.clone(),
            Self::Internal(error) => format!("{error:#}"),
            Self::Database(error) => error.to_string(),
            refusal => refusal.to_string(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Checks whether the database refused a reference to a row that does not exist.
    pub fn is_foreign_key_violation(&self) -> bool {
        matches!(
            self,
            Self::Database(DieselError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation,
                _
            ))
        )
    }

    /// Checks whether the database refused a duplicate key in a unique index.
    pub fn is_unique_violation(&self) -> bool {
        matches!(
            self,
            Self::Database(DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation,
                _
            ))
        )
    }
}

/// Rounds up to whole seconds, at least 1, so that waiting this long is always enough.
fn seconds_up(wait: Duration) -> i64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    i64::try_from(seconds.max(1)).unwrap_or(i64::MAX)
}

/// Formats an error with its causes, on one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl fmt::Display for Error {
    /// Writes the message for callers of the API. Reveals nothing of the server's internals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(_, message) => f.write_str(message),
            Self::InvalidInput(violations) | Self::Taken(violations) => {
                let said = violations
                    .iter()
                    .map(|v| format!("{} {}", v.field, v.message));
                write!(f, "{}.", said.collect::<Vec<_>>().join("; "))
            }
            Self::LimitReached { name, limit } => {
                write!(f, "The limit {name} of {limit} has been reached.")
            }
            Self::RateLimited(wait) => {
                write!(f, "Too many calls; try again in {} s.", seconds_up(*wait))
            }
            Self::MustHandOver(organizations) => {
                let names = organizations.iter().map(|(_, name)| name.as_str());
                write!(
                    f,
                    "First hand over the organizations of which you are the only OWNER: {}.",
                    names.collect::<Vec<_>>().join(", ")
                )
            }
            Self::NoIssuer(_) => f.write_str("The identity provider cannot be reached; try again."),
            Self::Database(_) | Self::NoConnection(_) | Self::Internal(_) => {
                f.write_str(match self.code() {
                    ErrorCode::Timeout => "The request took too long and was stopped.",
                    ErrorCode::Unavailable => {
                        "The database cannot be reached right now; try again later."
                    }
                    _ => "Something went wrong inside the server.",
                })
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::Internal(error) => error.source(),
            _ => None,
        }
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_may_do_better_than_one_that_fails() {
        let told = |kind, message: &str| {
            Error::Database(DieselError::DatabaseError(
                kind,
                Box::new(message.to_owned()),
            ))
        };
        let lagging = "relation \"runs\" does not exist";
        for (error, expected) in [
            // The primary had none either.
            (Error::NoConnection("refused".into()), false),
            (Error::Database(DieselError::BrokenTransactionManager), true),
            (told(DatabaseErrorKind::ClosedConnection, "gone"), true),
            (told(DatabaseErrorKind::Unknown, lagging), true),
            (
                told(
                    DatabaseErrorKind::Unknown,
                    "canceling statement due to statement timeout",
                ),
                false,
            ),
            // What cannot be decoded here cannot be decoded from the other database either.
            (
                Error::Database(DieselError::DeserializationError("no such status".into())),
                false,
            ),
            (Error::Database(DieselError::NotFound), false),
            (Error::not_found(), false),
        ] {
            assert_eq!(error.may_do_better_elsewhere(), expected, "{error:?}");
        }
    }

    #[test]
    fn whoever_is_to_wait_is_told_one_time() {
        for (millis, seconds) in [(0, 1), (1_000, 1), (1_001, 2), (59_999, 60)] {
            let error = Error::RateLimited(Duration::from_millis(millis));
            assert_eq!(error.retry_after_seconds(), Some(seconds));
            assert!(
                error.to_string().contains(&format!(" {seconds} s")),
                "{error}"
            );
        }
    }
}
