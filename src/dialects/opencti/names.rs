//! What the wire's texts mean: ACDs, queues, reasons, devices. Not here: what is done with them.

use std::fmt::Display;

use cti_protocol::opencti::{AgentOptions, Code};

use super::OpenCti;
use super::answers::No;
use crate::model::{AgentId, AgentKey, IdError, Instrument, PeripheralId, QueueChoice, QueueId, ReasonCode};

impl OpenCti {
    /// The agent that a request means.
    pub(super) fn agent(&self, acd: Option<&str>, agent_id: &str) -> Result<AgentKey, No> {
        let agent = AgentId::new(agent_id).map_err(|error| bad("AgentID", agent_id, &error))?;
        let peripheral = self.acd(acd, Some(&agent))?;
        Ok(AgentKey { peripheral, agent })
    }

    /// The ACD that a request names or, if it names none, that has the agent, or the first.
    pub(super) fn acd(&self, acd: Option<&str>, agent: Option<&AgentId>) -> Result<PeripheralId, No> {
        let Some(acd) = given(acd) else {
            let home = self.house.home_of(agent);
            return home.ok_or_else(|| No::new(Code::NotFound, "Acd: no ACD is configured"));
        };
        let number = acd.parse().ok().map(PeripheralId);
        number
            .filter(|id| self.house.peripheral(*id).is_some())
            .ok_or_else(|| No::new(Code::NotFound, format!("Acd: {acd:?} is not known")))
    }

    /// The queues that a request names, by name or number, with commas between them.
    pub(super) fn queues(&self, peripheral: PeripheralId, named: Option<&str>) -> Result<QueueChoice, No> {
        let Some(named) = given(named) else { return Ok(QueueChoice::AsAcdSays) };
        let known = self.house.table.link(peripheral).queues;
        let of = |name: &str| -> Result<QueueId, No> {
            let by_name = known.iter().find(|(_, known)| known == name).map(|(number, _)| *number);
            let number = || name.parse().ok().map(QueueId);
            let by_number =
                || number().filter(|number| known.is_empty() || known.iter().any(|(known, _)| known == number));
            by_name
                .or_else(by_number)
                .ok_or_else(|| No::new(Code::NotFound, format!("Queue: {name:?} is no queue of ACD {peripheral}")))
        };
        let names = named.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(QueueChoice::from_named(names.map(of).collect::<Result<_, _>>()?))
    }

    /// Queues as an event names them; what [`queues`](OpenCti::queues) reads gives the same back.
    pub(super) fn queue_names(&self, peripheral: PeripheralId, queues: &[QueueId]) -> String {
        let name = |queue: &QueueId| {
            let name = self.house.table.queue_name(peripheral, *queue);
            let is_plain = |name: &String| !name.is_empty() && !name.contains(',') && name.trim() == name;
            name.filter(is_plain).unwrap_or_else(|| queue.to_string())
        };
        queues.iter().map(name).collect::<Vec<_>>().join(",")
    }

    /// The reason that a request gives, by name or number; 0 if it gives none.
    pub(super) fn reason(&self, options: Option<&AgentOptions>, is_required: bool) -> Result<ReasonCode, No> {
        let Some(reason) = options.and_then(AgentOptions::reason) else {
            return match is_required {
                true => Err(No::new(Code::ReasonRequired, "AgentOptions.pyReasonCode: a reason code is required")),
                false => Ok(ReasonCode::default()),
            };
        };
        let by_name = self.reasons.iter().find(|known| known.name.eq_ignore_ascii_case(reason)).map(|known| known.code);
        let code = by_name.or_else(|| reason.parse().ok()).ok_or_else(|| {
            let known = self.reasons.iter().map(|known| known.name.as_str()).collect::<Vec<_>>().join(", ");
            let why = format!("AgentOptions.pyReasonCode: {reason:?} is neither a number nor one of: {known}");
            No::new(Code::InvalidRequest, why)
        })?;
        Ok(ReasonCode(code))
    }

    /// A reason as an event names it; empty for none.
    pub(super) fn reason_name(&self, reason: ReasonCode) -> String {
        if reason == ReasonCode::default() {
            return String::new();
        }
        let known = self.reasons.iter().find(|known| known.code == reason.0);
        known.map_or_else(|| reason.to_string(), |known| known.name.clone())
    }

    /// The device of a login: the one named, the one where the agent is or was last, the configuration's, or a free one.
    pub(super) fn login_device(&self, key: &AgentKey, dn: Option<&str>) -> Result<Instrument, No> {
        if let Some(dn) = given(dn) {
            return device(dn);
        }
        if let Some(known) = self.last_device(key) {
            return Ok(known);
        }
        match self.settings.login_instrument.as_str() {
            "" => self.house.table.free_instrument(key.peripheral).ok_or_else(|| {
                No::new(Code::InvalidRequest, "DN: it is blank, and nothing else says where the agent works")
            }),
            template => device(&template.replace("{agent}", key.agent.as_str())),
        }
    }

    /// Where the agent is logged in, or was last.
    pub(super) fn last_device(&self, key: &AgentKey) -> Option<Instrument> {
        let cell = self.house.table.agent(key)?;
        let entry = cell.entry();
        entry.facts.instrument.clone().or_else(|| entry.last_instrument.clone())
    }
}

/// A device, by its name on the wire.
pub(super) fn device(dn: &str) -> Result<Instrument, No> {
    Instrument::new(dn).map_err(|error| bad("DN", dn, &error))
}

/// A property that is left out or blank is not given.
pub(super) fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn bad(property: &str, value: &str, error: &IdError) -> No {
    let value: &dyn Display = match error {
        IdError::TooLong { .. } => &"…", // what is too long is not told back
        _ => &format!("{value:?}"),
    };
    No::new(Code::InvalidRequest, format!("{property}: {value} cannot be: {error}"))
}
