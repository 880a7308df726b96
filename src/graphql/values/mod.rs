//! Checks that the values in a document and its variables fit the schema, before any of it is
//! executed.
//!
//! async-graphql's validator never checks whether a variable is allowed where it is used and
//! accepts a string for an enum value. It leaves it to resolvers to find out that a number is too
//! large or that a text is not an instant, by which time other fields of a mutation have been
//! executed.

mod fit;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::shape::{Shape, Slot};
use fit::{Fit, Path};

/// A value that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The message: which value is wrong, and why.
    pub message: String,
    /// The position in the document.
    pub at: Pos,
}

/// Checks that the values in the document fit: those in the operation and in the fragments that it
/// spreads, as far as their fields exist. Of the values of variables, only nulls are checked, for
/// places that do not accept them. Takes time linear in the size of the document, whose depth must
/// be bounded.
///
/// Rules: <https://spec.graphql.org/September2025/#sec-Values-of-Correct-Type> and the following,
/// and <https://spec.graphql.org/September2025/#sec-All-Variable-Usages-Are-Allowed>.
///
/// # Errors
/// The first value that does not fit.
pub fn check_document(
    shape: &Shape,
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), Misfit> {
    let declared = operation.variable_definitions.iter();
    let mut walk = Walk {
        shape,
        document,
        values: variables,
        variables: declared
            .map(|variable| (variable.node.name.node.as_str(), &variable.node))
            .collect(),
        spread: HashSet::new(),
    };
    for variable in &operation.variable_definitions {
        let ty = &variable.node.var_type.node;
        walk.directives(&variable.node.directives)?;
        if let Some(default) = &variable.node.default_value {
            let fit = Fit::literal(shape, &|_, _, _| Ok(()));
            let path = Path::variable(&variable.node.name.node);
            let outcome = fit.value(&path, ty, &default.node);
            outcome.map_err(misfit(default.pos))?;
        }
    }
    walk.directives(&operation.directives)?;
    walk.set(
        &operation.selection_set.node,
        Some(shape.root(operation.ty)),
    )
}

/// Checks that the values of the operation's variables fit, and that all required ones are given.
///
/// Rules: <https://spec.graphql.org/September2025/#sec-Coercing-Variable-Values>.
///
/// # Errors
/// The first value that does not fit.
pub fn check_variables(
    shape: &Shape,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<(), Misfit> {
    for Positioned {
        pos,
        node: variable,
    } in &operation.variable_definitions
    {
        let (name, ty) = (&variable.name.node, &variable.var_type.node);
        let outcome = match variables.get(name) {
            None | Some(ConstValue::Null) if !ty.nullable => {
                match variable.default_value.is_some() && variables.get(name).is_none() {
                    true => Ok(()),
                    false => Err(format!("The variable ${name} of type {ty} is required.")),
                }
            }
            None => Ok(()),
            Some(value) => Fit::json(shape).value(&Path::variable(name), ty, value),
        };
        outcome.map_err(misfit(*pos))?;
    }
    Ok(())
}

/// Returns whether any variable's value is null, which may not be allowed everywhere it is used.
pub fn has_null(operation: &OperationDefinition, variables: &Variables) -> bool {
    operation
        .variable_definitions
        .iter()
        .any(|variable| variables.get(&variable.node.name.node) == Some(&ConstValue::Null))
}

fn misfit(at: Pos) -> impl Fn(String) -> Misfit {
    move |message| Misfit { message, at }
}

struct Walk<'a> {
    shape: &'a Shape,
    document: &'a ExecutableDocument,
    values: &'a Variables,
    /// The variables that the operation declares.
    variables: HashMap<&'a str, &'a VariableDefinition>,
    /// The fragments met so far.
    spread: HashSet<&'a str>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a SelectionSet, ty: Option<&'a str>) -> Result<(), Misfit> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    self.directives(&field.directives)?;
                    let known = ty.and_then(|ty| self.shape.field(ty, &field.name.node));
                    if let Some(known) = known {
                        self.arguments(&known.arguments, &field.arguments)?;
                    }
                    let ty = known.map(|known| known.ty.as_str());
                    self.set(&field.selection_set.node, ty)?;
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives)?;
                    let condition = inline.node.type_condition.as_ref();
                    let ty = condition.map_or(ty, |condition| Some(&condition.node.on.node));
                    self.set(&inline.node.selection_set.node, ty)?;
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives)?;
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = self.document.fragments.get(name)
                        && self.spread.insert(name)
                    {
                        let fragment = &fragment.node;
                        self.directives(&fragment.directives)?;
                        let ty = &fragment.type_condition.node.on.node;
                        self.set(&fragment.selection_set.node, Some(ty))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<(), Misfit> {
        directives.iter().try_for_each(|directive| {
            let known = self.shape.directive(&directive.node.name.node);
            known.map_or(Ok(()), |known| {
                self.arguments(known, &directive.node.arguments)
            })
        })
    }

    fn arguments(
        &self,
        known: &HashMap<String, Slot>,
        given: &[(Positioned<Name>, Positioned<Value>)],
    ) -> Result<(), Misfit> {
        given.iter().try_for_each(|(name, value)| {
            let Some(slot) = known.get(name.node.as_str()) else {
                return Ok(());
            };
            let may_be =
                |variable: &Name, ty: &Type, has_default| self.may_be(variable, ty, has_default);
            let path = Path::argument(&name.node);
            let outcome = Fit::literal(self.shape, &may_be).slot(&path, slot, &value.node);
            outcome.map_err(misfit(value.pos))
        })
    }

    /// Checks whether a variable may be used where a value of this type is expected.
    fn may_be(&self, variable: &Name, ty: &Type, has_default: bool) -> Result<(), String> {
        let Some(definition) = self.variables.get(variable.as_str()) else {
            return Ok(());
        };
        let declared = &definition.var_type.node;
        let default = definition.default_value.as_ref().map(|value| &value.node);
        let is_never_null = has_default || default.is_some_and(|value| *value != ConstValue::Null);
        if !ty.nullable && self.values.get(variable) == Some(&ConstValue::Null) {
            return Err(format!(
                "the variable ${variable} is null, but {ty} is expected"
            ));
        }
        let fits = match !ty.nullable && declared.nullable {
            true => is_never_null && is_base_of(&declared.base, &ty.base),
            false => is_of(declared, ty),
        };
        match fits {
            true => Ok(()),
            false => Err(format!(
                "the variable ${variable} is of type {declared}, but {ty} is expected"
            )),
        }
    }
}

/// Returns whether every value of the one type is also a value of the other.
fn is_of(ty: &Type, taken: &Type) -> bool {
    (taken.nullable || !ty.nullable) && is_base_of(&ty.base, &taken.base)
}

fn is_base_of(base: &BaseType, taken: &BaseType) -> bool {
    match (base, taken) {
        (BaseType::Named(name), BaseType::Named(taken)) => name == taken,
        (BaseType::List(of), BaseType::List(taken)) => is_of(of, taken),
        (BaseType::Named(_), BaseType::List(_)) | (BaseType::List(_), BaseType::Named(_)) => false,
    }
}
