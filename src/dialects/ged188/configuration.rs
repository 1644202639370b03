//! The CONFIG service: which agents, skill groups and devices there are, as records between a begin and an end.
//!
//! Not here: where an ACD has them from. What an agent may be in is the ACD's own business until the agent logs in, so
//! records name no skills; nothing changes while the gateway runs but what an ACD brings along when its link comes up, so
//! no updates follow and ConfigMsgMask, which chooses among them, has nothing to choose. There is one customer: CustomerID
//! is not looked at. Must hold: one request at a time, as the guide has it: a client that asks and does not read costs
//! nobody else anything.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use cti_protocol::ged188::codes::{
    ConfigAgentType, ConfigDeviceType, ConfigKeyStatus, ConfigMsgMask, ConfigRecordType, ConfigType, ServiceMask,
    Status,
};
use cti_protocol::ged188::{
    AgentRecord, AnyMessage, ConfigAgentEvent, ConfigBeginEvent, ConfigDeviceEvent, ConfigEndEvent, ConfigKeyEvent,
    ConfigRequestEvent, ConfigRequestKeyEvent, ConfigSkillGroupEvent, Data, DeviceRecord, SkillGroupRecord, Text,
};

use super::Ged188;
use super::answers::No;
use super::events::icm_agent_id;
use super::session::Session;
use crate::model::{AgentId, AgentKey, Instrument, PeripheralId, QueueId};

/// How many records one message holds, by the guide.
const RECORDS_MAX: usize = 10;
/// ConfigEndStatus: all was sent.
const SUCCESS: u32 = 0;
/// ConfigEndStatus: there was nothing to send.
const EMPTY: u32 = 4;
/// What is told of here; the other parts are empty.
const TOLD: u32 = ConfigMsgMask::CONFIG_SKILL_GROUP.0 | ConfigMsgMask::CONFIG_AGENT.0 | ConfigMsgMask::CONFIG_DEVICE.0;

/// What one ACD has.
struct Inventory {
    peripheral: PeripheralId,
    queues: Arc<[(QueueId, String)]>,
    agents: Vec<(AgentId, ConfigAgentType)>,
    devices: Vec<Instrument>,
}

impl Session {
    pub(super) fn config_keys(&mut self, shared: &Ged188, request: &ConfigRequestKeyEvent<&[u8]>) -> Result<(), No> {
        self.may_configure("CONFIG_REQUEST_KEY_EVENT")?;
        let there = shared.inventory(request.peripheral_id)?;
        self.face.say(&ConfigKeyEvent {
            config_key_status: ConfigKeyStatus::CONFIG_SUCCESS,
            skill_group_config_key: key(&there.queues),
            agent_config_key: key(&there.agent_names()),
            device_config_key: key(&there.devices),
            ..Default::default()
        });
        Ok(())
    }

    /// Begin, the records of all parts that were asked for, end. Asked for none: nothing lies in between.
    pub(super) fn config(&mut self, shared: &Ged188, request: &ConfigRequestEvent<&[u8]>) -> Result<(), No> {
        self.may_configure("CONFIG_REQUEST_EVENT")?;
        if self.face.outbox.has_backlog() {
            let why = "the answer to the CONFIG_REQUEST_EVENT before has not been read yet";
            return Err(No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, why));
        }
        let asked = request.config_information.0;
        let known = ConfigMsgMask::NAMES.iter().fold(0, |known, (_, bit)| known | *bit);
        if asked & !known != 0 && asked != u32::MAX {
            let why = format!("ConfigInformation {asked:#x} has bits that stand for nothing");
            return Err(No::failure(Status::E_CTI_INVALID_CONFIG_MSG_MASK, why));
        }
        let there = shared.inventory(request.peripheral_id)?;
        let wants = |part: ConfigMsgMask| asked & part.0 != 0;
        let mut records: Vec<AnyMessage> = Vec::new();
        if wants(ConfigMsgMask::CONFIG_SKILL_GROUP) {
            records.extend(there.skill_group_events());
        }
        if wants(ConfigMsgMask::CONFIG_AGENT) {
            records.extend(there.agent_events());
        }
        if wants(ConfigMsgMask::CONFIG_DEVICE) {
            records.extend(there.device_events());
        }
        self.face.say_at_length(ConfigBeginEvent {
            config_type: ConfigType::SOLICITED,
            config_information: ConfigMsgMask(asked & TOLD),
            skill_group_config_key: key(&there.queues).filter(|_| wants(ConfigMsgMask::CONFIG_SKILL_GROUP)),
            agent_config_key: key(&there.agent_names()).filter(|_| wants(ConfigMsgMask::CONFIG_AGENT)),
            device_config_key: key(&there.devices).filter(|_| wants(ConfigMsgMask::CONFIG_DEVICE)),
            ..Default::default()
        });
        let config_end_status = if records.is_empty() { EMPTY } else { SUCCESS };
        for record in records {
            self.face.say_at_length(record);
        }
        self.face.say_at_length(ConfigEndEvent { config_end_status, ..Default::default() });
        Ok(())
    }

    fn may_configure(&self, what: &str) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CONFIG_EVENTS], what)
    }
}

impl Ged188 {
    fn inventory(&self, peripheral_id: u32) -> Result<Inventory, No> {
        let peripheral = self.peripheral(peripheral_id, None)?;
        let table = &self.house.table;
        let link = table.link(peripheral);
        let mut agents: Vec<AgentKey> = table.agents_of(peripheral).iter().map(|cell| cell.key.clone()).collect();
        agents.sort_unstable_by(|one, other| one.agent.as_str().cmp(other.agent.as_str()));
        let mut devices = link.instruments.map(|listed| listed.in_order().to_vec()).unwrap_or_default();
        devices.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        let kind = |key: &AgentKey| match table.teams.of_supervisor(key) {
            [] => ConfigAgentType::CONFIG_AGENT,
            _ => ConfigAgentType::CONFIG_SUPERVISOR,
        };
        Ok(Inventory {
            peripheral,
            queues: link.queues,
            agents: agents.into_iter().map(|key| (key.agent.clone(), kind(&key))).collect(),
            devices,
        })
    }
}

impl Inventory {
    fn agent_names(&self) -> Vec<(&str, u16)> {
        self.agents.iter().map(|(agent, kind)| (agent.as_str(), kind.0)).collect()
    }

    fn skill_group_events(&self) -> impl Iterator<Item = AnyMessage> {
        let record = |(queue, name): &(QueueId, String)| SkillGroupRecord {
            record_type: Some(ConfigRecordType::CONFIG_RECORD_ADD),
            peripheral_id: Some(self.peripheral.0),
            peripheral_number: Some(queue.0),
            skill_group_skill_target_id: Some(queue.0),
            peripheral_name: Some(Text::cut(name)),
            ..Default::default()
        };
        self.queues.chunks(RECORDS_MAX).map(move |some| {
            let records: Vec<_> = some.iter().map(record).collect();
            ConfigSkillGroupEvent { num_records: count(&records), records, ..Default::default() }.into()
        })
    }

    fn agent_events(&self) -> impl Iterator<Item = AnyMessage> {
        let record = |(agent, kind): &(AgentId, ConfigAgentType)| AgentRecord {
            record_type: Some(ConfigRecordType::CONFIG_RECORD_ADD),
            peripheral_id: Some(self.peripheral.0),
            agent_type: Some(*kind),
            login_id: Text::new(agent.as_str()).ok(),
            agent_skill_target_id: Some(icm_agent_id(agent.as_str()).cast_unsigned()),
            ..Default::default()
        };
        self.agents.chunks(RECORDS_MAX).map(move |some| {
            let records: Vec<_> = some.iter().map(record).collect();
            ConfigAgentEvent { num_records: count(&records), records, ..Default::default() }.into()
        })
    }

    fn device_events(&self) -> impl Iterator<Item = AnyMessage> {
        let record = |device: &Instrument| DeviceRecord {
            record_type: Some(ConfigRecordType::CONFIG_RECORD_ADD),
            peripheral_id: Some(self.peripheral.0),
            device_type: Some(ConfigDeviceType::AGENT_DEVICE_EXTENSION),
            extension: Text::new(device.as_str()).ok(),
            ..Default::default()
        };
        self.devices.chunks(RECORDS_MAX).map(move |some| {
            let records: Vec<_> = some.iter().map(record).collect();
            ConfigDeviceEvent { num_records: count(&records), records, ..Default::default() }.into()
        })
    }
}

/// A key that is another one when the part is: never all zero, which would mean that it has to be loaded again.
fn key(part: &impl Hash) -> Option<Data<8>> {
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    Data::new(Bytes::copy_from_slice(&hasher.finish().max(1).to_be_bytes())).ok()
}

fn count<T>(records: &[T]) -> u16 {
    u16::try_from(records.len()).unwrap_or(u16::MAX)
}
