//! What the embedded world is made of, and how it misbehaves. Not here: what happens in it.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::acd::config::{AcdConfigError, AgentsConfig, COUNT_MAX, check_agents, disjoint, numbers, span, wrong};
use crate::model::{Instrument, Password, QueueId, ReasonCode};

/// The keys of `[[acd]]` with `kind = "embedded"`. The default is the default world: queues 1 to 3, agents 1001 to 1100
/// with passwords `pw1001` to `pw1100`, instruments 3001 to 3100, no calls, no faults.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbeddedConfig {
    /// The queues, `[[acd.queue]]`.
    #[serde(rename = "queue")]
    pub queues: Vec<QueueConfig>,
    /// The agents, in ranges of consecutive ids, `[[acd.agents]]`.
    pub agents: Vec<AgentsConfig>,
    /// The devices, in ranges of consecutive numbers, `[[acd.instruments]]`. Any agent may work at any free one.
    pub instruments: Vec<InstrumentsConfig>,
    /// How long every command takes.
    #[serde(with = "humantime_serde")]
    pub latency: Duration,
    /// Whether going not ready needs a reason code.
    pub not_ready_reason_required: bool,
    /// Whether logging out needs a reason code.
    pub logout_reason_required: bool,
    /// How long after-call work takes; 0 is none.
    #[serde(with = "humantime_serde")]
    pub wrap_up: Duration,
    /// Whether an agent is ready after the after-call work, unless it asked for something else.
    pub ready_after_wrap_up: bool,
    /// The calls that arrive, `[acd.calls]`.
    pub calls: CallsConfig,
    /// Commands that go wrong, `[[acd.fault]]`.
    #[serde(rename = "fault")]
    pub faults: Vec<Fault>,
    /// Times at which the ACD cannot be reached, `[[acd.outage]]`.
    #[serde(rename = "outage")]
    pub outages: Vec<Outage>,
}

/// A queue.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// Its number, as clients name it.
    pub number: QueueId,
    /// Its name.
    pub name: String,
}

/// Devices with consecutive numbers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentsConfig {
    /// The first number.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Calls that arrive by themselves: the same ones for the same seed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallsConfig {
    /// What the arrivals, their queues and their lengths are drawn from.
    pub seed: u64,
    /// How many arrive in a minute, on average, in all queues together; 0 is none.
    pub per_minute: f64,
    /// How long a caller waits before hanging up.
    #[serde(with = "humantime_serde")]
    pub patience: Duration,
    /// How many callers a queue holds; one more is turned away.
    pub waiting_max: usize,
    /// Whether devices pick up by themselves; if not, a client has to answer.
    pub auto_answer: bool,
    /// How long it rings until a device picks up.
    #[serde(with = "humantime_serde")]
    pub answer_after: Duration,
    /// Which share of the offers is not answered, 0.0 to 1.0.
    pub no_answer: f64,
    /// How long it rings where nobody answers; then the agent is not ready and the call is first in its queue again.
    #[serde(with = "humantime_serde")]
    pub ring_max: Duration,
    /// The reason code of an agent who did not answer.
    pub no_answer_reason: u16,
    /// The shortest talk.
    #[serde(with = "humantime_serde")]
    pub talk_min: Duration,
    /// The longest talk.
    #[serde(with = "humantime_serde")]
    pub talk_max: Duration,
}

/// A command that goes wrong.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which command.
    pub on: Command,
    /// For which agent; every one if left out.
    #[serde(default)]
    pub agent: Option<String>,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many such commands are let through first.
    #[serde(default)]
    pub after: u32,
    /// How many go wrong then; all of them if left out.
    #[serde(default)]
    pub times: Option<u32>,
    /// For `answer_late`: how late.
    #[serde(default, with = "humantime_serde")]
    pub delay: Duration,
    /// For `refuse`: the ACD's error number.
    #[serde(default)]
    pub code: u32,
    /// For `refuse`: the ACD's words.
    #[serde(default)]
    pub words: String,
}

/// A command of the ACD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Every one.
    Any,
    /// Opening an agent's adapter.
    OpenAdapter,
    /// Closing it.
    CloseAdapter,
    /// Checking a password.
    Authenticate,
    /// Logging in.
    LogIn,
    /// Changing state.
    SetState,
    /// Logging out.
    LogOut,
    /// Doing something with a call.
    ControlCall,
    /// Asking for one agent.
    Agent,
    /// Asking for everything.
    Snapshot,
}

/// How a command goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing is done, and the ACD says no.
    Refuse,
    /// Nothing is done, and no answer ever comes.
    TimeOut,
    /// It is done, and no answer ever comes.
    DoneInSilence,
    /// It is done, and the answer comes late.
    AnswerLate,
}

/// A time at which the ACD cannot be reached.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// When it begins, from the start of the gateway.
    #[serde(with = "humantime_serde")]
    pub at: Duration,
    /// How long it lasts.
    #[serde(rename = "for", with = "humantime_serde")]
    pub lasts: Duration,
    /// How long after its beginning the next one begins; once only if left out.
    #[serde(default, with = "humantime_serde")]
    pub every: Option<Duration>,
}

impl Outage {
    /// Whether it is on at that time.
    pub(super) fn is_on(&self, now: Duration) -> bool {
        now.checked_sub(self.at).is_some_and(|since| {
            let every = self.every.map_or(u128::MAX, |every| every.as_nanos().max(1));
            since.as_nanos() % every < self.lasts.as_nanos()
        })
    }

    /// When it begins or ends next, later than that; from the very start if none is given.
    pub(super) fn next_turn(&self, after: Option<Duration>) -> Option<Duration> {
        let past = after.and_then(|after| after.checked_sub(self.at)).unwrap_or_default();
        let rounds = self.every.map_or(0, |every| past.as_nanos() / every.as_nanos().max(1));
        let shift = self.every.unwrap_or_default().saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
        let begins = self.at.saturating_add(shift);
        let again = self.every.map(|every| begins.saturating_add(every));
        let turns = [Some(begins), Some(begins.saturating_add(self.lasts)), again].into_iter().flatten();
        turns.filter(|at| after.is_none_or(|after| *at > after)).min()
    }
}

impl EmbeddedConfig {
    /// Checks what must hold between the values.
    pub fn validate(&self) -> Result<(), AcdConfigError> {
        let mut queues = HashSet::new();
        for (at, queue) in self.queues.iter().enumerate() {
            if !queues.insert(queue.number) || queue.number.0 == u32::MAX {
                return wrong(
                    format!("queue[{at}].number"),
                    format!("{} cannot be, or is an earlier queue's", queue.number),
                );
            }
            if queue.name.is_empty() {
                return wrong(format!("queue[{at}].name"), "it is empty".to_owned());
            }
        }
        check_agents(&self.agents, &queues)?;
        let mut devices = Vec::new();
        let mut instruments = 0_u32;
        for (at, range) in self.instruments.iter().enumerate() {
            instruments = instruments.saturating_add(range.count);
            devices.push(span(format!("instruments[{at}]"), range.first, range.count)?);
        }
        disjoint("instruments", devices)?;
        if instruments > COUNT_MAX {
            return wrong("instruments".to_owned(), format!("{instruments} in all, {COUNT_MAX} are allowed"));
        }
        self.calls.validate()?;
        for (at, outage) in self.outages.iter().enumerate() {
            if outage.every.is_some_and(|every| every <= outage.lasts) {
                return wrong(format!("outage[{at}].every"), "the next outage begins before this one ends".to_owned());
            }
        }
        Ok(())
    }

    /// Every device.
    pub(super) fn every_instrument(&self) -> impl Iterator<Item = Instrument> {
        let every = self.instruments.iter().flat_map(|range| numbers(range.first, range.count));
        every.filter_map(|number| Instrument::new(&number.to_string()).ok())
    }
}

impl CallsConfig {
    fn validate(&self) -> Result<(), AcdConfigError> {
        let key = |key: &str| format!("calls.{key}");
        if !(0.0..=60_000.0).contains(&self.per_minute) {
            return wrong(key("per_minute"), format!("{} is not between 0 and 60000", self.per_minute));
        }
        if !(0.0..=1.0).contains(&self.no_answer) {
            return wrong(key("no_answer"), format!("{} is not between 0 and 1", self.no_answer));
        }
        if self.talk_min > self.talk_max {
            return wrong(key("talk_min"), format!("{:?} is above talk_max, {:?}", self.talk_min, self.talk_max));
        }
        if self.waiting_max > COUNT_MAX as usize {
            return wrong(key("waiting_max"), format!("{} is above {COUNT_MAX}", self.waiting_max));
        }
        Ok(())
    }

    pub(super) fn reason_of_no_answer(&self) -> ReasonCode {
        ReasonCode(self.no_answer_reason)
    }
}

impl Default for EmbeddedConfig {
    fn default() -> EmbeddedConfig {
        let queue = |number, name: &str| QueueConfig { number: QueueId(number), name: name.to_owned() };
        EmbeddedConfig {
            queues: vec![queue(1, "sales"), queue(2, "support"), queue(3, "billing")],
            agents: vec![AgentsConfig {
                first: 1001,
                count: 100,
                password: Password::new("pw{id}").into(),
                queues: vec![QueueId(1), QueueId(2), QueueId(3)],
            }],
            instruments: vec![InstrumentsConfig { first: 3001, count: 100 }],
            latency: Duration::ZERO,
            not_ready_reason_required: false,
            logout_reason_required: false,
            wrap_up: Duration::ZERO,
            ready_after_wrap_up: true,
            calls: CallsConfig::default(),
            faults: Vec::new(),
            outages: Vec::new(),
        }
    }
}

impl Default for CallsConfig {
    fn default() -> CallsConfig {
        CallsConfig {
            seed: 1,
            per_minute: 0.0,
            patience: Duration::from_secs(120),
            waiting_max: 1_000,
            auto_answer: true,
            answer_after: Duration::from_secs(3),
            no_answer: 0.0,
            ring_max: Duration::from_secs(15),
            no_answer_reason: 32_763, // what UCCX calls AGT_RNA
            talk_min: Duration::from_secs(20),
            talk_max: Duration::from_secs(60),
        }
    }
}

impl Fault {
    /// A fault of that kind on that command, for every agent and for ever.
    pub fn new(on: Command, kind: FaultKind) -> Fault {
        Fault { on, agent: None, kind, after: 0, times: None, delay: Duration::ZERO, code: 0, words: String::new() }
    }
}
