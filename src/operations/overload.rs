//! What is still taken on when an ACD or the machine cannot keep up: newcomers are refused first, who leaves last.
//!
//! Lives here: how loaded the gateway is, judged from figures that others measure, and what is refused then. Not here: the
//! measuring (`server`), the codes that a refusal is said with (`dialects`).
//! Must hold: nothing here waits or reads a clock; a level is not left for a moment of calm, nor reached by a moment of haste.
//!
//! An ACD's load is how many commands wait for it. Its latency needs no judging of its own: what waits is what comes in a
//! second times the seconds that an answer takes, and commands to an ACD that does not answer wait until they time out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use ahash::HashMap;

use super::Refusal;
use crate::model::PeripheralId;

/// How long a request can wait, or be refused, before somebody is the worse for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A login, a new session: who is not there yet can come later.
    Newcomer,
    /// Everything else.
    Ordinary,
    /// Logout, hang-up, not ready, end of a subscription: it takes load away, or keeps a caller from an empty desk.
    Leaving,
}

/// What is still taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Everything.
    All,
    /// No newcomers.
    NoNewcomers,
    /// Only who leaves.
    OnlyLeaving,
    /// Nothing: there is no room even for that.
    Nothing,
}

impl Level {
    const ALL: [Level; 4] = [Level::All, Level::NoNewcomers, Level::OnlyLeaving, Level::Nothing];

    /// The level of an ACD for which so many commands wait.
    fn of_waiting(waiting: usize, max: usize) -> Level {
        let of = |share: usize| max.saturating_mul(share).div_ceil(4);
        match waiting {
            _ if waiting >= max => Level::Nothing,
            _ if waiting >= of(3) => Level::OnlyLeaving,
            _ if waiting >= of(2) => Level::NoNewcomers,
            _ => Level::All,
        }
    }

    fn takes(self, urgency: Urgency) -> bool {
        match urgency {
            Urgency::Newcomer => self < Level::NoNewcomers,
            Urgency::Ordinary => self < Level::OnlyLeaving,
            Urgency::Leaving => self < Level::Nothing,
        }
    }
}

/// What the machine is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Bearable {
    /// How late the gateway's own tasks may get their turn; four times that is far too late.
    pub lag_max: Duration,
    /// How much memory the process may take; an eighth more is far too much. 0 is any.
    pub memory_bytes_max: u64,
}

/// What was measured at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strain {
    /// How late a task of the gateway got its turn.
    pub lag: Duration,
    /// How much memory the process takes.
    pub memory_bytes: u64,
}

impl Bearable {
    fn level(&self, strain: Strain) -> Level {
        let of_lag = match strain.lag {
            lag if lag >= self.lag_max * 4 => Level::OnlyLeaving,
            lag if lag >= self.lag_max => Level::NoNewcomers,
            _ => Level::All,
        };
        let of_memory = match strain.memory_bytes {
            _ if self.memory_bytes_max == 0 => Level::All,
            bytes if bytes >= self.memory_bytes_max.saturating_add(self.memory_bytes_max / 8) => Level::OnlyLeaving,
            bytes if bytes >= self.memory_bytes_max => Level::NoNewcomers,
            _ => Level::All,
        };
        of_lag.max(of_memory) // never nothing at all: who leaves makes room
    }
}

/// So many measurements in a row must agree.
const IN_A_ROW: usize = 5;

/// Judges the machine.
#[derive(Debug)]
pub struct Judge {
    bearable: Bearable,
    last: [Level; IN_A_ROW],
    next: usize,
    level: Level,
}

impl Judge {
    /// A machine that has nothing to do.
    pub fn new(bearable: Bearable) -> Judge {
        Judge { bearable, last: [Level::All; IN_A_ROW], next: 0, level: Level::All }
    }

    /// Takes a measurement in, and says how it stands now.
    pub fn judge(&mut self, strain: Strain) -> Level {
        self.last[self.next] = self.bearable.level(strain);
        self.next = (self.next + 1) % IN_A_ROW;
        let (low, high) = self
            .last
            .iter()
            .fold((Level::Nothing, Level::All), |(low, high), level| (low.min(*level), high.max(*level)));
        self.level = self.level.clamp(low, high);
        self.level
    }
}

/// How loaded the gateway is now.
#[derive(Debug)]
pub(super) struct Load {
    machine: AtomicU8,
    commands: HashMap<PeripheralId, Arc<AtomicUsize>>,
    commands_max: usize,
}

/// A command that was taken on, until it is done.
#[derive(Debug)]
pub(super) struct Taken(Arc<AtomicUsize>);

impl Taken {
    /// While the command waits for something else than the ACD it takes nobody's place there. It has it again afterwards, if
    /// need be as one too many: it was taken on once.
    pub(super) fn rest(&self) -> Resting<'_> {
        self.0.fetch_sub(1, Ordering::AcqRel);
        Resting(self)
    }
}

/// A command that rests.
#[derive(Debug)]
pub(super) struct Resting<'a>(&'a Taken);

impl Drop for Resting<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Load {
    pub(super) fn new(peripherals: impl Iterator<Item = PeripheralId>, commands_max: usize) -> Load {
        let commands = peripherals.map(|id| (id, Arc::default())).collect();
        Load { machine: AtomicU8::new(Level::All as u8), commands, commands_max }
    }

    pub(super) fn set_machine(&self, level: Level) {
        self.machine.store(level as u8, Ordering::Relaxed);
    }

    pub(super) fn machine(&self) -> Level {
        Level::ALL.into_iter().find(|level| *level as u8 == self.machine.load(Ordering::Relaxed)).unwrap_or(Level::All)
    }

    /// How many commands wait for that ACD.
    pub(super) fn waiting(&self, id: PeripheralId) -> usize {
        self.commands.get(&id).map_or(0, |commands| commands.load(Ordering::Acquire))
    }

    /// Whether the machine can take that on.
    pub(super) fn must_bear(&self, urgency: Urgency) -> Result<(), Refusal> {
        match self.machine().takes(urgency) {
            true => Ok(()),
            false => Err(Refusal::Congested { why: "the gateway cannot keep up" }),
        }
    }

    /// Takes a command to that ACD on.
    pub(super) fn take(&self, id: PeripheralId, urgency: Urgency) -> Result<Taken, Refusal> {
        self.must_bear(urgency)?;
        let commands = self.commands.get(&id).ok_or(Refusal::UnknownPeripheral { peripheral: id })?;
        let takes = |waiting| Level::of_waiting(waiting, self.commands_max).takes(urgency).then_some(waiting + 1);
        match commands.fetch_update(Ordering::AcqRel, Ordering::Acquire, takes) {
            Ok(_) => Ok(Taken(Arc::clone(commands))),
            Err(_) => Err(Refusal::Congested { why: "too many commands wait for the ACD" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEARABLE: Bearable = Bearable { lag_max: Duration::from_secs(1), memory_bytes_max: 800 };

    fn late(ms: u64) -> Strain {
        Strain { lag: Duration::from_millis(ms), memory_bytes: 0 }
    }

    fn large(memory_bytes: u64) -> Strain {
        Strain { lag: Duration::ZERO, memory_bytes }
    }

    #[test]
    fn a_moment_of_haste_is_no_overload_and_a_moment_of_calm_no_end_of_it() {
        let mut judge = Judge::new(BEARABLE);
        for _ in 0..4 {
            assert_eq!(judge.judge(late(1_000)), Level::All);
        }
        assert_eq!(judge.judge(late(1_000)), Level::NoNewcomers);
        for _ in 0..4 {
            assert_eq!(judge.judge(late(0)), Level::NoNewcomers);
        }
        assert_eq!(judge.judge(late(0)), Level::All);
    }

    #[test]
    fn far_too_late_leaves_only_who_leaves_and_comes_down_by_steps() {
        let mut judge = Judge::new(BEARABLE);
        (0..5).for_each(|_| _ = judge.judge(late(4_000)));
        assert_eq!(judge.judge(late(9_000)), Level::OnlyLeaving);
        (0..5).for_each(|_| _ = judge.judge(late(2_000)));
        assert_eq!(judge.judge(late(2_000)), Level::NoNewcomers);
    }

    #[test]
    fn memory_is_judged_beside_lag_unless_any_will_do() {
        let mut judge = Judge::new(BEARABLE);
        (0..5).for_each(|_| _ = judge.judge(large(800)));
        assert_eq!(judge.judge(large(800)), Level::NoNewcomers);
        (0..5).for_each(|_| _ = judge.judge(large(900)));
        assert_eq!(judge.judge(large(u64::MAX)), Level::OnlyLeaving);
        let mut judge = Judge::new(Bearable { memory_bytes_max: 0, ..BEARABLE });
        (0..9).for_each(|_| assert_eq!(judge.judge(large(u64::MAX)), Level::All));
    }

    #[test]
    fn an_acd_that_keeps_up_with_nothing_is_asked_less_and_less() {
        let id = PeripheralId(1);
        let load = Load::new([id].into_iter(), 8);
        let mut taken = Vec::new();
        let order = [(Urgency::Newcomer, 4), (Urgency::Ordinary, 6), (Urgency::Leaving, 8)];
        for (urgency, up_to) in order {
            while let Ok(one) = load.take(id, urgency) {
                taken.push(one);
            }
            assert_eq!((taken.len(), load.waiting(id)), (up_to, up_to), "{urgency:?}");
        }
        taken.truncate(5);
        assert!(load.take(id, Urgency::Newcomer).is_err());
        assert!(load.take(id, Urgency::Ordinary).is_ok());
        taken.clear();
        assert!(load.take(id, Urgency::Newcomer).is_ok());
        assert_eq!(load.waiting(id), 0, "what is done waits no longer");
    }

    #[test]
    fn a_command_that_rests_takes_nobodys_place() {
        let id = PeripheralId(1);
        let load = Load::new([id].into_iter(), 1);
        let one = load.take(id, Urgency::Leaving).expect("the first");
        let resting = one.rest();
        let other = load.take(id, Urgency::Newcomer).expect("nothing waits for the ACD");
        drop(resting);
        assert_eq!(load.waiting(id), 2, "it goes on whoever came meanwhile");
        drop((one, other));
        assert_eq!(load.waiting(id), 0);
    }

    #[test]
    fn a_bound_of_one_command_lets_one_through() {
        let id = PeripheralId(1);
        let load = Load::new([id].into_iter(), 1);
        let one = load.take(id, Urgency::Newcomer).expect("the first");
        assert!(load.take(id, Urgency::Leaving).is_err());
        drop(one);
        assert!(load.take(id, Urgency::Leaving).is_ok());
    }

    #[test]
    fn a_machine_that_cannot_keep_up_refuses_whatever_the_acd_could() {
        let id = PeripheralId(1);
        let load = Load::new([id].into_iter(), 8);
        load.set_machine(Level::NoNewcomers);
        assert!(load.take(id, Urgency::Newcomer).is_err() && load.take(id, Urgency::Ordinary).is_ok());
        load.set_machine(Level::OnlyLeaving);
        assert!(load.take(id, Urgency::Ordinary).is_err() && load.take(id, Urgency::Leaving).is_ok());
        assert!(load.must_bear(Urgency::Ordinary).is_err() && load.must_bear(Urgency::Leaving).is_ok());
    }
}
