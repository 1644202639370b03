//! Adapters: opened, closed, and put right in the background until they agree with what the agent is. What the agent is
//! is asked here as well, where a command left it unknown.
//!
//! Not here: when a login or logout wants one. Must hold: a try holds the agent's turn, the pause between two does not.

use std::sync::Arc;
use std::time::Duration;

use super::steps::Whose;
use super::{House, Refusal, Step};
use crate::acd::AcdRefusal;
use crate::model::{AgentFacts, Instrument, QueueChoice, ReasonCode};
use crate::observe::AcdCommand;
use crate::sessions::{AdapterState, AgentCell, AgentEntry, Unsure};

impl House {
    /// Opens the agent's adapter unless it is open. The caller has the agent's turn.
    pub(super) async fn open_adapter(&self, cell: &AgentCell, instrument: &Instrument) -> Result<(), Refusal> {
        if cell.entry().adapter == AdapterState::Open {
            return Ok(());
        }
        let acd = &self.reachable(cell.key.peripheral)?.acd;
        // Whatever the answer, from here on there may be one at the ACD.
        cell.entry().adapter = AdapterState::Closing;
        self.ask(cell.key.peripheral, AcdCommand::OpenAdapter, acd.open_adapter(&cell.key.agent, instrument))
            .await
            .map_err(|reason| failed(cell, Step::OpenAdapter, reason))?;
        cell.entry().adapter = AdapterState::Open;
        Ok(())
    }

    /// Closes the agent's adapter unless it is closed. The caller has the agent's turn.
    pub(super) async fn close_adapter(&self, cell: &AgentCell) -> Result<(), Refusal> {
        if cell.entry().adapter == AdapterState::Closed {
            return Ok(());
        }
        cell.entry().adapter = AdapterState::Closing;
        let Some(peripheral) = self.peripheral(cell.key.peripheral) else { return Ok(()) };
        self.ask(peripheral.id, AcdCommand::CloseAdapter, peripheral.acd.close_adapter(&cell.key.agent))
            .await
            .map_err(|reason| failed(cell, Step::CloseAdapter, reason))?;
        cell.entry().adapter = AdapterState::Closed;
        Ok(())
    }

    /// Asks the ACD what an agent is; while it does not say, that stays to be done. The caller has the agent's turn and
    /// takes in what it hears. A login that nobody knows of is undone: calls would come to a desk where nobody expects them.
    pub(super) async fn ask_the_truth(&self, cell: &AgentCell, unsure: Unsure) -> Result<AgentFacts, Refusal> {
        cell.entry().unsure = Some(unsure);
        let agent = &cell.key.agent;
        let acd = &self.reachable(cell.key.peripheral)?.acd;
        let newest = cell.entry().newest_order();
        let mut truth = self
            .ask(cell.key.peripheral, AcdCommand::Agent, acd.agent(agent))
            .await
            .map_err(|reason| failed(cell, Step::AskAgent, reason))?;
        if unsure == Unsure::Login && truth.as_ref().is_some_and(AgentFacts::is_logged_in) {
            let out = acd.log_out(agent, &QueueChoice::AsAcdSays, ReasonCode::default(), true);
            truth = Some(
                self.ask(cell.key.peripheral, AcdCommand::LogOut, out)
                    .await
                    .map_err(|reason| failed(cell, Step::UndoLogin, reason))?,
            );
        }
        let mut entry = cell.entry();
        entry.unsure = None;
        // An agent that the ACD does not know is logged in to nothing there, whatever was heard of it before it was asked for.
        let reason = entry.facts.reason;
        Ok(truth.unwrap_or_else(|| AgentFacts::logged_out(agent.clone(), reason, newest)))
    }

    async fn become_sure(self: &Arc<House>, cell: &Arc<AgentCell>) -> Result<(), Refusal> {
        let Some(unsure) = cell.entry().unsure else { return Ok(()) };
        let truth = self.ask_the_truth(cell, unsure).await?;
        if unsure == Unsure::Logout {
            cell.entry().owes_confirm = !truth.is_logged_in();
        }
        self.settle(cell, Some(truth), || ());
        Ok(())
    }

    /// Lets a background task bring the adapter in line with the agent, if it is not and none does so already.
    pub(super) fn mend_if_needed(self: &Arc<House>, cell: &Arc<AgentCell>, entry: &mut AgentEntry) {
        if !entry.mending && work_left(entry).is_some() {
            entry.mending = true;
            tokio::spawn(mend(Arc::clone(self), Arc::clone(cell)));
        }
    }
}

impl House {
    /// Forgets an agent that only a request has ever named.
    pub(super) fn forget_if_unknown(&self, cell: Arc<AgentCell>) {
        let key = cell.key.clone();
        let was_never_seen = cell.entry().facts.order == 0;
        drop(cell);
        if was_never_seen {
            self.table.forget_agent(&key);
        }
    }
}

/// What is not as it should be.
enum Work {
    Ask,
    Open(Instrument),
    Close,
}

fn work_left(entry: &AgentEntry) -> Option<Work> {
    if entry.unsure.is_some() {
        return Some(Work::Ask);
    }
    if entry.facts.is_logged_in() {
        let instrument = entry.facts.instrument.as_ref().filter(|_| entry.adapter != AdapterState::Open);
        return instrument.map(|instrument| Work::Open(instrument.clone()));
    }
    (entry.adapter != AdapterState::Closed).then_some(Work::Close)
}

/// One try after another until adapter and facts agree; while the link is down it waits for the rebuild to start anew.
async fn mend(house: Arc<House>, cell: Arc<AgentCell>) {
    let mut pause = house.rules.retry_min;
    loop {
        let turn = cell.turn.lock().await;
        let work = {
            let mut entry = cell.entry();
            let work = work_left(&entry).filter(|_| house.table.is_online(cell.key.peripheral));
            entry.mending = work.is_some();
            work
        };
        let tried = match work {
            None => break,
            Some(Work::Ask) => house.become_sure(&cell).await,
            Some(Work::Open(instrument)) => house.open_adapter(&cell, &instrument).await,
            Some(Work::Close) => house.close_adapter(&cell).await,
        };
        drop(turn);
        if let Err(error) = tried {
            let step = error.step().unwrap_or(Step::AskAgent);
            house.step_failed(step, Whose::of_agent(&cell.key), &error, Some(pause));
            if wait(&house, pause).await.is_break() {
                break;
            }
            pause = (pause * 2).min(house.rules.retry_max);
        }
    }
    house.forget_if_unknown(cell);
}

async fn wait(house: &House, pause: Duration) -> std::ops::ControlFlow<()> {
    tokio::select! {
        biased;
        () = house.ending.cancelled() => std::ops::ControlFlow::Break(()),
        () = tokio::time::sleep(pause) => std::ops::ControlFlow::Continue(()),
    }
}

fn failed(cell: &AgentCell, step: Step, reason: AcdRefusal) -> Refusal {
    Refusal::Adapter { step, agent: cell.key.agent.clone(), reason }
}
