//! The log. It is written to standard error, since standard output is for the output of commands.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::traces::Traces;
use crate::config::{Log, LogFormat};

/// Sets up the log and, if given, the traces of this process.
///
/// # Errors
/// If the log's filter is invalid.
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
        // A single filter for everything is cheaper than one per layer.
        None => registry()
            .with(lines)
            .with(filter)
            .with(filter_fn(is_free_of_secrets))
            .init(),
        Some(traces) => registry()
            .with(lines.with_filter(filter.and(filter_fn(is_free_of_secrets))))
            .with(traces.layer())
            .init(),
    }
    Ok(())
}

/// Whether such events never hold credentials, whatever the configured filter lets through. At this level,
/// `tungstenite` logs whole messages, of which the first has the client's token.
fn is_free_of_secrets(metadata: &Metadata<'_>) -> bool {
    *metadata.level() != Level::TRACE || !metadata.target().starts_with("tungstenite")
}
