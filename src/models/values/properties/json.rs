use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::json::{merge, object};

/// Any value, up to a few levels deeper than a document may be.
fn value() -> impl Strategy<Value = Value> {
    let key = prop_oneof![9 => "[a-d]", 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z\\u{0}é\"]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Any object, perhaps inside some others.
fn document() -> impl Strategy<Value = Value> {
    let deeper = prop_oneof![3 => Just(0_usize), 1 => 0..20_usize];
    (prop::collection::btree_map("[a-d]", value(), 0..5), deeper).prop_map(|(map, deeper)| {
        let object = Value::Object(map.into_iter().collect());
        (0..deeper).fold(object, |inside, level| match level % 2 {
            0 => json!({ "a": inside }),
            _ => json!({ "a": [inside] }),
        })
    })
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

fn is_document(value: &Value) -> bool {
    value.is_object() && levels(value) <= 16 && !has_nul(value) && value.to_string().len() <= 65_536
}

/// The pseudocode of RFC 7396, section 2, to the letter.
fn merge_patch(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let before = target.remove(name).unwrap_or_default();
            target.insert(name.clone(), merge_patch(before, value));
        }
    }
    Value::Object(target)
}

/// Checks whether an object has a `null` field at any level, ignoring arrays.
fn has_null_field(value: &Value) -> bool {
    let Value::Object(fields) = value else {
        return false;
    };
    fields
        .values()
        .any(|value| value.is_null() || has_null_field(value))
}

proptest! {
    #[test]
    fn merging_is_what_the_standard_says(target in document(), patch in document()) {
        let merged = merge_patch(target.clone(), &patch);
        let expected = levels(&patch) <= 16 && !has_nul(&patch) && is_document(&merged);
        let result = merge(&target, &patch);
        prop_assert_eq!(result.is_ok(), expected, "{:?}", result);
        if let Ok(result) = result {
            prop_assert_eq!(&result, &merged);
            // Applying the patch again changes nothing, nor does an empty patch.
            prop_assert_eq!(merge(&result, &patch), Ok(result.clone()));
            prop_assert_eq!(merge(&result, &json!({})), Ok(result));
        }
    }

    #[test]
    fn what_is_made_of_nothing_has_no_null_field(patch in document()) {
        if let Ok(made) = merge(&json!({}), &patch) {
            prop_assert!(!has_null_field(&made), "{}", made);
        }
    }

    #[test]
    fn a_document_is_one_by_its_kind_depth_and_characters(value in prop_oneof![value(), document()]) {
        prop_assert_eq!(object(&value).is_ok(), is_document(&value), "{}", value);
    }

    #[test]
    fn a_document_is_one_by_its_size(length in 65_536_usize - 40..65_536, text in "[aé\"\u{1}🦀]{1,8}") {
        let document = json!({ "a": "x".repeat(length), "b": text });
        prop_assert_eq!(object(&document).is_ok(), document.to_string().len() <= 65_536);
    }
}
