//! The outbox for mail. A mail is written in the same transaction as what it reports, so that neither
//! can exist without the other.

use std::time::Duration;

use chrono::TimeDelta;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_async::RunQueryDsl;

use crate::db::types::Instant;
use crate::db::{Connection, Transaction, lock_skip};
use crate::error::Result;
use crate::id::{Id, InvitationId, Kind};
use crate::models::invitation;
use crate::run;
use crate::schema::mails;

/// A mail in the outbox. Clients never see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outbox {}

impl Kind for Outbox {
    const PREFIX: &'static str = "mail";
}

/// The id of a mail.
pub type MailId = Id<Outbox>;

/// A mail waiting to be sent.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = mails, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Mail {
    /// The mail's id.
    pub id: MailId,
    /// The recipient's address.
    pub recipient: String,
    /// The subject, on one line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// When it was written.
    pub created_at: Instant,
    /// When to send it, or to try again.
    pub due_at: Instant,
    /// How many times sending was tried.
    pub attempts: i32,
    /// The invitation it is about; `None` if an earlier version wrote it.
    pub invitation_id: Option<InvitationId>,
}

impl Mail {
    /// Returns the recipient's domain, which may be logged.
    pub fn domain(&self) -> &str {
        self.recipient.rsplit('@').next().unwrap_or_default()
    }
}

/// The content of a mail.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The subject, on one line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// Due mails, claimed by the worker that took them.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The mails to be sent.
    pub mails: Vec<Mail>,
    /// Mails about invitations that are over by now. They have been removed.
    pub moot: Vec<MailId>,
}

/// Queues a mail about an invitation, to be sent once the transaction is committed.
///
/// # Errors
/// Database errors only.
pub(in crate::models) async fn queue(
    tx: &mut Transaction,
    recipient: &str,
    letter: &Letter,
    invitation: InvitationId,
    now: Instant,
) -> Result<MailId> {
    let mail = Mail {
        id: MailId::new(now.to_utc()),
        recipient: recipient.to_owned(),
        subject: letter.subject.clone(),
        text: letter.text.clone(),
        html: letter.html.clone(),
        created_at: now,
        due_at: now,
        attempts: 0,
        invitation_id: Some(invitation),
    };
    run!(
        tx,
        diesel::insert_into(mails::table)
            .values(&mail)
            .execute(tx)
            .await
    )?;
    Ok(mail.id)
}

/// Checks whether any mail is due.
///
/// # Errors
/// Database errors only.
pub async fn is_any_due(conn: &mut Connection, now: Instant) -> Result<bool> {
    let due = mails::table.filter(mails::due_at.le(now)).select(mails::id);
    Ok(run!(
        conn,
        diesel::select(diesel::dsl::exists(due))
            .get_result(conn)
            .await
    )?)
}

/// How many mails are waiting to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Queued {
    /// Mails that a worker would take now.
    pub due: i64,
    /// Mails to be tried again later, or claimed by a worker.
    pub put_off: i64,
}

/// Counts the mails waiting to be sent, for monitoring.
///
/// # Errors
/// Database errors only.
pub async fn count(conn: &mut Connection, now: Instant) -> Result<Queued> {
    let all: i64 = run!(conn, mails::table.count().get_result(conn).await)?;
    let due = mails::table.filter(mails::due_at.le(now)).count();
    let due: i64 = run!(conn, due.get_result(conn).await)?;
    Ok(Queued {
        due,
        // The two counts are not taken at the same time.
        put_off: (all - due).max(0),
    })
}

/// Claims up to `limit` due mails, each for the duration of `lease`. Until it ends, no other worker
/// takes them; afterwards any does, in case this one died. Removes those whose invitation cannot be
/// accepted any more.
///
/// # Errors
/// Database errors only.
pub async fn claim(
    tx: &mut Transaction,
    now: Instant,
    lease: TimeDelta,
    limit: i64,
) -> Result<Claimed> {
    let due: Vec<Mail> = run!(
        tx,
        lock_skip(
            mails::table
                .filter(mails::due_at.le(now))
                .order_by((mails::due_at, mails::id))
                .limit(limit)
                .select(Mail::as_select())
        )
        .get_results(tx)
        .await
    )?;
    if due.is_empty() {
        // Other workers were faster.
        return Ok(Claimed::default());
    }
    let of: Vec<_> = due.iter().filter_map(|mail| mail.invitation_id).collect();
    let over = invitation::over(tx, &of, now).await?;
    let is_moot = |mail: &Mail| mail.invitation_id.is_some_and(|id| over.contains(&id));
    let (moot, mut mails): (Vec<_>, Vec<_>) = due.into_iter().partition(is_moot);
    let moot: Vec<_> = moot.iter().map(|mail| mail.id).collect();
    if !moot.is_empty() {
        let rows = mails::table.filter(mails::id.eq_any(&moot));
        run!(tx, diesel::delete(rows).execute(tx).await)?;
    }
    if mails.is_empty() {
        return Ok(Claimed { mails, moot });
    }
    let ids: Vec<_> = mails.iter().map(|mail| mail.id).collect();
    let due_at = now.plus(lease);
    run!(
        tx,
        diesel::update(mails::table.filter(mails::id.eq_any(ids)))
            .set((
                mails::due_at.eq(due_at),
                mails::attempts.eq(mails::attempts + 1)
            ))
            .execute(tx)
            .await
    )?;
    for mail in &mut mails {
        mail.due_at = due_at;
        mail.attempts += 1;
    }
    Ok(Claimed { mails, moot })
}

/// Removes a mail that was sent or never can be.
///
/// # Errors
/// Database errors only.
pub async fn remove(tx: &mut Transaction, id: MailId) -> Result<()> {
    run!(tx, diesel::delete(mails::table.find(id)).execute(tx).await)?;
    Ok(())
}

/// Reschedules a claimed mail and returns when it is due; the delay doubles each time, up to an hour.
/// Does nothing if the lease has ended and another worker has taken the mail since.
///
/// # Errors
/// Database errors only.
pub async fn put_off(tx: &mut Transaction, mail: &Mail, now: Instant) -> Result<Instant> {
    let due_at = now.plus(back_off(mail.attempts));
    let claimed = mails::table
        .find(mail.id)
        .filter(mails::attempts.eq(mail.attempts));
    run!(
        tx,
        diesel::update(claimed)
            .set(mails::due_at.eq(due_at))
            .execute(tx)
            .await
    )?;
    Ok(due_at)
}

/// The delay after that many attempts: 10 s, 20 s, 40 s and so on, up to an hour.
fn back_off(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(1, 10) - 1).unwrap_or(0);
    let wait = Duration::from_secs(10 << doublings).min(Duration::from_secs(3600));
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(1))
}

/// Puts text on one line, without control characters, for headers and sentences.
pub fn one_line(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(printable).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Escapes text for HTML elements and quoted attributes.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_up_to_an_hour() {
        let waits = [1, 2, 3, 9, 10, 1000, i32::MAX].map(|n| back_off(n).num_seconds());
        assert_eq!(waits, [10, 20, 40, 2560, 3600, 3600, 3600]);
    }

    #[test]
    fn names_can_break_neither_a_header_nor_the_markup() {
        assert_eq!(
            one_line("Ada\r\nBcc: eve@example.com"),
            "Ada Bcc: eve@example.com"
        );
        assert_eq!(
            escape_html("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"
        );
    }
}
