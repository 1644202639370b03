//! One seed: a gateway, an ACD and clients, who do at random what they do in life; and what is looked at meanwhile.
//!
//! Not here: what must hold on the wire (`watch`) and in the table (`gateway`). Must hold: all chance comes from the seed.

use std::cell::Cell;
use std::sync::{Once, Weak};
use std::time::Duration;

use ctigate::dialects::Outbox;
use ctigate::model::WantedState;
use ctigate::operations::House;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::acd::{Manners, ScriptedAcd};
use super::dice::Dice;
use super::gateway::{Gateway, LOGOUT_AFTER, NOT_READY_AFTER, RESUME_WINDOW, Settings};
use super::story::{Breach, Invariant, Story};
use super::watch::Watch;
use super::wire::Wire;
use super::words::{AGENTS, Ask, CallAsk, DEVICES, Opening, QUEUES, SUPERVISOR, Target, device_of};

/// What came of a seed.
pub struct Told {
    pub story: String,
    pub breach: Option<Breach>,
}

/// Plays a seed to its end, or to the first breach.
pub fn play(seed: u64) -> Told {
    watch_for_panics();
    PANIC.set(None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let metrics = runtime.metrics();
    let story = runtime.block_on(async {
        let story = Story::begin();
        let mut trial = Trial::new(seed, story.clone());
        let ended = trial.run().await;
        let (house, outboxes) = trial.goes_away();
        if let Some(ended) = ended {
            let gateways = match ended {
                Ended::Empty => house.strong_count(),
                // It is kept by OpenCTI sessions that could still be taken up, would the gateway not have stopped.
                Ended::Stopped => 0,
            };
            check_memory(&story, gateways, &outboxes, metrics.num_alive_tasks());
        }
        story
    });
    if let Some(panic) = PANIC.take() {
        story.breach(Invariant::NoPanic, panic);
    }
    let (story, breach) = story.end();
    Told { story, breach }
}

fn check_memory(story: &Story, gateways: usize, outboxes: &[Weak<Outbox>], tasks: usize) {
    let kept = outboxes.iter().filter(|outbox| outbox.upgrade().is_some()).count();
    for (what, count) in [("tasks", tasks), ("outboxes", kept), ("gateways", gateways)] {
        if count > 0 {
            story.breach(Invariant::NothingLeft, format!("{count} {what} are left at the end"));
        }
    }
}

/// How a trial ended.
#[derive(Clone, Copy)]
enum Ended {
    /// All clients had gone before.
    Empty,
    /// The gateway sent them away.
    Stopped,
}

struct Trial {
    dice: Dice,
    settings: Settings,
    story: Story,
    watch: Watch,
    acd: ScriptedAcd,
    gateway: Gateway,
    wires: Vec<Wire>,
    outboxes: Vec<Weak<Outbox>>,
    stopping: CancellationToken,
    connected: usize,
    reasons: u16,
}

/// How a client comes.
#[derive(Clone, Copy)]
enum Comes {
    Desktop,
    Bridge,
    Crm,
}

#[derive(Clone, Copy)]
enum Step {
    Connect,
    Ask,
    Race,
    Break,
    Stall,
    CallComes,
    CallMoves,
    AcdActs,
    Link,
    AdapterSticks,
    Pause,
}

/// The most connections at a time.
const WIRES_MAX: usize = 7;

impl Trial {
    fn new(seed: u64, story: Story) -> Trial {
        let mut dice = Dice::new(seed);
        let settings = Settings::thrown(&mut dice);
        let mut manners = Manners {
            lists_agents: dice.percent(70),
            trouble: dice.weighed(&[(3, 0), (4, 10), (3, 40)]),
            lag_ms: dice.weighed(&[(7, 0), (3, 30)]),
            echoes: dice.weighed(&[(6, 0), (4, 20)]),
            silence: dice.weighed(&[(7, 0), (3, 50)]),
        };
        if !manners.lists_agents {
            manners.lag_ms = 0; // that it does not know an agent has no place in its order but that of its answer
        }
        story.tell(format!("seed {seed}: {settings:?} {manners:?}"));
        let watch = Watch::new(story.clone(), settings.yardstick(&manners));
        let acd = ScriptedAcd::new(dice.split(), manners, watch.clone());
        let gateway = Gateway::start(&settings, &acd, &watch);
        Trial {
            dice,
            settings,
            story,
            watch,
            acd,
            gateway,
            wires: Vec::new(),
            outboxes: Vec::new(),
            stopping: CancellationToken::new(),
            connected: 0,
            reasons: 1_000,
        }
    }

    /// Some if it came to its end.
    async fn run(&mut self) -> Option<Ended> {
        self.settle(1).await?;
        for _ in 0..self.dice.between(1, 2) {
            for _ in 0..self.dice.between(15, 45) {
                self.step();
                self.carry();
                let pause = self.pause();
                self.settle(pause).await?;
            }
            self.become_quiet().await?;
        }
        if self.dice.percent(25) { self.drain().await } else { self.all_leave().await }
    }

    /// Lets everything happen that can, for so many milliseconds.
    async fn settle(&mut self, millis: u64) -> Option<()> {
        // What can happen at once has happened when time goes on.
        sleep(Duration::from_millis(1)).await;
        self.watch.settled();
        if millis > 1 {
            sleep(Duration::from_millis(millis - 1)).await;
            self.watch.settled();
        }
        self.wires.retain(|wire| !self.watch.is_closed(wire.line));
        let has_panicked = PANIC.take().map(|panic| self.story.breach(Invariant::NoPanic, panic)).is_some();
        (!has_panicked && !self.story.has_breach()).then_some(())
    }

    fn pause(&mut self) -> u64 {
        match self.dice.below(20) {
            0..=11 => 1,
            12..=15 => self.dice.between(2, 20),
            16..=17 => self.dice.between(20, 1_000),
            18 => self.dice.between(1_000, 8_000),
            _ => self.dice.between(8_000, 60_000),
        }
    }

    fn step(&mut self) {
        let step = self.dice.weighed(&[
            (if self.wires.len() < WIRES_MAX { 8 } else { 1 }, Step::Connect),
            (50, Step::Ask),
            (10, Step::Race),
            (5, Step::Break),
            (4, Step::Stall),
            (6, Step::CallComes),
            (6, Step::CallMoves),
            (5, Step::AcdActs),
            (if self.acd.is_up() { 2 } else { 20 }, Step::Link),
            (2, Step::AdapterSticks),
            (3, Step::Pause),
        ]);
        match step {
            Step::Connect => self.connects(),
            Step::Ask => {
                if let Some(at) = self.some_wire() {
                    let ask = self.some_ask(at);
                    self.wires[at].asks(&ask);
                }
            }
            Step::Race => self.race(),
            Step::Break => {
                if let Some(at) = self.some_wire() {
                    let carried = self.wires[at].on_its_way();
                    self.wires[at].carries(self.dice.below(carried + 1));
                    self.wires[at].breaks();
                }
            }
            Step::Stall => {
                if let Some(at) = self.some_wire() {
                    let reads = self.dice.percent(50);
                    self.wires[at].reads(reads);
                }
            }
            Step::CallComes => self.acd.call_comes(self.dice.below(4)),
            Step::CallMoves => self.acd.call_moves(self.dice.below(4), self.dice.below(5)),
            Step::AcdActs => self.acd_acts(),
            Step::Link if self.acd.is_up() => self.acd.link_goes(self.dice.percent(40)),
            Step::Link => self.acd.link_comes(),
            Step::AdapterSticks => {
                let (agent, times) = (self.some_agent(), self.dice.between(1, 4));
                self.acd.adapter_sticks(agent, u32::try_from(times).unwrap_or(1));
            }
            Step::Pause => (),
        }
    }

    fn acd_acts(&mut self) {
        let agent = self.some_agent();
        match self.dice.below(4) {
            0 => self.acd.logs_in_itself(agent, device_of(agent)),
            1 => self.acd.logs_out_itself(agent),
            2 => self.acd.changes_itself(agent, WantedState::Ready, 0),
            _ => {
                let reason = self.reason();
                self.acd.changes_itself(agent, WantedState::NotReady, reason);
            }
        }
    }

    /// The network carries what has been said: mostly all, sometimes up to the middle of a word.
    fn carry(&mut self) {
        for wire in &mut self.wires {
            let bytes = match self.dice.below(10) {
                0..=6 => wire.on_its_way(),
                7 | 8 => self.dice.below(wire.on_its_way() + 1),
                _ => 0,
            };
            wire.carries(bytes);
        }
    }

    fn some_wire(&mut self) -> Option<usize> {
        let there: Vec<usize> = (0..self.wires.len()).filter(|at| !self.wires[*at].is_broken()).collect();
        self.dice.pick(&there).copied()
    }

    /// Mostly one of the first two: so they meet.
    fn some_agent(&mut self) -> &'static str {
        AGENTS[self.dice.weighed(&[(5, 0), (3, 1), (1, 2), (1, 3)])]
    }

    /// Each state that an agent is not ready in can be told from every other.
    fn reason(&mut self) -> u16 {
        self.reasons += 1;
        self.reasons
    }

    fn connects(&mut self) {
        let comes = self.dice.weighed(&[(5, Comes::Desktop), (2, Comes::Bridge), (4, Comes::Crm)]);
        self.connected += 1;
        let number = self.connected;
        let (name, opening) = match comes {
            Comes::Desktop => {
                let agent = self.some_agent().to_owned();
                let client = format!("desktop-{agent}{}", if self.dice.percent(20) { "-other" } else { "" });
                let supervises = agent == SUPERVISOR && self.dice.percent(80);
                (format!("#{number} {client}"), Opening::Desktop { client, agent, supervises })
            }
            Comes::Bridge => (format!("#{number} bridge"), Opening::Bridge { client: "bridge".to_owned() }),
            Comes::Crm => {
                let lost = self.watch.lost_sessions();
                let resumed = self.dice.pick(&lost).copied().filter(|_| self.dice.percent(60));
                let opening = resumed.map_or(Opening::Fresh, |(session, seen)| Opening::Resume { session, seen });
                (format!("#{number} crm"), opening)
            }
        };
        let is_ged188 = !matches!(comes, Comes::Crm);
        let mut wire = Wire::connect(&self.gateway, &self.watch, &name, is_ged188, &self.stopping);
        if let Opening::Desktop { agent, .. } = &opening {
            wire.own = Some(agent.clone());
        }
        if self.dice.percent(97) {
            wire.asks(&Ask::Open(opening));
        }
        self.outboxes.push(wire.outbox.clone());
        self.wires.push(wire);
    }

    /// Several clients want something of one agent at once.
    fn race(&mut self) {
        let agent = self.some_agent().to_owned();
        for _ in 0..self.dice.between(2, 4) {
            let Some(at) = self.some_wire() else { return };
            let ask = match self.dice.below(6) {
                0 => self.log_in(&agent),
                1 => self.not_ready(&agent),
                _ => self.log_out(&agent),
            };
            self.wires[at].asks(&ask);
            let all = self.wires[at].on_its_way();
            self.wires[at].carries(all);
        }
    }

    fn log_in(&mut self, agent: &str) -> Ask {
        let device = if self.dice.percent(85) { device_of(agent) } else { DEVICES[self.dice.below(DEVICES.len())] };
        let queues = match self.dice.below(10) {
            0..=6 => Vec::new(),
            7 => vec![QUEUES[0]],
            8 => vec![QUEUES[1]],
            _ => vec![QUEUES[0], 9],
        };
        Ask::LogIn {
            agent: agent.to_owned(),
            device: device.to_owned(),
            queues,
            forced: self.dice.percent(10),
            with_password: self.dice.percent(95),
        }
    }

    fn log_out(&mut self, agent: &str) -> Ask {
        let queues = match self.dice.below(10) {
            0..=6 => Vec::new(),
            7 => vec![QUEUES[0]],
            8 => vec![QUEUES[1]],
            _ => QUEUES.to_vec(),
        };
        Ask::LogOut { agent: agent.to_owned(), queues, reason: self.reason(), forced: self.dice.percent(20) }
    }

    fn not_ready(&mut self, agent: &str) -> Ask {
        Ask::NotReady { agent: agent.to_owned(), reason: self.reason() }
    }

    fn some_ask(&mut self, at: usize) -> Ask {
        let agent = self.some_agent().to_owned();
        let agent = self.wires[at].own.clone().filter(|_| self.dice.percent(85)).unwrap_or(agent);
        let device = device_of(&agent).to_owned();
        match self.dice.below(100) {
            0..=24 => self.log_in(&agent),
            25..=39 => self.log_out(&agent),
            40..=52 => Ask::Ready { agent: self.some_agent_at_work(at).unwrap_or(agent) },
            53..=64 => {
                let agent = self.some_agent_at_work(at).unwrap_or(agent);
                self.not_ready(&agent)
            }
            65..=68 => Ask::Query { agent },
            69..=78 => self.some_listening(at, agent, device),
            79..=90 => self.some_call_ask(),
            91..=93 => Ask::Heartbeat,
            94..=96 => Ask::Nonsense,
            _ => Ask::Close,
        }
    }

    /// Mostly one whose state can change, the client's own if it can.
    fn some_agent_at_work(&mut self, at: usize) -> Option<String> {
        if self.dice.percent(25) {
            return None;
        }
        let facts = self.acd.facts();
        let there: Vec<&str> =
            facts.iter().filter(|facts| facts.is_logged_in()).map(|facts| facts.agent.as_str()).collect();
        let own = self.wires[at].own.as_deref().filter(|own| there.contains(own));
        own.or(self.dice.pick(&there).copied()).map(ToOwned::to_owned)
    }

    fn some_listening(&mut self, at: usize, agent: String, device: String) -> Ask {
        let is_start = self.dice.percent(75);
        if !self.wires[at].is_ged188 {
            return if is_start { Ask::Subscribe { device } } else { Ask::Unsubscribe { device } };
        }
        let monitors = self.watch.monitors(self.wires[at].line);
        match self.dice.pick(&monitors).copied().filter(|_| !is_start) {
            Some(id) => Ask::StopMonitor { id },
            None if self.dice.percent(50) => Ask::Monitor { of: Target::Device(device) },
            None => Ask::Monitor { of: Target::Agent(agent) },
        }
    }

    fn some_call_ask(&mut self) -> Ask {
        let what = self.dice.weighed(&[
            (4, CallAsk::Answer),
            (2, CallAsk::Hold),
            (2, CallAsk::Retrieve),
            (3, CallAsk::HangUp),
        ]);
        let calls = self.acd.calls();
        let call = self.dice.pick(&calls);
        let device = call.and_then(|call| call.agents().next().map(|(_, device)| device.to_string()));
        Ask::OfCall {
            what,
            call: call.map_or(77, |call| call.id.0),
            device: device.unwrap_or_else(|| DEVICES[self.dice.below(2)].to_owned()),
        }
    }

    /// Everybody stops asking, the ACD behaves; once nothing is under way any more all must be as it should.
    async fn become_quiet(&mut self) -> Option<()> {
        self.story.tell("it becomes quiet");
        self.acd.behaves();
        self.acd.calls_end();
        self.acd.link_comes();
        for wire in &mut self.wires {
            wire.reads(true);
            wire.carries(usize::MAX);
        }
        let began = Instant::now();
        loop {
            self.settle(10_000).await?;
            // Longer than any command, and than any pause between two tries.
            if self.acd.is_quiet() && began.elapsed() >= Duration::from_secs(30) {
                break;
            }
            if began.elapsed() > Duration::from_secs(1_200) {
                self.story.breach(Invariant::Ends, "the ACD does not become quiet");
                return None;
            }
        }
        let calls: Vec<u32> = self.acd.calls().iter().map(|call| call.id.0).collect();
        self.watch.quiet(&calls);
        for difference in self.gateway.differences(&self.acd) {
            self.story.breach(Invariant::TableIsTruth, difference);
        }
        self.settle(1).await
    }

    /// All clients go; whoever lost them is logged out, and nothing of them is left.
    async fn all_leave(&mut self) -> Option<Ended> {
        let are_lost = self.dice.percent(60);
        self.story.tell(if are_lost { "all clients are lost" } else { "all clients leave" });
        let had = self.watch.had();
        for wire in &mut self.wires {
            if !are_lost && wire.is_ged188 && self.watch.is_open(wire.line) {
                wire.asks(&Ask::Close);
                wire.carries(usize::MAX);
            } else {
                wire.breaks();
            }
        }
        let most = NOT_READY_AFTER + LOGOUT_AFTER + RESUME_WINDOW + Duration::from_secs(30);
        self.settle(u64::try_from(most.as_millis()).unwrap_or(0)).await?;
        if are_lost && self.settings.has_grace {
            let facts = self.acd.facts();
            let is_in =
                |agent: &&String| facts.iter().any(|facts| facts.agent.as_str() == **agent && facts.is_logged_in());
            for agent in had.iter().filter(is_in) {
                self.story.breach(Invariant::Grace, format!("{agent} was lost, and is logged in"));
            }
        }
        if !self.wires.is_empty() {
            self.story.breach(Invariant::Ends, "connections whose client is gone do not end");
        }
        // Who is logged in still has no client: somebody logs them out.
        for facts in self.acd.facts() {
            self.acd.logs_out_itself(facts.agent.as_str());
        }
        self.settle(30_000).await?;
        while !self.acd.is_quiet() {
            self.settle(20).await?; // an audit may be under way
        }
        for left in self.gateway.leftovers() {
            self.story.breach(Invariant::NothingLeft, left);
        }
        for difference in self.gateway.differences(&self.acd) {
            self.story.breach(Invariant::TableIsTruth, difference);
        }
        // The reader of the ACD's reports, and the ACD's own.
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        if tasks != 2 {
            self.story.breach(Invariant::NothingLeft, format!("{tasks} tasks run, two have something to do"));
        }
        self.settle(1).await?;
        self.ends().await.map(|()| Ended::Empty)
    }

    /// The gateway stops while all go on: what was taken is answered.
    async fn drain(&mut self) -> Option<Ended> {
        for _ in 0..self.dice.between(2, 8) {
            self.step();
            self.carry();
            self.settle(1).await?;
        }
        if self.dice.percent(50) {
            self.logs_out_on_a_call().await?;
        }
        self.story.tell("the gateway stops");
        for wire in &mut self.wires {
            wire.reads(true);
        }
        self.stopping.cancel();
        let house = self.gateway.house.clone();
        let done = tokio::time::timeout(Duration::from_secs(300), house.commands_done()).await;
        self.settle(1_000).await?;
        if done.is_err() || self.wires.iter().any(|wire| !self.watch.is_closed(wire.line)) {
            self.story.breach(Invariant::Ends, "commands or connections do not end when the gateway stops");
        }
        drop(house);
        self.ends().await.map(|()| Ended::Stopped)
    }

    /// Somebody is on a call, and all clients want that agent to be logged out.
    async fn logs_out_on_a_call(&mut self) -> Option<()> {
        let facts = self.acd.facts();
        let there: Vec<_> = facts.iter().filter(|facts| facts.is_logged_in()).map(|facts| &facts.agent).collect();
        let Some(agent) = self.dice.pick(&there).map(|agent| agent.to_string()) else { return Some(()) };
        self.acd.changes_itself(&agent, WantedState::Ready, 0);
        for pick in 0..AGENTS.len() {
            self.acd.call_comes(pick);
        }
        self.settle(40).await?;
        for at in 0..self.wires.len() {
            let reason = self.reason();
            self.wires[at].asks(&Ask::LogOut { agent: agent.clone(), queues: Vec::new(), reason, forced: false });
            self.wires[at].carries(usize::MAX);
        }
        self.settle(1_000).await
    }

    async fn ends(&mut self) -> Option<()> {
        self.acd.behaves();
        self.gateway.house.end();
        // What the ACD was told before, it still does.
        for _ in 0..20 {
            self.settle(10_000).await?;
        }
        self.acd.is_quiet().then_some(())
    }

    fn goes_away(self) -> (Weak<House>, Vec<Weak<Outbox>>) {
        (std::sync::Arc::downgrade(&self.gateway.house), self.outboxes)
    }
}

thread_local! {
    static PANIC: Cell<Option<String>> = const { Cell::new(None) };
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
}

/// A task that panics is otherwise only seen by who waits for it.
fn watch_for_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| match IS_WATCHED.get() {
            true => PANIC.set(Some(panic.to_string())),
            false => others(panic),
        }));
    });
    IS_WATCHED.set(true);
}
