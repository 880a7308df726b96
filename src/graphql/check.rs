//! Validates inputs so that everything wrong with one is reported at once.

use crate::db::types::Instant;
use crate::error::{Error, Result, Violation};
use crate::models::patch::Patch;
use crate::models::values::Invalid;

use super::id::{FromRawId, RawId};
use async_graphql::MaybeUndefined;

/// Collects what is wrong with an input.
///
/// Each field goes through one of the methods, each of which returns a value that counts only if
/// [`Check::done`] then succeeds.
#[derive(Default)]
pub struct Check(Vec<Violation>);

/// A value that counts only once the whole input has been checked.
pub struct Checked<T>(Option<T>);

impl<T> Checked<T> {
    /// Makes another value from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Checked<U> {
        Checked(self.0.map(f))
    }

    /// Returns the value, if valid: for what is not used before the whole input has been checked.
    pub fn ok(self) -> Option<T> {
        self.0
    }

    /// Pairs this value with another.
    pub fn with<U>(self, other: Checked<U>) -> Checked<(T, U)> {
        Checked(self.0.zip(other.0))
    }
}

impl<T> FromIterator<Checked<T>> for Checked<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = Checked<T>>>(list: I) -> Self {
        // All items are consumed, so that everything wrong with them is reported.
        let values: Vec<_> = list.into_iter().map(|checked| checked.0).collect();
        Checked(values.into_iter().collect())
    }
}

impl Check {
    /// Checks a field that must be given and valid.
    pub fn field<T>(&mut self, name: &str, parsed: Result<T, Invalid>) -> Checked<T> {
        match parsed {
            Ok(value) => Checked(Some(value)),
            Err(Invalid(message)) => {
                self.0.push(Violation {
                    field: name.to_owned(),
                    message,
                });
                Checked(None)
            }
        }
    }

    /// Checks an id. If nothing else can be wrong, [`RawId::only`] is shorter.
    pub fn id<T: FromRawId>(&mut self, name: &str, id: &RawId) -> Checked<T> {
        self.field(name, id.parse())
    }

    /// Checks a field that may be omitted or `null`, which mean the same.
    pub fn optional<V: AsRef<S>, S: ?Sized, T>(
        &mut self,
        name: &str,
        value: &Option<V>,
        parse: impl FnOnce(&S) -> Result<T, Invalid>,
    ) -> Checked<Option<T>> {
        match value {
            Some(value) => self.field(name, parse(value.as_ref())).map(Some),
            None => Checked(Some(None)),
        }
    }

    /// Checks a field of an update that may be omitted, but not cleared.
    pub fn kept<V, T>(
        &mut self,
        name: &str,
        value: &MaybeUndefined<V>,
        parse: impl FnOnce(&V) -> Result<T, Invalid>,
    ) -> Checked<Option<T>> {
        match value {
            MaybeUndefined::Undefined => Checked(Some(None)),
            MaybeUndefined::Null => self.field(name, Err(Invalid::from("cannot be cleared"))),
            MaybeUndefined::Value(value) => self.field(name, parse(value)).map(Some),
        }
    }

    /// Like [`Check::kept`], but for a list, whose items may be wrong individually.
    pub fn kept_list<V, T>(
        &mut self,
        name: &str,
        list: &MaybeUndefined<Vec<V>>,
        parse: impl FnOnce(&mut Self, &str, &[V]) -> Checked<Vec<T>>,
    ) -> Checked<Option<Vec<T>>> {
        match list {
            MaybeUndefined::Undefined => Checked(Some(None)),
            MaybeUndefined::Null => self.field(name, Err(Invalid::from("cannot be cleared"))),
            MaybeUndefined::Value(list) => parse(self, name, list).map(Some),
        }
    }

    /// Checks a field of an update that may be omitted or cleared.
    pub fn cleared<V, T>(
        &mut self,
        name: &str,
        value: &MaybeUndefined<V>,
        parse: impl FnOnce(&V) -> Result<Option<T>, Invalid>,
    ) -> Checked<Patch<T>> {
        match value {
            MaybeUndefined::Undefined => Checked(Some(Patch::Keep)),
            MaybeUndefined::Null => Checked(Some(Patch::Clear)),
            MaybeUndefined::Value(value) => {
                let parsed = self.field(name, parse(value));
                parsed.map(|value| value.map_or(Patch::Clear, Patch::Set))
            }
        }
    }

    /// Checks an instant that must be in the future, and may be omitted.
    pub fn ahead(
        &mut self,
        name: &str,
        at: Option<Instant>,
        now: Instant,
    ) -> Checked<Option<Instant>> {
        if at.is_some_and(|at| at <= now) {
            self.refuse(name, "must be in the future");
        }
        Checked(Some(at))
    }

    /// Records anything else that is wrong.
    pub fn refuse(&mut self, name: &str, message: &'static str) {
        self.0.push(Violation {
            field: name.to_owned(),
            message: message.into(),
        });
    }

    /// Returns the checked values, if everything was valid.
    ///
    /// # Errors
    /// `INVALID_INPUT` with everything that is wrong.
    pub fn done<C: All>(self, checked: C) -> Result<C::Values> {
        match checked.all() {
            Some(values) if self.0.is_empty() => Ok(values),
            _ => Err(Error::InvalidInput(self.0)),
        }
    }
}

/// Several checked values, which count only together.
pub trait All {
    /// The values.
    type Values;

    /// Returns the values, if every one of them is there.
    fn all(self) -> Option<Self::Values>;
}

impl<T> All for Checked<T> {
    type Values = T;

    fn all(self) -> Option<T> {
        self.0
    }
}

macro_rules! all_of {
    ($($name:ident)+) => {
        impl<$($name),+> All for ($(Checked<$name>,)+) {
            type Values = ($($name,)+);

            #[allow(non_snake_case, reason = "the types' names serve for the values")]
            fn all(self) -> Option<Self::Values> {
                let ($($name,)+) = self;
                Some(($($name.0?,)+))
            }
        }
    };
}

all_of!(A B);
all_of!(A B C);
all_of!(A B C D);
all_of!(A B C D E);
all_of!(A B C D E F);
all_of!(A B C D E F G);
all_of!(A B C D E F G H);
all_of!(A B C D E F G H I);
all_of!(A B C D E F G H I J);
