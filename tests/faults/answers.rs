//! An ACD that answers twice, late, or for another request: each request has one answer all the same, and the table is what
//! the ACD says.

use cti_protocol::ged188::codes::AgentState;
use tempfile::NamedTempFile;

use crate::ami::{Ami, Answers};
use crate::client::{Client, Said};
use crate::process::{PATIENCE, Process, Start};

const READY: AgentState = AgentState::AGENT_STATE_AVAILABLE;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AGENTS: [u32; 2] = [1001, 1002];

/// An ACD, the gateway before it, its log, and a client for each agent, who are logged in.
struct Scene {
    ami: Ami,
    log: NamedTempFile,
    _gateway: Process,
    desktops: Vec<Client>,
}

impl Scene {
    async fn new(lines: &str) -> Scene {
        Scene::with("", lines).await
    }

    /// With these lines for the gateway, and those for the ACD.
    async fn with(all: &str, lines: &str) -> Scene {
        let (ami, log) = (Ami::start().await, NamedTempFile::new().expect("a file"));
        let lines = format!("secret = \"ctigate-secret\"\nreconnect_min = \"10ms\"\n{lines}");
        let stderr = log.reopen().expect("the same file");
        let gateway = Start::with(&format!("{all}{}", ami.config_with(&lines))).stderr(stderr).gateway();
        let mut desktops = Vec::new();
        for agent in AGENTS {
            let mut desktop = Client::bridge(gateway.address).await;
            assert_eq!(desktop.asks(agent, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
            desktops.push(desktop);
        }
        Scene { ami, log, _gateway: gateway, desktops }
    }

    /// Every agent is here as it is at the ACD, once what that has told is taken in.
    async fn agrees(&mut self) {
        for (agent, desktop) in AGENTS.into_iter().zip(&mut self.desktops) {
            let at_acd = if self.ami.is_paused(agent) { NOT_READY } else { READY };
            let agrees = async { while desktop.queries(agent).await.agent_state != at_acd {} };
            tokio::time::timeout(PATIENCE, agrees).await.expect("what the ACD says");
            let there = desktop.has_received().await;
            assert!(there.is_none(), "each request had one answer: {there:?}");
        }
    }

    /// What the log says at the link's end of answers that were not as they should be.
    async fn counted(self) -> [Option<usize>; 3] {
        self.ami.cuts();
        self.ami.logins(|logins| logins.accepted >= 2).await;
        let log = std::fs::read_to_string(self.log.path()).expect("the log");
        let line = log.lines().find(|line| line.contains("link to asterisk ended")).expect("its line").to_owned();
        ["late", "orphan", "missing"].map(|name| {
            let value = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value.and_then(|value| value.parse().ok())
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acd_that_answers_twice_answers_no_other_request_by_it() {
    let mut scene = Scene::new("").await;
    scene.ami.answers(Answers::Twice);
    for state in [READY, NOT_READY].repeat(10) {
        let [one, two] = &mut scene.desktops[..] else { panic!("two desktops") };
        let said = tokio::join!(one.asks(1001, state), two.asks(1002, state));
        assert_eq!(said, (Said::Confirmed, Said::Confirmed));
    }
    scene.agrees().await;
    let distorted = scene.ami.distorted();
    assert!(distorted >= 40, "{distorted}");
    assert_eq!(scene.counted().await, [Some(0), Some(distorted), Some(0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acd_that_answers_late_is_asked_what_it_did_and_its_answer_is_nobodys_any_more() {
    let mut scene = Scene::new("action_deadline = \"1s\"").await;
    scene.ami.answers(Answers::Late);
    assert_eq!(scene.desktops[0].asks(1001, READY).await, Said::Refused, "it was not answered in time");
    scene.agrees().await;
    assert!(!scene.ami.is_paused(1001), "and was done all the same");
    scene.ami.answers(Answers::Once);
    // Asterisk answers in order: with the next answer it is known that the one before will not come.
    assert_eq!(scene.desktops[0].asks(1001, NOT_READY).await, Said::Confirmed);
    scene.ami.releases();
    assert_eq!(scene.desktops[0].asks(1001, READY).await, Said::Confirmed);
    scene.agrees().await;
    assert_eq!(scene.counted().await, [Some(0), Some(1), Some(1)], "and when it does, it is nobody's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acd_that_answers_for_another_request_costs_that_one_its_confirm_and_the_table_nothing() {
    let mut scene = Scene::with("[timeouts]\naudit = \"0s\"\n", "").await;
    scene.ami.answers(Answers::ForAnother);
    for state in [READY, NOT_READY].repeat(5) {
        let [one, two] = &mut scene.desktops[..] else { panic!("two desktops") };
        let said = tokio::join!(one.asks(1001, state), two.asks(1002, state));
        let denied = scene.ami.denied();
        let expected = match &*denied {
            "PJSIP/3001" => (Said::Refused, Said::Confirmed),
            _ => (Said::Confirmed, Said::Refused),
        };
        assert_eq!(said, expected, "{denied} was said to have failed");
        let is_done = AGENTS.map(|agent| scene.ami.is_paused(agent) == (state == NOT_READY));
        assert_eq!(is_done, [true; 2], "both were done");
        scene.agrees().await; // without an audit: whoever was denied is asked for
    }
    assert_eq!(scene.counted().await, [Some(0), Some(10), Some(0)], "each true answer to who had one already");
}
