//! What is asked for each agent: first how it stands, then the change that this calls for. Many agents at a time.
//!
//! Not here: who the agents are (`session`), how outcomes are told (`report`).
//! Must hold: no more requests wait for their answer than the gateway takes; every agent ends up in the report once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, ControlFailure, Status};
use cti_protocol::ged188::{AnyMessage, QueryAgentStateConf, QueryAgentStateReq, SetAgentStateReq, Text};
use tokio::io::AsyncWrite;
use tokio::time::{Instant, sleep_until};

use super::Action;
use super::report::{Outcome, Report};
use crate::cli::agent::words::{in_queues, refusal, told};
use crate::cli::client::{Client, ClientError, with_queues};

/// What is to be done with everybody.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) action: Action,
    /// Only with agents in one of these; empty: whichever they are in.
    pub(super) queues: Vec<u32>,
    pub(super) reason: u16,
}

/// An agent that is meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) id: Text<12>,
    pub(super) peripheral: u32,
    /// Named by its id: told of even where nothing is done.
    pub(super) is_named: bool,
    /// What the gateway told of it without being asked.
    pub(super) known: Option<Known>,
    pub(super) is_supervisor: bool,
}

/// How an agent stood when its team was told of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    pub(super) state: AgentState,
    /// Since how long.
    pub(super) seconds: Option<u32>,
}

/// How an agent stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    pub(super) state: AgentState,
    pub(super) queues: Vec<u32>,
    pub(super) instrument: Option<Text<64>>,
}

/// All agents, from request to request.
#[derive(Debug)]
pub(super) struct Work {
    order: Order,
    wait: Duration,
    todo: VecDeque<Task>,
    /// By InvokeID: these count up, so that the first one waits the longest.
    in_flight: BTreeMap<u32, Waiting>,
    /// How many may be in flight.
    window: usize,
}

#[derive(Debug)]
struct Waiting {
    task: Task,
    until: Instant,
}

#[derive(Debug)]
struct Task {
    member: Member,
    step: Step,
}

impl Task {
    /// The outcome where nothing more comes: what was refused is.
    fn ends_as(self, outcome: Outcome) -> (Member, Outcome) {
        match self.step {
            Step::QueryAgain { why } => (self.member, Outcome::Refused { why }),
            Step::Query | Step::Change { .. } => (self.member, outcome),
        }
    }
}

/// The request that an agent's turn has come to.
#[derive(Debug)]
enum Step {
    Query,
    Change {
        standing: Standing,
        /// What is to be left, if not all.
        queues: Vec<u32>,
    },
    /// The change was refused: perhaps because somebody else was quicker.
    QueryAgain {
        why: String,
    },
}

impl Work {
    pub(super) fn new(order: Order, wait: Duration) -> Work {
        Work { order, wait, todo: VecDeque::new(), in_flight: BTreeMap::new(), window: IN_FLIGHT_MAX }
    }

    /// Takes these agents on.
    pub(super) fn take(&mut self, members: Vec<Member>) {
        self.todo.extend(members.into_iter().map(|member| Task { member, step: Step::Query }));
    }

    /// Asks for agent after agent until all are done. Once a request was not answered in time nothing more is asked.
    pub(super) async fn run<W: AsyncWrite + Unpin>(
        &mut self,
        client: &mut Client,
        report: &mut Report<W>,
    ) -> Result<(), ClientError> {
        let mut is_late = false;
        loop {
            while !is_late && self.in_flight.len() < self.window {
                let Some(task) = self.todo.pop_front() else { break };
                self.ask(client, task, report).await?;
            }
            let Some(until) = self.in_flight.first_key_value().map(|(_, first)| first.until) else { return Ok(()) };
            tokio::select! { biased;
                heard = client.receive() => match heard {
                    Ok(message) => self.on_message(&message, report).await,
                    Err(error) if error.is_final() => return Err(error),
                    Err(error) => eprintln!("ctigate supervise: a message cannot be read: {error}"),
                },
                () = sleep_until(until) => if let Some((_, late)) = self.in_flight.pop_first() {
                    is_late = true;
                    let (member, outcome) = late.task.ends_as(self.unanswered());
                    report.tell(&member, &outcome).await;
                },
            }
        }
    }

    /// What the run did not come to.
    pub(super) async fn tell_the_rest<W: AsyncWrite + Unpin>(&mut self, report: &mut Report<W>) {
        for (member, outcome) in self.rest() {
            report.tell(&member, &outcome).await;
        }
    }

    /// The same where there is no time to tell it.
    pub(super) fn count_the_rest<W: AsyncWrite + Unpin>(&mut self, report: &mut Report<W>) {
        for (_, outcome) in self.rest() {
            report.count(&outcome);
        }
    }

    fn rest(&mut self) -> Vec<(Member, Outcome)> {
        let unanswered = self.unanswered();
        let asked = std::mem::take(&mut self.in_flight).into_values();
        let not_asked = std::mem::take(&mut self.todo).into_iter();
        (asked.map(|waiting| waiting.task.ends_as(unanswered.clone())))
            .chain(not_asked.map(|task| task.ends_as(Outcome::NotAsked)))
            .collect()
    }

    fn unanswered(&self) -> Outcome {
        Outcome::Unanswered { wait: self.wait }
    }

    async fn ask<W: AsyncWrite + Unpin>(
        &mut self,
        client: &mut Client,
        task: Task,
        report: &mut Report<W>,
    ) -> Result<(), ClientError> {
        let invoke_id = client.next_invoke_id();
        let request = self.request(invoke_id, &task);
        let until = Instant::now() + self.wait;
        // Noted first: what is sent and then cut short was asked.
        self.in_flight.insert(invoke_id, Waiting { task, until });
        match client.send(request).await {
            Err(error) if !error.is_final() => {
                if let Some(waiting) = self.in_flight.remove(&invoke_id) {
                    report.tell(&waiting.task.member, &Outcome::Refused { why: error.to_string() }).await;
                }
                Ok(())
            }
            sent => sent,
        }
    }

    fn request(&self, invoke_id: u32, task: &Task) -> AnyMessage {
        let (peripheral_id, agent_id) = (task.member.peripheral, Some(task.member.id.clone()));
        match (&task.step, self.order.action.wanted()) {
            (Step::Change { standing, queues }, Some(agent_state)) => {
                let request = SetAgentStateReq {
                    invoke_id,
                    peripheral_id,
                    agent_state,
                    event_reason_code: self.order.reason,
                    agent_instrument: standing.instrument.clone(),
                    agent_id,
                    ..Default::default()
                };
                with_queues(request, queues).into()
            }
            _ => QueryAgentStateReq { invoke_id, peripheral_id, agent_id, ..Default::default() }.into(),
        }
    }

    async fn on_message<W: AsyncWrite + Unpin>(&mut self, message: &AnyMessage, report: &mut Report<W>) {
        let Some(Waiting { task, .. }) = message.invoke_id().and_then(|id| self.in_flight.remove(&id)) else {
            if let AnyMessage::FailureEvent(_) = message {
                eprintln!("ctigate supervise: {}", told(message));
            }
            return;
        };
        if is_too_much(message) && !self.in_flight.is_empty() {
            // Nothing was done: as many as are left are what the gateway takes.
            self.window = self.window.min(self.in_flight.len());
            self.todo.push_front(task);
            return;
        }
        let Task { member, step } = task;
        match self.after(&member, step, message) {
            After::Step(step) => self.todo.push_front(Task { member, step }),
            After::Nothing(outcome) => report.tell(&member, &outcome).await,
            After::NotMeant => (),
        }
    }

    /// What an answer leads to.
    fn after(&self, member: &Member, step: Step, answer: &AnyMessage) -> After {
        match (step, answer) {
            (Step::Query, AnyMessage::QueryAgentStateConf(answer)) => self.due(member, Standing::of(answer)),
            (Step::Query, _) => match member.known {
                // A supervisor that is no member of the team may not be asked for; an ACD may not know a member yet.
                Some(known) if is_not_told(answer) => self.due(member, Standing::known(known)),
                _ => refused(answer),
            },
            (Step::Change { standing, queues }, AnyMessage::SetAgentStateConf(_)) => {
                After::Nothing(Outcome::Done { words: self.done(&standing, &queues) })
            }
            (Step::Change { .. }, _) => match refusal(answer) {
                Some(why) if is_overtaken(answer) => After::Step(Step::QueryAgain { why }),
                _ => refused(answer),
            },
            (Step::QueryAgain { why }, answer) => match answer {
                AnyMessage::QueryAgentStateConf(answer) => match self.due(member, Standing::of(answer)) {
                    After::Step(_) => After::Nothing(Outcome::Refused { why }),
                    as_wanted => as_wanted,
                },
                _ => After::Nothing(Outcome::Refused { why }),
            },
        }
    }

    /// What there is to do with an agent that stands like this.
    fn due(&self, member: &Member, standing: Standing) -> After {
        let wanted = &self.order.queues;
        let queues: Vec<u32> = wanted.iter().filter(|queue| standing.queues.contains(queue)).copied().collect();
        if !wanted.is_empty() && queues.is_empty() {
            return match self.order.action {
                Action::List => After::NotMeant,
                _ if member.is_named => already(format!("is not{}", in_queues(" in ", wanted))),
                _ => After::NotMeant,
            };
        }
        let (state, is_out) = (standing.state, standing.state == AgentState::AGENT_STATE_LOGOUT);
        match self.order.action {
            Action::List => {
                let is_as_known = |known: &Known| known.state == state;
                let seconds = member.known.filter(is_as_known).and_then(|known| known.seconds);
                After::Nothing(Outcome::Stands { standing, seconds })
            }
            Action::Logout if is_out => already("is logged out already".to_owned()),
            _ if is_out => already("is logged out and stays so".to_owned()),
            Action::Ready if state == AgentState::AGENT_STATE_AVAILABLE => already("is ready already".to_owned()),
            // For which reason it is not ready nobody tells: with one to give, it is given.
            Action::NotReady if state == AgentState::AGENT_STATE_NOT_READY && self.order.reason == 0 => {
                already("is not ready already".to_owned())
            }
            Action::Logout => After::Step(Step::Change { standing, queues }),
            Action::Ready | Action::NotReady => After::Step(Step::Change { standing, queues: Vec::new() }),
        }
    }

    /// A confirmed change in words.
    fn done(&self, before: &Standing, queues: &[u32]) -> String {
        let mut words = match self.order.action {
            Action::List => String::new(),
            Action::Ready => "ready".to_owned(),
            Action::NotReady => "not ready".to_owned(),
            Action::Logout => format!("logged out{}", in_queues(" of ", queues)),
        };
        if self.order.reason != 0 {
            words += &format!(" (reason {})", self.order.reason);
        }
        if self.order.action != Action::Logout && ON_CALL.contains(&before.state) {
            words += " after its call";
        }
        words
    }
}

impl Standing {
    fn of(answer: &QueryAgentStateConf) -> Standing {
        Standing {
            state: answer.agent_state,
            queues: answer.skill_groups.iter().filter_map(|group| group.number).collect(),
            instrument: answer.agent_instrument.clone().filter(|instrument| !instrument.is_empty()),
        }
    }

    fn known(known: Known) -> Standing {
        Standing { state: known.state, queues: Vec::new(), instrument: None }
    }
}

/// What follows upon an answer.
#[derive(Debug)]
enum After {
    Step(Step),
    Nothing(Outcome),
    /// The agent is not one of those that are meant, as it turned out.
    NotMeant,
}

fn already(words: String) -> After {
    After::Nothing(Outcome::Already { words })
}

fn refused(answer: &AnyMessage) -> After {
    let why = refusal(answer).unwrap_or_else(|| format!("answered with {}", told(answer)));
    After::Nothing(Outcome::Refused { why })
}

/// Whether the gateway has more requests of this session than it takes.
fn is_too_much(answer: &AnyMessage) -> bool {
    is_control_failure(answer, &[ControlFailure::CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED])
}

/// Whether the agent is no longer what it was when it was asked for.
fn is_overtaken(answer: &AnyMessage) -> bool {
    is_control_failure(
        answer,
        &[ControlFailure::CF_INVALID_OBJECT_STATE, ControlFailure::CF_INVALID_SKILL_GROUP_SPECIFIED],
    )
}

/// Whether nothing is said of the agent to this session.
fn is_not_told(answer: &AnyMessage) -> bool {
    matches!(answer, AnyMessage::FailureConf(no) if no.status == Status::E_CTI_FUNCTION_NOT_AVAILABLE)
        || is_control_failure(answer, &[ControlFailure::CF_INVALID_AGENT_ID_SPECIFIED])
}

fn is_control_failure(answer: &AnyMessage, codes: &[ControlFailure]) -> bool {
    matches!(answer, AnyMessage::ControlFailureConf(no) if codes.contains(&no.failure_code))
}

/// How many requests wait for their answer at most: well below the 1,024 that a gateway takes of one session by default.
pub(super) const IN_FLIGHT_MAX: usize = 256;
/// What an agent is asked to be in these states it is after the call.
const ON_CALL: [AgentState; 4] = [
    AgentState::AGENT_STATE_TALKING,
    AgentState::AGENT_STATE_HOLD,
    AgentState::AGENT_STATE_RESERVED,
    AgentState::AGENT_STATE_BUSY_OTHER,
];
