//! What the process tells of itself while it runs: the log and, where a collector is configured,
//! traces. Metrics are in `metrics`.

mod export;
mod log;
mod spans;
mod traces;

use tokio::runtime::Handle;

pub use spans::{Outcome, Trace, answered, call, operation, request, run, short};

use crate::config::Config;
use traces::Traces;

/// What tells of this process, for as long as it runs.
pub struct Telemetry {
    traces: Option<Traces>,
}

impl Telemetry {
    /// Begins the log of a command, and no traces.
    ///
    /// # Errors
    /// Where the log's filter makes no sense.
    pub fn log(config: &Config) -> anyhow::Result<Self> {
        log::begin(&config.log, None)?;
        Ok(Self { traces: None })
    }

    /// Begins the log of a server and, where a collector is configured, the traces, which `runtime`
    /// sends.
    ///
    /// # Errors
    /// Where what the configuration says of either makes no sense.
    pub fn start(config: &Config, runtime: &Handle) -> anyhow::Result<Self> {
        let traces = Traces::start(&config.telemetry, runtime)?;
        log::begin(&config.log, traces.as_ref())?;
        Ok(Self { traces })
    }

    /// Sends what is left of the traces, for which it waits a few seconds at most. Blocks the thread;
    /// the runtime must go on meanwhile.
    pub fn stop(self) {
        if let Some(traces) = self.traces {
            traces.stop();
        }
    }
}
