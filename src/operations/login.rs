//! Login: adapter, ACD, confirm, events, in this order.
//!
//! Not here: how the ACD checks a password. Must hold: a login that failed leaves no adapter open and no agent logged in
//! that nobody knows of.

use std::sync::Arc;

use tracing::info;

use super::overload::Taken;
use super::passwords::Guess;
use super::reports::now;
use super::steps::Whose;
use super::{Answer, Blame, House, Refusal, Requester, Step, Urgency};
use crate::acd::{Acd, AcdRefusal};
use crate::model::{AgentFacts, AgentKey, Login, Logout, Password, QueueChoice, QueueId, ReasonCode};
use crate::observe::AcdCommand;
use crate::sessions::{AgentCell, LogoutKind, Unsure};

impl House {
    /// Logs an agent in, answers, and then tells the subscribers. `before` is called when it is done and nothing is told
    /// yet: whoever wants to hear of it subscribes there.
    pub async fn log_in(
        self: Arc<House>,
        by: Requester,
        key: AgentKey,
        request: Login,
        before: impl FnOnce() + Send,
        answer: Answer<()>,
    ) {
        let whose = Whose::of_agent(&key).asked_by(&by);
        let guess = Guess::new(&by, &key);
        let (_taken, cell) = match self.admit_login(&by, &key, &request) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                self.note_refusal(Step::LogIn, whose, &refusal);
                return answer(Err(refusal));
            }
        };
        let turn = cell.turn.lock().await;
        let outcome = match not_leaving(&cell) {
            Ok(()) => self.log_in_in_order(&cell, &request, &guess, whose).await,
            Err(refusal) => Err(refusal),
        };
        match &outcome {
            Ok(facts) => {
                let instrument = facts.instrument.as_ref().map(tracing::field::display);
                info!(agent = %key, session = %by.session, instrument, "agent logged in");
            }
            Err(refusal) => match refusal.blame() {
                Blame::Client => info!(agent = %key, session = %by.session, error = %refusal, "login refused"),
                Blame::Acd => self.note_refusal(Step::LogIn, whose, refusal),
            },
        }
        let is_done = outcome.is_ok();
        let (facts, said) = match outcome {
            Ok(facts) => (Some(facts), Ok(())),
            Err(refusal) => (None, Err(refusal)),
        };
        self.settle(&cell, facts, || {
            if said.is_ok() {
                before();
            }
            answer(said);
        });
        if is_done {
            self.attend_login(&cell, by.session);
        }
        self.mend_if_needed(&cell, &mut cell.entry());
        drop(turn);
        self.forget_if_unknown(cell);
    }

    /// Checks an agent's password and changes nothing.
    pub async fn authenticate(self: Arc<House>, by: Requester, key: AgentKey, password: Password, answer: Answer<()>) {
        let guess = Guess::new(&by, &key);
        let checked = self.check(&guess, &key, &password).await;
        if let Err(refusal) = &checked {
            self.note_refusal(Step::Authenticate, Whose::of_agent(&key).asked_by(&by), refusal);
        }
        answer(checked);
    }

    async fn check(&self, guess: &Guess, key: &AgentKey, password: &Password) -> Result<(), Refusal> {
        let acd = &self.reachable(key.peripheral)?.acd;
        let _taken = self.take_on(key.peripheral, Urgency::Newcomer)?;
        self.check_password(&**acd, guess, Step::Authenticate, password).await
    }

    fn admit_login(&self, by: &Requester, key: &AgentKey, request: &Login) -> Result<(Taken, Arc<AgentCell>), Refusal> {
        self.reachable(key.peripheral)?;
        by.must_be(key, Some(&request.instrument))?;
        if let Some(cell) = self.table.agent(key) {
            not_leaving(&cell)?;
        }
        if self.table.calls(key.peripheral).lock().is_full() {
            return Err(self.congested(Refusal::Congested { why: "the ACD has as many calls as may be known" }));
        }
        let taken = self.take_on(key.peripheral, Urgency::Newcomer)?;
        let many = |_| self.congested(Refusal::Congested { why: "the ACD has as many agents as may be known" });
        let cell = self.table.agent_or_new(key).map_err(many)?;
        Ok((taken, cell))
    }

    async fn log_in_in_order(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        request: &Login,
        guess: &Guess,
        whose: Whose<'_>,
    ) -> Result<AgentFacts, Refusal> {
        let acd = Arc::clone(&self.reachable(cell.key.peripheral)?.acd);
        if request.forced {
            self.leave_other_instrument(&*acd, cell, request, guess, whose).await?;
        }
        let was_in = self.finish_teardown(cell).await?;
        // Checked before anything is opened: a guessed password costs the ACD one question and nothing else.
        self.check_password(&*acd, guess, Step::Authenticate, &request.password).await?;
        if !was_in {
            self.open_adapter(cell, &request.instrument).await?;
        }
        cell.entry().start_deferring();
        match self.ask(cell.key.peripheral, AcdCommand::LogIn, acd.log_in(request)).await {
            Ok(facts) => {
                let mut entry = cell.entry();
                (entry.owes_confirm, entry.unsure) = (false, None);
                Ok(facts)
            }
            Err(reason) => {
                self.undo_login(cell, &reason, was_in, whose).await;
                Err(refused(&cell.key, reason))
            }
        }
    }

    /// A forced login takes the agent over from wherever it is: a whole logout there first.
    /// What can be refused beforehand is: a login that fails must not cost the agent its place.
    async fn leave_other_instrument(
        self: &Arc<House>,
        acd: &dyn Acd,
        cell: &Arc<AgentCell>,
        request: &Login,
        guess: &Guess,
        whose: Whose<'_>,
    ) -> Result<(), Refusal> {
        let is_elsewhere = {
            let facts = &cell.entry().facts;
            facts.is_logged_in() && facts.instrument.as_ref() != Some(&request.instrument)
        };
        if !is_elsewhere {
            return Ok(());
        }
        self.must_be_possible(&cell.key, request)?;
        self.check_password(acd, guess, Step::Authenticate, &request.password).await?;
        let logout = Logout {
            agent: request.agent.clone(),
            queues: QueueChoice::AsAcdSays,
            reason: ReasonCode::default(),
            password: None,
            forced: true,
        };
        let left = self.log_out_in_order(cell, &logout, whose).await;
        self.settle(cell, None, || ());
        left.map(drop)
    }

    /// Refuses a device or queue that there is not, as far as the ACD has told.
    fn must_be_possible(&self, key: &AgentKey, request: &Login) -> Result<(), Refusal> {
        let (agent, instrument) = (key.agent.clone(), request.instrument.clone());
        if self.table.is_no_instrument(key.peripheral, &instrument) {
            return Err(refused(key, AcdRefusal::UnknownInstrument { instrument }));
        }
        let QueueChoice::Named(queues) = &request.queues else { return Ok(()) };
        let known = self.table.link(key.peripheral).queues;
        let is_unknown = |queue: &&QueueId| !known.is_empty() && !known.iter().any(|(number, _)| number == *queue);
        match queues.iter().find(is_unknown) {
            Some(&queue) => Err(refused(key, AcdRefusal::BadQueue { agent, queue })),
            None => Ok(()),
        }
    }

    /// What an earlier logout left to do is done before a new life begins. Says whether the agent is logged in.
    async fn finish_teardown(&self, cell: &AgentCell) -> Result<bool, Refusal> {
        let is_in = cell.entry().facts.is_logged_in();
        if !is_in {
            self.close_adapter(cell).await?;
        }
        Ok(is_in)
    }

    /// A login that failed leaves nothing: where the answer was only late, the agent is logged out again.
    async fn undo_login(self: &Arc<House>, cell: &Arc<AgentCell>, reason: &AcdRefusal, was_in: bool, whose: Whose<'_>) {
        // Nor is it known what one left that refused in its own words.
        let is_open = |reason: &AcdRefusal| {
            matches!(reason, AcdRefusal::TimedOut { .. } | AcdRefusal::LinkDown | AcdRefusal::Refused { .. })
        };
        if is_open(reason) {
            let unsure = if was_in { Unsure::Facts } else { Unsure::Login };
            match self.ask_the_truth(cell, unsure).await {
                Ok(truth) => self.settle_up_to(cell, truth, now()),
                // It is asked again in the background.
                Err(error) => self.note_refusal(Step::AskAgent, whose, &error),
            }
        }
        if !cell.entry().facts.is_logged_in() {
            // Where it does not close at once, that goes on in the background.
            if let Err(error) = self.close_adapter(cell).await {
                self.note_refusal(Step::CloseAdapter, whose, &error);
            }
        }
    }
}

fn not_leaving(cell: &AgentCell) -> Result<(), Refusal> {
    match cell.entry().logging_out {
        Some((LogoutKind::Full, by)) => Err(Refusal::LogoutUnderWay { agent: cell.key.agent.clone(), by }),
        _ => Ok(()),
    }
}

fn refused(key: &AgentKey, reason: AcdRefusal) -> Refusal {
    Refusal::Acd { step: Step::LogIn, agent: key.agent.clone(), reason }
}
