//! The dissector in a real tshark: what it shows of a capture is what `ctigate decode --pcap` says, field by field.

#![allow(missing_docs, unreachable_pub)]

#[path = "../cli_clients/pcap.rs"]
mod pcap;
#[path = "../cli_clients/relay.rs"]
mod relay;
mod session;
#[path = "../cli_clients/support.rs"]
#[allow(dead_code)]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cti_protocol::ged188::catalogue::CATALOGUE;
use cti_protocol::ged188::{Flavour, Frame, FrameCodec, MessageType, Version};
use serde_json::Value;
use tokio_util::codec::Encoder;

use pcap::Pcap;
use support::{ctigate, text};

/// What a frame holds: its message, and the values of each field, in their order.
#[derive(Debug, PartialEq)]
struct Shown {
    message: u64,
    fields: BTreeMap<String, Vec<String>>,
}

/// What tshark shows of each frame, and whatever it complains about.
fn by_tshark(capture: &Path, options: &[&str]) -> (Vec<Shown>, Vec<String>) {
    let script = capture.with_extension("lua");
    std::fs::write(&script, ctigate(&["dissector"], "").stdout).expect("a file");
    let ran = Command::new("tshark")
        .args(["-X", &format!("lua_script:{}", script.display()), "-r", &capture.display().to_string()])
        .args(["-T", "pdml", "-J", "ged188"])
        .args(options)
        .output()
        .expect("tshark, Debian's package of that name");
    let (said, shown) = (text(&ran.stderr), text(&ran.stdout));
    assert!(ran.status.success() && !said.contains("Lua"), "{said}");
    assert!(!shown.contains("Lua Error"), "{shown}");
    let (mut frames, mut complaints) = (Vec::<Shown>::new(), Vec::new());
    for line in shown.lines().map(str::trim) {
        let attribute = |name: &str| {
            let (_, rest) = line.split_once(&format!(" {name}=\""))?;
            Some(unescaped(rest.split_once('"')?.0))
        };
        if line.starts_with("<proto name=\"ged188\"") {
            frames.push(Shown { message: 0, fields: BTreeMap::new() });
        }
        let Some(name) = attribute("name").filter(|_| line.starts_with("<field")) else { continue };
        let Some(frame) = frames.last_mut() else { continue };
        let Some(filter) = name.strip_prefix("ged188.") else {
            if name.starts_with("_ws.") && !name.starts_with("_ws.lua") {
                complaints.extend(attribute("showname"));
            }
            continue;
        };
        let show = attribute("show").unwrap_or_default();
        match filter {
            "message_type" => frame.message = show.parse().expect("a number"),
            "malformed" | "undecoded" => complaints.extend(attribute("showname")),
            "message_length" | "version" | "response_in" | "response_to" | "response_time" | "body" => (),
            "unknown.tag" | "unknown.data" => complaints.push(format!("{filter} {show} in {}", frame.message)),
            _ => frame.fields.entry(filter.split('_').next().unwrap_or(filter).to_owned()).or_default().push(show),
        }
    }
    (frames, complaints)
}

fn unescaped(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// What `decode --pcap` says of each frame.
fn by_decode(capture: &Path, options: &[&str]) -> Vec<Shown> {
    let ran = ctigate(&[&["decode", "--pcap"], options, &[&capture.display().to_string()]].concat(), "");
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    let lines: Vec<Value> = text(&ran.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines
        .iter()
        .filter(|line| line.get("type").is_some())
        .map(|line| {
            let mut fields = BTreeMap::new();
            flatten(&line["fields"], "", &mut fields);
            Shown { message: line["type"].as_u64().expect("a number"), fields }
        })
        .collect()
}

/// Every field by the name of its filter.
fn flatten(value: &Value, name: &str, fields: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::Object(object) if object.keys().any(|key| key == "name") => {
            let part = |key: &str| object[key].as_str().unwrap_or_default().to_owned();
            let index = object.get("index").map(|index| format!("[{index}]")).unwrap_or_default();
            let value = format!("{}{index}={}", part("name"), part("value"));
            fields.entry(filter(name)).or_default().push(value);
        }
        Value::Object(object) => object.iter().for_each(|(key, value)| flatten(value, key, fields)),
        Value::Array(values) => values.iter().for_each(|value| flatten(value, name, fields)),
        Value::Null => (),
        Value::Bool(is) => fields.entry(filter(name)).or_default().push(u8::from(*is).to_string()),
        Value::String(text) => fields.entry(filter(name)).or_default().push(text.clone()),
        other => fields.entry(filter(name)).or_default().push(other.to_string()),
    }
}

fn filter(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Values as both write them: numbers in decimal, bytes in plain hex.
fn normal(value: &str) -> String {
    let plain = value.replace(':', "");
    match value.strip_prefix("0x").map(|hex| u64::from_str_radix(hex, 16)) {
        Some(Ok(number)) => number.to_string(),
        _ => plain,
    }
}

/// Compares both, frame by frame and field by field. How many fields there were.
fn agree(capture: &[u8], tshark: &[&str], decode: &[&str]) -> usize {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("session.pcap");
    std::fs::write(&path, capture).expect("a file");
    let (shown, complaints) = by_tshark(&path, tshark);
    assert_eq!(complaints, Vec::<String>::new());
    let said = by_decode(&path, decode);
    assert_eq!(shown.len(), said.len(), "frames");
    let mut fields = 0;
    for (at, (shown, said)) in shown.iter().zip(&said).enumerate() {
        assert_eq!(shown.message, said.message, "frame {at}");
        let names = |of: &Shown| of.fields.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(shown), names(said), "fields of frame {at}, message {}", said.message);
        for (name, values) in &said.fields {
            let normals = |values: &[String]| values.iter().map(|value| normal(value)).collect::<Vec<_>>();
            assert!(
                normals(&shown.fields[name]) == normals(values),
                "{name} of frame {at}, message {}: {:?} by tshark, {values:?} by decode",
                said.message,
                shown.fields[name],
            );
            fields += values.len();
        }
    }
    fields
}

#[test]
fn a_whole_session_is_shown_as_decode_says_it() {
    let lines = session::recorded();
    for segment_bytes_max in [1_400, 11] {
        let fields = agree(&Pcap::of(&lines, segment_bytes_max), &[], &[]);
        assert!(fields > 2_000, "{fields} fields");
    }
}

#[test]
fn requests_and_answers_find_each_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("session.pcap");
    std::fs::write(&path, Pcap::of(&session::recorded(), 1_400)).expect("a file");
    let script = directory.path().join("ged188.lua");
    std::fs::write(&script, ctigate(&["dissector"], "").stdout).expect("a file");
    let ran = Command::new("tshark")
        .args(["-X", &format!("lua_script:{}", script.display()), "-r", &path.display().to_string(), "-2"])
        .args(["-Y", "ged188.response_to", "-T", "fields", "-e", "frame.number", "-e", "ged188.response_to"])
        .output()
        .expect("tshark");
    let pairs = text(&ran.stdout);
    assert!(pairs.lines().count() > 10, "{pairs}{}", text(&ran.stderr));
    for line in pairs.lines() {
        let numbers: Vec<u64> = line.split(['\t', ',']).map(|number| number.parse().expect("a number")).collect();
        assert!(numbers[1..].iter().all(|request| *request < numbers[0]), "{line}");
    }
}

#[test]
fn every_message_of_every_version_is_shown_as_decode_says_it() {
    let cce: Vec<Version> = Version::all().filter(|version| version.flavour() == Flavour::Cce).collect();
    let uccx: Vec<Version> = Version::all().filter(|version| version.flavour() == Flavour::Uccx).collect();
    let as_uccx = (&["-o", "ged188.uccx:TRUE"][..], &["--uccx"][..]);
    for (versions, (tshark, decode)) in [(cce, (&[][..], &[][..])), (uccx, as_uccx)] {
        let mut pcap = Pcap::new();
        for (at, version) in versions.into_iter().enumerate() {
            let connection = 50_000 + at as u16;
            send(&mut pcap, connection, session::open_req(version));
            for (at, info) in CATALOGUE.iter().filter(|info| u32::from(info.since) <= version.number()).enumerate() {
                for seed in 0..3_u8 {
                    let Some(body) = session::sample(info, version, seed.wrapping_add(at as u8)) else { continue };
                    send(&mut pcap, connection, Frame { message_type: info.message_type, body: body.into() });
                }
            }
        }
        let fields = agree(&pcap.file(), tshark, decode);
        assert!(fields > 30_000, "{fields} fields");
    }
}

#[test]
fn what_is_wrong_with_a_frame_is_marked_and_the_next_one_is_shown() {
    let version = Version::new(20).expect("a version");
    let mut pcap = Pcap::new();
    send(&mut pcap, 50_000, session::open_req(version));
    let heartbeat = |more: &[u8]| Frame {
        message_type: MessageType::HEARTBEAT_REQ,
        body: [&[0, 0, 0, 1][..], more].concat().into(),
    };
    for more in [&[0, 1][..], &[0, 1, 0, 9, 0], &[1, 0, 0, 1, 7], &[]] {
        send(&mut pcap, 50_000, heartbeat(more));
    }
    send(&mut pcap, 50_000, Frame { message_type: MessageType::HEARTBEAT_REQ, body: vec![0, 0].into() });
    send(&mut pcap, 50_000, Frame { message_type: MessageType(9_999), body: vec![1].into() });
    send(&mut pcap, 50_000, heartbeat(&[]));
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("broken.pcap");
    std::fs::write(&path, pcap.file()).expect("a file");
    let (shown, complaints) = by_tshark(&path, &[]);
    assert_eq!(shown.len(), 8);
    for wrong in [
        "a floating field's tag or length is cut off",
        "tag 1 claims 9 bytes, 1 are left",
        "not a field of HEARTBEAT_REQ",
        "InvokeID is cut off",
        "the layout of message type 9999 is not known",
    ] {
        assert!(complaints.iter().any(|complaint| complaint.contains(wrong)), "{wrong}: {complaints:?}");
    }
}

fn send(pcap: &mut Pcap, connection: u16, frame: Frame) {
    let mut bytes = bytes::BytesMut::new();
    FrameCodec::default().encode(frame, &mut bytes).expect("a frame");
    pcap.sends(connection, true, &bytes, 60_000);
}
