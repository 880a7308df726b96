//! Concurrent statements in one transaction.

use futures_util::future::join;

use super::transaction::{Transaction, Work};
use crate::error::Result;

impl Transaction {
    /// Runs both closures in this transaction: on PostgreSQL, the statements of one are sent without
    /// waiting for the answers to the other's; on SQLite, one closure runs after the other.
    ///
    /// Neither may depend on what the other does, nor on which comes first: a statement that is new to
    /// the session takes longer to be sent.
    ///
    /// # Errors
    /// As `one` and `other`; if both fail, the error that came first. Neither is in the middle of a
    /// statement by then.
    pub async fn together<A, B, F, G>(&mut self, one: F, other: G) -> Result<(A, B)>
    where
        F: for<'t> Work<&'t mut Transaction, Result<A>, Future: Send> + Send,
        G: for<'t> Work<&'t mut Transaction, Result<B>, Future: Send> + Send,
        A: Send,
        B: Send,
    {
        let Some(mut beside) = self.beside() else {
            return Ok((one(self).await?, other(self).await?));
        };
        // Not `try_join`: dropping a future in the middle of a statement costs the session.
        let outcome = join(one(self), other(&mut beside)).await;
        self.announce_all(beside);
        match outcome {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            // PostgreSQL fails every statement after the first failure, without saying why.
            (Err(one), Err(other)) => Err(match one.is_of_aborted_transaction() {
                true => other,
                false => one,
            }),
        }
    }
}
