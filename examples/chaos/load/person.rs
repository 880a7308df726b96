//! A person, who does one thing after the other.

use std::sync::Arc;

use serde_json::{Value, json};
use tenantry::id::{Id, Kind, WorkspaceId};

use super::World;
use super::client::Client;
use crate::instance::Token;

/// How many workspaces a person creates.
const WORKSPACES: usize = 8;

/// A person, who does one thing after the other.
pub struct Person {
    client: Client,
    number: usize,
    emails: Vec<String>,
    world: Arc<World>,
    own: Vec<Own>,
    /// Workspaces that the person has joined.
    joined: Vec<WorkspaceId>,
}

/// A workspace of the person.
struct Own {
    id: WorkspaceId,
    /// The number of its last change, whether it succeeded or not.
    change: u64,
    prompts: usize,
}

impl Person {
    pub fn new(client: Client, number: usize, tokens: &[Token], world: &Arc<World>) -> Self {
        Self {
            client,
            number,
            emails: tokens.iter().map(|token| token.email.clone()).collect(),
            world: world.clone(),
            own: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// Does something at random.
    pub async fn act(&mut self) {
        // The result has been recorded already.
        let _: Option<()> = match die(100) {
            _ if self.own.is_empty() => self.create().await,
            0..5 if self.own.len() < WORKSPACES => self.create().await,
            5..20 => self.change().await,
            20..28 => self.invite().await,
            28..36 => self.accept().await,
            36..39 => self.rotate().await,
            39..46 => self.join().await,
            46..52 => self.leave().await,
            52..60 => self.ask().await,
            60..66 => self.run().await,
            _ => self.read().await,
        };
    }

    async fn create(&mut self) -> Option<()> {
        let input = json!({ "name": "Chaos", "organization": { "create": {} } });
        let made = self
            .client
            .mutate("createWorkspace", input, "workspace { id }");
        let id: WorkspaceId = id(&made.await?["workspace"]["id"])?;
        self.client.journal().kept().workspaces.insert(id, 0);
        self.client.journal().event("WORKSPACE_CREATED", id);
        self.own.push(Own {
            id,
            change: 0,
            prompts: 0,
        });
        let mut followed = self.world.followed.lock().expect("no panic");
        followed.push((id, self.number));
        Some(())
    }

    async fn change(&mut self) -> Option<()> {
        let own = pick(&mut self.own)?;
        own.change += 1;
        let (id, change) = (own.id, own.change);
        let input = json!({ "workspaceId": id, "description": change.to_string() });
        let changed = self
            .client
            .mutate("updateWorkspace", input, "workspace { id }");
        changed.await?;
        self.client.journal().kept().workspaces.insert(id, change);
        self.client.journal().event("WORKSPACE_UPDATED", id);
        Some(())
    }

    async fn invite(&mut self) -> Option<()> {
        let workspace = pick(&mut self.own)?.id;
        let email = &self.emails[die(self.emails.len())];
        let input = json!({ "workspaceId": workspace, "email": email });
        let selection = "membership { id } invitation { id }";
        let added = self.client.mutate("addWorkspaceMember", input, selection);
        let added = added.await?;
        let journal = self.client.journal();
        if let Some(invitation) = id(&added["invitation"]["id"]) {
            journal.kept().invitations.insert(invitation);
            journal.event("INVITATION_CREATED", workspace);
        } else {
            journal.event("WORKSPACE_MEMBER_ADDED", workspace);
        }
        Some(())
    }

    async fn accept(&mut self) -> Option<()> {
        let query = "{ navigationState { invitations { id workspace { id } } } }";
        let found = self
            .client
            .send("navigationState", query, json!({}))
            .await?;
        let invitation = found["navigationState"]["invitations"]
            .as_array()?
            .first()?;
        let input = json!({ "invitationId": invitation["id"] });
        let accepted = self
            .client
            .mutate("acceptInvitation", input, "workspace { id }");
        let workspace: WorkspaceId = id(&accepted.await?["workspace"]["id"])?;
        self.client
            .journal()
            .event("INVITATION_ACCEPTED", workspace);
        self.joined.push(workspace);
        Some(())
    }

    async fn rotate(&mut self) -> Option<()> {
        let workspace = pick(&mut self.own)?.id;
        let input = json!({ "workspaceId": workspace });
        let rotated = self
            .client
            .mutate("rotateJoinCode", input, "joinInfo { inviteCode }");
        let rotated = rotated.await?;
        self.client.journal().event("JOIN_CODE_ROTATED", workspace);
        let code = rotated["joinInfo"]["inviteCode"].as_str()?.to_owned();
        let mut codes = self.world.codes.lock().expect("no panic");
        codes.push((workspace, code));
        Some(())
    }

    async fn join(&mut self) -> Option<()> {
        let (workspace, code) = pick(&mut self.world.codes.lock().expect("no panic"))?.clone();
        let input = json!({ "code": code });
        let joined = self
            .client
            .mutate("joinWorkspaceByCode", input, "membership { id }");
        let membership = id(&joined.await?["membership"]["id"])?;
        let journal = self.client.journal();
        journal.kept().memberships.insert(membership, workspace);
        self.joined.push(workspace);
        Some(())
    }

    async fn leave(&mut self) -> Option<()> {
        if self.joined.is_empty() {
            return None;
        }
        let workspace = self.joined.swap_remove(die(self.joined.len()));
        let input = json!({ "workspaceId": workspace });
        self.client
            .mutate("leaveWorkspace", input, "workspaceId")
            .await?;
        self.client
            .journal()
            .event("WORKSPACE_MEMBER_REMOVED", workspace);
        Some(())
    }

    async fn ask(&mut self) -> Option<()> {
        let own = pick(&mut self.own)?;
        if own.prompts >= 6 {
            return None;
        }
        own.prompts += 1;
        let (workspace, n) = (own.id, own.prompts);
        let input =
            json!({ "workspaceId": workspace, "prompts": [{ "text": format!("Question {n}?") }] });
        let made = self.client.mutate("createPrompts", input, "prompts { id }");
        let made = made.await?;
        let journal = self.client.journal();
        journal.event("PROMPTS_CREATED", workspace);
        let prompts = made["prompts"].as_array()?.iter();
        journal
            .kept()
            .prompts
            .extend(prompts.filter_map(|prompt| id(&prompt["id"])));
        Some(())
    }

    async fn run(&mut self) -> Option<()> {
        let workspace = pick(&mut self.own)?.id;
        let input = json!({ "workspaceId": workspace });
        let started = self
            .client
            .mutate("startRun", input, "runRequest { jobId }");
        let run = id(&started.await?["runRequest"]["jobId"])?;
        self.client.journal().kept().runs.insert(run);
        Some(())
    }

    async fn read(&mut self) -> Option<()> {
        let list = "{ workspaces(first: 20) { totalCount nodes {
            name description organization { name } members(first: 5) { nodes { user { name } } }
        } } }";
        let navigation = "{ navigationState { workspaces { name } organizations { name } } }";
        let runs = "query($id: ID!) { workspace(by: { id: $id }) { runs(first: 3) { nodes {
            status answers(first: 3) { nodes { text } }
        } } } }";
        let (query, variables) = match die(3) {
            0 => (list, json!({})),
            1 => (navigation, json!({})),
            _ => (runs, json!({ "id": pick(&mut self.own)?.id })),
        };
        self.client
            .send("reading", query, variables)
            .await
            .map(drop)
    }
}

fn id<K: Kind>(value: &Value) -> Option<Id<K>> {
    value.as_str()?.parse().ok()
}

fn pick<T>(list: &mut [T]) -> Option<&mut T> {
    match list.len() {
        0 => None,
        length => list.get_mut(die(length)),
    }
}

/// Returns a random number below `sides`.
pub fn die(sides: usize) -> usize {
    let random = getrandom::u64().expect("the system has randomness");
    (random % sides as u64) as usize
}
