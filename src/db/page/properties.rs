//! Property tests of cursors.

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use uuid::Uuid;

use super::{BadCursor, Key, Position};
use crate::db::types::Instant;

fn position() -> impl Strategy<Value = Position> {
    let key = prop_oneof![
        Just(Key::Id),
        (Instant::MIN.micros()..=Instant::MAX.micros()).prop_map(Key::Instant),
        // No row's text has the character that PostgreSQL cannot store.
        any::<String>().prop_map(|text| Key::Text(text.replace('\0', ""))),
    ];
    (key, any::<u128>()).prop_map(|(key, id)| Position {
        key,
        id: Uuid::from_u128(id),
    })
}

/// A list's name as the server makes them: any characters, and a parent.
fn list() -> impl Strategy<Value = String> {
    "\\PC{0,20}:ws_[0-9a-z]{26}"
}

/// Damages a text: inserts, removes or replaces a few bytes, or cuts it off.
fn damage(text: &[u8], blows: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for (at, how, with) in blows {
        let at = at.index(bytes.len().max(1));
        match how % 4 {
            0 if at < bytes.len() => {
                bytes.remove(at);
            }
            1 if at < bytes.len() => bytes[at] = *with,
            2 => bytes.truncate(at),
            _ => bytes.insert(at, *with),
        }
    }
    bytes
}

fn blows() -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    prop::collection::vec(any::<(prop::sample::Index, u8, u8)>(), 1..4)
}

/// Checks that whatever decodes is a position of the list, encodes to a cursor of it, and is refused by
/// any other list.
fn is_refused_or_of_the_list(text: &str, list: &str) -> Result<(), TestCaseError> {
    if let Ok(read) = Position::of_cursor(text, list) {
        if let Key::Text(text) = &read.key {
            prop_assert!(!text.contains('\0'));
        }
        prop_assert_eq!(
            Position::of_cursor(&read.cursor(list), list),
            Ok(read.clone())
        );
        let other = format!("{list}.");
        prop_assert_eq!(Position::of_cursor(text, &other), Err(BadCursor));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_cursor_is_read_back_in_its_list_alone(
        position in position(), list in list(), other in list(),
    ) {
        let cursor = position.cursor(&list);
        prop_assert!(cursor.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let elsewhere = Position::of_cursor(&cursor, &other);
        prop_assert_eq!(Position::of_cursor(&cursor, &list), Ok(position));
        prop_assert_eq!(elsewhere.is_ok(), list == other);
    }

    #[test]
    fn a_damaged_cursor_is_refused_or_one_of_the_list(
        position in position(), list in list(), blows in blows(),
    ) {
        let damaged = damage(position.cursor(&list).as_bytes(), &blows);
        is_refused_or_of_the_list(&String::from_utf8_lossy(&damaged), &list)?;
    }

    #[test]
    fn a_forged_cursor_is_refused_or_one_of_the_list(
        position in position(), list in list(), blows in blows(),
    ) {
        let written = BASE64URL_NOPAD.decode(position.cursor(&list).as_bytes()).unwrap();
        let forged = BASE64URL_NOPAD.encode(&damage(&written, &blows));
        is_refused_or_of_the_list(&forged, &list)?;
    }

    #[test]
    fn no_text_is_trouble(text in prop_oneof!["[A-Za-z0-9_-]{0,80}", any::<String>()], list in list()) {
        is_refused_or_of_the_list(&text, &list)?;
    }
}
