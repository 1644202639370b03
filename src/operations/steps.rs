//! The steps that an operation goes through, and the one line that says which failed. Not here: their order.
//!
//! Must hold: a step that fails for no fault of who asked has one log line and one count, wherever it failed.

use std::fmt;
use std::time::Duration;

use tracing::warn;

use super::{Blame, House, Refusal, Requester};
use crate::acd::AcdRefusal;
use crate::model::{AgentKey, PeripheralId};
use crate::observe::{AcdCommand, AcdFailure, Label, StepOutcome, labels};

labels! {
    /// A step that can fail, as operators are told of it. Each has a page in the runbook.
    pub enum Step {
        /// The ACD checks a password.
        Authenticate = "authenticate",
        /// The ACD logs the agent in.
        LogIn = "log_in",
        /// A login that was said to have failed, and had not, is undone.
        UndoLogin = "undo_login",
        /// The ACD changes the agent's state.
        SetState = "set_state",
        /// The agent is made not ready, so that its logout can wait for its call.
        LetCallEnd = "let_call_end",
        /// The ACD logs the agent out.
        LogOut = "log_out",
        /// The agent's adapter is opened.
        OpenAdapter = "open_adapter",
        /// It is closed.
        CloseAdapter = "close_adapter",
        /// The ACD is asked what the agent is.
        AskAgent = "ask_agent",
        /// The ACD does something with a call.
        ControlCall = "control_call",
        /// An agent whose client was lost is made not ready.
        GraceNotReady = "grace_not_ready",
        /// It is logged out.
        GraceLogout = "grace_logout",
        /// The table is rebuilt from the ACD.
        Rebuild = "rebuild",
        /// It is compared with the ACD.
        Audit = "audit",
    }
}

impl fmt::Display for Step {
    /// As requesters are told of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::LogIn | Step::Authenticate => "login",
            Step::LogOut | Step::LetCallEnd => "logout",
            Step::SetState => "state change",
            Step::OpenAdapter => "open adapter",
            Step::CloseAdapter => "close adapter",
            Step::AskAgent => "ask for the agent",
            Step::UndoLogin => "undo the login",
            Step::ControlCall => "call control",
            Step::GraceNotReady => "not ready of a lost agent",
            Step::GraceLogout => "logout of a lost agent",
            Step::Rebuild => "rebuild of the table",
            Step::Audit => "comparison of the table",
        })
    }
}

/// Whose step it is: the session that asked, if any did, and the agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    pub(super) peripheral: PeripheralId,
    pub(super) by: Option<&'a Requester>,
    pub(super) agent: Option<&'a AgentKey>,
}

impl<'a> Whose<'a> {
    /// The gateway's own, about an agent.
    pub(super) fn of_agent(agent: &'a AgentKey) -> Whose<'a> {
        Whose { peripheral: agent.peripheral, by: None, agent: Some(agent) }
    }

    pub(super) fn asked_by(self, by: &'a Requester) -> Whose<'a> {
        Whose { by: Some(by), ..self }
    }
}

impl House {
    /// Says of a refusal that it is none of who asked, if so: at `step`, unless it names another one.
    pub(super) fn note_refusal(&self, step: Step, whose: Whose<'_>, refusal: &Refusal) {
        if refusal.blame() == Blame::Acd {
            self.step_failed(refusal.step().unwrap_or(step), whose, refusal, None);
        }
    }

    /// The one line about a step that failed.
    pub(super) fn step_failed(
        &self,
        step: Step,
        whose: Whose<'_>,
        error: &dyn fmt::Display,
        retry_in: Option<Duration>,
    ) {
        self.failed_steps.of(step).inc();
        let Whose { peripheral, by, agent } = whose;
        let client = by.map(|by| by.client.as_str());
        let (session, agent) = (by.map(|by| tracing::field::display(by.session)), agent.map(tracing::field::display));
        let retry_in = retry_in.map(tracing::field::debug);
        warn!(%peripheral, session, client, agent, step = step.label(), %error, retry_in, "step failed");
    }

    /// Counts an answer of an ACD, and how long it took.
    pub(super) fn count_answer<T>(
        &self,
        id: PeripheralId,
        command: AcdCommand,
        took: Duration,
        answer: &Result<T, AcdRefusal>,
    ) {
        let Some(counts) = self.metrics.acd(id) else { return };
        let failure = match answer {
            Ok(_) => None,
            Err(AcdRefusal::TimedOut { .. }) => Some(AcdFailure::TimedOut),
            Err(AcdRefusal::LinkDown) => Some(AcdFailure::LinkDown),
            Err(AcdRefusal::Congested { .. }) => Some(AcdFailure::Congested),
            Err(_) => Some(AcdFailure::Refused),
        };
        if let Some(failure) = failure {
            counts.failures.of(command).of(failure).inc();
        }
        // Of what never got there nothing came back.
        if !matches!(failure, Some(AcdFailure::LinkDown | AcdFailure::Congested)) {
            counts.round_trip.of(command).observe(took);
        }
    }
}

/// What a refusal makes of the step that it ended.
pub(super) fn outcome_of(refusal: &Refusal) -> StepOutcome {
    match refusal.blame() {
        Blame::Client => StepOutcome::Refused,
        Blame::Acd => StepOutcome::Failed,
    }
}
