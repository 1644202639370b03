//! Another configuration for a running gateway. Not here: what differs, and what of it can be taken over (`config`).
//!
//! Must hold: a configuration that cannot be used changes nothing; whoever is connected stays so, as it was let in, unless its
//! client may not any more what it might then.

use tracing::{info, warn};

use super::{Gateway, StartError, secured};
use crate::config::{Change, Config};

/// What became of a configuration.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// What is in force now.
    pub config: Config,
    /// What was taken over: connections to come are served by it.
    pub taken: Vec<Change>,
    /// What waits for a restart.
    pub waiting: Vec<Change>,
}

impl Gateway {
    /// Takes over what a running gateway can, reads the files of certificates and secrets again, and says in the log what has
    /// changed and what waits for a restart.
    pub fn reload(&self, wanted: &Config) -> Result<Reloaded, StartError> {
        let mut current = self.config.lock();
        let live = current.with_live_parts_of(wanted);
        let doors = live.doors().map_err(|(key, what)| StartError::Client { key, what })?;
        let listeners = live.listeners.iter().enumerate();
        let tls = listeners.map(|(at, listener)| secured(at, listener)).collect::<Result<Vec<_>, _>>()?;
        // From here on nothing fails.
        self.gate.replace(doors);
        self.house.table.wake_clients(); // some may not any more what they were let in for
        self.watch.configured_by(&live);
        self.house.table.waiting.allow(live.limits.outbound_total_bytes_max, live.limits.connections_max);
        for (((settings, tls), spoken), (name, address)) in
            live.listeners.iter().zip(tls).zip(&self.spoken).zip(&self.listeners)
        {
            spoken.replace(self.speak(&live, settings, tls, (name, *address)));
        }
        let (taken, waiting) = (current.changes_to(&live), live.changes_to(wanted));
        for change in &taken {
            info!(%change, "configuration changed, for connections to come");
        }
        for change in &waiting {
            warn!(%change, "configuration changed, in force after a restart only");
        }
        info!(taken = taken.len(), waiting = waiting.len(), "configuration, certificates and secrets read again");
        current.clone_from(&live);
        Ok(Reloaded { config: live, taken, waiting })
    }
}
