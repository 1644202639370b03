//! What is counted as it happens. Not here: what can be counted when somebody asks (`sight`).
//!
//! Must hold: every series is there from the start, at 0; who counts has its handle already.

use std::collections::HashMap;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::SystemTime;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Metric, Registry};

use super::histogram::Histogram;
use super::labels::{Label, labels};
use super::names::{self, Named};
use crate::model::PeripheralId;

labels! {
    /// What became of a request.
    pub enum RequestResult {
        /// It was done.
        Ok = "ok",
        /// The one who asked must not, or asked for what cannot be.
        ClientFault = "client_fault",
        /// The ACD did not answer or cannot be reached, or the gateway erred.
        AcdFault = "acd_fault",
        /// Too much is asked at a time.
        Congested = "congested",
    }
}

labels! {
    /// What an ACD is asked.
    pub enum AcdCommand {
        /// To open an agent's adapter.
        OpenAdapter = "open_adapter",
        /// To close it.
        CloseAdapter = "close_adapter",
        /// To check a password.
        Authenticate = "authenticate",
        /// To log an agent in.
        LogIn = "log_in",
        /// To change an agent's state.
        SetState = "set_state",
        /// To log an agent out.
        LogOut = "log_out",
        /// To do something with a call.
        ControlCall = "control_call",
        /// What an agent is.
        Agent = "agent",
        /// What everything is.
        Snapshot = "snapshot",
    }
}

labels! {
    /// Why an ACD did not do what it was asked.
    pub enum AcdFailure {
        /// It said no.
        Refused = "refused",
        /// It said nothing.
        TimedOut = "timed_out",
        /// It cannot be reached.
        LinkDown = "link_down",
        /// Too many commands wait for it.
        Congested = "congested",
    }
}

labels! {
    /// Why the table was rebuilt.
    pub enum Rebuild {
        /// The link came up, or the ACD asked for it.
        LinkUp = "link_up",
        /// Reports came faster than they could be taken in.
        Overflow = "overflow",
        /// An earlier rebuild had failed.
        Retry = "retry",
    }
}

labels! {
    /// The steps of a logout, in their order.
    pub enum LogoutStep {
        /// May it be done at all?
        Admit = "admit",
        /// The agent's call is let end, where that is configured.
        LetCallEnd = "let_call_end",
        /// The ACD logs the agent out.
        LogOut = "log_out",
        /// What became of the agent is asked, where the ACD did not say.
        AskAgent = "ask_agent",
        /// The last event is told, and the subscriptions end.
        LastEvent = "last_event",
        /// The adapter is closed.
        CloseAdapter = "close_adapter",
        /// The one who asked is told that it is done.
        Confirm = "confirm",
    }
}

labels! {
    /// What became of a step.
    pub enum StepOutcome {
        /// It was done.
        Done = "done",
        /// It cannot be, for a reason of the one who asked, or of the agent's.
        Refused = "refused",
        /// The ACD or the gateway did not do it.
        Failed = "failed",
    }
}

/// One thing for each label of a set.
#[derive(Debug)]
pub struct By<L, T>(Vec<T>, PhantomData<L>);

impl<L: Label, T> By<L, T> {
    /// Made by label.
    pub fn new(make: impl FnMut(L) -> T) -> By<L, T> {
        By(L::ALL.iter().copied().map(make).collect(), PhantomData)
    }

    /// That label's.
    pub fn of(&self, label: L) -> &T {
        &self.0[label.place()]
    }
}

type Labels = Vec<(&'static str, String)>;

/// Everything that one gateway counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    accepted: Family<Labels, Counter>,
    closed: Family<Labels, Counter>,
    latency: Family<Labels, Histogram>,
    requests: Family<Labels, Counter>,
    failed_steps: Family<Labels, Counter>,
    logout_steps: By<LogoutStep, By<StepOutcome, Counter>>,
    acds: Vec<(PeripheralId, AcdCounts)>,
    pub(super) started: SystemTime,
}

/// What is counted of one listener's connections.
#[derive(Debug)]
pub struct ListenerCounts<Reason> {
    /// Those that came.
    pub accepted: Counter,
    /// Those that went, by why.
    pub closed: By<Reason, Counter>,
    /// From reading an event to having written it.
    pub latency: Histogram,
}

/// What is counted of one ACD.
#[derive(Debug)]
pub struct AcdCounts {
    /// From each command to its answer.
    pub round_trip: By<AcdCommand, Histogram>,
    /// What was not done, by why.
    pub failures: By<AcdCommand, By<AcdFailure, Counter>>,
    /// Links that were lost.
    pub link_losses: Counter,
    /// Rebuilds of the table.
    pub rebuilds: By<Rebuild, Counter>,
    /// What an audit put right.
    pub corrections: Counter,
}

/// What is counted of a dialect's requests.
#[derive(Debug)]
pub struct RequestCounts<Kind> {
    by_kind: HashMap<Kind, Asked, ahash::RandomState>,
    not_served: Asked,
    unknown: Asked,
}

/// One request, to be counted when it is answered.
#[derive(Clone, Debug)]
pub struct Asked(Arc<By<RequestResult, Counter>>);

impl Asked {
    /// It has been answered.
    pub fn is_answered(&self, result: RequestResult) {
        self.0.of(result).inc();
    }
}

impl<Kind: Hash + Eq> RequestCounts<Kind> {
    /// The request of that kind; none: one that the protocol does not have. What a client makes up gets no name of its own.
    pub fn of(&self, kind: Option<Kind>) -> Asked {
        match kind {
            Some(kind) => self.by_kind.get(&kind).unwrap_or(&self.not_served).clone(),
            None => self.unknown.clone(),
        }
    }
}

impl Metrics {
    /// Nothing counted yet, of a gateway with these ACDs.
    pub fn new(peripherals: impl IntoIterator<Item = PeripheralId>) -> Arc<Metrics> {
        let mut registry = Registry::default();
        let accepted = counters(&mut registry, names::ACCEPTED);
        let closed = counters(&mut registry, names::CLOSED);
        let requests = counters(&mut registry, names::REQUESTS);
        let failed_steps = counters(&mut registry, names::FAILED_STEPS);
        let logout_steps = counters(&mut registry, names::LOGOUT_STEPS);
        let latency = register(&mut registry, names::EVENT_LATENCY, Family::default());
        let of_acds = OfAcds::new(&mut registry);
        let logout_steps = By::new(|step: LogoutStep| {
            By::new(|outcome: StepOutcome| {
                let labels = vec![("step", step.label().to_owned()), ("outcome", outcome.label().to_owned())];
                logout_steps.get_or_create_owned(&labels)
            })
        });
        let acds = peripherals.into_iter().map(|id| (id, of_acds.of(id))).collect();
        let started = SystemTime::now();
        Arc::new(Metrics { registry, accepted, closed, latency, requests, failed_steps, logout_steps, acds, started })
    }

    /// What is counted of a listener, by the reasons for which its connections end.
    pub fn listener<Reason: Label>(&self, name: &str, dialect: &str) -> ListenerCounts<Reason> {
        let labels = || vec![("listener", name.to_owned()), ("dialect", dialect.to_owned())];
        ListenerCounts {
            accepted: self.accepted.get_or_create_owned(&labels()),
            closed: By::new(|reason: Reason| {
                let mut labels = labels();
                labels.push(("reason", reason.label().to_owned()));
                self.closed.get_or_create_owned(&labels)
            }),
            latency: self.latency.get_or_create_owned(&labels()),
        }
    }

    /// What is counted of a dialect that serves the requests of these kinds, by their names.
    pub fn requests<Kind: Hash + Eq>(
        &self,
        dialect: &str,
        served: impl IntoIterator<Item = (Kind, &'static str)>,
    ) -> RequestCounts<Kind> {
        let asked = |name: &str| {
            Asked(Arc::new(By::new(|result: RequestResult| {
                self.requests.get_or_create_owned(&vec![
                    ("dialect", dialect.to_owned()),
                    ("request", name.to_owned()),
                    ("result", result.label().to_owned()),
                ])
            })))
        };
        RequestCounts {
            by_kind: served.into_iter().map(|(kind, name)| (kind, asked(name))).collect(),
            not_served: asked("not_served"),
            unknown: asked("unknown"),
        }
    }

    /// What is counted of steps that fail, by which step.
    pub fn failed_steps<Step: Label>(&self) -> By<Step, Counter> {
        By::new(|step: Step| self.failed_steps.get_or_create_owned(&vec![("step", step.label().to_owned())]))
    }

    /// A step of a logout came to its end.
    pub fn logout_step(&self, step: LogoutStep, outcome: StepOutcome) {
        self.logout_steps.of(step).of(outcome).inc();
    }

    /// What is counted of an ACD; none if it is none of the gateway's.
    pub fn acd(&self, id: PeripheralId) -> Option<&AcdCounts> {
        self.acds.iter().find(|(known, _)| *known == id).map(|(_, counts)| counts)
    }

    /// Writes all of it as a scraper reads it.
    pub(super) fn write(&self, text: &mut String) -> std::fmt::Result {
        prometheus_text::encode(text, &self.registry)
    }
}

/// The families that have a series for each ACD.
struct OfAcds {
    round_trip: Family<Labels, Histogram>,
    failures: Family<Labels, Counter>,
    link_losses: Family<Labels, Counter>,
    rebuilds: Family<Labels, Counter>,
    corrections: Family<Labels, Counter>,
}

impl OfAcds {
    fn new(registry: &mut Registry) -> OfAcds {
        OfAcds {
            round_trip: register(registry, names::ACD_COMMAND, Family::default()),
            failures: counters(registry, names::ACD_FAILURES),
            link_losses: counters(registry, names::ACD_LINK_LOSSES),
            rebuilds: counters(registry, names::ACD_REBUILDS),
            corrections: counters(registry, names::ACD_CORRECTIONS),
        }
    }

    fn of(&self, id: PeripheralId) -> AcdCounts {
        let labels = |more: &[(&'static str, &str)]| {
            let own = [("peripheral", id.to_string())];
            own.into_iter().chain(more.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect::<Labels>()
        };
        AcdCounts {
            round_trip: By::new(|command: AcdCommand| {
                self.round_trip.get_or_create_owned(&labels(&[("command", command.label())]))
            }),
            failures: By::new(|command: AcdCommand| {
                By::new(|why: AcdFailure| {
                    self.failures.get_or_create_owned(&labels(&[("command", command.label()), ("why", why.label())]))
                })
            }),
            link_losses: self.link_losses.get_or_create_owned(&labels(&[])),
            rebuilds: By::new(|why: Rebuild| self.rebuilds.get_or_create_owned(&labels(&[("why", why.label())]))),
            corrections: self.corrections.get_or_create_owned(&labels(&[])),
        }
    }
}

fn counters(registry: &mut Registry, named: Named) -> Family<Labels, Counter> {
    register(registry, named, Family::default())
}

fn register<M: Metric + Clone>(registry: &mut Registry, named: Named, metric: M) -> M {
    // The library adds to a counter's name what ours has already.
    let name = named.name.strip_suffix("_total").unwrap_or(named.name);
    registry.register(name, named.help, metric.clone());
    metric
}
