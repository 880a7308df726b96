//! What each message requests, and what closes the socket.

use super::*;

const INIT: &str = r#"{"type":"connection_init"}"#;
const SUBSCRIBE: &str = r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}"#;
const COMPLETE: &str = r#"{"type":"complete","id":"1"}"#;

fn acknowledged() -> Protocol {
    let mut protocol = Protocol::new();
    assert!(matches!(protocol.receive(INIT), Action::SignIn(None)));
    assert_eq!(protocol.acknowledge(), r#"{"type":"connection_ack"}"#);
    protocol
}

fn code(action: Action) -> u16 {
    match action {
        Action::Close(close) => {
            assert!(close.reason.len() <= 123, "{close:?}");
            close.code
        }
        action => panic!("{action:?} closes nothing"),
    }
}

fn start(protocol: &mut Protocol) -> u64 {
    match protocol.receive(SUBSCRIBE) {
        Action::Start(key, _) => key,
        action => panic!("{action:?} starts nothing"),
    }
}

#[test]
fn what_is_no_message_closes_the_socket() {
    for text in [
        "",
        "x",
        "[]",
        r#" ["ping",null]"#,
        r#"["connection_init",{"Authorization":"Bearer x"}]"#,
        r#"["complete","1"]"#,
        "{}",
        r#"{"type":"start"}"#,
        r#"{"type":"connection_ack"}"#,
        r#"{"type":"connection_init","payload":"x"}"#,
        r#"{"type":"ping","payload":[]}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{ a }"}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":[]}}"#,
    ] {
        assert_eq!(code(acknowledged().receive(text)), 4400, "{text}");
    }
    let long = SUBSCRIBE.replace("\"1\"", &format!("\"{}\"", "x".repeat(256)));
    assert_eq!(code(acknowledged().receive(&long)), 4400);
}

#[test]
fn operations_have_to_wait_for_the_acknowledgement() {
    assert_eq!(code(Protocol::new().receive(SUBSCRIBE)), 4401);
    let mut protocol = Protocol::new();
    assert!(protocol.is_waiting());
    protocol.receive(INIT);
    assert!(!protocol.is_waiting());
    assert_eq!(code(protocol.receive(SUBSCRIBE)), 4401);
}

#[test]
fn signing_in_twice_closes_the_socket() {
    assert_eq!(code(acknowledged().receive(INIT)), 4429);
    let mut protocol = Protocol::new();
    protocol.receive(INIT);
    assert_eq!(code(protocol.receive(INIT)), 4429);
}

#[test]
fn credentials_come_with_the_first_message() {
    for name in ["Authorization", "authorization"] {
        let init = format!(r#"{{"type":"connection_init","payload":{{"{name}":"Bearer x"}}}}"#);
        let action = Protocol::new().receive(&init);
        assert!(matches!(action, Action::SignIn(Some(_))), "{name}");
    }
    let odd = r#"{"type":"connection_init","payload":{"Authorization":1}}"#;
    assert_eq!(code(Protocol::new().receive(odd)), 4403);
}

#[test]
fn a_ping_is_answered_with_its_payload_at_any_time() {
    let pong = |text: &str| match Protocol::new().receive(text) {
        Action::Send(message) => message,
        action => panic!("{action:?} sends nothing"),
    };
    assert_eq!(pong(r#"{"type":"ping"}"#), r#"{"type":"pong"}"#);
    assert_eq!(
        pong(r#"{"type":"ping","payload":{"a":1}}"#),
        r#"{"type":"pong","payload":{"a":1}}"#
    );
    let action = Protocol::new().receive(r#"{"type":"pong"}"#);
    assert!(matches!(action, Action::Nothing));
}

#[test]
fn an_id_is_free_again_once_its_operation_is_over() {
    let mut protocol = acknowledged();
    let first = start(&mut protocol);
    let complete = protocol.write(first, Output::Complete);
    assert_eq!(complete.as_deref(), Some(r#"{"type":"complete","id":"1"}"#));
    let second = start(&mut protocol);
    assert_ne!(first, second);
    let error = protocol.write(second, Output::Error(json!([])));
    assert_eq!(
        error.as_deref(),
        Some(r#"{"type":"error","id":"1","payload":[]}"#)
    );
    start(&mut protocol);
    assert_eq!(code(protocol.receive(SUBSCRIBE)), 4409);
}

#[test]
fn what_a_stopped_operation_still_gave_is_not_sent() {
    let mut protocol = acknowledged();
    let first = start(&mut protocol);
    assert!(matches!(protocol.receive(COMPLETE), Action::Stop(key) if key == first));
    assert!(matches!(protocol.receive(COMPLETE), Action::Nothing));
    let second = start(&mut protocol);
    assert!(protocol.write(first, Output::Complete).is_none());
    assert!(protocol.write(second, Output::Complete).is_some());
}

#[test]
fn a_connection_runs_a_hundred_operations() {
    let mut protocol = acknowledged();
    for n in 0..MOST {
        let subscribe = SUBSCRIBE.replace("\"1\"", &format!("\"{n}\""));
        assert!(matches!(protocol.receive(&subscribe), Action::Start(..)));
    }
    let one_more = SUBSCRIBE.replace("\"1\"", "\"more\"");
    let Action::Send(message) = protocol.receive(&one_more) else {
        panic!("it is refused");
    };
    assert!(message.contains(r#""type":"error""#) && message.contains("LIMIT_REACHED"));
    assert!(matches!(protocol.receive(COMPLETE), Action::Stop(_)));
    assert!(matches!(protocol.receive(&one_more), Action::Start(..)));
}
