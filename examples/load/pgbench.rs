//! Running the same statements with `pgbench`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::cluster::Cluster;
use crate::statements::{Parameter, Statement};

/// How statements are sent.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Prepared once per connection, as the server does it.
    Prepared,
    /// As text, parsed and planned every time.
    Simple,
}

/// The results of `pgbench` with the requests' statements.
pub struct Pgbench {
    /// Transactions per second with PostgreSQL's default settings.
    pub plain: f64,
    /// Transactions per second if each statement is planned once per session, as in the server's.
    pub planned_once: f64,
}

impl Pgbench {
    /// Runs `pgbench` both ways, for `time` each. It picks the person whose statements to send next at
    /// random.
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

/// Returns the transactions per second in sessions with those options.
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

/// Returns the request as a script for `pgbench`. Values are variables, since `pgbench` prepares a
/// statement only once if its text stays the same. In the simple protocol, variables would lack their
/// quotes, so values are written out.
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
        // In reverse, so that `$1` is not taken for the beginning of `$12`.
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

/// Returns the cast to a value's type, if the statement needs it: the server names the types when it
/// prepares a statement.
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

/// Whether the value looks like a `timestamptz` as PostgreSQL prints it.
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
