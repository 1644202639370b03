//! What an ACD says of an agent, into the table and out to the subscribers.
//!
//! Not here: who asked the ACD. Must hold: for one agent, reports are taken in one at a time and in the ACD's order, and
//! its subscribers get the events in that order.

use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;
use tracing::{debug, error};

use super::House;
use crate::model::{
    AgentEvent, AgentFacts, AgentKey, AgentReport, AgentState, Event, Heard, Instrument, PeripheralId, PreCallEvent,
    ReasonCode,
};
use crate::sessions::{AgentCell, AgentEntry, Full, Subscription, Target};

impl House {
    /// A report that nobody asked for. It waits if a command for this agent is with the ACD.
    pub(super) fn receive(self: &Arc<House>, peripheral: PeripheralId, heard: Heard) {
        let key = AgentKey { peripheral, agent: heard.report.agent().clone() };
        let cell = match self.table.agent_or_new(&key) {
            Ok(cell) => cell,
            Err(full) => return self.has_no_room(&key, full),
        };
        let mut entry = cell.entry();
        if let Some(heard) = entry.defer(heard, self.rules.deferred_events_max) {
            self.take_in(&cell, &mut entry, heard);
        }
    }

    /// What the ACD says of one agent too many is not kept; that agent's login is refused. The next comparison of the table
    /// with the ACD takes it in if there is room by then.
    pub(super) fn has_no_room(&self, key: &AgentKey, full: Full) {
        self.no_room.say(|left_out| {
            error!(agent = %key, agents_max = full.max, left_out, "the ACD has more agents than may be known, this one is left out");
        });
    }

    /// Ends the time in which reports wait: tells the requester first, then takes in what the command itself brought and
    /// what waited, in the ACD's order. All under the agent's lock, so whoever was told finds the table up to date. Only a
    /// life that ended before the command was done is told of before the requester is.
    pub(super) fn settle(self: &Arc<House>, cell: &Arc<AgentCell>, brought: Option<AgentFacts>, tell: impl FnOnce()) {
        let mut entry = cell.entry();
        let mut reports = SmallVec::<[Heard; 1]>::from_iter(entry.stop_deferring());
        reports.sort_by_key(|heard| heard.report.order()); // an older one may have come again
        let mut answered_at = 0;
        if let Some(brought) = brought {
            entry.done_at(brought.order);
            let place = reports.iter().position(|heard| heard.report.order() > brought.order).unwrap_or(reports.len());
            let is_end = |heard: &Heard| matches!(&heard.report, AgentReport::Facts(facts) if !facts.is_logged_in());
            if brought.is_logged_in() {
                answered_at = reports[..place].iter().rposition(is_end).map_or(0, |end| end + 1);
            }
            let read_at = Some(read_first(&reports, &brought, now()));
            reports.insert(place, Heard { report: AgentReport::Facts(brought), read_at });
        }
        for report in reports.drain(..answered_at) {
            self.take_in(cell, &mut entry, report);
        }
        tell();
        for report in reports {
            self.take_in(cell, &mut entry, report);
        }
        entry.doer = None;
    }

    /// Takes in what waited up to these facts, and these facts, which were read then. What is newer goes on waiting.
    pub(super) fn settle_up_to(self: &Arc<House>, cell: &Arc<AgentCell>, brought: AgentFacts, read_at: Instant) {
        let mut entry = cell.entry();
        let (earlier, later): (Vec<_>, Vec<_>) =
            entry.stop_deferring().into_iter().partition(|heard| heard.report.order() <= brought.order);
        entry.done_at(brought.order);
        let read_at = Some(read_first(&earlier, &brought, read_at));
        for heard in earlier {
            self.take_in(cell, &mut entry, heard);
        }
        self.take_in(cell, &mut entry, Heard { report: AgentReport::Facts(brought), read_at });
        entry.start_deferring();
        for heard in later {
            entry.defer(heard, self.rules.deferred_events_max);
        }
    }

    /// Puts a report into the table and tells the subscribers, if it is news.
    pub(super) fn take_in(self: &Arc<House>, cell: &Arc<AgentCell>, entry: &mut AgentEntry, heard: Heard) {
        let peripheral = cell.key.peripheral;
        let Heard { report, read_at } = heard;
        if report.order() < entry.facts.order {
            return; // older than what is known
        }
        match report {
            AgentReport::Facts(facts) => self.take_in_facts(cell, entry, facts, read_at),
            AgentReport::PreCall(call) => {
                self.table.publish(&Event::PreCall(PreCallEvent { peripheral, call, aborted: false, read_at }));
            }
            AgentReport::PreCallAbort(call) => {
                self.table.publish(&Event::PreCall(PreCallEvent { peripheral, call, aborted: true, read_at }));
            }
        }
    }

    fn take_in_facts(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        entry: &mut AgentEntry,
        facts: AgentFacts,
        read_at: Option<Instant>,
    ) {
        let was = std::mem::replace(&mut entry.facts, facts);
        let now = entry.facts.clone();
        self.table.moved(cell.key.peripheral, &was, &now);
        if now.instrument.is_some() {
            entry.last_instrument.clone_from(&now.instrument);
        }
        if !now.differs_from(&was) {
            return;
        }
        cell.changed.notify_waiters();
        self.table.statistics.agent_changed(cell.key.peripheral, &now);
        if now.state != was.state {
            entry.since = tokio::time::Instant::now();
            if !now.state.is_on_call() {
                entry.idle = now.state;
            }
        }
        let has_ended = was.is_logged_in() && !now.is_logged_in();
        if now.is_logged_in() && !was.is_logged_in() {
            entry.login = self.table.new_login();
        }
        if now.is_logged_in() && (!was.is_logged_in() || was.instrument != now.instrument) {
            self.attend_by_holder(cell, entry, now.instrument.as_ref());
        }
        if has_ended {
            // Whatever the ACD goes on to say of them, they have ended for this agent.
            self.end_calls_for(&cell.key, read_at);
        }
        self.each_event(cell, entry, &was, now, read_at, |event| self.table.publish(&event));
        if has_ended {
            self.table.attendance.end(cell, entry);
            // The last event is told: with it end the subscriptions to this agent and its device, in every session.
            self.end_subscriptions(cell, entry);
        }
        // A logout that is under way does its own teardown, and looks for work left when it is through.
        if entry.logging_out.is_none() {
            self.mend_if_needed(cell, entry);
        }
    }

    /// Ends the subscriptions to an agent and to the device that it worked at, unless somebody else works there by now.
    pub(super) fn end_subscriptions(&self, cell: &AgentCell, entry: &AgentEntry) {
        let is_left = |device: &&Instrument| {
            self.table.agent_at(cell.key.peripheral, device).is_none_or(|there| there == cell.key)
        };
        let device = entry.last_instrument.as_ref().filter(is_left);
        let ended = self.table.subscriptions.end_of_agent(&cell.key, device);
        debug!(agent = %cell.key, ended, "subscriptions of a logged-out agent ended");
    }

    /// Tells one subscription how the agent stands, if that is not what its client was told before it subscribed. Said twice is
    /// better than not at all: a change of this very moment may have gone there already.
    pub fn tell_if_news(&self, key: &AgentKey, told: Option<&AgentFacts>, subscription: &Subscription) {
        let Some(cell) = self.table.agent(key) else { return };
        let entry = cell.entry();
        let now = &entry.facts;
        if let Target::Device(_, device) = &subscription.target
            && now.is_logged_in()
            && ![&now.instrument, &now.extension].contains(&&Some(device.clone()))
        {
            return; // works elsewhere by now
        }
        if told.map_or(now.is_logged_in(), |told| now.differs_from(told)) {
            let nobody = AgentFacts::logged_out(key.agent.clone(), ReasonCode::default(), 0);
            self.each_event(&cell, &entry, told.unwrap_or(&nobody), now.clone(), None, |event| {
                subscription.tell(&event)
            });
        }
    }

    /// A change as the events that tell of it: a login has a moment of its own.
    fn each_event(
        &self,
        cell: &AgentCell,
        entry: &AgentEntry,
        was: &AgentFacts,
        now: AgentFacts,
        read_at: Option<Instant>,
        tell: impl Fn(Event),
    ) {
        let has_logged_in = !was.is_logged_in() && now.is_logged_in();
        let mut event = AgentEvent {
            peripheral: cell.key.peripheral,
            state: now.state,
            idle: entry.idle,
            owner: self.table.holder(&cell.key, entry.last_instrument.as_ref()),
            by: entry.doer_of(now.order),
            left: was.queues.iter().filter(|queue| !now.queues.contains(queue)).copied().collect(),
            facts: now,
            read_at,
        };
        if !event.facts.is_logged_in() {
            event.facts.instrument.clone_from(&entry.last_instrument);
            event.facts.extension.clone_from(&was.extension);
        }
        if has_logged_in {
            tell(Event::Agent(AgentEvent { state: AgentState::LoggedIn, ..event.clone() }));
        }
        tell(Event::Agent(event));
    }
}

/// The moment for what an ACD has just answered.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// When that change was read first: an ACD reports what it answers, and which of the two comes first is its own affair.
fn read_first(reports: &[Heard], brought: &AgentFacts, answered: Instant) -> Instant {
    let same = reports.iter().filter(|heard| heard.report.order() == brought.order);
    same.filter_map(|heard| heard.read_at).min().map_or(answered, |read_at| read_at.min(answered))
}
