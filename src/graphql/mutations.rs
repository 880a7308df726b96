//! Checks on a mutation before it is executed.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

/// Returns a response key that the operation selects more than once at its root, if there is one,
/// fragments included. async-graphql would execute such a field each time; the specification says
/// once.
///
/// The document's fragments must be free of cycles.
pub fn repeated_field(document: &ExecutableDocument, root: &SelectionSet) -> Option<String> {
    repeated(document, root, &mut HashSet::new())
}

fn repeated(
    document: &ExecutableDocument,
    set: &SelectionSet,
    seen: &mut HashSet<String>,
) -> Option<String> {
    set.items
        .iter()
        .find_map(|selection| match &selection.node {
            Selection::Field(field) => {
                let key = field.node.response_key().node.to_string();
                if seen.insert(key.clone()) {
                    None
                } else {
                    Some(key)
                }
            }
            Selection::InlineFragment(fragment) => {
                repeated(document, &fragment.node.selection_set.node, seen)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
                repeated(document, &fragment.node.selection_set.node, seen)
            }
        })
}
