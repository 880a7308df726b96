//! How many objects the lists of an operation come to, when lists inside lists are multiplied.
//!
//! A list costs its size times what the lists directly inside it cost together, or its size alone
//! where there are none. What does not depend on the size (the connection, its `pageInfo`) is bounded
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

/// The size of a page unless given, and of a list without pages: most are shorter, and a few that hold
/// hundreds are one read all the same.
const DEFAULT_SIZE: usize = 20;

/// The greatest size that a page may have. A list without pages counts as one of those where that multiplies
/// lists inside of it.
const MAX_SIZE: usize = 100;

/// What a mutation costs, in objects.
const MUTATION: usize = 10;

/// How many values about the schema cost as much as an object.
const INTROSPECTED: usize = 1_000;

/// Refuses an operation whose lists come to too much; gives what it costs otherwise.
pub(super) fn check(
    shape: &Shape,
    fragments: &Fragments<'_>,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<Cost, Error> {
    let cost = of(shape, fragments, operation, variables);
    at_most(MAX_OBJECTS, cost.objects, |n| {
        format!(
            "The operation asks for {n} objects, the sizes of lists inside lists being multiplied"
        )
    })?;
    at_most(MAX_ANSWERED, cost.values, |n| {
        format!("The operation asks for {n} values, the sizes of lists being multiplied")
    })?;
    at_most(MAX_INTROSPECTED, cost.introspected, |n| {
        format!("The operation asks for about {n} values that describe the schema")
    })?;
    Ok(cost)
}

/// What an operation's lists come to.
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

/// What a selection set, or a whole operation, costs each time that it is answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// The objects of its lists.
    pub(super) objects: usize,
    /// The values of those and of all other objects.
    pub(super) values: usize,
    /// The values below `__schema` and `__type`, of which lists multiply all that is in them: without
    /// a page to be cut into, `types { fields { type { fields { … } } } }` gets out of hand within a
    /// hundred bytes, and no time-out stops what waits for nothing.
    pub(super) introspected: usize,
    /// The mutations.
    pub(super) mutations: usize,
}

impl Cost {
    /// What it comes to as one number, which is charged against budgets: 1, and 1 for each object, 10
    /// for each mutation, and 1 for every thousand values about the schema.
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
    /// The values of the operation's variables.
    variables: HashMap<&'a str, &'a ConstValue>,
    /// What the fragments met so far cost.
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
            // Which of its types the fields have does not matter, only that they have one of them.
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

    /// How many objects a page has. What is no size of one is left to the resolver's own error.
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

    /// How many ids are given. More than a page has are left to the resolver's own error likewise.
    fn ids(&self, field: &Field) -> usize {
        let given = match self.argument(field, "ids") {
            Some(Given::Literal(Value::List(ids))) => ids.len(),
            Some(Given::Variable(ConstValue::List(ids))) => ids.len(),
            // Where a list is expected, one value stands for a list of it.
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

/// How many values a field of the introspection types gives. These lists have between one and some
/// dozens; that they come to ten each is about right for what tools ask for.
fn introspected_size(field: &str) -> usize {
    match field {
        "types" | "directives" | "fields" | "args" | "inputFields" | "interfaces"
        | "possibleTypes" | "enumValues" => 10,
        _ => 1,
    }
}
