//! The log: to standard error, for standard output is for what was asked for.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::traces::Traces;
use crate::config::{Log, LogFormat};

/// Has this process write its log, and tell its traces.
///
/// # Errors
/// Where the log's filter makes no sense.
pub(super) fn begin(config: &Log, traces: Option<&Traces>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter).context("log.filter")?;
    let lines = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let lines = match config.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    match traces {
        // One filter for all costs less than one for each.
        None => registry().with(lines).with(filter).init(),
        Some(traces) => registry()
            .with(lines.with_filter(filter))
            .with(traces.layer())
            .init(),
    }
    Ok(())
}
