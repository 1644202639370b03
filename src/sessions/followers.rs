//! Who follows everything that happens: by logs, of which there is one for all who want the same in the same form.
//!
//! Not here: what waits for each of them besides. Must hold: to tell an event costs whoever tells it the same however many
//! follow by a log; who looks into one misses nothing of it; who is asleep, as its client takes nothing, is not told to look.
//!
//! Whether a client reads shows when the systems between have taken what they can. Until then it is new, and many that are new
//! are told in steps: a thousand clients that never read, and come back as soon as they are closed for it, are not worth a
//! write each for each event.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

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
    /// Who tells those who are known to read to look: nobody, somebody, or somebody who has to begin again.
    telling: AtomicU8,
    /// The same for those who are new.
    telling_new: AtomicU8,
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
    readers: Awake,
    new: Awake,
    asleep: HashMap<u64, Arc<Subscription>>,
}

/// Those who are to be told to look.
#[derive(Debug, Default)]
struct Awake {
    /// There is something of which they were not told.
    has_news: AtomicBool,
    /// Held as it is by whoever tells them, however many they are; who comes or goes meanwhile changes another.
    all: Arc<Vec<Arc<Subscription>>>,
}

/// Of whom a teller tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Readers,
    New,
}

impl Followers {
    pub(super) fn new(total: Arc<Total>) -> Arc<Followers> {
        Arc::new_cyclic(|itself| Followers {
            known: RwLock::default(),
            telling: AtomicU8::new(NOBODY),
            telling_new: AtomicU8::new(NOBODY),
            total,
            itself: Weak::clone(itself),
        })
    }

    pub(super) fn count(&self) -> usize {
        let known = self.known.read();
        known.handed.len() + known.groups.iter().map(Group::len).sum::<usize>()
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
                readers: Awake::default(),
                new: Awake::default(),
                asleep: HashMap::new(),
            });
            known.groups.len() - 1
        });
        let group = &mut known.groups[at];
        let following = Following::begin(&group.log, subscription.id, Weak::clone(&self.itself));
        if subscription.subscriber.follow(following) {
            group.new.all_mut().push(subscription);
        } else {
            known.handed.push(subscription);
            known.groups.retain(|group| group.len() > 0);
        }
    }

    pub(super) fn remove(&self, subscription: &Subscription) {
        let mut known = self.known.write();
        let is_other = |kept: &Arc<Subscription>| kept.id != subscription.id;
        known.handed.retain(is_other);
        for group in &mut known.groups {
            if group.asleep.remove(&subscription.id).is_none() {
                group.readers.take_out(|one| !is_other(one));
                group.new.take_out(|one| !is_other(one));
            }
        }
        known.groups.retain(|group| group.len() > 0);
    }

    /// Tells an event to each.
    pub(super) fn tell(&self, event: &Event, renderings: &mut Renderings) {
        let mut to_tell = [(Whom::Readers, 0), (Whom::New, 0)];
        {
            let known = self.known.read();
            known.handed.iter().for_each(|subscription| subscription.hand(event, renderings));
            for group in known.groups.iter().filter(|group| group.filter.passes(event)) {
                if let Some(one) = group.first()
                    && let Some(rendered) = renderings.of(&*one.subscriber, event)
                {
                    group.log.add(&rendered.bytes, event.read_at());
                    for (whom, count) in &mut to_tell {
                        let awake = group.awake(*whom);
                        awake.has_news.store(true, Ordering::Release);
                        *count += awake.all.len();
                    }
                }
            }
        }
        for (whom, count) in to_tell {
            if count > 0 && self.telling(whom).swap(AGAIN, Ordering::AcqRel) == NOBODY {
                self.begin_to_tell(whom, count);
            }
        }
    }

    fn begin_to_tell(&self, whom: Whom, count: usize) {
        let Some(followers) = self.itself.upgrade() else { return };
        let mut teller = Teller { followers, whom, is_done: false };
        match Handle::try_current() {
            Ok(runtime) if count > TOLD_BY_ITSELF => drop(runtime.spawn(teller.tell_by_and_by())),
            Ok(runtime) => {
                if !teller.tell_once() {
                    runtime.spawn(teller.tell_by_and_by());
                }
            }
            Err(_) => while !teller.tell_once() {},
        }
    }

    fn telling(&self, whom: Whom) -> &AtomicU8 {
        match whom {
            Whom::Readers => &self.telling,
            Whom::New => &self.telling_new,
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
                let awake_again = if awake.subscriber.has_read() { &mut group.readers } else { &mut group.new };
                awake_again.all_mut().push(awake);
            }
        }
    }
}

/// Tells those who are awake that there is something. There is one at most for each kind of them, until all is told.
struct Teller {
    followers: Arc<Followers>,
    whom: Whom,
    is_done: bool,
}

impl Teller {
    /// Tells a few at a time: in between whoever has asked something meanwhile gets its turn, and does not wait until a thousand
    /// have been written to.
    async fn tell_by_and_by(mut self) {
        loop {
            let (told, mut asleep) = (self.with_news(), HashSet::new());
            for few in told.iter().flat_map(|all| all.chunks(TOLD_AT_ONCE)) {
                asleep.extend(few.iter().filter(|one| one.subscriber.look()).map(|one| one.id));
                tokio::task::yield_now().await;
            }
            let count: usize = told.iter().map(|all| all.len()).sum();
            if self.whom == Whom::New && count > TOLD_AT_ONCE {
                tokio::time::sleep(STEP).await;
            }
            if self.have_been_told(told, &asleep) {
                return;
            }
        }
    }

    /// Tells all of them. Says whether there is nothing more to tell.
    fn tell_once(&mut self) -> bool {
        let told = self.with_news();
        let all = told.iter().flat_map(|all| &**all);
        let asleep = all.filter(|one| one.subscriber.look()).map(|one| one.id).collect();
        self.have_been_told(told, &asleep)
    }

    /// Those who are to be told, group by group.
    fn with_news(&self) -> Vec<Arc<Vec<Arc<Subscription>>>> {
        // Not only written: what was told before the mark that this one replaces is seen below.
        self.followers.telling(self.whom).swap(SOMEBODY, Ordering::AcqRel);
        let known = self.followers.known.read();
        let awake = known.groups.iter().map(|group| group.awake(self.whom));
        let with_news = awake.filter(|awake| awake.has_news.swap(false, Ordering::AcqRel));
        with_news.map(|awake| Arc::clone(&awake.all)).collect()
    }

    /// Puts those to sleep who say so, and says whether there is nothing more to tell.
    fn have_been_told(&mut self, told: Vec<Arc<Vec<Arc<Subscription>>>>, asleep: &HashSet<u64>) -> bool {
        let is_new = self.whom == Whom::New;
        let all = told.iter().flat_map(|all| &**all).filter(|_| is_new);
        let reading: HashSet<u64> = all.filter(|one| one.subscriber.has_read()).map(|one| one.id).collect();
        drop(told); // whoever else holds a list has it copied when it changes
        if !asleep.is_empty() || !reading.is_empty() {
            let mut known = self.followers.known.write();
            // Whoever has woken up by itself meanwhile is awake.
            let is_asleep = |one: &Arc<Subscription>| asleep.contains(&one.id) && one.subscriber.is_asleep();
            let mut new_readers = Vec::new();
            for group in &mut known.groups {
                let awake = if is_new { &mut group.new } else { &mut group.readers };
                group.asleep.extend(awake.take_out(is_asleep).into_iter().map(|one| (one.id, one)));
                let readers = awake.take_out(|one| reading.contains(&one.id));
                if !readers.is_empty() {
                    new_readers.extend(readers.iter().cloned());
                    group.readers.all_mut().extend(readers);
                }
            }
            drop(known);
            // Of what came since they were told, nobody else tells them. Who has fallen asleep is found so the next time.
            for one in new_readers {
                one.subscriber.look();
            }
        }
        let telling = self.followers.telling(self.whom);
        self.is_done = telling.compare_exchange(SOMEBODY, NOBODY, Ordering::AcqRel, Ordering::Acquire).is_ok();
        self.is_done
    }
}

impl Drop for Teller {
    /// One that is cut short, by a bug or with its runtime, leaves the rest to whoever tells the next event.
    fn drop(&mut self) {
        if !self.is_done {
            let known = self.followers.known.read();
            known.groups.iter().for_each(|group| group.awake(self.whom).has_news.store(true, Ordering::Release));
            self.followers.telling(self.whom).store(NOBODY, Ordering::Release);
        }
    }
}

impl Awake {
    fn all_mut(&mut self) -> &mut Vec<Arc<Subscription>> {
        Arc::make_mut(&mut self.all)
    }

    /// Takes those out that are so. Where none is, the list stays the one that others hold.
    fn take_out(&mut self, is_so: impl Fn(&Arc<Subscription>) -> bool) -> Vec<Arc<Subscription>> {
        if self.all.iter().any(&is_so) { self.all_mut().extract_if(.., |one| is_so(one)).collect() } else { Vec::new() }
    }
}

impl Group {
    fn len(&self) -> usize {
        self.readers.all.len() + self.new.all.len() + self.asleep.len()
    }

    fn first(&self) -> Option<&Arc<Subscription>> {
        self.readers.all.first().or_else(|| self.new.all.first()).or_else(|| self.asleep.values().next())
    }

    fn awake(&self, whom: Whom) -> &Awake {
        match whom {
            Whom::Readers => &self.readers,
            Whom::New => &self.new,
        }
    }
}

/// Nobody tells them to look.
const NOBODY: u8 = 0;
/// Somebody does, of all that there is.
const SOMEBODY: u8 = 1;
/// There is more since.
const AGAIN: u8 = 2;
/// How many are told by whoever has the event: telling may be writing.
const TOLD_BY_ITSELF: usize = 4;
/// How many are told before others get their turn.
const TOLD_AT_ONCE: usize = 16;
/// In which steps those are told who are new, where they are more than are told at once.
const STEP: Duration = Duration::from_millis(20);
