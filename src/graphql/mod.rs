//! What clients see. One file an entity: its object, inputs and payloads, and its fields of Query
//! and Mutation. A resolver parses its arguments, calls one function of the models, and wraps what
//! that gives.

mod check;
mod connection;
mod context;
mod error;
mod event;
mod id;
mod invitation;
mod loader;
mod navigation;
mod node;
mod organization;
mod plan;
mod scalar;
mod slug;
mod user;
mod workspace;

use async_graphql::{EmptySubscription, MergedObject, Schema};

pub use context::{RequestContext, SignedOut};
pub use error::{finish, is_request_error};

/// Everything that can be read.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    user::UserQuery,
    navigation::NavigationQuery,
    organization::OrganizationQuery,
    workspace::WorkspaceQuery,
    slug::SlugQuery,
);

/// Everything that can be changed. Each mutation takes one `input` and answers a payload named after
/// it; one that is refused changes nothing.
#[derive(MergedObject, Default)]
pub struct Mutation(
    organization::OrganizationMutation,
    workspace::WorkspaceMutation,
    invitation::InvitationMutation,
    navigation::NavigationMutation,
);

/// The schema, as it is served.
pub type ApiSchema = Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema.
pub fn schema() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .register_output_type::<error::ErrorCode>()
        .register_output_type::<node::Node>()
        .disable_suggestions()
        .finish()
}
