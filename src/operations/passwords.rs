//! Agents' passwords: the ACD checks them, here guesses are counted. Not here: clients' passwords (`access`).
//!
//! Must hold: an ACD is asked about a password only while its client need not wait for that agent; a guess is counted before it
//! is known to be wrong, so that many at once are no more than as many one after the other.

use std::time::Instant;

use parking_lot::Mutex;
use smol_str::SmolStr;
use tracing::warn;

use super::{House, Refusal, Requester, Step};
use crate::acd::{Acd, AcdRefusal};
use crate::model::{AgentKey, Password, Tally};
use crate::observe::AcdCommand;

/// Wrong passwords of one agent that cost its client nothing: people mistype.
const FREE: u32 = 3;

/// Who guessed an agent's password wrong lately: an agent, and a client by its own name. Another client of the same agent does
/// not wait for it.
#[derive(Debug)]
pub(super) struct AgentGuesses(Mutex<Tally<Guesser>>);

type Guesser = (AgentKey, SmolStr);

/// A client that is about to show an agent's password. It is named before anything is waited for: it may be gone by then.
pub(super) struct Guess(Guesser);

impl Guess {
    pub(super) fn new(by: &Requester, key: &AgentKey) -> Guess {
        Guess((key.clone(), by.client.clone()))
    }
}

impl AgentGuesses {
    pub(super) fn new() -> AgentGuesses {
        AgentGuesses(Mutex::new(Tally::new(FREE)))
    }
}

impl House {
    /// Has the ACD check an agent's password, unless wrong ones came too often.
    pub(super) async fn check_password(
        &self,
        acd: &dyn Acd,
        Guess(guesser): &Guess,
        step: Step,
        password: &Password,
    ) -> Result<(), Refusal> {
        let agent = &guesser.0.agent;
        let wrong = {
            let mut guesses = self.agent_guesses.0.lock();
            if let Some(wait) = guesses.must_wait(now(), guesser) {
                return Err(Refusal::TooManyGuesses { step, agent: agent.clone(), wait });
            }
            guesses.was_wrong(now(), guesser.clone())
        };
        let checked = self.ask(guesser.0.peripheral, AcdCommand::Authenticate, acd.authenticate(agent, password)).await;
        let mut guesses = self.agent_guesses.0.lock();
        match &checked {
            Ok(()) => guesses.was_right(guesser),
            Err(AcdRefusal::BadCredentials) => {
                warn!(agent = %guesser.0, client = &*guesser.1, wrong, "an agent's password was wrong");
            }
            Err(_) => guesses.was_neither(now(), guesser),
        }
        checked.map_err(|reason| Refusal::Acd { step, agent: agent.clone(), reason })
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
