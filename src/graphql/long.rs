//! Values that may be long, and a bound on how much of them fits into one response.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Pos, Positioned, ServerResult, Value};

use super::context::RequestContext;

/// A value that may be long. The total size of all such values in one response is bounded: a
/// document of a kilobyte that asks for a page of long texts under many aliases would otherwise be
/// answered with gigabytes. Values past the bound are left out, and a nullable field then makes its
/// parent `null` too, so that one error says what thousands would.
pub struct Long<T>(pub T);

impl<T: OutputType> OutputType for Long<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let value = self.0.resolve(ctx, field).await?;
        tell(ctx, length(&value), field.pos)?;
        Ok(value)
    }
}

/// Counts this many bytes as part of the response.
///
/// # Errors
/// `QUERY_TOO_COMPLEX` if they make the response too long.
pub(super) fn tell(ctx: &ContextSelectionSet<'_>, bytes: usize, pos: Pos) -> ServerResult<()> {
    let context = ctx.data_opt::<RequestContext>();
    let told = context.map_or(Ok(()), |context| context.tell(bytes));
    told.map_err(|error| async_graphql::Error::from(error).into_server_error(pos))
}

/// Returns the approximate size of a value in bytes.
pub fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(items) => items
            .iter()
            .map(|item| size_of::<Value>() + length(item))
            .sum(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| size_of::<Value>() + name.len() + length(value))
                .sum()
        }
        _ => 0,
    }
}
