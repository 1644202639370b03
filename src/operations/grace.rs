//! Agents and the clients that have them: who meets whom there, and what becomes of an agent whose clients were lost.
//!
//! Not here: how a connection is found to be gone, and how a client proves that it is the one who comes back.
//! Must hold: an agent whose last client was lost stays as it is for a while, goes not ready, and is logged out, each told
//! to whoever watches; nobody who is back in time loses anything; a client that said goodbye was not lost.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::info;

use super::steps::Whose;
use super::{Demands, House, Refusal, Rules, Step};
use crate::model::{
    AgentKey, AgentState, Instrument, Logout, QueueChoice, ReasonCode, SecondClient, SessionId, StateChange,
    WantedState,
};
use crate::sessions::{AgentCell, AgentEntry, HeldBy, LogoutKind, Subscriber};

/// What becomes of an agent whose clients were lost.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// How long it stays as it is; then it goes not ready.
    pub not_ready_after: Duration,
    /// How long after that it is logged out.
    pub logout_after: Duration,
    /// The reason of both.
    pub reason: ReasonCode,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// The client said goodbye, or another one took its place: its agents stay as they are.
    Said,
    /// The client is gone.
    Lost,
}

/// A session's claim to an agent that it is logging in.
#[derive(Debug)]
pub struct Claim {
    house: Arc<House>,
    /// None once it is dropped, or where there is nothing to claim.
    cell: Option<Arc<AgentCell>>,
    session: SessionId,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        {
            let claims = &mut cell.entry().claims;
            if let Some(at) = claims.iter().position(|claim| *claim == self.session) {
                claims.swap_remove(at);
            }
        }
        self.house.forget_if_unknown(cell);
    }
}

impl House {
    /// The sessions that another one takes an agent over from, by the rule for clients that meet; refused where that says so.
    /// `counts` tells which sessions are met at all.
    pub fn meet(
        &self,
        session: SessionId,
        key: &AgentKey,
        counts: impl Fn(&dyn Subscriber) -> bool,
    ) -> Result<Vec<Arc<dyn Subscriber>>, HeldBy> {
        let Some(cell) = self.table.agent(key) else { return Ok(Vec::new()) };
        self.met(session, &cell, &cell.entry(), counts)
    }

    /// The same for a session that is about to log the agent in: where clients may not meet, it counts as having the agent
    /// from here on, until the claim is dropped.
    pub fn meet_to_log_in(
        self: &Arc<House>,
        session: SessionId,
        key: &AgentKey,
    ) -> Result<(Vec<Arc<dyn Subscriber>>, Claim), HeldBy> {
        let Ok(cell) = self.table.agent_or_new(key) else {
            return Ok((Vec::new(), Claim { house: Arc::clone(self), cell: None, session })); // no room: its login is refused
        };
        let others = {
            let mut entry = cell.entry();
            let others = self.met(session, &cell, &entry, |_| true);
            if others.is_ok() {
                entry.claims.push(session);
            }
            others
        };
        match others {
            Ok(others) => Ok((others, Claim { house: Arc::clone(self), cell: Some(cell), session })),
            Err(held) => {
                self.forget_if_unknown(cell);
                Err(held)
            }
        }
    }

    fn met(
        &self,
        session: SessionId,
        cell: &AgentCell,
        entry: &AgentEntry,
        counts: impl Fn(&dyn Subscriber) -> bool,
    ) -> Result<Vec<Arc<dyn Subscriber>>, HeldBy> {
        let holder = self.table.holder(&cell.key, entry.facts.instrument.as_ref());
        // Who is only about to have it has nothing that could be taken over.
        let claims = if self.rules.second_client == SecondClient::Reject { &entry.claims[..] } else { &[] };
        let mut others: Vec<_> = entry.attendants().iter().chain(claims).copied().chain(holder).collect();
        others.sort_unstable();
        others.dedup();
        let others = others.into_iter().filter(|other| *other != session).filter_map(|other| self.table.client(other));
        let mut others = others.filter(|other| counts(&**other)).peekable();
        match self.rules.second_client {
            SecondClient::Share => Ok(Vec::new()),
            SecondClient::TakeOver => Ok(others.collect()),
            SecondClient::Reject => others.peek().map_or(Ok(Vec::new()), |other| Err(HeldBy(other.session()))),
        }
    }

    /// The session has the agent from here on, if it is logged in, and by that login where one is given. Returns which it is.
    pub fn attend(&self, session: SessionId, key: &AgentKey, login: Option<u64>) -> Option<u64> {
        let cell = self.table.agent(key)?;
        let mut entry = cell.entry();
        let is_it = entry.facts.is_logged_in() && login.is_none_or(|login| login == entry.login);
        (is_it && self.table.attendance.attend(&cell, &mut entry, session)).then_some(entry.login)
    }

    /// The login by which the agent is logged in, if it is.
    pub fn login_of(&self, key: &AgentKey) -> Option<u64> {
        let cell = self.table.agent(key)?;
        let entry = cell.entry();
        entry.facts.is_logged_in().then_some(entry.login)
    }

    /// The session has the agent no longer; another one has.
    pub fn neglect(&self, session: SessionId, key: &AgentKey) {
        if let Some(cell) = self.table.agent(key) {
            self.table.attendance.neglect(&cell, &mut cell.entry(), session);
        }
    }

    /// The session that asked for a login has the agent now, and so has whoever opened a session for it. A session that is
    /// gone by now is lost, as it would be had it gone a moment later.
    pub(super) fn attend_login(self: &Arc<House>, cell: &Arc<AgentCell>, session: SessionId) {
        let mut entry = cell.entry();
        if !entry.facts.is_logged_in() || session == SessionId::HOUSE {
            return;
        }
        if !self.table.attendance.attend(cell, &mut entry, session) && entry.attendants().is_empty() {
            self.lose(cell, &mut entry, "");
        }
    }

    /// Ends what a session had, and says which agents those were. `name` is what its client calls itself when it
    /// [comes back](House::come_back).
    pub fn leave(self: &Arc<House>, session: SessionId, name: &str, how: Farewell) -> Vec<AgentKey> {
        let agents = Vec::from_iter(self.table.attendance.leave(session, name));
        for key in &agents {
            // A connection that is half open is often found to be lost after its client is back.
            if let Some(heir) = self.table.attendance.heir(name) {
                self.attend(heir, key, None);
            }
            let Some(cell) = self.table.agent(key) else { continue };
            let mut entry = cell.entry();
            let has_others = self.table.attendance.neglect(&cell, &mut entry, session);
            if how == Farewell::Lost && !has_others && entry.facts.is_logged_in() {
                self.lose(&cell, &mut entry, name);
                // Whoever came in between has looked for it already, and did not find it.
                if let Some(heir) = self.table.attendance.heir(name) {
                    self.table.attendance.attend(&cell, &mut entry, heir);
                }
            }
        }
        agents
    }

    /// The session's client is here, or back: it has the agents that other sessions of its lost, and will lose. Returns those
    /// that it has now.
    pub fn come_back(self: &Arc<House>, session: SessionId, name: &str) -> Vec<AgentKey> {
        self.table.attendance.inherit(session, name);
        let mut found = Vec::from_iter(self.table.attendance.left_behind(name));
        found.retain(|key| self.attend(session, key, None).is_some());
        found
    }

    fn lose(self: &Arc<House>, cell: &Arc<AgentCell>, entry: &mut AgentEntry, name: &str) {
        let Some(grace) = self.rules.grace else { return };
        if self.ending.is_cancelled() {
            return; // the gateway stops: its clients are not lost, they are sent away
        }
        if let Some((loss, back)) = self.table.attendance.lose(cell, entry, name) {
            info!(agent = %cell.key, not_ready_in = ?grace.not_ready_after, "the agent's client was lost");
            tokio::spawn(wait_for_a_client(Arc::clone(self), Arc::clone(cell), grace, loss, back));
        }
    }
}

/// First not ready, then out, unless somebody comes back or the agent logs out by itself.
async fn wait_for_a_client(
    house: Arc<House>,
    cell: Arc<AgentCell>,
    grace: Grace,
    loss: u64,
    mut back: oneshot::Receiver<Infallible>,
) {
    if passes(&house, grace.not_ready_after, &mut back).await {
        if let Err(error) = house.make_not_ready(&cell, loss, grace.reason).await {
            house.step_failed(Step::GraceNotReady, Whose::of_agent(&cell.key), &error, None);
        }
        let mut pause = grace.logout_after;
        while passes(&house, pause, &mut back).await {
            match house.log_lost_out(&cell, loss, grace.reason).await {
                Ok(()) => break,
                Err(error) => {
                    pause = grace.logout_after.min(house.rules.retry_max);
                    let Rules { retry_min, .. } = house.rules;
                    pause = pause.max(retry_min);
                    house.log_out_later(&cell, &error, pause);
                }
            }
        }
    }
    house.forget_if_unknown(cell);
}

/// Whether the time has passed with nobody back.
async fn passes(house: &House, time: Duration, back: &mut oneshot::Receiver<Infallible>) -> bool {
    tokio::select! {
        biased;
        () = house.ending.cancelled() => false,
        _ = back => false,
        () = tokio::time::sleep(time) => true,
    }
}

impl House {
    async fn make_not_ready(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        loss: u64,
        reason: ReasonCode,
    ) -> Result<(), Refusal> {
        let _turn = cell.turn.lock().await;
        {
            let entry = cell.entry();
            if !entry.is_lost_by(loss) || !entry.facts.is_logged_in() || entry.facts.state == AgentState::NotReady {
                return Ok(());
            }
        }
        let request = StateChange { agent: cell.key.agent.clone(), wanted: WantedState::NotReady, reason };
        let (facts, done) = match self.set_state_in_order(cell, &request, &Demands::default()).await {
            Ok(facts) => (Some(facts), Ok(())),
            Err(refusal) => (None, Err(refusal)),
        };
        self.settle(cell, facts, || ());
        self.mend_if_needed(cell, &mut cell.entry());
        done
    }

    /// Says that a lost agent is still logged in. One that is on a call, or is about to be logged out, is to be: that is no
    /// failure.
    fn log_out_later(&self, cell: &AgentCell, error: &Refusal, pause: Duration) {
        match error {
            Refusal::OnCall { .. } => info!(agent = %cell.key, retry_in = ?pause, "a lost agent is let end its call"),
            Refusal::LogoutUnderWay { by, .. } => {
                info!(agent = %cell.key, session = %by, retry_in = ?pause, "a lost agent is being logged out by another");
            }
            error => self.step_failed(Step::GraceLogout, Whose::of_agent(&cell.key), error, Some(pause)),
        }
    }

    /// As any other logout, in its nine points; a call is let end first.
    async fn log_lost_out(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        loss: u64,
        reason: ReasonCode,
    ) -> Result<(), Refusal> {
        let _turn = cell.turn.lock().await;
        {
            let mut entry = cell.entry();
            if !entry.is_lost_by(loss) || !entry.facts.is_logged_in() {
                return Ok(());
            }
            if let Some((_, by)) = entry.logging_out {
                // Somebody has asked, and waits for its turn: whether that logs the agent out is to be seen.
                return Err(Refusal::LogoutUnderWay { agent: cell.key.agent.clone(), by });
            }
            if entry.facts.state.is_on_call() {
                return Err(Refusal::OnCall { agent: cell.key.agent.clone() });
            }
            entry.logging_out = Some((LogoutKind::Full, SessionId::HOUSE));
        }
        let agent = cell.key.agent.clone();
        let request = Logout { agent, queues: QueueChoice::AsAcdSays, reason, password: None, forced: false };
        let done = self.log_out_in_order(cell, &request, Whose::of_agent(&cell.key)).await;
        cell.entry().logging_out = None;
        self.settle(cell, None, || ());
        self.mend_if_needed(cell, &mut cell.entry());
        if done.is_ok() {
            info!(agent = %cell.key, "agent logged out: its client was lost");
        }
        done.map(drop)
    }
}

impl House {
    /// Whoever opened a session for the agent or its device has it as soon as it is logged in, whoever logged it in.
    pub(super) fn attend_by_holder(&self, cell: &AgentCell, entry: &mut AgentEntry, instrument: Option<&Instrument>) {
        if let Some(holder) = self.table.holder(&cell.key, instrument) {
            self.table.attendance.attend(cell, entry, holder);
        }
    }
}
