//! Who may open a session: identities, their secrets, and what becomes of guesses.
//!
//! Lives here: checking what a client says of itself, in constant time and off the threads that serve; back-off. Not here:
//! what an identity may (`model`), how a dialect asks and is answered (`dialects`).
//! Must hold: an unknown identity costs what a known one costs; a guess that came too early is not even looked at; no secret
//! outlives its check but as a digest under a key of this process.

mod guesses;
mod proof;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;
use tracing::{info, warn};

use self::guesses::Guesses;
use self::proof::Proven;
use crate::model::{Identity, Password};

pub use guesses::network;
pub use proof::{HashCost, Known, PasswordHash, PasswordHashError, Proof};

/// How many slow hashes are computed at a time; others wait. Each takes a thread, and the memory that its hash asks for.
const HASHING_MAX: usize = 2;

/// Lets clients in, or not.
pub struct Gate {
    doors: RwLock<Arc<Doors>>,
    proven: Mutex<Proven>,
    guesses: Mutex<Guesses>,
    hashing: Arc<Semaphore>,
}

/// A client of the configuration and how it proves that it is that.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// Who it is then.
    pub identity: Identity,
    /// How.
    pub proof: Proof,
}

/// All of them by their ids; none at all lets anybody in.
type Doors = HashMap<String, (Arc<Identity>, Proof)>;

/// What a client says of itself.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The ClientID.
    pub id: String,
    /// The ClientPassword; empty if it gave none.
    pub password: Password,
    /// Where it comes from.
    pub from: IpAddr,
    /// The names that the certificate of its connection is good for.
    pub certificate: Option<Arc<dyn Certificate>>,
}

/// A client's certificate that the listener has verified.
pub trait Certificate: Send + Sync + fmt::Debug {
    /// Whether it was issued for this name.
    fn is_for(&self, name: &str) -> bool;
}

/// Why a client was not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The identity is not known, or the secret is not its own: it is not said which.
    #[error("client {id:?} is not known by that password")]
    Wrong {
        /// The ClientID that was given.
        id: String,
    },
    /// The identity belongs to a certificate that the connection does not have.
    #[error("client {id:?} has to come with its certificate")]
    NoCertificate {
        /// The ClientID that was given.
        id: String,
    },
    /// Wrong ones came too often from there.
    #[error("wrong passwords came too often for client {id:?}: wait {} seconds", wait.as_secs() + 1)]
    TooOften {
        /// The ClientID that was given.
        id: String,
        /// How long nothing is looked at.
        wait: Duration,
    },
}

/// A client that is let in or not.
pub type Verdict = Result<Arc<Identity>, Denied>;

impl Gate {
    /// A gate with these doors. With none, whoever comes is let in, as [`Identity::anybody`].
    pub fn new(doors: Vec<Door>) -> Arc<Gate> {
        Arc::new(Gate {
            doors: RwLock::new(Arc::new(by_id(doors))),
            proven: Mutex::new(Proven::new()),
            guesses: Mutex::default(),
            hashing: Arc::new(Semaphore::new(HASHING_MAX)),
        })
    }

    /// From now on these are the doors. Who is in stays in, with what it was let in for.
    pub fn replace(&self, doors: Vec<Door>) {
        let doors = by_id(doors);
        let before = Arc::clone(&self.doors.read());
        for (id, (_, proof)) in &doors {
            if before.get(id).is_some_and(|(_, old)| old != proof) {
                info!(client = id, "what the client has to show has changed");
            }
        }
        self.proven.lock().keep(|id, proof| doors.get(id).is_some_and(|(_, now)| now == proof));
        *self.doors.write() = Arc::new(doors);
    }

    /// Whether anybody is let in.
    pub fn is_open_to_anybody(&self) -> bool {
        self.doors.read().is_empty()
    }

    /// Says at once whether the client is let in, where that can be said at once; else `later` is called with it, exactly
    /// once, from another task.
    pub fn admit(
        self: &Arc<Gate>,
        now: Instant,
        claim: Claim,
        later: impl FnOnce(Verdict) + Send + 'static,
    ) -> Option<Verdict> {
        let doors = Arc::clone(&self.doors.read());
        if doors.is_empty() {
            return Some(Ok(Arc::new(Identity::anybody(claim.id))));
        }
        if let Some(wait) = self.guesses.lock().must_wait(now, &claim.id, claim.from) {
            return Some(Err(Denied::TooOften { id: claim.id, wait }));
        }
        let (identity, proof) = match doors.get(&claim.id) {
            Some((identity, proof)) => (Some(Arc::clone(identity)), proof.clone()),
            None => (None, Proof::like(doors.values().map(|(_, proof)| proof))),
        };
        if let Some(name) = proof.certificate.as_ref().filter(|_| identity.is_some())
            && !claim.certificate.as_ref().is_some_and(|certificate| certificate.is_for(name))
        {
            return Some(self.judge(now, &claim, None).map_err(|_| Denied::NoCertificate { id: claim.id }));
        }
        if let Some(is_right) = proof.is_right_at_once(&claim.password) {
            return Some(self.judge(now, &claim, identity.filter(|_| is_right)));
        }
        if identity.is_some() && self.proven.lock().holds(&claim.id, &proof, &claim.password) {
            return Some(self.judge(now, &claim, identity));
        }
        let gate = Arc::clone(self);
        tokio::spawn(async move {
            let is_right = gate.check_slowly(&claim, &proof).await;
            if is_right && identity.is_some() {
                gate.proven.lock().remember(&claim.id, &proof, &claim.password);
            }
            later(gate.judge(now, &claim, identity.filter(|_| is_right)));
        });
        None
    }

    async fn check_slowly(self: &Arc<Gate>, claim: &Claim, proof: &Proof) -> bool {
        let Ok(_turn) = self.hashing.acquire().await else { return false };
        let (proof, password) = (proof.clone(), claim.password.clone());
        tokio::task::spawn_blocking(move || proof.is_right(&password)).await.unwrap_or(false)
    }

    fn judge(&self, now: Instant, claim: &Claim, identity: Option<Arc<Identity>>) -> Verdict {
        let mut guesses = self.guesses.lock();
        match identity {
            Some(identity) => {
                guesses.was_right(&claim.id, claim.from);
                Ok(identity)
            }
            None => {
                let wrong = guesses.was_wrong(now, &claim.id, claim.from);
                drop(guesses);
                warn!(client = claim.id, from = %claim.from, wrong, "a client did not prove who it is");
                Err(Denied::Wrong { id: claim.id.clone() })
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("identities", &self.doors.read().len()).finish_non_exhaustive()
    }
}

fn by_id(doors: Vec<Door>) -> Doors {
    doors.into_iter().map(|door| (door.identity.id.clone(), (Arc::new(door.identity), door.proof))).collect()
}

#[cfg(test)]
mod tests;
