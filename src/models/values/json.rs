//! Free-form JSON documents: settings and onboarding state.

use serde_json::Value;

use super::Invalid;

/// The largest document in bytes, serialized without spaces.
const MAX_BYTES: usize = 64 * 1024;

/// The most objects and arrays inside each other, including the document itself.
const MAX_LEVELS: usize = 16;

/// Checks a whole document: an object of at most 64 KiB and 16 levels, without U+0000 in any string or
/// key.
pub fn object(document: &Value) -> Result<(), Invalid> {
    shape(document)?;
    if document.to_string().len() > MAX_BYTES {
        return Err("must be at most 64 KiB of JSON".into());
    }
    Ok(())
}

/// Checks a patch like [`object`], but without a size limit: only the size of the result matters.
pub fn patch(patch: &Value) -> Result<(), Invalid> {
    shape(patch)
}

/// Applies `patch` to `target` as in [RFC 7396]: objects are merged, `null` removes a key, and anything
/// else replaces what was there.
///
/// The patch must pass [`patch`](patch()), and the result must pass [`object`].
///
/// [RFC 7396]: https://www.rfc-editor.org/rfc/rfc7396
pub fn merge(target: &Value, patch: &Value) -> Result<Value, Invalid> {
    // Checked before merging, which recurses as deep as the patch.
    shape(patch)?;
    let mut merged = target.clone();
    json_patch::merge(&mut merged, patch);
    object(&merged)?;
    Ok(merged)
}

fn shape(document: &Value) -> Result<(), Invalid> {
    if !document.is_object() {
        return Err("must be a JSON object".into());
    }
    inspect(document, MAX_LEVELS)
}

/// Checks a value that may have `levels` more levels. Recurses no deeper than that.
fn inspect(value: &Value, levels: usize) -> Result<(), Invalid> {
    let below = || {
        levels
            .checked_sub(1)
            .ok_or("must be nested at most 16 levels deep")
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => refuse_nul(text),
        Value::Array(items) => {
            let below = below()?;
            items.iter().try_for_each(|item| inspect(item, below))
        }
        Value::Object(fields) => {
            let below = below()?;
            fields.iter().try_for_each(|(key, value)| {
                refuse_nul(key)?;
                inspect(value, below)
            })
        }
    }
}

/// Refuses U+0000, which PostgreSQL supports neither in text nor in its own JSON type.
fn refuse_nul(text: &str) -> Result<(), Invalid> {
    if text.contains('\0') {
        return Err("must not contain the character U+0000".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOO_DEEP: &str = "must be nested at most 16 levels deep";

    /// An object with `levels` levels of objects or arrays around `inside`.
    fn nested(levels: usize, arrays: bool, inside: Value) -> Value {
        let wrapped = (1..levels).fold(inside, |inside, _| {
            if arrays {
                json!([inside])
            } else {
                json!({ "a": inside })
            }
        });
        json!({ "a": wrapped })
    }

    #[test]
    fn merges_as_the_standard_does() {
        // The examples of RFC 7396, appendix A, in which both are objects.
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": "b", "b": "c"}),
                json!({"a": null}),
                json!({"b": "c"}),
            ),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [{"b": "c"}]}),
                json!({"a": [1]}),
                json!({"a": [1]}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            assert_eq!(merge(&target, &patch), Ok(merged), "{target} {patch}");
        }
        assert_eq!(merge(&json!({"a": 1}), &json!({})), Ok(json!({"a": 1})));
    }

    #[test]
    fn only_objects_are_documents() {
        for value in [json!(null), json!([]), json!("{}"), json!(1), json!(true)] {
            assert_eq!(object(&value), Err("must be a JSON object".into()));
            assert_eq!(
                merge(&json!({}), &value),
                Err("must be a JSON object".into())
            );
        }
        assert_eq!(object(&json!({})), Ok(()));
    }

    #[test]
    fn depth_has_a_bound() {
        for arrays in [false, true] {
            let deepest = nested(16, arrays, json!("leaf"));
            assert_eq!(object(&deepest), Ok(()));
            assert_eq!(merge(&json!({}), &deepest), Ok(deepest));
            for levels in [17, 1_000] {
                let deeper = nested(levels, arrays, json!("leaf"));
                assert_eq!(object(&deeper), Err(TOO_DEEP.into()));
                assert_eq!(merge(&json!({}), &deeper), Err(TOO_DEEP.into()));
            }
        }
        // A patch that would only remove something is held to the same limit.
        assert_eq!(
            merge(&json!({}), &nested(17, false, json!(null))),
            Err(TOO_DEEP.into())
        );
    }

    #[test]
    fn size_has_a_bound() {
        let largest = json!({ "a": "x".repeat(64 * 1024 - r#"{"a":""}"#.len()) });
        let message = "must be at most 64 KiB of JSON";
        assert_eq!(object(&largest), Ok(()));
        assert_eq!(merge(&largest, &json!({})), Ok(largest.clone()));
        assert_eq!(merge(&largest, &json!({"b": 1})), Err(message.into()));
        assert_eq!(
            merge(&largest, &json!({"a": null, "b": 1})),
            Ok(json!({"b": 1}))
        );
        // Bytes count, not characters.
        assert_eq!(
            object(&json!({ "a": "é".repeat(33_000) })),
            Err(message.into())
        );
        assert_eq!(
            merge(&json!({}), &json!({ "a": "é".repeat(33_000) })),
            Err(message.into())
        );
    }

    #[test]
    fn nul_is_refused_everywhere() {
        let message = "must not contain the character U+0000";
        for value in [
            json!({"a": "x\0"}),
            json!({"x\0": 1}),
            json!({"x\0": null}),
            json!({"a": [{"b": ["\0"]}]}),
            json!({"a": [{"\0": 1}]}),
        ] {
            assert_eq!(object(&value), Err(message.into()), "{value}");
            assert_eq!(merge(&json!({}), &value), Err(message.into()), "{value}");
        }
        assert_eq!(object(&json!({"a": r"\u0000"})), Ok(()));
    }
}
