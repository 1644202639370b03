//! Subscriptions, found by what they are about.
//!
//! Not here: what an event looks like on a wire. Must hold: once [`Subscription::end`] has returned, no event of that
//! subscription is added to its session's outbound bytes, by anybody.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::Index;
use super::followers::Followers;
use super::{Following, Place, Total};
use crate::model::{
    AgentId, AgentKey, CallKey, CallStep, Event, Filter, Instrument, LinkEvent, PeripheralId, SessionId, TeamId, Teams,
};

/// What a subscription is about.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// Everything that happens, at every ACD.
    All,
    /// One agent, wherever it works.
    Agent(AgentKey),
    /// One device of one ACD, whoever works there.
    Device(PeripheralId, Instrument),
    /// The agents of one team, and how they stand: nothing of their calls.
    Team(TeamId),
    /// One call, until it ends, as who follows everything hears of it.
    Call(CallKey),
}

/// A way of writing events that several sessions share: equal forms render to equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Form(pub u32);

/// An event as bytes of one form, complete but for what is the subscriber's own.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Whole frames.
    pub bytes: Bytes,
    /// Where the subscription's own four-byte id goes in, if anywhere: one place in each frame.
    pub own_id_at: Option<usize>,
}

/// The receiving side of a session, as a dialect makes it.
pub trait Subscriber: Send + Sync + fmt::Debug {
    /// Which session.
    fn session(&self) -> SessionId;
    /// Whose session it is, as its client said: two sessions of one client may replace each other.
    fn client_id(&self) -> &str;
    /// The name that others are told where the session changed somebody else.
    fn signature(&self) -> &str {
        self.client_id()
    }
    /// The protocol that is spoken: where two that meet at one agent speak the same, its own rule may count.
    fn dialect(&self) -> &'static str;
    /// Whether its client is there; if not, the session waits for it to come back.
    fn is_connected(&self) -> bool {
        true
    }
    /// How the session wants its events written.
    fn form(&self) -> Form;
    /// Writes an event in this session's form; none if the form has no such event.
    fn render(&self, event: &Event) -> Option<Rendered>;
    /// Adds the event, as it was written in this session's form, to the session's outbound bytes, unless the subscription
    /// has ended. Never waits.
    fn deliver(&self, subscription: &Subscription, event: &Event, rendered: &Rendered);
    /// From now on the session takes the events of a subscription to everything from a log, as they are there. If not so, each
    /// is delivered.
    fn follow(&self, _following: Following) -> bool {
        false
    }
    /// Has the session look into its log, unless its client has not taken yet what it was given: then it has fallen asleep,
    /// and says so, here and in [`is_asleep`](Subscriber::is_asleep), until it looks by itself.
    fn look(&self) -> bool {
        self.wake();
        false
    }
    /// Whether it need not be told that there is something in its log.
    fn is_asleep(&self) -> bool {
        false
    }
    /// Whether its client is known to read what is in the log: until then it may be told of it in steps.
    fn has_read(&self) -> bool {
        true
    }
    /// Sets the subscription's mark, so that no `deliver` is half done when this returns, and nothing of a log is taken that
    /// was not there.
    fn end(&self, subscription: &Subscription);
    /// Tells that the link to an ACD went or came back.
    fn announce(&self, event: LinkEvent);
    /// Has the session look whether something has changed for it.
    fn wake(&self);
    /// Asks the session to end because another one takes its place.
    fn replace(&self, by: SessionId);
    /// Tells the session that another one has taken an agent over from it.
    fn lose(&self, agent: &AgentKey, by: SessionId);
}

/// One subscription of one session.
#[derive(Debug)]
pub struct Subscription {
    /// Which of all that there ever were.
    pub id: u64,
    /// The id that the client knows it by; 0 is the one that all-events sessions have.
    pub own_id: u32,
    /// What it is about.
    pub target: Target,
    /// The session that gets it.
    pub subscriber: Arc<dyn Subscriber>,
    filter: Mutex<Filter>,
    ended: AtomicBool,
    _place: Option<Place<()>>,
}

impl Subscription {
    /// A subscription that gets nothing until it is added to the index.
    pub fn new(own_id: u32, target: Target, filter: Filter, subscriber: Arc<dyn Subscriber>) -> Arc<Subscription> {
        Subscription::in_place(None, own_id, target, filter, subscriber)
    }

    /// The same for one that a client started: of those there are only so many.
    pub fn in_place(
        place: Option<Place<()>>,
        own_id: u32,
        target: Target,
        filter: Filter,
        subscriber: Arc<dyn Subscriber>,
    ) -> Arc<Subscription> {
        let (filter, ended) = (Mutex::new(filter), AtomicBool::new(false));
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        Arc::new(Subscription { id, own_id, target, subscriber, filter, ended, _place: place })
    }

    /// Whether it has ended, by the client or by a logout.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The mark that ends it, for the session to look at under its own lock.
    pub fn ended_mark(&self) -> &AtomicBool {
        &self.ended
    }

    /// What it lets through.
    pub fn filter(&self) -> Filter {
        *self.filter.lock()
    }

    /// Replaces what it lets through. One to everything keeps what it has.
    pub fn set_filter(&self, filter: Filter) {
        debug_assert!(self.target != Target::All, "its log is of those with the same filter");
        *self.filter.lock() = filter;
    }

    /// Hands an event to this subscription alone.
    pub fn tell(&self, event: &Event) {
        self.hand(event, &mut Renderings::default());
    }

    /// Hands it an event, if it wants it.
    pub(super) fn hand(&self, event: &Event, renderings: &mut Renderings) {
        if self.filter().passes(event)
            && let Some(rendered) = renderings.of(&*self.subscriber, event)
        {
            self.subscriber.deliver(self, event, rendered);
        }
    }

    pub(super) fn end(&self) {
        self.subscriber.end(self);
    }
}

/// Those to one target: most have one, of its own desktop.
type Few = SmallVec<[Arc<Subscription>; 2]>;

/// Every subscription that is alive, by its target.
#[derive(Debug)]
pub struct Subscriptions {
    by_agent: Index<AgentKey, Few>,
    by_device: Index<(PeripheralId, Instrument), Few>,
    by_team: Index<TeamId, Few>,
    by_call: Index<CallKey, Few>,
    teams: Arc<Teams>,
    of_all: Arc<Followers>,
}

impl Default for Subscriptions {
    fn default() -> Subscriptions {
        Subscriptions::new(Arc::default(), Arc::default())
    }
}

impl Subscriptions {
    /// None yet; these teams can be followed, and what waits for those who follow everything is counted there.
    pub fn new(teams: Arc<Teams>, waiting: Arc<Total>) -> Subscriptions {
        Subscriptions {
            by_agent: Index::default(),
            by_device: Index::default(),
            by_team: Index::default(),
            by_call: Index::default(),
            teams,
            of_all: Followers::new(waiting),
        }
    }

    /// From here on its session gets what the subscription is about.
    pub fn add(&self, subscription: Arc<Subscription>) {
        match subscription.target.clone() {
            Target::All => self.of_all.add(subscription),
            Target::Agent(key) => self.by_agent.entry(key).or_default().push(subscription),
            Target::Device(peripheral, device) => {
                self.by_device.entry((peripheral, device)).or_default().push(subscription);
            }
            Target::Team(team) => self.by_team.entry(team).or_default().push(subscription),
            Target::Call(call) => self.by_call.entry(call).or_default().push(subscription),
        }
    }

    /// Ends one subscription. Ended already is fine.
    pub fn remove(&self, subscription: &Arc<Subscription>) {
        let others = |kept: &Arc<Subscription>| !Arc::ptr_eq(kept, subscription);
        match &subscription.target {
            Target::All => self.of_all.remove(subscription),
            Target::Agent(key) => retain(&self.by_agent, key, others),
            Target::Device(peripheral, device) => {
                retain(&self.by_device, &(*peripheral, device.clone()), others);
            }
            Target::Team(team) => retain(&self.by_team, team, others),
            Target::Call(call) => retain(&self.by_call, call, others),
        }
        subscription.end();
    }

    /// Ends every subscription to an agent and to the device that it worked at, in every session that holds one.
    /// Returns how many there were. Subscriptions to everything stay.
    pub fn end_of_agent(&self, key: &AgentKey, instrument: Option<&Instrument>) -> usize {
        let mut ended = self.by_agent.remove(key).map(|(_, ended)| ended).unwrap_or_default();
        if let Some(device) = instrument
            && let Some((_, of_device)) = self.by_device.remove(&(key.peripheral, device.clone()))
        {
            ended.extend(of_device);
        }
        for subscription in &ended {
            subscription.end();
        }
        ended.len()
    }

    /// Hands an event to each subscription that it concerns.
    pub fn publish(&self, event: &Event) {
        let mut renderings = Renderings::default();
        let mut hand = |subscription: &Arc<Subscription>| subscription.hand(event, &mut renderings);
        let (peripheral, to_all) = match event {
            Event::Agent(event) => (event.peripheral, true),
            Event::PreCall(event) => (event.peripheral, true),
            Event::Call(event) => (event.peripheral, event.to_all),
            Event::Correction(event) => (event.peripheral, true),
        };
        for (agent, devices) in concerned(event) {
            if let Some(agent) = agent
                && let Some(of_agent) = self.by_agent.get(&AgentKey { peripheral, agent: agent.clone() })
            {
                of_agent.iter().for_each(&mut hand);
            }
            for device in devices.into_iter().flatten() {
                if let Some(of_device) = self.by_device.get(&(peripheral, device.clone())) {
                    of_device.iter().for_each(&mut hand);
                }
            }
        }
        if let Event::Call(event) = event
            && event.to_all
        {
            let key = CallKey { peripheral, call: event.call.id };
            if let Some(of_call) = self.by_call.get(&key) {
                of_call.iter().for_each(&mut hand);
            }
            if event.step == CallStep::Ended {
                let (_, ended) = self.by_call.remove(&key).unzip();
                ended.iter().flatten().for_each(|subscription| subscription.end());
            }
        }
        if let Event::Agent(event) = event
            && !self.teams.is_empty()
        {
            let key = AgentKey { peripheral, agent: event.facts.agent.clone() };
            for of_team in self.teams.of_member(&key).iter().filter_map(|team| self.by_team.get(team)) {
                of_team.iter().for_each(&mut hand);
            }
        }
        if to_all {
            self.of_all.tell(event, &mut renderings);
        }
    }

    /// How many are alive.
    pub fn count(&self) -> usize {
        let of_agents: usize = self.by_agent.iter().map(|list| list.len()).sum();
        let of_devices: usize = self.by_device.iter().map(|list| list.len()).sum();
        let of_teams: usize = self.by_team.iter().map(|list| list.len()).sum();
        let of_calls: usize = self.by_call.iter().map(|list| list.len()).sum();
        of_agents + of_devices + of_teams + of_calls + self.of_all.count()
    }
}

/// An agent and its devices: one, or two where the extension is another.
type Concerned<'a> = (Option<&'a AgentId>, [Option<&'a Instrument>; 2]);

/// Whom an event is about.
fn concerned(event: &Event) -> impl Iterator<Item = Concerned<'_>> {
    let (one, parties): (Option<Concerned<'_>>, &[_]) = match event {
        Event::Agent(event) => {
            let facts = &event.facts;
            let extension = facts.extension.as_ref().filter(|extension| Some(*extension) != facts.instrument.as_ref());
            (Some((Some(&facts.agent), [facts.instrument.as_ref(), extension])), &[])
        }
        Event::PreCall(event) => (Some((Some(&event.call.agent), [Some(&event.call.instrument), None])), &[]),
        Event::Correction(event) => (Some((event.agent.as_ref(), [event.instrument.as_ref(), None])), &[]),
        Event::Call(event) => (None, &event.to),
    };
    let parties = parties.iter().map(|(device, agent)| (agent.as_ref(), [Some(device), None]));
    one.into_iter().chain(parties)
}

/// What an event looks like in each form that was needed so far. A gateway serves a handful of versions at a time.
#[derive(Default)]
pub(super) struct Renderings(Vec<(Form, Option<Rendered>)>);

impl Renderings {
    pub(super) fn of(&mut self, subscriber: &dyn Subscriber, event: &Event) -> Option<&Rendered> {
        let form = subscriber.form();
        let at = match self.0.iter().position(|(known, _)| *known == form) {
            Some(at) => at,
            None => {
                self.0.push((form, subscriber.render(event)));
                self.0.len() - 1
            }
        };
        self.0[at].1.as_ref()
    }
}

fn retain<K: std::hash::Hash + Eq>(index: &Index<K, Few>, key: &K, others: impl Fn(&Arc<Subscription>) -> bool) {
    if let Some(mut list) = index.get_mut(key) {
        list.retain(|kept| others(kept));
    }
    index.remove_if(key, |_, list| list.is_empty());
}
