//! Members of organizations.

use async_graphql::{Context, ID, Object, Result};

use super::{Organization, OrganizationRole};
use crate::graphql::context::ContextExt;
use crate::graphql::resolve::One;
use crate::graphql::scalar::DateTime;
use crate::graphql::user::User;
use crate::models::{organization, user};

/// A person's membership in an organization.
#[derive(Clone)]
pub struct OrganizationMember {
    member: organization::OrganizationMember,
    user: user::User,
}

impl From<(organization::OrganizationMember, user::User)> for OrganizationMember {
    fn from((member, user): (organization::OrganizationMember, user::User)) -> Self {
        Self { member, user }
    }
}

/// A person's membership in an organization.
#[Object]
impl OrganizationMember {
    /// The globally unique id.
    pub async fn id(&self) -> ID {
        self.member.id.into()
    }

    /// The organization they are a member of.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Organization> {
        Ok(Organization(ctx.get(self.member.organization_id).await?))
    }

    /// The person who is a member.
    fn user(&self) -> One<User> {
        One(User(self.user.clone()))
    }

    /// Their role in the organization.
    fn role(&self) -> OrganizationRole {
        self.member.role.into()
    }

    /// When they became a member.
    fn created_at(&self) -> DateTime {
        self.member.created_at.into()
    }
}
