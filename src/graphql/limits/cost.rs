//! Counts the objects in an operation's lists, multiplying the sizes of nested lists.
//!
//! A list costs its size times the total cost of the lists directly inside it, or its size alone if
//! there are none. Whatever does not depend on the size (the connection, its `pageInfo`) is bounded
//! by the number of fields.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::fragments::Fragments;
use super::{MAX_ANSWERED, MAX_INTROSPECTED, MAX_OBJECTS, at_most, is_introspection};
use crate::error::Error;
use crate::graphql::shape::{Count, Shape};

/// The size assumed for a page without `first` and `last`, and for an unpaged list: most are
/// shorter, and the few that hold hundreds are still a single read.
const DEFAULT_SIZE: usize = 20;

/// The greatest size of a page. An unpaged list counts as this many if it has lists inside it.
const MAX_SIZE: usize = 100;

/// The cost of a mutation, in objects.
const MUTATION: usize = 10;

/// The number of values about the schema that cost as much as one object.
const INTROSPECTED: usize = 1_000;

/// Refuses an operation whose lists are too large together; otherwise returns its cost.
pub(super) fn check(
    shape: &Shape,
    fragments: &Fragments<'_>,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<Cost, Error> {
    let cost = of(shape, fragments, operation, variables);
    at_most(MAX_OBJECTS, cost.objects, |n| {
        format!("The operation asks for {n} objects, multiplying the sizes of nested lists")
    })?;
    at_most(MAX_ANSWERED, cost.values, |n| {
        format!("The operation asks for {n} values, multiplying the sizes of lists")
    })?;
    at_most(MAX_INTROSPECTED, cost.introspected, |n| {
        format!("The operation asks for about {n} values that describe the schema")
    })?;
    Ok(cost)
}

/// Returns the cost of an operation.
pub(super) fn of(
    shape: &Shape,
    fragments: &Fragments<'_>,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Cost {
    let mut costs = Costs {
        shape,
        variables: HashMap::new(),
        fragments: HashMap::new(),
    };
    for variable in &operation.variable_definitions {
        let name = variable.node.name.node.as_str();
        let default = variable.node.default_value.as_ref();
        if let Some(value) = variables.get(name).or(default.map(|value| &value.node)) {
            costs.variables.insert(name, value);
        }
    }
    for (name, fragment) in &fragments.ordered {
        let ty = &fragment.type_condition.node.on.node;
        let cost = costs.set(&fragment.selection_set.node, Some(ty));
        costs.fragments.insert(name, cost);
    }
    let root = shape.root(operation.ty);
    costs.set(&operation.selection_set.node, Some(root))
}

/// The cost of a selection set, or of a whole operation, each time it is answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// The objects in lists.
    pub(super) objects: usize,
    /// The values in those and in all other objects.
    pub(super) values: usize,
    /// The values below `__schema` and `__type`, where each list multiplies everything in it: these
    /// lists have no pages, so `types { fields { type { fields { … } } } }` gets out of hand within
    /// a hundred bytes, and no timeout stops work that never awaits anything.
    pub(super) introspected: usize,
    /// The number of mutations.
    pub(super) mutations: usize,
}

impl Cost {
    /// Returns the cost as one number, which is charged against budgets: 1 for the operation, 1 per
    /// object, 10 per mutation, and 1 per thousand values about the schema.
    pub fn total(self) -> u32 {
        let total = self
            .objects
            .saturating_add(self.mutations.saturating_mul(MUTATION))
            .saturating_add(self.introspected / INTROSPECTED)
            .saturating_add(1);
        u32::try_from(total).unwrap_or(u32::MAX)
    }
}

struct Costs<'a> {
    shape: &'a Shape,
    /// The values of the operation's variables, defaults included.
    variables: HashMap<&'a str, &'a ConstValue>,
    /// The cost of each fragment met so far.
    fragments: HashMap<&'a str, Cost>,
}

impl Costs<'_> {
    fn set(&self, set: &SelectionSet, ty: Option<&str>) -> Cost {
        let mut sum = Cost::default();
        for selection in &set.items {
            let cost = match &selection.node {
                Selection::Field(field) => self.field(&field.node, ty),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let ty = condition.map_or(ty, |condition| Some(&condition.node.on.node));
                    self.set(&inline.node.selection_set.node, ty)
                }
                Selection::FragmentSpread(spread) => {
                    let cost = self.fragments.get(spread.node.fragment_name.node.as_str());
                    cost.copied().unwrap_or_default()
                }
            };
            sum.objects = sum.objects.saturating_add(cost.objects);
            sum.values = sum.values.saturating_add(cost.values);
            sum.introspected = sum.introspected.saturating_add(cost.introspected);
            sum.mutations = sum.mutations.saturating_add(cost.mutations);
        }
        sum
    }

    fn field(&self, field: &Field, ty: Option<&str>) -> Cost {
        let name = field.name.node.as_str();
        let set = &field.selection_set.node;
        if is_introspection(name) {
            return self.set(set, Some("__Schema"));
        }
        if ty.is_some_and(|ty| ty.starts_with("__")) {
            // It does not matter which introspection type the fields belong to, only that it is
            // one.
            let inside = self.set(set, ty).introspected;
            let size = introspected_size(name);
            return Cost {
                introspected: inside.saturating_mul(size).saturating_add(1),
                ..Cost::default()
            };
        }
        let known = ty.and_then(|ty| self.shape.field(ty, name));
        let mut inside = self.set(set, known.map(|field| field.ty.as_str()));
        if set.items.is_empty() {
            inside.values = 1;
        }
        if known.is_some() && ty == Some(self.shape.root(OperationType::Mutation)) {
            inside.mutations += 1;
        }
        let size = match known.map_or(Count::One, |field| field.count) {
            Count::One => return inside,
            Count::Page => self.page_size(field),
            Count::Ids => self.ids(field),
            Count::List if inside.objects == 0 => DEFAULT_SIZE,
            Count::List => MAX_SIZE,
        };
        Cost {
            objects: inside.objects.max(1).saturating_mul(size),
            values: inside.values.saturating_mul(size),
            ..inside
        }
    }

    /// Returns the number of objects in a page. An invalid size is left to the resolver's own
    /// error.
    fn page_size(&self, field: &Field) -> usize {
        let given = ["first", "last"].into_iter().filter_map(|argument| {
            let size = match self.argument(field, argument)? {
                Given::Literal(Value::Number(size)) | Given::Variable(ConstValue::Number(size)) => {
                    usize::try_from(size.as_u64()?).ok()?
                }
                _ => return None,
            };
            (1..=MAX_SIZE).contains(&size).then_some(size)
        });
        given.max().unwrap_or(DEFAULT_SIZE)
    }

    /// Returns the number of ids given. Too many for a page is likewise left to the resolver's own
    /// error.
    fn ids(&self, field: &Field) -> usize {
        let given = match self.argument(field, "ids") {
            Some(Given::Literal(Value::List(ids))) => ids.len(),
            Some(Given::Variable(ConstValue::List(ids))) => ids.len(),
            // A single value given for a list is a list of one.
            Some(_) => 1,
            None => 0,
        };
        given.min(MAX_SIZE)
    }

    fn argument<'v>(&'v self, field: &'v Field, name: &str) -> Option<Given<'v>> {
        Some(match &field.get_argument(name)?.node {
            Value::Variable(name) => Given::Variable(self.variables.get(name.as_str())?),
            literal => Given::Literal(literal),
        })
    }
}

/// The value of an argument.
enum Given<'a> {
    Literal(&'a Value),
    Variable(&'a ConstValue),
}

/// Returns how many values a field of the introspection types is assumed to return. Its lists have
/// from one to a few dozen items; ten each is about right for what tools ask for.
fn introspected_size(field: &str) -> usize {
    match field {
        "types" | "directives" | "fields" | "args" | "inputFields" | "interfaces"
        | "possibleTypes" | "enumValues" => 10,
        _ => 1,
    }
}
