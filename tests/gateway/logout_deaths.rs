//! The ACD dies in the middle of each of the nine points of a logout, and comes back as it was or with another truth: what
//! arrived is counted, and nothing is half done.

use std::time::Duration;

use cti_protocol::ged188::AnyMessage;
use cti_protocol::ged188::codes::{AgentState, SystemEventId};
use ctigate::acd::AcdRefusal;
use ctigate::model::{AgentId, AgentKey, ReasonCode};

use crate::support::acd::Held;
use crate::support::desk::{Desk, skill_groups};
use crate::support::house::{PERIPHERAL, TestHouse, house};

const AGENT: &str = "1001";
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;

/// When the ACD dies, of the command that it was asked last.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Death {
    Before,
    Done,
    Said,
}

const DEATHS: [Death; 3] = [Death::Before, Death::Done, Death::Said];

impl Death {
    fn comes(self, held: Held) {
        match self {
            Death::Before => held.dies_before_it(),
            Death::Done => held.dies_after_it(false),
            Death::Said => held.dies_after_it(true),
        }
    }
}

/// With what the ACD comes back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Truth {
    AsItWas,
    LoggedOutMeanwhile,
}

/// What the logout comes to.
#[derive(Clone, Copy)]
struct Expected {
    is_confirmed: bool,
    /// Whether the ACD has the agent logged in when it is dead.
    is_in: bool,
}

const NOTHING_DONE: Expected = Expected { is_confirmed: false, is_in: true };
const DONE_AND_FAILED: Expected = Expected { is_confirmed: false, is_in: false };
const DONE: Expected = Expected { is_confirmed: true, is_in: false };

/// An agent at its desk, and somebody who hears all.
struct Scene {
    house: TestHouse,
    desk: Desk,
    bridge: Desk,
    /// What the desk and the bridge have heard, in order.
    own: Vec<String>,
    all: Vec<String>,
    logout: u32,
}

impl Scene {
    async fn new() -> Scene {
        let house = house().await;
        let bridge = Desk::bridge(&house).await;
        let mut desk = Desk::of_agent(&house, AGENT).await;
        desk.logs_in(AGENT).await;
        let mut scene = Scene { house, desk, bridge, own: Vec::new(), all: Vec::new(), logout: 0 };
        scene.hear().await;
        assert_eq!(scene.all, ["LOGIN", "NOT_READY"]);
        scene.all.clear();
        scene
    }

    fn asks_to_log_out(&mut self) {
        self.logout = self.desk.asks(AGENT, LOGOUT);
    }

    /// Everything that is on its way arrives; a second passes.
    async fn hear(&mut self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for (who, heard) in [(&mut self.desk, &mut self.own), (&mut self.bridge, &mut self.all)] {
            who.wakes();
            heard.extend(std::iter::from_fn(|| who.has_received()).map(|message| in_words(&message, self.logout)));
        }
    }

    fn is_logged_in(&self) -> bool {
        self.house.acd.inner.facts(&AgentId::new(AGENT).unwrap()).unwrap().is_logged_in()
    }

    /// The ACD, dead by now, comes back. All is whole: what was told, what the table says, what there is at the ACD.
    async fn ends_whole(&mut self, expected: Expected, truth: Truth, about: &str) {
        self.hear().await;
        let said = |words: &[String], what: &str| words.iter().filter(|word| word.starts_with(what)).count();
        assert_eq!(said(&self.all, "offline"), 1, "{about}: {:?}", self.all);
        let is_gone = self.desk.closed.is_some();
        let answers = said(&self.own, "confirmed") + said(&self.own, "failed");
        assert_eq!(answers, usize::from(!is_gone), "{about}: answered once: {:?}", self.own);
        assert_eq!(said(&self.own, "confirmed"), usize::from(expected.is_confirmed), "{about}: {:?}", self.own);
        assert_eq!(self.is_logged_in(), expected.is_in, "{about}: at the ACD");
        if truth == Truth::LoggedOutMeanwhile {
            self.house.acd.inner.console_log_out(&AgentId::new(AGENT).unwrap(), ReasonCode(7));
        }
        self.house.acd.inner.come_back();
        for _ in 0..60 {
            self.hear().await; // what is tried again is tried within a minute
        }
        let is_in = self.is_logged_in();
        let lasts = usize::from(!is_in);
        assert_eq!(said(&self.all, "LOGOUT"), lasts, "{about}: the last event comes once: {:?}", self.all);
        if !is_gone {
            assert_eq!(said(&self.own, "LOGOUT"), lasts, "{about}: {:?}", self.own);
        }
        let answers = said(&self.own, "confirmed") + said(&self.own, "failed");
        assert_eq!(answers, usize::from(!is_gone), "{about}: {:?}", self.own);
        if let Some(confirmed) = self.own.iter().position(|word| word == "confirmed") {
            let after = &self.own[confirmed + 1..];
            assert!(after.iter().all(|word| word == "offline" || word == "online"), "{about}: {:?}", self.own);
            assert!(!is_in, "{about}: confirmed, and it is so");
        }
        assert_eq!(is_in, expected.is_in && truth == Truth::AsItWas, "{about}: nobody logs it out later");
        let expected: &[&str] = if is_in { &[AGENT] } else { &[] };
        let adapters: Vec<_> = self.house.acd.inner.adapters().iter().map(ToString::to_string).collect();
        assert_eq!(adapters, expected, "{about}");
        let cell = self.house.house.table.agent(&key()).unwrap();
        {
            let entry = cell.entry();
            assert_eq!(entry.facts.is_logged_in(), is_in, "{about}: the table says what the ACD does");
            assert!(entry.logging_out.is_none() && entry.unsure.is_none() && !entry.mending, "{about}: {entry:?}");
        }
        assert!(cell.turn.try_lock().is_ok(), "{about}");
        assert_eq!(self.house.house.commands_waiting(PERIPHERAL), 0, "{about}");
        self.logs_out_at_last(is_in, about).await;
    }

    /// Who asks again is logged out, or is told that it is.
    async fn logs_out_at_last(&mut self, is_in: bool, about: &str) {
        self.all.clear();
        let again = self.bridge.asks(AGENT, LOGOUT);
        self.logout = again;
        self.hear().await;
        match is_in {
            true => assert_eq!(self.all, ["LOGOUT", "confirmed"], "{about}"),
            false => assert!(
                self.all == ["confirmed"] || self.all == ["failed CF_INVALID_OBJECT_STATE"],
                "{about}: {:?}",
                self.all
            ),
        }
        assert!(self.house.acd.inner.adapters().is_empty(), "{about}");
        let subscriptions = self.house.house.table.subscriptions.count();
        assert_eq!(subscriptions, 1, "{about}: the bridge's");
    }
}

fn key() -> AgentKey {
    AgentKey { peripheral: PERIPHERAL, agent: AgentId::new(AGENT).unwrap() }
}

fn in_words(message: &AnyMessage, logout: u32) -> String {
    match message {
        AnyMessage::AgentStateEvent(event) => {
            format!("{:?}", event.agent_state).trim_start_matches("AGENT_STATE_").to_owned()
        }
        AnyMessage::SetAgentStateConf(done) if done.invoke_id == logout => "confirmed".to_owned(),
        AnyMessage::ControlFailureConf(no) if no.invoke_id == logout => format!("failed {:?}", no.failure_code),
        AnyMessage::SystemEvent(event) if event.system_event_id == SystemEventId::SYS_PERIPHERAL_OFFLINE => {
            "offline".into()
        }
        AnyMessage::SystemEvent(event) if event.system_event_id == SystemEventId::SYS_PERIPHERAL_ONLINE => {
            "online".into()
        }
        other => format!("{other:?}"),
    }
}

const TRUTHS: [Truth; 2] = [Truth::AsItWas, Truth::LoggedOutMeanwhile];

#[tokio::test(start_paused = true)]
async fn point_1_it_is_refused_at_once_and_nothing_is_asked() {
    for truth in TRUTHS {
        let mut scene = Scene::new().await;
        scene.house.acd.inner.go_away();
        scene.hear().await;
        scene.asks_to_log_out();
        scene.ends_whole(NOTHING_DONE, truth, &format!("{truth:?}")).await;
        let asked = scene.house.acd.journal();
        assert_eq!(
            asked.iter().filter(|line| line.starts_with("log_out 1001")).count(),
            usize::from(truth == Truth::AsItWas) * 2
        );
    }
}

#[tokio::test(start_paused = true)]
async fn point_2_a_logout_out_of_some_queues() {
    for death in DEATHS {
        let mut scene = Scene::new().await;
        let held = scene.house.acd.hold("log_out");
        scene.logout = scene.desk.asks_with(AGENT, LOGOUT, |request| {
            (request.num_skill_groups, request.skill_groups) = (1, skill_groups(&[2]));
        });
        death.comes(held.await.unwrap());
        scene.hear().await;
        scene.house.acd.inner.come_back();
        scene.hear().await;
        let is_confirmed = scene.own.contains(&"confirmed".to_owned());
        assert_eq!(is_confirmed, death == Death::Said, "{death:?}: {:?}", scene.own);
        let told = scene.all.iter().filter(|word| *word == "NOT_READY").count();
        assert_eq!(
            told,
            usize::from(death != Death::Before),
            "{death:?}: that it left one is told once: {:?}",
            scene.all
        );
        let key = key();
        let queues = scene.house.house.table.agent(&key).unwrap().entry().facts.queues.clone();
        assert_eq!(queues, scene.house.acd.inner.facts(&key.agent).unwrap().queues, "{death:?}");
        assert_eq!(scene.house.acd.inner.adapters().len(), 1, "{death:?}");
        scene.logs_out_at_last(true, &format!("{death:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn point_3_the_logout_is_marked_and_waits_for_its_turn() {
    for truth in TRUTHS {
        for death in DEATHS {
            let mut scene = Scene::new().await;
            let held = scene.house.acd.hold("set_state");
            scene.bridge.asks(AGENT, AgentState::AGENT_STATE_NOT_READY);
            let held = held.await.unwrap();
            scene.asks_to_log_out();
            tokio::task::yield_now().await;
            let cell = scene.house.house.table.agent(&key()).unwrap();
            assert!(cell.entry().logging_out.is_some(), "it is marked");
            death.comes(held);
            scene.ends_whole(NOTHING_DONE, truth, &format!("{death:?}, {truth:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn points_4_and_5_the_acd_logs_the_agent_out_and_the_last_event_is_due() {
    for truth in TRUTHS {
        for death in DEATHS {
            let mut scene = Scene::new().await;
            let held = scene.house.acd.hold("log_out");
            scene.asks_to_log_out();
            death.comes(held.await.unwrap());
            let expected = if death == Death::Before { NOTHING_DONE } else { DONE_AND_FAILED };
            scene.ends_whole(expected, truth, &format!("{death:?}, {truth:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn point_4_the_acd_is_asked_what_became_of_the_agent() {
    for truth in TRUTHS {
        for death in DEATHS {
            for is_done in [false, true] {
                let mut scene = Scene::new().await;
                let (held, asked) = (scene.house.acd.hold("log_out"), scene.house.acd.hold("agent"));
                scene.asks_to_log_out();
                match held.await.unwrap() {
                    held if is_done => held.does_it_in_silence(),
                    held => held.never_answers(),
                }
                death.comes(asked.await.unwrap());
                let expected = if is_done { DONE_AND_FAILED } else { NOTHING_DONE };
                scene.ends_whole(expected, truth, &format!("done: {is_done}, {death:?}, {truth:?}")).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn points_6_and_7_the_adapter_is_closed_and_the_confirm_is_due() {
    for death in DEATHS {
        let mut scene = Scene::new().await;
        let held = scene.house.acd.hold("close_adapter");
        scene.asks_to_log_out();
        death.comes(held.await.unwrap());
        scene.hear().await;
        let is_confirmed = scene.own.contains(&"confirmed".to_owned());
        assert_eq!(is_confirmed, death == Death::Said, "{death:?}: {:?}", scene.own);
        let expected = if death == Death::Said { DONE } else { DONE_AND_FAILED };
        scene.ends_whole(expected, Truth::AsItWas, &format!("{death:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn point_8_the_close_is_tried_again() {
    for death in DEATHS {
        let mut scene = Scene::new().await;
        let (first, second) = (scene.house.acd.hold("close_adapter"), scene.house.acd.hold("close_adapter"));
        scene.asks_to_log_out();
        first.await.unwrap().refuses(AcdRefusal::Refused { code: 0, words: "busy".to_owned() });
        death.comes(second.await.unwrap());
        scene.ends_whole(DONE_AND_FAILED, Truth::AsItWas, &format!("{death:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn point_9_the_client_is_gone_as_well() {
    for truth in TRUTHS {
        for command in ["log_out", "close_adapter"] {
            for death in DEATHS {
                let mut scene = Scene::new().await;
                let held = scene.house.acd.hold(command);
                scene.asks_to_log_out();
                let held = held.await.unwrap();
                scene.desk.is_lost();
                death.comes(held);
                let is_done = command == "close_adapter" || death != Death::Before;
                let expected = if is_done { DONE_AND_FAILED } else { NOTHING_DONE };
                scene.ends_whole(expected, truth, &format!("{command}, {death:?}, {truth:?}")).await;
            }
        }
    }
}
