//! What a gateway that other machines reach must not be without. Not here: how it is secured.

use super::{AcdKind, Config};
use crate::acd::embedded::EmbeddedConfig;

/// Refuses what is not secure, unless the operator wants it so.
pub(super) fn check(config: &Config) -> Result<(), (String, String)> {
    if config.allow_insecure {
        return Ok(());
    }
    match find(config).into_iter().next() {
        None => Ok(()),
        Some((key, what)) => Err((key, format!("{what}; allow_insecure = true would let it be so"))),
    }
}

/// All that is not secure, one sentence each. What only this machine reaches is nobody else's business.
pub(super) fn find(config: &Config) -> Vec<(String, String)> {
    let open = config.listeners.iter().enumerate().filter(|(_, listener)| !listener.address.ip().is_loopback());
    let mut found = Vec::new();
    let mut is_reached = false;
    for (at, listener) in open {
        is_reached = true;
        if listener.tls.is_none() {
            let what = format!("{} can be reached from other machines, without TLS", listener.address);
            found.push((format!("listener[{at}].tls"), what));
        }
    }
    if !is_reached {
        return found;
    }
    if config.clients.is_empty() {
        let what = "there is none, so whoever reaches a listener may do everything".to_owned();
        found.push(("client".to_owned(), what));
    }
    for (at, client) in config.clients.iter().enumerate().filter(|(_, client)| client.is_open()) {
        let what = format!("it is empty, so whoever names client {:?} is let in", client.id);
        found.push((format!("client[{at}].password"), what));
    }
    for (at, acd) in config.acds.iter().enumerate() {
        let agents = match &acd.kind {
            AcdKind::Embedded(embedded) => &embedded.agents,
            AcdKind::Asterisk(asterisk) => &asterisk.agents,
        };
        if let Some(agents) = agents.iter().position(is_demo) {
            let what = "these are the demonstration's passwords, which everybody knows".to_owned();
            found.push((format!("acd[{at}].agents[{agents}].password"), what));
        }
    }
    found
}

fn is_demo(agents: &crate::acd::AgentsConfig) -> bool {
    EmbeddedConfig::default().agents.iter().any(|demo| demo.password == agents.password)
}
