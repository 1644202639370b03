//! Adapters: opened, closed, and put right in the background until they agree with what the agent is.
//!
//! Not here: when a login or logout wants one. Must hold: a try holds the agent's turn, the pause between two does not.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::{House, Refusal};
use crate::acd::AcdRefusal;
use crate::model::Instrument;
use crate::sessions::{AdapterState, AgentCell, AgentEntry};

/// The step that closes an adapter, as requesters and operators are told of it.
pub(super) const CLOSE_ADAPTER: &str = "close adapter";
/// The step that opens one.
pub(super) const OPEN_ADAPTER: &str = "open adapter";

impl House {
    /// Opens the agent's adapter unless it is open. The caller has the agent's turn.
    pub(super) async fn open_adapter(&self, cell: &AgentCell, instrument: &Instrument) -> Result<(), Refusal> {
        if cell.entry().adapter == AdapterState::Open {
            return Ok(());
        }
        let acd = &self.reachable(cell.key.peripheral)?.acd;
        // Whatever the answer, from here on there may be one at the ACD.
        cell.entry().adapter = AdapterState::Closing;
        self.ask(acd.open_adapter(&cell.key.agent, instrument))
            .await
            .map_err(|reason| failed(cell, OPEN_ADAPTER, reason))?;
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
        self.ask(peripheral.acd.close_adapter(&cell.key.agent))
            .await
            .map_err(|reason| failed(cell, CLOSE_ADAPTER, reason))?;
        cell.entry().adapter = AdapterState::Closed;
        Ok(())
    }

    /// Ends every subscription to the agent and its device, in every session. The caller has the agent's turn.
    pub(super) fn end_subscriptions(&self, cell: &AgentCell) {
        let instrument = cell.entry().last_instrument.clone();
        let ended = self.table.subscriptions.end_of_agent(&cell.key, instrument.as_ref());
        cell.entry().needs_teardown = false;
        info!(agent = %cell.key, ended, "subscriptions of a logged-out agent ended");
    }

    /// Lets a background task bring the adapter in line with the agent, if it is not and none does so already.
    pub(super) fn mend_if_needed(self: &Arc<House>, cell: &Arc<AgentCell>, entry: &mut AgentEntry) {
        if !entry.mending && work_left(entry).is_some() {
            entry.mending = true;
            tokio::spawn(mend(Arc::clone(self), Arc::clone(cell)));
        }
    }
}

/// What does not agree.
enum Work {
    Open(Instrument),
    Close,
}

fn work_left(entry: &AgentEntry) -> Option<Work> {
    if entry.facts.is_logged_in() {
        let instrument = entry.facts.instrument.as_ref().filter(|_| entry.adapter != AdapterState::Open);
        return instrument.map(|instrument| Work::Open(instrument.clone()));
    }
    (entry.adapter != AdapterState::Closed || entry.needs_teardown).then_some(Work::Close)
}

/// One try after another until adapter and facts agree; while the link is down it waits for the rebuild to start anew.
async fn mend(house: Arc<House>, cell: Arc<AgentCell>) {
    let mut pause = house.patience.retry_min;
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
            Some(Work::Open(instrument)) => house.open_adapter(&cell, &instrument).await,
            Some(Work::Close) => {
                let closed = house.close_adapter(&cell).await;
                if cell.entry().needs_teardown {
                    house.end_subscriptions(&cell);
                }
                closed
            }
        };
        drop(turn);
        if let Err(error) = tried {
            warn!(agent = %cell.key, %error, retry_in = ?pause, "adapter is not as it should be, trying again");
            if wait(&house, pause).await.is_break() {
                break;
            }
            pause = (pause * 2).min(house.patience.retry_max);
        }
    }
    drop_if_unknown(&house, cell);
}

async fn wait(house: &House, pause: Duration) -> std::ops::ControlFlow<()> {
    tokio::select! {
        () = house.ending.cancelled() => std::ops::ControlFlow::Break(()),
        () = tokio::time::sleep(pause) => std::ops::ControlFlow::Continue(()),
    }
}

fn drop_if_unknown(house: &House, cell: Arc<AgentCell>) {
    let key = cell.key.clone();
    let never_seen = cell.entry().facts.order == 0;
    drop(cell);
    if never_seen {
        house.table.forget_agent(&key);
    }
}

fn failed(cell: &AgentCell, step: &'static str, reason: AcdRefusal) -> Refusal {
    Refusal::Adapter { step, agent: cell.key.agent.clone(), reason }
}
