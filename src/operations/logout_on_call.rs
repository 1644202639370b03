//! A logout of an agent that is on a call: refused, done at once, or done when the call has ended.
//!
//! Not here: the logout itself. Must hold: while the call is waited for, no other call is offered and no other state taken.

use std::sync::Arc;

use super::overload::Taken;
use super::steps::outcome_of;
use super::{House, Refusal, Step};
use crate::model::{AgentState, Logout, LogoutOnCall, StateChange, WantedState};
use crate::observe::{LogoutStep, StepOutcome};
use crate::sessions::{AgentCell, LogoutKind};

impl House {
    /// Does with a logout what the configuration says, where the agent is on a call. The caller has the agent's turn and
    /// has marked the logout as under way.
    pub(super) async fn let_call_end(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        request: &mut Logout,
        taken: &Taken,
    ) -> Result<(), Refusal> {
        let is_full = matches!(cell.entry().logging_out, Some((LogoutKind::Full, _)));
        let state = cell.entry().facts.state;
        if !state.is_on_call() || !is_full || request.forced {
            return Ok(());
        }
        match self.rules.logout_on_call {
            LogoutOnCall::Reject => Ok(()), // the ACD's to refuse: it alone knows whether a call is in the way
            LogoutOnCall::Force => {
                request.forced = true;
                Ok(())
            }
            LogoutOnCall::AfterCall => {
                let ended = self.wait_for_the_end(cell, request, state, taken).await;
                let outcome = ended.as_ref().map_or_else(outcome_of, |()| StepOutcome::Done);
                self.metrics.logout_step(LogoutStep::LetCallEnd, outcome);
                ended
            }
        }
    }

    async fn wait_for_the_end(
        self: &Arc<House>,
        cell: &Arc<AgentCell>,
        request: &Logout,
        state: AgentState,
        taken: &Taken,
    ) -> Result<(), Refusal> {
        let agent = cell.key.agent.clone();
        tracing::info!(agent = %cell.key, ?state, "the logout waits for the end of the call");
        // Or the next call would come with the end of this one.
        let not_ready = StateChange { agent: agent.clone(), wanted: WantedState::NotReady, reason: request.reason };
        let acd = Arc::clone(&self.reachable(cell.key.peripheral)?.acd);
        let (facts, asked) = match self.change_state(&*acd, cell, &not_ready, Step::LetCallEnd).await {
            Ok(facts) => (Some(facts), Ok(())),
            Err(refusal) => (None, Err(refusal)),
        };
        self.settle(cell, facts, || ());
        asked?;
        let _resting = taken.rest(); // a call may last for hours
        loop {
            let changed = cell.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if !cell.entry().facts.state.is_on_call() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = changed => (),
                () = self.stopping.cancelled() => return Err(Refusal::OnCall { agent }),
            }
        }
    }
}
