//! Codes of agents, teams and control failures.
//!
//! Source: GED-188, "Constants and Status Codes". Not here: which field holds which; the messages' tables say.

use super::{codes, masks};

codes! {
    /// Why a control request failed: CONTROL_FAILURE_CONF.
    pub struct ControlFailure(u16: Ushort) {
        CF_GENERIC_UNSPECIFIED = 0;
        CF_GENERIC_OPERATION = 1;
        CF_REQUEST_INCOMPATIBLE_WITH_OBJECT = 2;
        CF_VALUE_OUT_OF_RANGE = 3;
        CF_OBJECT_NOT_KNOWN = 4;
        CF_INVALID_CALLING_DEVICE = 5;
        CF_INVALID_CALLED_DEVICE = 6;
        CF_INVALID_FORWARDING_DESTINATION = 7;
        CF_PRIVILEGE_VIOLATION_ON_SPECIFIED_DEVICE = 8;
        CF_PRIVILEGE_VIOLATION_ON_CALLED_DEVICE = 9;
        CF_PRIVILEGE_VIOLATION_ON_CALLING_DEVICE = 10;
        CF_INVALID_CSTA_CALL_IDENTIFIER = 11;
        CF_INVALID_CSTA_DEVICE_IDENTIFIER = 12;
        CF_INVALID_CSTA_CONNECTION_IDENTIFIER = 13;
        CF_INVALID_DESTINATION = 14;
        CF_INVALID_FEATURE = 15;
        CF_INVALID_ALLOCATION_STATE = 16;
        CF_INVALID_CROSS_REF_ID = 17;
        CF_INVALID_OBJECT_TYPE = 18;
        CF_SECURITY_VIOLATION = 19;
        CF_GENERIC_STATE_INCOMPATIBILITY = 21;
        CF_INVALID_OBJECT_STATE = 22;
        CF_INVALID_CONNECTION_ID_FOR_ACTIVE_CALL = 23;
        CF_NO_ACTIVE_CALL = 24;
        CF_NO_HELD_CALL = 25;
        CF_NO_CALL_TO_CLEAR = 26;
        CF_NO_CONNECTION_TO_CLEAR = 27;
        CF_NO_CALL_TO_ANSWER = 28;
        CF_NO_CALL_TO_COMPLETE = 29;
        CF_GENERIC_SYSTEM_RESOURCE_AVAILABILITY = 31;
        CF_SERVICE_BUSY = 32;
        CF_RESOURCE_BUSY = 33;
        CF_RESOURCE_OUT_OF_SERVICE = 34;
        CF_NETWORK_BUSY = 35;
        CF_NETWORK_OUT_OF_SERVICE = 36;
        CF_OVERALL_MONITOR_LIMIT_EXCEEDED = 37;
        CF_CONFERENCE_MEMBER_LIMIT_EXCEEDED = 38;
        CF_GENERIC_SUBSCRIBED_RESOURCE_AVAILABILITY = 41;
        CF_OBJECT_MONITOR_LIMIT_EXCEEDED = 42;
        CF_EXTERNAL_TRUNK_LIMIT_EXCEEDED = 43;
        CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED = 44;
        CF_GENERIC_PERFORMANCE_MANAGEMENT = 51;
        CF_PERFORMANCE_LIMIT_EXCEEDED = 52;
        CF_SEQUENCE_NUMBER_VIOLATED = 61;
        CF_TIME_STAMP_VIOLATED = 62;
        CF_PAC_VIOLATED = 63;
        CF_SEAL_VIOLATED = 64;
        CF_GENERIC_UNSPECIFIED_REJECTION = 70;
        CF_GENERIC_OPERATION_REJECTION = 71;
        CF_DUPLICATE_INVOCATION_REJECTION = 72;
        CF_UNRECOGNIZED_OPERATION_REJECTION = 73;
        CF_MISTYPED_ARGUMENT_REJECTION = 74;
        CF_RESOURCE_LIMITATION_REJECTION = 75;
        CF_ACS_HANDLE_TERMINATION_REJECTION = 76;
        CF_SERVICE_TERMINATION_REJECTION = 77;
        CF_REQUEST_TIMEOUT_REJECTION = 78;
        CF_REQUESTS_ON_DEVICE_EXCEEDED_REJECTION = 79;
        CF_INVALID_AGENT_ID_SPECIFIED = 256;
        CF_INVALID_PASSWORD_SPECIFIED = 257;
        CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED = 258;
        CF_SPECIFIED_AGENT_ALREADY_SIGNED_ON = 259;
        CF_INVALID_LOGON_DEVICE_SPECIFIED = 260;
        CF_INVALID_ANSWERING_DEVICE_SPECIFIED = 261;
        CF_INVALID_SKILL_GROUP_SPECIFIED = 262;
        CF_INVALID_CLASS_OF_SERVICE_SPECIFIED = 263;
        CF_INVALID_TEAM_SPECIFIED = 264;
        CF_INVALID_AGENT_WORKMODE = 265;
        CF_INVALID_AGENT_REASON_CODE = 266;
        CF_ADJUNCT_SWITCH_COMM_ERROR = 267;
        CF_AGENT_NOT_PARTY_ON_CALL = 268;
        CF_INTERNAL_PROCESSING_ERROR = 269;
        CF_TAKE_CALL_CONTROL_REJECTION = 270;
        CF_TAKE_DOMAIN_CONTROL_REJECTION = 271;
        CF_REQUESTED_SERVICE_NOT_REGISTERED = 272;
        CF_INVALID_CONSULT_TYPE = 273;
        CF_ANSMAP_OR_ADPARAM_FIELD_NOT_VALID = 274;
        CF_INVALID_CALL_CONTROL_TABLE_SPECIFIED = 275;
        CF_INVALID_DIGITS_RNATIMEOUT_AMSDELAY_OR_COUNTRY = 276;
        CF_ANSWER_DETECT_PORT_UNAVAILABLE = 277;
        CF_VIRTUAL_AGENT_UNAVAILABLE = 278;
        CF_TAKEBACK_N_XFER_ROUTE_END = 279;
        CF_WRAPUP_DATA_REQUIRED = 280;
        CF_REASON_CODE_REQUIRED = 281;
        CF_INVALID_TRUNK_ID_SPECIFIED = 282;
        CF_SPECIFIED_EXTENSION_ALREADY_IN_USE = 283;
        CF_ARBITRARY_CONF_OR_XFER_NOT_SUPPORTED = 284;
        CF_NETWORK_TRANSFER_OR_CONSULT = 285;
        CF_NETWORK_TRANSFER_OR_CONSULT_FAILED = 286;
        CF_DEVICE_RESTRICTED = 287;
        CF_LINE_RESTRICTED = 288;
        CF_AGENT_ACCOUNT_LOCKED_OUT = 289;
        CF_DROP_ANY_PARTY_NOT_ENABLED_CTI = 290;
        CF_MAXIMUM_LINE_LIMIT_EXCEEDED = 291;
        CF_SHARED_LINES_NOT_SUPPORTED = 292;
        CF_EXTENSION_NOT_UNIQUE = 293;
        CF_UNKNOWN_INTERFACE_CTRLR_ID = 1001;
        CF_INVALID_INTERFACE_CTRLR_TYPE = 1002;
        CF_SOFTWARE_REV_NO_SUPPORTED = 1003;
        CF_UNKNOWN_PID = 1004;
        CF_INVALID_TABLE_SPECIFIED = 1005;
        CF_PD_SERVICE_INACTIVE = 1006;
        CF_UNKNOWN_ROUTING_CLIENT_ID = 1007;
        CF_RC_SERVICE_INACTIVATE = 1008;
        CF_INVALID_DIALED_NUMBER = 1009;
        CF_INVALID_PARAMETER = 1010;
        CF_UNKNOWN_ROUTING_PROBLEM = 1011;
        CF_UNSUPPORTED_PD_MESSAGE_REVISION = 1012;
        CF_UNSUPPORTED_RC_MESSAGE_REVISION = 1013;
        CF_UNSUPPORTED_IC_MESSAGE_REVISION = 1014;
        CF_RC_SERVICE_INACTIVATE_PIM = 1015;
        CF_AGENT_GREETING_CONTROL_OPERATION_FAILURE = 1016;
    }
}

codes! {
    /// What an agent is doing, overall or in one skill group.
    pub struct AgentState(u16: Ushort) {
        AGENT_STATE_LOGIN = 0;
        AGENT_STATE_LOGOUT = 1;
        AGENT_STATE_NOT_READY = 2;
        AGENT_STATE_AVAILABLE = 3;
        AGENT_STATE_TALKING = 4;
        AGENT_STATE_WORK_NOT_READY = 5;
        AGENT_STATE_WORK_READY = 6;
        AGENT_STATE_BUSY_OTHER = 7;
        AGENT_STATE_RESERVED = 8;
        AGENT_STATE_UNKNOWN = 9;
        AGENT_STATE_HOLD = 10;
        AGENT_STATE_ACTIVE = 11;
        AGENT_STATE_PAUSED = 12;
        AGENT_STATE_INTERRUPTED = 13;
        AGENT_STATE_NOT_ACTIVE = 14;
    }
}

codes! {
    /// How a login or a state is meant.
    pub struct AgentWorkMode(u16: Ushort) {
        AWM_UNSPECIFIED = 0;
        AWM_AUTO_IN = 1;
        AWM_MANUAL_IN = 2;
        RA_CALL_BY_CALL = 3;
        RA_NAILED_CONNECTION = 4;
    }
}

codes! {
    /// AgentMode as the guides of 23 to 25 print it; those of 14 to 17 print the opposite. Names are ours.
    pub struct AgentMode(u16: Ushort) {
        NOT_ROUTABLE = 0;
        ROUTABLE = 1;
    }
}

codes! {
    /// For what an agent is available. Names are ours.
    pub struct AgentAvailability(u32: Uint) {
        NOT_AVAILABLE = 0;
        ICM_AVAILABLE = 1;
        APPLICATION_AVAILABLE = 2;
    }
}

codes! {
    /// Direction of the agent's call in AGENT_STATE_EVENT. Names are ours.
    pub struct AgentCallDirection(u32: Uint) {
        NONE = 0;
        IN = 1;
        OUT = 2;
        OTHER_IN = 3;
        OTHER_OUT = 4;
        OUTBOUND_RESERVE = 5;
        OUTBOUND_PREVIEW = 6;
        OUTBOUND_PREDICTIVE = 7;
    }
}

codes! {
    /// Whether SET_AGENT_STATE_REQ is to be done regardless of validity. Names are ours.
    pub struct ForcedFlag(u8: Uchar) {
        FALSE = 0;
        TRUE = 1;
        AUTHENTICATE_ONLY = 2;
    }
}

masks! {
    /// What an agent that logs in can do.
    pub struct AgentServiceRequest(u32: Uint) {
        OUTBOUND_SUPPORT = 0x00000001;
    }
}

codes! {
    /// What a supervisor does to a call.
    pub struct SupervisoryAction(u16: Ushort) {
        SUPERVISOR_CLEAR = 0;
        SUPERVISOR_MONITOR = 1;
        SUPERVISOR_WHISPER = 2;
        SUPERVISOR_BARGE_IN = 3;
        SUPERVISOR_INTERCEPT = 4;
    }
}

masks! {
    /// Settings of an agent desktop.
    pub struct DeskSettingsMask(u32: Uint) {
        DESK_AVAIL_AFTER_INCOMING_MASK = 0x00000001;
        DESK_AVAIL_AFTER_OUTGOING_MASK = 0x00000002;
        DESK_AUTO_ANSWER_ENABLED_MASK = 0x00000004;
        DESK_IDLE_REASON_REQUIRED_MASK = 0x00000008;
        DESK_LOGOUT_REASON_REQUIRED_MASK = 0x00000010;
        DESK_SUPERVISOR_CALLS_ALLOWED_MASK = 0x00000020;
        DESK_AGENT_TO_AGENT_CALLS_ALLOWED = 0x00000040;
        DESK_OUTBOUND_ACCESS_INTERNATIONAL_MASK = 0x00000080;
        DESK_OUTBOUND_ACCESS_PUBLIC_NET_MASK = 0x00000100;
        DESK_OUTBOUND_ACCESS_PRIVATE_NET_MASK = 0x00000200;
        DESK_OUTBOUND_ACCESS_OPERATOR_ASSISTED_MASK = 0x00000400;
        DESK_OUTBOUND_ACCESS_PBX_MASK = 0x00000800;
        DESK_NON_ACD_CALLS_ALLOWED_MASK = 0x00001000;
        DESK_AGENT_CAN_SELECT_GROUP_MASK = 0x00002000;
    }
}

codes! {
    /// Whether wrap-up data is asked for. Names are ours.
    pub struct WrapupMode(u32: Uint) {
        REQUIRED = 0;
        OPTIONAL = 1;
        NOT_ALLOWED = 2;
        REQUIRED_WITH_WRAPUP_DATA = 3;
    }
}

masks! {
    /// What a member of a team is; 0 is a regular agent. Names are ours.
    pub struct AgentFlags(u16: Ushort) {
        PRIMARY_SUPERVISOR = 0x0001;
        TEMPORARY_AGENT = 0x0002;
        SUPERVISOR = 0x0004;
    }
}

codes! {
    /// What happens to a member of a team. Names are ours.
    pub struct TeamConfigOperation(u16: Ushort) {
        RESTORE_PERMANENT = 0;
        ADD_AGENT = 1;
        REMOVE_AGENT = 2;
    }
}

codes! {
    /// What happens to the agent greeting, from version 15. Names are ours.
    pub struct AgentGreetingAction(u16: Ushort) {
        STOP = 0;
        DISABLE = 1;
        ENABLE = 2;
    }
}

codes! {
    /// Services that help an agent, from version 24. Names are ours.
    pub struct EnabledService(u16: Ushort) {
        AGENT_ANSWERS = 1;
        AGENT_CALL_TRANSCRIPTION = 2;
    }
}

codes! {
    /// Reason codes that Contact Center Express sets itself. Incomplete.
    pub struct UccxReasonCode(u16: Ushort) {
        AGT_RELOGON = 32767;
        AGT_CONN_DOWN = 32765;
        CCX_FAILURE = 32764;
        AGT_RNA = 32763;
        AGT_OFFHOOK = 32762;
        AGT_NON_ICD = 32761;
        AGT_LOGON = 32760;
        AGT_PHONE_DOWN = 32759;
        AGT_WORK_TIMER_EXP = 32758;
        CM_FAILOVER = 32757;
        AGT_PHONE_UP = 32756;
        AGT_CALL_ENDED = 32755;
        AGT_DEVICE_RESTRICTED = 32754;
        AGT_LINE_RESTRICTED = 32753;
        AGT_CANCEL_RESERVATION = 32752;
        AGT_SKIPS = 32751;
        AGT_ICD_EXTENSION_CHANGED = 32750;
        AGT_CANCEL_CONSULT = 32749;
    }
}

codes! {
    /// What Contact Center Express puts in the place of PeripheralErrorCode. Incomplete.
    pub struct UccxErrorCode(u32: Uint) {
        CCX_DEFAULT_ERROR_CODE = 0;
        CCX_JTAPI_CCM_PROBLEM = 88001;
        CCX_LOOKUP_FAILURE = 88002;
        CCX_AGENT_DN_NOT_ASSIGNED = 88003;
        CCX_AGENT_DEVICE_OFF = 88004;
        CCX_AGENT_DEVICE_BUSY = 88005;
        CCX_RMCM_CONTACT_NULL = 88006;
        CCX_RMCM_CONTACT_INVALID = 88007;
        CCX_AGENT_NULL = 88008;
        CCX_AGENT_INVALID = 88009;
        CCX_INVALID_ARGUMENT = 88010;
        CCX_NO_CALLBACK_FROM_AGENT = 88011;
        CCX_CALL_ID_NULL = 88012;
        CCX_CALL_OBJECT_NULL = 88013;
        CCX_JTAPI_PROVIDER_NULL = 88014;
        CCX_DIALED_NUMBER_NULL = 88015;
        CCX_DEVICE_ID_NULL = 88016;
        CCX_TERMINAL_CONNECTION_NULL = 88017;
    }
}
