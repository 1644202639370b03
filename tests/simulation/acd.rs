//! An ACD that a seed makes go wrong: it refuses, is late, never answers, loses its link, and reports what it did or what
//! nobody asked for. It keeps the truth that the gateway's table is measured by.
//!
//! Not here: whether the gateway copes (`watch`). Must hold: an agent's commands are done in the order in which they came,
//! as one connection brings them; what the ACD does is reported, or answered to who asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ctigate::acd::{Acd, AcdEvent, AcdEvents, AcdRefusal, Capabilities, Snapshot};
use ctigate::model::{
    AgentFacts, AgentId, AgentState, Call, CallAbility, CallCause, CallCommand, CallData, CallId, CallKind,
    CallOutcome, CallReport, CallStep, Connection, Instrument, Login, Party, PartyKind, PartyState, Password, PreCall,
    QueueChoice, QueueId, ReasonCode, StateChange, WantedState,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::dice::Dice;
use super::watch::{Command, Watch};
use super::words::{AGENTS, DEVICES, QUEUES};

/// How an ACD behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    pub lists_agents: bool,
    /// Of a hundred commands, how many go wrong.
    pub trouble: u64,
    /// How long reports are on their way at most, in milliseconds; 0: they come before the answer.
    pub lag_ms: u64,
    /// Of a hundred reports, how many come twice, or with an older one behind them.
    pub echoes: u64,
    /// Of a hundred commands, how many tell what they did in their answer alone.
    pub silence: u64,
}

/// The ACD's adapter.
#[derive(Clone, Debug)]
pub struct ScriptedAcd(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    /// Counts losses of the link.
    link: watch::Sender<u64>,
    /// Reports wait to be sent.
    lagging: Notify,
    watch: Watch,
}

/// The truth.
#[derive(Debug)]
struct World {
    dice: Dice,
    manners: Manners,
    order: u64,
    agents: BTreeMap<AgentId, AgentFacts>,
    /// What an agent is to be not ready for once its call has ended.
    next_reasons: BTreeMap<AgentId, ReasonCode>,
    adapters: BTreeSet<AgentId>,
    /// The next closes of these fail, that often.
    stuck_adapters: BTreeMap<AgentId, u32>,
    calls: BTreeMap<CallId, Call>,
    calls_made: u32,
    is_up: bool,
    losses: u64,
    /// What is done now is told to who asked, and to nobody else.
    is_silent: bool,
    events: Option<AcdEvents>,
    /// When an agent's last command is done.
    busy_until: BTreeMap<AgentId, Instant>,
    commands_open: usize,
    lagging: VecDeque<(Instant, AcdEvent)>,
    watch: Watch,
}

/// What becomes of one command.
#[derive(Clone, Copy, Debug)]
struct Fate {
    before: Duration,
    after: Duration,
    is_done: bool,
    answer: Said,
    /// Whether it is done although the link is lost before.
    outlives_link: bool,
    /// Whether who asked is told that the link was lost.
    is_told_of_link: bool,
    is_silent: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Said {
    Truth,
    Refusal,
    Nothing,
}

impl ScriptedAcd {
    pub fn new(mut dice: Dice, manners: Manners, watch: Watch) -> ScriptedAcd {
        let mut agents = BTreeMap::new();
        for id in AGENTS {
            let agent = AgentId::new(id).unwrap();
            agents.insert(agent.clone(), AgentFacts::logged_out(agent, ReasonCode::default(), 1));
        }
        for facts in agents.values() {
            watch.facts_are(facts);
        }
        let world = World {
            dice: dice.split(),
            manners,
            order: 1,
            agents,
            next_reasons: BTreeMap::new(),
            adapters: BTreeSet::new(),
            stuck_adapters: BTreeMap::new(),
            calls: BTreeMap::new(),
            calls_made: 0,
            is_up: false,
            losses: 0,
            is_silent: false,
            events: None,
            busy_until: BTreeMap::new(),
            commands_open: 0,
            lagging: VecDeque::new(),
            watch: watch.clone(),
        };
        let shared = Shared { world: Mutex::new(world), link: watch::Sender::new(0), lagging: Notify::new(), watch };
        ScriptedAcd(Arc::new(shared))
    }

    /// From here on every command is done, and soon.
    pub fn behaves(&self) {
        let mut world = self.0.world.lock();
        world.manners.trouble = 0;
        world.stuck_adapters.clear();
    }

    /// Whether no command is under way and no report.
    pub fn is_quiet(&self) -> bool {
        let world = self.0.world.lock();
        world.commands_open == 0 && world.lagging.is_empty()
    }

    pub fn is_up(&self) -> bool {
        self.0.world.lock().is_up
    }

    pub fn facts(&self) -> Vec<AgentFacts> {
        self.0.world.lock().agents.values().cloned().collect()
    }

    pub fn adapters(&self) -> Vec<AgentId> {
        self.0.world.lock().adapters.iter().cloned().collect()
    }

    pub fn calls(&self) -> Vec<Call> {
        self.0.world.lock().calls.values().cloned().collect()
    }
}

/// What happens at the ACD without the gateway.
impl ScriptedAcd {
    pub fn link_goes(&self, loses_adapters: bool) {
        let losses = {
            let mut world = self.0.world.lock();
            if !world.is_up {
                return;
            }
            world.watch.tells(format!("acd    link lost{}", if loses_adapters { ", and every adapter" } else { "" }));
            (world.is_up, world.losses) = (false, world.losses + 1);
            world.lagging.clear();
            if loses_adapters {
                for agent in std::mem::take(&mut world.adapters) {
                    world.watch.adapter_is(&agent, false);
                }
            }
            world.events.iter().for_each(|events| events.report(AcdEvent::LinkDown { reason: "cut".to_owned() }));
            world.losses
        };
        self.0.link.send_replace(losses);
    }

    pub fn link_comes(&self) {
        let mut world = self.0.world.lock();
        if !world.is_up {
            world.watch.tells("acd    link back".to_owned());
            world.is_up = true;
            world.events.iter().for_each(|events| events.report(AcdEvent::LinkUp));
        }
    }

    /// The next closes of this adapter fail.
    pub fn adapter_sticks(&self, agent: &str, times: u32) {
        let agent = AgentId::new(agent).unwrap();
        self.0.world.lock().stuck_adapters.insert(agent, times);
    }

    /// The agent logs in at its phone.
    pub fn logs_in_itself(&self, agent: &str, device: &str) {
        let login = Login {
            agent: AgentId::new(agent).unwrap(),
            password: Password::default(),
            instrument: Instrument::new(device).unwrap(),
            queues: QueueChoice::AsAcdSays,
            forced: false,
        };
        self.by_itself(|world| world.log_in(&login, false).is_ok());
    }

    pub fn logs_out_itself(&self, agent: &str) {
        let agent = AgentId::new(agent).unwrap();
        let all = QueueChoice::AsAcdSays;
        self.by_itself(|world| world.log_out(&agent, &all, ReasonCode(60_100), true).is_ok());
    }

    pub fn changes_itself(&self, agent: &str, wanted: WantedState, reason: u16) {
        let change = StateChange { agent: AgentId::new(agent).unwrap(), wanted, reason: ReasonCode(reason) };
        self.by_itself(|world| world.set_state(&change).is_ok());
    }

    /// A caller comes to somebody who is ready.
    pub fn call_comes(&self, pick: usize) {
        self.by_itself(|world| world.offer(pick));
    }

    /// Something happens to one of the calls.
    pub fn call_moves(&self, pick: usize, choice: usize) {
        self.by_itself(|world| {
            let Some((id, device)) = world.some_call(pick) else { return false };
            match choice {
                0 => world.answer(id, &device).is_ok(),
                1 => world.hold(id, &device).is_ok(),
                2 => world.retrieve(id, &device).is_ok(),
                _ => world.hang_up(id),
            }
        });
    }

    pub fn calls_end(&self) {
        for call in self.calls() {
            self.by_itself(|world| world.hang_up(call.id));
        }
    }

    /// As the report comes without a command behind it, it is always sent.
    fn by_itself(&self, act: impl FnOnce(&mut World) -> bool) {
        let mut world = self.0.world.lock();
        world.watch.tells("acd    by itself:".to_owned());
        act(&mut world);
        drop(world);
        self.0.lagging.notify_one();
    }
}

impl World {
    fn fate(&mut self, command: Command) -> Fate {
        let quick = |dice: &mut Dice| match dice.below(10) {
            0..=4 => Duration::ZERO,
            5..=7 => dice.millis(1, 5),
            _ => dice.millis(5, 50),
        };
        let mut fate = Fate {
            before: quick(&mut self.dice),
            after: quick(&mut self.dice),
            is_done: true,
            answer: Said::Truth,
            outlives_link: self.dice.percent(50),
            is_told_of_link: self.dice.percent(70),
            is_silent: self.dice.percent(self.manners.silence) && command.is_answered_with_facts(),
        };
        if self.dice.percent(self.manners.trouble) {
            match self.dice.below(6) {
                0 => (fate.is_done, fate.answer) = (false, Said::Refusal),
                // Only of a login nobody can know what it left when it was refused in the ACD's own words.
                1 => (fate.is_done, fate.answer) = (command == Command::LogIn, Said::Refusal),
                2 => fate.answer = Said::Nothing,
                3 => (fate.is_done, fate.answer) = (false, Said::Nothing),
                4 => fate.before = self.dice.millis(1_000, 8_000),
                _ => fate.after = self.dice.millis(1_000, 8_000),
            }
        }
        fate
    }

    /// The ACD's own order of changes.
    fn change(&mut self, agent: &AgentId, change: impl FnOnce(&mut AgentFacts)) -> AgentFacts {
        let Some(facts) = self.agents.get_mut(agent) else { panic!("{agent} is one of the agents") };
        let was = facts.clone();
        change(facts);
        if !facts.differs_from(&was) {
            return was;
        }
        self.order += 1;
        facts.order = self.order;
        let facts = facts.clone();
        self.watch.facts_are(&facts);
        self.report(AcdEvent::Agent(facts.clone()));
        if self.dice.percent(self.manners.echoes) {
            self.report(AcdEvent::Agent(facts.clone()));
            self.report(AcdEvent::Agent(was));
        }
        facts
    }

    fn step(&mut self, id: CallId, step: CallStep, change: impl FnOnce(&mut Call)) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        change(call);
        self.order += 1;
        call.order = self.order;
        let call = Arc::new(call.clone());
        self.watch.tells(format!("acd    call {} {step:?}", id.0));
        if step == CallStep::Ended {
            self.calls.remove(&id);
        }
        self.report(AcdEvent::Call(CallReport { call, step }));
    }

    fn report(&mut self, event: AcdEvent) {
        if !self.is_up || (self.is_silent && matches!(event, AcdEvent::Agent(_))) {
            return;
        }
        let Some(events) = &self.events else { return };
        if self.manners.lag_ms == 0 {
            return events.report(event);
        }
        let lag = self.dice.millis(0, self.manners.lag_ms);
        let at = (Instant::now() + lag).max(self.lagging.back().map_or(Instant::now(), |(at, _)| *at));
        self.lagging.push_back((at, event));
    }

    fn who_is_at(&self, device: &Instrument) -> Option<AgentId> {
        let there = self.agents.values().find(|facts| facts.instrument.as_ref() == Some(device));
        there.map(|facts| facts.agent.clone())
    }

    fn log_in(&mut self, login: &Login, is_asked: bool) -> Result<AgentFacts, AcdRefusal> {
        let (agent, instrument) = (login.agent.clone(), login.instrument.clone());
        if is_asked {
            self.authenticate(&agent, &login.password)?;
        }
        if !DEVICES.contains(&instrument.as_str()) {
            return Err(AcdRefusal::UnknownInstrument { instrument });
        }
        let queues = match &login.queues {
            QueueChoice::AsAcdSays => QUEUES.map(QueueId).to_vec(),
            QueueChoice::Named(named) => named.clone(),
        };
        if let Some(&queue) = queues.iter().find(|queue| !QUEUES.contains(&queue.0)) {
            return Err(AcdRefusal::BadQueue { agent, queue });
        }
        let Some(facts) = self.agents.get(&agent) else { return Err(AcdRefusal::UnknownAgent { agent }) };
        if facts.is_logged_in() {
            let at = facts.instrument.clone().unwrap_or_else(|| instrument.clone());
            if at != instrument || queues.iter().all(|queue| facts.queues.contains(queue)) {
                return Err(AcdRefusal::AlreadyLoggedIn { agent, instrument: at });
            }
            return Ok(self.change(&agent, |facts| {
                facts.queues.extend(queues);
                facts.queues.sort_unstable();
                facts.queues.dedup();
            }));
        }
        if let Some(by) = self.who_is_at(&instrument) {
            return Err(AcdRefusal::InstrumentInUse { instrument, by });
        }
        Ok(self.change(&agent, |facts| {
            facts.instrument = Some(instrument);
            facts.queues = queues.into();
            (facts.state, facts.reason) = (AgentState::NotReady, ReasonCode::default());
        }))
    }

    fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        let is_it = self.agents.contains_key(agent) && password.expose() == format!("pw{agent}");
        if is_it { Ok(()) } else { Err(AcdRefusal::BadCredentials) }
    }

    fn set_state(&mut self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        let agent = change.agent.clone();
        let Some(facts) = self.agents.get(&agent) else { return Err(AcdRefusal::UnknownAgent { agent }) };
        if !facts.is_logged_in() {
            return Err(AcdRefusal::NotLoggedIn { agent });
        }
        let reason = if change.wanted == WantedState::Ready { ReasonCode::default() } else { change.reason };
        if facts.state.is_on_call() {
            self.next_reasons.insert(agent.clone(), reason);
            return Ok(self.change(&agent, |facts| facts.next_state = Some(change.wanted.into())));
        }
        Ok(self.change(&agent, |facts| (facts.state, facts.reason) = (change.wanted.into(), reason)))
    }

    fn log_out(
        &mut self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        let agent = agent.clone();
        let Some(facts) = self.agents.get(&agent).cloned() else { return Err(AcdRefusal::UnknownAgent { agent }) };
        if !facts.is_logged_in() {
            return Err(AcdRefusal::NotLoggedIn { agent });
        }
        let mut left = facts.queues.clone();
        match queues {
            QueueChoice::AsAcdSays => left.clear(),
            QueueChoice::Named(named) => left.retain(|queue| !named.contains(queue)),
        }
        if !left.is_empty() {
            return Ok(self.change(&agent, |facts| facts.queues = left));
        }
        if facts.state.is_on_call() {
            if !forced {
                return Err(AcdRefusal::WrongState { agent, state: facts.state });
            }
            let on = self.calls.values().filter(|call| call.device_of(&agent).is_some());
            for id in on.map(|call| call.id).collect::<Vec<_>>() {
                self.hang_up(id);
            }
        }
        Ok(self.change(&agent, |facts| *facts = AgentFacts::logged_out(agent.clone(), reason, facts.order)))
    }

    fn offer(&mut self, pick: usize) -> bool {
        let ready: Vec<AgentFacts> =
            self.agents.values().filter(|facts| facts.state == AgentState::Ready).cloned().collect();
        if ready.is_empty() {
            return false;
        }
        let facts = &ready[pick % ready.len()];
        let Some(device) = facts.instrument.clone() else { return false };
        self.calls_made += 1;
        let (id, agent) = (CallId(self.calls_made), facts.agent.clone());
        let caller = Instrument::new(&format!("0{:04}", self.calls_made)).unwrap();
        let call = Call {
            id,
            kind: CallKind::QueuedIn,
            queue: facts.queues.first().copied(),
            key: (1, id.0),
            ani: Some(caller.to_string()),
            dialed_number: Some("8001".to_owned()),
            home: Instrument::new("8001").unwrap(),
            parties: vec![Party { device: caller, kind: PartyKind::Outside, state: PartyState::Connected }],
            data: Arc::new(CallData::default()),
            order: 0,
        };
        self.calls.insert(id, call);
        self.step(id, CallStep::Began, |_| ());
        let reserved = self.change(&agent, |facts| facts.state = AgentState::Reserved);
        self.report(AcdEvent::PreCall(PreCall {
            agent: agent.clone(),
            instrument: device.clone(),
            queue: QueueId(QUEUES[0]),
            key: (1, id.0),
            ani: None,
            dialed_number: None,
            order: reserved.order,
        }));
        let party = Party { device: device.clone(), kind: PartyKind::Agent(agent), state: PartyState::Alerting };
        self.step(id, CallStep::Delivered(device), |call| call.parties.push(party));
        true
    }

    fn some_call(&self, pick: usize) -> Option<(CallId, Instrument)> {
        let there: Vec<_> = self.calls.values().collect();
        let call = there.get(pick % there.len().max(1))?;
        let device = call.agents().next().map(|(_, device)| device.clone())?;
        Some((call.id, device))
    }

    /// Moves a party of a call from one state to another, and its agent.
    fn turn(
        &mut self,
        id: CallId,
        device: &Instrument,
        from: PartyState,
        to: (PartyState, AgentState),
        step: CallStep,
    ) -> Result<(), AcdRefusal> {
        let call = self.calls.get(&id).ok_or(AcdRefusal::UnknownCall { call: id })?;
        let party = call.party(device);
        let party = party.ok_or_else(|| AcdRefusal::NotOnCall { call: id, device: device.clone() })?;
        if party.state != from {
            return Err(AcdRefusal::WrongCallState { call: id, device: device.clone(), state: party.state });
        }
        let agent = call.agents().find(|(_, at)| *at == device).map(|(agent, _)| agent.clone());
        self.step(id, step, |call| {
            call.parties.iter_mut().filter(|party| party.device == *device).for_each(|party| party.state = to.0);
        });
        if let Some(agent) = agent {
            self.change(&agent, |facts| facts.state = to.1);
        }
        Ok(())
    }

    fn answer(&mut self, id: CallId, device: &Instrument) -> Result<(), AcdRefusal> {
        let to = (PartyState::Connected, AgentState::Talking);
        self.turn(id, device, PartyState::Alerting, to, CallStep::Established(device.clone()))
    }

    fn hold(&mut self, id: CallId, device: &Instrument) -> Result<(), AcdRefusal> {
        let to = (PartyState::Held, AgentState::Hold);
        self.turn(id, device, PartyState::Connected, to, CallStep::Held(device.clone()))
    }

    fn retrieve(&mut self, id: CallId, device: &Instrument) -> Result<(), AcdRefusal> {
        let to = (PartyState::Connected, AgentState::Talking);
        self.turn(id, device, PartyState::Held, to, CallStep::Retrieved(device.clone()))
    }

    /// Everybody leaves the call.
    fn hang_up(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let on_it: Vec<(AgentId, Instrument)> =
            call.agents().map(|(agent, device)| (agent.clone(), device.clone())).collect();
        for (agent, device) in on_it {
            self.step(id, CallStep::Left(device.clone(), CallCause::Normal), |call| {
                call.parties.retain(|party| party.device != device);
            });
            let reason = self.next_reasons.remove(&agent).unwrap_or_default();
            self.change(&agent, |facts| {
                facts.state = facts.next_state.take().unwrap_or(AgentState::Ready);
                facts.reason = reason;
            });
        }
        self.step(id, CallStep::Ended, |_| ());
        true
    }

    fn control(&mut self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        match command {
            CallCommand::Answer(Connection { call, device }) => self.answer(*call, device)?,
            CallCommand::Hold(Connection { call, device }) => self.hold(*call, device)?,
            CallCommand::Retrieve(Connection { call, device }) => self.retrieve(*call, device)?,
            CallCommand::ClearConnection(Connection { call, .. }) if self.hang_up(*call) => (),
            CallCommand::ClearConnection(Connection { call, .. }) => {
                return Err(AcdRefusal::UnknownCall { call: *call });
            }
            other => return Err(AcdRefusal::NotSupported { what: other.what() }),
        }
        Ok(CallOutcome::default())
    }

    fn snapshot(&self) -> Snapshot {
        let is_listed = |facts: &&AgentFacts| self.manners.lists_agents || facts.is_logged_in();
        Snapshot {
            order: self.order,
            agents: self.agents.values().filter(is_listed).cloned().collect(),
            queues: QUEUES.iter().map(|queue| (QueueId(*queue), format!("queue {queue}"))).collect(),
            instruments: DEVICES.iter().map(|device| Instrument::new(device).unwrap()).collect(),
            adapters: self.adapters.iter().cloned().collect(),
            calls: self.calls.values().cloned().map(Arc::new).collect(),
        }
    }
}

/// A command is with the ACD while this lives.
struct Open {
    shared: Arc<Shared>,
    agent: Option<AgentId>,
    command: Command,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(agent) = &self.agent {
            self.shared.watch.command_ends(agent, self.command);
        }
    }
}

/// The ACD has not done a command yet, whether or not somebody waits for it.
struct Undone(Arc<Shared>);

impl Undone {
    fn new(shared: &Arc<Shared>) -> Undone {
        shared.world.lock().commands_open += 1;
        Undone(Arc::clone(shared))
    }
}

impl Drop for Undone {
    fn drop(&mut self) {
        self.0.world.lock().commands_open -= 1;
    }
}

impl ScriptedAcd {
    /// Does a command as its fate is.
    async fn obey<T: Send + 'static>(
        &self,
        agent: Option<&AgentId>,
        command: Command,
        about: String,
        effect: impl FnOnce(&mut World) -> Result<T, AcdRefusal> + Send + 'static,
    ) -> Result<T, AcdRefusal> {
        let shared = Arc::clone(&self.0);
        shared.watch.tells(format!("acd    asked to {command:?} {about}"));
        let _open = Open { shared: Arc::clone(&shared), agent: agent.cloned(), command };
        let (mut link, fate, at, losses) = {
            let mut world = shared.world.lock();
            if let Some(agent) = agent {
                world.watch.command_begins(agent, command, world.is_up);
            }
            if !world.is_up {
                return Err(AcdRefusal::LinkDown);
            }
            let fate = world.fate(command);
            let now = Instant::now();
            let mut at = now + fate.before;
            if let Some(agent) = agent {
                at = at.max(world.busy_until.get(agent).copied().unwrap_or(now));
                world.busy_until.insert(agent.clone(), at);
            }
            let mut link = shared.link.subscribe();
            link.mark_unchanged();
            (link, fate, at, world.losses)
        };
        let (send, done) = oneshot::channel();
        let undone = Undone::new(&shared);
        let work = {
            let shared = Arc::clone(&shared);
            move || {
                let _undone = undone;
                let mut world = shared.world.lock();
                let answer = if world.losses != losses && !fate.outlives_link {
                    Err(AcdRefusal::LinkDown)
                } else if fate.is_done {
                    // A refusal tells nothing of what was done, nor does an answer on a link that is gone.
                    world.is_silent = fate.is_silent && fate.answer != Said::Refusal && world.losses == losses;
                    let answer = effect(&mut world);
                    world.is_silent = false;
                    answer
                } else {
                    Err(own_words())
                };
                let words = if answer.is_ok() { "does" } else { "does not" };
                shared.watch.tells(format!("acd    {words} {command:?} {about}, says {:?}", fate.answer));
                drop(world);
                shared.lagging.notify_one();
                let answer = if fate.answer == Said::Refusal { Err(own_words()) } else { answer };
                let _nobody_waits = send.send(answer);
            }
        };
        if at <= Instant::now() {
            work();
        } else {
            tokio::spawn(async move {
                tokio::time::sleep_until(at).await;
                work();
            });
        }
        let answered = async {
            let answer = done.await.unwrap_or(Err(AcdRefusal::LinkDown));
            if fate.answer == Said::Nothing {
                std::future::pending::<()>().await;
            }
            if !fate.after.is_zero() {
                tokio::time::sleep(fate.after).await;
            }
            answer
        };
        tokio::select! {
            biased;
            answer = answered => {
                if let Some(agent) = agent.filter(|_| command == Command::LogIn && answer.is_ok()) {
                    shared.watch.login_is_known(agent);
                }
                answer
            }
            _ = link.changed() => match fate.is_told_of_link {
                true => Err(AcdRefusal::LinkDown),
                false => std::future::pending().await,
            },
        }
    }
}

fn own_words() -> AcdRefusal {
    AcdRefusal::Refused { code: 7, words: "not today".to_owned() }
}

#[async_trait]
impl Acd for ScriptedAcd {
    fn capabilities(&self) -> Capabilities {
        let calls = [CallAbility::Answer, CallAbility::Hold, CallAbility::Retrieve, CallAbility::ClearConnection];
        Capabilities {
            after_call_work: false,
            partial_logout: true,
            lists_instruments: true,
            lists_agents: self.0.world.lock().manners.lists_agents,
            calls: calls.into_iter().collect(),
        }
    }

    async fn run(&self, events: AcdEvents) {
        {
            let mut world = self.0.world.lock();
            world.events = Some(events.clone());
        }
        self.link_comes();
        loop {
            let next = self.0.world.lock().lagging.front().map(|(at, _)| *at);
            let due = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = events.closed() => return,
                () = due => (),
                () = self.0.lagging.notified() => (),
            }
            let mut world = self.0.world.lock();
            while world.lagging.front().is_some_and(|(at, _)| *at <= Instant::now()) {
                let Some((_, event)) = world.lagging.pop_front() else { break };
                events.report(event);
            }
        }
    }

    async fn open_adapter(&self, agent: &AgentId, _instrument: &Instrument) -> Result<(), AcdRefusal> {
        let id = agent.clone();
        let open = move |world: &mut World| {
            world.adapters.insert(id.clone());
            world.watch.adapter_is(&id, true);
            Ok(())
        };
        self.obey(Some(agent), Command::OpenAdapter, agent.to_string(), open).await
    }

    async fn close_adapter(&self, agent: &AgentId) -> Result<(), AcdRefusal> {
        let id = agent.clone();
        let close = move |world: &mut World| {
            if let Some(times) = world.stuck_adapters.get_mut(&id).filter(|times| **times > 0) {
                *times -= 1;
                return Err(own_words());
            }
            world.adapters.remove(&id);
            world.watch.adapter_is(&id, false);
            Ok(())
        };
        self.obey(Some(agent), Command::CloseAdapter, agent.to_string(), close).await
    }

    async fn authenticate(&self, agent: &AgentId, password: &Password) -> Result<(), AcdRefusal> {
        let (id, password) = (agent.clone(), password.clone());
        let check = move |world: &mut World| world.authenticate(&id, &password);
        self.obey(Some(agent), Command::Authenticate, agent.to_string(), check).await
    }

    async fn log_in(&self, login: &Login) -> Result<AgentFacts, AcdRefusal> {
        let about = format!("{} at {} {:?}", login.agent, login.instrument, login.queues);
        let work = login.clone();
        self.obey(Some(&login.agent), Command::LogIn, about, move |world| world.log_in(&work, true)).await
    }

    async fn set_state(&self, change: &StateChange) -> Result<AgentFacts, AcdRefusal> {
        let about = format!("{} {:?} ({})", change.agent, change.wanted, change.reason);
        let command = Command::SetState { reason: change.reason.0 };
        let work = change.clone();
        self.obey(Some(&change.agent), command, about, move |world| world.set_state(&work)).await
    }

    async fn log_out(
        &self,
        agent: &AgentId,
        queues: &QueueChoice,
        reason: ReasonCode,
        forced: bool,
    ) -> Result<AgentFacts, AcdRefusal> {
        let about = format!("{agent} {queues:?} ({reason})");
        let command = Command::LogOut { reason: reason.0, is_whole: *queues == QueueChoice::AsAcdSays };
        let (id, queues) = (agent.clone(), queues.clone());
        self.obey(Some(agent), command, about, move |world| world.log_out(&id, &queues, reason, forced)).await
    }

    async fn control_call(&self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        let work = command.clone();
        self.obey(None, Command::ControlCall, command.what().to_owned(), move |world| world.control(&work)).await
    }

    async fn agent(&self, agent: &AgentId) -> Result<Option<AgentFacts>, AcdRefusal> {
        let id = agent.clone();
        let tell = move |world: &mut World| {
            let is_listed = |facts: &&AgentFacts| world.manners.lists_agents || facts.is_logged_in();
            Ok(world.agents.get(&id).filter(is_listed).cloned())
        };
        self.obey(Some(agent), Command::Agent, agent.to_string(), tell).await
    }

    async fn snapshot(&self) -> Result<Snapshot, AcdRefusal> {
        self.obey(None, Command::Snapshot, String::new(), |world| Ok(world.snapshot())).await
    }
}
