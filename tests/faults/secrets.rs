//! A secret that is replaced while the gateway runs.

use cti_protocol::ged188::codes::AgentState;

use crate::ami::Ami;
use crate::client::{Client, Said};
use crate::process::{PATIENCE, Start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acds_secret_that_was_replaced_counts_from_the_next_link_on_without_a_restart() {
    let (ami, directory) = (Ami::start().await, tempfile::tempdir().expect("a directory"));
    let file = directory.path().join("secret");
    std::fs::write(&file, "the first").expect("a file");
    ami.takes_secret("the first");
    let lines = format!("secret = {{ file = {file:?} }}\nreconnect_min = \"10ms\"\nreconnect_max = \"20ms\"");
    let gateway = Start::with(&ami.config_with(&lines)).gateway();
    let mut desktop = Client::bridge(gateway.address).await;
    assert_eq!(desktop.asks(1001, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);

    ami.takes_secret("the second");
    ami.cuts();
    ami.logins(|logins| logins.refused > 0).await;
    std::fs::write(&file, "the second\n").expect("a file");
    ami.logins(|logins| logins.accepted >= 2).await;
    // The table is rebuilt before requests are taken again.
    is_confirmed(&mut desktop, AgentState::AGENT_STATE_AVAILABLE).await;

    // Without the file the secret that was read last is used.
    std::fs::remove_file(&file).expect("there is none");
    let accepted = ami.logged_in();
    ami.cuts();
    ami.logins(|logins| logins.accepted > accepted).await;
    is_confirmed(&mut desktop, AgentState::AGENT_STATE_LOGOUT).await;
    assert!(ami.queues_of(1001).is_empty());
}

/// Asks until it is done.
async fn is_confirmed(desktop: &mut Client, state: AgentState) {
    let asked = async {
        loop {
            match desktop.asks(1001, state).await {
                Said::Confirmed => return,
                Said::Refused => (),
                Said::Gone => panic!("the gateway goes on"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("a link");
}
