//! People.

use async_graphql::{Context, ID, Object, Result};

use super::context::ContextExt;
use super::long::Long;
use super::resolve::One;
use super::scalar::{DateTime, Url};
use crate::models::user;

/// A person. Visible to the people they share an organization with.
#[derive(Clone)]
pub struct User(pub user::User);

/// A person. Visible to the people they share an organization with.
#[Object]
impl User {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Their email address, lower-cased. Compared without regard to case everywhere.
    fn email(&self) -> &str {
        &self.0.email
    }

    /// What they are called; `null` if their identity provider does not say.
    fn name(&self) -> Long<Option<&str>> {
        Long(self.0.name.as_deref())
    }

    /// A picture of them; `null` if their identity provider has none.
    fn avatar_url(&self) -> Long<Option<Url>> {
        Long(self.0.avatar_url.clone().map(Url))
    }

    /// When they were first seen.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// What can be read of the viewer.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The person who makes the request.
    fn viewer(&self, ctx: &Context<'_>) -> Result<One<User>> {
        Ok(One(User(ctx.viewer()?.user.clone())))
    }
}
