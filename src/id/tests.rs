use std::collections::HashSet;
use std::thread;

use chrono::TimeZone;

use super::*;

/// Valid suffixes and their UUIDs, from the specification's `valid.yml`.
const VALID: &[(&str, &str)] = &[
    (
        "00000000000000000000000000",
        "00000000-0000-0000-0000-000000000000",
    ),
    (
        "00000000000000000000000001",
        "00000000-0000-0000-0000-000000000001",
    ),
    (
        "0000000000000000000000000a",
        "00000000-0000-0000-0000-00000000000a",
    ),
    (
        "0000000000000000000000000g",
        "00000000-0000-0000-0000-000000000010",
    ),
    (
        "00000000000000000000000010",
        "00000000-0000-0000-0000-000000000020",
    ),
    (
        "7zzzzzzzzzzzzzzzzzzzzzzzzz",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ),
    (
        "0123456789abcdefghjkmnpqrs",
        "0110c853-1d09-52d8-d73e-1194e95b5f19",
    ),
    (
        "01h455vb4pex5vsknk084sn02q",
        "01890a5d-ac96-774b-bcce-b302099a8057",
    ),
];

/// Invalid ids of the specification's `invalid.yml`, with a prefix that is known here, and some more.
const INVALID: &[&str] = &[
    "WS_00000000000000000000000000",
    "12345_00000000000000000000000000",
    "w.s_00000000000000000000000000",
    "wś_00000000000000000000000000",
    "  ws_00000000000000000000000000",
    "_00000000000000000000000000",
    "_",
    "",
    "ws",
    "ws_",
    "00000000000000000000000000",
    "ws_1234567890123456789012345",
    "ws_123456789012345678901234567",
    "ws_1234567890123456789012345 ",
    "ws_01234567890123456789012345\n",
    "ws_0123456789ABCDEFGHJKMNPQRS",
    "ws_123456789-123456789-123456",
    "ws_ooooooiiiiiiuuuuuuulllllll",
    "ws_i23456789ol23456789oi23456",
    "ws_123456789-0123456789-0123456",
    "ws_8zzzzzzzzzzzzzzzzzzzzzzzzz",
    "ws_80000000000000000000000000",
    "ws_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "_ws_00000000000000000000000000",
    "ws__00000000000000000000000000",
    "ws-00000000000000000000000000",
    "ws_0000000000000000000000000é",
    // Twenty-six characters, but not twenty-six bytes.
    "ws_é0000000000000000000000000",
    // A prefix of no kind.
    "workspace_00000000000000000000000000",
    // Another kind's prefix, but no id.
    "user_",
    "user_8zzzzzzzzzzzzzzzzzzzzzzzzz",
];

#[test]
fn writes_and_reads_the_vectors_of_the_specification() {
    for (suffix, uuid) in VALID {
        let id = WorkspaceId::from_uuid(uuid.parse().unwrap());
        let text = format!("ws_{suffix}");
        assert_eq!(id.to_string(), text);
        assert_eq!(format!("{id:?}"), text);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.parse(), Ok(AnyId::Workspace(id)));
        assert_eq!(id.uuid().to_string(), *uuid);
    }
}

#[test]
fn refuses_what_is_no_id() {
    for text in INVALID {
        assert_eq!(
            text.parse::<WorkspaceId>(),
            Err(ParseIdError::Malformed),
            "{text:?}"
        );
        assert_eq!(
            text.parse::<AnyId>(),
            Err(ParseIdError::Malformed),
            "{text:?}"
        );
    }
}

#[test]
fn tells_another_kind_from_no_id() {
    let user = UserId::new(Utc::now());
    assert_eq!(
        user.to_string().parse::<WorkspaceId>(),
        Err(ParseIdError::OtherKind)
    );
    assert_eq!(user.to_string().parse::<UserId>(), Ok(user));
}

#[test]
fn knows_every_prefix() {
    let prefixes = [
        "user", "org", "ws", "inv", "omem", "wmem", "prompt", "run", "answer", "tok", "file",
        "event",
    ];
    let mut kinds = HashSet::new();
    for prefix in prefixes {
        let text = format!("{prefix}_01h455vb4pex5vsknk084sn02q");
        let id: AnyId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        kinds.insert(std::mem::discriminant(&id));
    }
    assert_eq!(kinds.len(), prefixes.len());
    assert_eq!(
        AnyId::from(ApiTokenId::from_uuid(Uuid::nil())).to_string(),
        format!("tok_{:026}", 0)
    );
}

#[test]
fn is_a_string_in_json() {
    let id = RunId::new(Utc::now());
    let json = serde_json::to_value(id).unwrap();
    assert_eq!(json, serde_json::json!(id.to_string()));
    assert_eq!(serde_json::from_value::<RunId>(json.clone()).unwrap(), id);
    assert_eq!(serde_json::to_value(AnyId::from(id)).unwrap(), json);
    assert_eq!(
        serde_json::from_value::<AnyId>(json.clone()).unwrap(),
        AnyId::Run(id)
    );
    assert!(serde_json::from_value::<FileId>(json).is_err());
    assert!(serde_json::from_value::<RunId>(serde_json::json!(1)).is_err());
}

fn millis(id: EventId) -> u128 {
    id.uuid().as_u128() >> 80
}

#[test]
fn new_ids_hold_the_time_and_ascend_within_a_millisecond() {
    let early = Utc.timestamp_millis_opt(1_700_000_000_123).unwrap();
    let late = Utc.timestamp_millis_opt(1_900_000_000_456).unwrap();
    let mut last = [EventId::new(early), EventId::new(late)];
    // Alternating, so that neither time may depend on the other.
    for _ in 0..10_000 {
        let next = [EventId::new(early), EventId::new(late)];
        assert!(next[0] > last[0] && next[1] > last[1]);
        assert_eq!(next.map(millis), [1_700_000_000_123, 1_900_000_000_456]);
        assert_eq!(next[0].uuid().get_version_num(), 7);
        assert_eq!(next[0].uuid().get_variant(), uuid::Variant::RFC4122);
        last = next;
    }
    let texts = [last[0].to_string(), last[1].to_string()];
    assert!(texts[0] < texts[1], "texts sort as their ids do");
}

#[test]
fn times_out_of_range_are_held_to_it() {
    assert_eq!(millis(EventId::new(DateTime::UNIX_EPOCH)), 0);
    assert_eq!(millis(EventId::new(DateTime::<Utc>::MIN_UTC)), 0);
    assert_eq!(
        millis(EventId::new(DateTime::<Utc>::MAX_UTC)),
        (1 << 48) - 1
    );
}

#[test]
fn threads_never_make_the_same_id() {
    let now = Utc.timestamp_millis_opt(1_800_000_000_000).unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| thread::spawn(move || (0..5_000).map(|_| EventId::new(now)).collect::<Vec<_>>()))
        .collect();
    let mut seen = HashSet::new();
    for thread in threads {
        let ids = thread.join().unwrap();
        assert!(ids.is_sorted());
        seen.extend(ids);
    }
    assert_eq!(seen.len(), 20_000);
}

#[test]
fn reads_back_whatever_it_wrote() {
    let mut bits: u128 = 1;
    for _ in 0..10_000 {
        // A linear congruential generator: the same numbers in every run.
        bits = bits
            .wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645)
            .wrapping_add(0x5851_F42D);
        let id = PromptId::from_uuid(Uuid::from_u128(bits));
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
