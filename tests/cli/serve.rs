//! `ctigate serve`, started and stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};

use crate::opencti_schema::{assert_is_request, assert_is_server_message};
use crate::support::{ctigate, file, lines, run};

/// The command, running, and where it listens.
fn serving(args: &[&str]) -> (Child, SocketAddr) {
    let (child, listeners) = ready(args);
    let address = listeners["ged188"].as_str().expect("an address").parse().expect("an address");
    (child, address)
}

/// The command, running, and what its first line says.
fn ready(args: &[&str]) -> (Child, serde_json::Value) {
    let mut child = ctigate(args).spawn().expect("the command starts");
    let mut ready = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut ready).expect("a line");
    let listeners = ready.strip_prefix("ready ").unwrap_or_else(|| panic!("ready …, not {ready:?}"));
    (child, serde_json::from_str(listeners).expect("JSON"))
}

fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

#[test]
fn says_where_it_listens_serves_and_ends_well_when_told_to() {
    let (mut child, address) = serving(&["serve", "--listen", "ged188=127.0.0.1:0"]);
    assert_ne!(address.port(), 0);
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(&[0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 9]).unwrap();
    let mut answer = [0; 16];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 4], "FAILURE_CONF, E_CTI_SESSION_NOT_OPEN");
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut goodbye = Vec::new();
    client.read_to_end(&mut goodbye).unwrap();
    assert_eq!(goodbye, [0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 15], "FAILURE_EVENT, E_CTI_CTI_SERVER_OFFLINE");
}

/// What of a message is another each time: its time, and a session's secret.
fn timeless(line: &str) -> String {
    let mut message: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    for name in ["time", "session"] {
        if let Some(value) = message.get_mut(name) {
            *value = "…".into();
        }
    }
    message.to_string()
}

#[test]
fn the_readmes_opencti_session_goes_as_it_is_printed_there() {
    let readme = include_str!("../../README.md");
    let (_, session) = readme.split_once("<!-- the opencti session begins; tests/cli plays it -->").expect("a begin");
    let (session, _) = session.split_once("<!-- the opencti session ends -->").expect("an end");
    let (mut child, listeners) = ready(&["serve", "--listen", "opencti=127.0.0.1:0"]);
    let mut client = TcpStream::connect(listeners["opencti"].as_str().expect("an address")).unwrap();
    let mut answers = BufReader::new(client.try_clone().unwrap());
    let mut lines = 0;
    for line in session.lines().filter_map(|line| line.strip_prefix("    ")) {
        lines += 1;
        if let Some(request) = line.strip_prefix("> ") {
            assert_is_request(&serde_json::from_str(request).unwrap());
            client.write_all(format!("{request}\n").as_bytes()).unwrap();
        } else {
            let mut said = String::new();
            answers.read_line(&mut said).unwrap();
            assert_is_server_message(&serde_json::from_str(&said).unwrap());
            assert_eq!(timeless(&said), line);
        }
    }
    assert!(lines > 10, "{lines}");
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn several_listeners_have_names_of_their_own() {
    let of = ["ged188", "ged188", "opencti", "opencti-ws"].map(|dialect| format!("{dialect}=127.0.0.1:0"));
    let mut args = vec!["serve"];
    args.extend(of.iter().flat_map(|listen| ["--listen", listen.as_str()]));
    let (mut child, listeners) = ready(&args);
    let names: Vec<&String> = listeners.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["ged188", "ged188-2", "opencti", "opencti-ws"]);
    assert_ne!(listeners["ged188"], listeners["ged188-2"]);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn reads_a_file_and_logs_json_where_it_is_told_to() {
    let (_directory, path) = file("[log]\nformat = \"json\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n");
    let (mut child, _) = serving(&["serve", "-c", path.to_str().unwrap()]);
    terminate(&child);
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(line["message"].is_string(), "{line}");
    }
    assert!(log.contains("listening"));
}

#[test]
fn a_port_in_use_is_one_line_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = ctigate(&["serve", "--listen", &format!("ged188={address}")]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = lines(&output.stderr).into_iter().rfind(|line| line.starts_with("ctigate:")).expect("a complaint");
    assert!(complaint.contains(&address) && complaint.contains("--listen"), "{complaint}");
    let (_directory, path) = file(&format!("[[listener]]\naddress = \"{address}\"\n"));
    let output = ctigate(&["serve", "-c", path.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let complaint = lines(&output.stderr).into_iter().rfind(|line| line.starts_with("ctigate:")).expect("a complaint");
    assert!(complaint.contains("ctigate.toml") && complaint.contains("listener[0].address"), "{complaint}");
}

#[test]
fn nonsense_in_place_of_an_address_is_refused() {
    for nonsense in ["127.0.0.1:1", "sip=127.0.0.1:1", "ged188=here"] {
        let output = ctigate(&["serve", "--listen", nonsense]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{nonsense}");
    }
}

#[test]
fn says_where_it_is_observed_and_answers_there() {
    let (mut child, listeners) = ready(&["serve", "--listen", "ged188=127.0.0.1:0", "--observe", "127.0.0.1:0"]);
    let address: SocketAddr = listeners["observe"].as_str().expect("an address").parse().expect("an address");
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(r#""acds":{"5000":"up"}"#), "{answer}");
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn is_not_observed_from_other_machines() {
    let output = run(&["serve", "--listen", "ged188=127.0.0.1:0", "--observe", "0.0.0.0:0"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output.stderr), ["ctigate: --observe: observe.address: 0.0.0.0:0 is not on the loopback"]);
}

#[test]
fn the_runbook_lists_its_pages_and_prints_each() {
    let output = run(&["runbook"], b"");
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(names.lines().count() > 40, "{names}");
    for name in names.lines() {
        let page = run(&["runbook", name], b"");
        let page = String::from_utf8(page.stdout).unwrap();
        assert!(page.starts_with(&format!("# {name}\n\n**What happened.**")), "{page}");
    }
    let unknown = run(&["runbook", "slow"], b"");
    assert_eq!(unknown.status.code(), Some(2));
    assert_eq!(lines(&unknown.stderr), ["ctigate: there is no page \"slow\": close-slow"]);
}
