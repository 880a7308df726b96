//! Users.

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

    /// The user's email address, in lower case. Compared without regard to case everywhere.
    fn email(&self) -> &str {
        &self.0.email
    }

    /// The user's name; `null` if their identity provider does not give one.
    fn name(&self) -> Long<Option<&str>> {
        Long(self.0.name.as_deref())
    }

    /// The URL of the user's picture; `null` if their identity provider does not give one.
    fn avatar_url(&self) -> Long<Option<Url>> {
        Long(self.0.avatar_url.clone().map(Url))
    }

    /// When the user was first seen.
    fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// Queries about the viewer.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The user who makes the request.
    fn viewer(&self, ctx: &Context<'_>) -> Result<One<User>> {
        Ok(One(User(ctx.viewer()?.user.clone())))
    }
}
