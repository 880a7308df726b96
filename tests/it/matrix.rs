//! Who may do what: every mutation, with valid arguments, by every combination of roles and by a
//! stranger. The tables here state the rules a second time, deliberately without using the code's.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::{Value, json};

use tenantry::access::permission::MUTATIONS;
use tenantry::access::{OrganizationRole, WorkspaceRole};

use crate::support::people::user_id;
use crate::support::{Client, Database, Postgres, Sqlite, TestServer, text};

/// A person's roles; without any, a stranger.
#[derive(Clone, Copy, Debug)]
struct Actor {
    organization: Option<&'static str>,
    workspace: Option<&'static str>,
}

impl Actor {
    fn all() -> Vec<Self> {
        let mut actors = vec![Self {
            organization: None,
            workspace: None,
        }];
        for organization in ["OWNER", "ADMIN", "MEMBER", "BILLING_ADMIN"] {
            for workspace in [Some("OWNER"), Some("ADMIN"), Some("MEMBER"), None] {
                actors.push(Self {
                    organization: Some(organization),
                    workspace,
                });
            }
        }
        actors
    }

    /// The role in the workspace, which is private: the higher of those from either source.
    fn role(self) -> Option<&'static str> {
        match (self.organization, self.workspace) {
            (Some("OWNER"), _) | (_, Some("OWNER")) => Some("OWNER"),
            (Some("ADMIN"), _) | (_, Some("ADMIN")) => Some("ADMIN"),
            (_, workspace) => workspace,
        }
    }

    fn in_organization(self, roles: &[&str]) -> &'static str {
        match self.organization {
            None => "NOT_FOUND",
            Some(role) if roles.contains(&role) => "",
            Some(_) => "FORBIDDEN",
        }
    }

    fn in_workspace(self, roles: &[&str]) -> &'static str {
        match self.role() {
            None => "NOT_FOUND",
            Some(role) if roles.contains(&role) => "",
            Some(_) => "FORBIDDEN",
        }
    }
}

const UPDATE: &[&str] = &["OWNER"];
const MANAGE_MEMBERS: &[&str] = &["OWNER", "ADMIN"];
const VIEW: &[&str] = &["OWNER", "ADMIN", "MEMBER"];
const CONTRIBUTE: &[&str] = &["OWNER", "ADMIN", "MEMBER"];
const MANAGE: &[&str] = &["OWNER", "ADMIN"];
const OWN: &[&str] = &["OWNER"];

/// An organization with a workspace, in which the actor has their roles, next to other owners and a
/// plain member.
struct World {
    actor: Client,
    actor_email: String,
    organization: String,
    workspace: String,
    code: String,
    member: String,
    organization_invitation: String,
    workspace_invitation: String,
    api_token: String,
    prompt: String,
    run: String,
}

async fn world(server: &TestServer, actor: Actor, tag: &str) -> World {
    let email = |who: &str| format!("{who}-{tag}@example.com");
    let owner = server.user(&email("owner"));
    let made = owner
        .mutate(
            "createWorkspace",
            json!({ "name": "Rocket", "organization": { "create": { "name": "Rocket" } } }),
            "workspace { id joinInfo { inviteCode } } organization { id }",
        )
        .await;
    let (organization, workspace) = (text(&made, "organization.id"), text(&made, "workspace.id"));
    let member = server.user(&email("member"));
    server
        .join_organization(&organization, &member, OrganizationRole::Member)
        .await;
    server
        .join_workspace(&organization, &workspace, &member, WorkspaceRole::Member)
        .await;
    let client = server.user(&email("actor"));
    if let Some(role) = actor.organization {
        server
            .join_organization(&organization, &client, organization_role(role))
            .await;
    }
    if let Some(role) = actor.workspace {
        server
            .join_workspace(&organization, &workspace, &client, workspace_role(role))
            .await;
    }
    let invited = "invitation { id }";
    let input = json!({ "organizationId": organization, "email": email("guest") });
    let to_organization = owner
        .mutate("inviteOrganizationMember", input, invited)
        .await;
    let input = json!({ "workspaceId": workspace, "email": email("guest") });
    let to_workspace = owner.mutate("addWorkspaceMember", input, invited).await;
    let token = client
        .mutate(
            "createApiToken",
            json!({ "name": "mine" }),
            "apiToken { id }",
        )
        .await;
    let input = json!({ "workspaceId": workspace, "prompts": [{ "text": "One" }] });
    let prompts = owner.mutate("createPrompts", input, "prompts { id }").await;
    let input = json!({ "workspaceId": workspace });
    let run = owner
        .mutate("startRun", input, "runRequest { jobId }")
        .await;
    World {
        actor: client,
        actor_email: email("actor"),
        organization,
        workspace,
        code: text(&made, "workspace.joinInfo.inviteCode"),
        member: user_id(&member).await.to_string(),
        organization_invitation: text(&to_organization, "invitation.id"),
        workspace_invitation: text(&to_workspace, "invitation.id"),
        api_token: text(&token, "apiToken.id"),
        prompt: text(&prompts, "prompts.0.id"),
        run: text(&run, "runRequest.jobId"),
    }
}

fn organization_role(name: &str) -> OrganizationRole {
    let mut roles = OrganizationRole::ALL.iter().copied();
    roles
        .find(|role| role.as_str() == name)
        .expect("a role of an organization")
}

fn workspace_role(name: &str) -> WorkspaceRole {
    let mut roles = WorkspaceRole::ALL.iter().copied();
    roles
        .find(|role| role.as_str() == name)
        .expect("a role of a workspace")
}

struct Case {
    mutation: &'static str,
    /// `null` for the one mutation without an input.
    input: fn(&World) -> Value,
    /// The code that the actor gets; empty if the mutation succeeds.
    outcome: fn(Actor) -> &'static str,
}

fn case(
    mutation: &'static str,
    input: fn(&World) -> Value,
    outcome: fn(Actor) -> &'static str,
) -> Case {
    Case {
        mutation,
        input,
        outcome,
    }
}

fn cases() -> Vec<Case> {
    vec![
        case("createOrganization", |_| json!({ "name": "Mine" }), |_| ""),
        case(
            "updateOrganization",
            |w| json!({ "organizationId": w.organization, "name": "Other" }),
            |a| a.in_organization(UPDATE),
        ),
        case(
            "linkWorkosOrganization",
            |w| json!({ "organizationId": w.organization, "workosOrganizationId": w.actor_email }),
            |a| a.in_organization(UPDATE),
        ),
        case(
            "deleteOrganization",
            |w| json!({ "organizationId": w.organization }),
            |a| a.in_organization(UPDATE),
        ),
        case(
            "inviteOrganizationMember",
            |w| json!({ "organizationId": w.organization, "email": "new@example.com" }),
            |a| a.in_organization(MANAGE_MEMBERS),
        ),
        case(
            "updateOrganizationMember",
            |w| json!({ "organizationId": w.organization, "userId": w.member, "role": "ADMIN" }),
            |a| a.in_organization(MANAGE_MEMBERS),
        ),
        case(
            "removeOrganizationMember",
            |w| json!({ "organizationId": w.organization, "userId": w.member }),
            |a| a.in_organization(MANAGE_MEMBERS),
        ),
        case(
            "leaveOrganization",
            |w| json!({ "organizationId": w.organization }),
            |a| a.in_organization(&["OWNER", "ADMIN", "MEMBER", "BILLING_ADMIN"]),
        ),
        case(
            "transferOrganizationOwnership",
            |w| json!({ "organizationId": w.organization, "userId": w.member }),
            |a| a.in_organization(&["OWNER"]),
        ),
        case(
            "createWorkspace",
            |w| json!({ "name": "Second", "organization": { "id": w.organization } }),
            |a| a.in_organization(&["OWNER", "ADMIN"]),
        ),
        case(
            "updateWorkspace",
            |w| json!({ "workspaceId": w.workspace, "description": "New" }),
            |a| a.in_workspace(MANAGE),
        ),
        case(
            "updateWorkspace",
            |w| json!({ "workspaceId": w.workspace, "name": "New" }),
            |a| a.in_workspace(OWN),
        ),
        case(
            "updateWorkspace",
            |w| json!({ "workspaceId": w.workspace, "visibility": "ORGANIZATION" }),
            |a| a.in_workspace(OWN),
        ),
        case(
            "deleteWorkspace",
            |w| json!({ "workspaceId": w.workspace }),
            |a| a.in_workspace(OWN),
        ),
        // The workspace is live, which those who could restore it are told.
        case(
            "restoreWorkspace",
            |w| json!({ "workspaceId": w.workspace }),
            |a| match a.in_workspace(OWN) {
                "" => "CONFLICT",
                refused => refused,
            },
        ),
        case(
            "selectWorkspace",
            |w| json!({ "workspaceId": w.workspace }),
            |a| a.in_workspace(VIEW),
        ),
        case(
            "addWorkspaceMember",
            |w| json!({ "workspaceId": w.workspace, "email": "new@example.com" }),
            |a| a.in_workspace(MANAGE),
        ),
        case(
            "updateWorkspaceMember",
            |w| json!({ "workspaceId": w.workspace, "userId": w.member, "role": "ADMIN" }),
            |a| a.in_workspace(OWN),
        ),
        case(
            "removeWorkspaceMember",
            |w| json!({ "workspaceId": w.workspace, "userId": w.member }),
            |a| a.in_workspace(OWN),
        ),
        case(
            "leaveWorkspace",
            |w| json!({ "workspaceId": w.workspace }),
            |a| match (a.workspace, a.role()) {
                (Some(_), _) => "",
                (None, Some(_)) => "CONFLICT",
                (None, None) => "NOT_FOUND",
            },
        ),
        case(
            "transferWorkspaceOwnership",
            |w| json!({ "workspaceId": w.workspace, "userId": w.member }),
            |a| a.in_workspace(OWN),
        ),
        case("generateWorkspaceIconUploadUrl", |_| Value::Null, |_| ""),
        case("joinWorkspaceByCode", |w| json!({ "code": w.code }), |_| ""),
        case(
            "rotateJoinCode",
            |w| json!({ "workspaceId": w.workspace }),
            |a| a.in_workspace(MANAGE),
        ),
        case(
            "disableJoinCode",
            |w| json!({ "workspaceId": w.workspace }),
            |a| a.in_workspace(MANAGE),
        ),
        case(
            "setEnabledProviders",
            |w| json!({ "workspaceId": w.workspace, "providers": ["OPENAI"] }),
            |a| a.in_workspace(MANAGE),
        ),
        // An invitation is visible to the person invited and to those who may manage it, and to nobody
        // else.
        case(
            "acceptInvitation",
            |w| json!({ "invitationId": w.workspace_invitation }),
            not_theirs_to_answer,
        ),
        case(
            "declineInvitation",
            |w| json!({ "invitationId": w.workspace_invitation }),
            not_theirs_to_answer,
        ),
        case(
            "revokeInvitation",
            |w| json!({ "invitationId": w.workspace_invitation }),
            |a| hidden(a.in_workspace(MANAGE)),
        ),
        case(
            "resendInvitation",
            |w| json!({ "invitationId": w.workspace_invitation }),
            |a| hidden(a.in_workspace(MANAGE)),
        ),
        case(
            "revokeInvitation",
            |w| json!({ "invitationId": w.organization_invitation }),
            |a| hidden(a.in_organization(MANAGE_MEMBERS)),
        ),
        case(
            "resendInvitation",
            |w| json!({ "invitationId": w.organization_invitation }),
            |a| hidden(a.in_organization(MANAGE_MEMBERS)),
        ),
        case(
            "createPrompts",
            |w| json!({ "workspaceId": w.workspace, "prompts": [{ "text": "New" }] }),
            |a| a.in_workspace(CONTRIBUTE),
        ),
        case(
            "updatePrompt",
            |w| json!({ "promptId": w.prompt, "text": "Other" }),
            |a| a.in_workspace(CONTRIBUTE),
        ),
        case(
            "deletePrompt",
            |w| json!({ "promptId": w.prompt }),
            |a| a.in_workspace(CONTRIBUTE),
        ),
        case(
            "setSchedule",
            |w| json!({ "workspaceId": w.workspace, "cron": "0 6 * * *" }),
            |a| a.in_workspace(MANAGE),
        ),
        case(
            "startRun",
            |w| json!({ "workspaceId": w.workspace }),
            |a| a.in_workspace(CONTRIBUTE),
        ),
        case(
            "cancelRun",
            |w| json!({ "runId": w.run }),
            |a| a.in_workspace(CONTRIBUTE),
        ),
        case("createApiToken", |_| json!({ "name": "another" }), |_| ""),
        case(
            "revokeApiToken",
            |w| json!({ "apiTokenId": w.api_token }),
            |_| "",
        ),
        case(
            "deleteAccount",
            |w| json!({ "confirmEmail": w.actor_email }),
            |_| "",
        ),
    ]
}

/// Those who may manage the invitation see it, but may not answer for the person invited.
fn not_theirs_to_answer(actor: Actor) -> &'static str {
    match actor.in_workspace(MANAGE) {
        "" => "FORBIDDEN",
        _ => "NOT_FOUND",
    }
}

fn hidden(outcome: &'static str) -> &'static str {
    if outcome.is_empty() { "" } else { "NOT_FOUND" }
}

/// Whether a refusal states the requirement that the mutation's description states or, if that depends
/// on the input, a similar one.
fn says_why(mutation: &str, message: &str) -> bool {
    let mut rows = MUTATIONS.iter().filter(|(name, _)| *name == mutation);
    match mutation {
        "acceptInvitation" | "declineInvitation" => message.starts_with("Only the person invited"),
        "createWorkspace" => message == "Requires WORKSPACE_CREATE.",
        "updateWorkspace" if message == "Requires WORKSPACE_OWN." => true,
        _ => rows.all(|(_, takes)| message == takes.sentence()),
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_does_what_the_rules_say_for_every_role(
    #[values(Sqlite, Postgres)] on: Database,
) {
    let server = TestServer::with(on, |config| {
        config.limits.protect_last_workspace = false;
        config.limits.organizations_per_hour = 1_000;
    })
    .await;
    let anyone = server.user("a@example.com");
    let schema = anyone
        .ok(
            "{ __schema { mutationType { fields { name } } } }",
            json!({}),
        )
        .await;
    let names = schema["__schema"]["mutationType"]["fields"].clone();
    let cases = cases();
    for name in names
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|field| field["name"].as_str())
    {
        assert!(
            cases.iter().any(|case| case.mutation == name),
            "{name} is not in the matrix"
        );
    }
    for (number, case) in cases.iter().enumerate() {
        let runs = Actor::all().into_iter().enumerate().map(|(which, actor)| {
            let (server, tag) = (&server, format!("{number}-{which}"));
            async move {
                let world = world(server, actor, &tag).await;
                let reply = world
                    .actor
                    .try_mutate(case.mutation, (case.input)(&world), "__typename")
                    .await;
                let (mutation, expected) = (case.mutation, (case.outcome)(actor));
                assert_eq!(
                    reply.code(),
                    expected,
                    "{mutation} as {actor:?}: {:#}",
                    reply.body
                );
                if expected == "FORBIDDEN" {
                    let said = reply.message();
                    assert!(says_why(mutation, said), "{mutation} as {actor:?}: {said}");
                }
            }
        });
        join_all(runs).await;
    }
}
