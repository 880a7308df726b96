//! Property tests of ids.

use proptest::prelude::*;

use super::*;

/// The prefixes of all kinds.
const PREFIXES: [&str; 12] = [
    "user", "org", "ws", "inv", "omem", "wmem", "prompt", "run", "answer", "tok", "file", "event",
];

/// Parses an id of one kind.
type Reader = fn(&str) -> Result<Uuid, ParseIdError>;

/// An id of any kind in its text form, with the prefix of its kind and its UUID.
fn written() -> impl Strategy<Value = (&'static str, u128, String)> {
    (prop::sample::select(&PREFIXES[..]), any::<u128>()).prop_map(|(prefix, bits)| {
        let id = AnyId::of(prefix, Uuid::from_u128(bits)).unwrap();
        (prefix, bits, id.to_string())
    })
}

/// A text that is almost an id: one with a character inserted, removed or replaced.
fn damaged() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        prop::char::range('0', '9'),
        prop::char::range('A', 'Z'),
        prop::char::range('a', 'z'),
        prop::sample::select(&['_', '-', ' ', '\0', 'é', '🦀'][..]),
        any::<char>(),
    ];
    (written(), any::<prop::sample::Index>(), 0..3, character).prop_map(
        |((_, _, text), at, how, with)| {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            match how {
                0 => characters.insert(at, with),
                1 => characters[at] = with,
                _ => {
                    characters.remove(at);
                }
            }
            characters.into_iter().collect()
        },
    )
}

proptest! {
    #[test]
    fn an_id_is_read_back_as_its_own_kind_and_as_no_other((prefix, bits, text) in written()) {
        let uuid = Uuid::from_u128(bits);
        let any: AnyId = text.parse().unwrap();
        prop_assert_eq!(Some(any), AnyId::of(prefix, uuid));
        prop_assert_eq!(any.to_string(), text.as_str());
        fn read<K: Kind>(text: &str) -> Result<Uuid, ParseIdError> {
            text.parse::<Id<K>>().map(Id::uuid)
        }
        let readers: [(&str, Reader); 12] = [
            ("user", read::<kind::User>),
            ("org", read::<kind::Organization>),
            ("ws", read::<kind::Workspace>),
            ("inv", read::<kind::Invitation>),
            ("omem", read::<kind::OrganizationMember>),
            ("wmem", read::<kind::WorkspaceMember>),
            ("prompt", read::<kind::Prompt>),
            ("run", read::<kind::Run>),
            ("answer", read::<kind::Answer>),
            ("tok", read::<kind::ApiToken>),
            ("file", read::<kind::File>),
            ("event", read::<kind::Event>),
        ];
        for (of, reader) in readers {
            let expected = if of == prefix { Ok(uuid) } else { Err(ParseIdError::OtherKind) };
            prop_assert_eq!(reader(&text), expected, "{} as {}", text, of);
        }
    }

    #[test]
    fn an_id_in_another_case_is_none((_, _, text) in written(), at in any::<prop::sample::Index>()) {
        let letters: Vec<usize> = text
            .char_indices()
            .filter(|(_, c)| c.is_ascii_lowercase())
            .map(|(at, _)| at)
            .collect();
        let at = letters[at.index(letters.len())];
        let mut raised = text;
        raised[at..=at].make_ascii_uppercase();
        prop_assert_eq!(raised.parse::<AnyId>(), Err(ParseIdError::Malformed));
    }

    #[test]
    fn nothing_is_read_but_what_is_written(text in prop_oneof![
        damaged(),
        "[a-z]{0,7}_{0,2}[0-9a-zA-Z]{24,28}",
        "\\PC{0,40}",
        any::<String>(),
    ]) {
        if let Ok(id) = text.parse::<AnyId>() {
            prop_assert_eq!(id.to_string(), text.as_str());
        }
        match text.parse::<WorkspaceId>() {
            Ok(id) => prop_assert_eq!(id.to_string(), text.as_str()),
            Err(ParseIdError::OtherKind) => prop_assert!(text.parse::<AnyId>().is_ok()),
            Err(ParseIdError::Malformed) => prop_assert!(text.parse::<AnyId>().is_err()),
        }
    }

    #[test]
    fn texts_sort_as_ids_do(one in any::<u128>(), other in any::<u128>()) {
        let [one, other] = [one, other].map(|bits| RunId::from_uuid(Uuid::from_u128(bits)));
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
    }

    #[test]
    fn a_new_id_holds_its_millisecond(millis in 0..8_000_000_000_000_i64) {
        let id = EventId::new(DateTime::from_timestamp_millis(millis).unwrap());
        prop_assert_eq!(id.uuid().as_u128() >> 80, millis as u128);
    }
}
