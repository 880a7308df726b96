//! Mail to be sent: an outbox. It is written in the transaction that it tells of, so that there is no
//! mail of what did not happen, and none is missing of what did.

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

/// A mail in the outbox. Never seen by clients.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outbox {}

impl Kind for Outbox {
    const PREFIX: &'static str = "mail";
}

/// The id of a mail.
pub type MailId = Id<Outbox>;

/// A mail that waits to be sent.
#[derive(Queryable, Selectable, Insertable, Clone, Debug)]
#[diesel(table_name = mails, check_for_backend(Pg, Sqlite), treat_none_as_default_value = false)]
pub struct Mail {
    /// The mail's id.
    pub id: MailId,
    /// The address that it goes to.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// When it was written.
    pub created_at: Instant,
    /// When to try (again).
    pub due_at: Instant,
    /// How often it was tried.
    pub attempts: i32,
    /// What it tells of; nothing where an earlier version wrote it.
    pub invitation_id: Option<InvitationId>,
}

impl Mail {
    /// The recipient's domain, which a log may tell.
    pub fn domain(&self) -> &str {
        self.recipient.rsplit('@').next().unwrap_or_default()
    }
}

/// What a mail says.
#[derive(Clone, Debug)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Mails that were due, whose rows are the taker's.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// Those to be sent.
    pub mails: Vec<Mail>,
    /// Those that tell of what is over by now. They are removed.
    pub moot: Vec<MailId>,
}

/// Writes a mail of an invitation down, to be sent once the transaction is committed.
///
/// # Errors
/// Only those of the database.
pub async fn queue(
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

/// Whether any mail is due.
///
/// # Errors
/// Only those of the database.
pub async fn is_any_due(conn: &mut Connection, now: Instant) -> Result<bool> {
    let due = mails::table.filter(mails::due_at.le(now)).select(mails::id);
    Ok(run!(
        conn,
        diesel::select(diesel::dsl::exists(due))
            .get_result(conn)
            .await
    )?)
}

/// The mails that are still to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Queued {
    /// Those that a worker would take now.
    pub due: i64,
    /// Those that are tried again later, or that a worker has.
    pub put_off: i64,
}

/// Counts the mails that are still to be sent, for whoever watches the server.
///
/// # Errors
/// Only those of the database.
pub async fn count(conn: &mut Connection, now: Instant) -> Result<Queued> {
    let all: i64 = run!(conn, mails::table.count().get_result(conn).await)?;
    let due = mails::table.filter(mails::due_at.le(now)).count();
    let due: i64 = run!(conn, due.get_result(conn).await)?;
    Ok(Queued {
        due,
        // They are not counted at one time.
        put_off: (all - due).max(0),
    })
}

/// Takes up to `limit` mails that are due, each for as long as `lease`: until then no other worker
/// takes them, and then any does, should this one have died. Removes those of them whose invitation
/// cannot be accepted any more.
///
/// # Errors
/// Only those of the database.
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
        // Others were faster.
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

/// Forgets a mail: it was sent, or it never can be.
///
/// # Errors
/// Only those of the database.
pub async fn remove(tx: &mut Transaction, id: MailId) -> Result<()> {
    run!(tx, diesel::delete(mails::table.find(id)).execute(tx).await)?;
    Ok(())
}

/// Lets a claimed mail be tried again later; each time, that is twice as late, up to an hour. Does
/// nothing where the lease has ended and another worker has taken the mail since.
///
/// # Errors
/// Only those of the database.
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

/// How long to wait after that many tries: 10 s, 20 s, 40 s and so on, up to an hour.
fn back_off(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.clamp(1, 10) - 1).unwrap_or(0);
    let wait = Duration::from_secs(10 << doublings).min(Duration::from_secs(3600));
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::hours(1))
}

/// Text for a header or a sentence: on one line, whatever it was.
pub fn one_line(text: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(printable).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text as it is written inside of HTML, in elements and in quoted attributes.
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
