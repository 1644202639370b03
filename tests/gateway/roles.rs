//! Who may do what: every request of every dialect, by every role, about one's own agent, a team-mate, and a stranger.
//!
//! Lives here: the stage on which this is tried. The tables are in `ged188` and `opencti`; what a session may hear is in
//! `leaks`. Must hold: a request without a row in its table fails the test.

mod ged188;
mod leaks;
mod opencti;

use cti_protocol::ged188::codes::{AgentState, ServiceMask};
use ctigate::config::{ClientConfig, Config};
use ctigate::model::{AgentId, Password, QueueId, Role, Secret, Service};

use crate::support::desk::{Desk, instrument_of, open_req, services_of_bridge};
use crate::support::house::{TestHouse, client, house_of, team};
use crate::support::phone::patient_world;

/// The agent whose desktop the roles agent and supervisor are; it supervises team 1.
const OWN: &str = "1001";
/// A member of team 1.
const MATE: &str = "1002";
/// A member of team 2.
const STRANGER: &str = "1012";
/// Who is called by the others.
const HELPER: &str = "1030";

const TARGETS: [&str; 3] = [OWN, MATE, STRANGER];

/// The columns of the tables: the clients that are tried, which are called as their role.
const CLIENTS: [&str; 5] = ["agent", "supervisor", "bridge", "admin", "narrow"];

const SECRET: &str = "s3cret";

/// What is there before a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    /// Nobody is logged in.
    Out,
    /// The three are, and the helper; nobody is ready.
    In,
    /// Call 1 rings at the target.
    Ringing,
    /// The target talks on call 1.
    Talking,
    /// The target has left call 1 and is not done with it.
    Left,
    /// The target has call 1 on hold.
    OnHold,
    /// The target has call 1 on hold and talks with the helper on call 2.
    Consulting,
}

/// A gateway with clients of every role, and somebody who sets the scene.
struct Stage {
    house: TestHouse,
    /// Commands everybody.
    director: Desk,
}

fn configured(config: &mut Config) {
    config.teams = vec![team(1, &[OWN], &[MATE]), team(2, &["1011"], &[STRANGER, HELPER])];
    let with_secret = |id: &str, role| ClientConfig {
        password: Some(Secret::Here(Password::new(SECRET))),
        agents: (role < Role::Bridge).then(|| vec![OWN.to_owned()]),
        ..client(id, role)
    };
    config.clients = vec![
        with_secret("agent", Role::Agent),
        with_secret("supervisor", Role::Supervisor),
        with_secret("bridge", Role::Bridge),
        with_secret("admin", Role::Admin),
        ClientConfig { services: Some(vec![Service::ClientEvents]), ..with_secret("narrow", Role::Agent) },
        client("director", Role::Admin),
        ClientConfig { agents: Some(vec![STRANGER.to_owned()]), ..client("stranger", Role::Agent) },
    ];
}

impl Stage {
    async fn empty() -> Stage {
        let mut world = patient_world();
        (world.agents[0].count, world.instruments[0].count) = (30, 30);
        world.wrap_up = std::time::Duration::from_secs(60);
        let house = house_of(world, configured).await;
        let mut director = Desk::connected(&house, 20);
        let services = services_of_bridge() | ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE;
        director.opens(open_req("director", services)).await;
        director.hears().await;
        Stage { house, director }
    }

    async fn set(scene: Scene, target: &str) -> Stage {
        let mut stage = Stage::empty().await;
        if scene == Scene::Out {
            return stage;
        }
        for agent in TARGETS.into_iter().chain([HELPER]) {
            stage.enters(agent).await;
        }
        stage.acts(scene, target).await;
        stage
    }

    async fn enters(&mut self, agent: &str) {
        self.director.asks(agent, AgentState::AGENT_STATE_LOGIN);
        self.director.hears().await;
    }

    /// Brings a target that is logged in as far as the scene wants it.
    async fn acts(&mut self, scene: Scene, target: &str) {
        if matches!(scene, Scene::Out | Scene::In) {
            return;
        }
        let device = instrument_of(target);
        self.director.asks(target, AgentState::AGENT_STATE_AVAILABLE);
        self.director.hears().await;
        self.house.acd.inner.arrive(QueueId(1));
        self.director.hears().await;
        if scene != Scene::Ringing {
            self.director.answers(1, &device);
            self.director.hears().await;
        }
        if scene == Scene::Left {
            self.director.clears(1, &device);
            self.director.hears().await;
        }
        if scene == Scene::OnHold {
            self.director.holds(1, &device);
            self.director.hears().await;
        }
        if scene == Scene::Consulting {
            self.director.consults(1, &device, &instrument_of(HELPER));
            self.director.hears().await;
            self.director.answers(2, &instrument_of(HELPER));
            self.director.hears().await;
        }
    }

    /// All that a request could have changed: the ACD's truth, and what the gateway keeps for its clients.
    fn truth(&self) -> String {
        let acd = &self.house.acd.inner;
        let facts = TARGETS.into_iter().chain([HELPER]).map(|agent| acd.facts(&AgentId::new(agent).unwrap()));
        let subscriptions = self.house.house.table.subscriptions.count();
        format!("{:#?}\n{:#?}\n{:?}\n{subscriptions}", facts.collect::<Vec<_>>(), acd.calls(), acd.adapters())
    }
}

/// What came of a request, as a letter of the tables.
///
/// `+` it was done; `-` the client was told that it has no right; `?` the client was told that it has nothing of that number;
/// `.` the client has the right, and the ACD cannot.
type Mark = char;

/// Compares what came of a request with its row, and whether anything has changed with that.
fn judge(
    what: &str,
    expected: Mark,
    came: Mark,
    told: &str,
    (before, after): (&str, &str),
    is_change: bool,
) -> Option<String> {
    if came != expected {
        return Some(format!("{what}: {expected} expected, {came} came: {told}"));
    }
    match (came, before == after) {
        ('+', true) if is_change => Some(format!("{what}: it was done, and nothing has changed")),
        ('-' | '?' | '.', false) => {
            Some(format!("{what}: it was refused, and something has changed: {before} {after}"))
        }
        _ => None,
    }
}
