//! The inputs that the fuzz targets begin with, each played once: what ended a target is a test here from then on. And the
//! fuzzer's dictionaries, which are the protocols' words. `CTIGATE_WRITE_DICTIONARIES=1 cargo test --test fuzz` writes them anew.
//!
//! Not here: fuzzing (`fuzz/run`), and what the targets do (`fuzz/src`).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cti_protocol::ged188::{MessageType, Tag};
use serde_json::Value;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own, too")]
mod targets;

macro_rules! kept_inputs {
    ($($target:ident)*) => {
        mod every_kept_input_is_taken_by {
            $( #[test] fn $target() { super::play(stringify!($target)); } )*
        }
        const PLAYED: &[&str] = &[$(stringify!($target)),*];
    };
}

kept_inputs! {
    ami_stream asterisk_session capture config ged188_body ged188_session ged188_stream opencti_message opencti_session
}

fn play(target: &str) {
    let (_, play) = targets::TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let inputs = files(&format!("corpus/{target}"));
    assert!(!inputs.is_empty());
    for path in inputs {
        let input = fs::read(&path).expect("an input");
        let played = catch_unwind(AssertUnwindSafe(|| play(&input)));
        assert!(played.is_ok(), "{} ended it, see above", path.display());
    }
}

#[test]
fn every_target_is_built_kept_and_played() {
    let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(PLAYED, names);
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
}

#[test]
fn the_kept_inputs_are_few_and_small() {
    let inputs: Vec<PathBuf> = stems("corpus").iter().flat_map(|target| files(&format!("corpus/{target}"))).collect();
    let bytes: u64 = inputs.iter().map(|path| fs::metadata(path).expect("a file").len()).sum();
    assert!(inputs.len() < 2_000 && bytes < 2_000_000, "{} files, {bytes} bytes", inputs.len());
}

#[test]
fn the_dictionaries_are_the_protocols_words() {
    for (target, words) in [
        ("ami_stream", of_ami()),
        ("asterisk_session", of_ami()),
        ("ged188_session", of_ged188()),
        ("ged188_stream", of_ged188()),
        ("opencti_message", of_opencti()),
        ("opencti_session", of_opencti()),
    ] {
        let path = fuzz().join(format!("dictionaries/{target}.dict"));
        let mut dictionary = String::new();
        for word in words {
            let _ = writeln!(dictionary, "\"{}\"", word.iter().map(|byte| escaped(*byte)).collect::<String>());
        }
        if std::env::var_os("CTIGATE_WRITE_DICTIONARIES").is_some() {
            fs::write(&path, &dictionary).expect("a file that can be written");
        }
        let is_same = fs::read_to_string(&path).is_ok_and(|written| written == dictionary);
        assert!(is_same, "{} is not up to date: CTIGATE_WRITE_DICTIONARIES=1 writes it anew", path.display());
    }
}

type Words = BTreeSet<Vec<u8>>;

/// Message types and tags, as wide as they are in most versions, and who and what there is in the default world.
fn of_ged188() -> Words {
    let types = MessageType::all().map(|message_type| message_type.0.to_be_bytes().to_vec());
    let tags = Tag::all().map(|(_, tag)| tag.0.to_be_bytes().to_vec());
    let names = ["1001", "1002", "3001", "3002", "pw"].map(|name| name.as_bytes().to_vec());
    types.chain(tags).chain(names).collect()
}

/// Keys and values of the published schema.
fn of_opencti() -> Words {
    let mut words = Words::new();
    collect(&cti_protocol::opencti::schema(), &mut words);
    words.extend(["1001", "3001", "sales", "$S"].map(|word| word.as_bytes().to_vec()));
    words
}

fn collect(schema: &Value, words: &mut Words) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        words.extend(properties.keys().map(|name| format!("\"{name}\":").into_bytes()));
                    }
                    ("const", Value::String(text)) => drop(words.insert(format!("\"{text}\"").into_bytes())),
                    ("enum", Value::Array(values)) => {
                        let texts = values.iter().filter_map(Value::as_str);
                        words.extend(texts.map(|text| format!("\"{text}\"").into_bytes()));
                    }
                    _ => (),
                }
                collect(value, words);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, words)),
        _ => (),
    }
}

/// What events that the gateway knows are made of. Asterisk's manager has no table of its own here.
fn of_ami() -> Words {
    let headers = "Response Event ActionID Message EventList Queue Interface MemberName Location Name Status InCall Paused \
                   PausedReason Channel ChannelState Uniqueid Linkedid DestChannel DestUniqueid DestLinkedid CallerIDNum \
                   ConnectedLineNum Exten BridgeUniqueid BridgeNumChannels Variable Value Application ApplicationData \
                   Restart";
    let events = "QueueMemberAdded QueueMemberRemoved QueueMemberPause QueueMemberStatus AgentCalled AgentConnect \
                  AgentComplete AgentRingNoAnswer AgentDump Hold Unhold Hangup Newchannel Newstate DialBegin DialEnd \
                  BridgeEnter BridgeLeave QueueCallerJoin QueueCallerLeave QueueCallerAbandon BlindTransfer \
                  AttendedTransfer ChanSpyStart OriginateResponse VarSet FullyBooted Shutdown Reload Success Error Complete";
    let headers = headers.split_whitespace().map(|name| format!("\n{name}: "));
    let values = ["PJSIP/3001", "PJSIP/3002", "1001", "sales", "support", "lunch", "\r\n\r\n"].map(str::to_owned);
    headers.chain(events.split_whitespace().map(str::to_owned)).chain(values).map(String::into_bytes).collect()
}

fn escaped(byte: u8) -> String {
    match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fuzz().join(folder)).unwrap_or_else(|error| panic!("fuzz/{folder}: {error}"));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort_unstable();
    files
}

fn stems(folder: &str) -> Vec<String> {
    let stem = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    files(folder).iter().map(stem).collect()
}
