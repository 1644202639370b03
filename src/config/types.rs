//! The tables of the file, key by key. Not here: checks between tables.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};

use super::error::KEY_END;
use super::tls::TlsConfig;
use crate::acd::asterisk::AsteriskConfig;
use crate::acd::embedded::EmbeddedConfig;
use crate::model::{LogoutOnCall, PeripheralId, SecondClient, TeamId};

/// `[log]`: what is written to stderr.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Text for people, or one JSON object a line.
    pub format: LogFormat,
    /// Which lines: `error`, `warn`, `info`, `debug`, `trace`, or by room, such as `info,ctigate::operations=debug`.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[observe]`: where an operator's tools look.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObserveConfig {
    /// Address and port of /metrics, /healthz and /readyz, on the loopback; port 0 picks a free one. None: nowhere.
    pub address: Option<SocketAddr>,
}

/// `[limits]`: the bounds of everything that grows.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time; one more is told so and closed.
    pub connections_max: usize,
    /// Connections from one address, of which an IPv6 network of 64 bits is one; one more is told so and closed.
    pub connections_per_address_max: usize,
    /// Sessions that are open by one ClientID or identity; one more is refused.
    pub sessions_per_client_max: usize,
    /// Bytes of a GED-188 frame, header included; a longer one ends the connection.
    pub frame_bytes_max: usize,
    /// Bytes of an OpenCTI message; a longer one is refused and skipped.
    pub message_bytes_max: usize,
    /// Bytes that wait for a client that does not read; more end its connection.
    pub outbound_bytes_max: usize,
    /// Bytes that wait for all clients together; while there are more, each may be owed its even share of them only.
    pub outbound_total_bytes_max: usize,
    /// Requests of one connection that are not answered yet; more are refused.
    pub requests_in_flight_max: usize,
    /// Requests of one connection in a second; more are refused, and far more end it.
    pub requests_per_second_max: u32,
    /// Monitors of one GED-188 connection, devices of one OpenCTI session; more are refused.
    pub monitors_max: usize,
    /// Monitors and devices of all connections together; more are refused.
    pub subscriptions_max: usize,
    /// Agents of one ACD that are known; more are left out, and their logins refused.
    pub agents_max: usize,
    /// Calls of one ACD that are known; more are left out, and logins refused meanwhile.
    pub calls_max: usize,
    /// Commands that wait for one ACD. From the half on logins are refused, from three quarters on all but logouts,
    /// hang-ups and not ready, and then those as well.
    pub acd_commands_max: usize,
    /// Reports of one ACD that wait for the gateway; where they do not suffice the table is rebuilt.
    pub acd_events_max: usize,
    /// Reports of one agent that wait while a command for it is with the ACD.
    pub deferred_events_max: usize,
    /// Bytes of memory that the process takes; above it new sessions and logins are refused, an eighth above it all but
    /// logouts, hang-ups and not ready. 0 is any.
    pub memory_bytes_max: u64,
}

/// `[timeouts]`: how long things are waited for.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a new connection's session.
    #[serde(with = "humantime_serde")]
    pub open: Duration,
    /// For every ACD to be reached when the gateway starts; then it goes on without.
    #[serde(with = "humantime_serde")]
    pub acd_start: Duration,
    /// For an ACD's answer to a command.
    #[serde(with = "humantime_serde")]
    pub acd_answer: Duration,
    /// Before an adapter that did not close (or open) is tried again; doubles from try to try.
    #[serde(with = "humantime_serde")]
    pub adapter_retry_min: Duration,
    /// The longest pause between two such tries.
    #[serde(with = "humantime_serde")]
    pub adapter_retry_max: Duration,
    /// For a peer that does not answer at TCP's level.
    #[serde(with = "humantime_serde")]
    pub dead_peer: Duration,
    /// For a client to read on: of what waits for it, nothing was taken for so long.
    #[serde(with = "humantime_serde")]
    pub write: Duration,
    /// For the gateway's own tasks to get their turn: when it takes longer for half a second and more, new sessions and logins
    /// are refused, and at four times that all but logouts, hang-ups and not ready.
    #[serde(with = "humantime_serde")]
    pub lag: Duration,
    /// Over which the goodbyes to the clients are spread when the gateway stops: they do not come back all at once.
    #[serde(with = "humantime_serde")]
    pub goodbyes: Duration,
    /// For the last goodbyes when the gateway stops, after the running requests.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
    /// Between two comparisons of the table with what the ACDs say; 0 is never.
    #[serde(with = "humantime_serde")]
    pub audit: Duration,
}

/// `[[listener]]`: where clients connect.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListenerConfig {
    /// The protocol spoken there.
    pub dialect: DialectName,
    /// Address and port; port 0 picks a free one.
    pub address: SocketAddr,
    /// The certificate that it shows, and what it wants of its clients'; none: what is said there can be read on the way.
    pub tls: Option<TlsConfig>,
    /// Whose reading of versions 10 to 18 is taken: the CTI Server's or that of UCCX, which has AgentIDLong in place of
    /// AgentID, PeripheralID 1, and two-byte tags with one-byte lengths in version 18.
    pub flavour: Flavour,
    /// Whether FAILURE_CONF, FAILURE_EVENT and CONTROL_FAILURE_CONF say in a Text field why. UCCX documents the field;
    /// a CTI Server sends none, and clients skip what they do not know.
    pub failure_text: bool,
    /// Whether a request with a field that its message does not have is refused; if not, the field is skipped and counted.
    pub refuse_unknown_tags: bool,
    /// The shortest IdleTimeout that a client may ask for. The guide says 20 s; clients with shorter ones exist.
    #[serde(with = "humantime_serde")]
    pub idle_timeout_min: Duration,
    /// How OpenCTI's messages are framed.
    pub transport: Transport,
    /// The web pages that may connect to a WebSocket listener, as `https://crm.example`. None: only pages that come from this
    /// very address, where that is an IP address or localhost.
    pub origins: Vec<String>,
    /// Whether a WebSocket listener serves its example desktop at `/try`.
    pub try_page: bool,
    /// How often an OpenCTI client is sent something at least.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// Whether OpenCTI's LogoutAgent needs a reason code.
    pub logout_reason_required: bool,
    /// Whether OpenCTI's SetAgentNotReady needs a reason code.
    pub not_ready_reason_required: bool,
    /// The device of an OpenCTI login that names none, with `{agent}` for the agent's id; empty: a free one, where the ACD
    /// lists its devices. An agent that the gateway has seen before works where it did then.
    pub login_instrument: String,
}

/// How OpenCTI's messages are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP; for OpenCTI, one message a line.
    Tcp,
    /// WebSocket, one message a text message.
    Websocket,
}

/// `[sessions]`: what clients that meet at one agent make of each other, and what becomes of lost ones.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionsConfig {
    /// What a second client of an agent does, unless both speak GED-188, which has its own rule.
    pub second_client: SecondClient,
    /// How long a lost OpenCTI session can be taken up again.
    #[serde(with = "humantime_serde")]
    pub resume_window: Duration,
    /// How many lost sessions are kept at a time; one more is ended at once.
    pub lost_sessions_max: usize,
    /// How many events of an OpenCTI session are kept for that; older ones are lost.
    pub resume_events_max: usize,
    /// How many bytes of them.
    pub resume_bytes_max: usize,
    /// Whether an agent whose client was lost is logged out after a while.
    pub grace: bool,
    /// How long such an agent stays as it is; then it goes not ready.
    #[serde(with = "humantime_serde")]
    pub not_ready_after: Duration,
    /// How long after that it is logged out.
    #[serde(with = "humantime_serde")]
    pub logout_after: Duration,
    /// The reason code of both.
    pub lost_reason: u16,
    /// What a logout of an agent on a call does.
    pub logout_on_call: LogoutOnCall,
    /// How long after midnight, UTC, the day of the statistics begins.
    #[serde(with = "humantime_serde")]
    pub day_begins: Duration,
}

/// `[[reason]]`: one entry of the reason-code catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonConfig {
    /// Its number, as GED-188 and the ACD know it.
    pub code: u16,
    /// Its name, as OpenCTI knows it.
    pub name: String,
}

/// A protocol that clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DialectName {
    /// GED-188, the Cisco CTI Server protocol.
    Ged188,
    /// OpenCTI, the protocol of CRM desktops, as JSON.
    Opencti,
}

/// Whose reading of GED-188's versions 10 to 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// Contact Center Enterprise: the CTI Server.
    Cce,
    /// Contact Center Express.
    Uccx,
}

/// `[[team]]`: agents and who supervises them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TeamConfig {
    /// The TeamID.
    pub id: TeamId,
    /// What people call it, in at most 31 bytes.
    pub name: String,
    /// The PeripheralID of the ACD where its agents work; the first ACD's if left out.
    #[serde(default)]
    pub peripheral: Option<u32>,
    /// The AgentIDs of those who supervise it, the primary supervisor first.
    pub supervisors: Vec<String>,
    /// The AgentIDs of its members.
    pub agents: Vec<String>,
}

/// `[[acd]]`: an ACD behind the gateway.
#[derive(Clone, Debug)]
pub struct AcdConfig {
    /// The PeripheralID that clients know it by.
    pub peripheral: PeripheralId,
    /// What it is, `kind`, with that kind's own keys beside it.
    pub kind: AcdKind,
}

/// What an ACD is.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is a handful of them, read once")]
pub enum AcdKind {
    /// The one that is built in.
    Embedded(EmbeddedConfig),
    /// Asterisk's queues.
    Asterisk(AsteriskConfig),
}

impl<'de> Deserialize<'de> for AcdConfig {
    /// By hand, since the keys of a kind stand beside `kind`: a derived reader would lose which of them is wrong.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<AcdConfig, D::Error> {
        let mut table = toml::Table::deserialize(input)?;
        let peripheral = match table.remove("peripheral") {
            None => DEFAULT_PERIPHERAL,
            Some(number) => PeripheralId::deserialize(number).map_err(|error| named("peripheral", &error))?,
        };
        let kind = match table.remove("kind") {
            Some(toml::Value::String(kind)) if kind == "embedded" => AcdKind::Embedded(rest(table)?),
            Some(toml::Value::String(kind)) if kind == "asterisk" => AcdKind::Asterisk(rest(table)?),
            Some(other) => {
                return Err(named("kind", &format!("{other} is none, there are \"embedded\" and \"asterisk\"")));
            }
            None => return Err(named("kind", &"it is missing")),
        };
        Ok(AcdConfig { peripheral, kind })
    }
}

impl Serialize for AcdConfig {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        /// The keys of a kind stand beside `kind`.
        #[derive(Serialize)]
        struct Beside<'a, T> {
            kind: &'static str,
            peripheral: PeripheralId,
            #[serde(flatten)]
            rest: &'a T,
        }
        let peripheral = self.peripheral;
        match &self.kind {
            AcdKind::Embedded(rest) => Beside { kind: "embedded", peripheral, rest }.serialize(output),
            AcdKind::Asterisk(rest) => Beside { kind: "asterisk", peripheral, rest }.serialize(output),
        }
    }
}

fn rest<T: DeserializeOwned, E: serde::de::Error>(keys: toml::Table) -> Result<T, E> {
    serde_path_to_error::deserialize(toml::Value::Table(keys)).map_err(|error| {
        let key = error.path().to_string();
        match key.as_str() {
            "." => E::custom(error.inner().message()),
            key => named(key, &error.inner().message()),
        }
    })
}

fn named<E: serde::de::Error>(key: &str, what: &dyn fmt::Display) -> E {
    E::custom(format!("{key}{KEY_END}{what}"))
}

/// Why something is no filter of log lines.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// A directive that would choose by span or field.
    #[error("{directive:?} chooses by span, and there are none: level and room are what can be chosen by")]
    Span {
        /// Which.
        directive: String,
    },
    /// A directive that is none.
    #[error(transparent)]
    Directive(#[from] ParseError),
}

/// Which lines are written, by level and room. Blanks mean nothing. Errors are written where nothing is said.
///
/// # Errors
/// When a directive is neither a level nor a room with one.
pub fn parsed_filter(filter: &str) -> Result<Targets, FilterError> {
    let directives: Vec<&str> = filter.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    if directives.is_empty() {
        return Ok(Targets::new().with_default(LevelFilter::ERROR));
    }
    if let Some(directive) = directives.iter().find(|directive| directive.contains('[')) {
        return Err(FilterError::Span { directive: (*directive).to_owned() });
    }
    Ok(directives.join(",").parse()?)
}

impl LogConfig {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let parsed = parsed_filter(&self.filter);
        parsed.map(|_| ()).map_err(|error| ("log.filter".to_owned(), format!("{:?}: {error}", self.filter)))
    }
}

impl ObserveConfig {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        match self.address.filter(|address| !address.ip().is_loopback()) {
            // Nobody is asked there who they are.
            Some(address) => Err(("observe.address".to_owned(), format!("{address} is not on the loopback"))),
            None => Ok(()),
        }
    }
}

impl ListenerConfig {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        if let Some(tls) = &self.tls {
            tls.check().map_err(|(key, what)| (format!("tls.{key}"), what))?;
        }
        self.check_own().map_err(|(key, what)| (key.to_owned(), what))
    }

    fn check_own(&self) -> Result<(), (&'static str, String)> {
        let least = Duration::from_secs(1); // a client that may be silent for no time at all is cut while it opens
        for (key, time) in [("idle_timeout_min", self.idle_timeout_min), ("heartbeat", self.heartbeat)] {
            if time < least {
                return Err((key, format!("{time:?} is below {least:?}")));
            }
        }
        for origin in &self.origins {
            let has_scheme = origin.starts_with("http://") || origin.starts_with("https://");
            if !has_scheme || origin.ends_with('/') {
                return Err(("origins", format!("{origin:?} is not like \"https://crm.example\"")));
            }
        }
        self.has_only_its_own()
    }

    /// An option that this listener would ignore is a mistake.
    fn has_only_its_own(&self) -> Result<(), (&'static str, String)> {
        let plain = ListenerConfig::default();
        let is_opencti = self.dialect == DialectName::Opencti;
        let of_ged188 = [
            ("flavour", self.flavour != plain.flavour),
            ("failure_text", self.failure_text != plain.failure_text),
            ("refuse_unknown_tags", self.refuse_unknown_tags != plain.refuse_unknown_tags),
            ("idle_timeout_min", self.idle_timeout_min != plain.idle_timeout_min),
        ];
        let of_opencti = [
            ("transport", self.transport != plain.transport),
            ("heartbeat", self.heartbeat != plain.heartbeat),
            ("logout_reason_required", self.logout_reason_required),
            ("not_ready_reason_required", self.not_ready_reason_required),
            ("login_instrument", self.login_instrument != plain.login_instrument),
        ];
        let of_websocket = [("origins", !self.origins.is_empty()), ("try_page", self.try_page)];
        let strange = |set: &[(&'static str, bool)], of: &str| {
            let found = set.iter().find(|(_, is_set)| *is_set);
            found.map_or(Ok(()), |(key, _)| Err((*key, format!("only a listener of {of} has this option"))))
        };
        match is_opencti {
            true => strange(&of_ged188, "dialect \"ged188\"")?,
            false => strange(&of_opencti, "dialect \"opencti\"")?,
        }
        match self.transport {
            Transport::Tcp => strange(&of_websocket, "transport \"websocket\""),
            Transport::Websocket => Ok(()),
        }
    }
}

impl SessionsConfig {
    pub(super) fn check(&self, limits: &Limits) -> Result<(), (String, String)> {
        let times = [
            ("resume_window", self.resume_window),
            ("not_ready_after", self.not_ready_after),
            ("logout_after", self.logout_after),
        ];
        for (key, value) in times {
            if value < Duration::from_millis(1) || value > Duration::from_secs(24 * 60 * 60) {
                return Err((format!("sessions.{key}"), format!("{value:?} is not between 1ms and 1day")));
            }
        }
        if self.day_begins >= Duration::from_secs(24 * 60 * 60) {
            return Err(("sessions.day_begins".to_owned(), format!("{:?} is not less than 1day", self.day_begins)));
        }
        if self.resume_bytes_max > limits.outbound_bytes_max / 2 {
            let what = format!(
                "{} is more than half of limits.outbound_bytes_max, {}: a client that comes back is sent them at once",
                self.resume_bytes_max, limits.outbound_bytes_max
            );
            return Err(("sessions.resume_bytes_max".to_owned(), what));
        }
        Ok(())
    }
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let at_least = [
            ("connections_max", self.connections_max, 1),
            ("connections_per_address_max", self.connections_per_address_max, 1),
            ("sessions_per_client_max", self.sessions_per_client_max, 1),
            ("frame_bytes_max", self.frame_bytes_max, 512),
            ("message_bytes_max", self.message_bytes_max, 512),
            ("outbound_bytes_max", self.outbound_bytes_max, 16 * 1024),
            ("requests_in_flight_max", self.requests_in_flight_max, 1),
            ("requests_per_second_max", self.requests_per_second_max as usize, 10),
            ("monitors_max", self.monitors_max, 1),
            ("subscriptions_max", self.subscriptions_max, 1),
            ("agents_max", self.agents_max, 1),
            ("calls_max", self.calls_max, 1),
            ("acd_commands_max", self.acd_commands_max, 1),
            ("acd_events_max", self.acd_events_max, 16),
            ("deferred_events_max", self.deferred_events_max, 16),
        ];
        for (key, value, least) in at_least {
            if value < least {
                return Err((format!("limits.{key}"), format!("{value} is below {least}")));
            }
        }
        if self.outbound_total_bytes_max / self.connections_max < OUTBOUND_SHARE_MIN {
            let what = format!(
                "{} is below {OUTBOUND_SHARE_MIN} for each of limits.connections_max, {}",
                self.outbound_total_bytes_max, self.connections_max
            );
            return Err(("limits.outbound_total_bytes_max".to_owned(), what));
        }
        if (1..MEMORY_BYTES_MIN).contains(&self.memory_bytes_max) {
            let what = format!("{} is below {MEMORY_BYTES_MIN}, and 0 is any", self.memory_bytes_max);
            return Err(("limits.memory_bytes_max".to_owned(), what));
        }
        let most = cti_protocol::ged188::FRAME_BYTES_MAX;
        if self.frame_bytes_max > most {
            let what = format!("{} is above {most}, the protocol's own bound", self.frame_bytes_max);
            return Err(("limits.frame_bytes_max".to_owned(), what));
        }
        Ok(())
    }
}

impl Timeouts {
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let all = [
            ("open", self.open),
            ("acd_start", self.acd_start),
            ("acd_answer", self.acd_answer),
            ("adapter_retry_min", self.adapter_retry_min),
            ("adapter_retry_max", self.adapter_retry_max),
            ("write", self.write),
            ("lag", self.lag),
            ("drain", self.drain),
        ];
        for (key, value) in all {
            if value < Duration::from_millis(1) || value > Duration::from_secs(24 * 60 * 60) {
                return Err((format!("timeouts.{key}"), format!("{value:?} is not between 1ms and 1day")));
            }
        }
        if self.goodbyes > Duration::from_secs(60 * 60) {
            return Err(("timeouts.goodbyes".to_owned(), format!("{:?} is above 1h", self.goodbyes)));
        }
        if self.dead_peer < Duration::from_secs(2) || self.dead_peer > Duration::from_secs(2 * 60 * 60) {
            return Err(("timeouts.dead_peer".to_owned(), format!("{:?} is not between 2s and 2h", self.dead_peer)));
        }
        if self.adapter_retry_min > self.adapter_retry_max {
            let what = format!("{:?} is above adapter_retry_max, {:?}", self.adapter_retry_min, self.adapter_retry_max);
            return Err(("timeouts.adapter_retry_min".to_owned(), what));
        }
        Ok(())
    }
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 20_000,
            connections_per_address_max: 10_000,
            sessions_per_client_max: 10_000,
            frame_bytes_max: 12_500,
            message_bytes_max: 65_536,
            outbound_bytes_max: 1024 * 1024,
            outbound_total_bytes_max: 512 * 1024 * 1024,
            requests_in_flight_max: 1_024,
            requests_per_second_max: 5_000,
            monitors_max: 4_096,
            subscriptions_max: 200_000,
            agents_max: 100_000,
            calls_max: 100_000,
            acd_commands_max: 8_192,
            acd_events_max: 65_536,
            deferred_events_max: 256,
            memory_bytes_max: 4 << 30,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            open: Duration::from_secs(30),
            acd_start: Duration::from_secs(10),
            acd_answer: Duration::from_secs(10),
            adapter_retry_min: Duration::from_millis(500),
            adapter_retry_max: Duration::from_secs(30),
            dead_peer: Duration::from_secs(10),
            write: Duration::from_secs(8),
            lag: Duration::from_secs(1),
            goodbyes: Duration::from_secs(3),
            drain: Duration::from_secs(10),
            audit: Duration::from_secs(60),
        }
    }
}

impl Default for ListenerConfig {
    fn default() -> ListenerConfig {
        ListenerConfig {
            dialect: DialectName::Ged188,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 42027)),
            tls: None,
            flavour: Flavour::Cce,
            failure_text: true,
            refuse_unknown_tags: false,
            idle_timeout_min: Duration::from_secs(5),
            transport: Transport::Tcp,
            origins: Vec::new(),
            try_page: false,
            heartbeat: Duration::from_secs(15),
            logout_reason_required: false,
            not_ready_reason_required: false,
            login_instrument: String::new(),
        }
    }
}

impl Default for SessionsConfig {
    fn default() -> SessionsConfig {
        SessionsConfig {
            second_client: SecondClient::Share,
            resume_window: Duration::from_secs(120),
            lost_sessions_max: 10_000,
            resume_events_max: 1_024,
            resume_bytes_max: 256 * 1024,
            grace: true,
            not_ready_after: Duration::from_secs(30),
            logout_after: Duration::from_secs(60),
            lost_reason: 50_002,
            logout_on_call: LogoutOnCall::Reject,
            day_begins: Duration::ZERO,
        }
    }
}

impl Default for AcdConfig {
    fn default() -> AcdConfig {
        AcdConfig { peripheral: DEFAULT_PERIPHERAL, kind: AcdKind::Embedded(EmbeddedConfig::default()) }
    }
}

impl DialectName {
    /// As the file has it.
    pub fn as_str(self) -> &'static str {
        match self {
            DialectName::Ged188 => "ged188",
            DialectName::Opencti => "opencti",
        }
    }
}

impl fmt::Display for DialectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What each of as many connections as may be can be owed at least, so that any frame fits.
const OUTBOUND_SHARE_MIN: usize = 16 * 1024;
/// Less would refuse everybody from the start.
const MEMORY_BYTES_MIN: u64 = 16 << 20;
/// The PeripheralID of an ACD that is given none.
const DEFAULT_PERIPHERAL: PeripheralId = PeripheralId(5000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_the_directives_of_a_filter_mean_nothing() {
        let with = parsed_filter(" info ,\tctigate::server=debug, \u{e9}=trace").expect("a filter");
        let without = parsed_filter("info,ctigate::server=debug,\u{e9}=trace").expect("a filter");
        assert_eq!(with, without);
        assert_eq!(parsed_filter(" , ").expect("a filter").default_level(), Some(LevelFilter::ERROR));
    }

    #[test]
    fn a_filter_of_spans_is_refused_for_there_are_none() {
        for filter in ["[span]=debug", "info,ctigate[span{agent=1001}]=trace", "ctigate[{agent=1001}]=trace"] {
            assert!(parsed_filter(filter).is_err(), "{filter}");
        }
    }
}
