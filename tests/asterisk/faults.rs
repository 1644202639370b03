//! Asterisk and the way to it fail: no ghost login and no half logout afterwards, and who asked is told what happened.

use cti_protocol::ged188::codes::SystemEventId;

use super::desk::*;
use super::proxy::Proxy;
use super::rig::*;

const OFFLINE: SystemEventId = SystemEventId::SYS_PERIPHERAL_OFFLINE;
const ONLINE: SystemEventId = SystemEventId::SYS_PERIPHERAL_ONLINE;

#[tokio::test]
async fn a_link_that_is_cut_in_the_middle_of_a_logout_fails_it_and_leaves_no_half_of_it() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let proxy = Proxy::to(asterisk.port).await;
    let served = gateway(proxy.port, TALKERS, "in_flight_max = 1").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    proxy.cut_after("QueueRemove"); // the first of three has got there, its answer has not got back
    let words = desk.asks("1001", LOGOUT, |_| ()).await.expect_err("the link is cut");
    assert!(words.contains("logout of agent 1001 failed: the ACD cannot be reached"), "{words}");
    assert_eq!(console.members().await.len(), 2, "one queue is left, two are not");
    desk.hears_system(OFFLINE).await;
    proxy.mend();
    desk.hears_system(ONLINE).await;
    assert_ne!(desk.told["1001"].0, LOGOUT, "nobody was told of a logout");
    // As Asterisk says that it is: in two queues; and a second logout ends that.
    assert_eq!(desk.queries("1001").await.1.len(), 2);
    desk.does("1001", LOGOUT).await;
    assert_eq!(console.members().await, Members::new());
}

#[tokio::test]
async fn an_action_that_is_never_answered_fails_the_request_and_the_truth_is_asked_for() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let proxy = Proxy::to(asterisk.port).await;
    let served = gateway(proxy.port, TALKERS, "action_deadline = \"500ms\"\nping_every = \"200ms\"").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.hears("1001", NOT_READY).await;

    proxy.swallow_answer_to("QueueRemove");
    let words = desk.asks("1001", LOGOUT, in_queues(&[1])).await.expect_err("no answer came");
    assert!(words.contains("did not answer"), "{words}");
    // It was done there all the same, which is found out and told.
    assert_eq!(desk.queries("1001").await.1, [2, 3]);

    proxy.swallow_answer_to("QueuePause");
    let words = desk.asks("1001", READY, |_| ()).await.expect_err("no answer came");
    assert!(words.contains("did not answer"), "{words}");
    desk.hears("1001", READY).await;

    proxy.swallow_answer_to("QueueRemove");
    desk.asks("1001", LOGOUT, |_| ()).await.expect_err("no answer came");
    let members = console.members().await;
    let (_, queues) = desk.queries("1001").await;
    assert_eq!(queues.len(), members.len(), "{members:?}");
    // Asking again is harmless: it is a success when all is done.
    desk.does("1001", LOGOUT).await;
    assert_eq!(console.members().await, Members::new());
}

#[tokio::test]
async fn a_login_that_is_never_answered_leaves_no_ghost() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let proxy = Proxy::to(asterisk.port).await;
    let served = gateway(proxy.port, TALKERS, "action_deadline = \"500ms\"\nping_every = \"200ms\"").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    proxy.swallow_answer_to("QueueAdd");
    let words = desk.asks("1001", LOGIN, |_| ()).await.expect_err("no answer came");
    assert!(words.contains("did not answer"), "{words}");
    console.until("the login is undone", Members::is_empty).await;
    assert_eq!(desk.queries("1001").await, (LOGOUT, vec![]));
    desk.does("1001", LOGIN).await;
    assert_eq!(console.members().await.len(), 3);
}

#[tokio::test]
async fn an_asterisk_that_stops_reading_is_given_up_and_found_again() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, TALKERS, "action_deadline = \"500ms\"\nconnect_deadline = \"1s\"").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    asterisk.signal("-STOP");
    let words = desk.asks("1001", READY, |_| ()).await.expect_err("it does not read");
    assert!(words.contains("cannot be reached") || words.contains("did not answer"), "{words}");
    desk.hears_system(OFFLINE).await;
    let words = desk.asks("1001", LOGOUT, |_| ()).await.expect_err("there is no link");
    assert!(words.contains("link to peripheral 5000 is down"), "{words}");
    asterisk.signal("-CONT");
    desk.hears_system(ONLINE).await;
    let mut console = asterisk.console().await;
    assert_eq!(desk.queries("1001").await.1, [1, 2, 3]);
    desk.does("1001", LOGOUT).await;
    assert_eq!(console.members().await, Members::new());
}

#[tokio::test]
async fn an_asterisk_that_crashes_and_comes_back_without_its_members_has_everybody_logged_out() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut bridge = Desk::bridge(served.address).await;
    for agent in ["1001", "1002"] {
        bridge.does(agent, LOGIN).await;
    }
    asterisk.kill().await;
    bridge.hears_system(OFFLINE).await;
    asterisk.up().await;
    bridge.hears_system(ONLINE).await;
    for agent in ["1001", "1002"] {
        bridge.hears(agent, LOGOUT).await;
        bridge.told.remove(agent);
        bridge.does(agent, LOGIN).await;
    }
    assert_eq!(asterisk.console().await.members().await.len(), 6);
}

#[tokio::test]
async fn a_gateway_that_comes_back_finds_its_agents_and_their_calls() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    console.calls("sales", "patient").await;
    desk.hears("1001", TALKING).await;
    drop(desk);
    served.gateway.drain().await;
    let served = gateway(asterisk.port, TALKERS, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    assert_eq!(desk.queries("1001").await, (TALKING, vec![1, 2, 3]));
    desk.does("1001", LOGOUT).await;
    assert_eq!(console.members().await, Members::new());
}

#[tokio::test]
async fn an_asterisk_that_is_away_at_the_start_keeps_nobody_else_from_work() {
    let asterisk = Asterisk::start().await;
    asterisk.kill().await;
    let text = format!(
        "[timeouts]\nacd_start = \"100ms\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
         [[acd]]\nkind = \"asterisk\"\nperipheral = 5001\nport = {}\nuser = \"ctigate\"\nsecret = \"ctigate-secret\"\n\
         interface = \"{TALKERS}\"\n[[acd.queue]]\nnumber = 1\nname = \"sales\"\n\
         [[acd]]\nkind = \"embedded\"\nperipheral = 5000\n",
        asterisk.port
    );
    let config = ctigate::config::Config::from_toml("test", &text).expect("sound");
    let gateway = ctigate::server::Gateway::start(config).await.expect("it starts");
    let mut bridge = Desk::bridge(gateway.listeners()[0].1).await;
    let at = |id: u32, with_password: bool| {
        move |login: &mut cti_protocol::ged188::SetAgentStateReq| {
            login.peripheral_id = id;
            login.agent_password =
                with_password.then(|| cti_protocol::ged188::Text::new("pw1001").expect("a text that fits").into());
        }
    };
    bridge.asks("1001", LOGIN, at(5000, true)).await.expect("the embedded one is there");
    let words = bridge.asks("1001", LOGIN, at(5001, false)).await.expect_err("the other is not");
    assert!(words.contains("link to peripheral 5001 is down"), "{words}");
    asterisk.up().await;
    bridge.hears_system(ONLINE).await;
    while bridge.asks("1001", LOGIN, at(5001, false)).await.is_err() {
        bridge.hears_system(ONLINE).await; // that of the embedded one came first
    }
    assert_eq!(asterisk.console().await.members().await.len(), 1);
}
