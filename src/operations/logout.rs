//! Logout: the order in which an agent leaves queues, adapter and subscriptions.
//!
//! Lives here: the sequence, and what each step's failure means to the one who asked. Not here: how an ACD is told
//! (`acd`), how a client is answered (`dialects`), who is logged in (`sessions`).
//! Must hold: no confirm leaves before the adapter is closed and the subscriptions are ended. The sequence does not end
//! early when the client is gone.

use std::sync::Arc;

use tracing::info;

use super::overload::Taken;
use super::passwords::Guess;
use super::reports::now;
use super::steps::{Whose, outcome_of};
use super::{Answer, Blame, House, Refusal, Requester, Step, Urgency};
use crate::acd::{Acd, AcdRefusal};
use crate::model::{AgentFacts, AgentKey, Logout, QueueChoice, QueueId};
use crate::observe::{AcdCommand, LogoutStep, StepOutcome};
use crate::sessions::{AgentCell, LogoutKind, Unsure};

/// A logout that may be confirmed: there is no other way to make one than to have done it.
#[derive(Debug, PartialEq, Eq)]
pub struct LoggedOut {
    kind: LogoutKind,
    facts: AgentFacts,
}

impl LoggedOut {
    /// What the logout left.
    pub fn kind(&self) -> LogoutKind {
        self.kind
    }

    /// The agent after it. One that is logged out keeps here the instrument that it was logged in at.
    pub fn facts(&self) -> &AgentFacts {
        &self.facts
    }
}

impl House {
    /// Logs an agent out of the queues named or of all, and answers when that is true.
    pub async fn log_out(
        self: Arc<House>,
        by: Requester,
        key: AgentKey,
        mut request: Logout,
        answer: Answer<LoggedOut>,
    ) {
        let whose = Whose::of_agent(&key).asked_by(&by);
        let (taken, cell, is_due) = match self.admit_logout(&by, &key, &request) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                self.metrics.logout_step(LogoutStep::Admit, outcome_of(&refusal));
                self.note_refusal(Step::LogOut, whose, &refusal);
                return answer(Err(refusal));
            }
        };
        self.metrics.logout_step(LogoutStep::Admit, StepOutcome::Done);
        let guess = Guess::new(&by, &key);
        let (turn, may_still) = self.turn(&cell, &by).await;
        self.note_doer(&cell, &by);
        let may_leave = match may_still {
            Ok(()) => self.may_leave(&cell, is_due, &mut request, &guess, &taken).await,
            refused => refused.inspect_err(|refusal| self.logout_ends_with(refusal)),
        };
        let outcome = match may_leave {
            Ok(()) => self.log_out_in_order(&cell, &request, whose).await,
            Err(refusal) => Err(refusal),
        };
        match &outcome {
            Ok(done) => {
                self.metrics.logout_step(LogoutStep::Confirm, StepOutcome::Done);
                info!(agent = %key, session = %by.session, kind = ?done.kind, "agent logged out");
            }
            Err(refusal) => match refusal.blame() {
                Blame::Client => info!(agent = %key, session = %by.session, error = %refusal, "logout refused"),
                Blame::Acd => self.note_refusal(Step::LogOut, whose, refusal),
            },
        }
        // What the ACD reported since waits until the requester has been told, so that it hears of a new login after the
        // logout that came before it.
        cell.entry().logging_out = None;
        self.settle(&cell, None, || answer(outcome));
        self.mend_if_needed(&cell, &mut cell.entry());
        drop(turn);
        self.forget_if_unknown(cell);
    }

    /// The sequence of the design, its nine points. The caller has the agent's turn and marked the logout as under way.
    pub(super) async fn log_out_in_order(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        request: &Logout,
        whose: Whose<'_>,
    ) -> Result<LoggedOut, Refusal> {
        let acd = Arc::clone(&self.reachable(cell.key.peripheral)?.acd);
        if !cell.entry().facts.is_logged_in() {
            self.end_subscriptions(cell, &cell.entry()); //                8: asked again, or the ACD was quicker: what
            return self.tear_down(cell).await; //                          began since the last event ends as well
        }
        let may_ask = must_be_able(&*acd, cell, request);
        may_ask.inspect_err(|refusal| self.logout_ends_with(refusal))?;
        cell.entry().start_deferring(); //                                 3: reports wait for the answer
        let asked = acd.log_out(&cell.key.agent, &request.queues, request.reason, request.forced);
        let facts = match self.ask(cell.key.peripheral, AcdCommand::LogOut, asked).await {
            Ok(facts) => facts, //                                         4: done
            Err(reason) => return Err(self.logout_refused(cell, reason, whose).await), // 4: nothing is torn down
        };
        self.metrics.logout_step(LogoutStep::LogOut, StepOutcome::Done);
        let read_at = now();
        let is_partial = facts.is_logged_in();
        if !is_partial {
            self.hear_of_calls(cell).await; //                              what became of its calls was told before
        }
        self.settle_up_to(cell, facts.clone(), read_at); //                         5: the last event, to every subscriber; with
        self.metrics.logout_step(LogoutStep::LastEvent, StepOutcome::Done);
        if is_partial {
            return Ok(LoggedOut { kind: LogoutKind::Partial, facts }); //  2:  it end the subscriptions, unless partial
        }
        self.tear_down(cell).await //                                      6, 7, 8
    }

    /// Closes the adapter; only then, the subscriptions having ended with the last event, is there something to confirm.
    /// Where it does not close, that goes on in the background, and who asks again hears how it stands.
    async fn tear_down(&self, cell: &AgentCell) -> Result<LoggedOut, Refusal> {
        let closed = self.close_adapter(cell).await;
        let outcome = closed.as_ref().map_or_else(outcome_of, |()| StepOutcome::Done);
        self.metrics.logout_step(LogoutStep::CloseAdapter, outcome);
        cell.entry().owes_confirm = closed.is_err();
        let entry = cell.entry();
        let facts = AgentFacts { instrument: entry.last_instrument.clone(), ..entry.facts.clone() };
        closed.map(|()| LoggedOut { kind: LogoutKind::Full, facts })
    }

    /// Refuses at once, having changed nothing; or marks the logout as under way. Says as well whether there is something
    /// to do now; if not, a login is under way that may bring it.
    fn admit_logout(
        &self,
        by: &Requester,
        key: &AgentKey,
        request: &Logout,
    ) -> Result<(Taken, Arc<AgentCell>, bool), Refusal> {
        self.reachable(key.peripheral)?;
        self.must_have_right_over(by, key)?;
        let agent = key.agent.clone();
        let cell = self.table.agent(key).ok_or(Refusal::UnknownAgent { agent: agent.clone() })?;
        let taken;
        let is_due = {
            let mut entry = cell.entry();
            if let Some((_, by)) = entry.logging_out {
                return Err(Refusal::LogoutUnderWay { agent, by });
            }
            let is_due = entry.facts.is_logged_in() || entry.owes_confirm;
            if !is_due && cell.turn.try_lock().is_ok() {
                return Err(Refusal::NotLoggedIn { agent });
            }
            let kind = logout_kind(&entry.facts, &request.queues)?;
            taken = self.take_on(key.peripheral, Urgency::Leaving)?;
            entry.logging_out = Some((kind, by.session));
            is_due
        };
        Ok((taken, cell, is_due))
    }

    /// An agent that logs out on a call leaves it, and its own clients are to hear of that: what the ACD reported up to now
    /// is taken in before the last event.
    async fn hear_of_calls(&self, cell: &AgentCell) {
        let has_calls = !self.table.calls(cell.key.peripheral).lock().of_agent(&cell.key.agent).is_empty();
        let progress = self.progress.get(&cell.key.peripheral).map(|progress| progress.clone());
        if let Some(progress) = progress.filter(|_| has_calls) {
            progress.caught_up().await;
        }
    }

    /// Looks again at what the commands before this one left. Who gives the agent's password has to know it; and the agent's
    /// call may have to end first.
    async fn may_leave(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        was_due: bool,
        request: &mut Logout,
        guess: &Guess,
        taken: &Taken,
    ) -> Result<(), Refusal> {
        if !was_due && !cell.entry().facts.is_logged_in() {
            return Err(Refusal::NotLoggedIn { agent: cell.key.agent.clone() }); // the login that was under way failed
        }
        if let Some(password) = request.password.as_ref().filter(|_| cell.entry().facts.is_logged_in()) {
            let acd = Arc::clone(&self.reachable(cell.key.peripheral)?.acd);
            let may_ask = match must_be_able(&*acd, cell, request) {
                Ok(()) => self.check_password(&*acd, guess, Step::LogOut, password).await,
                refused => refused,
            };
            may_ask.inspect_err(|refusal| self.logout_ends_with(refusal))?;
        }
        {
            let mut entry = cell.entry();
            let kind = logout_kind(&entry.facts, &request.queues);
            let kind = kind.inspect_err(|refusal| self.logout_ends_with(refusal))?;
            entry.logging_out = entry.logging_out.map(|(_, by)| (kind, by));
        }
        self.let_call_end(cell, request, taken).await
    }

    fn logout_ends_with(&self, refusal: &Refusal) {
        self.metrics.logout_step(LogoutStep::LogOut, outcome_of(refusal));
    }

    /// The ACD refused or did not answer: the agent is as the ACD says that it is, asked and not assumed.
    async fn logout_refused(self: &Arc<House>, cell: &Arc<AgentCell>, reason: AcdRefusal, whose: Whose<'_>) -> Refusal {
        let refusal = Refusal::Acd { step: Step::LogOut, agent: cell.key.agent.clone(), reason };
        self.logout_ends_with(&refusal);
        match self.ask_the_truth(cell, Unsure::Logout).await {
            Ok(truth) => {
                self.metrics.logout_step(LogoutStep::AskAgent, StepOutcome::Done);
                let read_at = now();
                // Where it was done after all, only not said, the request fails, the teardown is done, and who asks again
                // gets a success.
                cell.entry().owes_confirm = !truth.is_logged_in();
                if !truth.is_logged_in() {
                    self.hear_of_calls(cell).await;
                }
                self.settle_up_to(cell, truth, read_at);
            }
            Err(error) => {
                self.metrics.logout_step(LogoutStep::AskAgent, outcome_of(&error));
                self.note_refusal(Step::AskAgent, whose, &error); // asked again in the background
            }
        }
        refusal
    }
}

/// Some ACDs know only all of an agent's queues or none.
fn must_be_able(acd: &dyn Acd, cell: &AgentCell, request: &Logout) -> Result<(), Refusal> {
    let is_partial = logout_kind(&cell.entry().facts, &request.queues)? == LogoutKind::Partial;
    if is_partial && !acd.capabilities().partial_logout {
        let reason = AcdRefusal::NotSupported { what: "log an agent out of some of its queues" };
        return Err(Refusal::Acd { step: Step::LogOut, agent: cell.key.agent.clone(), reason });
    }
    Ok(())
}

/// What the logout would leave; refuses queues that the agent is not in.
fn logout_kind(facts: &AgentFacts, asked: &QueueChoice) -> Result<LogoutKind, Refusal> {
    let QueueChoice::Named(leaving) = asked else { return Ok(LogoutKind::Full) };
    if !facts.is_logged_in() {
        return Ok(LogoutKind::Partial); // to be seen when its turn has come; until then it keeps nobody from anything
    }
    if let Some(&queue) = leaving.iter().find(|queue| !facts.queues.contains(queue)) {
        return Err(Refusal::NotInQueue { agent: facts.agent.clone(), queue });
    }
    let stays = |queue: &QueueId| !leaving.contains(queue);
    Ok(if facts.queues.iter().any(stays) { LogoutKind::Partial } else { LogoutKind::Full })
}
