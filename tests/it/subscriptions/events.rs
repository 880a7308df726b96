//! `workspaceEvents`.

use std::time::Duration;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rstest::rstest;
use serde_json::json;
use tenantry::access::{OrganizationRole, WorkspaceRole};
use tenantry::app::Pace;
use tenantry::db::Kind;
use tenantry::models::event::{self, EventKind, NewEvent};
use tenantry::schema::organization_members;

use super::{EVENTS, NEVER, describe, suspicious_server};
use crate::support::office::{Office, Person};
use crate::support::{Database, Postgres, Socket, Sqlite, TestServer, at, text};

/// An owner, their office, and a socket of the owner's.
async fn office(server: &TestServer) -> (Person, Office, Socket) {
    let ada = Person::new(server, "ada").await;
    let office = Office::of(&ada).await;
    let socket = Socket::of(server, &ada.email).await;
    (ada, office, socket)
}

/// Follows the events of the office's workspace. Everything that happens afterwards is delivered.
async fn follow(socket: &mut Socket, office: &Office, query: &str) {
    socket
        .subscribe("e", query, json!({ "id": office.workspace }))
        .await;
    socket.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_from_now_on_comes_once_and_in_order(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office, mut socket) = office(&server).await;
    describe(&ada, office.workspace, "before").await;
    let query = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) {
        id data actor { email } subject { id } workspace { name } organization { id }
    } }";
    follow(&mut socket, &office, query).await;
    let elsewhere = office.workspace(&ada, "Elsewhere").await;
    let mut last = String::new();
    for description in ["one", "two", "three"] {
        describe(&ada, elsewhere, description).await;
        describe(&ada, office.workspace, description).await;
        let mut data = socket.next("e").await;
        let event = data["workspaceEvents"].take();
        assert_eq!(text(&event, "data.description"), description);
        assert_eq!(text(&event, "actor.email"), ada.email);
        assert_eq!(text(&event, "subject.id"), office.workspace.to_string());
        assert_eq!(text(&event, "workspace.name"), "Office");
        let organization = text(&event, "organization.id");
        assert_eq!(organization, office.organization.to_string());
        let id = text(&event, "id");
        assert!(id > last, "{id} after {last}");
        last = id;
    }
    socket.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_committed_late_is_delivered_too(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office, mut socket) = office(&server).await;
    follow(&mut socket, &office, EVENTS).await;
    let early = server.app().now();
    server.clock().advance(TimeDelta::seconds(10));
    describe(&ada, office.workspace, "late").await;
    let data = socket.next("e").await;
    assert_eq!(text(&data, "workspaceEvents.kind"), "WORKSPACE_UPDATED");
    let recorded = server.app().db.transaction(async |tx| {
        let event = NewEvent {
            kind: EventKind::JoinCodeRotated,
            organization: office.organization,
            workspace: Some(office.workspace),
            subject: office.workspace.into(),
            data: json!({}),
        };
        event::record_by_system(tx, early, event).await
    });
    recorded.await.expect("the event is written");
    let data = socket.next("e").await;
    assert_eq!(text(&data, "workspaceEvents.kind"), "JOIN_CODE_ROTATED");
    describe(&ada, office.workspace, "later").await;
    let data = socket.next("e").await;
    assert_eq!(text(&data, "workspaceEvents.kind"), "WORKSPACE_UPDATED");
}

/// More than are read at a time, of which one announcement tells.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_events_at_once_are_all_delivered_at_once(#[values(Sqlite, Postgres)] on: Database) {
    let server = suspicious_server(on).await;
    let (_, office, mut socket) = office(&server).await;
    follow(&mut socket, &office, EVENTS).await;
    let now = server.app().now();
    let recorded = server.app().db.transaction(async |tx| {
        for _ in 0..250 {
            let event = NewEvent {
                kind: EventKind::JoinCodeRotated,
                organization: office.organization,
                workspace: Some(office.workspace),
                subject: office.workspace.into(),
                data: json!({}),
            };
            event::record_by_system(tx, now, event).await?;
        }
        Ok(())
    });
    recorded.await.expect("the events are written");
    for _ in 0..250 {
        let data = socket.next("e").await;
        assert_eq!(text(&data, "workspaceEvents.kind"), "JOIN_CODE_ROTATED");
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn other_instances_deliver_it_too(#[values(Sqlite, Postgres)] on: Database) {
    // SQLite has no NOTIFY, so other processes have to look by themselves.
    let look = match on {
        Postgres => Duration::from_secs(30),
        Sqlite => Duration::from_millis(50),
    };
    let pace = Pace {
        look,
        ..Pace::default()
    };
    let server = TestServer::paced(on, pace, |_| {}).await;
    if on == Postgres && server.app().db.kind() == Kind::Sqlite {
        return;
    }
    let (ada, office, _) = office(&server).await;
    let sibling = server.sibling().await;
    let mut socket = Socket::of(&sibling, &ada.email).await;
    follow(&mut socket, &office, EVENTS).await;
    let begun = std::time::Instant::now();
    for n in 0..3 {
        describe(&ada, office.workspace, &n.to_string()).await;
        let data = socket.next("e").await;
        assert_eq!(text(&data, "workspaceEvents.kind"), "WORKSPACE_UPDATED");
    }
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(30), "it was woken: {took:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_manage_the_workspace_follows_nothing(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::start(on).await;
    let (ada, office, mut owner) = office(&server).await;
    let (member, role) = (OrganizationRole::Member, Some(WorkspaceRole::Member));
    let bob = office.person(&server, "bob", member, role).await;
    let mut bob = Socket::of(&server, &bob.email).await;
    let mut stranger = Socket::of(&server, "eve@example.com").await;
    let id = json!({ "id": office.workspace });
    bob.subscribe("1", EVENTS, id.clone()).await;
    assert_eq!(bob.error("1").await, "FORBIDDEN");
    stranger.subscribe("1", EVENTS, id.clone()).await;
    assert_eq!(stranger.error("1").await, "NOT_FOUND");
    for (id, code) in [
        ("ws_00000000000000000000000000", "NOT_FOUND"),
        ("user_00000000000000000000000000", "NOT_FOUND"),
        ("nonsense", "INVALID_INPUT"),
    ] {
        owner.subscribe("1", EVENTS, json!({ "id": id })).await;
        assert_eq!(owner.error("1").await, code, "{id}");
    }
    office.workspace(&ada, "Another").await;
    let input = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", input, "__typename").await;
    owner.subscribe("1", EVENTS, id).await;
    assert_eq!(owner.error("1").await, "CONFLICT");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_membership(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::start(on).await;
    let (ada, office, _) = office(&server).await;
    let (member, role) = (OrganizationRole::Member, Some(WorkspaceRole::Admin));
    let bob = office.person(&server, "bob", member, role).await;
    let mut socket = Socket::of(&server, &bob.email).await;
    follow(&mut socket, &office, EVENTS).await;
    describe(&ada, office.workspace, "one").await;
    socket.next("e").await;
    ada.mutate("removeWorkspaceMember", office.about(&bob), "__typename")
        .await;
    // They no longer see the event of their own removal.
    socket.completes("e").await;
    socket.settle().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_what_happens_in_the_organization(
    #[values(Sqlite, Postgres)] on: Database,
    #[values("removal", "demotion", "deletion")] what: &str,
) {
    let pace = Pace {
        check: NEVER,
        ..Pace::default()
    };
    let server = TestServer::paced(on, pace, |_| {}).await;
    let (ada, office, _) = office(&server).await;
    let bob = office.person(&server, "bob", OrganizationRole::Admin, None);
    let bob = bob.await;
    let mut socket = Socket::of(&server, &bob.email).await;
    follow(&mut socket, &office, EVENTS).await;
    let mut input = json!({ "organizationId": office.organization, "userId": bob.id });
    let mutation = match what {
        "removal" => "removeOrganizationMember",
        "demotion" => {
            input["role"] = json!("MEMBER");
            "updateOrganizationMember"
        }
        _ => {
            input = json!({ "organizationId": office.organization });
            "deleteOrganization"
        }
    };
    ada.mutate(mutation, input, "__typename").await;
    socket.completes("e").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_though_nothing_happens_in_the_workspace(#[values(Sqlite, Postgres)] on: Database) {
    let server = TestServer::paced(
        on,
        Pace {
            look: Duration::from_millis(50),
            check: Duration::from_millis(50),
            ..Pace::default()
        },
        |_| {},
    )
    .await;
    let (_, office, _) = office(&server).await;
    let admin = OrganizationRole::Admin;
    let bob = office.person(&server, "bob", admin, None).await;
    let mut socket = Socket::of(&server, &bob.email).await;
    follow(&mut socket, &office, EVENTS).await;
    let theirs = organization_members::table.filter(organization_members::user_id.eq(bob.id));
    let demoted = server.app().db.transaction(async |tx| {
        let role = organization_members::role.eq(OrganizationRole::Member);
        let demoted = diesel::update(theirs).set(role);
        Ok(tenantry::run!(tx, demoted.execute(tx).await)?)
    });
    assert_eq!(demoted.await.expect("the role is changed"), 1);
    socket.completes("e").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_last_event_is_that_the_workspace_was_deleted(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = suspicious_server(on).await;
    let (ada, office, mut socket) = office(&server).await;
    office.workspace(&ada, "Another").await;
    let admin = (OrganizationRole::Member, Some(WorkspaceRole::Admin));
    let bob = office.person(&server, "bob", admin.0, admin.1).await;
    let mut other = Socket::of(&server, &bob.email).await;
    follow(&mut socket, &office, EVENTS).await;
    follow(&mut other, &office, EVENTS).await;
    describe(&ada, office.workspace, "one").await;
    socket.next("e").await;
    other.next("e").await;
    let input = json!({ "workspaceId": office.workspace });
    ada.mutate("deleteWorkspace", input, "__typename").await;
    let data = socket.next("e").await;
    assert_eq!(text(&data, "workspaceEvents.kind"), "WORKSPACE_DELETED");
    socket.completes("e").await;
    // To an admin, a deleted workspace does not exist.
    other.completes("e").await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_event_takes_as_many_statements_as_any_other(#[values(Sqlite, Postgres)] on: Database) {
    let pace = Pace {
        look: NEVER,
        ..Pace::default()
    };
    let server = TestServer::paced(on, pace, |_| {}).await;
    let (ada, office, mut socket) = office(&server).await;
    let query = "subscription($id: ID!) { workspaceEvents(workspaceId: $id) {
        data actor { email } subject { id } organization { name }
        workspace { name createdBy { name } members(first: 10) { nodes { user { name } } } }
    } }";
    follow(&mut socket, &office, query).await;
    let mut counts = Vec::new();
    for n in 0..6 {
        if n == 3 {
            for name in ["bob", "cy", "dee"] {
                let member = OrganizationRole::Member;
                let role = Some(WorkspaceRole::Member);
                office.person(&server, name, member, role).await;
            }
        }
        let happens = async {
            describe(&ada, office.workspace, &n.to_string()).await;
            socket.next("e").await
        };
        let (count, data) = server.statements(happens).await;
        let members = at(&data, "workspaceEvents.workspace.members.nodes");
        let expected = if n < 3 { 1 } else { 4 };
        assert_eq!(members.as_array().map(Vec::len), Some(expected));
        counts.push(count);
    }
    assert!(
        counts.iter().all(|count| *count == counts[0]),
        "statements of the mutation and its event: {counts:?}"
    );
}
