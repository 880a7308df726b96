//! What every door shares.

use std::sync::Arc;

use crate::app::App;
use crate::auth::Authenticator;
use crate::graphql::{ApiSchema, schema};

/// What every door shares. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// What requests and jobs share.
    pub app: App,
    /// The schema.
    pub schema: ApiSchema,
    /// Tells whose request it is.
    pub authenticator: Arc<Authenticator>,
}

impl State {
    /// Puts together what the doors share.
    pub fn new(app: App, authenticator: Authenticator) -> Self {
        let schema = schema(app.config.graphql.introspection);
        Self {
            app,
            schema,
            authenticator: Arc::new(authenticator),
        }
    }
}
