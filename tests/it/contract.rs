//! The contract with the clients: the schema has everything that `contract.graphql` promises, by name,
//! argument, default and nullability.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{InputValueDefinition, TypeKind, TypeSystemDefinition};

const CONTRACT: &str = include_str!("contract.graphql");

/// What the contract promises and no release has yet. May only shrink.
const NOT_YET: &[&str] = &[];

/// The members of each type by name, each written out with everything that is promised about it.
fn members(sdl: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let document = parse_schema(sdl).expect("it is a schema");
    let mut types = BTreeMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else {
            continue;
        };
        let definition = definition.node;
        let mut members = BTreeMap::new();
        match definition.kind {
            TypeKind::Object(object) => {
                for interface in object.implements {
                    members.insert(format!("implements {}", interface.node), String::new());
                }
                add_fields(&mut members, object.fields);
            }
            TypeKind::Interface(interface) => add_fields(&mut members, interface.fields),
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    members.insert(field.node.name.node.to_string(), value(&field.node));
                }
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    members.insert(value.node.value.node.to_string(), String::new());
                }
            }
            TypeKind::Scalar => {
                for directive in definition.directives {
                    let directive = directive.node;
                    for (name, value) in directive.arguments {
                        let written = format!("@{}({})", directive.name.node, name.node);
                        members.insert(written, value.node.to_string());
                    }
                }
            }
            TypeKind::Union(_) => {}
        }
        types.insert(definition.name.node.to_string(), members);
    }
    types
}

fn add_fields(
    members: &mut BTreeMap<String, String>,
    fields: Vec<async_graphql::Positioned<async_graphql::parser::types::FieldDefinition>>,
) {
    for field in fields {
        let field = field.node;
        let mut arguments: Vec<String> = field
            .arguments
            .iter()
            .map(|argument| format!("{}: {}", argument.node.name.node, value(&argument.node)))
            .collect();
        arguments.sort();
        let written = format!("({}): {}", arguments.join(", "), field.ty.node);
        members.insert(field.name.node.to_string(), written);
    }
}

fn value(value: &InputValueDefinition) -> String {
    match &value.default_value {
        Some(default) => format!("{} = {}", value.ty.node, default.node),
        None => value.ty.node.to_string(),
    }
}

#[test]
fn the_schema_holds_what_the_contract_promises() {
    let promised = members(CONTRACT);
    let held = members(&tenantry::graphql::sdl(&tenantry::graphql::schema(true)));
    let mut missing = BTreeSet::new();
    let mut different = Vec::new();
    for (name, promised) in &promised {
        let Some(held) = held.get(name) else {
            missing.insert(name.clone());
            continue;
        };
        for (member, written) in promised {
            match held.get(member) {
                None => {
                    missing.insert(format!("{name}.{member}"));
                }
                Some(held) if held != written => {
                    different.push(format!("{name}.{member}: {written} became {held}"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(different.is_empty(), "{different:#?}");
    let not_yet: BTreeSet<String> = NOT_YET.iter().map(ToString::to_string).collect();
    assert_eq!(missing, not_yet);
}
