//! The published schema is the one that the types make, and it catches what is no message.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use cti_protocol::opencti::schema;
use serde_json::{Value, json};

/// `CTIGATE_WRITE_SCHEMA=1 cargo test -p cti-protocol` writes it anew.
const FILE: &str = "opencti.schema.json";

#[test]
fn the_published_schema_is_the_one_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let made = format!("{:#}\n", schema());
    if std::env::var_os("CTIGATE_WRITE_SCHEMA").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap();
    assert!(published == made, "{FILE} is not what the types make: write it anew with CTIGATE_WRITE_SCHEMA=1");
}

static REQUEST: LazyLock<jsonschema::Validator> = LazyLock::new(|| of_definition("Request"));
static SERVER_MESSAGE: LazyLock<jsonschema::Validator> = LazyLock::new(|| of_definition("ServerMessage"));

fn of_definition(name: &str) -> jsonschema::Validator {
    let mut schema = schema();
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["$ref"] = json!(format!("#/$defs/{name}"));
    jsonschema::validator_for(&schema).unwrap()
}

pub(crate) fn is_request(message: &Value) -> bool {
    REQUEST.is_valid(message)
}

pub(crate) fn is_server_message(message: &Value) -> bool {
    SERVER_MESSAGE.is_valid(message)
}

#[test]
fn the_schema_refuses_what_is_no_request() {
    for wrong in [
        json!({"activity": "Heartbeat"}),
        json!({"id": 1}),
        json!({"id": 1, "activity": "answercall"}),
        json!({"id": 1, "activity": "makeCall", "DN": "3001"}),
        json!({"id": 1, "activity": "makeCall", "Destination": "9", "pyCallVariables": vec!["x"; 11]}),
        json!({"id": null, "activity": "Heartbeat"}),
        json!({"id": 1, "activity": "LogoutAgent"}),
        json!({"id": 1, "activity": "LogoutAgent", "AgentID": ""}),
        json!({"id": 1, "activity": "LogoutAgent", "AgentID": 1001}),
        json!({"id": 1, "activity": "LoginAgent", "AgentID": "1001"}),
        json!({"id": 1, "activity": "SubscribeForEvents"}),
        json!({"id": 1, "activity": "Hello", "identity": "crm"}),
        json!({"id": 1, "activity": "Hello", "protocolVersion": 2, "identity": "crm"}),
    ] {
        assert!(!is_request(&wrong), "{wrong}");
    }
    // A page of the source may carry more than this gateway looks at.
    assert!(is_request(&json!({"id": 1, "activity": "LogoutAgent", "AgentID": "1001", "pyLabel": "x"})));
}

#[test]
fn the_schema_refuses_what_a_gateway_never_says() {
    let event = json!({
        "seq": 1, "time": "2026-01-02T03:04:05.678Z", "acd": "5000", "queue": "sales",
        "pyEventType": "AgentStateEvent", "pyEventName": "Ready", "pyMedia": "voice", "pyAgentId": "1001",
        "pyThisDN": "3001", "pyReasonCode": "", "pyWorkMode": "MODE_AUTO_IN",
    });
    assert!(is_server_message(&event));
    for name in ["seq", "time", "acd", "queue", "pyEventType", "pyEventName", "pyWorkMode"] {
        let mut without = event.clone();
        without.as_object_mut().unwrap().remove(name);
        assert!(!is_server_message(&without), "without {name}");
    }
    for (name, value) in [
        ("seq", json!(0)),
        ("pyEventName", json!("Busy")), // of a Snapshot alone
        ("pyEventType", json!("SnapshotEvent")),
        ("pyWorkMode", json!("AUX")),
        ("something", json!("else")),
    ] {
        let mut wrong = event.clone();
        wrong[name] = value;
        assert!(!is_server_message(&wrong), "{name}");
    }
    for wrong in [
        json!({"id": 1}),
        json!({"id": 1, "ok": false}),
        json!({"id": 1, "ok": true, "Status": "Fail"}),
        json!({"id": 1, "ok": true, "AgentID": "1001"}),
        json!({"id": 1, "Status": "Fail", "StatusMessage": "why"}),
        json!({"id": 1, "Status": "Good", "StatusMessage": "why", "code": "OPENCTI_IN_SAME_STATE"}),
        json!({"id": 1, "Status": "Fail", "StatusMessage": "why", "code": "SOMETHING"}),
        json!({"notice": "Hello", "time": "2026-01-02T03:04:05.678Z"}),
    ] {
        assert!(!is_server_message(&wrong), "{wrong}");
    }
}
