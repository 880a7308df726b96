//! Workspaces, their members, and the ways to join them.

use serde_json::json;
use uuid::Uuid;

use super::draw::{For, share};
use super::people::numbered;
use super::words::{MATERIAL, PRODUCT};
use super::{DAY, HOUR, Seed};
use crate::access::{OrganizationRole, WorkspaceRole};
use crate::db::types::Instant;
use crate::db::{Row, Table};
use crate::models::invitation::InvitationStatus;
use crate::models::provider::Provider;
use crate::models::values::cron::{Cron, Zone};
use crate::models::values::fold::fold;
use crate::models::values::join_code::JoinCode;
use crate::models::workspace::Visibility;

pub const WORKSPACES: Table = Table {
    name: "workspaces",
    columns: &[
        "id",
        "organization_id",
        "name",
        "name_key",
        "search_key",
        "slug",
        "description",
        "domain",
        "visibility",
        "settings",
        "onboarding",
        "onboarding_completed_at",
        "created_by",
        "created_at",
        "updated_at",
        "deleted_at",
        "purge_at",
        "enabled_providers",
        "last_run_at",
    ],
};
pub const WORKSPACE_SLUGS: Table = Table {
    name: "workspace_slugs",
    columns: &["slug", "workspace_id", "is_current"],
};
pub const WORKSPACE_MEMBERS: Table = Table {
    name: "workspace_members",
    columns: &[
        "id",
        "workspace_id",
        "organization_id",
        "user_id",
        "role",
        "created_at",
    ],
};
pub const JOIN_CODES: Table = Table {
    name: "join_codes",
    columns: &[
        "workspace_id",
        "code",
        "is_enabled",
        "role",
        "uses",
        "created_at",
    ],
};
pub const INVITATIONS: Table = Table {
    name: "invitations",
    columns: &[
        "id",
        "organization_id",
        "workspace_id",
        "email",
        "organization_role",
        "workspace_role",
        "status",
        "invited_by",
        "expires_at",
        "created_at",
        "updated_at",
    ],
};
pub const SCHEDULES: Table = Table {
    name: "schedules",
    columns: &["workspace_id", "cron", "time_zone", "next_run_at"],
};

/// The cron patterns of schedules, each with its time zone.
const PATTERNS: [(&str, &str); 4] = [
    ("0 6 * * 1-5", "Europe/Berlin"),
    ("30 7 * * *", "America/New_York"),
    ("0 9 * * 1", "Asia/Tokyo"),
    ("15 */6 * * *", "UTC"),
];

impl Seed {
    pub fn workspace_created(&self, w: u64) -> Instant {
        self.spread(119 * DAY, 4 * DAY, w, self.plan.workspaces)
    }

    pub fn workspace_id(&self, w: u64) -> Uuid {
        self.ids.id(For::Workspace, self.workspace_created(w), w)
    }

    /// Returns the name and the slug of a workspace.
    pub fn workspace_called(&self, w: u64) -> (String, String) {
        let (index, cycle) = self.draw.shuffled(For::WorkspaceName, w, 32 * 32);
        let (material, product) = (MATERIAL[index as usize / 32], PRODUCT[index as usize % 32]);
        let slug = format!("{material}-{product}").to_lowercase();
        (format!("{material} {product}"), numbered(&slug, cycle))
    }

    /// Returns the domain of a workspace; one in ten has none.
    pub fn domain(&self, w: u64) -> Option<String> {
        let (_, slug) = self.workspace_called(w);
        (w % 10 != 9).then(|| format!("{slug}.example"))
    }

    /// Returns when a workspace was deleted; one in nine was.
    pub fn deleted_at(&self, w: u64) -> Option<Instant> {
        let ago = (1 + w % 20) * DAY as u64;
        (w % 9 == 7).then(|| self.ago(ago as i64))
    }

    /// Returns the two to four providers that a workspace asks.
    pub fn providers(&self, w: u64) -> Vec<Provider> {
        let all = Provider::ALL;
        let (first, count) = (w as usize % all.len(), 2 + w as usize % 3);
        let mut enabled: Vec<_> = (0..count).map(|i| all[(first + i) % all.len()]).collect();
        enabled.sort_unstable();
        enabled
    }

    pub fn workspaces(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).map(move |w| {
            let (o, _) = self.place(w);
            let (name, slug) = self.workspace_called(w);
            let name_key = fold(&name);
            let (created, deleted) = (self.workspace_created(w), self.deleted_at(w));
            let visibility = match w % 3 {
                1 => Visibility::Organization,
                _ => Visibility::Private,
            };
            let theme = ["dark", "light", "system"][(w % 3) as usize];
            vec![
                self.workspace_id(w).into(),
                self.organization_id(o).into(),
                name.as_str().into(),
                name_key.as_str().into(),
                format!("{name_key}\n{slug}").into(),
                slug.into(),
                (w % 2 == 0)
                    .then(|| format!("How {name} is talked about."))
                    .into(),
                self.domain(w).into(),
                visibility.as_str().into(),
                json!({ "theme": theme }).to_string().into(),
                json!({ "step": "done" }).to_string().into(),
                created.plus_days(1).into(),
                self.user_id(self.workspace_member(w, 0)).into(),
                created.into(),
                deleted.unwrap_or(created).into(),
                deleted.into(),
                deleted.map(|at| at.plus_days(self.plan.purge_days)).into(),
                json!(self.providers(w)).to_string().into(),
                self.last_run(w).into(),
            ]
        })
    }

    /// Returns the current slugs of live workspaces, and a former slug of every fifth workspace.
    pub fn workspace_slugs(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).flat_map(move |w| {
            let id = self.workspace_id(w);
            let (_, slug) = self.workspace_called(w);
            let former = (w % 5 == 4).then(|| format!("old-{slug}"));
            let current = self.deleted_at(w).is_none().then_some(slug);
            let rows = [
                current.map(|slug| (slug, true)),
                former.map(|slug| (slug, false)),
            ];
            rows.into_iter()
                .flatten()
                .map(move |(slug, is_current)| vec![slug.into(), id.into(), is_current.into()])
        })
    }

    /// Returns how many members a workspace has itself, not through its organization.
    pub fn workspace_member_count(&self, w: u64) -> u64 {
        let (o, _) = self.place(w);
        self.members(o).min(2 + w % 6)
    }

    /// Returns the person who is the `i`th of them. They belong to the workspace's organization.
    pub fn workspace_member(&self, w: u64, i: u64) -> u64 {
        let (o, nth) = self.place(w);
        self.member(o, (nth + i) % self.members(o))
    }

    /// Returns the role of the `i`th of them.
    pub fn workspace_role(i: u64) -> WorkspaceRole {
        match i {
            0 => WorkspaceRole::Owner,
            1 => WorkspaceRole::Admin,
            _ => WorkspaceRole::Member,
        }
    }

    pub fn workspace_members(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).flat_map(move |w| {
            let (o, _) = self.place(w);
            let at = self.workspace_created(w);
            (0..self.workspace_member_count(w)).map(move |i| {
                vec![
                    self.ids.id(For::WorkspaceMember, at, w << 3 | i).into(),
                    self.workspace_id(w).into(),
                    self.organization_id(o).into(),
                    self.user_id(self.workspace_member(w, i)).into(),
                    Self::workspace_role(i).as_str().into(),
                    at.into(),
                ]
            })
        })
    }

    pub fn join_codes(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.plan.workspaces).map(move |w| {
            let (bits, _) = self.draw.shuffled(For::JoinCode, w, 1 << 60);
            vec![
                self.workspace_id(w).into(),
                JoinCode::generate(bits.to_be_bytes()).as_str().into(),
                (w % 7 != 6).into(),
                WorkspaceRole::Member.as_str().into(),
                ((w % 3) as i64).into(),
                self.workspace_created(w).into(),
            ]
        })
    }

    /// Every other workspace has invited someone, and the first person is invited to a workspace in an
    /// organization that they do not belong to.
    pub fn invitations(&self) -> impl Iterator<Item = Row> + '_ {
        let plan = &self.plan;
        let elsewhere = (plan.organizations > 2 && plan.users >= plan.organizations)
            .then(|| share(2, plan.workspaces, plan.organizations).next())
            .flatten()
            .filter(|w| self.deleted_at(*w).is_none());
        let first = elsewhere.map(|w| {
            let email = self.user_called(0).0;
            self.invitation(w, 0, email, InvitationStatus::Pending, self.ago(2 * HOUR))
        });
        let others = (0..plan.workspaces).step_by(2).map(move |w| {
            let (status, at) = match (w / 2 % 3, self.deleted_at(w)) {
                (_, Some(at)) => (InvitationStatus::Revoked, at),
                (0, _) => (InvitationStatus::Pending, self.ago(HOUR)),
                (1, _) => (InvitationStatus::Declined, self.ago(9 * DAY)),
                // Expired without a response.
                _ => (InvitationStatus::Pending, self.ago(60 * DAY)),
            };
            let email = format!("guest{w}@example.org");
            self.invitation(w, 1, email, status, at)
        });
        first.into_iter().chain(others)
    }

    fn invitation(
        &self,
        w: u64,
        nth: u64,
        email: String,
        status: InvitationStatus,
        at: Instant,
    ) -> Row {
        let (o, _) = self.place(w);
        vec![
            self.ids.id(For::Invitation, at, w << 1 | nth).into(),
            self.organization_id(o).into(),
            self.workspace_id(w).into(),
            email.into(),
            OrganizationRole::Member.as_str().into(),
            WorkspaceRole::Member.as_str().into(),
            status.as_str().into(),
            self.user_id(self.workspace_member(w, 0)).into(),
            at.plus_days(self.plan.invitation_days).into(),
            at.into(),
            at.into(),
        ]
    }

    /// Every third workspace has a schedule, which is paused while the workspace is deleted.
    pub fn schedules(&self) -> impl Iterator<Item = Row> + '_ {
        let next: Vec<_> = PATTERNS.map(|it| self.next(it)).into();
        (0..self.plan.workspaces).step_by(3).map(move |w| {
            let index = (w / 3) as usize % PATTERNS.len();
            let (cron, zone) = PATTERNS[index];
            let next = next[index].filter(|_| self.deleted_at(w).is_none());
            vec![
                self.workspace_id(w).into(),
                cron.into(),
                zone.into(),
                next.into(),
            ]
        })
    }

    fn next(&self, (cron, zone): (&str, &str)) -> Option<Instant> {
        let (cron, zone) = (Cron::stored(cron).ok()?, Zone::parse(zone).ok()?);
        cron.next_after(zone, self.plan.now)
    }
}
