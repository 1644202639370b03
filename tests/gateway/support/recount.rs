//! Figures counted again from the events that subscribers got: slowly, from the whole story, and in another way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use ctigate::model::{
    AgentId, AgentKey, AgentState, AgentStates, Call, CallId, CallKind, CallStep, CallStepKind, CallSteps, Event,
    Filter, Instrument, LinkEvent, PartyState, QueueId, SessionId,
};
use ctigate::sessions::statistics::{CallFigures, Figures};
use ctigate::sessions::{Form, Rendered, Subscriber, Subscription, Target};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::house::{PERIPHERAL, TestHouse};

/// Writes down what one subscription is told, and when.
#[derive(Debug)]
pub struct Recorder {
    form: u32,
    told: Mutex<Vec<(Instant, Event)>>,
}

impl Recorder {
    pub fn of(house: &TestHouse, form: u32, target: Target) -> Arc<Recorder> {
        let recorder = Arc::new(Recorder { form, told: Mutex::default() });
        let filter = Filter {
            agent_states: AgentStates::from_iter(AgentState::ALL),
            calls: CallSteps::from_iter(CallStepKind::ALL),
            ..Filter::default()
        };
        let subscription = Subscription::new(0, target, filter, Arc::<Recorder>::clone(&recorder) as _);
        house.house.table.subscribe(&subscription);
        recorder
    }

    pub fn of_agent(house: &TestHouse, agent: &str) -> Arc<Recorder> {
        let key = AgentKey { peripheral: PERIPHERAL, agent: AgentId::new(agent).unwrap() };
        Recorder::of(house, 1_000 + agent.parse::<u32>().unwrap(), Target::Agent(key))
    }

    /// An agent's figures, in all and by the queue that they count in; and how often something changed.
    pub fn figures(&self, now: Instant) -> (Figures, BTreeMap<QueueId, Figures>, u64) {
        let (mut own, mut by_queue) = (Figures::default(), BTreeMap::<QueueId, Figures>::new());
        let told = self.told.lock();
        // The agent's states, each until the next.
        let states: Vec<_> = told
            .iter()
            .filter_map(|(at, event)| match event {
                Event::Agent(event) if event.state != AgentState::LoggedIn => Some((*at, event)),
                _ => None,
            })
            .collect();
        for (at, (since, event)) in states.iter().enumerate() {
            let until = states.get(at + 1).map_or(now, |(until, _)| *until);
            for figures in std::iter::once(&mut own).chain(by_queue_of(&mut by_queue, &event.facts.queues)) {
                let time = millis(until - *since);
                match event.state {
                    AgentState::LoggedOut => continue,
                    AgentState::Ready => figures.available += time,
                    AgentState::NotReady => figures.not_ready += time,
                    _ => (),
                }
                figures.logged_on += time;
            }
        }
        // The agent's part in each call: how it stood, from when on.
        let mut open = BTreeMap::<CallId, Part>::new();
        let mut done = Vec::new();
        for (at, event) in told.iter() {
            let Event::Call(event) = event else { continue };
            let call = &event.call;
            if matches!(call.kind, CallKind::Supervision(_)) {
                continue; // who listens has no call
            }
            if event.step == CallStep::Ended {
                done.extend(open.remove(&call.id).map(|part| (part, *at)));
                continue;
            }
            done.extend(event.was.and_then(|was| open.remove(&was)).map(|part| (part, *at)));
            let Some(party) = call.parties.iter().find(|party| Some(&party.device) == device_of(call, self).as_ref())
            else {
                continue;
            };
            let part = open.entry(call.id).or_insert_with(|| Part::new(call, &party.device));
            part.stood.push((*at, party.state));
        }
        let queues_at = |at: Instant| {
            let last = states.iter().rev().find(|(since, _)| *since <= at);
            last.and_then(|(_, event)| event.facts.queues.first().copied())
        };
        for (part, ended) in done {
            let Some(calls) = part.figures(ended) else { continue };
            let queue = part.queue.or_else(|| queues_at(ended));
            for figures in std::iter::once(&mut own).chain(queue.map(|queue| by_queue.entry(queue).or_default())) {
                let of = match (part.kind, part.is_maker, part.queue) {
                    (CallKind::Consult, true, _) => &mut figures.internal,
                    (CallKind::Consult, false, _) => &mut figures.internal_received,
                    (_, _, Some(_)) => &mut figures.handled,
                    (CallKind::Out, ..) => &mut figures.out,
                    (_, true, _) => &mut figures.internal,
                    (_, false, _) => &mut figures.internal_received,
                };
                of.calls += calls.calls;
                of.talk += calls.talk;
                of.held += calls.held;
                of.held_time += calls.held_time;
                of.after_call += calls.after_call;
            }
        }
        (own, by_queue, told.len() as u64)
    }

    /// How many calls left each queue, how long they had waited, and the longest wait.
    pub fn waits(&self) -> BTreeMap<QueueId, (u32, u64, u64)> {
        let mut since = BTreeMap::<CallId, (QueueId, Instant)>::new();
        let mut waits = BTreeMap::<QueueId, (u32, u64, u64)>::new();
        for (at, event) in self.told.lock().iter() {
            let Event::Call(event) = event else { continue };
            let waits_now = event.step != CallStep::Ended && event.call.queue_point().is_some();
            match (since.get(&event.call.id), waits_now) {
                (None, true) => drop(since.insert(event.call.id, (event.call.queue.unwrap(), *at))),
                (Some(&(queue, began)), false) => {
                    since.remove(&event.call.id);
                    let (count, time, longest) = waits.entry(queue).or_default();
                    let waited = millis(*at - began);
                    (*count, *time, *longest) = (*count + 1, *time + waited, waited.max(*longest));
                }
                _ => (),
            }
        }
        waits
    }
}

fn by_queue_of<'a>(
    by_queue: &'a mut BTreeMap<QueueId, Figures>,
    queues: &[QueueId],
) -> impl Iterator<Item = &'a mut Figures> {
    for queue in queues {
        by_queue.entry(*queue).or_default();
    }
    let queues = queues.to_vec();
    by_queue.iter_mut().filter(move |(queue, _)| queues.contains(queue)).map(|(_, figures)| figures)
}

/// The device that the recorder's agent is on the call with.
fn device_of(call: &Call, recorder: &Recorder) -> Option<Instrument> {
    let agent = AgentId::new(&(recorder.form - 1_000).to_string()).unwrap();
    call.device_of(&agent).cloned()
}

struct Part {
    kind: CallKind,
    queue: Option<QueueId>,
    is_maker: bool,
    stood: Vec<(Instant, PartyState)>,
}

impl Part {
    fn new(call: &Call, device: &Instrument) -> Part {
        let queue = call.queue.filter(|_| call.kind != CallKind::Consult);
        Part { kind: call.kind, queue, is_maker: call.home == *device, stood: Vec::new() }
    }

    fn figures(&self, ended: Instant) -> Option<CallFigures> {
        let time_in = |state: PartyState| -> u64 {
            let mut time = 0;
            for (at, (since, stood)) in self.stood.iter().enumerate() {
                let until = self.stood.get(at + 1).map_or(ended, |(until, _)| *until);
                if *stood == state {
                    time += millis(until - *since);
                }
            }
            time
        };
        let was = |state: PartyState| self.stood.iter().any(|(_, stood)| *stood == state);
        was(PartyState::Connected).then(|| CallFigures {
            calls: 1,
            talk: time_in(PartyState::Connected),
            after_call: time_in(PartyState::Null),
            held: u32::from(was(PartyState::Held)),
            held_time: time_in(PartyState::Held),
        })
    }
}

impl Subscriber for Recorder {
    fn session(&self) -> SessionId {
        SessionId(self.form)
    }

    fn client_id(&self) -> &str {
        "recorder"
    }

    fn dialect(&self) -> &'static str {
        "recorder"
    }

    fn form(&self) -> Form {
        Form(self.form)
    }

    fn render(&self, event: &Event) -> Option<Rendered> {
        self.told.lock().push((Instant::now(), event.clone()));
        Some(Rendered { bytes: Bytes::new(), own_id_at: None })
    }

    fn deliver(&self, _: &Subscription, _: &Event, _: &Rendered) {}

    fn end(&self, subscription: &Subscription) {
        subscription.ended_mark().store(true, Ordering::Release);
    }

    fn announce(&self, _: LinkEvent) {}

    fn wake(&self) {}

    fn replace(&self, _: SessionId) {}

    fn lose(&self, _: &AgentKey, _: SessionId) {}
}

fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// How much of today has passed: for a day that begins now.
pub fn so_far_today() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Duration::from_secs(since.as_secs() % (24 * 60 * 60))
}
