//! The order in which fragments can be counted.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};

use crate::error::{Error, ErrorCode};

/// The fragments of a document.
pub(super) struct Fragments<'a> {
    /// All fragments, each after those that it spreads.
    pub(super) ordered: Vec<(&'a str, &'a FragmentDefinition)>,
    /// The fragments that nothing spreads.
    pub(super) unspread: Vec<&'a str>,
}

impl<'a> Fragments<'a> {
    /// Puts a document's fragments in order.
    ///
    /// There is no order if a fragment spreads itself, directly or through others. That is refused
    /// here, with the code of the validator's own error, because nothing that walks such a document
    /// is sure to end.
    pub(super) fn of(document: &'a ExecutableDocument) -> Result<Self, Error> {
        let mut found: Vec<_> = document.fragments.iter().collect();
        // A map has no order of its own, and of several mistakes, always the same one should be
        // reported.
        found.sort_by_key(|(_, fragment)| fragment.pos);

        let mut spread = HashSet::new();
        let mut spreads_of = HashMap::new();
        for (name, fragment) in &found {
            let mut spreads = Vec::new();
            collect(&fragment.node.selection_set.node, &mut spreads);
            spread.extend(spreads.iter().copied());
            spreads_of.insert(name.as_str(), (&fragment.node, spreads));
        }
        for (_, operation) in document.operations.iter() {
            let mut spreads = Vec::new();
            collect(&operation.node.selection_set.node, &mut spreads);
            spread.extend(spreads);
        }

        let mut ordered = Vec::with_capacity(found.len());
        // Whether a fragment's own spreads have all been visited. The path is kept on the heap
        // instead of the stack, since a document can chain as many fragments as fit into it.
        let mut is_done: HashMap<&str, bool> = HashMap::new();
        let mut way = Vec::new();
        for (name, _) in &found {
            let mut next = Some(name.as_str());
            loop {
                if let Some(name) = next.take()
                    && let Some((definition, spreads)) = spreads_of.get(name)
                {
                    match is_done.get(name) {
                        Some(true) => {}
                        Some(false) => return Err(spreads_itself(name)),
                        None => {
                            is_done.insert(name, false);
                            way.push((name, *definition, spreads.iter()));
                        }
                    }
                }
                let Some((name, definition, spreads)) = way.last_mut() else {
                    break;
                };
                next = spreads.next().copied();
                if next.is_none() {
                    is_done.insert(name, true);
                    ordered.push((*name, *definition));
                    way.pop();
                }
            }
        }

        let names = found.iter().map(|(name, _)| name.as_str());
        let unspread = names.filter(|name| !spread.contains(name)).collect();
        Ok(Self { ordered, unspread })
    }
}

/// Collects the names of the fragments that a selection set spreads, at any depth. The parser
/// bounds the depth within one definition.
fn collect<'a>(set: &'a SelectionSet, spreads: &mut Vec<&'a str>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => collect(&field.node.selection_set.node, spreads),
            Selection::InlineFragment(inline) => collect(&inline.node.selection_set.node, spreads),
            Selection::FragmentSpread(spread) => spreads.push(&spread.node.fragment_name.node),
        }
    }
}

fn spreads_itself(name: &str) -> Error {
    Error::Refused(
        ErrorCode::GraphqlValidationFailed,
        format!("The fragment \"{name}\" spreads itself, directly or through others.").into(),
    )
}
