//! A thousand calls with holds, questions, transfers and conferences at random: in the end nothing of them is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState as Code, ServiceMask, SupervisoryAction};
use cti_protocol::ged188::{AnyMessage, OpenReq, SnapshotDeviceReq, SuperviseCallReq};
use ctigate::config::Config;
use ctigate::model::{AgentId, AgentState, PartyState, QueueId};
use ctigate::sessions::Target;
use ctigate::sessions::statistics::{AgentCounts, CallFigures, Figures, SupervisedFigures};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::desk::{Desk, instrument_of, open_req, services_of_agent, text};
use crate::support::house::{PERIPHERAL, TestHouse, house_by, team};
use crate::support::phone::{call_watcher, patient_world, ready_desk};
use crate::support::recount::{Recorder, so_far_today};

const AGENTS: u32 = 12;
const CALLS: u32 = 1_000;

/// An agent that works on whatever comes, by what its own events say.
struct Worker {
    agent: String,
    device: String,
    desk: Desk,
    /// Its calls, by what it was told: number and LocalConnectionState.
    calls: BTreeMap<u32, u64>,
    state: Code,
}

impl Worker {
    async fn new(house: &TestHouse, id: u32) -> Worker {
        let agent = id.to_string();
        let device = instrument_of(&agent);
        let desk = ready_desk(house, &agent).await;
        Worker { agent, device, desk, calls: BTreeMap::new(), state: Code::AGENT_STATE_AVAILABLE }
    }

    /// Reads what came.
    fn looks(&mut self) {
        self.desk.wakes();
        while let Some(message) = self.desk.has_received() {
            let fields = message.to_json(self.desk.version);
            let number = |name: &str| fields.get(name).and_then(|value| value.as_u64());
            let is_mine = |name: &str| fields.get(name).and_then(|value| value.as_str()) == Some(&self.device);
            match &message {
                AnyMessage::AgentStateEvent(event) => self.state = event.agent_state,
                AnyMessage::BeginCallEvent(event) => drop(self.calls.insert(event.connection_call_id, 0)),
                AnyMessage::EndCallEvent(event) => drop(self.calls.remove(&event.connection_call_id)),
                AnyMessage::CallDataUpdateEvent(event) if event.new_connection_call_id != event.connection_call_id => {
                    let state = self.calls.remove(&event.connection_call_id).expect("it was told of the call");
                    self.calls.insert(event.new_connection_call_id, state);
                }
                _ if is_mine("ConnectionDeviceID") => {
                    let call = number("ConnectionCallID").expect("a call") as u32;
                    if let (Some(state), Some(known)) = (number("LocalConnectionState"), self.calls.get_mut(&call)) {
                        *known = state;
                    }
                }
                // The other end has answered what was dialled here.
                AnyMessage::CallEstablishedEvent(event) => {
                    self.calls.entry(event.connection_call_id).and_modify(|state| *state = 3);
                }
                AnyMessage::CallConferencedEvent(event) if is_mine("ControllerDeviceID") => {
                    self.calls.insert(event.primary_call_id, 3);
                }
                _ => (),
            }
        }
    }

    /// Does one thing that its calls allow.
    fn acts(&mut self, dice: &mut StdRng) {
        let with = |state: u64| self.calls.iter().find(|(_, is)| **is == state).map(|(id, _)| *id);
        let (rings, talks, held) = (with(2), with(3), with(4));
        let colleague = instrument_of(&(1001 + dice.random_range(0..AGENTS)).to_string());
        let to = if dice.random_bool(0.8) { colleague } else { "0041443456789".to_owned() };
        let (desk, device) = (&mut self.desk, self.device.as_str());
        match (rings, talks, held, dice.random_range(0..10)) {
            (Some(ringing), None, _, 0..=7) => drop(desk.answers(ringing, device)),
            (Some(ringing), ..) => drop(desk.deflects(ringing, device, &to)),
            (None, Some(active), Some(held), 0..=3) => drop(desk.transfers(active, held, device)),
            (None, Some(active), Some(held), 4..=6) => drop(desk.confers(active, held, device)),
            (None, Some(active), Some(held), 7) => drop(desk.alternates(active, held, device)),
            (None, Some(active), Some(held), _) => drop(desk.reconnects(active, held, device)),
            (None, Some(active), None, 0..=2) => drop(desk.holds(active, device)),
            (None, Some(active), None, 3..=5) => drop(desk.consults(active, device, &to)),
            (None, Some(active), None, 6) => drop(desk.transfers_blindly(active, device, &to)),
            (None, Some(active), None, _) => drop(desk.clears(active, device)),
            (None, None, Some(held), 0..=4) => drop(desk.retrieves(held, device)),
            (None, None, Some(held), _) => drop(desk.clears(held, device)),
            (None, None, None, 0) => drop(desk.makes_call(device, &to)),
            (None, None, None, _) if self.state == Code::AGENT_STATE_NOT_READY => {
                let agent = self.agent.clone();
                desk.asks(&agent, Code::AGENT_STATE_AVAILABLE);
            }
            _ => (),
        }
    }
}

/// Watches the agents at random, from a device where it is logged in and never ready.
struct Supervisor {
    desk: Desk,
    /// What it asked to do to whom and was not answered yet.
    asked: BTreeMap<u32, (String, SupervisoryAction)>,
    /// What was confirmed.
    done: BTreeMap<String, SupervisedFigures>,
}

impl Supervisor {
    const AGENT: &str = "1050";

    async fn new(house: &TestHouse) -> Supervisor {
        let mut desk = Desk::connected(house, 20);
        let services = ServiceMask(services_of_agent().0 | ServiceMask::CTI_SERVICE_SUPERVISOR.0);
        desk.opens(OpenReq { agent_id: text(Self::AGENT), ..open_req("supervisor", services) }).await;
        desk.hears().await;
        desk.logs_in(Self::AGENT).await;
        desk.hears().await;
        Supervisor { desk, asked: BTreeMap::new(), done: BTreeMap::new() }
    }

    fn looks(&mut self) {
        self.desk.wakes();
        while let Some(message) = self.desk.has_received() {
            let answered = message.invoke_id().and_then(|id| self.asked.remove(&id));
            let (AnyMessage::SuperviseCallConf(_), Some((agent, action))) = (message, answered) else { continue };
            let done = self.done.entry(agent).or_default();
            match action {
                SupervisoryAction::SUPERVISOR_MONITOR => done.monitored += 1,
                SupervisoryAction::SUPERVISOR_WHISPER => done.whispered += 1,
                SupervisoryAction::SUPERVISOR_BARGE_IN => done.barged_in += 1,
                SupervisoryAction::SUPERVISOR_INTERCEPT => done.intercepted += 1,
                _ => (),
            }
        }
    }

    /// Does one thing, or leaves whatever it is on.
    fn acts(&mut self, dice: &mut StdRng, leaves: bool) {
        let action = SupervisoryAction(if leaves { 0 } else { dice.random_range(0..8) % 5 });
        let agent = (1001 + dice.random_range(0..AGENTS)).to_string();
        let invoke_id = self.desk.next_invoke_id();
        self.desk.sends(SuperviseCallReq {
            invoke_id,
            peripheral_id: 0xffff_ffff,
            agent_connection_call_id: 0xffff_ffff,
            supervisor_connection_call_id: 0xffff_ffff,
            supervisory_action: action,
            agent_id: text(&agent),
            ..Default::default()
        });
        self.asked.insert(invoke_id, (agent, action));
    }
}

/// Everybody who works, the supervisor last.
fn agents() -> Vec<String> {
    let supervisor = Supervisor::AGENT.to_owned();
    (1001..1001 + AGENTS).map(|id| id.to_string()).chain([supervisor]).collect()
}

/// What the statistics say is what the events of the whole day come to, counted again.
fn figures_are_right(house: &TestHouse, of_all: &Recorder, agents: &[String], of_agents: &[Arc<Recorder>]) {
    let statistics = &house.house.table.statistics;
    let now = tokio::time::Instant::now();
    let mut recounted = BTreeMap::<QueueId, (Figures, u64)>::new();
    for (agent, recorder) in agents.iter().zip(of_agents) {
        let (own, by_queue, events) = recorder.figures(now);
        let said = statistics.of_agent(PERIPHERAL, &AgentId::new(agent).unwrap()).unwrap();
        assert_eq!(said.session, said.today, "it was one session of one day");
        are_near(&said.today, &own, events, agent);
        let is_busy = agent != Supervisor::AGENT;
        assert!(
            !is_busy || own.handled.calls > 10 && own.internal.calls > 0 && own.internal_received.calls > 0,
            "{own:?}"
        );
        for (queue, figures) in by_queue {
            let (sum, count) = recounted.entry(queue).or_default();
            for (sum, more) in pairs(sum, &figures) {
                add(sum, more);
            }
            sum.available += figures.available;
            sum.logged_on += figures.logged_on;
            sum.not_ready += figures.not_ready;
            *count += events;
        }
    }
    for (queue, (mut figures, events)) in recounted {
        (figures.queued, figures.queue_time, figures.queue_longest) = of_all.waits()[&queue];
        assert!(figures.queued > 100);
        are_near(&statistics.of_queue(PERIPHERAL, queue).today, &figures, events, &format!("{queue:?}"));
    }
}

/// Who is in a queue and does what, and who waits there, counted again from what the ACD says at this moment.
fn counts_are_right(house: &TestHouse) {
    let calls = house.acd.inner.calls();
    for queue in [1, 2, 3].map(QueueId) {
        let said = house.house.table.statistics.of_queue(PERIPHERAL, queue);
        let mut counted = AgentCounts::default();
        for id in agents() {
            let agent = AgentId::new(&id).unwrap();
            let facts = house.acd.inner.facts(&agent).unwrap();
            if !facts.queues.contains(&queue) {
                continue;
            }
            counted.logged_on += 1;
            let is_elsewhere = calls.iter().any(|call| {
                let party = call.device_of(&agent).and_then(|device| call.party(device));
                let talks = party.is_some_and(|party| party.state == PartyState::Connected);
                let is_a_callers = call.home.as_str().starts_with('8'); // it began in a queue
                talks && is_a_callers && call.queue.is_some_and(|of| of != queue)
            });
            match facts.state {
                AgentState::Ready => counted.available += 1,
                AgentState::NotReady => counted.not_ready += 1,
                AgentState::Reserved => counted.reserved += 1,
                AgentState::Talking if is_elsewhere => counted.busy_other += 1,
                _ => (),
            }
        }
        let told = said.agents;
        assert_eq!(
            (told.logged_on, told.available, told.not_ready, told.reserved),
            (counted.logged_on, counted.available, counted.not_ready, counted.reserved)
        );
        assert!(told.busy_other >= counted.busy_other, "{told:?}, {counted:?}");
        let of_all = told.available + told.not_ready + told.talking_in + told.talking_out + told.talking_other;
        let of_all = of_all + told.work_not_ready + told.work_ready + told.busy_other + told.reserved + told.hold;
        assert_eq!(of_all, told.logged_on, "each is counted once");
        let waiting = calls.iter().filter(|call| call.queue == Some(queue) && call.queue_point().is_some()).count();
        assert_eq!(said.waiting as usize, waiting);
    }
}

fn pairs<'a>(sum: &'a mut Figures, more: &'a Figures) -> [(&'a mut CallFigures, &'a CallFigures); 4] {
    [
        (&mut sum.handled, &more.handled),
        (&mut sum.out, &more.out),
        (&mut sum.internal, &more.internal),
        (&mut sum.internal_received, &more.internal_received),
    ]
}

fn add(sum: &mut CallFigures, more: &CallFigures) {
    sum.calls += more.calls;
    sum.talk += more.talk;
    sum.after_call += more.after_call;
    sum.held += more.held;
    sum.held_time += more.held_time;
}

/// Counts are equal; a time may differ by the millisecond that each of its parts is rounded by.
fn are_near(said: &Figures, counted: &Figures, parts: u64, whose: &str) {
    let counts = |of: &Figures| {
        let calls = [of.handled, of.out, of.internal, of.internal_received].map(|calls| (calls.calls, calls.held));
        (calls, of.queued)
    };
    assert_eq!(counts(said), counts(counted), "{whose}");
    let times = |of: &Figures| {
        let calls = [of.handled, of.out, of.internal, of.internal_received];
        let of_calls = calls.iter().flat_map(|calls| [calls.talk, calls.after_call, calls.held_time]);
        let own = [of.available, of.logged_on, of.not_ready, of.queue_time, of.queue_longest];
        own.into_iter().chain(of_calls).collect::<Vec<_>>()
    };
    for (at, (said, counted)) in times(said).into_iter().zip(times(counted)).enumerate() {
        assert!(said.abs_diff(counted) <= parts, "{whose}: time {at} is said to be {said}, and is {counted}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_leave_nothing_behind() {
    let mut world = patient_world();
    world.wrap_up = Duration::from_secs(2);
    world.calls.ring_max = Duration::from_secs(20);
    world.calls.patience = Duration::from_secs(90);
    (world.calls.talk_min, world.calls.talk_max) = (Duration::from_secs(5), Duration::from_secs(120));
    let teams = vec![team(1, &[Supervisor::AGENT], &agents().iter().map(String::as_str).collect::<Vec<_>>())];
    let config = Config { teams, ..Config::default() };
    let house = house_by(world, &config, |rules| rules.day_begins = so_far_today()).await;
    let of_all = Recorder::of(&house, 1, Target::All);
    let mut of_agents = Vec::new();
    let mut watcher = call_watcher(&house).await;
    let mut workers = Vec::new();
    for id in 1001..1001 + AGENTS {
        of_agents.push(Recorder::of_agent(&house, &id.to_string()));
        workers.push(Worker::new(&house, id).await);
    }
    of_agents.push(Recorder::of_agent(&house, Supervisor::AGENT));
    let mut supervisor = Supervisor::new(&house).await;
    let mut dice = StdRng::seed_from_u64(4711);
    let (mut arrived, mut steps) = (0, BTreeMap::<String, u32>::new());
    while arrived < CALLS || !house.acd.inner.calls().is_empty() {
        if arrived < CALLS && dice.random_bool(0.4) {
            house.acd.inner.arrive(QueueId(1 + dice.random_range(0..3)));
            arrived += 1;
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(1..900))).await;
        for worker in &mut workers {
            worker.looks();
            // In the end everybody only lets go.
            if arrived < CALLS || worker.calls.values().any(|state| *state >= 2) {
                worker.acts(&mut dice);
            }
        }
        supervisor.looks();
        if arrived == CALLS || dice.random_bool(0.9) {
            supervisor.acts(&mut dice, arrived == CALLS);
        }
        for words in watcher.hears().await {
            let name = words.split(' ').next().unwrap_or_default().to_owned();
            *steps.entry(name).or_default() += 1;
        }
        counts_are_right(&house);
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    for words in watcher.hears().await {
        *steps.entry(words.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    // It was no quiet day: each kind of step has been there, and what began has ended.
    for step in ["CALL_HELD", "CALL_RETRIEVED", "CALL_TRANSFERRED", "CALL_CONFERENCED", "CALL_DIVERTED", "CALL_QUEUED"]
    {
        assert!(steps.get(step).is_some_and(|count| *count > 10), "{step} in {steps:?}");
    }
    assert_eq!(steps["BEGIN_CALL"], steps["END_CALL"], "{steps:?}");
    assert!(steps["BEGIN_CALL"] > CALLS);
    assert!(house.house.table.calls(PERIPHERAL).lock().is_empty(), "a call, party or device is left in the table");
    assert_eq!(house.house.table.statistics.calls_open(PERIPHERAL), 0, "a call is still counted as present");
    figures_are_right(&house, &of_all, &agents(), &of_agents);
    supervisor.looks();
    assert!(supervisor.asked.is_empty(), "not answered: {:?}", supervisor.asked);
    let mut often = [0; 4];
    for agent in agents() {
        let done = supervisor.done.get(&agent).copied().unwrap_or_default();
        let said = house.house.table.statistics.of_agent(PERIPHERAL, &AgentId::new(&agent).unwrap()).unwrap();
        assert_eq!(said.today.supervised, done, "{agent}");
        let SupervisedFigures { monitored, whispered, barged_in, intercepted } = done;
        often.iter_mut().zip([monitored, whispered, barged_in, intercepted]).for_each(|(sum, one)| *sum += one);
    }
    assert!(often.iter().all(|count| *count > 4), "monitored, whispered, barged in, intercepted: {often:?}");
    for worker in &mut workers {
        worker.looks();
        assert!(worker.calls.is_empty(), "{} was not told of the end of {:?}", worker.agent, worker.calls);
        let facts = house.acd.inner.facts(&ctigate::model::AgentId::new(&worker.agent).unwrap()).unwrap();
        assert!(!facts.state.is_on_call(), "{facts:?} has no call");
        worker.desk.sends(SnapshotDeviceReq {
            invoke_id: 1,
            agent_instrument: text(&worker.device),
            ..Default::default()
        });
        match worker.desk.receives().await {
            AnyMessage::SnapshotDeviceConf(shown) => assert_eq!(shown.num_calls, 0),
            other => panic!("{other:?}"),
        }
    }
}
