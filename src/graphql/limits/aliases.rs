//! How often one field is asked for under other names.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};

use super::{MAX_ALIASES, Shape, at_most};
use crate::error::Error;

/// Refuses an operation that has too many aliases of one field of one type.
///
/// They are counted over the whole operation, wherever the field is asked for, each once however
/// often it comes: within one selection set alone, the same set twice under one key would hold twice
/// as many. What asks for the same under the same name everywhere has one alias or none, so that no
/// fragment that is spread in many places counts against it.
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
    /// The aliases of each field of each type, whose name is not known where the field that gives it
    /// is not.
    of: HashMap<(Option<&'a str>, &'a str), HashSet<&'a str>>,
    /// Fragments that are still to be looked at.
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
