//! From `[[client]]` to who may open a session. Not here: what a role is good for (`model`), and how a secret is checked
//! (`access`).

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::access::{Door, Known, PasswordHash, Proof};
use crate::model::{CLIENT_BYTES_MAX, Identity, OwnAgents, Password, Permit, Role, Secret, Service};

/// `[[client]]`: who may open a session.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// The ClientID.
    pub id: String,
    /// What it is, and by that the most that it may.
    #[serde(default)]
    pub role: Role,
    /// The ClientPassword, or where it is kept.
    #[serde(default)]
    pub password: Option<Secret>,
    /// The hash of the ClientPassword, as `ctigate passwd` prints it.
    #[serde(default)]
    pub password_hash: Option<PasswordHash>,
    /// The name that the certificate of its connection has to be for.
    #[serde(default)]
    pub certificate: Option<String>,
    /// For roles `agent` and `supervisor`: the agents whose desktop it is; `"*"` is all. The agent that is called as the
    /// client, if left out.
    #[serde(default)]
    pub agents: Option<Vec<String>>,
    /// The services that it may be granted; all that its role may have if left out.
    #[serde(default)]
    pub services: Option<Vec<Service>>,
}

/// Stands for every agent.
const EVERY_AGENT: &str = "*";

pub(super) fn check(clients: &[ClientConfig]) -> Result<(), (String, String)> {
    let mut ids = HashSet::new();
    for (at, client) in clients.iter().enumerate() {
        client.check().map_err(|(key, what)| (format!("client[{at}].{key}"), what))?;
        if !ids.insert(&client.id) {
            return Err((format!("client[{at}].id"), format!("{:?} is an earlier client's", client.id)));
        }
    }
    Ok(())
}

pub(super) fn doors(clients: &[ClientConfig]) -> Result<Vec<Door>, (String, String)> {
    let door =
        |(at, client): (usize, &ClientConfig)| client.door().map_err(|what| (format!("client[{at}].password"), what));
    clients.iter().enumerate().map(door).collect()
}

impl ClientConfig {
    fn check(&self) -> Result<(), (&'static str, String)> {
        // What is longer than its field in OPEN_REQ can never be sent.
        if self.id.len() > CLIENT_BYTES_MAX {
            return Err(("id", format!("{:?} has {} bytes, {CLIENT_BYTES_MAX} fit", self.id, self.id.len())));
        }
        if let Some(Secret::Here(password)) = &self.password {
            must_fit(password).map_err(|what| ("password", what))?;
        }
        match (&self.password, &self.password_hash, &self.certificate) {
            (Some(_), Some(_), _) => {
                return Err(("password_hash", "password is given as well: one will do".to_owned()));
            }
            (None, None, None) => {
                let what = format!(
                    "client {:?} has neither password nor password_hash nor certificate to show; \
                     password = \"\" lets in whoever names it",
                    self.id
                );
                return Err(("id", what));
            }
            _ => (),
        }
        let strange = self.services.iter().flatten().find(|service| !self.role.services().contains(service));
        if let Some(service) = strange {
            return Err(("services", format!("{service:?} is not for role {:?}", self.role.name())));
        }
        if self.agents.is_some() && self.role >= Role::Bridge {
            return Err(("agents", format!("role {:?} sees every agent", self.role.name())));
        }
        Ok(())
    }

    /// Whether whoever names it is let in.
    pub(super) fn is_open(&self) -> bool {
        self.password == Some(Secret::Here(Password::default()))
    }

    fn door(&self) -> Result<Door, String> {
        let password = match (&self.password, &self.password_hash) {
            (Some(secret), _) => {
                let password = secret.read().map_err(|error| error.to_string())?;
                must_fit(&password)?;
                Known::Plainly(password)
            }
            (None, Some(hash)) => Known::ByHash(hash.clone()),
            (None, None) => Known::NotAsked,
        };
        let agents = match &self.agents {
            None => OwnAgents::These(HashSet::from([self.id.clone()])),
            Some(agents) if agents.iter().any(|agent| agent == EVERY_AGENT) => OwnAgents::Any,
            Some(agents) => OwnAgents::These(agents.iter().cloned().collect()),
        };
        let permit = Permit { role: self.role, services: self.services.clone(), agents };
        Ok(Door {
            identity: Identity { id: self.id.as_str().into(), permit: Arc::new(permit) },
            proof: Proof { password, certificate: self.certificate.clone() },
        })
    }
}

fn must_fit(password: &Password) -> Result<(), String> {
    match password.expose().len() {
        bytes if bytes > CLIENT_BYTES_MAX => Err(format!("it has {bytes} bytes, {CLIENT_BYTES_MAX} fit")),
        _ => Ok(()),
    }
}
