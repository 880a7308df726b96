//! Counts what is in a document once its fragments are expanded, without expanding them.
//!
//! Besides the bounds that the API promises, three more keep the validator cheap where those do
//! not:
//!
//! - It compares the fields with the same key in each selection set, argument by argument, and
//!   keeps an error for each difference: a field with 1,250 arguments and 5,000 without any made 6
//!   million of them out of 19 KB, in 8 s and 3 GB.
//! - It checks the variables that each operation reaches once per operation, and keeps an error for
//!   each that is wrong: 24 KB made a million of them.
//! - It copies a variable's value for each argument that uses it, as resolvers do later: a variable
//!   of 1 MB used 1,200 times took 43 s.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::fragments::Fragments;
use super::{
    MAX_COMPARED, MAX_COPIED, MAX_DEPTH, MAX_DIRECTIVES, MAX_FIELDS, MAX_NESTING, MAX_VALUES,
    at_most, is_introspection,
};
use crate::error::Error;

/// Refuses a document that has too much of anything.
pub(super) fn check(
    document: &ExecutableDocument,
    fragments: &Fragments<'_>,
    variables: &Variables,
) -> Result<(), Error> {
    let mut expansion = Expansion::new(document, variables);
    for (name, fragment) in &fragments.ordered {
        // All fields of an introspection query's fragments are introspection fields.
        let is_introspected = fragment.type_condition.node.on.node.starts_with("__");
        expansion.directives(&fragment.directives);
        let extent = expansion.set(&fragment.selection_set.node, is_introspected);
        expansion.fragments.insert(name, extent);
    }
    // An operation includes everything it reaches, so that only what nothing reaches is missing.
    let mut whole = Extent::default();
    for name in &fragments.unspread {
        whole.add(expansion.fragment(name));
    }
    for (_, operation) in document.operations.iter() {
        whole.add(expansion.operation(&operation.node));
    }

    at_most(MAX_FIELDS, whole.fields, |n| {
        format!("The document asks for {n} fields once its fragments are expanded")
    })?;
    at_most(MAX_DEPTH, whole.depth, |n| {
        format!("The document is nested {n} levels deep")
    })?;
    at_most(MAX_NESTING, whole.nesting, |n| {
        format!("The document is nested {n} levels deep, counting fragments")
    })?;
    at_most(MAX_DIRECTIVES, expansion.most_directives, |n| {
        format!("The document has {n} directives on one field")
    })?;
    at_most(MAX_VALUES, whole.values, |n| {
        format!("The document gives its arguments {n} values once its fragments are expanded")
    })?;
    at_most(MAX_COPIED, whole.copied, |n| {
        format!("The document's uses of its variables come to {n} values")
    })?;
    at_most(MAX_COMPARED, expansion.compared, |n| {
        format!("The document has {n} fields and arguments to compare with one another")
    })
}

/// The totals of a part of a document.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    fields: usize,
    /// Values of arguments; lists and objects count, and so does everything in them.
    values: usize,
    /// The same, but with the values of variables, and more for long strings.
    copied: usize,
    /// How deep fields are nested, not counting those about the schema.
    depth: usize,
    /// How deep selection sets are nested, including those of fragments.
    nesting: usize,
    /// How many of the fields belong directly to the selection set.
    direct: usize,
    /// The greatest number of arguments of one of those fields.
    widest: usize,
}

impl Extent {
    /// Adds a part that stands beside this one.
    fn add(&mut self, other: Self) {
        self.fields = self.fields.saturating_add(other.fields);
        self.values = self.values.saturating_add(other.values);
        self.copied = self.copied.saturating_add(other.copied);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.direct = self.direct.saturating_add(other.direct);
        self.widest = self.widest.max(other.widest);
    }
}

struct Expansion<'a> {
    /// The totals of each fragment met so far.
    fragments: HashMap<&'a str, Extent>,
    /// How much is copied for each use of a variable.
    variables: HashMap<&'a str, usize>,
    compared: usize,
    most_directives: usize,
}

impl<'a> Expansion<'a> {
    fn new(document: &'a ExecutableDocument, variables: &'a Variables) -> Self {
        let given = variables.iter();
        let mut variables: HashMap<_, _> = given
            .map(|(name, value)| (name.as_str(), copied(value)))
            .collect();
        for (_, operation) in document.operations.iter() {
            for variable in &operation.node.variable_definitions {
                if let Some(default) = &variable.node.default_value {
                    let most = variables.entry(&variable.node.name.node).or_default();
                    *most = copied(&default.node).max(*most);
                }
            }
        }
        Self {
            fragments: HashMap::new(),
            variables,
            compared: 0,
            most_directives: 0,
        }
    }

    fn operation(&mut self, operation: &OperationDefinition) -> Extent {
        self.directives(&operation.directives);
        for variable in &operation.variable_definitions {
            self.directives(&variable.node.directives);
        }
        self.set(&operation.selection_set.node, false)
    }

    /// Counts a selection set. The recursion is as deep as one definition is nested, which the
    /// parser bounds: fragments are looked up.
    fn set(&mut self, set: &SelectionSet, is_introspected: bool) -> Extent {
        if set.items.is_empty() {
            return Extent::default();
        }
        let mut extent = Extent::default();
        for selection in &set.items {
            extent.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, is_introspected),
                Selection::InlineFragment(inline) => {
                    let mut extent = self.set(&inline.node.selection_set.node, is_introspected);
                    extent.add(self.directives(&inline.node.directives));
                    extent
                }
                Selection::FragmentSpread(spread) => {
                    let mut extent = self.fragment(&spread.node.fragment_name.node);
                    extent.add(self.directives(&spread.node.directives));
                    extent
                }
            });
        }
        extent.nesting += 1;
        let compared = extent.direct.saturating_mul(extent.widest.max(1));
        self.compared = self.compared.saturating_add(compared);
        extent
    }

    fn field(&mut self, field: &Field, is_introspected: bool) -> Extent {
        let name = field.name.node.as_str();
        let is_introspected = is_introspected || is_introspection(name);
        let below = self.set(&field.selection_set.node, is_introspected);
        let mut extent = Extent {
            fields: below.fields.saturating_add(1),
            depth: if is_introspected || name == "__typename" {
                0
            } else {
                below.depth + 1
            },
            direct: 1,
            widest: field.arguments.len(),
            ..below
        };
        extent.add(self.arguments(&field.arguments));
        extent.add(self.directives(&field.directives));
        extent
    }

    /// Counts a spread of a fragment. An unknown fragment counts as one field: the validator will
    /// report it, but it must not be a way around the bounds.
    fn fragment(&self, name: &str) -> Extent {
        let unknown = Extent {
            fields: 1,
            ..Extent::default()
        };
        self.fragments.get(name).copied().unwrap_or(unknown)
    }

    /// Counts the directives of one place, whose arguments are checked and copied like those of
    /// fields.
    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Extent {
        self.most_directives = self.most_directives.max(directives.len());
        let mut extent = Extent::default();
        for directive in directives {
            extent.add(self.arguments(&directive.node.arguments));
        }
        extent
    }

    fn arguments(&self, arguments: &[(Positioned<Name>, Positioned<Value>)]) -> Extent {
        let mut extent = Extent::default();
        for (_, value) in arguments {
            extent.add(self.value(&value.node));
        }
        extent
    }

    fn value(&self, value: &Value) -> Extent {
        let mut extent = Extent {
            values: 1,
            copied: 1,
            ..Extent::default()
        };
        match value {
            Value::Variable(name) => {
                extent.copied = self.variables.get(name.as_str()).copied().unwrap_or(1);
            }
            Value::String(text) => extent.copied += text.len() / BYTES_COPIED,
            Value::List(items) => items.iter().for_each(|item| extent.add(self.value(item))),
            Value::Object(entries) => {
                let values = entries.values();
                values.for_each(|value| extent.add(self.value(value)));
            }
            _ => {}
        }
        extent
    }
}

/// How many bytes of a string are copied in the time that any other value takes.
const BYTES_COPIED: usize = 64;

/// Returns how much is copied for a variable with this value.
fn copied(value: &ConstValue) -> usize {
    1 + match value {
        ConstValue::String(text) => text.len() / BYTES_COPIED,
        ConstValue::List(items) => items.iter().map(copied).sum(),
        ConstValue::Object(entries) => entries.values().map(copied).sum(),
        _ => 0,
    }
}
