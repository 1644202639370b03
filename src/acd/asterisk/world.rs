//! What Asterisk's queues hold, as agents: members and calls put together, with what changes reported in order.
//!
//! Does no IO; time is an argument. Not here: what a message says (`news`), and what a command sends (`mod`).
//! Must hold: what an agent is comes from memberships, pauses, device states and calls that Asterisk told of; a change has
//! a higher order than all before it; while a command is at an agent, its changes are told as one.

mod calls;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{info, warn};

use super::ami::{Action, MemberText};
use super::calls::{Call, Calls, Stage};
use super::line::{Line, Rank};
use super::members::{Device, Echo, Effect, Member, Place, Slot};
use super::names::{Interface, Names, Pause};
use super::switch::{Made, Switch};
use crate::acd::{AcdEvent, AcdEvents, AcdRefusal, BadField, Snapshot};
use crate::model::{AgentFacts, AgentId, AgentState, Instrument, PreCall, QueueId, Queues, ReasonCode};

/// Everything that is known of one Asterisk.
#[derive(Debug)]
pub(super) struct World {
    pub(super) names: Arc<Names>,
    line: Arc<Line>,
    unreachable: ReasonCode,
    slots: HashMap<Place, Slot>,
    /// The queues in which an interface is a member.
    queues_at: HashMap<Interface, BTreeSet<QueueId>>,
    pub(super) calls: Calls,
    pub(super) switch: Switch,
    /// The channels that are being made, by their ids.
    pub(super) being_made: HashMap<String, Made>,
    /// Those that nobody waits for any more, and that may yet come: they are hung up then.
    given_up: VecDeque<String>,
    /// Those that were answered at their own end, and when they are through if nobody is dialled until then.
    answered_alone: HashMap<String, Instant>,
    agents: HashMap<AgentId, Seat>,
    /// For whom an interface is kept.
    bound: HashMap<Interface, AgentId>,
    /// Where the gateway ended a membership, and when: a call that was on its way there is hung up.
    left: HashMap<Place, Instant>,
    /// When agents have to be looked at again.
    due: BTreeSet<(Instant, AgentId)>,
    order: u64,
    events: Option<AcdEvents>,
    /// When what is looked at just now was read.
    pub(super) read_at: Option<std::time::Instant>,
    /// Told whenever something happened to a call.
    pub(super) calls_changed: Arc<Notify>,
    /// Asterisk has told who is where since the link came up. Until then nothing is told: to know of no membership is not
    /// to know that there is none.
    is_known: bool,
}

/// An agent.
#[derive(Debug)]
struct Seat {
    places: BTreeSet<Place>,
    /// What was told of it last.
    told: AgentFacts,
    /// Commands under way: what changes is told when they are done.
    holds: usize,
    /// The interface that is held for it, as Asterisk spells it.
    adapter: Option<(Interface, Arc<str>)>,
    logout_reason: ReasonCode,
    /// Since when the device is busy with something that may yet turn out to be a queue's call.
    busy_since: Option<Instant>,
    /// How long the after-call work of the present call will take.
    work_for: Option<Duration>,
    work_ends: Option<Instant>,
    /// A pause, or its end, that no command asked for is on its way to Asterisk: to this text, or to none.
    unasked: Option<Option<String>>,
    /// A call was answered while a command was under way: its after-call work begins when the command is done.
    owes_work: bool,
}

/// What a login has to do.
pub(super) struct LoginPlan {
    /// Whom a forced login puts out of the device first.
    pub(super) evicted: Vec<(Place, Action)>,
    pub(super) joins: Vec<(Place, Member, Action)>,
}

impl World {
    pub(super) fn new(names: Arc<Names>, line: Arc<Line>, unreachable: ReasonCode) -> World {
        let mut world = World {
            names: Arc::clone(&names),
            line,
            unreachable,
            slots: HashMap::new(),
            queues_at: HashMap::new(),
            calls: Calls::default(),
            switch: Switch::default(),
            being_made: HashMap::new(),
            given_up: VecDeque::new(),
            answered_alone: HashMap::new(),
            agents: HashMap::new(),
            bound: HashMap::new(),
            left: HashMap::new(),
            due: BTreeSet::new(),
            order: 1,
            events: None,
            read_at: None,
            calls_changed: Arc::default(),
            is_known: false,
        };
        for agent in names.configured_agents() {
            world.seat(agent, 1);
        }
        world
    }

    /// From here on changes are reported there.
    pub(super) fn connect(&mut self, events: AcdEvents) {
        self.events = Some(events);
    }

    pub(super) fn report(&self, event: AcdEvent) {
        match (&self.events, self.read_at) {
            (Some(events), Some(read_at)) => events.report_read(event, read_at),
            (Some(events), None) => events.report(event),
            (None, _) => (),
        }
    }

    /// The link is gone: what was known is of the past. What was told stays, so that only differences are told later.
    pub(super) fn forget_everything(&mut self) {
        self.is_known = false;
        self.calls_changed.notify_waiters();
        self.slots.clear();
        self.queues_at.clear();
        self.calls.clear();
        self.switch.clear();
        self.being_made.clear(); // what was given up is not: Asterisk goes on with it
        self.answered_alone.clear();
        self.left.clear();
        self.due.clear();
        for seat in self.agents.values_mut() {
            seat.places.clear();
            (seat.busy_since, seat.work_for, seat.work_ends) = (None, None, None);
            (seat.unasked, seat.owes_work) = (None, false);
        }
    }

    /// Whether what is known is what Asterisk said on this link.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// When [`pass`](World::pass) has something to do.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at).into_iter().chain(self.answered_alone.values().copied()).min()
    }

    /// Time has passed.
    pub(super) fn pass(&mut self, now: Instant) {
        while self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, agent)) = self.due.pop_first() else { return };
            self.end_work_if_due(&agent, now);
            self.refresh(&agent, now);
        }
        let is_due = |at: &Instant| *at <= now;
        let alone: Vec<String> =
            self.answered_alone.iter().filter(|(_, at)| is_due(at)).map(|(id, _)| id.clone()).collect();
        for id in alone {
            self.answered_alone.remove(&id);
            let touched = self.switch.is_served(&id);
            self.report_calls(touched);
        }
    }
}

/// Adapters and commands.
impl World {
    /// Keeps an interface for an agent, if it is free: who logs in there unforced meanwhile is refused.
    pub(super) fn open_adapter(&mut self, agent: &AgentId, instrument: &Instrument) -> Result<(), AcdRefusal> {
        self.names.member_name(agent)?;
        let text = self.names.interface(instrument)?;
        self.bind(agent, Interface::new(text.as_str()), text.as_str().into());
        Ok(())
    }

    /// What rings at the agent's interface for queues that it is not in any more.
    pub(super) fn ringing_of(&self, agent: &AgentId) -> Vec<Call> {
        let Some((interface, _)) = self.agents.get(agent).and_then(|seat| seat.adapter.as_ref()) else {
            return Vec::new();
        };
        let places = self.names.queues().map(|(queue, _)| Place { queue, interface: interface.clone() });
        places.filter(|place| self.member(place).is_none()).flat_map(|place| self.ringing_at(&place)).collect()
    }

    /// Gives the interface free.
    pub(super) fn close_adapter(&mut self, agent: &AgentId) {
        let adapter = self.agents.get_mut(agent).and_then(|seat| seat.adapter.take());
        if let Some((interface, _)) = adapter {
            self.unbind(agent, &interface);
        }
        self.forget_if_idle(agent);
    }

    fn bind(&mut self, agent: &AgentId, interface: Interface, spelled: Arc<str>) {
        let order = self.order;
        let seat = self.seat(agent, order);
        let earlier = seat.adapter.replace((interface.clone(), spelled));
        if let Some((earlier, _)) = earlier.filter(|(earlier, _)| *earlier != interface) {
            self.unbind(agent, &earlier);
        }
        self.bound.entry(interface).or_insert_with(|| agent.clone());
    }

    fn unbind(&mut self, agent: &AgentId, interface: &Interface) {
        if self.bound.get(interface) == Some(agent) {
            self.bound.remove(interface);
        }
    }

    fn must_be_free(&self, at: &Interface, agent: &AgentId, instrument: &Instrument) -> Result<(), AcdRefusal> {
        let in_use = |by: &AgentId| AcdRefusal::InstrumentInUse { instrument: instrument.clone(), by: by.clone() };
        let bound = self.bound.get(at).into_iter();
        match bound.chain(self.members_at(at).map(|(_, member)| &member.agent)).find(|by| *by != agent) {
            Some(by) => Err(in_use(by)),
            None => Ok(()),
        }
    }

    /// Which queues an agent has to join, and how.
    pub(super) fn plan_login(
        &mut self,
        agent: &AgentId,
        instrument: &Instrument,
        queues: &[QueueId],
        forced: bool,
    ) -> Result<LoginPlan, AcdRefusal> {
        let name = self.names.member_name(agent)?;
        let text = self.names.interface(instrument)?;
        if self.names.agent(agent.as_str(), text.as_str()).as_ref() != Some(agent) {
            let why = "a member of that name at that interface would be another agent".to_owned();
            let value = agent.to_string();
            return Err(AcdRefusal::BadValue { field: BadField::Agent, value, why });
        }
        let state_interface = self.names.state_interface(instrument)?;
        let interface = Interface::new(text.as_str());
        // As Asterisk has it already, where it has: it lists members by the very letters.
        let known =
            self.members_at(&interface).next().and_then(|(_, member)| MemberText::new(member.spelled.as_ref()).ok());
        let text = known.unwrap_or(text);
        let seat = self.agents.get(agent);
        let elsewhere = seat.and_then(|seat| seat.places.iter().find(|place| place.interface != interface));
        if let Some(place) = elsewhere {
            let there = self.member(place).map_or_else(|| instrument.clone(), |member| member.instrument.clone());
            return Err(AcdRefusal::AlreadyLoggedIn { agent: agent.clone(), instrument: there });
        }
        let mut evicted = Vec::new();
        if forced {
            let others = self.members_at(&interface).filter(|(_, member)| member.agent != *agent);
            for (place, member) in others {
                evicted.push((place.clone(), self.removal(&place, member)?));
            }
            self.bound.insert(interface.clone(), agent.clone());
        } else {
            self.must_be_free(&interface, agent, instrument)?;
        }
        // Whoever joins a queue more joins it as it is in the others; who has just come is paused in the same step, so
        // that no call can ring in between.
        let first = seat.and_then(|seat| seat.places.first()).and_then(|place| self.member(place));
        let paused = first.map_or(Some(String::new()), |member| member.paused.clone());
        let paused = seat.and_then(|seat| seat.unasked.clone()).filter(|_| first.is_some()).unwrap_or(paused);
        let device = first.map_or(Device::UNKNOWN, |member| member.device);
        let mut joins = Vec::new();
        for &queue in queues {
            let place = Place { queue, interface: interface.clone() };
            if self.member(&place).is_some_and(|member| member.agent == *agent) {
                continue; // there already
            }
            let queue_name = self.names.queue_name(queue);
            let queue_name = queue_name.ok_or_else(|| AcdRefusal::BadQueue { agent: agent.clone(), queue })?;
            let mut action =
                queue_action("QueueAdd", queue_name)?.with_member("Interface", &text).with_member("MemberName", &name);
            if let Some(state_interface) = &state_interface {
                action = action.with_member("StateInterface", state_interface);
            }
            action = header(action, "Paused", if paused.is_some() { "true" } else { "false" })?;
            if let Some(reason) = paused.as_deref().filter(|reason| !reason.is_empty()) {
                action = header(action, "Reason", reason)?;
            }
            let member = Member {
                agent: agent.clone(),
                instrument: instrument.clone(),
                spelled: text.as_str().into(),
                paused: paused.clone(),
                device,
                is_in_call: false,
            };
            joins.push((place, member, action));
        }
        Ok(LoginPlan { evicted, joins })
    }

    /// What ends these memberships.
    pub(super) fn removals(&self, places: &[&Place]) -> Vec<(Action, Effect)> {
        let here = places.iter().filter_map(|place| self.member(place).map(|member| (*place, member)));
        here.filter_map(|(place, member)| Some((self.removal(place, member).ok()?, Effect::Removed(place.clone()))))
            .collect()
    }

    /// Which memberships end with a logout; none named is all.
    pub(super) fn plan_logout(
        &self,
        agent: &AgentId,
        queues: Option<&[QueueId]>,
    ) -> Result<Vec<(Place, Action)>, AcdRefusal> {
        let seat = self.agents.get(agent).filter(|seat| !seat.places.is_empty());
        let seat = seat.ok_or_else(|| AcdRefusal::NotLoggedIn { agent: agent.clone() })?;
        if let Some(&queue) = queues.into_iter().flatten().find(|queue| !seat.places.iter().any(|p| p.queue == **queue))
        {
            return Err(AcdRefusal::BadQueue { agent: agent.clone(), queue });
        }
        let leaving = seat.places.iter().filter(|place| queues.is_none_or(|queues| queues.contains(&place.queue)));
        leaving
            .filter_map(|place| self.member(place).map(|member| (place, member)))
            .map(|(place, member)| Ok((place.clone(), self.removal(place, member)?)))
            .collect()
    }

    /// What has to be sent for an agent to be paused with that text, or not paused: nothing where it is so already, for a
    /// pause repeated would start anew.
    pub(super) fn plan_pause(&self, agent: &AgentId, text: Option<&str>) -> Result<Vec<(Action, Effect)>, AcdRefusal> {
        let seat = self.agents.get(agent).filter(|seat| !seat.places.is_empty());
        let seat = seat.ok_or_else(|| AcdRefusal::NotLoggedIn { agent: agent.clone() })?;
        let mut actions = Vec::new();
        let interfaces: BTreeSet<&Interface> = seat.places.iter().map(|place| &place.interface).collect();
        for interface in interfaces {
            let here: Vec<_> = self.members_at(interface).collect();
            // What is on its way unasked may make it another one yet: then it is said again, behind that.
            let may_change = seat.unasked.is_some();
            let differs = |member: &Member| member.agent == *agent && (may_change || member.paused.as_deref() != text);
            if here.iter().all(|(_, member)| differs(member)) {
                let Some((_, member)) = here.first() else { continue };
                let effect =
                    Effect::Paused { interface: interface.clone(), queue: None, text: text.map(str::to_owned) };
                actions.push((pause_action(member, text)?, effect));
                continue;
            }
            for (place, member) in here.into_iter().filter(|(_, member)| differs(member)) {
                let name = self.names.queue_name(place.queue).unwrap_or_default();
                let queue = Some(place.queue);
                let effect = Effect::Paused { interface: interface.clone(), queue, text: text.map(str::to_owned) };
                actions.push((header(pause_action(member, text)?, "Queue", name)?, effect));
            }
        }
        Ok(actions)
    }

    /// Where the agent is to be asked for: the interfaces that it is or may be at, as Asterisk spells them.
    pub(super) fn interfaces_of(&self, agent: &AgentId) -> Vec<(Interface, Arc<str>)> {
        let Some(seat) = self.agents.get(agent) else { return Vec::new() };
        let members = seat.places.iter().filter_map(|place| self.member(place).map(|m| (place, m.spelled.clone())));
        let members = members.map(|(place, spelled)| (place.interface.clone(), spelled));
        let mut found: Vec<(Interface, Arc<str>)> = members.chain(seat.adapter.clone()).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The agent that is a member there.
    pub(super) fn agent_at(&self, place: &Place) -> Option<&AgentId> {
        self.member(place).map(|member| &member.agent)
    }

    /// Where anybody is a member.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = Interface> {
        self.queues_at.keys().cloned()
    }

    /// The calls that ring there.
    pub(super) fn ringing_at(&self, place: &Place) -> Vec<Call> {
        self.calls.offered(place).cloned().collect()
    }

    /// A command for that agent begins: what changes is told when it is done.
    pub(super) fn hold(&mut self, agent: &AgentId) {
        let order = self.order;
        self.seat(agent, order).holds += 1;
    }

    /// It is done, or given up.
    pub(super) fn release(&mut self, agent: &AgentId, now: Instant) -> AgentFacts {
        let mut begins_work = false;
        if let Some(seat) = self.agents.get_mut(agent) {
            seat.holds -= 1;
            begins_work = seat.holds == 0 && std::mem::take(&mut seat.owes_work);
        }
        if begins_work {
            self.begin_work(agent);
        }
        self.refresh(agent, now);
        let facts = self.facts(agent);
        self.forget_if_idle(agent);
        facts.unwrap_or_else(|| AgentFacts::logged_out(agent.clone(), ReasonCode::default(), self.order))
    }

    /// Why the agent leaves, should it leave.
    pub(super) fn set_logout_reason(&mut self, agent: &AgentId, reason: ReasonCode) {
        if let Some(seat) = self.agents.get_mut(agent) {
            seat.logout_reason = reason;
        }
    }

    /// What was told of the agent last.
    pub(super) fn facts(&self, agent: &AgentId) -> Option<AgentFacts> {
        self.agents.get(agent).map(|seat| seat.told.clone())
    }

    /// Everything, after Asterisk was asked for it: what differs from what was told is not told besides. The adapter of
    /// an agent that is logged in is open by that.
    pub(super) fn snapshot(&mut self, now: Instant) -> Snapshot {
        let ids: Vec<AgentId> = self.agents.keys().cloned().collect();
        let mut agents = Vec::new();
        for id in ids {
            let (facts, looked_at) = self.derived(&id, now, false);
            self.look_again(&id, looked_at);
            let Some(seat) = self.agents.get_mut(&id) else { continue };
            self.order += u64::from(facts.differs_from(&seat.told));
            let order = if facts.differs_from(&seat.told) { self.order } else { seat.told.order };
            seat.told = AgentFacts { order, ..facts };
            if seat.told.is_logged_in() || self.names.is_configured(&id) {
                agents.push(seat.told.clone());
            }
            if let Some(place) = seat.places.first().cloned() {
                let spelled = self.member(&place).map(|member| member.spelled.clone());
                let is_free = self.bound.get(&place.interface).is_none_or(|by| *by == id);
                if let Some(spelled) = spelled.filter(|_| is_free) {
                    self.bind(&id, place.interface, spelled);
                }
            }
            self.forget_if_idle(&id);
        }
        Snapshot {
            order: self.order,
            agents,
            queues: self.names.queues().map(|(number, name)| (number, name.to_owned())).collect(),
            instruments: Vec::new(),
            adapters: self.agents.iter().filter(|(_, seat)| seat.adapter.is_some()).map(|(id, _)| id.clone()).collect(),
            calls: self.switch.told(),
        }
    }

    fn removal(&self, place: &Place, member: &Member) -> Result<Action, AcdRefusal> {
        let queue = self.names.queue_name(place.queue).unwrap_or_default();
        header(queue_action("QueueRemove", queue)?, "Interface", &member.spelled)
    }
}

/// Memberships.
impl World {
    /// Asterisk said that something is done.
    pub(super) fn is_done(&mut self, effect: &Effect, now: Instant) {
        match effect {
            Effect::Nothing | Effect::AllMembers | Effect::MembersAt(..) | Effect::Channels => (),
            Effect::Variable { channel, name, value } => {
                let touched = self.switch.set_variable(channel, name, value);
                self.report_calls(touched);
            }
            Effect::Supervision(linked, how) => {
                let touched = self.switch.set_supervision(linked, *how);
                self.report_calls(touched);
            }
            Effect::Added(place, member) => {
                self.left.remove(place);
                self.set_member(place, Some(member.clone()), now);
                self.slots.entry(place.clone()).or_default().expect(Echo::Added, now);
            }
            Effect::Removed(place) => {
                self.take_back_offers(place);
                self.slots.entry(place.clone()).or_default().expect(Echo::Removed, now);
                self.remember_left(place, now);
                self.set_member(place, None, now);
            }
            Effect::Paused { interface, queue, text } => {
                for (place, member) in self.paused_places(interface, *queue) {
                    if let Some(seat) = self.agents.get_mut(&member.agent) {
                        seat.unasked.take_if(|unasked| unasked == text);
                    }
                    let paused = Member { paused: text.clone(), ..member };
                    self.set_member(&place, Some(paused), now);
                    self.slots.entry(place).or_default().expect(Echo::Paused(text.clone()), now);
                }
            }
        }
    }

    /// Asterisk said that there is no such member: somebody else ended the membership, and its event is yet to come.
    pub(super) fn is_not_there(&mut self, effect: &Effect, now: Instant) {
        match effect {
            Effect::Removed(place) => self.was_removed(place, now),
            Effect::Paused { interface, queue, .. } => {
                for (place, _) in self.paused_places(interface, *queue) {
                    self.was_removed(&place, now);
                }
            }
            _ => (),
        }
    }

    /// Where a member was known, the event of its end is yet to come, and what comes before that is of the past.
    fn was_removed(&mut self, place: &Place, now: Instant) {
        if let Some(slot) = self.slots.get_mut(place).filter(|slot| slot.member.is_some()) {
            slot.expect(Echo::Removed, now);
        }
        self.set_member(place, None, now);
    }

    fn paused_places(&self, interface: &Interface, queue: Option<QueueId>) -> Vec<(Place, Member)> {
        let here = self.members_at(interface).filter(|(place, _)| queue.is_none_or(|queue| queue == place.queue));
        here.map(|(place, member)| (place, member.clone())).collect()
    }

    /// An event tells of a membership; what it tells of the device is taken in any case.
    pub(super) fn told_of(&mut self, place: &Place, echo: &Echo, member: Option<Member>, now: Instant) {
        let slot = self.slots.entry(place.clone()).or_default();
        let is_news = slot.is_news(echo, now);
        let present = slot.member.clone();
        match (is_news, present, member) {
            (true, _, member @ Some(_)) if *echo == Echo::Added => self.set_member(place, member, now),
            (true, _, None) => self.set_member(place, None, now),
            (true, Some(present), Some(told)) => {
                self.set_member(
                    place,
                    Some(Member {
                        agent: present.agent,
                        instrument: present.instrument,
                        spelled: present.spelled,
                        ..told
                    }),
                    now,
                );
            }
            (false, Some(present), Some(told)) => {
                let now_there = Member { device: told.device, is_in_call: told.is_in_call, ..present };
                self.set_member(place, Some(now_there), now);
            }
            _ => self.drop_slot_if_idle(place),
        }
    }

    /// An event tells of a member's device, and how it is paused.
    pub(super) fn told_status(&mut self, place: &Place, told: Member, now: Instant) {
        let Some(slot) = self.slots.get_mut(place) else { return };
        let is_ahead = slot.is_ahead(now);
        let Some(present) = slot.member.clone() else { return };
        let is_over = told.device == Device::NOT_IN_USE || (present.is_in_call && !told.is_in_call);
        let paused = if is_ahead { present.paused.clone() } else { told.paused };
        let member = Member { paused, device: told.device, is_in_call: told.is_in_call, ..present };
        if is_over {
            // Agents are freed by this: the end of the call may be told much later.
            self.calls.take_at(place, |call| call.stage != Stage::Offered);
        }
        self.set_member(place, Some(member), now);
    }

    /// A list tells of every member there is, or of every one at one interface. None of it is reported.
    pub(super) fn set_members(&mut self, at: Option<(&Interface, &str)>, members: Vec<(Place, Member)>, now: Instant) {
        let listed: HashMap<Place, Member> = members.into_iter().collect();
        // A list of one interface holds only the members that are spelled the same.
        let is_concerned = |place: &Place, slot: &Slot| {
            at.is_none_or(|(at, spelled)| {
                place.interface == *at && slot.member.as_ref().is_none_or(|member| *member.spelled == *spelled)
            })
        };
        let known = self.slots.iter().filter(|(place, slot)| is_concerned(place, slot));
        let known: Vec<Place> = known.map(|(place, _)| place.clone()).collect();
        let mut concerned: BTreeSet<AgentId> = BTreeSet::new();
        for place in known.iter().filter(|place| !listed.contains_key(*place)) {
            concerned.extend(self.move_member(place, None).into_iter().flatten());
        }
        for (place, member) in listed {
            concerned.extend(self.move_member(&place, Some(member)).into_iter().flatten());
        }
        if at.is_some() {
            for agent in concerned {
                self.refresh(&agent, now);
                self.forget_if_idle(&agent);
            }
        } else {
            self.is_known = true;
        }
    }

    fn set_member(&mut self, place: &Place, member: Option<Member>, now: Instant) {
        let is_new = self.member(place).is_none();
        let comes_to = member.as_ref().filter(|_| is_new).map(|member| member.instrument.clone());
        for agent in self.move_member(place, member).into_iter().flatten() {
            self.refresh(&agent, now);
            self.forget_if_idle(&agent);
        }
        // From here on that is a device's name, and nobody else's.
        let outsider = comes_to.map(|device| self.switch.with_outsider(&device));
        self.report_calls(outsider);
    }

    /// Puts a member into its place, in every index. Says whom that concerns.
    fn move_member(&mut self, place: &Place, member: Option<Member>) -> [Option<AgentId>; 2] {
        let next = member.as_ref().map(|member| member.agent.clone());
        let slot = self.slots.entry(place.clone()).or_default();
        let was = std::mem::replace(&mut slot.member, member).map(|member| member.agent);
        if was != next {
            if let Some(seat) = was.as_ref().and_then(|was| self.agents.get_mut(was)) {
                seat.places.remove(place);
            }
            let queues = self.queues_at.entry(place.interface.clone()).or_default();
            match &next {
                Some(next) => {
                    queues.insert(place.queue);
                    let order = self.order;
                    let seat = self.seat(next, order);
                    if seat.places.is_empty() {
                        seat.logout_reason = ReasonCode::default();
                    }
                    seat.places.insert(place.clone());
                }
                None => {
                    queues.remove(&place.queue);
                    if queues.is_empty() {
                        self.queues_at.remove(&place.interface);
                    }
                }
            }
        }
        self.drop_slot_if_idle(place);
        [was.filter(|was| Some(was) != next.as_ref()), next]
    }

    fn drop_slot_if_idle(&mut self, place: &Place) {
        if self.slots.get(place).is_some_and(Slot::is_idle) {
            self.slots.remove(place);
        }
    }

    fn member(&self, place: &Place) -> Option<&Member> {
        self.slots.get(place).and_then(|slot| slot.member.as_ref())
    }

    fn members_at<'a>(&'a self, interface: &'a Interface) -> impl Iterator<Item = (Place, &'a Member)> {
        let queues = self.queues_at.get(interface).into_iter().flatten();
        let places = queues.map(|queue| Place { queue: *queue, interface: interface.clone() });
        places.filter_map(|place| self.slots.get(&place)?.member.as_ref().map(|member| (place, member)))
    }

    fn remember_left(&mut self, place: &Place, now: Instant) {
        if self.left.len() >= LEFT_MAX {
            self.left.retain(|_, since| now.duration_since(*since) < LEFT_FOR);
        }
        if self.left.len() < LEFT_MAX {
            self.left.insert(place.clone(), now);
        }
    }
}

/// Calls.
impl World {
    /// A queue rings a member.
    pub(super) fn offered(&mut self, place: &Place, call: Call, now: Instant) {
        let Some(agent) = self.agent_at(place).cloned() else {
            if self.left.get(place).is_some_and(|since| now.duration_since(*since) < LEFT_FOR) {
                info!(interface = ?place.interface, channel = call.channel, "a call rings at an agent that has left, hanging up");
                self.hang_up(&call.channel);
            }
            return;
        };
        self.calls.put(place, call.clone());
        // First the call, then the state that it brings.
        self.announce(&agent, place, &call, AcdEvent::PreCall);
        self.refresh(&agent, now);
    }

    /// The member has answered. After-call work begins as a pause now, so that no call can ring before it.
    pub(super) fn connected(&mut self, place: &Place, call: Call, now: Instant) {
        self.calls.put(place, call);
        let Some(agent) = self.agent_at(place).cloned() else { return };
        let wrap_up = self.names.wrap_up_after(place.queue);
        if let Some(seat) = self.agents.get_mut(&agent) {
            seat.work_for = wrap_up;
        }
        if wrap_up.is_some() {
            match self.agents.get_mut(&agent) {
                // A command may be about to pause the agent: its word counts.
                Some(seat) if seat.holds > 0 => seat.owes_work = true,
                _ => self.begin_work(&agent),
            }
        }
        self.refresh(&agent, now);
    }

    /// Pauses an agent on a call who is not paused: so no other call can ring before the after-call work.
    fn begin_work(&mut self, agent: &AgentId) {
        let Some(seat) = self.agents.get(agent) else { return };
        let is_on_call = seat.places.iter().any(|place| self.calls.stage(place) > Some(Stage::Offered));
        if is_on_call && self.pause_of(agent).is_none() {
            let text = self.names.pause_text(Pause::Work(AgentState::WorkReady));
            self.pause_unasked(agent, Some(&text));
        }
    }

    /// The call was held, or taken back.
    pub(super) fn held(&mut self, id: &str, is_held: bool, now: Instant) {
        if self.calls.is_answered(id) {
            let place = self.calls.advance(id, if is_held { Stage::Held } else { Stage::Connected });
            self.look_at(place.as_ref(), now);
        }
    }

    /// That channel is gone, and with it what it was to an agent.
    pub(super) fn hung_up(&mut self, id: &str, now: Instant) {
        if let Some((place, call)) = self.calls.take(id) {
            self.ended(&place, &[call], now);
        }
    }

    /// What a queue brought there and as far as this is over.
    pub(super) fn over_at(&mut self, place: &Place, is_over: impl Fn(&Call) -> bool, now: Instant) {
        let over = self.calls.take_at(place, is_over);
        self.ended(place, &over, now);
    }

    fn ended(&mut self, place: &Place, over: &[Call], now: Instant) {
        if let Some(agent) = self.agent_at(place).cloned() {
            for call in over.iter().filter(|call| call.stage == Stage::Offered) {
                self.announce(&agent, place, call, AcdEvent::PreCallAbort);
            }
        }
        self.calls_changed.notify_waiters();
        self.look_at(Some(place), now);
    }

    /// Whoever leaves the queue does not get its calls: said while it is known who that is.
    fn take_back_offers(&mut self, place: &Place) {
        let Some(agent) = self.agent_at(place).cloned() else { return };
        for call in self.ringing_at(place) {
            self.announce(&agent, place, &call, AcdEvent::PreCallAbort);
        }
    }

    fn look_at(&mut self, place: Option<&Place>, now: Instant) {
        if let Some(agent) = place.and_then(|place| self.agent_at(place)).cloned() {
            self.refresh(&agent, now);
        }
    }

    fn announce(&mut self, agent: &AgentId, place: &Place, call: &Call, as_event: fn(PreCall) -> AcdEvent) {
        let Some(instrument) = self.member(place).map(|member| member.instrument.clone()) else { return };
        if !self.is_known {
            return;
        }
        self.order += 1;
        self.report(as_event(PreCall {
            agent: agent.clone(),
            instrument,
            queue: place.queue,
            key: call.key,
            ani: call.ani.clone(),
            dialed_number: call.dialed_number.clone(),
            order: self.order,
        }));
    }
}

/// Agents.
impl World {
    /// Tells what differs from what was told last, unless a command will.
    fn refresh(&mut self, agent: &AgentId, now: Instant) {
        if !self.is_known || self.agents.get(agent).is_none_or(|seat| seat.holds > 0) {
            return;
        }
        let (facts, look_again) = self.derived(agent, now, true);
        self.look_again(agent, look_again);
        let Some(seat) = self.agents.get_mut(agent) else { return };
        if !facts.differs_from(&seat.told) {
            return;
        }
        self.order += 1;
        let is_cut_off = facts.state == AgentState::NotReady && facts.reason == self.unreachable;
        if is_cut_off && seat.told.reason != self.unreachable {
            let instrument = facts.instrument.as_ref().map(tracing::field::display);
            warn!(%agent, instrument, "agent cannot be called: its device is invalid or not registered");
        }
        seat.told = AgentFacts { order: self.order, ..facts };
        let told = seat.told.clone();
        self.report(AcdEvent::Agent(told));
    }

    /// What an agent is, and when that is to be looked at again. A device that has just become busy with what is no call
    /// of a queue may be about to show that it is one: for a moment nothing is said.
    fn derived(&mut self, agent: &AgentId, now: Instant, with_patience: bool) -> (AgentFacts, Option<Instant>) {
        let Some(seat) = self.agents.get(agent) else {
            return (AgentFacts::logged_out(agent.clone(), ReasonCode::default(), 0), None);
        };
        let members: Vec<(&Place, &Member)> =
            seat.places.iter().filter_map(|place| self.member(place).map(|member| (place, member))).collect();
        let Some((_, first)) = members.first() else {
            return (AgentFacts::logged_out(agent.clone(), seat.logout_reason, 0), None);
        };
        let pause = self.pause_of(agent);
        let (mut state, mut reason) = match pause {
            None => (AgentState::Ready, ReasonCode::default()),
            Some(Pause::NotReady(reason)) => (AgentState::NotReady, reason),
            Some(Pause::Work(work)) => (work, ReasonCode::default()),
        };
        let mut next_state = None;
        let stage = members.iter().filter_map(|(place, _)| self.calls.stage(place)).max();
        let is_in_call = |m: &Member| m.is_in_call && m.device != Device::NOT_IN_USE;
        let on_call = match stage {
            Some(Stage::Connected) => Some(AgentState::Talking),
            Some(Stage::Held) => Some(AgentState::Hold),
            _ if members.iter().any(|(_, member)| is_in_call(member)) => Some(AgentState::Talking),
            Some(Stage::Offered) => Some(AgentState::Reserved),
            None if members.iter().any(|(_, member)| member.device.is_busy()) => Some(AgentState::BusyOther),
            None => None,
        };
        if let Some(on_call) = on_call {
            next_state = pause.is_some().then_some(state);
            (state, reason) = (on_call, ReasonCode::default());
        } else if members.iter().all(|(_, member)| member.device.is_unreachable()) {
            (state, reason) = (AgentState::NotReady, self.unreachable);
        }
        let mut queues: Queues = members.iter().map(|(place, _)| place.queue).collect();
        queues.dedup();
        let instrument = Some(first.instrument.clone());
        let mut facts = AgentFacts {
            agent: agent.clone(),
            instrument,
            extension: None,
            state,
            next_state,
            reason,
            queues,
            order: 0,
        };
        let mut look_again = None;
        // After a reconnect it is not known which queue's call it was.
        let longest = members.iter().filter_map(|(place, _)| self.names.wrap_up_after(place.queue)).max();
        let Some(seat) = self.agents.get_mut(agent) else { return (facts, None) };
        let is_new_busy = state == AgentState::BusyOther && seat.told.is_logged_in() && seat.told.state != state;
        if is_new_busy && with_patience {
            let until = *seat.busy_since.get_or_insert(now) + BUSY_AFTER;
            if now < until {
                look_again = Some(until);
                facts.state = seat.told.state;
                (facts.reason, facts.next_state) = (seat.told.reason, seat.told.next_state);
            }
        } else {
            seat.busy_since = None;
        }
        if facts.state == AgentState::WorkReady {
            let work_for = seat.work_for.or(longest).unwrap_or_default();
            if seat.work_ends.is_none() && !work_for.is_zero() {
                seat.work_ends = Some(now + work_for);
            }
            look_again = [look_again, seat.work_ends].into_iter().flatten().min();
        } else {
            seat.work_ends = None;
            if on_call.is_none() && seat.unasked.is_none() {
                seat.work_for = None;
            }
        }
        (facts, look_again)
    }

    /// How the agent is paused: who is paused in some queues only still gets calls.
    fn pause_of(&self, agent: &AgentId) -> Option<Pause> {
        let seat = self.agents.get(agent)?;
        let mut texts =
            seat.places.iter().filter_map(|place| self.member(place)).map(|member| member.paused.as_deref());
        let first = texts.next()??;
        texts.all(|text| text.is_some()).then(|| self.names.pause(first))
    }

    fn end_work_if_due(&mut self, agent: &AgentId, now: Instant) {
        let Some(seat) = self.agents.get_mut(agent) else { return };
        // A command that is under way may be about to say something else; its end looks here again.
        if seat.holds == 0 && seat.work_ends.is_some_and(|at| at <= now) {
            seat.work_ends = Some(now + WORK_END_RETRY); // in case that it does not work
            self.pause_unasked(agent, None);
        }
    }

    fn pause_unasked(&mut self, agent: &AgentId, text: Option<&str>) {
        let Ok(actions) = self.plan_pause(agent, text) else { return };
        if let Some(seat) = self.agents.get_mut(agent).filter(|_| !actions.is_empty()) {
            seat.unasked = Some(text.map(str::to_owned));
        }
        for (action, effect) in actions {
            if let Err(error) = self.line.tell(Rank::Normal, action, effect) {
                warn!(%agent, %error, "cannot change the pause of after-call work");
            }
        }
    }

    fn look_again(&mut self, agent: &AgentId, at: Option<Instant>) {
        if let Some(at) = at {
            self.due.insert((at, agent.clone()));
            self.line.changed.notify_one(); // the link sleeps until what was due first
        }
    }

    fn seat(&mut self, agent: &AgentId, order: u64) -> &mut Seat {
        self.agents.entry(agent.clone()).or_insert_with(|| Seat {
            places: BTreeSet::new(),
            told: AgentFacts::logged_out(agent.clone(), ReasonCode::default(), order),
            holds: 0,
            adapter: None,
            logout_reason: ReasonCode::default(),
            busy_since: None,
            work_for: None,
            work_ends: None,
            unasked: None,
            owes_work: false,
        })
    }

    /// An agent in no queue, at no device and with no command is not kept, unless the configuration names it.
    fn forget_if_idle(&mut self, agent: &AgentId) {
        let is_idle = |seat: &Seat| seat.places.is_empty() && seat.adapter.is_none() && seat.holds == 0;
        if !self.names.is_configured(agent) && self.agents.get(agent).is_some_and(is_idle) {
            self.agents.remove(agent);
        }
    }
}

/// Hangs a channel up.
pub(super) fn hangup_action(channel: &str) -> Result<Action, AcdRefusal> {
    // Asterisk would take what begins so for a pattern of many channels.
    if channel.starts_with('/') {
        return Err(AcdRefusal::Refused { code: 0, words: format!("{channel:?} is no channel") });
    }
    header(header(Action::new("Hangup"), "Channel", channel)?, "Cause", NORMAL_CLEARING)
}

fn queue_action(name: &'static str, queue: &str) -> Result<Action, AcdRefusal> {
    header(Action::new(name), "Queue", queue)
}

fn pause_action(member: &Member, text: Option<&str>) -> Result<Action, AcdRefusal> {
    let action = header(Action::new("QueuePause"), "Interface", &member.spelled)?;
    let action = header(action, "Paused", if text.is_some() { "true" } else { "false" })?;
    match text.filter(|text| !text.is_empty()).map(MemberText::new) {
        Some(Ok(text)) => Ok(action.with_member("Reason", &text)),
        Some(Err(error)) => Err(AcdRefusal::Refused { code: 0, words: error.to_string() }),
        None => Ok(action),
    }
}

pub(super) fn header(action: Action, header: &'static str, value: &str) -> Result<Action, AcdRefusal> {
    action.with(header, value).map_err(|error| AcdRefusal::Refused { code: 0, words: error.to_string() })
}

/// How long a device that is busy with no call of a queue is not told to be: `AgentCalled` and the device's state come in
/// either order.
const BUSY_AFTER: Duration = Duration::from_millis(250);
/// How long a call may be on its way to a member that has left.
const LEFT_FOR: Duration = Duration::from_secs(30);
const LEFT_MAX: usize = 100_000;
const WORK_END_RETRY: Duration = Duration::from_secs(2);
/// The cause of a hang-up, ITU-T Q.850: normal call clearing.
const NORMAL_CLEARING: &str = "16";
