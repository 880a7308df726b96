//! Sending the mails in the outbox.
//!
//! No transaction is open while a mail is sent: the mail is claimed for a while, sent, and then removed.
//! If the process dies or the database goes away between the last two steps, the mail is sent again once
//! the claim has expired: delivery is at least once. Both copies have the same Message-ID, made from the
//! mail's id, so that mail servers and people can recognize the duplicate.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::mailer::{Failure, FailureKind, Mailer};
use crate::app::App;
use crate::error::Result;
use crate::metrics::Delivery;
use crate::models::mail::{self, Claimed, Mail};

/// How many mails are sent at a time.
const BATCH: i64 = 8;
/// How long sending one mail may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long a claim lasts: well beyond [`TIMEOUT`].
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How long a mail is retried that the server refuses permanently: long enough for a misconfigured
/// server to be noticed.
const PATIENCE: TimeDelta = TimeDelta::days(1);
/// How long a mail is retried that the server refuses temporarily, unless it belongs to an invitation:
/// such a mail is dropped once the invitation is over.
const PATIENCE_FOR_NOW: TimeDelta = TimeDelta::days(7);

/// Sends a batch of due mails, and returns whether there may be more.
///
/// # Errors
/// Database errors only: a mail that could not be sent is put off.
pub(super) async fn deliver(app: &App, mailer: &Mailer) -> Result<bool> {
    let now = app.now();
    // Reading first saves a write: most of the time there is nothing to do.
    if !mail::is_any_due(&mut app.db.read().await?, now).await? {
        return Ok(false);
    }
    let Claimed { mails, moot } = app
        .db
        .transaction(async |tx| mail::claim(tx, now, LEASE, BATCH).await)
        .await?;
    for id in &moot {
        tracing::info!(mail = %id, "mail dropped: its invitation is no longer pending");
        app.metrics.mail(Delivery::Dropped);
    }
    let outcomes = join_all(mails.iter().map(|mail| deliver_one(app, mailer, mail))).await;
    outcomes.into_iter().collect::<Result<()>>()?;
    Ok(!mails.is_empty() || !moot.is_empty())
}

/// Returns how long a mail that failed in this way is retried. `None` means without limit, as when the
/// server cannot be reached.
fn patience(mail: &Mail, kind: FailureKind) -> Option<TimeDelta> {
    match kind {
        FailureKind::Permanent => Some(PATIENCE),
        FailureKind::Transient if mail.invitation_id.is_none() => Some(PATIENCE_FOR_NOW),
        FailureKind::Transient | FailureKind::Unheard => None,
    }
}

async fn deliver_one(app: &App, mailer: &Mailer, mail: &Mail) -> Result<()> {
    let sent = tokio::time::timeout(TIMEOUT, mailer.send(mail)).await;
    let failure = match sent {
        Ok(Ok(())) => {
            app.metrics.mail(Delivery::Sent);
            return app
                .db
                .transaction(async |tx| mail::remove(tx, mail.id).await)
                .await;
        }
        Ok(Err(failure)) => failure,
        Err(_) => Failure {
            message: "the mail server took too long".to_owned(),
            kind: FailureKind::Unheard,
        },
    };
    let now = app.now();
    let (id, domain, reason) = (mail.id, mail.domain(), &failure.message);
    let patience = patience(mail, failure.kind);
    if patience.is_some_and(|patience| mail.created_at.plus(patience) <= now) {
        tracing::error!(mail = %id, domain, reason, "mail given up");
        app.metrics.mail(Delivery::GivenUp);
        return app
            .db
            .transaction(async |tx| mail::remove(tx, mail.id).await)
            .await;
    }
    app.metrics.mail(Delivery::Failed);
    let due_at = app
        .db
        .transaction(async |tx| mail::put_off(tx, mail, now).await)
        .await?;
    let attempts = mail.attempts;
    tracing::warn!(mail = %id, domain, attempts, %due_at, reason, "mail could not be sent");
    Ok(())
}
