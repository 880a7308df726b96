//! The events: how everything came about.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Seed;
use super::draw::For;
use crate::db::types::Instant;
use crate::db::{Row, Table};
use crate::id::{AnyId, OrganizationId, PromptId, RunId, UserId, WorkspaceId};
use crate::models::event::EventKind;
use crate::models::run::RunStatus;

pub const EVENTS: Table = Table {
    name: "events",
    columns: &[
        "id",
        "kind",
        "organization_id",
        "workspace_id",
        "actor_id",
        "subject",
        "data",
        "created_at",
    ],
};

/// How many prompts one call creates.
const PROMPTS_AT_ONCE: u64 = 100;

struct Happening {
    kind: EventKind,
    organization: u64,
    workspace: Option<u64>,
    /// `None` for what the server did by itself.
    actor: Option<u64>,
    subject: AnyId,
    data: Value,
    at: Instant,
}

impl Seed {
    /// Returns the events of each organization, then of each workspace, then of each run.
    pub fn events(&self) -> impl Iterator<Item = Row> + '_ {
        let happened = (0..self.plan.organizations)
            .flat_map(|o| self.of_organization(o))
            .chain((0..self.plan.workspaces).flat_map(|w| self.of_workspace(w)))
            .chain(self.of_runs());
        // They are in the same order every time.
        (0..).zip(happened).map(|(k, it)| self.event(k, it))
    }

    fn event(&self, k: u64, it: Happening) -> Row {
        vec![
            self.ids.id(For::Event, it.at, k).into(),
            it.kind.as_str().into(),
            self.organization_id(it.organization).into(),
            it.workspace.map(|w| self.workspace_id(w)).into(),
            it.actor.map(|u| self.user_id(u)).into(),
            it.subject.to_string().into(),
            it.data.to_string().into(),
            it.at.into(),
        ]
    }

    fn of_organization(&self, o: u64) -> impl Iterator<Item = Happening> + '_ {
        let (name, slug) = self.organization_called(o);
        let (actor, at) = (self.member(o, 0), self.organization_created(o));
        let subject: AnyId = OrganizationId::from_uuid(self.organization_id(o)).into();
        let created = Happening {
            kind: EventKind::OrganizationCreated,
            organization: o,
            workspace: None,
            actor: Some(actor),
            subject,
            data: json!({ "name": name, "slug": slug }),
            at,
        };
        let added = (1..self.members(o)).map(move |j| {
            let user = UserId::from_uuid(self.user_id(self.member(o, j)));
            Happening {
                kind: EventKind::OrganizationMemberAdded,
                organization: o,
                workspace: None,
                actor: Some(actor),
                subject: user.into(),
                data: json!({ "userId": user, "role": self.member_role(o, j).as_str() }),
                at,
            }
        });
        std::iter::once(created).chain(added)
    }

    fn of_workspace(&self, w: u64) -> impl Iterator<Item = Happening> + '_ {
        let (o, _) = self.place(w);
        let actor = self.workspace_member(w, 0);
        let id = WorkspaceId::from_uuid(self.workspace_id(w));
        let (name, slug) = self.workspace_called(w);
        let happening = move |kind, data, at| Happening {
            kind,
            organization: o,
            workspace: Some(w),
            actor: Some(actor),
            subject: id.into(),
            data,
            at,
        };
        let created = happening(
            EventKind::WorkspaceCreated,
            json!({ "name": name, "slug": slug }),
            self.workspace_created(w),
        );
        let (prompts, at) = (self.prompts_of(w), self.prompts_created(w));
        let asked = (0..prompts)
            .step_by(PROMPTS_AT_ONCE as usize)
            .map(move |first| {
                let ids: Vec<_> = (first..prompts.min(first + PROMPTS_AT_ONCE))
                    .map(|p| PromptId::from_uuid(self.prompt_id(w, p)))
                    .collect();
                let data = json!({ "count": ids.len(), "promptIds": ids });
                happening(EventKind::PromptsCreated, data, at)
            });
        let deleted = self.deleted_at(w).map(|at| {
            let purge_at = at.plus_days(self.plan.purge_days).to_string();
            let data = json!({ "purgeAt": purge_at });
            happening(EventKind::WorkspaceDeleted, data, at)
        });
        std::iter::once(created).chain(asked).chain(deleted)
    }

    /// Returns how the last run of each workspace ended.
    fn of_runs(&self) -> impl Iterator<Item = Happening> + '_ {
        (0..self.plan.workspaces).filter_map(move |w| {
            let course = self.course(w);
            let last = self.stint(&course, course.runs.checked_sub(1)?);
            let id: Uuid = last.id;
            let (completed, failed) = (last.completed, last.failed);
            let (kind, actor, data) = match last.status {
                RunStatus::Cancelled => (
                    EventKind::RunCancelled,
                    Some(self.workspace_member(w, 0)),
                    json!({ "completed": completed, "failed": failed }),
                ),
                status => (
                    EventKind::RunFinished,
                    None,
                    json!({
                        "status": status.as_str(),
                        "completed": completed,
                        "failed": failed,
                    }),
                ),
            };
            Some(Happening {
                kind,
                organization: self.place(w).0,
                workspace: Some(w),
                actor,
                subject: RunId::from_uuid(id).into(),
                data,
                at: last.finished_at,
            })
        })
    }
}
