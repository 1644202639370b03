//! How an Asterisk is reached, and what its names mean. Not here: what is done with it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ami::MemberText;
use super::names::Template;
use crate::acd::config::{AcdConfigError, AgentsConfig, check_agents, wrong};
use crate::model::{Password, QueueId, ReasonCode, Secret};
use crate::tls::{Trust, TrustConfig};

/// The keys of `[[acd]]` with `kind = "asterisk"`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AsteriskConfig {
    /// Name or address of the machine.
    #[serde(default = "default_host")]
    pub host: String,
    /// The manager's TCP port, `port` in manager.conf.
    #[serde(default = "default_port")]
    pub port: u16,
    /// TLS, by `tlsenable` in manager.conf, `[acd.tls]`; without it what is said can be read on the way.
    #[serde(default)]
    pub tls: Option<TrustConfig>,
    /// The manager's user, a section of manager.conf.
    pub user: String,
    /// That user's secret, or where it is kept.
    pub secret: Secret,
    /// What a queue member's interface is made of, such as `PJSIP/{instrument}`.
    #[serde(default = "default_interface")]
    pub interface: String,
    /// The device whose state is the member's; the interface if left out.
    #[serde(default)]
    pub state_interface: Option<String>,
    /// The queues that the gateway serves, `[[acd.queue]]`.
    #[serde(default, rename = "queue")]
    pub queues: Vec<AsteriskQueue>,
    /// Who may log in, with which password, in ranges of consecutive ids, `[[acd.agents]]`; anybody with any password if
    /// there are none: Asterisk's queues know neither.
    #[serde(default)]
    pub agents: Vec<AgentsConfig>,
    /// Texts of pause reasons that this Asterisk has in place of the catalogue's names, `[[acd.reason]]`. A code without a
    /// text is sent as its digits.
    #[serde(default = "default_reasons", rename = "reason")]
    pub reasons: Vec<ReasonText>,
    /// How long after-call work takes after a call of a queue that does not say it; 0 is none.
    #[serde(default, with = "humantime_serde")]
    pub wrap_up: Duration,
    /// The pause reason of after-call work with ready to follow.
    #[serde(default = "default_work_ready")]
    pub work_ready_text: String,
    /// The pause reason of after-call work with not ready to follow.
    #[serde(default = "default_work_not_ready")]
    pub work_not_ready_text: String,
    /// The context of the dialplan in which the numbers are dialled that agents call and transfer to; without one they can
    /// do neither from here.
    #[serde(default)]
    pub dial_context: Option<String>,
    /// Endpoints that are trunks: whoever comes over them is outside, by its number.
    #[serde(default)]
    pub trunks: Vec<String>,
    /// Whether the phones answer, hold and retrieve when a NOTIFY with `Event: talk` or `hold` asks them to.
    #[serde(default)]
    pub phones_take_notify: bool,
    /// Whether supervisors may listen to calls, whisper and barge in, by the application ChanSpy.
    #[serde(default)]
    pub chanspy: bool,
    /// Channel variables that are call data, `[[acd.variable]]`.
    #[serde(default, rename = "variable")]
    pub variables: Vec<VariableConfig>,
    /// The reason code of an agent whose device is invalid or not registered: it is shown not ready.
    #[serde(default = "default_unreachable")]
    pub unreachable_reason: u16,
    /// How many actions Asterisk is given at a time.
    #[serde(default = "default_in_flight")]
    pub in_flight_max: usize,
    /// How many actions may wait for their turn; one more is refused.
    #[serde(default = "default_waiting")]
    pub waiting_max: usize,
    /// How long an action that was sent is waited for. Of a link that says nothing at all in that time nothing more is
    /// expected: it is made anew.
    #[serde(default = "default_deadline", with = "humantime_serde")]
    pub action_deadline: Duration,
    /// How long a link is silent before it is asked for a sign of life.
    #[serde(default = "default_ping", with = "humantime_serde")]
    pub ping_every: Duration,
    /// How long connecting, logging in and the rest of Asterisk's boot are waited for, each.
    #[serde(default = "default_connect", with = "humantime_serde")]
    pub connect_deadline: Duration,
    /// Before a lost link is made anew, the first time; doubles from try to try.
    #[serde(default = "default_reconnect_min", with = "humantime_serde")]
    pub reconnect_min: Duration,
    /// The longest pause between two such tries.
    #[serde(default = "default_reconnect_max", with = "humantime_serde")]
    pub reconnect_max: Duration,
}

/// A queue of Asterisk's and its number.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AsteriskQueue {
    /// Its number, as clients name it.
    pub number: QueueId,
    /// Its name in queues.conf.
    pub name: String,
    /// Whether a login that names no queue joins it, where the agent has no queues of its own.
    #[serde(default = "yes")]
    pub default: bool,
    /// How long after-call work takes after its calls; as the ACD's if left out.
    #[serde(default, with = "humantime_serde")]
    pub wrap_up: Option<Duration>,
}

/// A channel variable, and what it is to clients.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VariableConfig {
    /// Its name in the dialplan.
    pub name: String,
    /// The call variable that it is: a number of 1 to 10, or the name of an ECC variable.
    pub data: DataName,
}

/// Which data of a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(untagged, expecting = "a number of 1 to 10, or the name of an ECC variable, is expected")]
pub enum DataName {
    /// CallVariable1 to CallVariable10.
    CallVariable(u8),
    /// An ECC variable.
    Named(String),
}

/// A pause reason and its number.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonText {
    /// The code, as clients give and get it.
    pub code: u16,
    /// The text, as Asterisk has it.
    pub text: String,
}

impl AsteriskConfig {
    /// Checks what must hold between the values.
    pub fn validate(&self) -> Result<(), AcdConfigError> {
        for (key, value) in [("host", &self.host), ("user", &self.user)] {
            if value.is_empty() || value.chars().any(char::is_control) {
                return wrong(key.to_owned(), format!("{value:?} is empty or holds a control character"));
            }
        }
        if let Some(tls) = &self.tls {
            tls.check().or_else(|(key, what)| wrong(format!("tls.{key}"), what))?;
        }
        if self.port == 0 {
            return wrong("port".to_owned(), "0 is no port to connect to".to_owned());
        }
        let templates = [("interface", Some(&self.interface)), ("state_interface", self.state_interface.as_ref())];
        for (key, template) in templates {
            if let Some(Err(what)) = template.map(|template| Template::new(template)) {
                return wrong(key.to_owned(), what);
            }
        }
        self.check_queues()?;
        self.check_reasons()?;
        self.check_calls()?;
        for (key, count, most) in
            [("in_flight_max", self.in_flight_max, 1_024), ("waiting_max", self.waiting_max, 1_000_000)]
        {
            if count == 0 || count > most {
                return wrong(key.to_owned(), format!("{count} is not between 1 and {most}"));
            }
        }
        let times = [
            ("action_deadline", self.action_deadline),
            ("ping_every", self.ping_every),
            ("connect_deadline", self.connect_deadline),
            ("reconnect_min", self.reconnect_min),
            ("reconnect_max", self.reconnect_max),
        ];
        for (key, time) in times {
            if time < Duration::from_millis(10) || time > HOUR {
                return wrong(key.to_owned(), format!("{time:?} is not between 10ms and 1h"));
            }
        }
        if self.reconnect_min > self.reconnect_max {
            let what = format!("{:?} is above reconnect_max, {:?}", self.reconnect_min, self.reconnect_max);
            return wrong("reconnect_min".to_owned(), what);
        }
        Ok(())
    }

    fn check_queues(&self) -> Result<(), AcdConfigError> {
        if self.queues.is_empty() {
            return wrong("queue".to_owned(), "there is none, so nobody can log in".to_owned());
        }
        let (mut numbers, mut names) = (HashSet::new(), HashSet::new());
        for (at, queue) in self.queues.iter().enumerate() {
            if !numbers.insert(queue.number) || queue.number.0 == u32::MAX {
                let what = format!("{} cannot be, or is an earlier queue's", queue.number);
                return wrong(format!("queue[{at}].number"), what);
            }
            if queue.name.is_empty() || queue.name.len() > QUEUE_BYTES_MAX || queue.name.chars().any(char::is_control) {
                let what = format!("{:?} is not 1 to {QUEUE_BYTES_MAX} bytes without control characters", queue.name);
                return wrong(format!("queue[{at}].name"), what);
            }
            if !names.insert(queue.name.to_ascii_lowercase()) {
                let what = format!("{:?} is an earlier queue's: Asterisk does not tell case", queue.name);
                return wrong(format!("queue[{at}].name"), what);
            }
            if queue.wrap_up.is_some_and(|wrap_up| wrap_up > HOUR) {
                return wrong(format!("queue[{at}].wrap_up"), "it is above 1h".to_owned());
            }
        }
        if self.agents.is_empty() && !self.queues.iter().any(|queue| queue.default) {
            let what = "no queue is a default, so a login that names none joins none".to_owned();
            return wrong("queue".to_owned(), what);
        }
        check_agents(&self.agents, &numbers)
    }

    fn check_reasons(&self) -> Result<(), AcdConfigError> {
        if self.wrap_up > HOUR {
            return wrong("wrap_up".to_owned(), "it is above 1h".to_owned());
        }
        let work = [("work_ready_text", &self.work_ready_text), ("work_not_ready_text", &self.work_not_ready_text)];
        let mut texts: HashMap<String, String> = HashMap::new();
        let mut codes = HashSet::new();
        let named = work.map(|(key, text)| (key.to_owned(), text));
        let coded = self.reasons.iter().enumerate().map(|(at, reason)| (format!("reason[{at}].text"), &reason.text));
        for (key, text) in named.into_iter().chain(coded) {
            if text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit()) {
                return wrong(key, format!("{text:?} is empty, or a number, which stands for itself"));
            }
            if let Err(error) = MemberText::new(text.clone()) {
                return wrong(key, format!("{text:?} cannot be sent to Asterisk: {error}"));
            }
            if let Some(earlier) = texts.insert(text.to_lowercase(), key.clone()) {
                return wrong(key, format!("{text:?} is {earlier}'s"));
            }
        }
        for (at, reason) in self.reasons.iter().enumerate() {
            if reason.code == 0 || !codes.insert(reason.code) {
                let what = format!("{} is an earlier reason's, or 0, which is no reason", reason.code);
                return wrong(format!("reason[{at}].code"), what);
            }
        }
        Ok(())
    }

    fn check_calls(&self) -> Result<(), AcdConfigError> {
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        if let Some(context) = self.dial_context.as_ref().filter(|context| !is_name(context)) {
            return wrong("dial_context".to_owned(), format!("{context:?} is no context's name"));
        }
        let (mut names, mut data) = (HashSet::new(), HashSet::new());
        for (at, variable) in self.variables.iter().enumerate() {
            let VariableConfig { name, data: meant } = variable;
            if !is_name(name) || !names.insert(name) {
                let what = format!("{name:?} is an earlier variable's, or cannot be a variable's name");
                return wrong(format!("variable[{at}].name"), what);
            }
            let is_data = match meant {
                DataName::CallVariable(number) => (1..=10).contains(number),
                DataName::Named(name) => is_name(name) && name.len() <= ECC_NAME_BYTES_MAX,
            };
            if !is_data || !data.insert(meant) {
                let what = format!("{meant:?} is an earlier variable's, or neither 1 to 10 nor a name");
                return wrong(format!("variable[{at}].data"), what);
            }
        }
        Ok(())
    }

    /// Lets pauses carry the names of the gateway's reason codes, as far as this Asterisk has no text of its own for that
    /// code, nor that text for another code, and can keep it.
    pub fn with_catalogue(mut self, reasons: impl IntoIterator<Item = (u16, String)>) -> AsteriskConfig {
        for (code, text) in reasons {
            self.reasons.push(ReasonText { code, text });
            if self.check_reasons().is_err() {
                self.reasons.pop();
            }
        }
        self
    }

    /// The secret, from wherever it is kept.
    pub(super) fn read_secret(&self) -> Result<Password, AcdConfigError> {
        self.secret.read().map_err(|error| AcdConfigError { key: "secret".to_owned(), what: error.to_string() })
    }

    /// Whom the link trusts, with the files read.
    pub(super) fn trust(&self) -> Result<Option<Trust>, AcdConfigError> {
        let read = self.tls.as_ref().map(|tls| Trust::read(tls, &self.host)).transpose();
        read.map_err(|error| AcdConfigError { key: "tls".to_owned(), what: error.to_string() })
    }

    pub(super) fn reason_when_unreachable(&self) -> ReasonCode {
        ReasonCode(self.unreachable_reason)
    }
}

fn default_host() -> String {
    "127.0.0.1".to_owned()
}

fn default_port() -> u16 {
    5038
}

fn default_interface() -> String {
    "PJSIP/{instrument}".to_owned()
}

/// What app_queue itself pauses an agent with, who let a call ring in a queue with `autopause`.
fn default_reasons() -> Vec<ReasonText> {
    vec![ReasonText { code: 32_763, text: "Auto-Pause".to_owned() }]
}

fn default_work_ready() -> String {
    "wrap-up".to_owned()
}

fn default_work_not_ready() -> String {
    "after-call work".to_owned()
}

fn default_unreachable() -> u16 {
    32_762
}

fn default_in_flight() -> usize {
    64
}

fn default_waiting() -> usize {
    50_000
}

fn default_deadline() -> Duration {
    Duration::from_secs(4)
}

fn default_ping() -> Duration {
    Duration::from_secs(5)
}

fn default_connect() -> Duration {
    Duration::from_secs(30)
}

fn default_reconnect_min() -> Duration {
    Duration::from_millis(200)
}

fn default_reconnect_max() -> Duration {
    Duration::from_secs(5)
}

fn yes() -> bool {
    true
}

/// What GED-188 has room for in an ECC variable's name.
const ECC_NAME_BYTES_MAX: usize = 32;
const HOUR: Duration = Duration::from_secs(60 * 60);
/// What app_queue keeps of a queue's name.
const QUEUE_BYTES_MAX: usize = 79;
