//! The mail about an invitation.

use super::{Invitation, NamedInvitation};
use crate::app::App;
use crate::db::Transaction;
use crate::db::types::Instant;
use crate::error::Result;
use crate::models::mail::{self, Letter, MailId, escape_html, one_line};
use crate::models::user::User;

/// Queues the mail, in the transaction that creates or extends the invitation.
///
/// # Errors
/// Database errors only.
pub(super) async fn queue(
    tx: &mut Transaction,
    app: &App,
    named: &NamedInvitation,
    inviter: Option<&User>,
    now: Instant,
) -> Result<MailId> {
    let Invitation { id, email, .. } = &named.invitation;
    let link = app
        .config
        .mail
        .invitation_link(&id.to_string(), &app.public_url());
    let letter = write(named, inviter, &link);
    mail::queue(tx, email, &letter, *id, now).await
}

fn write(named: &NamedInvitation, inviter: Option<&User>, link: &str) -> Letter {
    let organization = one_line(&named.organization_name);
    let place = match &named.workspace_name {
        Some(workspace) => format!("{} at {organization}", one_line(workspace)),
        None => organization,
    };
    // The inviter's address is left out: the person invited does not share an organization with them
    // yet.
    let name = inviter.and_then(|inviter| inviter.name.as_deref());
    let subject = match name.map(one_line).filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} invited you to {place}"),
        None => format!("You are invited to {place}"),
    };
    let address = &named.invitation.email;
    let expiry = named.invitation.expires_at.to_utc().format("%-d %B %Y");
    let until = format!("You can accept until {expiry} (UTC), signed in as {address}.");
    let ignore = "If you did not expect this, you can ignore it.";
    Letter {
        text: format!("{subject}.\n\nAnswer the invitation:\n{link}\n\n{until}\n{ignore}\n"),
        html: format!(
            "<!doctype html>\n<html lang=\"en\"><body>\n<p>{}.</p>\n\
             <p><a href=\"{}\">Answer the invitation</a></p>\n<p>{}<br>{ignore}</p>\n</body></html>\n",
            escape_html(&subject),
            escape_html(link),
            escape_html(&until),
        ),
        subject,
    }
}
