//! Logs, to stderr. Not here: what is logged.
//!
//! Must hold: an event is one line, whoever the text in it is from.

use std::cell::Cell;
use std::fmt::{self, Debug, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{FormatFields, Writer};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{Handle, Layer};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{FilterError, LogConfig, LogFormat, parsed_filter};

/// Changes which lines are written.
pub(super) struct Logs(Handle<Targets, tracing_subscriber::Registry>);

/// From here on log lines are written as configured.
pub(super) fn start(config: &LogConfig) -> Result<Logs, FilterError> {
    let (filter, handle) = Layer::new(parsed_filter(&config.filter)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_timer(Utc).fmt_fields(Fields);
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

/// `2026-11-28T09:30:00.123456Z`, which the library itself writes too, at ten times the cost.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        write!(out, "{}", humantime::format_rfc3339_micros(SystemTime::now().max(UNIX_EPOCH)))
    }
}

thread_local! {
    /// One a thread: a line is put together there, and checked as a whole.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
}
/// A line that was longer leaves no room behind.
const LINE_BYTES_KEPT: usize = 4 * 1024;

/// An event's message and fields as text, `message name=value name=value`. Styles, which the usual ones have a place for even
/// where there are none, and a writer that is asked anew for each piece, take most of a line's time.
struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, mut out: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = Line(LINE.take()); // a value that logs when it is asked for its text finds another
        fields.record(&mut line);
        line.make_visible();
        let written = out.write_str(&line.0);
        line.0.clear();
        if line.0.capacity() <= LINE_BYTES_KEPT {
            LINE.set(line.0);
        }
        written
    }
}

/// So much of a line as there is.
struct Line(String);

impl Line {
    /// Writes a field's name. Whether its value is to follow.
    fn begin(&mut self, field: &Field) -> bool {
        match field.name() {
            "message" => true,
            name if name.starts_with("log.") => false, // what other crates' lines bring besides, and is said already
            name => {
                for piece in [" ", name, "="] {
                    self.0.push_str(piece);
                }
                true
            }
        }
    }

    /// What would end the line, or command a terminal, is written as what it is. Nothing of ours does either.
    fn make_visible(&mut self) {
        if !any(&self.0, is_suspect) {
            return;
        }
        let text = std::mem::take(&mut self.0);
        text.chars().for_each(|c| match c.is_control() {
            true => self.0.extend(c.escape_default()),
            false => self.0.push(c),
        });
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, text: &str) {
        let is_escaped = |byte: u8| !matches!(byte, b' '..=b'~') || byte == b'"' || byte == b'\\';
        if any(text, is_escaped) {
            return self.record_debug(field, &text);
        }
        if self.begin(field) {
            for piece in ["\"", text, "\""] {
                self.0.push_str(piece);
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.begin(field) {
            // A value that fails to be written is cut off there; its line goes on.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

/// Whether any byte is so: all are looked at, which is quicker than to stop at the first.
fn any(text: &str, is_so: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |any, byte| any | is_so(byte))
}

/// Whether a byte is, or may begin, a control character.
fn is_suspect(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f || byte == 0xc2
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of what is said.
    fn lines_of(said: impl FnOnce()) -> String {
        let written = Written::default();
        let to = written.clone();
        let lines = tracing_subscriber::fmt::layer().with_writer(move || to.clone()).with_ansi(false).without_time();
        let subscriber = tracing_subscriber::registry().with(lines.fmt_fields(Fields));
        tracing::subscriber::with_default(subscriber, said);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn an_event_is_one_line_whoever_the_text_in_it_is_from() {
        let line = lines_of(|| {
            let (client, why) = ("Jo\u{e3}o \"x\"\n", "\u{1b}[2Jgone\r\n2026 INFO forged \u{9b}1m\u{7f} pound \u{a3}");
            let agents: Option<u32> = None;
            tracing::info!(
                target: "ctigate", client, log.file = "net.rs", log.line = 7, agents, number = 7, %why, "connection {}", "closed"
            );
        });
        let why = "\\u{1b}[2Jgone\\r\\n2026 INFO forged \\u{9b}1m\\u{7f} pound \u{a3}";
        let expected =
            format!(" INFO ctigate: connection closed client=\"Jo\u{e3}o \\\"x\\\"\\n\" number=7 why={why}\n");
        assert_eq!(line, expected);
    }

    #[test]
    fn the_line_before_leaves_nothing_in_the_next_however_long_it_was() {
        let lines = lines_of(|| {
            for bytes in [3, 2 * LINE_BYTES_KEPT, 2] {
                tracing::info!(target: "ctigate", text = "x".repeat(bytes), flag = true, "told");
            }
        });
        let expected = [3, 2 * LINE_BYTES_KEPT, 2]
            .map(|bytes| format!(" INFO ctigate: told text=\"{}\" flag=true\n", "x".repeat(bytes)));
        assert!(lines == expected.concat());
    }
}
