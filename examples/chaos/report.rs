//! The report that is printed in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::checks::Finding;
use super::incidents::Incident;
use super::journal::{Failure, Journal, Kept};

/// How long after the end of an incident its effects may last.
const RECOVERED: Duration = Duration::from_secs(5);

/// Prints the report, and returns whether everything is as it must be.
pub fn print(journal: &Journal, incidents: &[Incident], events: u64, findings: &[Finding]) -> bool {
    let kept = journal.kept();
    operations(&kept);
    println!("\nEvents delivered to subscribers: {events}\n");
    let mut is_sound = events > 0;
    println!("| incident | outage, s | failures | next success after, s | last failure after, s |");
    println!("|---|---:|---:|---:|---:|");
    for incident in incidents {
        is_sound &= told(incident, &kept);
    }
    println!("\n| invariant | checked | violations |\n|---|---:|---:|");
    for finding in findings {
        let of = finding.of.map(|of| of.to_string()).unwrap_or_default();
        println!("| {} | {of} | {} |", finding.what, finding.wrong);
        is_sound &= finding.wrong == 0;
    }
    let unexpected = unexpected(&kept.failures, incidents);
    println!(
        "\nFailures that no incident explains: {}",
        unexpected.values().sum::<usize>()
    );
    for (how, count) in &unexpected {
        println!("  {count} × {how}");
    }
    is_sound &= unexpected.is_empty();
    println!(
        "\n{}",
        if is_sound {
            "All checks passed."
        } else {
            "Some checks FAILED."
        }
    );
    is_sound
}

fn operations(kept: &Kept) {
    println!("| operation | acknowledged | refused | failed |\n|---|---:|---:|---:|");
    for (name, count) in &kept.operations {
        let (acknowledged, refused, failed) = (count.acknowledged, count.refused, count.failed);
        println!("| `{name}` | {acknowledged} | {refused} | {failed} |");
    }
}

/// Prints the effects of an incident, and returns whether they were over soon enough.
fn told(incident: &Incident, kept: &Kept) -> bool {
    let of = |server: usize| incident.server.is_none_or(|only| only == server);
    let until = incident.until;
    let near = |failure: &&Failure| explains(incident, failure);
    let failures = kept.failures.iter().filter(near).count();
    let next = kept
        .successes
        .iter()
        .filter(|(at, server)| *at >= until && of(*server))
        .map(|(at, _)| *at - until)
        .min();
    let last = kept
        .failures
        .iter()
        .filter(near)
        .map(|failure| failure.at)
        .max();
    let last = last.map(|at| at.saturating_sub(until));
    let seconds = |time: Option<Duration>| {
        time.map_or_else(
            || "–".to_owned(),
            |time| format!("{:.2}", time.as_secs_f64()),
        )
    };
    println!(
        "| {} | {:.1} | {failures} | {} | {} |",
        incident.what,
        (until - incident.from).as_secs_f64(),
        seconds(next),
        seconds(last)
    );
    next.is_some_and(|time| time <= RECOVERED)
}

fn explains(incident: &Incident, failure: &Failure) -> bool {
    let is_then = failure.at >= incident.from && failure.at <= incident.until + RECOVERED;
    let how = failure.how.as_str();
    is_then
        && match incident.server {
            Some(only) => only == failure.server && how == "connection",
            None => how == "UNAVAILABLE",
        }
}

/// Counts the unexplained failures by kind, operation and time.
fn unexpected(failures: &[Failure], incidents: &[Incident]) -> BTreeMap<String, usize> {
    let mut unexpected = BTreeMap::new();
    for failure in failures {
        if !incidents.iter().any(|incident| explains(incident, failure)) {
            let how = format!(
                "{} ({}) at {:.0} s",
                failure.how,
                failure.operation,
                failure.at.as_secs_f64()
            );
            *unexpected.entry(how).or_default() += 1;
        }
    }
    unexpected
}
