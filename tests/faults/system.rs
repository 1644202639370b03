//! A system that has no descriptors, no disk, no names, or another time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cti_protocol::ged188::codes::{AgentState, ServiceMask, SystemEventId};
use cti_protocol::ged188::{AnyMessage, OpenReq};

use crate::ami::Ami;
use crate::client::{Client, Said, open_req};
use crate::process::Start;

#[tokio::test]
async fn without_descriptors_who_is_there_is_served_and_who_comes_waits_for_a_place() {
    const CLIENTS: usize = 100;
    let gateway = Start::with("").descriptors_max(64).gateway();
    let mut first = Client::of_agent(gateway.address, 1001).await;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Client::connected(gateway.address).await; // the system does that, not the gateway
        client.sends(open_req(ServiceMask(0))).await;
        clients.push(client);
    }
    // Who is there notices nothing.
    assert_eq!(first.asks(1001, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
    for _ in 0..200 {
        first.shows_a_sign_of_life().await;
    }
    let mut served = Vec::new();
    let mut waiting = Vec::new();
    for mut client in clients {
        match client.has_received().await {
            Some(_) => served.push(client),
            None => waiting.push(client),
        }
    }
    assert!(!served.is_empty() && !waiting.is_empty(), "{} are served, {} wait", served.len(), waiting.len());
    // Each that goes makes room for one that waits.
    let mut opened = served.len();
    while !waiting.is_empty() {
        let left = served.len().min(waiting.len());
        served.drain(..left);
        for mut client in waiting.drain(..left) {
            client.is_opened().await;
            opened += 1;
            served.push(client);
        }
        first.shows_a_sign_of_life().await;
    }
    assert_eq!(opened, CLIENTS);
    assert_eq!(first.asks(1001, AgentState::AGENT_STATE_LOGOUT).await, Said::Confirmed);
    gateway.is_sent_away();
    assert_eq!(gateway.ends().await.code(), Some(0));
}

#[tokio::test]
async fn a_full_disk_under_the_log_costs_the_log_and_nothing_else() {
    for format in ["text", "json"] {
        let full = File::options().write(true).open("/dev/full").expect("a device that is always full");
        let log = format!("[log]\nfilter = \"trace\"\nformat = \"{format}\"");
        let gateway = Start::with(&log).stderr(full).gateway();
        let mut desktop = Client::of_agent(gateway.address, 1001).await;
        for _ in 0..10 {
            assert_eq!(desktop.asks(1001, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
            assert_eq!(desktop.asks(1001, AgentState::AGENT_STATE_LOGOUT).await, Said::Confirmed);
        }
        gateway.is_sent_away();
        assert_eq!(gateway.ends().await.code(), Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_names_an_acd_that_has_one_is_away_and_the_others_agents_work_until_there_are_names_again() {
    let ami = Ami::start().await;
    let config = r#"
        [timeouts]
        acd_start = "100ms"
        [[acd]]
        kind = "embedded"
        [[acd]]
        kind = "asterisk"
        peripheral = 6000
        host = "pbx.example"
        port = AMI_PORT
        user = "ctigate"
        secret = "ctigate-secret"
        interface = "PJSIP/{instrument}"
        connect_deadline = "200ms"
        reconnect_max = "200ms"
        [[acd.queue]]
        number = 1
        name = "sales"
    "#;
    let config = config.replace("AMI_PORT", &ami.port.to_string());
    let shim = Shim::new();
    let gone = shim.path("names.gone");
    std::fs::write(&gone, "").expect("a file");
    let gateway = Start::with(&config)
        .environment("LD_PRELOAD", shim.library())
        .environment("NAMES_ARE_GONE", gone.display().to_string())
        .gateway();
    let mut desktop = Client::of_agent(gateway.address, 1001).await;
    assert_eq!(desktop.asks(1001, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
    let mut of_the_other = Client::connected(gateway.address).await;
    of_the_other.opens(OpenReq { peripheral_id: 6000, ..open_req(ServiceMask::CTI_SERVICE_CLIENT_CONTROL) }).await;
    assert_eq!(of_the_other.opened.peripheral_online.0, 0, "its ACD is away, and it is told so");
    assert_eq!(desktop.asks(1001, AgentState::AGENT_STATE_LOGOUT).await, Said::Confirmed);

    std::fs::remove_file(&gone).expect("there are names again");
    match of_the_other.receives().await {
        Some(AnyMessage::SystemEvent(event)) => {
            assert_eq!(event.system_event_id, SystemEventId::SYS_PERIPHERAL_ONLINE);
            assert_eq!(event.system_event_arg1, 6000);
        }
        other => panic!("SYSTEM_EVENT expected, got {other:?}"),
    }
    ami.logins(|logins| logins.accepted >= 1).await;
    gateway.is_sent_away();
    assert_eq!(gateway.ends().await.code(), Some(0));
}

#[tokio::test]
async fn a_clock_that_jumps_ends_no_session_and_no_wait() {
    const YEAR: i64 = 365 * 24 * 60 * 60;
    let shim = Shim::new();
    let config = "[timeouts]\nopen = \"10m\"\n[sessions]\nnot_ready_after = \"10m\"";
    let gateway = Start::with(config)
        .environment("LD_PRELOAD", shim.library())
        .environment("CLOCK_OFFSET_FILE", shim.clock())
        .gateway();
    let mut patient = Client::connected(gateway.address).await;
    patient.opens(OpenReq { idle_timeout: 600, ..open_req(ServiceMask(0)) }).await;
    let began = patient.opened.icm_central_controller_time.0;
    let mut silent = Client::connected(gateway.address).await; // and opens nothing for now
    let mut lost = Client::of_agent(gateway.address, 1001).await;
    assert_eq!(lost.asks(1001, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
    assert_eq!(lost.asks(1001, AgentState::AGENT_STATE_AVAILABLE).await, Said::Confirmed);
    lost.resets();
    let mut bridge = Client::bridge(gateway.address).await;
    for years in [10, -30, 5] {
        shim.set_clock(years * YEAR);
        let mut late = Client::connected(gateway.address).await;
        late.opens(open_req(ServiceMask(0))).await;
        let moved = i64::from(late.opened.icm_central_controller_time.0) - i64::from(began);
        assert!((moved / YEAR - years).abs() <= 1, "the clock has jumped by {years} years, and {moved} s are told");
        patient.shows_a_sign_of_life().await;
        assert_eq!(bridge.queries(1001).await.agent_state, AgentState::AGENT_STATE_AVAILABLE, "its grace is not over");
    }
    silent.opens(open_req(ServiceMask(0))).await;
    assert_eq!(bridge.asks(1001, AgentState::AGENT_STATE_LOGOUT).await, Said::Confirmed);
    gateway.is_sent_away();
    assert_eq!(gateway.ends().await.code(), Some(0));
}

/// What stands between a process and its system.
struct Shim(tempfile::TempDir);

impl Shim {
    fn new() -> Shim {
        let shim = Shim(tempfile::tempdir().expect("a directory"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let compiled = Command::new("cc") // Rust's own linker
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
            .args([shim.path("shim.so"), source])
            .stdin(Stdio::null())
            .output()
            .expect("a C compiler");
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        shim.set_clock(0);
        shim
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn library(&self) -> String {
        self.path("shim.so").display().to_string()
    }

    fn clock(&self) -> String {
        self.path("clock").display().to_string()
    }

    /// The clock of the wall is off by so many seconds from here on.
    fn set_clock(&self, seconds: i64) {
        let new = self.path("clock.new");
        std::fs::write(&new, seconds.to_string()).expect("a file");
        std::fs::rename(new, self.path("clock")).expect("a file in its place");
    }
}
