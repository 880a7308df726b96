//! Counts the aliases of each field.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};

use super::{MAX_ALIASES, Shape, at_most};
use crate::error::Error;

/// Refuses an operation that has too many aliases of one field of one type.
///
/// Aliases are counted over the whole operation, and each counts once however often it occurs: if
/// they were counted per selection set, the same set twice under one key would allow twice as many.
/// A field that has the same alias everywhere has one, so that a fragment spread in many places
/// does not count against it.
pub(super) fn check(
    shape: &Shape,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
) -> Result<(), Error> {
    let mut aliases = Aliases {
        shape,
        of: HashMap::new(),
        spread: Vec::new(),
    };
    let root = shape.root(operation.ty);
    aliases.collect(&operation.selection_set.node, Some(root));
    let mut seen = HashSet::new();
    while let Some(name) = aliases.spread.pop() {
        if seen.insert(name)
            && let Some(fragment) = document.fragments.get(name)
        {
            let ty = &fragment.node.type_condition.node.on.node;
            aliases.collect(&fragment.node.selection_set.node, Some(ty));
        }
    }

    let most = aliases.of.iter().max_by_key(|(_, aliases)| aliases.len());
    match most {
        Some(((ty, field), aliases)) => at_most(MAX_ALIASES, aliases.len(), |n| match ty {
            Some(ty) => format!("The field {ty}.{field} has {n} aliases"),
            None => format!("The field {field} has {n} aliases"),
        }),
        None => Ok(()),
    }
}

struct Aliases<'a> {
    shape: &'a Shape,
    /// The aliases of each field of each type. The type is `None` below a field that is unknown.
    of: HashMap<(Option<&'a str>, &'a str), HashSet<&'a str>>,
    /// Fragments still to be visited.
    spread: Vec<&'a str>,
}

impl<'a> Aliases<'a> {
    fn collect(&mut self, set: &'a SelectionSet, ty: Option<&'a str>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    if let Some(alias) = &field.node.alias {
                        let aliases = self.of.entry((ty, name)).or_default();
                        aliases.insert(&alias.node);
                    }
                    let gives = ty.and_then(|ty| self.shape.field(ty, name));
                    let gives = gives.map(|field| field.ty.as_str());
                    self.collect(&field.node.selection_set.node, gives);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let ty = condition.map_or(ty, |condition| Some(&condition.node.on.node));
                    self.collect(&inline.node.selection_set.node, ty);
                }
                Selection::FragmentSpread(spread) => {
                    self.spread.push(&spread.node.fragment_name.node);
                }
            }
        }
    }
}
