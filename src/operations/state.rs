//! Changing an agent's state, and asking for it. Not here: login and logout.
//!
//! Must hold: what is refused for how the agent stands is judged by how it stands when the commands before are done.

use std::sync::Arc;

use tokio::sync::MutexGuard;

use super::overload::Taken;
use super::steps::Whose;
use super::{Answer, House, Refusal, Requester, Step, Urgency};
use crate::acd::{Acd, AcdRefusal};
use crate::model::{AgentFacts, AgentKey, AgentState, QueueChoice, ReasonCode, StateChange, WantedState};
use crate::observe::AcdCommand;
use crate::sessions::{AgentCell, Doer, LogoutKind, Unsure};

/// What has to hold of an agent whose state is to change, besides that it is logged in.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// It is in those of these queues that are named.
    pub queues: QueueChoice,
    /// It is not yet what it is asked to be, for the same reason.
    pub news: bool,
}

impl House {
    /// Changes the state of an agent that is logged in and of which that holds; answers, and then tells the subscribers.
    pub async fn set_state(
        self: Arc<House>,
        by: Requester,
        key: AgentKey,
        request: StateChange,
        demands: Demands,
        answer: Answer<()>,
    ) {
        let (_taken, cell) = match self.admit_state(&by, &key, &request, &demands) {
            Ok(cell) => cell,
            Err(refusal) => {
                self.note_refusal(Step::SetState, Whose::of_agent(&key).asked_by(&by), &refusal);
                return answer(Err(refusal));
            }
        };
        let (turn, may_still) = self.turn(&cell, &by).await;
        self.note_doer(&cell, &by);
        let outcome = match may_still {
            Ok(()) => self.set_state_in_order(&cell, &request, &demands).await,
            Err(refusal) => Err(refusal),
        };
        let (facts, said) = match outcome {
            Ok(facts) => (Some(facts), Ok(())),
            Err(refusal) => {
                self.note_refusal(Step::SetState, Whose::of_agent(&key).asked_by(&by), &refusal);
                (None, Err(refusal))
            }
        };
        self.settle(&cell, facts, || answer(said));
        self.mend_if_needed(&cell, &mut cell.entry());
        drop(turn);
        self.forget_if_unknown(cell);
    }

    /// The agent's turn; and whether who had to wait for it may still command the agent, who may be elsewhere by now.
    pub(super) async fn turn<'a>(
        &self,
        cell: &'a AgentCell,
        by: &Requester,
    ) -> (MutexGuard<'a, ()>, Result<(), Refusal>) {
        match cell.turn.try_lock() {
            Ok(turn) => (turn, Ok(())),
            Err(_) => {
                let turn = cell.turn.lock().await;
                let may_still = self.must_have_right_over(by, &cell.key);
                (turn, may_still)
            }
        }
    }

    /// Reads what the table knows of one agent: the ACD's last word.
    pub fn agent<T>(&self, by: &Requester, key: &AgentKey, read: impl FnOnce(&AgentFacts) -> T) -> Result<T, Refusal> {
        self.reachable(key.peripheral)?;
        let cell = self.table.agent(key);
        let entry = cell.as_ref().map(|cell| cell.entry());
        // One that is only just being logged in for the first time is not known yet.
        let facts = entry.as_ref().map(|entry| &entry.facts).filter(|facts| facts.order > 0);
        // An agent that works nowhere may be the one who is about to: a device's session may ask for it.
        if facts.is_some_and(AgentFacts::is_logged_in) || !by.is_of_device(key.peripheral) {
            by.must_have_right(key, entry.as_ref().and_then(|entry| entry.last_instrument.as_ref()))?;
        }
        match facts {
            Some(facts) => Ok(read(facts)),
            None if self.table.link(key.peripheral).lists_agents => {
                Err(Refusal::UnknownAgent { agent: key.agent.clone() })
            }
            // Of such an ACD's agents only those are known who are logged in.
            None => Ok(read(&AgentFacts::logged_out(key.agent.clone(), ReasonCode::default(), 0))),
        }
    }

    /// Refuses unless the session may command this agent, wherever that works or has worked last. Asked before anything else
    /// is said of the agent, not even whether there is one.
    pub fn must_have_right_over(&self, by: &Requester, key: &AgentKey) -> Result<(), Refusal> {
        let at = self.table.agent(key).and_then(|cell| cell.entry().last_instrument.clone());
        by.must_have_right(key, at.as_ref())
    }

    /// Notes who is at work on an agent, unless it is the agent's own client. The caller has the agent's turn.
    pub(super) fn note_doer(&self, cell: &AgentCell, by: &Requester) {
        let mut entry = cell.entry();
        let is_own = by.is_for(&cell.key, entry.last_instrument.as_ref()) || entry.attendants().contains(&by.session);
        let client = if is_own { None } else { self.table.client(by.session) };
        entry.doer = client.map(|client| Doer { name: client.signature().into(), order: None });
    }

    fn admit_state(
        &self,
        by: &Requester,
        key: &AgentKey,
        request: &StateChange,
        demands: &Demands,
    ) -> Result<(Taken, Arc<AgentCell>), Refusal> {
        self.reachable(key.peripheral)?;
        let cell = self.table.agent(key);
        let at = cell.as_ref().and_then(|cell| cell.entry().last_instrument.clone());
        by.must_have_right(key, at.as_ref())?;
        let cell = cell.ok_or_else(|| Refusal::UnknownAgent { agent: key.agent.clone() })?;
        match may_change(&cell, request, demands) {
            // With the ACD is a command, a login perhaps, that may bring what is asked for.
            Err(refusal) if !matches!(refusal, Refusal::LogoutUnderWay { .. }) && cell.turn.try_lock().is_err() => (),
            judged => judged?,
        }
        let urgency = match request.wanted {
            WantedState::NotReady => Urgency::Leaving, // no call is to come to that desk
            WantedState::Ready | WantedState::WorkNotReady | WantedState::WorkReady => Urgency::Ordinary,
        };
        Ok((self.take_on(key.peripheral, urgency)?, cell))
    }

    /// The caller has the agent's turn, and settles what this leaves.
    pub(super) async fn set_state_in_order(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        request: &StateChange,
        demands: &Demands,
    ) -> Result<AgentFacts, Refusal> {
        may_change(cell, request, demands)?; // once more: the turn may have been waited for
        let acd = Arc::clone(&self.reachable(cell.key.peripheral)?.acd);
        let is_work = matches!(request.wanted, WantedState::WorkNotReady | WantedState::WorkReady);
        if is_work && !acd.capabilities().after_call_work {
            let reason = AcdRefusal::NotSupported { what: "keep an agent in after-call work" };
            return Err(Refusal::Acd { step: Step::SetState, agent: cell.key.agent.clone(), reason });
        }
        self.change_state(&*acd, cell, request, Step::SetState).await
    }

    /// Has the ACD change the state while reports wait. The caller settles what this leaves.
    pub(super) async fn change_state(
        &self,
        acd: &dyn Acd,
        cell: &AgentCell,
        request: &StateChange,
        step: Step,
    ) -> Result<AgentFacts, Refusal> {
        cell.entry().start_deferring();
        self.ask(cell.key.peripheral, AcdCommand::SetState, acd.set_state(request)).await.map_err(|reason| {
            // Asked when the failure is told: the requester has waited long enough. Nor is it known what an ACD left that refused
            // in its own words: it may have answered for another request.
            if matches!(reason, AcdRefusal::TimedOut { .. } | AcdRefusal::Refused { .. }) {
                cell.entry().unsure = Some(Unsure::Facts);
            }
            Refusal::Acd { step, agent: cell.key.agent.clone(), reason }
        })
    }
}

fn may_change(cell: &AgentCell, request: &StateChange, demands: &Demands) -> Result<(), Refusal> {
    let entry = cell.entry();
    let agent = cell.key.agent.clone();
    match entry.logging_out {
        Some((LogoutKind::Full, by)) => return Err(Refusal::LogoutUnderWay { agent, by }),
        _ if !entry.facts.is_logged_in() => return Err(Refusal::NotLoggedIn { agent }),
        _ => (),
    }
    if let QueueChoice::Named(named) = &demands.queues
        && let Some(&queue) = named.iter().find(|queue| !entry.facts.queues.contains(queue))
    {
        return Err(Refusal::NotInQueue { agent, queue });
    }
    match demands.news && is_same(&entry.facts, request) {
        true => Err(Refusal::InThatState { agent, state: entry.facts.state }),
        false => Ok(()),
    }
}

/// Whether the agent is what it is asked to be, for the same reason, and stays so.
fn is_same(facts: &AgentFacts, change: &StateChange) -> bool {
    facts.state == AgentState::from(change.wanted)
        && facts.next_state.is_none()
        && (change.wanted != WantedState::NotReady || facts.reason == change.reason)
}
