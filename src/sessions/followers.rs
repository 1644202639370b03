//! Who follows everything that happens: those who keep up are handed each event, the others find it in a log.
//!
//! Not here: what waits for each of them. Must hold: whoever changes from one to the other misses nothing and gets nothing
//! twice; an event costs nothing for those who do not keep up, however many there are.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::RwLock;

use super::Total;
use super::log::{Following, Log};
use super::subscriptions::{Form, Renderings, Subscription, Taken, Waiting};
use crate::model::{Event, Filter};

/// The subscriptions to everything.
#[derive(Debug)]
pub(super) struct Followers {
    /// Whoever tells an event reads it for as long; who changes from one to the other writes.
    known: RwLock<Known>,
    total: Arc<Total>,
    itself: Weak<Followers>,
}

#[derive(Debug, Default)]
struct Known {
    keep_up: Vec<Arc<Subscription>>,
    /// A handful, as there are forms and filters: one without anybody is not kept.
    behind: Vec<Group>,
}

/// Those who follow by one log.
#[derive(Debug)]
struct Group {
    form: Form,
    filter: Filter,
    log: Arc<Log>,
    subscriptions: HashMap<u64, Arc<Subscription>>,
}

impl Followers {
    pub(super) fn new(total: Arc<Total>) -> Arc<Followers> {
        Arc::new_cyclic(|itself| Followers { known: RwLock::default(), total, itself: Weak::clone(itself) })
    }

    pub(super) fn count(&self) -> usize {
        let known = self.known.read();
        known.keep_up.len() + known.behind.iter().map(|group| group.subscriptions.len()).sum::<usize>()
    }

    pub(super) fn add(&self, subscription: Arc<Subscription>) {
        self.known.write().keep_up.push(subscription);
    }

    pub(super) fn remove(&self, subscription: &Subscription) {
        let mut known = self.known.write();
        if known.take_behind(subscription.id).is_none() {
            known.keep_up.retain(|kept| kept.id != subscription.id);
        }
    }

    /// Hands an event to each.
    pub(super) fn tell(&self, event: &Event, renderings: &mut Renderings, waiting: &mut Waiting) {
        let fallen_behind: Vec<Arc<Subscription>> = {
            let known = self.known.read();
            for group in known.behind.iter().filter(|group| group.filter.passes(event)) {
                if let Some(one) = group.subscriptions.values().next()
                    && let Some(rendered) = renderings.of(&*one.subscriber, event)
                {
                    group.log.add(&rendered.bytes, event.read_at());
                }
            }
            let mut fallen_behind = Vec::new();
            for subscription in &known.keep_up {
                match subscription.hand(event, renderings) {
                    Taken::Behind => fallen_behind.push(Arc::clone(subscription)),
                    taken => waiting.take(subscription, taken),
                }
            }
            fallen_behind
        };
        if !fallen_behind.is_empty() {
            let mut known = self.known.write();
            for subscription in &fallen_behind {
                self.falls_behind(&mut known, subscription);
            }
        }
    }

    fn falls_behind(&self, known: &mut Known, subscription: &Arc<Subscription>) {
        let Some(at) = known.keep_up.iter().position(|one| one.id == subscription.id) else { return };
        let (form, filter) = (subscription.subscriber.form(), subscription.filter());
        let is_it = |group: &Group| group.form == form && group.filter == filter;
        let group = known.behind.iter().position(is_it).unwrap_or_else(|| {
            let (log, subscriptions) = (Log::new(&self.total), HashMap::new());
            known.behind.push(Group { form, filter, log, subscriptions });
            known.behind.len() - 1
        });
        let following = Following::begin(&known.behind[group].log, subscription.id, Weak::clone(&self.itself));
        if subscription.subscriber.follow(following) {
            let subscription = known.keep_up.swap_remove(at);
            known.behind[group].subscriptions.insert(subscription.id, subscription);
        } else if known.behind[group].subscriptions.is_empty() {
            known.behind.swap_remove(group);
        }
    }

    /// That one has read all of its log, as far as it knows.
    pub(super) fn keeps_up(&self, subscription: u64) {
        let mut known = self.known.write();
        let is_so = |one: &Arc<Subscription>| one.subscriber.stop_following();
        if known.behind.iter().filter_map(|group| group.subscriptions.get(&subscription)).all(is_so)
            && let Some(subscription) = known.take_behind(subscription)
        {
            known.keep_up.push(subscription);
        }
    }
}

impl Known {
    fn take_behind(&mut self, subscription: u64) -> Option<Arc<Subscription>> {
        let (at, taken) = self
            .behind
            .iter_mut()
            .enumerate()
            .find_map(|(at, group)| Some((at, group.subscriptions.remove(&subscription)?)))?;
        if self.behind[at].subscriptions.is_empty() {
            self.behind.swap_remove(at);
        }
        Some(taken)
    }
}
