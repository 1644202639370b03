//! What a client asks, against what Asterisk's queues and its console show, step by step.

use super::desk::*;
use super::rig::*;

/// The members of one agent, by queue: their pause.
fn of(members: &Members, agent: &str) -> Vec<(String, Option<String>)> {
    let own = members.iter().filter(|((_, name), _)| name == agent);
    own.map(|((queue, _), (paused, _))| (queue.clone(), paused.clone())).collect()
}

fn in_all(pause: Option<&str>) -> Vec<(String, Option<String>)> {
    ["billing", "sales", "support"].map(|queue| (queue.to_owned(), pause.map(str::to_owned))).to_vec()
}

#[tokio::test]
async fn after_every_step_the_console_shows_what_the_client_was_told() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("")));
    desk.does("1001", READY).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(None));
    desk.asks("1001", NOT_READY, for_reason(7)).await.expect("not ready");
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("lunch")));
    assert_eq!(desk.hears("1001", NOT_READY).await, 7);
    desk.asks("1001", NOT_READY, for_reason(42)).await.expect("not ready");
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("42")));
    desk.does("1001", WORK_READY).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("wrap-up")));
    desk.hears("1001", WORK_READY).await;
    desk.does("1001", WORK_NOT_READY).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(Some("after-call work")));
    assert_eq!(shown(&mut console).await["sales"], ["1001"]);
    desk.asks("1001", LOGOUT, for_reason(5)).await.expect("logout");
    assert_eq!(desk.hears("1001", LOGOUT).await, 5);
    assert_eq!(of(&console.members().await, "1001"), []);
    assert!(shown(&mut console).await.values().all(Vec::is_empty));
}

#[tokio::test]
async fn a_user_who_may_not_filter_events_will_do() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway_as("unfiltered", asterisk.port, RINGERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(None));
    console.calls("sales", "patient").await;
    desk.hears("1001", RESERVED).await;
    desk.does("1001", LOGOUT).await; // hangs the ringing call up
    assert_eq!(of(&console.members().await, "1001"), []);
    console.until("no call rings", |members| members.is_empty()).await;
}

#[tokio::test]
async fn an_agent_joins_and_leaves_queues_one_by_one_and_keeps_its_state() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.asks("1001", LOGIN, in_queues(&[1])).await.expect("login");
    desk.does("1001", READY).await;
    desk.asks("1001", LOGIN, in_queues(&[1, 2])).await.expect("queues that hold the agent are no error");
    let ready = |queues: &[&str]| queues.iter().map(|queue| (queue.to_string(), None)).collect::<Vec<_>>();
    assert_eq!(of(&console.members().await, "1001"), ready(&["sales", "support"]));
    desk.asks("1001", LOGIN, in_queues(&[1, 2])).await.expect("nor is it where all of them do");
    desk.asks("1001", LOGIN, in_queues(&[3])).await.expect("one more");
    desk.asks("1001", LOGOUT, in_queues(&[1, 3])).await.expect("a partial logout");
    assert_eq!(of(&console.members().await, "1001"), ready(&["support"]));
    assert_eq!(desk.queries("1001").await, (READY, vec![2]));
    let words = desk.asks("1001", LOGOUT, in_queues(&[1])).await.expect_err("it is not in there");
    assert!(words.contains("not logged in to queue 1"), "{words}");
    desk.does("1001", LOGOUT).await;
    assert_eq!(of(&console.members().await, "1001"), []);
}

#[tokio::test]
async fn the_outcome_of_each_queue_is_known_and_a_login_is_in_all_or_in_none() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let more = "[[acd.queue]]\nnumber = 4\nname = \"nowhere\"";
    let served = gateway(asterisk.port, TALKERS, more).await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    let words = desk.asks("1001", LOGIN, in_queues(&[1, 4])).await.expect_err("there is no such queue");
    assert!(words.contains("queue nowhere: Unable to add interface to queue: No such queue"), "{words}");
    assert!(words.contains("queue sales: joined and left again"), "{words}");
    assert_eq!(of(&console.members().await, "1001"), []);
    let words = desk.asks("1001", LOGIN, in_queues(&[9])).await.expect_err("it has no number");
    assert!(words.contains("queue 9"), "{words}");
}

#[tokio::test]
async fn what_the_operator_does_on_the_console_reaches_every_subscriber() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut bridge = Desk::bridge(served.address).await;
    let member = "Local/3001@long-agents/n";
    console.types(&format!("queue add member {member} to sales penalty 0 as 1001")).await;
    bridge.hears("1001", READY).await;
    console.types(&format!("queue pause member {member} queue sales reason lunch")).await;
    assert_eq!(bridge.hears("1001", NOT_READY).await, 7);
    console.types(&format!("queue unpause member {member}")).await;
    bridge.hears("1001", READY).await;
    console.types(&format!("queue add member {member} to support penalty 0 as 1001")).await;
    console.types(&format!("queue remove member {member} from sales")).await;
    console.until("removed", |members| of(members, "1001").len() == 1).await;
    bridge.does("1001", NOT_READY).await;
    console.types(&format!("queue remove member {member} from support")).await;
    bridge.hears("1001", LOGOUT).await;
}

#[tokio::test]
async fn a_call_is_offered_connected_and_completed_with_after_call_work_behind_it() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "wrap_up = \"1s\"").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    console.calls("sales", "patient").await;
    desk.hears("1001", RESERVED).await;
    desk.hears("1001", TALKING).await;
    let paused = |members: &Members| of(members, "1001") == in_all(Some("wrap-up"));
    console.until("after-call work begins with the call", paused).await;
    console.tries("Hangup", &[("Channel", "/^Local.patient.*/")]).await;
    desk.hears("1001", WORK_READY).await;
    desk.hears("1001", READY).await;
    assert_eq!(of(&console.members().await, "1001"), in_all(None));
}

#[tokio::test]
async fn a_caller_who_gives_up_and_an_agent_who_does_not_answer() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, RINGERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.asks("1001", LOGIN, in_queues(&[3])).await.expect("login");
    desk.does("1001", READY).await;
    console.calls("billing", "impatient").await;
    desk.hears("1001", RESERVED).await;
    desk.hears("1001", READY).await;
    console.calls("billing", "wait").await; // rings 3 s there, then the queue itself pauses the agent
    desk.hears("1001", RESERVED).await;
    assert_eq!(desk.hears("1001", NOT_READY).await, 32763);
}

#[tokio::test]
async fn a_logout_ends_a_call_that_still_rings_before_it_is_confirmed() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, RINGERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    console.calls("sales", "wait").await;
    desk.hears("1001", RESERVED).await;
    desk.does("1001", LOGOUT).await;
    let channels = console.channels().await;
    let rings = |name: &String| name.contains("3001@") && name.ends_with(";1"); // what the queue dialled
    assert!(!channels.iter().any(rings), "{channels:?}");
    assert!(channels.iter().any(|name| name.contains("wait@callers")), "the caller waits on: {channels:?}");
}

#[tokio::test]
async fn a_logout_while_talking_leaves_the_call_alone() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    console.calls("sales", "wait").await;
    desk.hears("1001", TALKING).await;
    desk.does("1001", LOGOUT).await;
    assert_eq!(of(&console.members().await, "1001"), []);
    assert!(console.channels().await.iter().any(|name| name.contains("3001")));
}

#[tokio::test]
async fn a_phone_that_is_not_registered_is_reported_and_so_is_one_that_cannot_be() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, "PJSIP/{instrument}", "").await;
    for agent in ["1001", "9999"] {
        let mut desk = Desk::of_agent(served.address, agent).await;
        desk.does(agent, LOGIN).await;
        while desk.hears(agent, NOT_READY).await != 32762 {
            desk.told.clear();
        }
    }
}

#[tokio::test]
async fn what_asterisk_would_cut_or_corrupt_is_refused_by_name_and_never_sent() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let proxy = super::proxy::Proxy::to(asterisk.port).await;
    let served = gateway(proxy.port, "Local/{instrument}@long-agents/n", "").await;
    let mut bridge = Desk::bridge(served.address).await;
    let text = |content: &str| Some(cti_protocol::ged188::Text::new(content).expect("a text that fits"));
    for bad in ["a,b", "a|b", "a;b"] {
        let words = bridge.asks(bad, LOGIN, |_| ()).await.expect_err("not sendable");
        assert!(words.contains(&format!("agent {bad:?} cannot be sent to this ACD")), "{words}");
        let words = bridge.asks("1001", LOGIN, |login| login.agent_instrument = text(bad)).await;
        let words = words.expect_err("not sendable");
        assert!(words.contains(&format!("instrument {bad:?} cannot be sent to this ACD")), "{words}");
    }
    let long = "3".repeat(63); // with the rest of the interface 81 bytes, of which Asterisk would keep 79
    let words = bridge.asks("1001", LOGIN, |login| login.agent_instrument = text(&long)).await.expect_err("too long");
    assert!(words.contains("Asterisk keeps 79"), "{words}");
    assert_eq!(proxy.count("QueueAdd"), 0);
    assert_eq!(console.members().await, Members::new());
}

#[tokio::test]
async fn a_pause_repeated_is_confirmed_and_not_sent_twice() {
    let asterisk = Asterisk::start().await;
    let proxy = super::proxy::Proxy::to(asterisk.port).await;
    let served = gateway(proxy.port, TALKERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    for _ in 0..3 {
        desk.asks("1001", NOT_READY, for_reason(7)).await.expect("not ready");
    }
    assert_eq!(proxy.count("QueuePause"), 1);
}

#[tokio::test]
async fn a_device_holds_one_agent_and_a_forced_login_takes_it_over() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut bridge = Desk::bridge(served.address).await;
    console.types("queue add member Local/3002@long-agents/n to sales penalty 0 as 1001").await;
    bridge.hears("1001", READY).await;
    let words = bridge.asks("1002", LOGIN, |_| ()).await.expect_err("1002 works at 3002");
    assert!(words.contains("is in use"), "{words}");
    let forced = |login: &mut cti_protocol::ged188::SetAgentStateReq| {
        login.forced_flag = cti_protocol::ged188::codes::ForcedFlag::TRUE;
    };
    bridge.asks("1002", LOGIN, forced).await.expect("forced");
    bridge.hears("1001", LOGOUT).await;
    assert_eq!(of(&console.members().await, "1001"), []);
    assert_eq!(of(&console.members().await, "1002"), in_all(Some("")));
}
