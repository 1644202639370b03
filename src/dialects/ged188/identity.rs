//! Which agent a request means: AgentID, AgentIDLong, AgentInstrument, AgentExtension, ICMAgentID, PeripheralID.
//!
//! Not here: whether the session may command that agent.

use cti_protocol::ged188::codes::Status;
use cti_protocol::ged188::{Flavour, Storage, Text};

use super::Ged188;
use super::answers::No;
use crate::model::{AgentId, AgentKey, Instrument, PeripheralId};

/// The agent fields of a request, each valid in itself; none given is fine.
#[derive(Debug, Default, Clone)]
pub(super) struct AgentFields {
    pub(super) agent: Option<AgentId>,
    pub(super) instrument: Option<Instrument>,
    pub(super) extension: Option<Instrument>,
}

/// The agent fields of a request that has all four of them.
macro_rules! agent_fields {
    ($request:ident) => {
        $crate::dialects::ged188::identity::AgentFields::of(
            $request.agent_id.as_ref(),
            $request.agent_id_long.as_ref(),
            $request.agent_instrument.as_ref(),
            $request.agent_extension.as_ref(),
        )
    };
}
pub(super) use agent_fields;

impl AgentFields {
    /// Takes the fields of a request. Of AgentID and AgentIDLong either will do; empty ones count as not given.
    pub(super) fn of<S: Storage>(
        id: Option<&Text<12, S>>,
        id_long: Option<&Text<129, S>>,
        instrument: Option<&Text<64, S>>,
        extension: Option<&Text<16, S>>,
    ) -> Result<AgentFields, No> {
        let short = given("AgentID", id)?;
        let long = given("AgentIDLong", id_long)?;
        if let (Some(short), Some(long)) = (&short, &long)
            && short != long
        {
            return Err(inconsistent(format!("AgentID is {short:?} and AgentIDLong is {long:?}")));
        }
        let agent = long.or(short).map(|id| AgentId::new(id).map_err(|error| bad("AgentID", id, error))).transpose()?;
        Ok(AgentFields {
            agent,
            instrument: device("AgentInstrument", instrument)?,
            extension: device("AgentExtension", extension)?,
        })
    }

    /// Whether nothing was given.
    pub(super) fn is_empty(&self) -> bool {
        self.agent.is_none() && self.instrument.is_none() && self.extension.is_none()
    }

    /// The device, by whichever of its two names was given.
    pub(super) fn device(&self) -> Option<&Instrument> {
        self.instrument.as_ref().or(self.extension.as_ref())
    }
}

impl Ged188 {
    /// The ACD that a PeripheralID names. All ones, 0 and 7fffffff name none, as does UCCX's constant 1; then it is the
    /// one that has the agent, or else the first of the configuration.
    pub(super) fn peripheral(&self, number: u32, agent: Option<&AgentId>) -> Result<PeripheralId, No> {
        if !self.names_no_peripheral(number) {
            let id = PeripheralId(number);
            let why = || format!("PeripheralID {number} is not known");
            return match self.house.peripheral(id) {
                Some(_) => Ok(id),
                None => Err(No::failure(Status::E_CTI_INVALID_PERIPHERAL_ID, why())),
            };
        }
        let why = "PeripheralID is not given and no peripheral is configured";
        self.house.home_of(agent).ok_or_else(|| No::failure(Status::E_CTI_INVALID_PERIPHERAL_ID, why))
    }

    /// Whether a PeripheralID stands for "none given".
    pub(super) fn names_no_peripheral(&self, number: u32) -> bool {
        let is_known = self.house.peripheral(PeripheralId(number)).is_some();
        !is_known
            && match number {
                0 | 0x7fff_ffff | 0xffff_ffff => true,
                1 => self.flavour == Flavour::Uccx,
                _ => false,
            }
    }

    /// The agent that the fields mean: by id, or by the device that an agent works at now.
    pub(super) fn agent(&self, peripheral: PeripheralId, fields: &AgentFields) -> Option<AgentKey> {
        if let Some(agent) = &fields.agent {
            return Some(AgentKey { peripheral, agent: agent.clone() });
        }
        self.house.table.agent_at(peripheral, fields.device()?)
    }
}

/// The text of a field, none if it is absent or empty.
pub(super) fn given<'f, const MAX: usize>(
    name: &'static str,
    field: Option<&'f Text<MAX, impl Storage>>,
) -> Result<Option<&'f str>, No> {
    let Some(field) = field.filter(|field| !field.is_empty()) else { return Ok(None) };
    match field.to_str() {
        Some(text) => Ok(Some(text)),
        None => Err(No::failure(Status::E_CTI_INVALID_CHARACTER, format!("{name} is not valid text: {field:?}"))),
    }
}

pub(super) fn device<const MAX: usize>(
    name: &'static str,
    field: Option<&Text<MAX, impl Storage>>,
) -> Result<Option<Instrument>, No> {
    let text = given(name, field)?;
    text.map(|text| Instrument::new(text).map_err(|error| bad(name, text, error))).transpose()
}

/// A number that is to be called.
pub(super) fn number<const MAX: usize>(
    name: &'static str,
    field: Option<&Text<MAX, impl Storage>>,
) -> Result<Option<Instrument>, No> {
    let cannot = |text: &str, error| {
        No::failure(Status::E_CTI_INVALID_CHARACTER, format!("{name} {text:?} cannot be called: {error}"))
    };
    let text = given(name, field)?;
    text.map(|text| Instrument::new(text).map_err(|error| cannot(text, error))).transpose()
}

pub(super) fn inconsistent(why: String) -> No {
    No::failure(Status::E_CTI_INCONSISTENT_AGENT_DATA, why)
}

pub(super) fn missing(what: &str) -> No {
    No::failure(Status::E_CTI_REQUIRED_DATA_MISSING, format!("{what} is required"))
}

fn bad(name: &'static str, value: &str, error: crate::model::IdError) -> No {
    No::failure(Status::E_CTI_INVALID_AGENT_DATA, format!("{name} {value:?} cannot be: {error}"))
}
