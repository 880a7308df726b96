//! The same statements by `pgbench`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::cluster::Cluster;
use crate::statements::{Parameter, Statement};

/// How it sends statements.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Each prepared once for a connection, as the server has it.
    Prepared,
    /// As text, parsed and planned each time.
    Simple,
}

/// What `pgbench` has with the requests' statements.
pub struct Pgbench {
    /// Transactions a second, as PostgreSQL comes.
    pub plain: f64,
    /// The same with each plan made once for a session, as in the server's.
    pub planned_once: f64,
}

impl Pgbench {
    /// Runs it both ways, for that long each and down as many connections. It sends the statements of one
    /// person after those of another, by chance.
    pub fn measure(
        cluster: &Cluster,
        folder: &Path,
        requests: &[Vec<Statement>],
        protocol: Protocol,
        connections: usize,
        time: Duration,
    ) -> Result<Self> {
        let protocol_option = match protocol {
            Protocol::Prepared => "--protocol=prepared",
            Protocol::Simple => "--protocol=simple",
        };
        let mut arguments = vec![
            "--no-vacuum".to_owned(),
            "--jobs=2".to_owned(),
            protocol_option.to_owned(),
            format!("--client={connections}"),
            format!("--time={}", time.as_secs()),
        ];
        let mut values = Vec::new();
        for (nth, request) in requests.iter().enumerate() {
            let file = folder.join(format!("request-{nth}.sql"));
            std::fs::write(&file, script(request, protocol, &mut values))?;
            arguments.push(format!("--file={}", file.display()));
        }
        for (nth, value) in values.iter().enumerate() {
            arguments.push(format!("--define=value{nth}={value}"));
        }
        let run = |options| run(cluster, &arguments, options);
        Ok(Self {
            plain: run("")?,
            planned_once: run("-c plan_cache_mode=force_generic_plan")?,
        })
    }
}

/// How many transactions a second it has in sessions with those options.
fn run(cluster: &Cluster, arguments: &[String], options: &str) -> Result<f64> {
    let mut command = Command::new(cluster.tool("pgbench"));
    command
        .args(arguments)
        .arg(cluster.url())
        .env_clear()
        .env("PGOPTIONS", options);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pgbench: {failed}");
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let tps = tps.and_then(|rest| rest.split(' ').next());
    Ok(tps.with_context(|| format!("no rate in {said}"))?.parse()?)
}

/// The request for `pgbench`: values are variables of its own, since it prepares a statement only
/// once where it has the same text. As text they would lack their quotes, and stand for themselves.
fn script(request: &[Statement], protocol: Protocol, values: &mut Vec<String>) -> String {
    let mut script = String::new();
    let fresh = request
        .iter()
        .flat_map(|statement| &statement.parameters)
        .filter_map(|parameter| match parameter {
            Parameter::Fresh { nth, .. } => Some(nth + 1),
            _ => None,
        })
        .max();
    for nth in 0..fresh.unwrap_or(0) {
        // Writing to a String cannot fail.
        let _ = writeln!(script, "\\set fresh{nth} random(0, 281474976710655)");
    }
    for Statement { text, parameters } in request {
        let mut text = text.clone();
        // From the last, so that `$1` is not taken for the beginning of `$12`.
        for (nth, parameter) in parameters.iter().enumerate().rev() {
            let written = match parameter {
                Parameter::Fixed(value) if protocol == Protocol::Simple => {
                    format!("'{}'{}", value.replace('\'', "''"), cast(value))
                }
                parameter => written(parameter, values),
            };
            text = text.replace(&format!("${}", nth + 1), &written);
        }
        let _ = writeln!(script, "{};", text.replace('\n', " "));
    }
    script
}

fn written(parameter: &Parameter, values: &mut Vec<String>) -> String {
    match parameter {
        Parameter::Null => "NULL".to_owned(),
        Parameter::Fixed(value) => {
            let known = values.iter().position(|known| known == value);
            let nth = known.unwrap_or_else(|| {
                values.push(value.clone());
                values.len() - 1
            });
            format!(":value{nth}{}", cast(value))
        }
        Parameter::Fresh { nth, example } if uuid::Uuid::parse_str(example).is_ok() => {
            format!(
                "('00000000-0000-7000-8000-' || lpad(to_hex(:fresh{nth}::bigint), 12, '0'))::uuid"
            )
        }
        Parameter::Fresh { example, .. } if is_instant(example) => "now()".to_owned(),
        Parameter::Fresh { nth, example } => {
            let text = format!("('rocket-' || :fresh{nth}::bigint)");
            match example.starts_with('{') {
                true => format!("ARRAY[{text}]"),
                false => text,
            }
        }
    }
}

/// What says of which type a value is, where a statement alone does not: the server tells PostgreSQL
/// when it prepares one.
fn cast(value: &str) -> &'static str {
    let is_uuid = |value: &str| uuid::Uuid::parse_str(value).is_ok();
    match value
        .strip_prefix('{')
        .and_then(|list| list.strip_suffix('}'))
    {
        Some(list) if list.split(',').all(is_uuid) => "::uuid[]",
        None if is_uuid(value) => "::uuid",
        _ => "",
    }
}

/// Whether it looks as PostgreSQL prints a `timestamptz`.
fn is_instant(value: &str) -> bool {
    let shape = |expected: u8, found: u8| match expected {
        b'0' => found.is_ascii_digit(),
        literal => literal == found,
    };
    value.len() > 19
        && b"0000-00-00 00:00:00"
            .iter()
            .zip(value.bytes())
            .all(|(expected, found)| shape(*expected, found))
}
