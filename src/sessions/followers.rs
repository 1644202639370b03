//! Who follows everything that happens: by logs, of which there is one for all who want the same in the same form.
//!
//! Not here: what waits for each of them besides. Must hold: to tell an event costs whoever tells it the same however many
//! follow by a log; who looks into one misses nothing of it; who is asleep, as its client takes nothing, is not told to look.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::RwLock;
use tokio::runtime::Handle;

use super::Total;
use super::log::{Following, Log};
use super::subscriptions::{Form, Renderings, Subscription};
use crate::model::{Event, Filter};

/// The subscriptions to everything.
#[derive(Debug)]
pub(super) struct Followers {
    known: RwLock<Known>,
    /// Who tells them to look: nobody, somebody, or somebody who has to begin again.
    telling: AtomicU8,
    total: Arc<Total>,
    itself: Weak<Followers>,
}

#[derive(Debug, Default)]
struct Known {
    /// As many as there are forms and filters among them, and clients choose their filters: a log of one's own costs an event
    /// no more than a copy would. One without anybody is not kept.
    groups: Vec<Group>,
    /// Those whose sessions take each event by itself.
    handed: Vec<Arc<Subscription>>,
}

/// Those who follow by one log.
#[derive(Debug)]
struct Group {
    form: Form,
    filter: Filter,
    log: Arc<Log>,
    /// There is something of which those who are awake were not told.
    has_news: AtomicBool,
    awake: Vec<Arc<Subscription>>,
    asleep: HashMap<u64, Arc<Subscription>>,
}

impl Followers {
    pub(super) fn new(total: Arc<Total>) -> Arc<Followers> {
        Arc::new_cyclic(|itself| Followers {
            known: RwLock::default(),
            telling: AtomicU8::new(NOBODY),
            total,
            itself: Weak::clone(itself),
        })
    }

    pub(super) fn count(&self) -> usize {
        let known = self.known.read();
        known.handed.len() + known.groups.iter().map(|group| group.awake.len() + group.asleep.len()).sum::<usize>()
    }

    pub(super) fn add(&self, subscription: Arc<Subscription>) {
        let mut known = self.known.write();
        let (form, filter) = (subscription.subscriber.form(), subscription.filter());
        let is_it = |group: &Group| group.form == form && group.filter == filter;
        if subscription.own_id != 0 {
            return known.handed.push(subscription); // what is in a log has no id of one subscriber's
        }
        let at = known.groups.iter().position(is_it).unwrap_or_else(|| {
            known.groups.push(Group {
                form,
                filter,
                log: Log::new(&self.total),
                has_news: AtomicBool::new(false),
                awake: Vec::new(),
                asleep: HashMap::new(),
            });
            known.groups.len() - 1
        });
        let group = &mut known.groups[at];
        let following = Following::begin(&group.log, subscription.id, Weak::clone(&self.itself));
        if subscription.subscriber.follow(following) {
            group.awake.push(subscription);
        } else {
            known.handed.push(subscription);
            known.groups.retain(|group| !group.is_empty());
        }
    }

    pub(super) fn remove(&self, subscription: &Subscription) {
        let mut known = self.known.write();
        let is_other = |kept: &Arc<Subscription>| kept.id != subscription.id;
        known.handed.retain(is_other);
        for group in &mut known.groups {
            if group.asleep.remove(&subscription.id).is_none() {
                group.awake.retain(is_other);
            }
        }
        known.groups.retain(|group| !group.is_empty());
    }

    /// Tells an event to each.
    pub(super) fn tell(&self, event: &Event, renderings: &mut Renderings) {
        let (mut has_news, mut awake) = (false, 0);
        {
            let known = self.known.read();
            known.handed.iter().for_each(|subscription| subscription.hand(event, renderings));
            for group in known.groups.iter().filter(|group| group.filter.passes(event)) {
                if let Some(one) = group.awake.first().or_else(|| group.asleep.values().next())
                    && let Some(rendered) = renderings.of(&*one.subscriber, event)
                {
                    group.log.add(&rendered.bytes, event.read_at());
                    group.has_news.store(true, Ordering::Release);
                    (has_news, awake) = (true, awake + group.awake.len());
                }
            }
        }
        if !has_news || self.telling.swap(AGAIN, Ordering::AcqRel) != NOBODY {
            return;
        }
        let Some(followers) = self.itself.upgrade() else { return };
        let mut teller = Teller { followers, is_done: false };
        match Handle::try_current() {
            Ok(runtime) if awake > TOLD_AT_ONCE => drop(runtime.spawn(teller.tell_by_and_by())),
            Ok(runtime) => {
                if !teller.tell_once() {
                    runtime.spawn(teller.tell_by_and_by());
                }
            }
            Err(_) => while !teller.tell_once() {},
        }
    }

    /// That one has woken up: the client has taken what it was given.
    pub(super) fn is_awake(&self, subscription: u64) {
        let is_known_to_sleep = |group: &Group| group.asleep.contains_key(&subscription);
        if !self.known.read().groups.iter().any(is_known_to_sleep) {
            return; // whoever was about to put it to sleep looks again
        }
        for group in &mut self.known.write().groups {
            if let Some(awake) = group.asleep.remove(&subscription) {
                group.awake.push(awake);
            }
        }
    }
}

/// Tells those who are awake that there is something. There is one at most, until all is told.
struct Teller {
    followers: Arc<Followers>,
    is_done: bool,
}

impl Teller {
    /// Tells a few at a time: in between whoever has asked something meanwhile gets its turn, and does not wait until a thousand
    /// have been written to.
    async fn tell_by_and_by(mut self) {
        loop {
            let told = self.with_news();
            for few in told.chunks(TOLD_AT_ONCE) {
                few.iter().for_each(|one| one.subscriber.look());
                tokio::task::yield_now().await;
            }
            if self.have_been_told(&told) {
                return;
            }
        }
    }

    /// Tells all of them. Says whether there is nothing more to tell.
    fn tell_once(&mut self) -> bool {
        let told = self.with_news();
        told.iter().for_each(|one| one.subscriber.look());
        self.have_been_told(&told)
    }

    fn with_news(&self) -> Vec<Arc<Subscription>> {
        // Not only written: what was told before the mark that this one replaces is seen below.
        self.followers.telling.swap(SOMEBODY, Ordering::AcqRel);
        let known = self.followers.known.read();
        let with_news = known.groups.iter().filter(|group| group.has_news.swap(false, Ordering::AcqRel));
        with_news.flat_map(|group| &group.awake).cloned().collect()
    }

    /// Puts those to sleep who say so, and says whether there is nothing more to tell.
    fn have_been_told(&mut self, told: &[Arc<Subscription>]) -> bool {
        let asleep: HashSet<u64> = told.iter().filter(|one| one.subscriber.is_asleep()).map(|one| one.id).collect();
        if !asleep.is_empty() {
            // Whoever has woken up by itself meanwhile is awake.
            let is_asleep = |one: &Arc<Subscription>| asleep.contains(&one.id) && one.subscriber.is_asleep();
            for group in &mut self.followers.known.write().groups {
                let asleep = group.awake.extract_if(.., |one| is_asleep(one));
                group.asleep.extend(asleep.map(|one| (one.id, one)));
            }
        }
        let telling = &self.followers.telling;
        self.is_done = telling.compare_exchange(SOMEBODY, NOBODY, Ordering::AcqRel, Ordering::Acquire).is_ok();
        self.is_done
    }
}

impl Drop for Teller {
    /// One that is cut short, by a bug or with its runtime, leaves the rest to whoever tells the next event.
    fn drop(&mut self) {
        if !self.is_done {
            self.followers.known.read().groups.iter().for_each(|group| group.has_news.store(true, Ordering::Release));
            self.followers.telling.store(NOBODY, Ordering::Release);
        }
    }
}

impl Group {
    fn is_empty(&self) -> bool {
        self.awake.is_empty() && self.asleep.is_empty()
    }
}

/// Nobody tells them to look.
const NOBODY: u8 = 0;
/// Somebody does, of all that there is.
const SOMEBODY: u8 = 1;
/// There is more since.
const AGAIN: u8 = 2;
const TOLD_AT_ONCE: usize = 16;
