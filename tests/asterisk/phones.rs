//! Agents at real SIP phones: what they do at the phone reaches the client.

use std::time::Duration;

use super::desk::*;
use super::phone::{Display, Manners, Phone};
use super::rig::*;

const PHONES: &str = "PJSIP/{instrument}";
const HOLD: cti_protocol::ged188::codes::AgentState = cti_protocol::ged188::codes::AgentState::AGENT_STATE_HOLD;

#[tokio::test]
async fn what_the_agent_does_at_the_phone_reaches_the_client() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, "").await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    while desk.hears("1001", NOT_READY).await != 32762 {
        desk.told.clear(); // nobody is registered there yet
    }
    let phone = Phone::registered(asterisk.port + 22, "3001", Manners::Rings).await;
    desk.hears("1001", READY).await;
    console.calls("sales", "patient").await;
    desk.hears("1001", RESERVED).await;
    phone.shows(Display::Ringing).await;
    phone.answers().await;
    desk.hears("1001", TALKING).await;
    phone.holds().await;
    desk.hears("1001", HOLD).await;
    phone.retrieves().await;
    desk.hears("1001", TALKING).await;
    phone.hangs_up().await;
    desk.hears("1001", READY).await;
    phone.unregisters().await;
    assert_eq!(desk.hears("1001", NOT_READY).await, 32762);
    phone.registers_again().await;
    desk.hears("1001", READY).await;
}

#[tokio::test]
async fn a_call_that_the_caller_ends_frees_the_agent_at_its_phone() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, "").await;
    let manners = Manners::AnswersAfter(Duration::from_millis(100));
    let _phone = Phone::registered(asterisk.port + 22, "3002", manners).await;
    let mut desk = Desk::of_agent(served.address, "1002").await;
    desk.does("1002", LOGIN).await;
    desk.does("1002", READY).await;
    console.calls("support", "impatient").await;
    desk.hears("1002", TALKING).await;
    desk.hears("1002", READY).await;
}

#[tokio::test]
async fn a_phone_that_declines_gets_the_call_again_and_one_that_logs_out_rings_no_more() {
    let asterisk = Asterisk::start().await;
    let mut console = asterisk.console().await;
    let served = gateway(asterisk.port, PHONES, "").await;
    let phone = Phone::registered(asterisk.port + 22, "3001", Manners::Rings).await;
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", LOGIN).await;
    desk.does("1001", READY).await;
    console.calls("sales", "wait").await;
    desk.hears("1001", RESERVED).await;
    phone.shows(Display::Ringing).await;
    phone.declines().await;
    desk.hears("1001", READY).await;
    desk.hears("1001", RESERVED).await;
    phone.shows(Display::Ringing).await;
    desk.does("1001", LOGOUT).await;
    tokio::time::timeout(Duration::from_secs(2), phone.shows(Display::Idle)).await.expect("it has stopped to ring");
}
