//! The log and, if a collector is configured, the traces of the process. Metrics are in `metrics`.

mod export;
mod log;
mod spans;
mod traces;

use tokio::runtime::Handle;

pub use spans::{Outcome, Trace, answered, call, operation, request, run, short};

use crate::config::Config;
use traces::Traces;

/// The log and traces of this process. To be kept for as long as it runs.
pub struct Telemetry {
    traces: Option<Traces>,
}

impl Telemetry {
    /// Starts the log of a command, without traces.
    ///
    /// # Errors
    /// If the log's filter is invalid.
    pub fn log(config: &Config) -> anyhow::Result<Self> {
        log::begin(&config.log, None)?;
        Ok(Self { traces: None })
    }

    /// Starts the log of a server and, if a collector is configured, the traces, which are sent on
    /// `runtime`.
    ///
    /// # Errors
    /// If the configuration of either is invalid.
    pub fn start(config: &Config, runtime: &Handle) -> anyhow::Result<Self> {
        let traces = Traces::start(&config.telemetry, runtime)?;
        log::begin(&config.log, traces.as_ref())?;
        Ok(Self { traces })
    }

    /// Sends the remaining traces, waiting a few seconds at most. Blocks the thread; the runtime must
    /// keep running in the meantime.
    pub fn stop(self) {
        if let Some(traces) = self.traces {
            traces.stop();
        }
    }
}
