//! The GraphQL API. Each entity has one file or folder with its object, its inputs and payloads,
//! and its fields of Query and Mutation. A resolver parses its arguments, calls one function of the
//! models, and wraps the result.

mod account;
mod answer;
mod api_token;
mod batch;
mod check;
mod connection;
mod context;
mod error;
mod event;
mod icon;
mod id;
mod invitation;
mod join_code;
pub mod limits;
mod loader;
mod long;
mod mutations;
mod navigation;
mod node;
mod organization;
mod plan;
mod prompt;
mod provider;
mod resolve;
mod run;
mod scalar;
mod schedule;
mod shape;
mod shared_arguments;
mod slug;
mod subscription;
mod text;
mod user;
mod values;
mod visibility;
mod workspace;

use async_graphql::{MergedObject, SDLExportOptions, Schema, ValidationMode};

pub use context::{RequestContext, SignedOut, Streamed, copy_request};
pub use error::{finish, is_invalid, is_request_error, own};
pub use long::length;
pub use mutations::repeated_field;
pub use shape::Shape;
pub use subscription::Subscription;
pub use text::{repeated_input_field, unescape};
pub use values::{Misfit, check_document, check_variables, has_null};

/// The query root: everything that can be read.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    user::UserQuery,
    navigation::NavigationQuery,
    organization::OrganizationQuery,
    workspace::WorkspaceQuery,
    slug::SlugQuery,
    api_token::ApiTokenQuery,
    account::AccountQuery,
);

/// The mutation root: everything that can be changed. Each mutation takes one `input`, except the
/// one that needs none, and returns a payload named after it. A mutation that is refused changes
/// nothing.
#[derive(MergedObject, Default)]
pub struct Mutation(
    account::AccountMutation,
    organization::OrganizationMutation,
    organization::OrganizationMemberMutation,
    workspace::WorkspaceMutation,
    workspace::WorkspaceMemberMutation,
    icon::IconMutation,
    provider::ProviderMutation,
    invitation::InvitationMutation,
    navigation::NavigationMutation,
    join_code::JoinCodeMutation,
    prompt::PromptMutation,
    api_token::ApiTokenMutation,
    schedule::ScheduleMutation,
    run::RunMutation,
);

/// The schema as it is served.
pub type ApiSchema = Schema<Query, Mutation, Subscription>;

/// Builds the schema; `introspection` says whether clients may query the schema itself.
pub fn schema(introspection: bool) -> ApiSchema {
    build(introspection, ValidationMode::Strict)
}

/// Like [`schema`], but for documents already found valid, which it does not validate again.
pub fn schema_of_valid(introspection: bool) -> ApiSchema {
    build(introspection, ValidationMode::Fast)
}

/// Returns the schema in GraphQL's schema definition language, `@specifiedBy` of scalars included.
pub fn sdl(schema: &ApiSchema) -> String {
    schema.sdl_with_options(SDLExportOptions::new().include_specified_by())
}

fn build(introspection: bool, validation: ValidationMode) -> ApiSchema {
    let builder = Schema::build(Query::default(), Mutation::default(), Subscription)
        .register_output_type::<error::ErrorCode>()
        .register_output_type::<node::Node>()
        .register_output_type::<shared_arguments::SharedArguments>()
        .validation_mode(validation)
        // `limits` has already refused anything deeper, with a better error.
        .limit_recursive_depth(limits::MAX_NESTING)
        .disable_suggestions();
    if introspection {
        builder.finish()
    } else {
        builder.disable_introspection().finish()
    }
}
