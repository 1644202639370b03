//! One task an ACD: takes its reports, and rebuilds the table from it whenever the link comes up or reports were lost.
//!
//! Not here: what a report does to the table. Must hold: while the table is not known to be true, commands are refused;
//! subscribers hear of the link first and of the differences then; what is older than the table's last rebuild is not heard,
//! for what that has forgotten would seem to be new.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use tracing::{info, warn};

use super::steps::Whose;
use super::{House, Step};
use crate::acd::{AcdEvent, AcdInbox, AcdRefusal, ReadEvent, Snapshot, acd_channel};
use crate::model::{AgentFacts, AgentId, AgentKey, AgentReport, Heard, LinkEvent, PeripheralId};
use crate::observe::{AcdCommand, Rebuild};
use crate::sessions::{AdapterState, Instruments};

/// How many reports are taken before others get their turn.
const BATCH_MAX: usize = 128;

impl House {
    /// Connects every ACD; `events_max` is how many reports of each may wait.
    pub fn connect(self: &Arc<House>, events_max: usize) {
        for peripheral in &self.peripherals {
            let (events, inbox) = acd_channel(events_max);
            self.progress.insert(peripheral.id, inbox.progress());
            let (acd, ending) = (Arc::clone(&peripheral.acd), self.ending.clone());
            tokio::spawn(async move { ending.run_until_cancelled(acd.run(events)).await });
            let (house, ending, id) = (Arc::clone(self), self.ending.clone(), peripheral.id);
            tokio::spawn(async move { ending.run_until_cancelled(house.follow(id, inbox)).await });
        }
    }

    async fn follow(self: Arc<House>, id: PeripheralId, mut inbox: AcdInbox) {
        let mut batch = Vec::new();
        let mut pause = self.rules.retry_min;
        // Set while the link is up and the table is not rebuilt from it yet.
        let mut rebuild_at = None;
        let mut audit_at = self.next_audit();
        // Up to there in the ACD's order the table was rebuilt last.
        let mut rebuilt_to = 0;
        loop {
            let is_there = tokio::select! {
                biased;
                is_there = inbox.take(&mut batch, BATCH_MAX) => is_there,
                () = until(rebuild_at), if rebuild_at.is_some() => true,
                () = until(audit_at), if audit_at.is_some() => true,
            };
            let mut is_due = rebuild_at.take_if(|at| *at <= tokio::time::Instant::now()).is_some();
            let mut why = Rebuild::Retry;
            // What was reported before the ACD's answer is taken in before it, and what came after it, after it.
            let snapshot = match audit_at.take_if(|at| *at <= tokio::time::Instant::now()) {
                Some(_) => self.ask_for_audit(id).await,
                None => None,
            };
            audit_at = audit_at.or_else(|| self.next_audit());
            let mut later = Vec::new();
            if let Some(snapshot) = &snapshot {
                inbox.take_what_is_there(&mut batch);
                let is_later = |read: &ReadEvent| read.event.order().is_some_and(|order| order > snapshot.order);
                later = batch.split_off(batch.iter().position(is_later).unwrap_or(batch.len()));
            }
            let mut take_in = |events: &mut Vec<ReadEvent>| {
                for ReadEvent { event, read_at } in events.drain(..) {
                    // A pre-call has no place of its own in the order.
                    let has_place = matches!(event, AcdEvent::Agent(_) | AcdEvent::Call(_));
                    if has_place && event.order().is_some_and(|order| order <= rebuilt_to) {
                        continue;
                    }
                    let hear = |report| self.receive(id, Heard { report, read_at: Some(read_at) });
                    match event {
                        AcdEvent::LinkUp => (is_due, why, pause) = (true, Rebuild::LinkUp, self.rules.retry_min),
                        AcdEvent::LinkDown { reason } => {
                            (is_due, rebuild_at) = (false, None);
                            self.link_is_down(id, &reason);
                        }
                        AcdEvent::Agent(facts) => hear(AgentReport::Facts(facts)),
                        AcdEvent::PreCall(call) => hear(AgentReport::PreCall(call)),
                        AcdEvent::PreCallAbort(call) => hear(AgentReport::PreCallAbort(call)),
                        AcdEvent::Call(report) => self.receive_call(id, report, read_at),
                    }
                }
            };
            take_in(&mut batch);
            if let Some(snapshot) = snapshot.filter(|_| self.table.is_online(id)) {
                let corrections = self.differences(id, &snapshot);
                self.take_in_snapshot(id, snapshot).await;
                self.tell_corrections(corrections);
            }
            take_in(&mut later);
            inbox.is_taken_in();
            if inbox.has_overflowed() {
                if !inbox.is_empty() {
                    tokio::task::yield_now().await;
                    continue; // first what is there: a change of the link may be among it, or have been lost
                }
                inbox.take_overflow();
                warn!(peripheral = %id, "reports came faster than they could be taken, rebuilding the table");
                (is_due, why) = (inbox.is_link_up(), Rebuild::Overflow);
                if !is_due {
                    self.link_is_down(id, "the report that says why was lost");
                }
            }
            if is_due {
                match self.rebuild(id, why).await {
                    Ok(order) => rebuilt_to = order,
                    Err(error) => {
                        let whose = Whose { peripheral: id, by: None, agent: None };
                        self.step_failed(Step::Rebuild, whose, &error, Some(pause));
                        self.link_is_down(id, "the table could not be rebuilt");
                        rebuild_at = Some(tokio::time::Instant::now() + pause);
                        pause = (pause * 2).min(self.rules.retry_max);
                    }
                }
            }
            if !is_there {
                return self.link_is_down(id, "the ACD's adapter ended");
            }
            tokio::task::yield_now().await; // who was told something may write it before more comes
        }
    }

    /// Asks the ACD for everything, and tells the subscribers what differs from the table. Gives up to where in the ACD's order
    /// that goes.
    async fn rebuild(self: &Arc<House>, id: PeripheralId, why: Rebuild) -> Result<u64, AcdRefusal> {
        let Some(peripheral) = self.peripheral(id) else { return Ok(0) };
        if let Some(counts) = self.metrics.acd(id) {
            counts.rebuilds.of(why).inc();
        }
        let capabilities = peripheral.acd.capabilities();
        let mut snapshot = self.ask(id, AcdCommand::Snapshot, peripheral.acd.snapshot()).await?;
        let was_online = self.table.is_online(id);
        let (queues, instruments) = (std::mem::take(&mut snapshot.queues), std::mem::take(&mut snapshot.instruments));
        let mut instruments = capabilities.lists_instruments.then(|| Instruments::new(instruments));
        self.table.with_link(id, |link| {
            link.online = true;
            link.queues = queues.into();
            link.lists_agents = capabilities.lists_agents;
            std::mem::swap(&mut link.instruments, &mut instruments);
        });
        drop(instruments); // of many: not while others want to know of a link
        if !was_online {
            info!(peripheral = %id, agents = snapshot.agents.len(), "link to the acd is up");
            self.table.announce(LinkEvent { peripheral: id, online: true });
        }
        let order = snapshot.order;
        self.take_in_snapshot(id, snapshot).await;
        self.links.send_replace(());
        Ok(order)
    }

    fn next_audit(&self) -> Option<tokio::time::Instant> {
        self.rules.audit.map(|every| tokio::time::Instant::now() + every)
    }

    /// What the ACD says of everything, if it can be asked now and answers.
    async fn ask_for_audit(&self, id: PeripheralId) -> Option<Snapshot> {
        let peripheral = self.peripheral(id).filter(|_| self.table.is_online(id))?;
        match self.ask(id, AcdCommand::Snapshot, peripheral.acd.snapshot()).await {
            Ok(snapshot) => Some(snapshot),
            Err(error) => {
                self.step_failed(Step::Audit, Whose { peripheral: id, by: None, agent: None }, &error, None);
                None
            }
        }
    }

    /// Tells the subscribers what the table has otherwise.
    async fn take_in_snapshot(self: &Arc<House>, id: PeripheralId, snapshot: Snapshot) {
        let Snapshot { order, agents, adapters, calls, .. } = snapshot;
        self.take_in_adapters(id, &adapters);
        let mut left: BTreeSet<AgentId> = self.table.agents_of(id).iter().map(|cell| cell.key.agent.clone()).collect();
        for (at, facts) in agents.into_iter().enumerate() {
            left.remove(&facts.agent);
            self.receive(id, Heard { report: AgentReport::Facts(facts), read_at: None });
            if at % BATCH_MAX == BATCH_MAX - 1 {
                tokio::task::yield_now().await; // who was told something may write it before more comes
            }
        }
        for agent in left {
            self.agent_is_gone(AgentKey { peripheral: id, agent }, order);
        }
        self.take_in_calls(id, calls, order);
        for cell in self.table.agents_of(id) {
            self.mend_if_needed(&cell, &mut cell.entry());
        }
    }

    /// Which adapters there are at the ACD, whatever was remembered of them.
    fn take_in_adapters(self: &Arc<House>, id: PeripheralId, open: &[AgentId]) {
        let open: HashSet<&AgentId> = open.iter().collect();
        for agent in &open {
            let key = AgentKey { peripheral: id, agent: (*agent).clone() };
            if let Err(full) = self.table.agent_or_new(&key) {
                self.has_no_room(&key, full);
            }
        }
        for cell in self.table.agents_of(id) {
            // A command that is at it may have opened or closed it since. What does not fit is put right when it is done.
            let turn = cell.turn.try_lock();
            let mut entry = cell.entry();
            entry.adapter = match (entry.adapter, open.contains(&cell.key.agent)) {
                (AdapterState::Closed, false) => AdapterState::Closed,
                (AdapterState::Open, true) => AdapterState::Open,
                (AdapterState::Closed, true) if turn.is_ok() => AdapterState::Open,
                // Never taken for closed before the ACD has said so: the snapshot may be older than the adapter.
                (AdapterState::Closed, true) | (AdapterState::Open, false) | (AdapterState::Closing, _) => {
                    AdapterState::Closing
                }
            };
        }
    }

    /// The ACD did not name, at that moment, an agent that the table has: it was logged in to nothing there. What is known of
    /// it since is newer.
    fn agent_is_gone(self: &Arc<House>, key: AgentKey, order: u64) {
        if let Some(cell) = self.table.agent(&key) {
            let gone = AgentFacts::logged_out(key.agent.clone(), cell.entry().facts.reason, order);
            self.receive(key.peripheral, Heard { report: AgentReport::Facts(gone), read_at: None });
        }
        self.table.forget_agent(&key);
    }

    fn link_is_down(&self, id: PeripheralId, reason: &str) {
        let was_online = self.table.is_online(id);
        self.table.with_link(id, |link| link.online = false);
        self.end_calls(id);
        if was_online {
            if let Some(counts) = self.metrics.acd(id) {
                counts.link_losses.inc();
            }
            warn!(peripheral = %id, reason, "link to the acd is down");
            self.table.announce(LinkEvent { peripheral: id, online: false });
        }
        self.links.send_replace(());
    }
}

async fn until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
