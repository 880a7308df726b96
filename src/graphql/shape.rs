//! What must be known of a schema before a document is validated: which fields are lists, and of how many
//! objects, and what arguments take.

use std::collections::{HashMap, HashSet};

use async_graphql::Positioned;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, OperationType, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};

/// The fields of each type of a schema, and what they take.
#[derive(Debug)]
pub struct Shape {
    /// The names of all types, of whatever kind.
    names: HashSet<String>,
    types: HashMap<String, HashMap<String, Field>>,
    inputs: HashMap<String, Input>,
    directives: HashMap<String, HashMap<String, Slot>>,
    query: String,
    mutation: String,
    subscription: String,
}

/// What a field gives.
#[derive(Debug)]
pub(super) struct Field {
    /// The name of its type.
    pub(super) ty: String,
    pub(super) count: Count,
    /// Its arguments.
    pub(super) arguments: HashMap<String, Slot>,
}

/// What is given a value: an argument, or a field of an input.
#[derive(Debug)]
pub(super) struct Slot {
    /// What it takes.
    pub(super) ty: Type,
    /// Whether it has a value unless it is given one.
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

    /// Whether it must be given a value.
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

/// A type of values that are given, but for scalars.
#[derive(Debug)]
pub(super) enum Input {
    /// One of these words.
    Enum(HashSet<String>),
    /// An object with these fields.
    Object {
        /// By their names, in order.
        fields: IndexMap<String, Slot>,
        /// Whether exactly one of them is given.
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

/// How many objects a field gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// One, or none, or values that are no objects.
    One,
    /// As many as the page has that is asked for.
    Page,
    /// One for each of the `ids` given.
    Ids,
    /// A list that its arguments do not bound.
    List,
}

impl Shape {
    /// Reads a schema's SDL, which is to say what the schema printed.
    ///
    /// # Panics
    ///
    /// If that is no SDL.
    pub fn of(sdl: &str) -> Self {
        // A start without the schema's shape would be one without bounds, and whether the text can
        // be parsed is the same at every start of a build.
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
        // They are the page itself, which was counted with the field that gives the connection.
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

    /// Whether there is a type of that name. Those about the schema itself are not told apart.
    pub(super) fn has_type(&self, name: &str) -> bool {
        self.names.contains(name) || name.starts_with("__")
    }

    /// The type whose fields an operation selects.
    pub(super) fn root(&self, operation: OperationType) -> &str {
        match operation {
            OperationType::Query => &self.query,
            OperationType::Mutation => &self.mutation,
            OperationType::Subscription => &self.subscription,
        }
    }

    /// Whether an operation of that kind may select a field of that name.
    pub fn has_root_field(&self, operation: OperationType, field: &str) -> bool {
        self.field(self.root(operation), field).is_some()
    }

    /// A type of values that are given. `None` for scalars, and where there is no such type.
    pub(super) fn input(&self, ty: &str) -> Option<&Input> {
        self.inputs.get(ty)
    }

    /// What the arguments of a directive take. `None` where there is no such directive.
    pub(super) fn directive(&self, name: &str) -> Option<&HashMap<String, Slot>> {
        self.directives.get(name)
    }

    /// A field of a type. `None` where there is no such field, which the validator is going to say.
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

/// The name of a type, without lists and exclamation marks.
pub(super) fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
