//! Ids as clients send them.

use std::borrow::Cow;

use async_graphql::{
    ID, InputType, InputValueError, InputValueResult, ScalarType, Value, registry::Registry,
};

use crate::error::Error;
use crate::id::{AnyId, Id, Kind, ParseIdError};
use crate::models::values::Invalid;

/// An id as a client sent it. In the schema it is an `ID`; it is decoded only where the field's
/// name is known, so that the error can state it.
#[derive(Clone, Debug)]
pub struct RawId(ID);

impl RawId {
    /// Decodes the id as the kind that is wanted.
    ///
    /// # Errors
    /// If it is not an id at all.
    pub fn parse<T: FromRawId>(&self) -> Result<T, Invalid> {
        T::from_text(&self.0)
    }

    /// Decodes the id where nothing else in the input can be wrong.
    ///
    /// # Errors
    /// `INVALID_INPUT` if it is not an id at all.
    pub fn only<T: FromRawId>(&self, field: &str) -> Result<T, Error> {
        self.parse()
            .map_err(|Invalid(message)| Error::invalid(field, message))
    }
}

/// What a [`RawId`] can be decoded as: the id of one kind, or of any.
pub trait FromRawId: Sized {
    /// Decodes an id from the text a client sent.
    ///
    /// # Errors
    /// If it is not an id at all.
    fn from_text(text: &str) -> Result<Self, Invalid>;
}

impl<K: Kind> FromRawId for Id<K> {
    /// A well-formed id of another kind matches no object of this one: it becomes the nil id, which
    /// no object has.
    fn from_text(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(id) => Ok(id),
            Err(ParseIdError::OtherKind) => Ok(Id::from_uuid(uuid::Uuid::nil())),
            Err(ParseIdError::Malformed) => {
                Err(format!("must be an id: `{}_` and 26 characters", K::PREFIX).into())
            }
        }
    }
}

impl FromRawId for AnyId {
    fn from_text(text: &str) -> Result<Self, Invalid> {
        let any = text.parse();
        any.map_err(|_| "must be an id: a prefix such as `ws_` and 26 characters".into())
    }
}

impl InputType for RawId {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <ID as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <ID as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        <ID as ScalarType>::parse(value.unwrap_or_default())
            .map(Self)
            .map_err(InputValueError::propagate)
    }

    fn to_value(&self) -> Value {
        <ID as ScalarType>::to_value(&self.0)
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
