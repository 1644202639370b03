//! Whether what came is what was recorded: answers by their InvokeID, events as the sequence of each subscription.
//!
//! Not here: fields that may differ (`ids`), how differences are told (`report`).

use std::collections::{BTreeMap, BTreeSet};

use cti_protocol::ged188::catalogue;
use cti_protocol::ged188::{AnyMessage, Version};
use serde_json::{Map, Value};

use super::ids::{Ids, Ignored};
use super::play::{Key, Replayed, key};
use super::recording::{Recording, What};
use super::report::{Difference, Kind, Report};
use crate::cli::watch::words::{line, shown};

/// Compares everything that was heard.
pub(super) fn compare(recording: &Recording, replayed: &Replayed, ignored: &Ignored) -> Report {
    let mut report = Report {
        connections: recording.connections.len(),
        requests: replayed.requests,
        answers: 0,
        events: 0,
        differences: Vec::new(),
    };
    for (place, connection) in recording.connections.iter().enumerate() {
        let eyes = Eyes {
            version: connection.version,
            connection: place,
            name: &connection.name,
            ids: &replayed.ids,
            ignored,
        };
        let recorded = recording.steps.iter().filter(|step| step.connection == place);
        let old = recorded.filter_map(|step| match &step.what {
            What::Heard(message) => Some(eyes.seen(message, false)),
            What::Sent { .. } | What::Ended => None,
        });
        let old = sorted(old);
        let new = sorted(replayed.heard[place].iter().map(|message| eyes.seen(message, true)));
        if let Some(why) = &replayed.lost[place] {
            report.differences.push(eyes.difference(None, Kind::Lost { why: why.clone() }));
        }
        for stream in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let none = Vec::new();
            let (old, new) = (old.get(stream).unwrap_or(&none), new.get(stream).unwrap_or(&none));
            match stream {
                Stream::Answers { .. } => report.answers += old.len(),
                Stream::Events { .. } => report.events += old.len(),
            }
            eyes.compare(*stream, old, new, &mut report.differences);
        }
    }
    report
}

/// What has an order of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stream {
    /// Those to one InvokeID; a client may use one twice.
    Answers { invoke_id: u32 },
    /// Those of one subscription, or of none.
    Events { monitor: Option<u64> },
}

/// A message, ready to be compared.
#[derive(Debug)]
struct Seen<'a> {
    message: &'a AnyMessage,
    stream: Stream,
    name: &'static str,
    fields: Map<String, Value>,
}

impl PartialEq for Seen<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.message.message_type() == other.message.message_type() && self.fields == other.fields
    }
}

fn sorted<'a>(seen: impl Iterator<Item = Seen<'a>>) -> BTreeMap<Stream, Vec<Seen<'a>>> {
    let mut streams: BTreeMap<Stream, Vec<Seen<'a>>> = BTreeMap::new();
    for seen in seen {
        streams.entry(seen.stream).or_default().push(seen);
    }
    streams
}

/// One connection's way to look at messages.
struct Eyes<'a> {
    version: Version,
    connection: usize,
    name: &'a str,
    ids: &'a Ids,
    ignored: &'a Ignored,
}

impl Eyes<'_> {
    fn seen<'a>(&self, message: &'a AnyMessage, is_replayed: bool) -> Seen<'a> {
        let mut fields = message.to_json(self.version).as_object().cloned().unwrap_or_default();
        if is_replayed {
            fields = self.ids.as_recorded(self.connection, fields);
        }
        let monitor = fields.get("MonitorID").and_then(Value::as_u64);
        for unknown in message.unknown_tags() {
            fields.insert(format!("unknown tag {}", unknown.tag.0), format!("{:x}", unknown.data).into());
        }
        if let AnyMessage::Stranger(stranger) = message {
            fields.insert("body".to_owned(), format!("{:x}", stranger.body).into());
        }
        let name = message.name().unwrap_or("UNKNOWN");
        fields.retain(|field, _| !self.ignored.has(name, field));
        let stream = match key(self.connection, message, monitor) {
            Key::Answer { invoke_id, .. } => Stream::Answers { invoke_id },
            Key::Event { monitor, .. } => Stream::Events { monitor },
        };
        Seen { message, stream, name, fields }
    }

    fn compare(&self, stream: Stream, old: &[Seen<'_>], new: &[Seen<'_>], out: &mut Vec<Difference>) {
        let mut pairs = same(old, new);
        let mut spare: BTreeSet<usize> = (0..new.len()).collect();
        pairs.iter().flatten().for_each(|new| _ = spare.remove(new));
        // The same message elsewhere: out of order.
        let mut moved = vec![None; old.len()];
        for (place, seen) in old.iter().enumerate().filter(|(place, _)| pairs[*place].is_none()) {
            if let Some(found) = spare.iter().copied().find(|other| new[*other] == *seen) {
                spare.remove(&found);
                moved[place] = Some(found);
            }
        }
        // The next of the same type, and for an answer any: another one.
        let is_answer = matches!(stream, Stream::Answers { .. });
        for place in
            (0..old.len()).filter(|place| pairs[*place].is_none() && moved[*place].is_none()).collect::<Vec<_>>()
        {
            let is_like = |other: &usize| is_answer || new[*other].name == old[place].name;
            if let Some(found) = spare.iter().copied().find(is_like) {
                spare.remove(&found);
                pairs[place] = Some(found);
            }
        }
        for (place, seen) in old.iter().enumerate() {
            let at = Some((stream, seen, place));
            match (moved[place], pairs[place]) {
                (Some(came_as), _) => out.push(self.difference(at, Kind::Order { came_as: came_as + 1 })),
                (None, None) => out.push(self.difference(at, Kind::Missing)),
                (None, Some(found)) => self.compare_two(at, seen, &new[found], out),
            }
        }
        for place in spare {
            let seen = &new[place];
            let told = line(seen.message, self.version);
            out.push(self.difference(Some((stream, seen, place)), Kind::Additional { told }));
        }
    }

    fn compare_two(
        &self,
        at: Option<(Stream, &Seen<'_>, usize)>,
        old: &Seen<'_>,
        new: &Seen<'_>,
        out: &mut Vec<Difference>,
    ) {
        if old.message.message_type() != new.message.message_type() {
            let (replayed, told) = (new.name.to_owned(), line(new.message, self.version));
            return out.push(self.difference(at, Kind::Other { replayed, told }));
        }
        let fields = old.fields.keys().chain(new.fields.keys().filter(|field| !old.fields.contains_key(*field)));
        for field in fields {
            let (recorded, replayed) = (old.fields.get(field), new.fields.get(field));
            if recorded != replayed {
                let told =
                    |value: Option<&Value>| value.map_or("not there".to_owned(), |value| self.told(old, field, value));
                let said = format!("is {}, {} was recorded", told(replayed), told(recorded));
                let value = |value: Option<&Value>| value.cloned().unwrap_or_default();
                let (recorded, replayed) = (value(recorded), value(replayed));
                out.push(self.difference(at, Kind::Field { field: field.clone(), recorded, replayed, said }));
            }
        }
    }

    fn told(&self, seen: &Seen<'_>, field: &str, value: &Value) -> String {
        let info = catalogue::by_type(seen.message.message_type());
        let row = info.and_then(|info| info.fixed.iter().chain(info.floating).find(|row| row.name == field));
        let told = row.map_or_else(|| value.to_string(), |row| shown(row, value));
        if told.is_empty() { "empty".to_owned() } else { told }
    }

    fn difference(&self, at: Option<(Stream, &Seen<'_>, usize)>, what: Kind) -> Difference {
        let (invoke_id, monitor, event) = match at {
            Some((Stream::Answers { invoke_id }, _, _)) => (Some(invoke_id), None, None),
            Some((Stream::Events { monitor }, _, place)) => (None, monitor, Some(place + 1)),
            None => (None, None, None),
        };
        let message = at.map(|(_, seen, _)| seen.name.to_owned());
        Difference { connection: self.name.to_owned(), message, invoke_id, monitor, event, what }
    }
}

/// For each old one its counterpart among the new ones, so that as many as possible are the same in the same order.
fn same(old: &[Seen<'_>], new: &[Seen<'_>]) -> Vec<Option<usize>> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let mut pairs: Vec<Option<usize>> = (0..head).map(Some).collect();
    let (old_mid, new_mid) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    pairs.extend(common(old_mid, new_mid).into_iter().map(|place| place.map(|place| place + head)));
    pairs.extend((0..tail).map(|place| Some(new.len() - tail + place)));
    pairs
}

/// The longest common subsequence; of very long ones, none: they are then paired by type.
fn common(old: &[Seen<'_>], new: &[Seen<'_>]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; old.len()];
    let width = new.len() + 1;
    if old.len().saturating_mul(new.len()) > CELLS_MAX {
        return pairs;
    }
    // The length of the longest from each place on.
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = match old[i] == new[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            pairs[i] = Some(j);
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

const CELLS_MAX: usize = 4_000_000;
