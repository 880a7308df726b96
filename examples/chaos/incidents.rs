//! The incidents, and when they happen.

use std::time::Duration;

use super::instance::Instance;
use super::journal::Journal;
use super::own::OwnCluster;

/// An incident.
pub struct Incident {
    /// What it was.
    pub what: String,
    /// The only server that may be affected; `None` if all are.
    pub server: Option<usize>,
    /// When it began, since the start.
    pub from: Duration,
    /// When whatever had failed was back.
    pub until: Duration,
}

/// Causes all incidents, spread over that time.
pub async fn run(
    cluster: &OwnCluster,
    servers: &mut [Instance],
    journal: &Journal,
    time: Duration,
) -> anyhow::Result<Vec<Incident>> {
    let mut incidents = Vec::new();
    let plan = [
        (0.15, Some(("fast", 2))),
        (0.35, Some(("immediate", 5))),
        (0.55, None),
        (0.75, Some(("fast", 15))),
    ];
    for (part, restart) in plan {
        let wait = time.mul_f64(part).saturating_sub(journal.now());
        tokio::time::sleep(wait).await;
        let from = journal.now();
        let (what, server) = match restart {
            Some((mode, seconds)) => {
                tokio::task::block_in_place(|| cluster.stop(mode));
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                tokio::task::block_in_place(|| cluster.resume());
                (format!("PostgreSQL restarted, -m {mode}"), None)
            }
            None => {
                let last = servers.len() - 1;
                let server = &mut servers[last];
                server.kill()?;
                tokio::time::sleep(Duration::from_secs(3)).await;
                tokio::task::block_in_place(|| server.restart())?;
                (format!("server {} killed", server.name()), Some(last))
            }
        };
        let until = journal.now();
        eprintln!("{:>6.1} s  {what}, back again", until.as_secs_f64());
        incidents.push(Incident {
            what,
            server,
            from,
            until,
        });
    }
    tokio::time::sleep(time.saturating_sub(journal.now())).await;
    Ok(incidents)
}
