//! Golden texts: what a request means or why it is none, and how the gateway's messages are written.

use cti_protocol::opencti::{Flaw, Request, ServerMessage};
use serde_json::Value;

use super::published::{is_request, is_server_message};

const VECTORS: &str = include_str!("../vectors/opencti.jsonl");

#[test]
fn every_request_reads_as_the_vectors_say() {
    let mut read = 0;
    for (at, line) in VECTORS.lines().enumerate() {
        let vector: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("line {}: {error}", at + 1));
        let Some(text) = vector.get("request").and_then(Value::as_str) else { continue };
        read += 1;
        match (Request::read(text), vector.get("flaw").and_then(Value::as_str)) {
            (Ok(request), None) => {
                assert_eq!(serde_json::to_value(&request).unwrap(), vector["means"], "line {}", at + 1);
                assert!(is_request(&vector["means"]), "line {}: {}", at + 1, vector["means"]);
            }
            (Err(unreadable), Some(flaw)) => {
                let why = unreadable.flaw.to_string();
                assert!(why.contains(flaw), "line {}: {why:?} does not name {flaw:?}", at + 1);
                assert_eq!(serde_json::to_value(&unreadable.id).unwrap(), vector["id"], "line {}", at + 1);
            }
            (read, _) => panic!("line {}: {read:?}", at + 1),
        }
    }
    assert!(read > 30, "{read}");
}

#[test]
fn every_message_of_the_gateway_is_written_as_the_vectors_say() {
    let mut written = 0;
    for (at, line) in VECTORS.lines().enumerate() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let Some(text) = vector.get("message").and_then(Value::as_str) else { continue };
        written += 1;
        let message: ServerMessage =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("line {}: {error}", at + 1));
        let mut out = Vec::new();
        message.write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text, "line {}", at + 1);
        assert!(is_server_message(&serde_json::from_str(text).unwrap()), "line {}", at + 1);
    }
    assert!(written > 8, "{written}");
}

#[test]
fn no_secret_is_told_back_or_printed() {
    for text in [
        r#"{"id":1,"activity":"LoginAgent","AgentID":"1001","AgentPassword":24680}"#,
        r#"{"id":1,"activity":"Hello","protocolVersion":1,"identity":"crm","secret":[24680]}"#,
        r#"{"id":1,"activity":"Hello","protocolVersion":1,"identity":"crm","resume":{"session":24680,"seq":1}}"#,
        r#"{"id":1,"activity":"Hello","protocolVersion":1,"identity":"crm","resume":"s24680"}"#,
    ] {
        let unreadable = Request::read(text).unwrap_err();
        assert!(matches!(unreadable.flaw, Flaw::Property { .. }), "{unreadable:?}");
        assert!(!format!("{unreadable:?} {}", unreadable.flaw).contains("24680"), "{unreadable:?}");
    }
    for text in [
        r#""s24680""#,
        r#"{"id":{"AgentPassword":"s24680"},"activity":"Heartbeat"}"#,
        r#"{"id":1,"activity":["s24680"]}"#,
    ] {
        let unreadable = Request::read(text).unwrap_err();
        assert!(!format!("{unreadable:?} {}", unreadable.flaw).contains("24680"), "{unreadable:?}");
    }
    let login = r#"{"id":1,"activity":"LoginAgent","AgentID":"1001","AgentPassword":"s24680"}"#;
    assert!(!format!("{:?}", Request::read(login).unwrap()).contains("24680"));
    let resume = r#"{"id":1,"activity":"Hello","protocolVersion":1,"identity":"c","secret":"s24680","resume":{"session":"s24680","seq":1}}"#;
    assert!(!format!("{:?}", Request::read(resume).unwrap()).contains("24680"));
}

#[test]
fn hostile_texts_are_refused_in_a_few_words() {
    let deep = |with: &str| {
        format!("{{\"id\":1,\"activity\":\"LogoutAgent\",\"AgentID\":{}1{}}}", with.repeat(30_000), "]".repeat(30_000))
    };
    let long = "x".repeat(60_000);
    for text in [
        deep("["),
        "[".repeat(60_000),
        "{\"a\":".repeat(10_000),
        format!("{{\"id\":{},\"activity\":\"Heartbeat\"}}", "9".repeat(60_000)),
        format!("{{\"id\":\"{long}\",\"activity\":\"Heartbeat\"}}"),
        format!("{{\"id\":1,\"activity\":\"{long}\"}}"),
        format!("{{\"id\":1,\"activity\":\"LogoutAgent\",\"AgentID\":[\"{long}\"]}}"),
        format!("{{\"id\":[\"{long}\"],\"activity\":\"Heartbeat\"}}"),
    ] {
        let unreadable = Request::read(&text).expect_err("no request");
        assert!(unreadable.flaw.to_string().len() < 1_000, "{}", unreadable.flaw);
    }
}
