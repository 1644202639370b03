//! `ctigate decode`.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{ctigate, lines, run};

const LOGOUT_OF_TWO_QUEUES: &str = "00000037 00000026 00000007 ffffffff 0001 0000 0002 0000 00 00000000 \
     0006 0005 3330343100 0005 0005 3130303100 003e 0004 00000001 003e 0004 00000002 # a comment";

fn json_lines(args: &[&str], input: &str) -> (Vec<Value>, Option<i32>) {
    let output = run(args, input.as_bytes());
    let lines = lines(&output.stdout).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    (lines, output.status.code())
}

#[test]
fn writes_each_frame_as_one_line_with_the_guides_names() {
    let (lines, status) =
        json_lines(&["decode", "--version", "20"], &format!("# a session\n\n{LOGOUT_OF_TWO_QUEUES}\n"));
    assert_eq!(status, Some(0));
    let hex: String = LOGOUT_OF_TWO_QUEUES.split('#').next().unwrap().split_whitespace().collect();
    assert_eq!(
        lines,
        [json!({"name": "SET_AGENT_STATE_REQ", "type": 38, "version": 20, "fields": {
            "InvokeID": 7, "PeripheralID": 0xffff_ffff_u32, "AgentState": 1, "AgentWorkMode": 0, "NumSkillGroups": 2,
            "EventReasonCode": 0, "ForcedFlag": 0, "AgentServiceReq": 0,
            "AgentInstrument": "3041", "AgentID": "1001", "SkillGroupNumber": [1, 2]}, "hex": hex})]
    );
}

#[test]
fn keeps_the_order_of_the_keys() {
    let output = run(&["decode"], b"0000000400000005 00000001");
    assert_eq!(
        lines(&output.stdout),
        [r#"{"name":"HEARTBEAT_REQ","type":5,"version":24,"fields":{"InvokeID":1},"hex":"000000040000000500000001"}"#]
    );
}

#[test]
fn follows_the_version_of_an_open_req_unless_one_is_given() {
    // OPEN_REQ of version 14 with one-byte tags; then SYSTEM_EVENT.
    let open = "0000003200000003 00000001 0000000e ffffffff ffffffff 00000010 00000000 00000000 00000000 00000000 00000000 \
                00000000 0102 6100 0200";
    let (lines, status) = json_lines(&["decode"], open);
    assert_eq!(status, Some(0), "{lines:?}");
    assert_eq!((&lines[0]["version"], &lines[0]["fields"]["ClientID"]), (&json!(14), &json!("a")));
    assert_eq!(lines[0]["fields"]["ClientPassword"], "");
    let (lines, status) = json_lines(&["decode", "--version", "24"], open);
    assert_eq!(status, Some(1), "{lines:?}");
}

#[test]
fn tells_unknown_tags_and_messages_and_writes_them_again() {
    let unknown_tag = "0000000b00000005 00000001 ffee 0003 010203";
    let unknown_type = "000000030000270f 010203";
    let (lines, status) = json_lines(&["decode"], &format!("{unknown_tag}\n{unknown_type}\n"));
    assert_eq!(status, Some(0));
    assert_eq!(lines[0]["unknown"], json!([{"tag": 0xffee, "hex": "010203"}]));
    assert_eq!(lines[0]["hex"], unknown_tag.replace(' ', ""));
    assert_eq!(
        lines[1],
        json!({"name": null, "type": 9999, "version": 24, "fields": {}, "body": "010203", "hex": "000000030000270f010203"})
    );
}

#[test]
fn tells_what_is_broken_and_where_and_goes_on() {
    let input = "zz\n000\n000000\n0000000400000005000000\n00000004000000050000000100\n0000000500000005 00000001 06\n\
                 ffffffff00000005\n0000000400000005 00000001\n";
    let (lines, status) = json_lines(&["decode"], input);
    assert_eq!(status, Some(1));
    let offsets: Vec<_> = lines.iter().map(|line| line["offset"].as_u64()).collect();
    assert_eq!(offsets, [Some(0), Some(1), Some(3), Some(11), Some(12), Some(12), Some(0), None]);
    assert!(lines[..7].iter().all(|line| line["error"].is_string()));
    assert_eq!(lines[7]["name"], "HEARTBEAT_REQ");
}

#[test]
fn reads_a_raw_stream_to_its_end() {
    let mut stream = Vec::new();
    for invoke_id in 0..3_u8 {
        stream.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, invoke_id]);
    }
    let output = run(&["decode", "--stream"], &stream);
    assert_eq!((lines(&output.stdout).len(), output.status.code()), (3, Some(0)));
    stream.extend_from_slice(&[0, 0, 0, 4, 0]);
    let output = run(&["decode", "--stream", "-"], &stream);
    let lines = lines(&output.stdout);
    assert_eq!((lines.len(), output.status.code()), (4, Some(1)));
    assert!(lines[3].contains(r#""offset":36"#), "{}", lines[3]);
}

#[test]
fn counts_bytes_of_a_stream_from_its_beginning_and_goes_on_behind_a_broken_body() {
    let whole = [0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 1];
    let stream = [&whole[..], &[0, 0, 0, 2, 0, 0, 0, 5, 0, 0], &whole[..]].concat();
    let output = run(&["decode", "--stream"], &stream);
    let lines = lines(&output.stdout);
    assert_eq!((lines.len(), output.status.code()), (3, Some(1)), "{lines:?}");
    assert!(lines[1].contains(r#""offset":20"#), "12 bytes and a header: {}", lines[1]);
    assert!(lines[2].contains("HEARTBEAT_REQ"));
}

#[test]
fn writes_each_frame_while_the_input_goes_on() {
    for (args, input) in [
        (&["decode"][..], &b"0000000400000005 00000001\n0000"[..]),
        (&["decode", "--stream"], &[0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0]),
    ] {
        let mut child = ctigate(args).stdin(Stdio::piped()).spawn().expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input).expect("the command reads");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert!(line.contains("HEARTBEAT_REQ"), "{args:?}: {line}");
        drop(stdin);
        assert_eq!(child.wait().expect("the command ends").code(), Some(1), "the last frame is cut off");
    }
}

#[test]
fn writes_every_vector_again_byte_for_byte() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/tests/vectors/driver-v20.jsonl");
    let mut frames = Vec::new();
    for vector in std::fs::read_to_string(vectors).expect("the vectors").lines() {
        let vector: Value = serde_json::from_str(vector).expect("JSON");
        let behind_length = vector["hex"].as_str().expect("hex");
        // These vectors begin at MessageType; the length counts what comes behind it.
        frames.push((vector["message"].clone(), format!("{:08x}{behind_length}", behind_length.len() / 2 - 4)));
    }
    let input: String = frames.iter().map(|(_, hex)| format!("{hex}\n")).collect();
    let (lines, status) = json_lines(&["decode", "--version", "20"], &input);
    assert_eq!((status, lines.len()), (Some(0), frames.len()));
    for (line, (name, hex)) in lines.iter().zip(&frames) {
        assert_eq!((&line["name"], line["hex"].as_str()), (name, Some(hex.as_str())));
    }
}

#[test]
fn writes_text_with_names_and_no_passwords() {
    let login = "00000029 00000026 00000007 ffffffff 0000 0000 0000 0000 00 00000000 0005 0005 3130303100 0031 0007 70773130303100";
    let output = run(&["decode", "--format", "text", "--version", "20"], login.as_bytes());
    let line = lines(&output.stdout).remove(0);
    assert!(line.contains("AGENT_STATE_LOGIN") && line.contains("***"), "{line}");
    assert!(!line.contains("pw1001"), "{line}");
}

#[test]
fn refuses_versions_that_there_are_not() {
    for version in ["8", "25"] {
        let output = run(&["decode", "--version", version], b"");
        assert_eq!(output.status.code(), Some(2));
    }
    assert_eq!(run(&["decode", "--uccx", "--version", "19"], b"").status.code(), Some(2));
    assert_eq!(run(&["decode", "/nonexistent/frames.hex"], b"").status.code(), Some(2));
}

#[test]
fn any_bytes_at_all_get_an_answer() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut bytes = Vec::new();
    for _ in 0..20_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        bytes.push(seed as u8);
    }
    for args in [&["decode"][..], &["decode", "--stream"], &["decode", "--format", "text"]] {
        let output = run(args, &bytes);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
    }
}
