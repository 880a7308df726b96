//! What the arguments mean that many fields have. Where a field is written, a description can only be a
//! literal, which would stand at each of them.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaField, MetaType, MetaTypeName, Registry};
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};

/// The arguments of every field that gives a page.
const OF_PAGES: [(&str, &str); 4] = [
    (
        "first",
        "How many rows to give, going forwards: 1 to 100, and 20 where `last` is not given either.",
    ),
    (
        "after",
        "Only rows that come after the row of this cursor, such as `endCursor` of the page before.",
    ),
    (
        "last",
        "How many rows to give, going backwards from the end: 1 to 100. Not together with `first`.",
    ),
    (
        "before",
        "Only rows that come before the row of this cursor, such as `startCursor` of the page after.",
    ),
];

/// The argument of every mutation that has one.
const OF_MUTATIONS: [(&str, &str); 1] = [(
    "input",
    "All that the mutation takes. What is not valid is told at once, in `extensions.violations`.",
)];

/// Describes them, once it is registered after all types. It is none itself, and there is no value of it.
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
