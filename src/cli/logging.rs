//! Logs, to stderr. Not here: what is logged.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{FilterError, LogConfig, LogFormat, parsed_filter};

/// Changes which lines are written.
pub(super) struct Logs(Handle<Targets, tracing_subscriber::Registry>);

/// From here on log lines are written as configured.
pub(super) fn start(config: &LogConfig) -> Result<Logs, FilterError> {
    let (filter, handle) = Layer::new(parsed_filter(&config.filter)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // Said to stderr as well: where that cannot be written to, on a full disk, saying so would end the task that logs.
    let lines = lines.log_internal_errors(false);
    let filtered = tracing_subscriber::registry().with(filter);
    match config.format {
        LogFormat::Text => {
            filtered.with(lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))).init();
        }
        LogFormat::Json => filtered.with(lines.json().flatten_event(true)).init(),
    }
    Ok(Logs(handle))
}

impl Logs {
    /// From here on these lines are written. A filter that is none changes nothing: it was checked before.
    pub(super) fn filter_by(&self, filter: &str) {
        if let Ok(filter) = parsed_filter(filter) {
            let _ = self.0.reload(filter);
        }
    }
}
