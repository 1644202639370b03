//! `ctigate decode --pcap` and `ctigate replay` with a network capture, as people run them.

use serde_json::Value;

use crate::pcap::Pcap;
use crate::relay::Relay;
use crate::support::{Gateway, ctigate, text};
use crate::watch::works;

/// An agent's work at a gateway, recorded.
fn recorded() -> Vec<Value> {
    let gateway = Gateway::start();
    let relay = Relay::start(&gateway.address);
    works(&relay.address, "1001");
    relay.lines()
}

fn file(lines: &[Value], segment_bytes_max: usize) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("work.pcap");
    std::fs::write(&path, Pcap::of(lines, segment_bytes_max)).expect("a file");
    (directory, path.display().to_string())
}

#[test]
fn a_capture_is_decoded_frame_by_frame_with_its_places() {
    let lines = recorded();
    let frames: Vec<_> = lines.iter().filter_map(|line| Some((&line["from"], line.get("hex")?))).collect();
    let (_directory, path) = file(&lines, 100);
    let ran = ctigate(&["decode", "--pcap", &path], "");
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    let said: Vec<Value> = text(&ran.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let decoded: Vec<_> = said.iter().filter_map(|line| Some((&line["from"], line.get("hex")?))).collect();
    assert_eq!(decoded, frames);
    assert_eq!(said[0]["name"], "OPEN_REQ");
    assert!(said[0]["packet"].as_u64() > Some(2) && said[0]["connection"] == 1, "{}", said[0]);
    assert!(said.iter().any(|line| line["event"] == "the client closes"));

    let ran = ctigate(&["decode", "--pcap", "--format", "text", &path], "");
    assert!(
        text(&ran.stdout).lines().next().is_some_and(|line| line.contains(" 1 client: OPEN_REQ")),
        "{}",
        text(&ran.stdout)
    );
}

#[test]
fn a_capture_is_replayed_and_the_answers_are_the_same() {
    let (_directory, path) = file(&recorded(), 1_400);
    let gateway = Gateway::start();
    let ran = ctigate(&["replay", &path, &gateway.address], "");
    assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));
}

#[test]
fn a_file_that_is_no_capture_or_is_cut_off_is_said_to_be() {
    let (directory, path) = file(&recorded(), 1_400);
    let bytes = std::fs::read(&path).expect("the file");
    let cut = directory.path().join("cut.pcap").display().to_string();
    std::fs::write(&cut, &bytes[..bytes.len() - 10]).expect("a file");
    let ran = ctigate(&["decode", "--pcap", &cut], "");
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("cut off behind packet"), "{}", text(&ran.stderr));
    assert!(text(&ran.stdout).contains("OPEN_REQ"), "what could be read is shown");
    std::fs::write(&cut, "nothing of the kind").expect("a file");
    let ran = ctigate(&["decode", "--pcap", &cut], "");
    assert!(text(&ran.stderr).contains("neither pcap nor pcapng"), "{}", text(&ran.stderr));
}
