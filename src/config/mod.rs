//! What an operator can set: one TOML file, one type a table.
//!
//! Lives here: the keys, their defaults, and what must hold between them. Not here: what a setting does.
//! Must hold: an unknown key or a bad value is one line that names file, key and value; nothing is read and ignored.

mod clients;
mod diff;
mod error;
mod insecure;
mod teams;
mod tls;
mod types;

use std::collections::HashSet;
use std::path::Path;

use crate::access::Door;
use crate::model::Teams;

pub use clients::ClientConfig;
pub use diff::Change;
pub use error::ConfigError;
pub use tls::{ClientCertificates, TlsConfig, TlsVersion};
pub use types::{
    AcdConfig, AcdKind, DialectName, FilterError, Flavour, Limits, ListenerConfig, LogConfig, LogFormat, ObserveConfig,
    ReasonConfig, SessionsConfig, TeamConfig, Timeouts, Transport, parsed_filter,
};

/// Everything. The default is the embedded ACD behind one GED-188 listener on 127.0.0.1:42027.
#[derive(Clone, Debug, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether it may be served from other machines without TLS, or to whoever comes.
    pub allow_insecure: bool,
    /// What is written to stderr.
    pub log: LogConfig,
    /// Where an operator's tools look.
    pub observe: ObserveConfig,
    /// The bounds of everything that grows.
    pub limits: Limits,
    /// How long things are waited for.
    pub timeouts: Timeouts,
    /// What clients that meet make of each other, and what becomes of lost ones.
    pub sessions: SessionsConfig,
    /// The reason-code catalogue, `[[reason]]`.
    #[serde(rename = "reason")]
    pub reasons: Vec<ReasonConfig>,
    /// Where clients connect, `[[listener]]`.
    #[serde(rename = "listener")]
    pub listeners: Vec<ListenerConfig>,
    /// Who may open a session, `[[client]]`; none at all lets anybody.
    #[serde(rename = "client")]
    pub clients: Vec<ClientConfig>,
    /// Who supervises whom, `[[team]]`.
    #[serde(rename = "team")]
    pub teams: Vec<TeamConfig>,
    /// The ACDs behind the gateway, `[[acd]]`.
    #[serde(rename = "acd")]
    pub acds: Vec<AcdConfig>,
}

/// Every option with its default, commented: what `ctigate check-config --sample` prints.
pub const SAMPLE: &str = include_str!("sample.toml");

impl Default for Config {
    fn default() -> Config {
        Config {
            allow_insecure: false,
            log: LogConfig::default(),
            observe: ObserveConfig::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            sessions: SessionsConfig::default(),
            reasons: default_reasons(),
            listeners: vec![ListenerConfig::default()],
            clients: Vec::new(),
            teams: Vec::new(),
            acds: vec![AcdConfig::default()],
        }
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn from_file(path: &Path) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable { file: file.clone(), error })?;
        Config::from_toml(&file, &text)
    }

    /// Reads and checks a text; `file` is what the errors call it.
    pub fn from_toml(file: &str, text: &str) -> Result<Config, ConfigError> {
        let config = error::parse(file, text)?;
        config.check().map_err(|(key, what)| error::unsound(file, text, key, &what))?;
        Ok(config)
    }

    /// What must hold between values; the key and what is wrong with it otherwise.
    pub fn check(&self) -> Result<(), (String, String)> {
        self.log.check()?;
        self.observe.check()?;
        self.limits.check()?;
        self.timeouts.check()?;
        self.sessions.check(&self.limits)?;
        self.check_reasons()?;
        if self.listeners.is_empty() {
            return Err(("listener".to_owned(), "there is none, so nobody can connect".to_owned()));
        }
        let mut addresses = HashSet::new();
        for (at, listener) in self.listeners.iter().enumerate() {
            listener.check().map_err(|(key, what)| (format!("listener[{at}].{key}"), what))?;
            let address = listener.address;
            if address.port() != 0 && !addresses.insert(address) {
                return Err((format!("listener[{at}].address"), format!("{address} is an earlier listener's")));
            }
        }
        clients::check(&self.clients)?;
        if self.acds.is_empty() {
            return Err(("acd".to_owned(), "there is none, so nobody can log in".to_owned()));
        }
        let mut peripherals = HashSet::new();
        for (at, acd) in self.acds.iter().enumerate() {
            let AcdConfig { peripheral, kind } = acd;
            if matches!(peripheral.0, 0 | 0x7fff_ffff | 0xffff_ffff) {
                let what = format!("{peripheral} stands for no peripheral in GED-188");
                return Err((format!("acd[{at}].peripheral"), what));
            }
            if !peripherals.insert(peripheral) {
                return Err((format!("acd[{at}].peripheral"), format!("{peripheral} is an earlier ACD's")));
            }
            let checked = match kind {
                AcdKind::Embedded(embedded) => embedded.validate(),
                AcdKind::Asterisk(asterisk) => asterisk.validate(),
            };
            checked.map_err(|error| (format!("acd[{at}].{}", error.key), error.what))?;
        }
        teams::read(self)?;
        insecure::check(self)
    }

    /// The clients, with their secrets from wherever they are kept; the key of one that cannot be had, and why.
    pub fn doors(&self) -> Result<Vec<Door>, (String, String)> {
        clients::doors(&self.clients)
    }

    /// What is not secure in it, though the operator wants it so: one sentence each, with the key.
    pub fn insecurities(&self) -> Vec<(String, String)> {
        insecure::find(self)
    }

    /// The teams, as everybody else knows them. None if the configuration is not sound.
    pub fn teams(&self) -> Teams {
        Teams::new(teams::read(self).unwrap_or_default())
    }

    /// Names and numbers stand for each other, so each is there once, and no name is a number.
    fn check_reasons(&self) -> Result<(), (String, String)> {
        let (mut codes, mut names) = (HashSet::new(), HashSet::new());
        for (at, reason) in self.reasons.iter().enumerate() {
            if reason.code == 0 || !codes.insert(reason.code) {
                let what = format!("{} is 0, which stands for no reason, or an earlier reason's", reason.code);
                return Err((format!("reason[{at}].code"), what));
            }
            let is_number = reason.name.parse::<u32>().is_ok();
            if reason.name.is_empty() || is_number || !names.insert(&reason.name) {
                let what = format!("{:?} is empty, a number, or an earlier reason's", reason.name);
                return Err((format!("reason[{at}].name"), what));
            }
        }
        Ok(())
    }
}

/// What a contact centre without a catalogue of its own is likely to want. 50002 is what a Cisco ACD says of an agent whose
/// desktop was lost.
fn default_reasons() -> Vec<ReasonConfig> {
    [(1, "break"), (2, "lunch"), (3, "meeting"), (4, "training"), (5, "end of shift"), (50_002, "connection lost")]
        .map(|(code, name)| ReasonConfig { code, name: name.to_owned() })
        .into()
}
