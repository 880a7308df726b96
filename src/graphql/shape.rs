//! What must be known of a schema before a document is validated: which fields are lists and of how many
//! objects, and what values their arguments accept.

use std::collections::{HashMap, HashSet};

use async_graphql::Positioned;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};

/// The fields of each type in a schema, and their arguments and inputs.
#[derive(Debug)]
pub struct Shape {
    /// The names of all types of every kind.
    names: HashSet<String>,
    types: HashMap<String, HashMap<String, Field>>,
    inputs: HashMap<String, Input>,
    directives: HashMap<String, HashMap<String, Slot>>,
    query: String,
    mutation: String,
    subscription: String,
}

/// A field of an object or interface.
#[derive(Debug)]
pub(super) struct Field {
    /// The name of its type, without lists.
    pub(super) ty: String,
    pub(super) count: Count,
    /// Its arguments.
    pub(super) arguments: HashMap<String, Slot>,
}

/// Something that is given a value: an argument, or a field of an input.
#[derive(Debug)]
pub(super) struct Slot {
    /// The type of values that it accepts.
    pub(super) ty: Type,
    /// Whether it has a default value.
    pub(super) has_default: bool,
}

impl Slot {
    fn of(definition: &InputValueDefinition) -> (String, Self) {
        let slot = Self {
            ty: definition.ty.node.clone(),
            has_default: definition.default_value.is_some(),
        };
        (definition.name.node.to_string(), slot)
    }

    /// Returns whether it must be given a value.
    pub(super) fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

fn slots<C: FromIterator<(String, Slot)>>(definitions: &[Positioned<InputValueDefinition>]) -> C {
    let definitions = definitions.iter();
    definitions
        .map(|definition| Slot::of(&definition.node))
        .collect()
}

/// A type of input values other than scalars.
#[derive(Debug)]
pub(super) enum Input {
    /// An enum with these values.
    Enum(HashSet<String>),
    /// An object with these fields.
    Object {
        /// The fields by name, in order.
        fields: IndexMap<String, Slot>,
        /// Whether exactly one of them must be given.
        is_one_of: bool,
    },
}

impl Input {
    fn of(definition: &TypeDefinition) -> Option<Self> {
        match &definition.kind {
            TypeKind::Enum(words) => {
                let words = words.values.iter();
                Some(Self::Enum(
                    words.map(|word| word.node.value.node.to_string()).collect(),
                ))
            }
            TypeKind::InputObject(object) => Some(Self::Object {
                fields: slots(&object.fields),
                is_one_of: definition
                    .directives
                    .iter()
                    .any(|directive| directive.node.name.node == "oneOf"),
            }),
            _ => None,
        }
    }
}

/// How many objects a field returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// One or none, or values that are not objects.
    One,
    /// As many as the size of the page that is asked for.
    Page,
    /// One for each of the `ids` given.
    Ids,
    /// As many as there are: its arguments set no bound.
    List,
}

impl Shape {
    /// Reads the shape of a schema from its SDL, as printed by the schema itself.
    ///
    /// # Panics
    ///
    /// If the text is not valid SDL.
    pub fn of(sdl: &str) -> Self {
        // A start without the shape would be a start without bounds, and whether the text can be
        // parsed is the same at every start of a build.
        let document = parse_schema(sdl).expect("a schema prints what can be parsed");
        let mut shape = Self {
            names: ["Int", "Float", "String", "Boolean", "ID"]
                .map(str::to_owned)
                .into(),
            types: HashMap::new(),
            inputs: HashMap::new(),
            directives: HashMap::new(),
            query: "Query".to_owned(),
            mutation: "Mutation".to_owned(),
            subscription: "Subscription".to_owned(),
        };
        let mut definitions = Vec::new();
        let mut composite = HashSet::new();
        for definition in &document.definitions {
            match definition {
                TypeSystemDefinition::Type(ty) => {
                    let name = ty.node.name.node.as_str();
                    shape.names.insert(name.to_owned());
                    if let Some(input) = Input::of(&ty.node) {
                        shape.inputs.insert(name.to_owned(), input);
                    }
                    let fields = match &ty.node.kind {
                        TypeKind::Object(object) => object.fields.as_slice(),
                        TypeKind::Interface(interface) => interface.fields.as_slice(),
                        TypeKind::Union(_) => &[],
                        TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => continue,
                    };
                    composite.insert(name);
                    definitions.push((name, fields));
                }
                TypeSystemDefinition::Schema(schema) => {
                    for (root, given) in [
                        (&mut shape.query, &schema.node.query),
                        (&mut shape.mutation, &schema.node.mutation),
                        (&mut shape.subscription, &schema.node.subscription),
                    ] {
                        if let Some(given) = given {
                            *root = given.node.to_string();
                        }
                    }
                }
                TypeSystemDefinition::Directive(directive) => {
                    let name = directive.node.name.node.to_string();
                    let arguments = slots(&directive.node.arguments);
                    shape.directives.insert(name, arguments);
                }
            }
        }

        let mut connections = HashSet::new();
        for (name, fields) in definitions {
            let known = shape.types.entry(name.to_owned()).or_default();
            for field in fields {
                let field = &field.node;
                let ty = named(&field.ty.node).to_owned();
                let count = count(field, composite.contains(ty.as_str()));
                if count == Count::Page && !is_list(&field.ty.node) {
                    connections.insert(ty.clone());
                }
                let arguments = slots(&field.arguments);
                let found = Field {
                    ty,
                    count,
                    arguments,
                };
                known.insert(field.name.node.to_string(), found);
            }
        }
        // These are the page itself, which is counted at the field that returns the connection.
        for connection in connections {
            for page in ["nodes", "edges"] {
                let fields = shape.types.get_mut(&connection);
                if let Some(field) = fields.and_then(|fields| fields.get_mut(page)) {
                    field.count = Count::One;
                }
            }
        }
        shape
    }

    /// Returns whether there is a type of that name. Any name of an introspection type passes.
    pub(super) fn has_type(&self, name: &str) -> bool {
        self.names.contains(name) || name.starts_with("__")
    }

    /// Returns the type whose fields an operation selects.
    pub(super) fn root(&self, operation: OperationType) -> &str {
        match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        }
    }

    /// Returns whether an operation of that type may select the named field at its root.
    pub fn has_root_field(&self, operation: OperationType, field: &str) -> bool {
        self.field(self.root(operation), field).is_some()
    }

    /// Returns an input type other than a scalar. `None` for scalars and unknown types.
    pub(super) fn input(&self, ty: &str) -> Option<&Input> {
        self.inputs.get(ty)
    }

    /// Returns the arguments of a directive. `None` if there is no such directive.
    pub(super) fn directive(&self, name: &str) -> Option<&HashMap<String, Slot>> {
        self.directives.get(name)
    }

    /// Returns a field of a type. `None` if there is no such field, which the validator will
    /// report.
    pub(super) fn field(&self, ty: &str, field: &str) -> Option<&Field> {
        self.types.get(ty)?.get(field)
    }
}

fn count(field: &FieldDefinition, gives_objects: bool) -> Count {
    let argument = |name: &str| -> Option<&InputValueDefinition> {
        let mut arguments = field.arguments.iter().map(|argument| &argument.node);
        arguments.find(|argument| argument.name.node == name)
    };
    if argument("first").or(argument("last")).is_some() {
        Count::Page
    } else if !gives_objects || !is_list(&field.ty.node) {
        Count::One
    } else if argument("ids").is_some_and(|ids| is_list(&ids.ty.node)) {
        Count::Ids
    } else {
        Count::List
    }
}

fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}

/// Returns the name of a type, without lists and exclamation marks.
pub(super) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
