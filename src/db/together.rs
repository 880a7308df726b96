//! Statements of one transaction that need not wait for one another.

use futures_util::future::join;

use super::transaction::{Transaction, Work};
use crate::error::Result;

impl Transaction {
    /// Does both in this transaction: on PostgreSQL without waiting for the answers of one before the
    /// other's statements are sent, on SQLite one after the other.
    ///
    /// Neither may count on what the other does, nor on which comes first: a statement that its session
    /// has not seen before takes longer to be sent.
    ///
    /// # Errors
    /// Those of either; of both, the one that came first. None is in the middle of a statement by then.
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
        // Not `try_join`: what is dropped in the middle of a statement costs the session.
        let outcome = join(one(self), other(&mut beside)).await;
        self.announce_all(beside);
        match outcome {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            // Whatever comes after a failure fails as well, and does not say why.
            (Err(one), Err(other)) => Err(match one.is_of_aborted_transaction() {
                true => other,
                false => one,
            }),
        }
    }
}
