//! What must hold in the end.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use super::instance::SEATS;
use super::journal::Journal;

/// Something that was checked, and how often it did not hold.
pub struct Finding {
    /// What must hold.
    pub what: String,
    /// How many cases were checked, if that can be counted.
    pub of: Option<usize>,
    /// How many cases violate it.
    pub wrong: i64,
}

/// What must hold for every row, and a query that counts the violations.
const INVARIANTS: [(&str, &str); 9] = [
    (
        "every organization has an owner",
        "SELECT count(*) FROM organizations o WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM
         organization_members m WHERE m.organization_id = o.id AND m.role = 'OWNER')",
    ),
    (
        "every workspace has an owner",
        "SELECT count(*) FROM workspaces w WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM
         workspace_members m WHERE m.workspace_id = w.id AND m.role = 'OWNER')",
    ),
    (
        "every workspace has one current slug",
        "SELECT count(*) FROM workspaces w WHERE 1 <> (SELECT count(*) FROM workspace_slugs s
         WHERE s.workspace_id = w.id AND s.is_current)",
    ),
    (
        "no slug is current twice",
        "SELECT count(*) FROM (SELECT slug FROM workspace_slugs GROUP BY slug HAVING count(*) > 1) s",
    ),
    (
        "an address has at most one pending invitation to a workspace",
        "SELECT count(*) FROM (SELECT workspace_id, email FROM invitations WHERE status = 'PENDING'
         GROUP BY workspace_id, email HAVING count(*) > 1) i",
    ),
    (
        "members of workspaces are members of their organization",
        "SELECT count(*) FROM workspace_members m WHERE NOT EXISTS (SELECT FROM organization_members o
         WHERE o.organization_id = m.organization_id AND o.user_id = m.user_id)",
    ),
    (
        "a workspace has at most one unfinished run",
        "SELECT count(*) FROM (SELECT workspace_id FROM runs WHERE finished_at IS NULL
         GROUP BY workspace_id HAVING count(*) > 1) r",
    ),
    (
        "a run has at most one answer per prompt and provider",
        "SELECT count(*) FROM (SELECT run_id, prompt_id, provider FROM answers
         GROUP BY run_id, prompt_id, provider HAVING count(*) > 1) a",
    ),
    (
        "a run's counters match its answers",
        "SELECT count(*) FROM runs r WHERE finished_at IS NOT NULL AND completed + failed <>
         (SELECT count(*) FROM answers a WHERE a.run_id = r.id)",
    ),
];

/// How long started runs may take to finish.
const PATIENCE: Duration = Duration::from_secs(60);

/// Performs all checks.
pub async fn run(url: &str, journal: &Journal) -> anyhow::Result<Vec<Finding>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let unfinished = settle(&client).await?;
    let mut findings = vec![Finding {
        what: "every run ends".to_owned(),
        of: None,
        wrong: unfinished,
    }];
    let seats = format!(
        "SELECT count(*) FROM workspaces w WHERE {SEATS} <
         (SELECT count(*) FROM workspace_members m WHERE m.workspace_id = w.id) +
         (SELECT count(*) FROM invitations i WHERE i.workspace_id = w.id AND i.status = 'PENDING')"
    );
    let seats = ("no workspace exceeds its seats", seats.as_str());
    for (what, query) in INVARIANTS.into_iter().chain([seats]) {
        let row = client.query_one(query, &[]).await.context(what)?;
        findings.push(Finding {
            what: what.to_owned(),
            of: None,
            wrong: row.get(0),
        });
    }
    findings.extend(acknowledged(&client, journal).await?);
    Ok(findings)
}

/// Waits for the runs under way, and returns how many are left unfinished.
async fn settle(client: &Client) -> anyhow::Result<i64> {
    let begun = Instant::now();
    loop {
        let query = "SELECT count(*) FROM runs WHERE finished_at IS NULL";
        let left: i64 = client.query_one(query, &[]).await?.get(0);
        if left == 0 || begun.elapsed() > PATIENCE {
            return Ok(left);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Checks that everything that was acknowledged is there.
async fn acknowledged(client: &Client, journal: &Journal) -> anyhow::Result<Vec<Finding>> {
    let (ids, changes, memberships, events) = {
        let kept = journal.kept();
        let uuids = |ids: &mut dyn Iterator<Item = Uuid>| ids.collect::<Vec<_>>();
        (
            [
                (
                    "workspaces",
                    uuids(&mut kept.workspaces.keys().map(|id| id.uuid())),
                ),
                (
                    "invitations",
                    uuids(&mut kept.invitations.iter().map(|id| id.uuid())),
                ),
                (
                    "prompts",
                    uuids(&mut kept.prompts.iter().map(|id| id.uuid())),
                ),
                ("runs", uuids(&mut kept.runs.iter().map(|id| id.uuid()))),
            ],
            kept.workspaces.clone(),
            kept.memberships.clone(),
            kept.events.clone(),
        )
    };
    let mut findings = Vec::new();
    for (table, ids) in ids {
        let query = format!("SELECT count(*) FROM {table} WHERE id::text = ANY ($1)");
        let texts: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let found: i64 = client.query_one(&query, &[&texts]).await?.get(0);
        findings.push(Finding {
            what: format!("acknowledged {table} exist"),
            of: Some(ids.len()),
            wrong: ids.len() as i64 - found,
        });
    }
    let mut wrong = 0;
    let query = "SELECT coalesce(nullif(description, ''), '0')::bigint FROM workspaces
                 WHERE id::text = $1";
    for (id, change) in &changes {
        let row = client.query_opt(query, &[&id.uuid().to_string()]).await?;
        // A later change may have been made without being acknowledged.
        wrong += i64::from(
            row.is_none_or(|row| row.get::<_, Option<i64>>(0).unwrap_or(0) < *change as i64),
        );
    }
    findings.push(Finding {
        what: "a workspace has its last acknowledged change, or a later one".to_owned(),
        of: Some(changes.len()),
        wrong,
    });
    let mut wrong = 0;
    let query =
        "SELECT EXISTS (SELECT FROM workspace_members WHERE id::text = $1) OR EXISTS (SELECT
                 FROM events WHERE kind = 'WORKSPACE_MEMBER_REMOVED' AND workspace_id::text = $2)";
    for (id, workspace) in &memberships {
        let (id, workspace) = (id.uuid().to_string(), workspace.uuid().to_string());
        let is_there: bool = client.query_one(query, &[&id, &workspace]).await?.get(0);
        wrong += i64::from(!is_there);
    }
    findings.push(Finding {
        what: "whoever joined by code is a member, or was removed".to_owned(),
        of: Some(memberships.len()),
        wrong,
    });
    let mut wrong = 0;
    let query = "SELECT count(*) FROM events WHERE kind = $1 AND workspace_id::text = $2";
    for ((kind, id), count) in &events {
        let row = client
            .query_one(query, &[kind, &id.uuid().to_string()])
            .await?;
        let missing = (count - row.get::<_, i64>(0)).max(0);
        if missing > 0 {
            eprintln!("{missing} of {count} events {kind} of {id} are missing");
        }
        wrong += missing;
    }
    findings.push(Finding {
        what: "every acknowledged change has its event".to_owned(),
        of: usize::try_from(events.values().sum::<i64>()).ok(),
        wrong,
    });
    Ok(findings)
}
