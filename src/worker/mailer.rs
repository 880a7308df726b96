//! Where mail goes: to the configured server or, without one, into files.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::config::Config;
use crate::error::causes;
use crate::loopback::is_loopback;
use crate::models::mail::Mail;

/// How long a mail server may take for one response.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends mail.
pub(super) struct Mailer {
    from: Mailbox,
    transport: Transport,
}

enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    /// A folder of `.eml` files, for development: any mail program opens them.
    Files(PathBuf),
}

/// Where mail goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailServer {
    /// Into files: no server is configured.
    None,
    /// To the configured server, which responds.
    Answers,
}

/// Why a mail was not sent.
pub(super) struct Failure {
    /// What happened. Contains no address.
    pub message: String,
    /// Whether trying again may help.
    pub kind: FailureKind,
}

/// Whether trying again may help.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// Probably not: the server refused the mail permanently.
    Permanent,
    /// The server refused the mail temporarily.
    Transient,
    /// The server gave no verdict on the mail.
    Unheard,
}

impl Mailer {
    /// Connects to the configured mail server, or writes files into `mail` in the data directory.
    ///
    /// # Errors
    /// If the configured sender or server URL is invalid.
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let from = config.mail.from.parse().context("mail.from")?;
        let transport = match &config.mail.smtp_url {
            // The error leaves out the URL, which may hold a password.
            Some(url) => Transport::Smtp(smtp(url.expose()).context("mail.smtp_url")?),
            None => Transport::Files(config.data_dir.join("mail")),
        };
        Ok(Self { from, transport })
    }

    /// Hands the mail to the server, or writes it to a file.
    pub(super) async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let message = self.message(mail).map_err(|error| Failure {
            message: without_address(&format!("{error:#}"), mail),
            kind: FailureKind::Permanent,
        })?;
        let (id, domain) = (mail.id, mail.domain());
        match &self.transport {
            Transport::Smtp(smtp) => {
                smtp.send(message).await.map_err(|error| Failure {
                    message: without_address(&causes(&error), mail),
                    kind: match (error.is_permanent(), error.is_transient()) {
                        (true, _) => FailureKind::Permanent,
                        (_, true) => FailureKind::Transient,
                        _ => FailureKind::Unheard,
                    },
                })?;
                tracing::info!(mail = %id, domain, "mail sent");
            }
            Transport::Files(folder) => {
                let path = folder.join(format!("{id}.eml"));
                let written = async {
                    tokio::fs::create_dir_all(folder).await?;
                    // Anyone watching the folder sees only complete mails.
                    let unfinished = path.with_extension("part");
                    tokio::fs::write(&unfinished, message.formatted()).await?;
                    tokio::fs::rename(&unfinished, &path).await
                };
                written.await.map_err(|error| Failure {
                    message: format!("{} cannot be written: {error}", path.display()),
                    kind: FailureKind::Unheard,
                })?;
                tracing::info!(mail = %id, domain, file = %path.display(), "no mail server is configured: mail written to a file");
            }
        }
        Ok(())
    }

    /// Checks that the mail server accepts a connection and the configured credentials.
    pub(super) async fn look(&self) -> anyhow::Result<MailServer> {
        let Transport::Smtp(smtp) = &self.transport else {
            return Ok(MailServer::None);
        };
        match smtp.test_connection().await {
            Ok(true) => Ok(MailServer::Answers),
            Ok(false) => Err(anyhow!("the mail server does not respond like one")),
            Err(error) => Err(anyhow!(
                "the mail server cannot be used: {}",
                causes(&error)
            )),
        }
    }

    fn message(&self, mail: &Mail) -> anyhow::Result<Message> {
        let recipient = mail.recipient.parse().context("the recipient's address")?;
        let domain = self.from.email.domain();
        Ok(Message::builder()
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .date(mail.created_at.to_utc().into())
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient))
            .subject(&mail.subject)
            .multipart(MultiPart::alternative_plain_html(
                mail.text.clone(),
                mail.html.clone(),
            ))?)
    }
}

/// Builds the SMTP transport. `smtps` is encrypted from the start. `smtp` is upgraded with STARTTLS:
/// always if a password is sent to another machine, and otherwise if the server offers it.
fn smtp(url: &str) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let url = Url::parse(url)?;
    let host = url.host().ok_or_else(|| anyhow!("does not name a host"))?;
    // The brackets around an IPv6 address belong to the URL only.
    let name = match &host {
        Host::Domain(name) => (*name).to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    let parameters = || TlsParameters::new(name.clone());
    let (tls, port) = match url.scheme() {
        "smtps" => (Tls::Wrapper(parameters()?), 465),
        _ if is_loopback(&url) => (Tls::None, 25),
        _ if url.username().is_empty() => (Tls::Opportunistic(parameters()?), 25),
        _ => (Tls::Required(parameters()?), 587),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(name.clone())
        .port(url.port().unwrap_or(port))
        .tls(tls)
        .timeout(Some(TIMEOUT));
    if !url.username().is_empty() {
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let password = decoded(url.password().unwrap_or_default());
        builder = builder.credentials(Credentials::new(decoded(url.username()), password));
    }
    Ok(builder.build())
}

/// Removes the recipient's address, which mail servers quote when they refuse a mail.
fn without_address(text: &str, mail: &Mail) -> String {
    text.replace(&mail.recipient, "…")
}
