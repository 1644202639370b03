//! Codes of devices, lines and peripherals.
//!
//! Source: GED-188, "Constants and Status Codes". Not here: which field holds which; the messages' tables say.

use super::{codes, masks};

codes! {
    /// What kind of ACD it is. Some were removed in version 25.
    pub struct PeripheralType(u16: Ushort) {
        PT_NONE = 0xffff;
        PT_ASPECT = 1;
        PT_MERIDIAN = 2;
        PT_G2 = 3;
        PT_DEFINITY_ECS_NON_EAS = 4;
        PT_DEFINITY_ECS_EAS = 5;
        PT_GALAXY = 6;
        PT_SPECTRUM = 7;
        PT_VRU = 8;
        PT_VRU_POLLED = 9;
        PT_DMS100 = 10;
        PT_SIEMENS_9006 = 11;
        PT_SIEMENS_9005 = 12;
        PT_ALCATEL = 13;
        PT_NEC_NEAX_2x00 = 14;
        PT_ACP_1000 = 15;
        PT_SYMPOSIUM = 16;
        PT_ENTERPRISE_AGENT = 17;
        PT_MD110 = 18;
        PT_MEDIA_ROUTING = 19;
        PT_GENERIC = 20;
        PT_ACMI_CRS = 21;
        PT_ACMI_IPCC = 22;
        PT_SIMPLIFIED_IPCC = 23;
        PT_ARS = 24;
        PT_ACMI_ERS = 25;
        PT_ACMI_EXPERT_ADVISOR = 26;
    }
}

codes! {
    /// What a device id is.
    pub struct DeviceIdType(u16: Ushort) {
        DEVID_NONE = 0xffff;
        DEVID_DEVICE_IDENTIFIER = 0;
        DEVID_TRUNK_IDENTIFIER = 70;
        DEVID_TRUNK_GROUP_IDENTIFIER = 71;
        DEVID_IP_PHONE_MAC_IDENTIFIER = 72;
        DEVID_CTI_PORT = 73;
        DEVID_ROUTE_POINT = 74;
        DEVID_EXTERNAL = 75;
        DEVID_AGENT_DEVICE = 76;
        DEVID_QUEUE = 77;
        DEVID_NON_ACD_DEVICE_IDENTIFIER = 78;
        DEVID_SHARED_DEVICE_IDENTIFIER = 79;
    }
}

codes! {
    /// What a connection's device id is.
    pub struct ConnectionDeviceIdType(u16: Ushort) {
        CONNECTION_ID_NONE = 0xffff;
        CONNECTION_ID_STATIC = 0;
        CONNECTION_ID_DYNAMIC = 1;
    }
}

codes! {
    /// What a line is for.
    pub struct LineType(u16: Ushort) {
        LINETYPE_INBOUND_ACD = 0;
        LINETYPE_OUTBOUND_ACD = 1;
        LINETYPE_INSIDE = 2;
        LINETYPE_UNKNOWN = 3;
        LINETYPE_SUPERVISOR = 4;
        LINETYPE_MESSAGE = 5;
        LINETYPE_HELP = 6;
        LINETYPE_OUTBOUND = 7;
        LINETYPE_DID = 8;
        LINETYPE_SILENT_MONITOR = 9;
        LINETYPE_NON_ACD_IN = 10;
        LINETYPE_NON_ACD_OUT = 11;
    }
}

codes! {
    /// When calls are forwarded.
    pub struct ForwardType(u16: Ushort) {
        FWT_IMMEDIATE = 0;
        FWT_BUSY = 1;
        FWT_NO_ANS = 2;
        FWT_BUSY_INT = 3;
        FWT_BUSY_EXT = 4;
        FWT_NO_ANS_INT = 5;
        FWT_NO_ANS_EXT = 6;
    }
}

codes! {
    /// What a device is.
    pub struct TypeOfDevice(u16: Ushort) {
        DEVT_STATION = 0;
        DEVT_LINE = 1;
        DEVT_BUTTON = 2;
        DEVT_ACD = 3;
        DEVT_TRUNK = 4;
        DEVT_OPERATOR = 5;
        DEVT_STATION_GROUP = 16;
        DEVT_LINE_GROUP = 17;
        DEVT_BUTTON_GROUP = 18;
        DEVT_ACD_GROUP = 19;
        DEVT_TRUNK_GROUP = 20;
        DEVT_OPERATOR_GROUP = 21;
        DEVT_CTI_PORT_SCCP = 22;
        DEVT_CTI_PORT_SIP = 23;
        DEVT_OTHER = 255;
    }
}

masks! {
    /// What a device carries.
    pub struct ClassOfDevice(u16: Ushort) {
        DEVC_OTHER = 0x0010;
        DEVC_IMAGE = 0x0020;
        DEVC_DATA = 0x0040;
        DEVC_VOICE = 0x0080;
    }
}

masks! {
    /// How transfers and conferences can be set up.
    pub struct TransferConferenceSetupMask(u32: Uint) {
        CONF_SETUP_CONSULT_SPECIFIC = 0x00000001;
        CONF_SETUP_CONSULT_ANY = 0x00000002;
        CONF_SETUP_CONN_HELD = 0x00000004;
        CONF_SETUP_ANY_TWO_CALLS = 0x00000008;
        CONF_SETUP_SINGLE_ACD_CALL = 0x00000010;
        TRANS_SETUP_SINGLE_ACD_CALL = 0x00000020;
        CONF_SETUP_ANY_SINGLE_CALL = 0x00000040;
        TRANS_SETUP_ANY_SINGLE_CALL = 0x00000080;
    }
}

masks! {
    /// Requests that a device supports.
    pub struct CallControlMask(u32: Uint) {
        CONTROL_QUERY_AGENT_STATE = 0x00000001;
        CONTROL_SET_AGENT_STATE = 0x00000002;
        CONTROL_ALTERNATE_CALL = 0x00000004;
        CONTROL_ANSWER_CALL = 0x00000008;
        CONTROL_CLEAR_CALL = 0x00000010;
        CONTROL_CLEAR_CONNECTION = 0x00000020;
        CONTROL_CONFERENCE_CALL = 0x00000040;
        CONTROL_CONSULTATION_CALL = 0x00000080;
        CONTROL_DEFLECT_CALL = 0x00000100;
        CONTROL_HOLD_CALL = 0x00000200;
        CONTROL_MAKE_CALL = 0x00000400;
        CONTROL_MAKE_PREDICTIVE_CALL = 0x00000800;
        CONTROL_RECONNECT_CALL = 0x00001000;
        CONTROL_RETRIEVE_CALL = 0x00002000;
        CONTROL_TRANSFER_CALL = 0x00004000;
        CONTROL_QUERY_DEVICE_INFO = 0x00008000;
        CONTROL_SNAPSHOT_CALL = 0x00010000;
        CONTROL_SNAPSHOT_DEVICE = 0x00020000;
        CONTROL_SEND_DTMF_SIGNAL = 0x00040000;
    }
}

masks! {
    /// What else a device supports.
    pub struct OtherFeatureMask(u32: Uint) {
        FEATURE_POST_ROUTE = 0x00000001;
        FEATURE_UNIQUE_CONSULT_CALLID = 0x00000002;
    }
}
