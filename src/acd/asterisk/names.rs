//! What Asterisk's names mean to the gateway, and back: interfaces and instruments, queues and numbers, pause reasons and
//! codes, members' names and agents. Not here: who is where.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::ami::MemberText;
use super::config::{AsteriskConfig, DataName, VariableConfig};
use super::control::bad_data;
use crate::acd::{AcdRefusal, BadField};
use crate::model::{
    AgentId, AgentState, CallData, CallDataChange, CallDataValues, Instrument, Password, QueueId, ReasonCode,
};

/// The names of one Asterisk.
#[derive(Debug)]
pub(super) struct Names {
    interface: Template,
    state_interface: Option<Template>,
    queues: Vec<Queue>,
    queue_at: HashMap<String, QueueId>,
    agents: HashMap<AgentId, (Password, Vec<QueueId>)>,
    text_of: HashMap<u16, String>,
    code_of: HashMap<String, u16>,
    work_ready: String,
    work_not_ready: String,
    /// Where numbers are dialled.
    pub(super) dial_context: Option<String>,
    pub(super) phones_take_notify: bool,
    pub(super) has_chanspy: bool,
    /// What an interface's channels are named by.
    channel: Template,
    trunks: Vec<String>,
    variables: Vec<VariableConfig>,
    /// How long after-call work takes that an agent asks for, or that was under way when the link came up.
    pub(super) wrap_up: Duration,
}

#[derive(Debug)]
struct Queue {
    number: QueueId,
    name: String,
    is_default: bool,
    wrap_up: Option<Duration>,
}

/// An interface as it is looked up: Asterisk does not tell case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Interface(Arc<str>);

/// Why a member is paused, as the model has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pause {
    NotReady(ReasonCode),
    Work(AgentState),
}

impl Names {
    pub(super) fn new(config: &AsteriskConfig) -> Result<Names, String> {
        let queues: Vec<Queue> = config
            .queues
            .iter()
            .map(|queue| Queue {
                number: queue.number,
                name: queue.name.clone(),
                is_default: queue.default,
                wrap_up: queue.wrap_up,
            })
            .collect();
        let mut agents = HashMap::new();
        for range in &config.agents {
            let every = range.every().map_err(|error| error.to_string())?;
            agents.extend(every.map(|(agent, password, queues)| (agent, (password, queues))));
        }
        Ok(Names {
            interface: Template::new(&config.interface)?,
            state_interface: config.state_interface.as_deref().map(Template::new).transpose()?,
            queue_at: queues.iter().map(|queue| (queue.name.to_ascii_lowercase(), queue.number)).collect(),
            queues,
            agents,
            text_of: config.reasons.iter().map(|reason| (reason.code, reason.text.clone())).collect(),
            code_of: config.reasons.iter().map(|reason| (reason.text.to_lowercase(), reason.code)).collect(),
            work_ready: config.work_ready_text.clone(),
            work_not_ready: config.work_not_ready_text.clone(),
            wrap_up: config.wrap_up,
            dial_context: config.dial_context.clone(),
            phones_take_notify: config.phones_take_notify,
            has_chanspy: config.chanspy,
            channel: Template::new(&channel_base(&config.interface))?,
            trunks: config.trunks.clone(),
            variables: config.variables.clone(),
        })
    }

    /// Queues by number and name.
    pub(super) fn queues(&self) -> impl Iterator<Item = (QueueId, &str)> {
        self.queues.iter().map(|queue| (queue.number, queue.name.as_str()))
    }

    pub(super) fn queue_name(&self, number: QueueId) -> Option<&str> {
        self.queue(number).map(|queue| queue.name.as_str())
    }

    pub(super) fn queue_number(&self, name: &str) -> Option<QueueId> {
        self.queue_at.get(&name.to_ascii_lowercase()).copied()
    }

    /// How long after-call work takes after a call of that queue; none if it takes no time.
    pub(super) fn wrap_up_after(&self, queue: QueueId) -> Option<Duration> {
        let wrap_up = self.queue(queue).and_then(|queue| queue.wrap_up).unwrap_or(self.wrap_up);
        (!wrap_up.is_zero()).then_some(wrap_up)
    }

    fn queue(&self, number: QueueId) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.number == number)
    }

    /// The queues that an agent may join, and those that it joins where it names none.
    pub(super) fn queues_of(&self, agent: &AgentId) -> (Vec<QueueId>, Vec<QueueId>) {
        if let Some((_, own)) = self.agents.get(agent) {
            return (own.clone(), own.clone());
        }
        let numbers = |wanted: fn(&Queue) -> bool| {
            let mut numbers: Vec<_> =
                self.queues.iter().filter(|queue| wanted(queue)).map(|queue| queue.number).collect();
            numbers.sort_unstable();
            numbers
        };
        (numbers(|_| true), numbers(|queue| queue.is_default))
    }

    /// The agents that the configuration names.
    pub(super) fn configured_agents(&self) -> impl Iterator<Item = &AgentId> {
        self.agents.keys()
    }

    pub(super) fn is_configured(&self, agent: &AgentId) -> bool {
        self.agents.contains_key(agent)
    }

    /// Whether the agent may log in with that password. Where no agents are configured, anybody may.
    pub(super) fn admits(&self, agent: &AgentId, password: &Password) -> bool {
        self.agents.is_empty() || self.agents.get(agent).is_some_and(|(right, _)| right.matches(password))
    }

    /// The agent's name as a member.
    pub(super) fn member_name(&self, agent: &AgentId) -> Result<MemberText, AcdRefusal> {
        sendable(BadField::Agent, agent.as_str(), agent.as_str())
    }

    /// The interface of an instrument. An instrument is a name or number: with more it could make the interface another
    /// one, say of a trunk, and a queue's calls would be dialled there.
    pub(super) fn interface(&self, instrument: &Instrument) -> Result<MemberText, AcdRefusal> {
        let text = instrument.as_str();
        let interface = sendable(BadField::Instrument, text, &self.interface.fill(text))?;
        match text.chars().find(|c| !c.is_alphanumeric() && !"._-+*#".contains(*c)) {
            None => Ok(interface),
            Some(strange) => {
                let why =
                    format!("{strange:?} could make another interface of it; letters, digits and ._-+*# are allowed");
                Err(AcdRefusal::BadValue { field: BadField::Instrument, value: text.to_owned(), why })
            }
        }
    }

    pub(super) fn state_interface(&self, instrument: &Instrument) -> Result<Option<MemberText>, AcdRefusal> {
        let fill = |template: &Template| {
            sendable(BadField::Instrument, instrument.as_str(), &template.fill(instrument.as_str()))
        };
        self.state_interface.as_ref().map(fill).transpose()
    }

    /// The instrument behind an interface, if it is one of ours.
    pub(super) fn instrument(&self, interface: &str) -> Option<Instrument> {
        self.interface.instrument_in(interface).and_then(|instrument| Instrument::new(instrument).ok())
    }

    /// The device that a channel is at, if it is one of ours: `PJSIP/3001-0000002a` is at 3001, and of the halves of a
    /// `Local` channel the first is.
    pub(super) fn device_of_channel(&self, name: &str) -> Option<Instrument> {
        let (base, _) = name.rsplit_once('-')?;
        let device = self.channel.instrument_in(base).filter(|_| !name.ends_with(";2"))?;
        let is_trunk = self.trunks.iter().any(|trunk| trunk.eq_ignore_ascii_case(device));
        Instrument::new(device).ok().filter(|_| !is_trunk)
    }

    /// Whether a channel variable is call data.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|variable| variable.name == name)
    }

    pub(super) fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }

    /// The names of the channel variables that are call data.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }

    /// Puts what a channel carries into a call's data, as far as nothing older is there and a call can carry it.
    pub(super) fn put_variables(&self, carried: &BTreeMap<String, String>, data: &mut CallData) {
        for VariableConfig { name, data: meant } in &self.variables {
            let Some(value) = carried.get(name) else { continue };
            let mut values = CallDataValues::default();
            match meant {
                DataName::CallVariable(number) => {
                    if let Some(variable) = values.variables.get_mut(usize::from(*number).wrapping_sub(1)) {
                        *variable = Some(value.clone());
                    }
                }
                DataName::Named(name) => drop(values.named.insert(name.clone(), value.clone())),
            }
            if let Ok(one) = CallDataChange::new(values) {
                *data = data.filled_from(&one);
            }
        }
    }

    /// The channel variables that a change of call data sets; data that is none cannot be kept.
    pub(super) fn variables_of(&self, change: &CallDataChange) -> Result<Vec<(String, String)>, AcdRefusal> {
        let CallDataValues {
            variables,
            named,
            arrays,
            user_to_user,
            wrap_up,
            ani,
            caller_entered_digits,
            customer_phone_number,
            customer_account_number,
            campaign,
            query_rule,
        } = &**change;
        let given = variables
            .iter()
            .zip(1..)
            .filter_map(|(value, number)| value.as_ref().map(|value| (DataName::CallVariable(number), value)));
        let given = given.chain(named.iter().map(|(name, value)| (DataName::Named(name.clone()), value)));
        let mut set = Vec::new();
        for (data, value) in given {
            let known = self.variables.iter().find(|variable| variable.data == data);
            let known =
                known.ok_or_else(|| bad_data(&format!("{data:?}"), "no channel variable is configured for it"))?;
            if value.starts_with(|first: char| first <= ' ') {
                return Err(bad_data(value, "it begins with a blank, which Asterisk would not keep"));
            }
            set.push((known.name.clone(), value.clone()));
        }
        let others = [
            (!arrays.is_empty(), "NamedArray"),
            (user_to_user.is_some(), "UserToUserInfo"),
            (wrap_up.is_some(), "CallWrapupData"),
            (ani.is_some(), "ANI"),
            (caller_entered_digits.is_some(), "CallerEnteredDigits"),
            (customer_phone_number.is_some(), "CustomerPhoneNumber"),
            (customer_account_number.is_some(), "CustomerAccountNumber"),
            (campaign.is_some(), "CampaignID"),
            (query_rule.is_some(), "QueryRuleID"),
        ];
        match others.iter().find(|(is_given, _)| *is_given) {
            None => Ok(set),
            Some((_, name)) => Err(bad_data(name, "no channel variable can be configured for it")),
        }
    }

    /// The agent that a member is. One without a name of its own, whom Asterisk calls as its interface, is known by its
    /// instrument.
    pub(super) fn agent(&self, name: &str, interface: &str) -> Option<AgentId> {
        match name.eq_ignore_ascii_case(interface) || name.is_empty() {
            true => self.interface.instrument_in(interface).and_then(|instrument| AgentId::new(instrument).ok()),
            false => AgentId::new(name).ok(),
        }
    }

    /// What is written into a pause; nothing for no reason.
    pub(super) fn pause_text(&self, pause: Pause) -> String {
        match pause {
            Pause::Work(AgentState::WorkReady) => self.work_ready.clone(),
            Pause::Work(_) => self.work_not_ready.clone(),
            Pause::NotReady(ReasonCode(0)) => String::new(),
            Pause::NotReady(ReasonCode(code)) => self.text_of.get(&code).cloned().unwrap_or_else(|| code.to_string()),
        }
    }

    /// What a pause means. A text that has no number, an operator's own, is not ready without a code.
    pub(super) fn pause(&self, text: &str) -> Pause {
        if text.eq_ignore_ascii_case(&self.work_ready) {
            return Pause::Work(AgentState::WorkReady);
        }
        if text.eq_ignore_ascii_case(&self.work_not_ready) {
            return Pause::Work(AgentState::WorkNotReady);
        }
        let code = self.code_of.get(&text.to_lowercase()).copied().or_else(|| text.parse().ok());
        Pause::NotReady(ReasonCode(code.unwrap_or_default()))
    }
}

impl Interface {
    pub(super) fn new(text: &str) -> Interface {
        Interface(text.to_ascii_lowercase().into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn sendable(field: BadField, value: &str, text: &str) -> Result<MemberText, AcdRefusal> {
    MemberText::new(text).map_err(|why| AcdRefusal::BadValue { field, value: value.to_owned(), why: why.to_string() })
}

/// A text with one place for an instrument: `PJSIP/{instrument}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Template {
    before: String,
    after: String,
}

impl Template {
    pub(super) fn new(text: &str) -> Result<Template, String> {
        let (before, after) =
            text.split_once(PLACE).ok_or_else(|| format!("{text:?} has no place for the instrument, {PLACE}"))?;
        if after.contains(PLACE) {
            return Err(format!("{text:?} has more than one {PLACE}"));
        }
        if !before.contains('/') {
            return Err(format!("{text:?} does not begin with a channel technology such as PJSIP/"));
        }
        match MemberText::new(format!("{before}0{after}")) {
            Ok(_) => Ok(Template { before: before.to_owned(), after: after.to_owned() }),
            Err(error) => Err(format!("{text:?} cannot be sent to Asterisk: {error}")),
        }
    }

    fn fill(&self, instrument: &str) -> String {
        [&self.before, instrument, &self.after].concat()
    }

    /// What stands in the place, whatever the case of the letters around it.
    fn instrument_in<'a>(&self, interface: &'a str) -> Option<&'a str> {
        let end = interface.len().checked_sub(self.after.len())?;
        let before = interface.get(..self.before.len())?;
        let within = interface.get(self.before.len()..end)?;
        let fits = before.eq_ignore_ascii_case(&self.before) && interface[end..].eq_ignore_ascii_case(&self.after);
        fits.then_some(within)
    }
}

/// What the names of an interface's channels begin with: `Local/1001@agents/n` has `Local/1001@agents-00000001;1`.
pub(super) fn channel_base(interface: &str) -> String {
    match interface.split('/').collect::<Vec<_>>()[..] {
        [technology, resource, ..] => format!("{technology}/{resource}"),
        _ => interface.to_owned(),
    }
}

const PLACE: &str = "{instrument}";
