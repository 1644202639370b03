//! Outcomes as lines, words or JSON, and their count.
//!
//! Must hold: what happened counts whether or not anybody reads it.

use std::fmt;
use std::io;
use std::time::Duration;

use cti_protocol::ged188::Text;
use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::work::{Member, Standing};
use crate::cli::agent::words::{in_queues, state_name};

/// How it went with one agent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It is told of, which is all that was wanted.
    Stands { standing: Standing, seconds: Option<u32> },
    /// It was changed.
    Done { words: String },
    /// There was nothing to change.
    Already { words: String },
    /// The gateway did not.
    Refused { why: String },
    /// It was asked, and what became of it is not known.
    Unanswered { wait: Duration },
    /// Others were not answered before its turn came.
    NotAsked,
}

/// The lines so far.
#[derive(Debug)]
pub(super) struct Report<W> {
    to: W,
    is_json: bool,
    /// Nobody reads any more, or nothing can be written.
    is_closed: bool,
    /// Something that should have been written was not.
    is_cut_short: bool,
    counts: Counts,
}

/// How many agents it went how with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) told: usize,
    pub(super) done: usize,
    pub(super) already: usize,
    pub(super) refused: usize,
    pub(super) unanswered: usize,
    pub(super) not_asked: usize,
}

impl<W: AsyncWrite + Unpin> Report<W> {
    pub(super) fn new(to: W, is_json: bool) -> Report<W> {
        Report { to, is_json, is_closed: false, is_cut_short: false, counts: Counts::default() }
    }

    /// Counts an outcome, and says it.
    pub(super) async fn tell(&mut self, member: &Member, outcome: &Outcome) {
        self.count(outcome);
        let line = if self.is_json { as_json(member, outcome).to_string() } else { in_words(member, outcome) };
        self.write(&line).await;
    }

    pub(super) fn count(&mut self, outcome: &Outcome) {
        let counts = &mut self.counts;
        *match outcome {
            Outcome::Stands { .. } => &mut counts.told,
            Outcome::Done { .. } => &mut counts.done,
            Outcome::Already { .. } => &mut counts.already,
            Outcome::Refused { .. } => &mut counts.refused,
            Outcome::Unanswered { .. } => &mut counts.unanswered,
            Outcome::NotAsked => &mut counts.not_asked,
        } += 1;
    }

    /// The last line.
    pub(super) async fn end(&mut self) {
        let line = if self.is_json { self.counts.as_json().to_string() } else { self.counts.to_string() };
        self.write(&line).await;
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether everybody is as wanted, and that could be said.
    pub(super) fn is_all_done(&self) -> bool {
        let Counts { refused, unanswered, not_asked, .. } = self.counts;
        refused + unanswered + not_asked == 0 && !self.is_cut_short
    }

    /// A reader that has seen enough does not end the work.
    async fn write(&mut self, line: &str) {
        if self.is_closed {
            return;
        }
        let written = async {
            self.to.write_all(format!("{line}\n").as_bytes()).await?;
            self.to.flush().await
        };
        if let Err(error) = written.await {
            self.is_closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.is_cut_short = true;
                eprintln!("ctigate supervise: cannot write: {error}");
            }
        }
    }
}

fn in_words(member: &Member, outcome: &Outcome) -> String {
    let id = shown(&member.id);
    match outcome {
        Outcome::Stands { standing, seconds } => {
            let mut line = format!("agent {id} is {}", state_name(standing.state));
            line += &in_queues(" in ", &standing.queues);
            if let Some(instrument) = &standing.instrument {
                line += &format!(" at {}", shown(instrument));
            }
            if let Some(seconds) = seconds {
                line += &format!(", for {}", humantime::format_duration(Duration::from_secs((*seconds).into())));
            }
            if member.is_supervisor {
                line += ", a supervisor";
            }
            line
        }
        Outcome::Done { words } | Outcome::Already { words } => format!("agent {id} {words}"),
        Outcome::Refused { why } => format!("agent {id}: refused: {why}"),
        Outcome::Unanswered { wait } => {
            format!("agent {id}: not answered within {}", humantime::format_duration(*wait))
        }
        Outcome::NotAsked => format!("agent {id}: not asked"),
    }
}

fn as_json(member: &Member, outcome: &Outcome) -> Value {
    let id = member.id.to_string();
    match outcome {
        Outcome::Stands { standing, seconds } => json!({
            "agent": id,
            "state": state_name(standing.state),
            "queues": standing.queues,
            "instrument": standing.instrument.as_ref().map(Text::to_string),
            "seconds": seconds,
            "supervisor": member.is_supervisor,
        }),
        Outcome::Done { words } => json!({"agent": id, "outcome": "done", "words": words}),
        Outcome::Already { words } => json!({"agent": id, "outcome": "already", "words": words}),
        Outcome::Refused { why } => json!({"agent": id, "outcome": "refused", "words": why}),
        Outcome::Unanswered { .. } => json!({"agent": id, "outcome": "unanswered"}),
        Outcome::NotAsked => json!({"agent": id, "outcome": "not asked"}),
    }
}

/// Whatever a server puts there, it stays one line and does nothing to a terminal.
fn shown<const MAX: usize>(text: &Text<MAX>) -> String {
    text.as_str().escape_debug().to_string()
}

impl Counts {
    fn all(self) -> usize {
        self.told + self.done + self.already + self.refused + self.unanswered + self.not_asked
    }

    fn as_json(self) -> Value {
        let Counts { done, already, refused, unanswered, not_asked, .. } = self;
        json!({
            "agents": self.all(),
            "done": done,
            "already": already,
            "refused": refused,
            "unanswered": unanswered,
            "not_asked": not_asked,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.all() {
            0 => return f.write_str("no agent is meant, nothing to do"),
            1 => f.write_str("1 agent")?,
            all => write!(f, "{all} agents")?,
        }
        let counts = [
            (self.told, "told"),
            (self.done, "done"),
            (self.already, "left as they are"),
            (self.refused, "refused"),
            (self.unanswered, "not answered"),
            (self.not_asked, "not asked"),
        ];
        let told = counts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}"));
        write!(f, ": {}", told.collect::<Vec<_>>().join(", "))
    }
}
