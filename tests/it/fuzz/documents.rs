//! Documents that the schema allows, with their variables.

use async_graphql::parser::types::{BaseType, Type};
use fastrand::Rng;
use serde_json::{Map, Value};

use super::model::{Argument, Field, Model};
use super::pool::Pool;
use super::values::{Values, to_json, to_literal};

/// An operation that can be sent.
#[derive(Clone, Debug)]
pub struct Operation {
    pub text: String,
    pub name: Option<String>,
    pub variables: Map<String, Value>,
}

/// An operation in the making.
pub struct Draft<'a> {
    values: Values<'a>,
    model: &'a Model,
    rng: &'a mut Rng,
    /// Roughly how many more fields it may get.
    left: usize,
    count: usize,
    /// Whether it is written with mistakes.
    is_careless: bool,
    fragments: String,
    definitions: Vec<String>,
    variables: Map<String, Value>,
}

/// How deep fields may be nested.
const MAX_DEPTH: usize = 11;

impl<'a> Draft<'a> {
    pub fn new(model: &'a Model, pool: &'a Pool, rng: &'a mut Rng) -> Self {
        let is_careless = rng.u8(..5) == 0;
        let wild = if is_careless { 40 } else { 0 };
        let left = match rng.u8(..20) {
            0 => rng.usize(60..400),
            1..6 => rng.usize(12..60),
            _ => rng.usize(1..12),
        };
        Self {
            values: Values { model, pool, wild },
            model,
            rng,
            left,
            count: 0,
            is_careless,
            fragments: String::new(),
            definitions: Vec::new(),
            variables: Map::new(),
        }
    }

    /// Whether to make a mistake here, at odds of 1 in `of`; never unless careless.
    fn slips(&mut self, of: u8) -> bool {
        self.is_careless && self.rng.u8(..of) == 0
    }

    pub fn operation(mut self) -> Operation {
        let (kind, root) = match self.rng.u8(..40) {
            0 => ("subscription", "Subscription"),
            1..20 => ("mutation", "Mutation"),
            _ => ("query", "Query"),
        };
        let fields = match (kind, self.rng.u8(..30)) {
            ("query", 0) => self.introspection(),
            ("query", _) => {
                let many = self.rng.usize(1..4);
                self.fields(root, many, 1)
            }
            ("mutation", 0) => {
                let many = self.rng.usize(2..4);
                self.fields(root, many, 1)
            }
            _ => self.fields(root, 1, 1),
        };
        let name = (self.rng.u8(..4) == 0).then(|| "Op".to_owned());
        let definitions = match self.definitions.as_slice() {
            [] => String::new(),
            definitions => format!("({})", definitions.join(", ")),
        };
        let head = name.as_deref().unwrap_or_default();
        let text = format!("{kind} {head}{definitions} {{ {fields}}}{}", self.fragments);
        Operation {
            text,
            name,
            variables: self.variables,
        }
    }

    fn introspection(&mut self) -> String {
        const ASKED: [&str; 4] = [
            "__schema { types { name kind fields { name args { name defaultValue } } } } ",
            "__type(name: \"Workspace\") { name fields(includeDeprecated: true) { name type { ofType { name } } } } ",
            "__schema { directives { name locations isRepeatable } queryType { name } } __typename ",
            "__type(name: \"\") { name } x: __schema { description types { possibleTypes { name } inputFields { name } isOneOf } } ",
        ];
        self.rng.choice(ASKED).unwrap_or_default().to_owned()
    }

    /// `many` fields of a type.
    fn fields(&mut self, ty: &str, many: usize, depth: usize) -> String {
        let model = self.model;
        let (fields, possible) = model.output(ty);
        let mut text = String::new();
        for _ in 0..many {
            if depth >= MAX_DEPTH || self.left == 0 {
                break;
            }
            if !possible.is_empty() && self.rng.u8(..4) > 0 || fields.is_empty() {
                text += &self.object(possible, depth);
                continue;
            }
            let field = loop {
                // Prefers objects, and leaves once there is room for few more fields.
                let field = &fields[self.rng.usize(..fields.len())];
                let is_leaf = model.is_leaf(&field.ty);
                // Rare, since it deletes what other operations could be tried on.
                let is_final = matches!(
                    field.name.as_str(),
                    "deleteOrganization" | "deleteAccount" | "leaveOrganization"
                );
                let is_likely = !is_final || self.rng.u8(..5) == 0;
                if is_likely && (self.rng.u8(..3) > 0 || is_leaf == (self.left < 3)) {
                    break field;
                }
            };
            text += &self.field(field, depth);
        }
        if text.is_empty() {
            text.push_str("__typename ");
        }
        text
    }

    /// A selection on one of the possible objects of an interface or a union.
    fn object(&mut self, possible: &[String], depth: usize) -> String {
        let Some(ty) = self.rng.choice(possible) else {
            return "__typename ".to_owned();
        };
        let inside = self.fields(ty, 2, depth);
        format!("... on {ty} {}{{ {inside}}} ", self.directive())
    }

    fn field(&mut self, field: &Field, depth: usize) -> String {
        self.left = self.left.saturating_sub(1);
        self.count += 1;
        let alias = format!("{}_n{}: ", field.name, self.count);
        // Without aliases, two fields of one name with different arguments would conflict.
        let alias = if self.slips(6) { "" } else { &alias };
        let arguments = self.arguments(&field.arguments, &field.name);
        let directive = self.directive();
        let set = if self.model.is_leaf(&field.ty) {
            String::new()
        } else {
            let many = self.rng.usize(1..5);
            let inside = self.fields(&field.ty, many, depth + 1);
            match self.rng.u8(..12) {
                0 => {
                    self.count += 1;
                    let name = format!("F{}", self.count);
                    self.fragments += &format!(" fragment {name} on {} {{ {inside}}}", field.ty);
                    format!("{{ ...{name} {}}} ", self.directive())
                }
                1 => format!("{{ ... {{ {inside}}} }} "),
                _ => format!("{{ {inside}}} "),
            }
        };
        format!("{alias}{}{arguments} {directive}{set}", field.name)
    }

    fn directive(&mut self) -> String {
        if self.slips(30) {
            return "@unknown ".to_owned();
        }
        match self.rng.u16(..90) {
            0 => "@include(if: true) ",
            1 => "@skip(if: false) ",
            2 => "@skip(if: true) ",
            _ => "",
        }
        .to_owned()
    }

    fn arguments(&mut self, arguments: &[Argument], of: &str) -> String {
        let mut given = Vec::new();
        for argument in arguments {
            let is_page = matches!(argument.name.as_str(), "last" | "before" | "offset");
            let is_given = if !argument.ty.nullable {
                !self.slips(20)
            } else if is_page {
                self.rng.u8(..12) == 0
            } else {
                self.rng.u8(..5) < 2
            };
            if is_given {
                let value = self.values.of(&argument.ty, &argument.name, of, self.rng);
                let value = self.write(&argument.ty, value);
                given.push(format!("{}: {value}", argument.name));
            }
        }
        match given.as_slice() {
            [] => String::new(),
            given => format!("({})", given.join(", ")),
        }
    }

    /// A value as a literal or as a variable.
    fn write(&mut self, ty: &Type, value: Value) -> String {
        if self.rng.u8(..5) < 2 {
            return to_literal(&value);
        }
        self.count += 1;
        let name = format!("v{}", self.count);
        let default = match self.rng.u8(..12) {
            0 => format!(" = {}", to_literal(&value)),
            _ => String::new(),
        };
        let ty = if self.slips(20) {
            "String".to_owned()
        } else {
            written(ty)
        };
        self.definitions.push(format!("${name}: {ty}{default}"));
        if !self.slips(20) {
            self.variables.insert(name.clone(), to_json(value));
        }
        format!("${name}")
    }
}

/// A type in GraphQL syntax.
fn written(ty: &Type) -> String {
    let base = match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => format!("[{}]", written(inner)),
    };
    format!("{base}{}", if ty.nullable { "" } else { "!" })
}
