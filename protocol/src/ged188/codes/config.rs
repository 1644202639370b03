//! Codes of configuration records.
//!
//! Source: GED-188, "Constants and Status Codes". Not here: which field holds which; the messages' tables say.

use super::codes;

codes! {
    /// What a configuration key is good for.
    pub struct ConfigKeyStatus(u32: Uint) {
        CONFIG_SUCCESS = 0;
        CONFIG_SERVICE_PROVIDER = 1;
        CONFIG_NO_KEY_SUPPORT = 2;
        CONFIG_UNKNOWN_CUSTOMER = 3;
    }
}

codes! {
    /// Whether configuration was asked for. Names are ours.
    pub struct ConfigType(u16: Ushort) {
        UNUSED = 0;
        SOLICITED = 1;
        UNSOLICITED = 2;
    }
}

codes! {
    /// What happened to a configuration record.
    pub struct ConfigRecordType(u16: Ushort) {
        CONFIG_RECORD_ADD = 0;
        CONFIG_RECORD_CHANGE = 1;
        CONFIG_RECORD_DELETE = 2;
    }
}

codes! {
    /// What kind of agent a record is of.
    pub struct ConfigAgentType(u16: Ushort) {
        CONFIG_AGENT = 1;
        CONFIG_SUPERVISOR = 2;
    }
}

codes! {
    /// What kind of device a record is of. Names are ours.
    pub struct ConfigDeviceType(u16: Ushort) {
        UNKNOWN = 0;
        SERVICE = 1;
        SKILL_GROUP = 2;
        AGENT_ID = 3;
        AGENT_DEVICE_EXTENSION = 4;
        ROUTE_POINT = 5;
        CTI_PORT = 6;
        CALL_CONTROL_GROUP = 7;
    }
}
