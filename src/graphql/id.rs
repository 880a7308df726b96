//! Ids as clients send them.

use std::borrow::Cow;

use async_graphql::{
    ID, InputType, InputValueError, InputValueResult, ScalarType, Value, registry::Registry,
};

use crate::error::Violation;
use crate::id::{Id, Kind, ParseIdError};

/// An id as a client sent it. It is an `ID` to the schema, and is decoded where its name is known, so
/// that the error can tell it.
#[derive(Clone, Debug)]
pub struct RawId(ID);

impl RawId {
    /// The id of a `K`. A well-formed id of something else is one of nothing: it becomes the nil id,
    /// which nothing has.
    ///
    /// # Errors
    /// Where it is no id at all.
    pub fn parse<K: Kind>(&self, field: &str) -> Result<Id<K>, Violation> {
        match self.0.parse() {
            Ok(id) => Ok(id),
            Err(ParseIdError::OtherKind) => Ok(Id::from_uuid(uuid::Uuid::nil())),
            Err(ParseIdError::Malformed) => Err(Violation {
                field: field.to_owned(),
                message: format!("must be an id: `{}_` and 26 characters", K::PREFIX).into(),
            }),
        }
    }

    /// What the client wrote.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
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
