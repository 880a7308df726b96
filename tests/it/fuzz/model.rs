//! The parts of the schema that documents are made from.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
};

/// All types, by name.
pub struct Model(HashMap<String, Kind>);

/// What a type consists of.
pub enum Kind {
    Scalar,
    Enum(Vec<String>),
    Input {
        fields: Vec<Argument>,
        is_one_of: bool,
    },
    /// An object, interface or union; for the latter two, with the objects that it can be.
    Output {
        fields: Vec<Field>,
        possible: Vec<String>,
    },
}

/// An argument, or a field of an input object.
#[derive(Clone)]
pub struct Argument {
    pub name: String,
    pub ty: Type,
}

pub struct Field {
    pub name: String,
    pub arguments: Vec<Argument>,
    pub ty: String,
}

impl Model {
    /// Reads `schema.graphql`.
    pub fn read() -> Self {
        let sdl = include_str!("../../../schema.graphql");
        let document = parse_schema(sdl).expect("it is a schema");
        let mut types: HashMap<String, Kind> = ["Int", "Float", "String", "Boolean", "ID"]
            .map(|name| (name.to_owned(), Kind::Scalar))
            .into();
        let mut possible: HashMap<String, Vec<String>> = HashMap::new();
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else {
                continue;
            };
            let definition = definition.node;
            let name = definition.name.node.to_string();
            let output = |fields| Kind::Output {
                fields,
                possible: Vec::new(),
            };
            let kind = match definition.kind {
                TypeKind::Scalar => Kind::Scalar,
                TypeKind::Enum(it) => Kind::Enum(
                    it.values
                        .iter()
                        .map(|value| value.node.value.node.to_string())
                        .collect(),
                ),
                TypeKind::InputObject(it) => Kind::Input {
                    fields: it
                        .fields
                        .iter()
                        .map(|field| argument(&field.node))
                        .collect(),
                    is_one_of: definition
                        .directives
                        .iter()
                        .any(|directive| directive.node.name.node == "oneOf"),
                },
                TypeKind::Object(it) => {
                    for interface in &it.implements {
                        let of = possible.entry(interface.node.to_string()).or_default();
                        of.push(name.clone());
                    }
                    output(it.fields.iter().map(|it| field(&it.node)).collect())
                }
                TypeKind::Interface(it) => {
                    output(it.fields.iter().map(|it| field(&it.node)).collect())
                }
                TypeKind::Union(it) => {
                    let members = it.members.iter().map(|member| member.node.to_string());
                    possible.insert(name.clone(), members.collect());
                    output(Vec::new())
                }
            };
            types.insert(name, kind);
        }
        for (name, members) in possible {
            if let Some(Kind::Output { possible, .. }) = types.get_mut(&name) {
                *possible = members;
            }
        }
        Self(types)
    }

    pub fn kind(&self, name: &str) -> &Kind {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("the schema has no type {name}"))
    }

    /// The fields of an object, an interface or a union, and the objects that it can be.
    pub fn output(&self, name: &str) -> (&[Field], &[String]) {
        match self.kind(name) {
            Kind::Output { fields, possible } => (fields, possible),
            _ => (&[], &[]),
        }
    }

    /// The names of an enum's values.
    pub fn values(&self, name: &str) -> &[String] {
        match self.kind(name) {
            Kind::Enum(values) => values,
            _ => &[],
        }
    }

    pub fn is_leaf(&self, name: &str) -> bool {
        matches!(self.kind(name), Kind::Scalar | Kind::Enum(_))
    }
}

fn field(definition: &FieldDefinition) -> Field {
    let arguments = definition.arguments.iter();
    Field {
        name: definition.name.node.to_string(),
        arguments: arguments.map(|it| argument(&it.node)).collect(),
        ty: named(&definition.ty.node).to_owned(),
    }
}

fn argument(definition: &InputValueDefinition) -> Argument {
    Argument {
        name: definition.name.node.to_string(),
        ty: definition.ty.node.clone(),
    }
}

/// The name of a type, without list brackets and exclamation marks.
fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}
