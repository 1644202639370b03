//! The link to an Asterisk under TLS.

use cti_protocol::ged188::codes::AgentState;
use ctigate::config::Config;
use ctigate::model::PeripheralId;
use ctigate::server::Gateway;

use crate::desk::Desk;
use crate::rig::{Asterisk, TALKERS, gateway};

/// Its certificate signs itself, and stands for its own authority.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/asterisk/etc/tls.pem");

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_works_behind_a_link_under_tls() {
    let asterisk = Asterisk::start().await;
    let tls = format!("tls = {{ ca = {CERTIFICATE:?}, name = \"pbx.example\" }}");
    let served = gateway(asterisk.port + 1, TALKERS, &tls).await;
    assert!(served.gateway.house().table.is_online(PeripheralId(5000)), "the link is up");
    let mut desk = Desk::of_agent(served.address, "1001").await;
    desk.does("1001", AgentState::AGENT_STATE_LOGIN).await;
    desk.does("1001", AgentState::AGENT_STATE_AVAILABLE).await;
    assert_eq!(desk.queries("1001").await.0, AgentState::AGENT_STATE_AVAILABLE);
    desk.does("1001", AgentState::AGENT_STATE_NOT_READY).await;
    desk.does("1001", AgentState::AGENT_STATE_LOGOUT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_of_another_name_or_without_tls_is_not_talked_to() {
    let asterisk = Asterisk::start().await;
    for (port, name) in [(asterisk.port + 1, "other.example"), (asterisk.port, "pbx.example")] {
        let config = Config::from_toml(
            "test",
            &format!(
                "[timeouts]\nacd_start = \"2s\"\n[[listener]]\naddress = \"127.0.0.1:0\"\n\
                 [[acd]]\nkind = \"asterisk\"\nport = {port}\nuser = \"ctigate\"\nsecret = \"ctigate-secret\"\n\
                 connect_deadline = \"1s\"\ntls = {{ ca = {CERTIFICATE:?}, name = {name:?} }}\n\
                 [[acd.queue]]\nnumber = 1\nname = \"sales\"\n"
            ),
        );
        let gateway = Gateway::start(config.expect("a sound configuration")).await.expect("it starts without");
        assert!(!gateway.house().table.is_online(PeripheralId(5000)), "{name} at {port}");
        gateway.drain().await;
    }
}
