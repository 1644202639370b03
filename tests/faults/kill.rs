//! A gateway that is killed under load, and the one that is started after it, in front of the same ACD.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cti_protocol::ged188::codes::AgentState;
use parking_lot::Mutex;

use crate::ami::Ami;
use crate::client::{Client, Said};
use crate::process::Start;

const AGENTS: std::ops::Range<u32> = 1001..1041;
/// So many confirms have come when it is killed: some logins, some logouts, and something of everybody under way.
const CONFIRMS: usize = 500;

/// What an agent's client knows when the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    In,
    Out,
    /// It has asked for something, and was told neither.
    Nothing,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_under_load_leaves_no_agent_otherwise_than_the_acd_says() {
    let ami = Ami::start().await;
    let gateway = Start::with(&ami.config()).gateway();
    let known = Arc::new(Mutex::new(BTreeMap::new()));
    let confirmed = Arc::new(AtomicUsize::new(0));
    let address = gateway.address;
    let clients: Vec<_> =
        AGENTS.map(|agent| tokio::spawn(work(address, agent, Arc::clone(&known), Arc::clone(&confirmed)))).collect();
    while confirmed.load(Ordering::Relaxed) < CONFIRMS {
        tokio::task::yield_now().await;
    }
    gateway.dies();
    for client in clients {
        client.await.expect("a client that is only told the truth");
    }

    let gateway = Start::with(&ami.config()).gateway();
    let mut bridge = Client::bridge(gateway.address).await;
    let known = known.lock().clone();
    assert_eq!(known.len(), AGENTS.len());
    for (agent, known) in &known {
        let queues = ami.queues_of(*agent);
        match known {
            Known::In => assert_eq!(queues.len(), 2, "{agent} was told to be in"),
            Known::Out => assert_eq!(queues.len(), 0, "{agent} was told to be out"),
            Known::Nothing => (),
        }
        let table = bridge.queries(*agent).await;
        let groups: Vec<u32> = table.skill_groups.iter().filter_map(|group| group.id).collect();
        assert_eq!(groups, Vec::from_iter(queues.clone()), "{agent} here and at the ACD");
        assert_eq!(table.agent_state == AgentState::AGENT_STATE_LOGOUT, queues.is_empty(), "{agent}: {table:?}");
    }
    // What was cut in the middle is whole again with the next logout, or login.
    for agent in known.keys() {
        let is_in = !ami.queues_of(*agent).is_empty();
        let said = bridge.asks(*agent, AgentState::AGENT_STATE_LOGOUT).await;
        assert_eq!(said, if is_in { Said::Confirmed } else { Said::Refused }, "{agent}");
        assert_eq!(ami.queues_of(*agent).len(), 0);
        assert_eq!(bridge.asks(*agent, AgentState::AGENT_STATE_LOGIN).await, Said::Confirmed);
        assert_eq!(ami.queues_of(*agent).len(), 2);
    }
}

/// Logs in and out until the connection is gone.
async fn work(
    address: std::net::SocketAddr,
    agent: u32,
    known: Arc<Mutex<BTreeMap<u32, Known>>>,
    confirmed: Arc<AtomicUsize>,
) {
    let mut desktop = Client::bridge(address).await;
    for (state, then) in [
        (AgentState::AGENT_STATE_LOGIN, Known::In),
        (AgentState::AGENT_STATE_AVAILABLE, Known::In),
        (AgentState::AGENT_STATE_LOGOUT, Known::Out),
    ]
    .into_iter()
    .cycle()
    {
        let before = known.lock().insert(agent, Known::Nothing);
        match desktop.asks(agent, state).await {
            Said::Confirmed => {
                known.lock().insert(agent, then);
                confirmed.fetch_add(1, Ordering::Relaxed);
            }
            Said::Gone => {
                // A change between two states of an agent that is in takes it out of nothing.
                if state == AgentState::AGENT_STATE_AVAILABLE {
                    known.lock().insert(agent, before.unwrap_or(Known::Nothing));
                }
                return;
            }
            Said::Refused => panic!("{agent} was refused {state:?}"),
        }
    }
}
