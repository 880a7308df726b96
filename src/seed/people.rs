//! People, organizations, and their memberships.

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::draw::{For, parent, share};
use super::words::{COMPANY, FIRST, LAST, MATERIAL};
use super::{DAY, DEVELOPER_EMAIL, DEVELOPER_NAME, Seed};
use crate::access::OrganizationRole;
use crate::auth::token::DEVELOPMENT_ISSUER;
use crate::db::types::Instant;
use crate::db::{Row, Table};
use crate::models::values::fold::fold;

pub const USERS: Table = Table {
    name: "users",
    columns: &[
        "id",
        "issuer",
        "subject",
        "email",
        "email_verified",
        "name",
        "current_workspace_id",
        "created_at",
        "updated_at",
    ],
};
pub const ORGANIZATIONS: Table = Table {
    name: "organizations",
    columns: &[
        "id",
        "name",
        "name_key",
        "slug",
        "is_personal",
        "plan_key",
        "created_by",
        "created_at",
        "updated_at",
    ],
};
pub const ORGANIZATION_SLUGS: Table = Table {
    name: "organization_slugs",
    columns: &["slug", "organization_id", "is_current"],
};
pub const ORGANIZATION_MEMBERS: Table = Table {
    name: "organization_members",
    columns: &["id", "organization_id", "user_id", "role", "created_at"],
};

/// One person in this many is also a guest in the next organization.
const GUESTS: u64 = 4;

impl Seed {
    pub fn user_created(&self, u: u64) -> Instant {
        self.spread(130 * DAY, 5 * DAY, u, self.plan.users)
    }

    pub fn user_id(&self, u: u64) -> Uuid {
        self.ids.id(For::User, self.user_created(u), u)
    }

    /// Returns the email address and the name of a person.
    pub fn user_called(&self, u: u64) -> (String, String) {
        if u == 0 {
            return (DEVELOPER_EMAIL.to_owned(), DEVELOPER_NAME.to_owned());
        }
        let (index, cycle) = self.draw.shuffled(For::UserName, u, 32 * 32);
        let (first, last) = (FIRST[index as usize / 32], LAST[index as usize % 32]);
        let ascii = |name: &str| deunicode::deunicode(name).to_lowercase();
        let number = numbered("", cycle);
        let email = format!("{}.{}{number}@example.com", ascii(first), ascii(last));
        (email, format!("{first} {last}"))
    }

    pub fn users(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.users).map(move |u| {
            let (email, name) = self.user_called(u);
            let current = (u == 0 && self.plan.workspaces > 0).then(|| self.workspace_id(0));
            let at = self.user_created(u);
            vec![
                self.user_id(u).into(),
                DEVELOPMENT_ISSUER.into(),
                email.as_str().into(),
                email.into(),
                true.into(),
                name.into(),
                current.into(),
                at.into(),
                at.into(),
            ]
        })
    }

    pub fn organization_created(&self, o: u64) -> Instant {
        self.spread(124 * DAY, 4 * DAY, o, self.plan.organizations)
    }

    pub fn organization_id(&self, o: u64) -> Uuid {
        let at = self.organization_created(o);
        self.ids.id(For::Organization, at, o)
    }

    /// Returns the name and the slug of an organization.
    pub fn organization_called(&self, o: u64) -> (String, String) {
        let (index, cycle) = self.draw.shuffled(For::OrganizationName, o, 32 * 32);
        let (material, kind) = (MATERIAL[index as usize / 32], COMPANY[index as usize % 32]);
        let slug = format!("{material}-{kind}").to_lowercase();
        (format!("{material} {kind}"), numbered(&slug, cycle))
    }

    pub fn organizations(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.organizations).map(move |o| {
            let (name, slug) = self.organization_called(o);
            let at = self.organization_created(o);
            vec![
                self.organization_id(o).into(),
                name.as_str().into(),
                fold(&name).into(),
                slug.into(),
                false.into(),
                self.plan.plan_key.as_str().into(),
                self.user_id(self.member(o, 0)).into(),
                at.into(),
                at.into(),
            ]
        })
    }

    pub fn organization_slugs(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.organizations).map(move |o| {
            let (_, slug) = self.organization_called(o);
            vec![slug.into(), self.organization_id(o).into(), true.into()]
        })
    }

    /// Returns how many members an organization has: its share of the people, or only its owner, who
    /// also owns others, if there are fewer people than organizations; plus guests from the organization
    /// before it.
    pub fn members(&self, o: u64) -> u64 {
        self.own_members(o) + self.guests(o)
    }

    fn own_members(&self, o: u64) -> u64 {
        let own = share(o, self.plan.users, self.plan.organizations);
        (own.end - own.start).max(1)
    }

    /// Returns how many guests an organization has: none if it is the only one, or if there are fewer
    /// people than organizations.
    fn guests(&self, o: u64) -> u64 {
        let (users, organizations) = (self.plan.users, self.plan.organizations);
        if organizations == 1 || users < organizations {
            return 0;
        }
        self.own_members(self.before(o)).div_ceil(GUESTS)
    }

    fn before(&self, o: u64) -> u64 {
        (o + self.plan.organizations - 1) % self.plan.organizations
    }

    /// Returns the person who is the `j`th member of an organization.
    pub fn member(&self, o: u64, j: u64) -> u64 {
        let (users, organizations) = (self.plan.users, self.plan.organizations);
        match j.checked_sub(self.own_members(o)) {
            None => share(o, users, organizations).start + j,
            Some(guest) => share(self.before(o), users, organizations).start + guest * GUESTS,
        }
    }

    /// Returns the role of the `j`th member of an organization. The first member is the owner, the first
    /// guest an admin.
    pub fn member_role(&self, o: u64, j: u64) -> OrganizationRole {
        match (j, j.checked_sub(self.own_members(o))) {
            (0, _) => OrganizationRole::Owner,
            (1, None) | (_, Some(0)) => OrganizationRole::Admin,
            (2, None) => OrganizationRole::BillingAdmin,
            (j, _) if j % 9 == 8 => OrganizationRole::Admin,
            _ => OrganizationRole::Member,
        }
    }

    pub fn organization_members(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.organizations).flat_map(move |o| {
            let at = self.organization_created(o);
            (0..self.members(o)).map(move |j| {
                // Unique: each person has one membership in their own organization and at most one as a
                // guest.
                let u = self.member(o, j);
                let key = match j.checked_sub(self.own_members(o)) {
                    None if self.plan.users < self.plan.organizations => o << 1,
                    None => u << 1,
                    Some(_) => u << 1 | 1,
                };
                vec![
                    self.ids.id(For::Member, at, key).into(),
                    self.organization_id(o).into(),
                    self.user_id(u).into(),
                    self.member_role(o, j).as_str().into(),
                    at.into(),
                ]
            })
        })
    }

    /// Returns the organization of a workspace, and the workspace's index in it.
    pub fn place(&self, w: u64) -> (u64, u64) {
        let (workspaces, organizations) = (self.plan.workspaces, self.plan.organizations);
        let o = parent(w, workspaces, organizations);
        (o, w - share(o, workspaces, organizations).start)
    }
}

/// Returns a slug numbered as the server does it when the slug is taken.
pub fn numbered(slug: &str, cycle: u64) -> String {
    match cycle {
        0 => slug.to_owned(),
        cycle if slug.is_empty() => (cycle + 1).to_string(),
        cycle => format!("{slug}-{}", cycle + 1),
    }
}

/// Returns the digest by which texts within a workspace are compared.
pub fn digest(text: &str) -> String {
    use sha2::{Digest, Sha256};
    HEXLOWER.encode(&Sha256::digest(text))
}
