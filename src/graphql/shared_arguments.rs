//! Descriptions of arguments that many fields have. At a field, a description can only be a
//! literal, which would have to be repeated at each of them.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

/// The arguments of every paged field.
const OF_PAGES: [(&str, &str); 4] = [
    (
        "first",
        "The number of rows to return, going forward: 1 to 100. Defaults to 20 without `last`.",
    ),
    (
        "after",
        "Only rows after the one with this cursor, such as the `endCursor` of the previous page.",
    ),
    (
        "last",
        "The number of rows to return, going backward: 1 to 100. Cannot be combined with `first`.",
    ),
    (
        "before",
        "Only rows before the one with this cursor, such as the `startCursor` of the next page.",
    ),
];

/// The argument of every mutation that has one.
const OF_MUTATIONS: [(&str, &str); 1] = [(
    "input",
    "The mutation's input. Everything invalid is reported at once, in `extensions.violations`.",
)];

/// A type that only exists to be registered after all others, when it describes the shared
/// arguments. It has no values and is not part of the schema.
pub enum SharedArguments {}

impl OutputType for SharedArguments {
    fn type_name() -> Cow<'static, str> {
        "SharedArguments".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let mutation = registry.mutation_type.clone();
        for found in registry.types.values_mut() {
            let MetaType::Object { name, fields, .. } = found else {
                continue;
            };
            let is_mutation = mutation.as_ref() == Some(name);
            for field in fields.values_mut() {
                if is_mutation {
                    describe(field, &OF_MUTATIONS);
                } else if MetaTypeName::concrete_typename(&field.ty).ends_with("Connection") {
                    describe(field, &OF_PAGES);
                }
            }
        }
        Self::type_name().into_owned()
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match *self {}
    }
}

fn describe(field: &mut MetaField, arguments: &[(&str, &str)]) {
    for (name, description) in arguments {
        if let Some(argument) = field.args.get_mut(*name) {
            argument.description = Some((*description).to_owned());
        }
    }
}
