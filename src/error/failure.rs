//! How statements fail.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// How a statement failed for reasons outside of it.
#[derive(PartialEq)]
pub(super) enum Failure {
    Timeout,
    Unreachable,
    Contended,
    Aborted,
    Other,
}

impl Failure {
    /// Classifies a database error. Diesel reports the kind of only a few errors and hides the SQLSTATE
    /// of the others, so those are recognized by the server's messages, in English. Its `lc_messages`
    /// may be another language, which only a superuser can change;
    /// [`foreign_messages`](crate::db::foreign_messages) reports that.
    pub(super) fn of(error: &DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = error else {
            return match error {
                DieselError::BrokenTransactionManager => Self::Unreachable,
                _ => Self::Other,
            };
        };
        match kind {
            DatabaseErrorKind::SerializationFailure => Self::Contended,
            DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::ReadOnlyTransaction => Self::Unreachable,
            _ => {
                let message = info.message();
                if message == "deadlock detected" || message == "database is locked" {
                    Self::Contended
                } else if message.starts_with("current transaction is aborted") {
                    Self::Aborted
                } else if message.starts_with("canceling statement due to") {
                    Self::Timeout
                } else if message.starts_with("terminating connection")
                    || message.starts_with("the database system is")
                    || message == "connection closed"
                {
                    Self::Unreachable
                } else {
                    Self::Other
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorCode};

    #[test]
    fn what_is_tried_again_and_what_clients_are_told_depends_on_what_the_database_says() {
        use DatabaseErrorKind::*;

        let cases = [
            (
                Failure::Contended,
                ErrorCode::Unavailable,
                vec![
                    (SerializationFailure, "could not serialize access"),
                    (Unknown, "deadlock detected"),
                    (Unknown, "database is locked"),
                ],
            ),
            (
                Failure::Unreachable,
                ErrorCode::Unavailable,
                vec![
                    (UnableToSendCommand, "connection reset by peer"),
                    (ClosedConnection, "connection closed"),
                    (ReadOnlyTransaction, "cannot execute UPDATE"),
                    (Unknown, "connection closed"),
                    (Unknown, "terminating connection due to a timeout"),
                    (Unknown, "the database system is shutting down"),
                ],
            ),
            (
                Failure::Timeout,
                ErrorCode::Timeout,
                vec![
                    (Unknown, "canceling statement due to statement timeout"),
                    (Unknown, "canceling statement due to user request"),
                ],
            ),
            (
                Failure::Aborted,
                ErrorCode::Internal,
                vec![(Unknown, "current transaction is aborted, commands ignored")],
            ),
            (
                Failure::Other,
                ErrorCode::Internal,
                vec![
                    (UniqueViolation, "duplicate key value"),
                    (ForeignKeyViolation, "FOREIGN KEY constraint failed"),
                    (Unknown, "no deadlock detected"),
                    (Unknown, "database is locked for good"),
                ],
            ),
        ];
        for (failure, code, errors) in cases {
            for (kind, message) in errors {
                let info = Box::new(message.to_owned());
                let error = Error::from(DieselError::DatabaseError(kind, info));
                assert_eq!(error.code(), code, "{message}");
                let is = |other| failure == other;
                assert_eq!(error.is_contention(), is(Failure::Contended), "{message}");
                assert_eq!(error.is_outage(), is(Failure::Unreachable), "{message}");
                let is_of_aborted = error.is_of_aborted_transaction();
                assert_eq!(is_of_aborted, is(Failure::Aborted), "{message}");
                let may_do_better = error.may_do_better_elsewhere();
                assert_eq!(may_do_better, !is(Failure::Timeout), "{message}");
            }
        }
        let broken = Error::from(DieselError::BrokenTransactionManager);
        assert!(broken.is_outage() && !broken.is_contention());
        let missing = Error::from(DieselError::NotFound);
        assert_eq!(missing.code(), ErrorCode::Internal);
    }
}
