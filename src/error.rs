//! What may go wrong, and the code by which clients know it. Knows neither GraphQL nor HTTP.

mod code;
mod failure;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use self::failure::Failure;
use crate::id::OrganizationId;

pub use self::code::ErrorCode;

/// The result of whatever may be refused or may fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One argument that is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path inside `input`, or the argument's name: `slug`, `prompts.0.text`.
    pub field: String,
    /// What is wrong with it, for a person to read.
    pub message: Cow<'static, str>,
}

/// Why something was refused, or how it failed.
#[derive(Debug)]
pub enum Error {
    /// A refusal of a kind that needs no more than its code and a sentence.
    Refused(ErrorCode, Cow<'static, str>),
    /// Arguments that are not valid, all of them at once.
    InvalidInput(Vec<Violation>),
    /// Arguments that are those of something else already, where no two may be the same.
    Taken(Vec<Violation>),
    /// A limit of a plan or of the server: its name and its value.
    LimitReached {
        /// The limit's name, as in `Plan` or the configuration.
        name: &'static str,
        /// Its value.
        limit: i64,
    },
    /// Too many calls; when the next one may succeed.
    RateLimited(Duration),
    /// The account stays while these organizations, each with its name, have other members and no
    /// other owner.
    MustHandOver(Vec<(OrganizationId, String)>),
    /// The database refused or failed.
    Database(DieselError),
    /// No connection to the database could be had.
    NoConnection(String),
    /// The identity provider could not be asked whether credentials are good; what happened, for the log.
    NoIssuer(String),
    /// Anything that should not have happened.
    Internal(anyhow::Error),
}

impl Error {
    /// No credentials, or credentials that are not valid.
    pub fn unauthenticated() -> Self {
        Self::Refused(ErrorCode::Unauthenticated, "Sign in to do this.".into())
    }

    /// The viewer may see it but may not do this to it; `permission` is what that requires.
    pub fn forbidden(permission: &str) -> Self {
        Self::Refused(
            ErrorCode::Forbidden,
            format!("Requires {permission}.").into(),
        )
    }

    /// Nothing by that id, or nothing that the viewer may see: the two are not told apart.
    pub fn not_found() -> Self {
        Self::Refused(
            ErrorCode::NotFound,
            "There is no such object, or you may not see it.".into(),
        )
    }

    /// The object is no longer in a state in which this can be done.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(ErrorCode::Conflict, message.into())
    }

    /// Nobody else owns it.
    pub fn last_owner() -> Self {
        let message = "There must be an OWNER; make somebody else one first.";
        Self::Refused(ErrorCode::LastOwner, message.into())
    }

    /// One argument that is not valid.
    pub fn invalid(field: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidInput(vec![Violation {
            field: field.into(),
            message: message.into(),
        }])
    }

    /// The code by which clients know it.
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

    /// In how many seconds the call may succeed, rounded up, where there were too many.
    pub fn retry_after_seconds(&self) -> Option<i64> {
        match self {
            Self::RateLimited(wait) => Some(seconds_up(*wait)),
            _ => None,
        }
    }

    /// Whether the whole transaction may succeed if it is tried again: it lost to another one.
    pub fn is_contention(&self) -> bool {
        matches!(self, Self::Database(error) if Failure::of(error) == Failure::Contended)
    }

    /// Whether the database is away.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::NoConnection(_) => true,
            Self::Database(error) => Failure::of(error) == Failure::Unreachable,
            _ => false,
        }
    }

    /// Whether the file of a SQLite database is none, or no longer a whole one.
    pub fn is_of_broken_file(&self) -> bool {
        let told = self.details();
        ["not a database", "malformed"]
            .iter()
            .any(|it| told.contains(it))
    }

    /// Whether the statement was not even looked at, because one before it in its transaction had failed.
    pub fn is_of_aborted_transaction(&self) -> bool {
        matches!(self, Self::Database(error) if Failure::of(error) == Failure::Aborted)
    }

    /// Whether a statement that this database failed might succeed on another of the same content: it was
    /// neither refused nor stopped for the time it took, and its result was not one that cannot be read.
    pub fn may_do_better_elsewhere(&self) -> bool {
        match self {
            Self::Database(DieselError::BrokenTransactionManager) => true,
            Self::Database(error @ DieselError::DatabaseError(..)) => {
                Failure::of(error) != Failure::Timeout
            }
            _ => false,
        }
    }

    /// What happened, with its causes, on one line: for the log and for the operator, and not for a client.
    pub fn details(&self) -> String {
        let text = match self {
            Self::NoConnection(cause) | Self::NoIssuer(cause) => cause.clone(),
            Self::Internal(error) => format!("{error:#}"),
            Self::Database(error) => error.to_string(),
            refusal => refusal.to_string(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the database refused because there is no row of the key that is referred to.
    pub fn is_foreign_key_violation(&self) -> bool {
        matches!(
            self,
            Self::Database(DieselError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation,
                _
            ))
        )
    }

    /// Whether the database refused because a unique index has the key already.
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

/// At least 1, rounded up: whoever waits for as long has waited long enough.
fn seconds_up(wait: Duration) -> i64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    i64::try_from(seconds.max(1)).unwrap_or(i64::MAX)
}

/// An error with its causes, on one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl fmt::Display for Error {
    /// What a person who calls the API may read. Says nothing of the inside of the server.
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
                write!(f, "The limit {name} of {limit} is reached.")
            }
            Self::RateLimited(wait) => {
                write!(f, "Too many calls; try again in {} s.", seconds_up(*wait))
            }
            Self::MustHandOver(organizations) => {
                let names = organizations.iter().map(|(_, name)| name.as_str());
                write!(
                    f,
                    "Hand over the organizations that you alone own first: {}.",
                    names.collect::<Vec<_>>().join(", ")
                )
            }
            Self::NoIssuer(_) => f.write_str("The identity provider cannot be reached; try again."),
            Self::Database(_) | Self::NoConnection(_) | Self::Internal(_) => {
                f.write_str(match self.code() {
                    ErrorCode::Timeout => "The request took too long and was stopped.",
                    ErrorCode::Unavailable => "The database cannot be reached just now.",
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
            // What one gives that is not understood, the other has as well.
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
