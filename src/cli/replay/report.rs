//! What was found, for people and for programs. Not here: the finding.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// All that a replay found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) connections: usize,
    pub(super) requests: usize,
    pub(super) answers: usize,
    pub(super) events: usize,
    pub(super) differences: Vec<Difference>,
}

/// One place where the replay was not as the recording.
#[derive(Debug, Serialize, PartialEq)]
pub(super) struct Difference {
    /// The recording's name of the connection.
    pub(super) connection: String,
    /// The recorded message's name, or the replayed one's if there is no recorded one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) invoke_id: Option<u32>,
    /// The recorded subscription of an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) monitor: Option<u64>,
    /// Which event of the subscription, counted from 1: of the recording, or of the replay if it is additional.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<usize>,
    #[serde(flatten)]
    pub(super) what: Kind,
}

#[derive(Debug, Serialize, PartialEq)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub(super) enum Kind {
    /// It did not come.
    Missing,
    /// It is in no place of the recording.
    Additional { told: String },
    /// Another message came.
    Other { replayed: String, told: String },
    /// A field is another.
    Field { field: String, recorded: Value, replayed: Value, said: String },
    /// It came, as the event of this number.
    Order { came_as: usize },
    /// The connection ended.
    Lost { why: String },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.connection)?;
        if let Some(monitor) = self.monitor.filter(|monitor| *monitor != 0) {
            write!(f, ", monitor {monitor}")?;
        }
        f.write_str(": ")?;
        if let Some(message) = &self.message {
            f.write_str(message)?;
        }
        if let Some(invoke_id) = self.invoke_id {
            write!(f, " (InvokeID {invoke_id})")?;
        }
        if let Some(event) = self.event {
            write!(f, " (event {event})")?;
        }
        match &self.what {
            Kind::Missing => f.write_str(" is missing"),
            Kind::Additional { told } => write!(f, " is additional: {}", told.escape_debug()),
            Kind::Other { told, .. } => write!(f, " was recorded, this came: {}", told.escape_debug()),
            Kind::Field { field, said, .. } => write!(f, ": {field} {}", said.escape_debug()),
            Kind::Order { came_as } => write!(f, " is out of order: it came as event {came_as}"),
            Kind::Lost { why } => write!(f, "lost: {why}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        let Report { connections, requests, answers, events, differences } = self;
        let found = differences.len();
        write!(f, "{connections} connections, {requests} requests, {answers} answers, {events} events: ")?;
        match found {
            0 => f.write_str("no difference"),
            1 => f.write_str("1 difference"),
            _ => write!(f, "{found} differences"),
        }
    }
}
