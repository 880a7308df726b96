//! Invitation mail: it is sent once, whatever happens to the mail server.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::json;
use tenantry::access::OrganizationRole;
use tenantry::db::types::Instant;
use tenantry::id::InvitationId;
use tenantry::schema::mails;

use crate::support::smtp::SmtpAddress;
use crate::support::working::Working;
use crate::support::{Client, Database, Home, Postgres, Sqlite, TestServer, home, text, until};

/// The mails in the outbox: how often each was tried, and when it is due.
async fn outbox(server: &TestServer) -> Vec<(i32, Instant)> {
    let mut conn = server.app().db.read().await.expect("a connection");
    let conn = &mut conn;
    let rows = mails::table.select((mails::attempts, mails::due_at));
    tenantry::run!(conn, rows.load(conn).await).expect("the outbox can be read")
}

/// Waits until the condition holds for the outbox.
async fn becomes(server: &TestServer, holds: impl Fn(&[(i32, Instant)]) -> bool) {
    until("the outbox is so", async || holds(&outbox(server).await)).await;
}

async fn invite(by: &Client, home: &Home, email: &str) -> String {
    let input = json!({ "workspaceId": home.workspace, "email": email });
    let made = by.mutate("addWorkspaceMember", input, "invitation { id }");
    text(&made.await, "invitation.id")
}

/// A mail without the line breaks of its encoding.
fn unfolded(mail: &str) -> String {
    mail.replace("=\r\n", "")
        .replace("=3D", "=")
        .replace("\r\n ", " ")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_down_loses_no_mail_and_blocks_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let address = SmtpAddress::free();
    let server = TestServer::with(on, |config| {
        config.mail.smtp_url = Some(address.url());
        config.mail.invitation_url = Some("https://app.example.com/join/{id}".to_owned());
    });
    let server = server.await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket <b> Labs").await;
    let working = Working::start(&server);
    let id = invite(&ada, &home, "eve@example.com").await;
    let soon = server.app().now().plus(TimeDelta::minutes(1));
    becomes(&server, |rows| matches!(rows, [(1, due)] if *due < soon)).await;

    let mut smtp = address.listen().await;
    server.clock().advance(TimeDelta::minutes(1));
    server.app().wake_worker();
    let mail = unfolded(&smtp.next().await);
    becomes(&server, <[_]>::is_empty).await;
    for part in [
        "To: eve@example.com",
        "Subject: Ada invited you to Rocket <b> Labs at Rocket <b> Labs",
        "Message-ID: <mail_",
        "From: Tenantry <no-reply@localhost>",
        &format!("https://app.example.com/join/{id}"),
        "Rocket &lt;b&gt; Labs",
    ] {
        assert!(mail.contains(part), "{part}\n{mail}");
    }
    assert!(!mail.contains("ada@example.com"), "{mail}");

    server.clock().advance(TimeDelta::days(1));
    server.app().wake_worker();
    working.stop().await;
    assert!(smtp.is_empty());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn several_workers_send_each_mail_once(#[values(Sqlite, Postgres)] on: Database) {
    let address = SmtpAddress::free();
    let server = TestServer::with(on, |config| config.mail.smtp_url = Some(address.url())).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    for n in 0..20 {
        invite(&ada, &home, &format!("eve{n}@example.com")).await;
    }
    let mut smtp = address.listen().await;
    let working: Vec<_> = (0..3).map(|_| Working::start(&server)).collect();
    becomes(&server, <[_]>::is_empty).await;
    for worker in working {
        worker.stop().await;
    }
    let mut recipients = Vec::new();
    for _ in 0..20 {
        let mail = smtp.next().await;
        let to = mail.lines().find_map(|line| line.strip_prefix("To: "));
        recipients.push(to.expect("a recipient").to_owned());
    }
    assert!(smtp.is_empty());
    recipients.sort();
    recipients.dedup();
    assert_eq!(recipients.len(), 20);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_mail_is_written_into_files(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let working = Working::start(&server);
    invite(&ada, &home, "eve@example.com").await;
    becomes(&server, <[_]>::is_empty).await;
    working.stop().await;
    let folder = server.app().config.data_dir.join("mail");
    let files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    assert_eq!(file.extension(), Some("eml".as_ref()));
    let mail = std::fs::read_to_string(file).expect("the mail can be read");
    let mail = unfolded(&mail);
    assert!(mail.contains("To: eve@example.com"), "{mail}");
    // The link leads to this server unless another page is configured.
    assert!(mail.contains(&format!("{}/", server.url())), "{mail}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn only_new_invitations_and_those_sent_again_make_mail(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| config.limits.invitations_per_hour = 2).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com").await;
    invite(&ada, &home, "eve@example.com").await;
    assert_eq!(outbox(&server).await.len(), 1);
    let again = json!({ "invitationId": id });
    ada.mutate("resendInvitation", again.clone(), "invitation { id }")
        .await;
    assert_eq!(outbox(&server).await.len(), 2);
    ada.mutate_refused("RATE_LIMITED", "resendInvitation", again)
        .await;
    server
        .colleague("bob@example.com", &home, OrganizationRole::Member)
        .await;
    let bob = json!({ "workspaceId": home.workspace, "email": "bob@example.com" });
    ada.mutate("addWorkspaceMember", bob, "membership { id }")
        .await;
    assert_eq!(outbox(&server).await.len(), 2);
}

/// Only a mail that does not know its invitation, as those of earlier versions, lives long enough:
/// others are dropped with their invitation.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_refused_for_now_is_given_up_in_the_end(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let address = SmtpAddress::free();
    let server = TestServer::with(on, |config| config.mail.smtp_url = Some(address.url())).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    invite(&ada, &home, "eve@example.com").await;
    server
        .app()
        .db
        .transaction(async |tx| {
            let forgets = mails::invitation_id.eq(None::<InvitationId>);
            let forgets = diesel::update(mails::table).set(forgets);
            Ok(tenantry::run!(tx, forgets.execute(tx).await)?)
        })
        .await
        .expect("it forgets");
    let working = Working::start(&server);
    // While nothing answers, the mail is kept, however long that takes.
    becomes(&server, |rows| matches!(rows, [(1, _)])).await;
    server.clock().advance(TimeDelta::days(10));
    server.app().wake_worker();
    becomes(&server, |rows| matches!(rows, [(2, _)])).await;
    let _smtp = address.serve("451 try again later").await;
    server.clock().advance(TimeDelta::days(1));
    server.app().wake_worker();
    becomes(&server, <[_]>::is_empty).await;
    working.stop().await;
}

#[rstest]
#[case::revoked("revokeInvitation")]
#[case::declined("declineInvitation")]
#[case::accepted("acceptInvitation")]
#[case::expired("")]
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_an_invitation_that_is_over_is_not_sent(
    #[values(Sqlite, Postgres)] on: Database,
    #[case] ended_by: &str,
) {
    let address = SmtpAddress::free();
    let server = TestServer::with(on, |config| config.mail.smtp_url = Some(address.url())).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.com").await;
    let input = json!({ "invitationId": id });
    match ended_by {
        "" => server.clock().advance(TimeDelta::days(8)),
        "revokeInvitation" => {
            ada.mutate(ended_by, input, "__typename").await;
        }
        _ => {
            let eve = server.user("eve@example.com");
            eve.mutate(ended_by, input, "__typename").await;
        }
    }
    // Mail of an open invitation is sent.
    invite(&ada, &home, "bob@example.com").await;
    let mut smtp = address.listen().await;
    let working = Working::start(&server);
    becomes(&server, <[_]>::is_empty).await;
    working.stop().await;
    let mail = smtp.next().await;
    assert!(mail.contains("To: bob@example.com"), "{mail}");
    assert!(smtp.is_empty());
}

/// A log that can be read back.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_the_domain_and_neither_the_address_nor_the_link(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let address = SmtpAddress::free();
    let server = TestServer::with(on, |config| config.mail.smtp_url = Some(address.url())).await;
    let ada = server.user("ada@example.com");
    let home = home(&ada, "Rocket Labs").await;
    let id = invite(&ada, &home, "eve@example.net").await;
    let _smtp = address.serve("550 <eve@example.net> is not known").await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let working = Working::logging(&server, subscriber);
    let soon = server.app().now().plus(TimeDelta::minutes(1));
    becomes(&server, |rows| matches!(rows, [(1, due)] if *due < soon)).await;
    // A mail that the server refuses for good is given up in the end.
    server.clock().advance(TimeDelta::days(2));
    server.app().wake_worker();
    becomes(&server, <[_]>::is_empty).await;
    working.stop().await;
    let log = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    assert!(log.contains("example.net") && log.contains("550"), "{log}");
    assert!(log.contains("mail given up"), "{log}");
    for secret in ["eve@example.net", id.as_str()] {
        assert!(!log.contains(secret), "{log}");
    }
}
