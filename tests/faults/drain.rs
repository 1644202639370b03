//! A gateway that is sent away under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cti_protocol::ged188::codes::AgentState;

use crate::client::{Client, Said};
use crate::process::Start;

const AGENTS: std::ops::Range<u32> = 1001..1051;
/// So many answers have come when it is sent away.
const ANSWERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_sent_away_under_load_serves_each_client_until_its_goodbye_and_ends_well() {
    let config = "[timeouts]\ngoodbyes = \"1s\"\n[[acd]]\nkind = \"embedded\"\nlatency = \"2ms\"";
    let gateway = Start::with(config).gateway();
    let answered = Arc::new(AtomicUsize::new(0));
    let gone = Arc::new(AtomicUsize::new(0));
    let after_the_first = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = AGENTS
        .map(|agent| {
            let (address, answered) = (gateway.address, Arc::clone(&answered));
            let (gone, after_the_first) = (Arc::clone(&gone), Arc::clone(&after_the_first));
            tokio::spawn(async move {
                let mut desktop = Client::of_agent(address, agent).await;
                assert_eq!(desktop.asks(agent, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
                let states = [AgentState::AGENT_STATE_AVAILABLE, AgentState::AGENT_STATE_NOT_READY];
                for state in states.into_iter().cycle() {
                    match desktop.asks(agent, state).await {
                        Said::Confirmed => answered.fetch_add(1, Ordering::Relaxed),
                        // What comes behind the goodbye is not taken, and nothing of it is done.
                        Said::Refused | Said::Gone => break,
                    };
                    if gone.load(Ordering::Relaxed) > 0 {
                        after_the_first.fetch_add(1, Ordering::Relaxed);
                    }
                }
                gone.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    while answered.load(Ordering::Relaxed) < ANSWERS {
        tokio::task::yield_now().await;
    }
    gateway.is_sent_away();
    for client in clients {
        client.await.expect("a client that got its goodbye");
    }
    assert_eq!(gone.load(Ordering::Relaxed), AGENTS.len());
    let after_the_first = after_the_first.load(Ordering::Relaxed);
    assert!(after_the_first >= AGENTS.len(), "{after_the_first}: the others were served while one had gone");
    assert_eq!(gateway.ends().await.code(), Some(0));
}
