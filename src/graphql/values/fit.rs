//! Checks whether one value fits one type.

use std::fmt;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, Type};
use async_graphql::{InputType, InputValueResult, Name, Number, Pos, ScalarType, Value as Const};
use async_graphql_value::Value;

use crate::graphql::scalar::{BigInt, Date, DateTime, Url};
use crate::graphql::shape::{Input, Shape, Slot};

/// Checks whether a variable of the operation may be used where a value of that type is expected;
/// the flag says whether that place has a default.
type MayBe<'a> = &'a dyn Fn(&Name, &Type, bool) -> Result<(), String>;

/// Checks values against types.
pub(super) struct Fit<'a> {
    shape: &'a Shape,
    source: Source<'a>,
}

/// The source of values.
enum Source<'a> {
    /// A document, which may contain variables.
    Document(MayBe<'a>),
    /// JSON, which contains no variables, and in which enum values are strings.
    Json,
}

impl<'a> Fit<'a> {
    /// Creates a check for the values in a document; `may_be` checks its variables.
    pub(super) fn literal(shape: &'a Shape, may_be: MayBe<'a>) -> Self {
        Self {
            shape,
            source: Source::Document(may_be),
        }
    }

    /// Creates a check for the values of variables.
    pub(super) fn json(shape: &'a Shape) -> Self {
        Self {
            shape,
            source: Source::Json,
        }
    }

    /// Checks whether a value may be given to this argument or field.
    pub(super) fn slot<V: Given>(
        &self,
        path: &Path<'_>,
        slot: &Slot,
        value: &V,
    ) -> Result<(), String> {
        self.place(path, &slot.ty, slot.has_default, value)
    }

    /// Checks whether a value or a variable may be used where this type is expected.
    fn place<V: Given>(
        &self,
        path: &Path<'_>,
        ty: &Type,
        has_default: bool,
        value: &V,
    ) -> Result<(), String> {
        match (value.look(), &self.source) {
            (Look::Variable(name), Source::Document(may_be)) => {
                may_be(name, ty, has_default).map_err(|why| path.tell(&why))
            }
            _ => self.value(path, ty, value),
        }
    }

    /// Checks whether a value is of the type.
    pub(super) fn value<V: Given>(
        &self,
        path: &Path<'_>,
        ty: &Type,
        value: &V,
    ) -> Result<(), String> {
        match (&ty.base, value.look()) {
            (_, Look::Null) if ty.nullable => Ok(()),
            (_, Look::Null) => Err(path.tell(&format!("null is not allowed for {ty}"))),
            (BaseType::List(of), Look::List(items)) => {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(index, item)| self.place(&path.item(index), of, false, item))
            }
            // A single value given for a list is a list of one.
            (BaseType::List(of), _) => self.value(path, of, value),
            (BaseType::Named(name), _) => self.named(path, name, value),
        }
    }

    fn named<V: Given>(&self, path: &Path<'_>, ty: &str, value: &V) -> Result<(), String> {
        let fits = match (self.shape.input(ty), value.look()) {
            (None, _) => scalar(ty, value),
            (Some(Input::Enum(words)), look) => match self.word(look) {
                Some(word) if words.contains(word) => Ok(()),
                _ => Err(format!("expected a value of type {ty}")),
            },
            (Some(Input::Object { fields, is_one_of }), Look::Object(given)) => {
                self.object(path, ty, fields, given)?;
                return match is_one_of {
                    true => self.only(path, ty, fields, given),
                    false => Ok(()),
                };
            }
            (Some(Input::Object { .. }), _) => Err(format!("expected an object of type {ty}")),
        };
        fits.map_err(|why| path.tell(&why))
    }

    fn word<'v, V>(&self, look: Look<'v, V>) -> Option<&'v str> {
        match (look, &self.source) {
            (Look::Word(word), _) | (Look::Text(word), Source::Json) => Some(word),
            _ => None,
        }
    }

    fn object<V: Given>(
        &self,
        path: &Path<'_>,
        ty: &str,
        fields: &IndexMap<String, Slot>,
        given: &IndexMap<Name, V>,
    ) -> Result<(), String> {
        for (name, value) in given {
            let path = path.field(name);
            match fields.get(name.as_str()) {
                Some(slot) => self.slot(&path, slot, value)?,
                None => return Err(path.tell(&unknown(ty, name, fields.keys()))),
            }
        }
        let missing = |(name, slot): &(&String, &Slot)| {
            slot.is_required() && !given.contains_key(name.as_str())
        };
        match fields.iter().find(missing) {
            None => Ok(()),
            Some((name, slot)) => {
                let path = path.field(name);
                Err(path.tell(&format!("a value of type {} is required", slot.ty)))
            }
        }
    }

    /// Checks that exactly one field is given and that it is not null. Whether the type of a
    /// variable allows null does not matter: a client may have a variable for each of the fields.
    fn only<V: Given>(
        &self,
        path: &Path<'_>,
        ty: &str,
        fields: &IndexMap<String, Slot>,
        given: &IndexMap<Name, V>,
    ) -> Result<(), String> {
        let mut given = given.iter();
        let (Some((name, value)), None) = (given.next(), given.next()) else {
            return Err(path.tell(&format!("{ty} takes exactly one field")));
        };
        let Some(slot) = fields.get(name.as_str()) else {
            return Ok(());
        };
        let taken = Type {
            nullable: false,
            ..slot.ty.clone()
        };
        self.place(&path.field(name), &taken, true, value)
    }
}

/// How many letters of a name may be wrong for another name to be suggested.
const SLIPS: usize = 2;

fn unknown<'a>(ty: &str, name: &str, fields: impl Iterator<Item = &'a String>) -> String {
    // Only names of about the same length, because a comparison takes time by the lengths of both.
    let near = fields
        .filter(|field| field.len().abs_diff(name.len()) <= SLIPS)
        .map(|field| (strsim::damerau_levenshtein(name, field), field))
        .min_by_key(|(slips, _)| *slips)
        .filter(|(slips, _)| *slips <= SLIPS);
    match near {
        Some((_, near)) => format!("{ty} has no such field; did you mean {near}?"),
        None => format!("{ty} has no such field"),
    }
}

/// Checks whether a scalar accepts the value. Values of unknown types are left to the validator.
fn scalar<V: Given>(name: &str, value: &V) -> Result<(), String> {
    let fits = match (name, value.look()) {
        ("Int", Look::Number(number)) => is_int(number),
        ("ID", Look::Number(number)) => number.is_i64() || number.is_u64(),
        ("Float", Look::Number(_)) | ("String" | "ID", Look::Text(_)) => true,
        ("Boolean", Look::Boolean) => true,
        ("Int" | "ID" | "Float" | "String" | "Boolean", _) => false,
        ("BigInt", _) => return parsed::<BigInt>(value),
        ("Date", _) => return parsed::<Date>(value),
        ("DateTime", _) => return parsed::<DateTime>(value),
        ("URL", _) => return parsed::<Url>(value),
        // JSON accepts anything.
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(format!("expected a value of type {name}")),
    }
}

fn is_int(number: &Number) -> bool {
    let number = number.as_i64();
    number.is_some_and(|number| i32::try_from(number).is_ok())
}

fn parsed<T: ScalarType + InputType>(value: &impl Given) -> Result<(), String> {
    let parse = |value| -> InputValueResult<T> { ScalarType::parse(value) };
    match value.constant().map(parse) {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(error.into_server_error(Pos::default()).message),
        None => Err("it must not contain variables".to_owned()),
    }
}

/// The path to a value, starting from its argument or variable.
pub(super) struct Path<'p> {
    before: Option<&'p Self>,
    step: Step<'p>,
}

enum Step<'p> {
    Variable(&'p str),
    Field(&'p str),
    Item(usize),
}

impl<'p> Path<'p> {
    pub(super) fn argument(name: &'p str) -> Self {
        Self {
            before: None,
            step: Step::Field(name),
        }
    }

    pub(super) fn variable(name: &'p str) -> Self {
        Self {
            before: None,
            step: Step::Variable(name),
        }
    }

    fn field(&'p self, name: &'p str) -> Self {
        Self {
            before: Some(self),
            step: Step::Field(name),
        }
    }

    fn item(&'p self, index: usize) -> Self {
        Self {
            before: Some(self),
            step: Step::Item(index),
        }
    }

    /// Formats an error at this path.
    fn tell(&self, why: &str) -> String {
        let end = if why.ends_with(['.', '?']) { "" } else { "." };
        format!("{self}: {why}{end}")
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = self.before {
            write!(f, "{before}.")?;
        }
        match self.step {
            Step::Variable(name) => write!(f, "${name}"),
            Step::Field(name) => f.write_str(name),
            Step::Item(index) => write!(f, "{index}"),
        }
    }
}

/// A value as it was given.
pub(super) trait Given: Sized {
    /// Returns what the value is.
    fn look(&self) -> Look<'_, Self>;

    /// Returns the value, unless it contains a variable.
    fn constant(&self) -> Option<Const>;
}

/// What a value is.
pub(super) enum Look<'a, V> {
    Variable(&'a Name),
    Null,
    Number(&'a Number),
    Text(&'a str),
    Boolean,
    Word(&'a str),
    List(&'a [V]),
    Object(&'a IndexMap<Name, V>),
    /// Bytes, which GraphQL does not know.
    Other,
}

impl Given for Value {
    fn look(&self) -> Look<'_, Self> {
        match self {
            Self::Variable(name) => Look::Variable(name),
            Self::Null => Look::Null,
            Self::Number(number) => Look::Number(number),
            Self::String(text) => Look::Text(text),
            Self::Boolean(_) => Look::Boolean,
            Self::Enum(word) => Look::Word(word),
            Self::List(items) => Look::List(items),
            Self::Object(fields) => Look::Object(fields),
            Self::Binary(_) => Look::Other,
        }
    }

    fn constant(&self) -> Option<Const> {
        self.clone().into_const()
    }
}

impl Given for Const {
    fn look(&self) -> Look<'_, Self> {
        match self {
            Self::Null => Look::Null,
            Self::Number(number) => Look::Number(number),
            Self::String(text) => Look::Text(text),
            Self::Boolean(_) => Look::Boolean,
            Self::Enum(word) => Look::Word(word),
            Self::List(items) => Look::List(items),
            Self::Object(fields) => Look::Object(fields),
            Self::Binary(_) => Look::Other,
        }
    }

    fn constant(&self) -> Option<Const> {
        Some(self.clone())
    }
}
