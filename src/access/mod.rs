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
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock};
use smol_str::SmolStr;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use self::guesses::Guesses;
use self::proof::Proven;
use crate::model::{Identity, Password, Permit};

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
    replacements: AtomicU64,
    /// How many slow hashes were computed.
    #[cfg(test)]
    hashed: AtomicU64,
}

/// A client of the configuration and how it proves that it is that.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// Who it is then.
    pub identity: Identity,
    /// How.
    pub proof: Proof,
}

/// All of them; none at all lets anybody in.
#[derive(Default)]
struct Doors {
    by_id: HashMap<SmolStr, (Identity, Proof)>,
    /// What each has to show, in the order of their ids: for who is none of them.
    stand_ins: Vec<Proof>,
}

/// What comes of a first look at a claim.
enum Look {
    /// The verdict.
    Said(Verdict),
    /// It takes a slow hash to tell.
    Hash(Proof),
}

/// Who waits for a verdict.
pub trait Waiting: Send + 'static {
    /// Whether it still does.
    fn is_there(&self) -> bool;
    /// The verdict.
    fn hears(self, verdict: Verdict);
}

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
pub type Verdict = Result<Identity, Denied>;

impl Gate {
    /// A gate with these doors. With none, whoever comes is let in, as [`Identity::anybody`].
    pub fn new(doors: Vec<Door>) -> Arc<Gate> {
        Arc::new(Gate {
            doors: RwLock::new(Arc::new(Doors::new(doors))),
            proven: Mutex::new(Proven::new()),
            guesses: Mutex::new(Guesses::new()),
            hashing: Arc::new(Semaphore::new(HASHING_MAX)),
            replacements: AtomicU64::new(0),
            #[cfg(test)]
            hashed: Default::default(),
        })
    }

    /// From now on these are the doors. Who is in finds out by [`replacements`](Gate::replacements).
    pub fn replace(&self, doors: Vec<Door>) {
        let doors = Doors::new(doors);
        let before = Arc::clone(&self.doors.read());
        for (id, (_, proof)) in &doors.by_id {
            if before.by_id.get(id).is_some_and(|(_, old)| old != proof) {
                info!(client = id.as_str(), "what the client has to show has changed");
            }
        }
        self.proven.lock().keep(|id, proof| doors.by_id.get(id).is_some_and(|(_, now)| now == proof));
        *self.doors.write() = Arc::new(doors);
        self.replacements.fetch_add(1, Ordering::Release);
    }

    /// Whether a client that was let in as this one, and with this permit, would still be.
    pub fn still_knows(&self, id: &str, permit: &Permit) -> bool {
        let doors = self.doors.read();
        doors.by_id.is_empty() || doors.by_id.get(id).is_some_and(|(now, _)| *now.permit == *permit)
    }

    /// How often the doors were put in or replaced: who is in looks again whether it [is known](Gate::still_knows) when this has changed.
    pub fn replacements(&self) -> NonZeroU64 {
        NonZeroU64::MIN.saturating_add(self.replacements.load(Ordering::Acquire))
    }

    /// Whether anybody is let in.
    pub fn is_open_to_anybody(&self) -> bool {
        self.doors.read().by_id.is_empty()
    }

    /// Says at once whether the client is let in, where that can be said at once; else `later` is told, from another task and
    /// once, unless it is gone by then.
    pub fn admit(self: &Arc<Gate>, now: Instant, claim: Claim, later: impl Waiting) -> Option<Verdict> {
        if let Look::Said(verdict) = self.look(now, &claim) {
            return Some(verdict);
        }
        let gate = Arc::clone(self);
        tokio::spawn(async move {
            let Ok(_turn) = gate.hashing.acquire().await else { return };
            // Nobody hears what a guess of somebody gone was worth.
            if !later.is_there() {
                return;
            }
            // Once more: of a thousand that came at once, those who guess are to wait by now, and those who know the
            // password need no second hash.
            let verdict = match gate.look(instant_now(), &claim) {
                Look::Said(verdict) => verdict,
                Look::Hash(proof) => gate.check_slowly(&claim, proof).await,
            };
            later.hears(verdict);
        });
        None
    }

    /// What can be said without a slow hash, or what is to be hashed.
    fn look(&self, now: Instant, claim: &Claim) -> Look {
        let doors = Arc::clone(&self.doors.read());
        if doors.by_id.is_empty() {
            return Look::Said(Ok(Identity::anybody(&claim.id)));
        }
        if let Some(wait) = self.guesses.lock().must_wait(now, &claim.id, claim.from) {
            return Look::Said(Err(Denied::TooOften { id: claim.id.clone(), wait }));
        }
        // Of somebody unknown the same is looked at as of one of those who are known, always the same one.
        let digest = self.proven.lock().digest(&claim.id, &claim.password);
        let (identity, proof) = match doors.by_id.get(claim.id.as_str()) {
            Some((identity, proof)) => (Some(identity.clone()), proof),
            None => (None, &doors.stand_ins[self.proven.lock().number(&claim.id) % doors.stand_ins.len()]),
        };
        if let Some(name) = &proof.certificate
            && !claim.certificate.as_ref().is_some_and(|certificate| certificate.is_for(name))
        {
            let denied = self.judge(now, claim, None);
            return Look::Said(denied.map_err(|_| Denied::NoCertificate { id: claim.id.clone() }));
        }
        if let Some(is_right) = proof.is_right_at_once(&claim.password) {
            return Look::Said(self.judge(now, claim, identity.filter(|_| is_right)));
        }
        if self.proven.lock().holds(&claim.id, proof, &digest) {
            return Look::Said(self.judge(now, claim, identity));
        }
        Look::Hash(proof.clone())
    }

    async fn check_slowly(&self, claim: &Claim, proof: Proof) -> Verdict {
        #[cfg(test)]
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let (checked, password) = (proof.clone(), claim.password.clone());
        let is_right = tokio::task::spawn_blocking(move || checked.is_right(&password)).await.unwrap_or(false);
        // Who it is, and whether the hash still counts, is as it is configured by now.
        let doors = Arc::clone(&self.doors.read());
        let known = doors.by_id.get(claim.id.as_str()).filter(|(_, known)| is_right && *known == proof);
        let identity = known.map(|(identity, _)| identity.clone());
        if identity.is_some() {
            self.proven.lock().remember(&claim.id, &proof, &claim.password);
        }
        self.judge(instant_now(), claim, identity)
    }

    fn judge(&self, now: Instant, claim: &Claim, identity: Option<Identity>) -> Verdict {
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
        f.debug_struct("Gate").field("identities", &self.doors.read().by_id.len()).finish_non_exhaustive()
    }
}

impl Doors {
    fn new(doors: Vec<Door>) -> Doors {
        let by_id: HashMap<_, _> =
            doors.into_iter().map(|door| (door.identity.id.clone(), (door.identity, door.proof))).collect();
        let mut in_order: Vec<_> = by_id.iter().collect();
        in_order.sort_unstable_by_key(|(id, _)| *id);
        let stand_ins = in_order.into_iter().map(|(_, (_, proof))| proof.clone()).collect();
        Doors { by_id, stand_ins }
    }
}

fn instant_now() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[cfg(test)]
mod tests;
