//! Codes of calls and tasks.
//!
//! Source: GED-188, "Constants and Status Codes". Not here: which field holds which; the messages' tables say.

use super::codes;

codes! {
    /// The state of one end of a call.
    pub struct LocalConnectionState(u16: Ushort) {
        LCS_NONE = 0xffff;
        LCS_NULL = 0;
        LCS_INITIATE = 1;
        LCS_ALERTING = 2;
        LCS_CONNECT = 3;
        LCS_HOLD = 4;
        LCS_QUEUED = 5;
        LCS_FAIL = 6;
    }
}

codes! {
    /// Why a call event happened.
    pub struct EventCause(u16: Ushort) {
        CEC_NONE = 0xffff;
        CEC_ACTIVE_MONITOR = 1;
        CEC_ALTERNATE = 2;
        CEC_BUSY = 3;
        CEC_CALL_BACK = 4;
        CEC_CALL_CANCELLED = 5;
        CEC_CALL_FORWARD_ALWAYS = 6;
        CEC_CALL_FORWARD_BUSY = 7;
        CEC_CALL_FORWARD_NO_ANSWER = 8;
        CEC_CALL_FORWARD = 9;
        CEC_CALL_NOT_ANSWERED = 10;
        CEC_CALL_PICKUP = 11;
        CEC_CAMP_ON = 12;
        CEC_DEST_NOT_OBTAINABLE = 13;
        CEC_DO_NOT_DISTURB = 14;
        CEC_INCOMPATIBLE_DESTINATION = 15;
        CEC_INVALID_ACCOUNT_CODE = 16;
        CEC_KEY_CONFERENCE = 17;
        CEC_LOCKOUT = 18;
        CEC_MAINTENANCE = 19;
        CEC_NETWORK_CONGESTION = 20;
        CEC_NETWORK_NOT_OBTAINABLE = 21;
        CEC_NEW_CALL = 22;
        CEC_NO_AVAILABLE_AGENTS = 23;
        CEC_OVERRIDE = 24;
        CEC_PARK = 25;
        CEC_OVERFLOW = 26;
        CEC_RECALL = 27;
        CEC_REDIRECTED = 28;
        CEC_REORDER_TONE = 29;
        CEC_RESOURCES_NOT_AVAILABLE = 30;
        CEC_SILENT_MONITOR = 31;
        CEC_TRANSFER = 32;
        CEC_TRUNKS_BUSY = 33;
        CEC_VOICE_UNIT_INITIATOR = 34;
        CEC_TIME_OUT = 35;
        CEC_NEW_CALL_INTERFLOW = 36;
        CEC_SIMULATION_INIT_REQUEST = 37;
        CEC_SIMULATION_RESET_REQUEST = 38;
        CEC_CTI_LINK_DOWN = 39;
        CEC_PERIPHERAL_RESET_REQUEST = 40;
        CEC_MD110_CONFERENCE_TRANSFER = 41;
        CEC_REMAINS_IN_Q = 42;
        CEC_SUPERVISOR_ASSIST = 43;
        CEC_EMERGENCY_CALL = 44;
        CEC_SUPERVISOR_CLEAR = 45;
        CEC_SUPERVISOR_MONITOR = 46;
        CEC_SUPERVISOR_WHISPER = 47;
        CEC_SUPERVISOR_BARGE_IN = 48;
        CEC_SUPERVISOR_INTERCEPT = 49;
        CEC_CALL_PARTY_UPDATE_IND = 50;
        CEC_CONSULT = 51;
        CEC_NIC_CALL_CLEAR = 52;
        CEC_DNP = 53;
        CEC_ROUTER_REQUERY_BEFORE_ANSWER = 54;
        CEC_ROUTER_REQUERY_AFTER_ANSWER = 55;
        CEC_NETWORK_ERROR = 56;
        CEC_NETWORK_ERROR_BEFORE_ANSWER = 57;
        CEC_NETWORK_ERROR_AFTER_ANSWER = 58;
        CEC_GREETING = 59;
        CEC_RECORD_AGENT_GREETING = 60;
        CEC_SNAPSHOT = 61;
        CEC_MAX_QUEUE_EXCEEDED = 62;
    }
}

codes! {
    /// Why a call event happened, second table: 1000 plus the disposition.
    pub struct EventCauseExtended(u16: Ushort) {
        CECX_ABAND_NETWORK = 1001;
        CECX_ABAND_LOCAL_QUEUE = 1002;
        CECX_ABAND_RING = 1003;
        CECX_ABAND_DELAY = 1004;
        CECX_ABAND_INTERFLOW = 1005;
        CECX_ABAND_AGENT_TERMINAL = 1006;
        CECX_SHORT = 1007;
        CECX_BUSY = 1008;
        CECX_FORCED_BUSY = 1009;
        CECX_DROP_NO_ANSWER = 1010;
        CECX_DROP_BUSY = 1011;
        CECX_DROP_REORDER = 1012;
        CECX_DROP_HANDLED_PRIMARY_ROUTE = 1013;
        CECX_DROP_HANDLED_OTHER = 1014;
        CECX_REDIRECTED = 1015;
        CECX_CUT_THROUGH = 1016;
        CECX_INTRAFLOW = 1017;
        CECX_INTERFLOW = 1018;
        CECX_RING_NO_ANSWER = 1019;
        CECX_INTERCEPT_REORDER = 1020;
        CECX_INTERCEPT_DENIAL = 1021;
        CECX_TIME_OUT = 1022;
        CECX_VOICE_ENERGY = 1023;
        CECX_NONCLASSIFIED_ENERGY_DETECT = 1024;
        CECX_NO_CUT_THROUGH = 1025;
        CECX_UABORT = 1026;
        CECX_FAILED_SOFTWARE = 1027;
        CECX_BLIND_TRANSFER = 1028;
        CECX_ANNOUNCED_TRANSFER = 1029;
        CECX_CONFERENCED = 1030;
        CECX_DUPLICATE_TRANSFER = 1031;
        CECX_UNMONITORED_DEVICE = 1032;
        CECX_ANSWERING_MACHINE = 1033;
        CECX_NETWORK_BLIND_TRANSFER = 1034;
        CECX_TASK_ABANDONED_IN_ROUTER = 1035;
        CECX_TASK_ABANDONED_BEFORE_OFFERED = 1036;
        CECX_TASK_ABANDONED_WHILE_OFFERED = 1037;
        CECX_NORMAL_END_TASK = 1038;
        CECX_CANT_OBTAIN_TASK_ID = 1039;
        CECX_AGENT_LOGGED_OUT_DURING_TASK = 1040;
        CECX_MAX_TASK_LIFETIME_EXCEEDED = 1041;
        CECX_APPLICATION_PATH_WENT_DOWN = 1042;
        CECX_ICM_ROUTING_COMPLETE = 1043;
        CECX_ICM_ROUTING_DISABLED = 1044;
        CECX_APPL_INVALID_MRD_ID = 1045;
        CECX_APPL_INVALID_DIALOGUE_ID = 1046;
        CECX_APPL_DUPLICATE_DIALOGUE_ID = 1047;
        CECX_APPL_INVALID_INVOKE_ID = 1048;
        CECX_APPL_INVALID_SCRIPT_SELECTOR = 1049;
        CECX_APPL_TERMINATE_DIALOGUE = 1050;
        CECX_TASK_ENDED_DURING_APP_INIT = 1051;
        CECX_CALLED_PARTY_DISCONNECTED = 1052;
        CECX_PARTIAL_CALL = 1053;
        CECX_DROP_NETWORK_CONSULT = 1054;
        CECX_NETWORK_CONSULT_TRANSFER = 1055;
        CECX_NETWORK_CONFERENCE = 1056;
        CECX_ABAND_NETWORK_CONSULT = 1057;
    }
}

codes! {
    /// How a call ended. Names are ours.
    pub struct Disposition(u16: Ushort) {
        DISP_ABANDONED_IN_NETWORK = 1;
        DISP_ABANDONED_IN_LOCAL_QUEUE = 2;
        DISP_ABANDONED_RING = 3;
        DISP_ABANDONED_DELAY = 4;
        DISP_ABANDONED_INTERFLOW = 5;
        DISP_ABANDONED_AGENT_TERMINAL = 6;
        DISP_SHORT = 7;
        DISP_BUSY = 8;
        DISP_FORCED_BUSY = 9;
        DISP_DISCONNECT_NO_ANSWER = 10;
        DISP_DISCONNECT_BUSY = 11;
        DISP_DISCONNECT_REORDER = 12;
        DISP_DISCONNECT_HANDLED_PRIMARY_ROUTE = 13;
        DISP_DISCONNECT_HANDLED_OTHER = 14;
        DISP_REDIRECTED = 15;
        DISP_CUT_THROUGH = 16;
        DISP_INTRAFLOW = 17;
        DISP_INTERFLOW = 18;
        DISP_RING_NO_ANSWER = 19;
        DISP_INTERCEPT_REORDER = 20;
        DISP_INTERCEPT_DENIAL = 21;
        DISP_TIME_OUT = 22;
        DISP_VOICE_ENERGY = 23;
        DISP_NON_CLASSIFIED_ENERGY_DETECTED = 24;
        DISP_NO_CUT_THROUGH = 25;
        DISP_U_ABORT = 26;
        DISP_FAILED_SOFTWARE = 27;
        DISP_BLIND_TRANSFER = 28;
        DISP_ANNOUNCED_TRANSFER = 29;
        DISP_CONFERENCED = 30;
        DISP_DUPLICATE_TRANSFER = 31;
        DISP_UNMONITORED_DEVICE = 32;
        DISP_ANSWERING_MACHINE = 33;
        DISP_NETWORK_BLIND_TRANSFER = 34;
        DISP_TASK_ABANDONED_IN_ROUTER = 35;
        DISP_TASK_ABANDONED_BEFORE_OFFERED = 36;
        DISP_TASK_ABANDONED_WHILE_OFFERED = 37;
        DISP_NORMAL_END_TASK = 38;
        DISP_CANT_OBTAIN_TASK_ID = 39;
        DISP_AGENT_LOGGED_OUT_DURING_TASK = 40;
        DISP_MAX_TASK_LIFETIME_EXCEEDED = 41;
        DISP_APPLICATION_PATH_WENT_DOWN = 42;
        DISP_ROUTING_COMPLETE = 43;
        DISP_ROUTING_DISABLED = 44;
        DISP_APPLICATION_INVALID_MRD_ID = 45;
        DISP_APPLICATION_INVALID_DIALOGUE_ID = 46;
        DISP_APPLICATION_DUPLICATE_DIALOGUE_ID = 47;
        DISP_APPLICATION_INVALID_INVOKE_ID = 48;
        DISP_APPLICATION_INVALID_SCRIPT_SELECTOR = 49;
        DISP_APPLICATION_TERMINATE_DIALOGUE = 50;
        DISP_TASK_ENDED_DURING_APPLICATION_INIT = 51;
        DISP_CALLED_PARTY_DISCONNECTED = 52;
        DISP_PARTIAL_CALL = 53;
        DISP_DROP_NETWORK_CONSULT = 54;
        DISP_NETWORK_CONSULT_TRANSFER = 55;
        DISP_ABANDON_NETWORK_CONSULT = 57;
        DISP_ROUTER_REQUERY_BEFORE_ANSWER = 58;
        DISP_ROUTER_REQUERY_AFTER_ANSWER = 59;
        DISP_NETWORK_ERROR = 60;
        DISP_NETWORK_ERROR_BEFORE_ANSWER = 61;
        DISP_NETWORK_ERROR_AFTER_ANSWER = 62;
        DISP_TASK_TRANSFERRED = 63;
        DISP_APPLICATION_DISCONNECTED = 64;
        DISP_TASK_TRANSFERRED_ON_AGENT_LOGOUT = 65;
    }
}

codes! {
    /// What kind of call it is.
    pub struct CallType(u16: Ushort) {
        CALLTYPE_ACD_IN = 1;
        CALLTYPE_PREROUTE_ACD_IN = 2;
        CALLTYPE_PREROUTE_DIRECT_AGENT = 3;
        CALLTYPE_TRANSFER_IN = 4;
        CALLTYPE_OVERFLOW_IN = 5;
        CALLTYPE_OTHER_IN = 6;
        CALLTYPE_AUTO_OUT = 7;
        CALLTYPE_AGENT_OUT = 8;
        CALLTYPE_OUT = 9;
        CALLTYPE_AGENT_INSIDE = 10;
        CALLTYPE_OFFERED = 11;
        CALLTYPE_CONSULT = 12;
        CALLTYPE_CONSULT_OFFERRED = 13;
        CALLTYPE_CONSULT_CONFERENCE = 14;
        CALLTYPE_CONFERENCE = 15;
        CALLTYPE_UNMONITORED = 16;
        CALLTYPE_PREVIEW = 17;
        CALLTYPE_RESERVATION = 18;
        CALLTYPE_ASSIST = 19;
        CALLTYPE_EMERGENCY = 20;
        CALLTYPE_SUPERVISOR_MONITOR = 21;
        CALLTYPE_SUPERVISOR_WHISPER = 22;
        CALLTYPE_SUPERVISOR_BARGEIN = 23;
        CALLTYPE_SUPERVISOR_INTERCEPT = 24;
        CALLTYPE_TASK_ROUTED_BY_ICM = 25;
        CALLTYPE_TASK_ROUTED_BY_APPLICATION = 26;
        RESERVATION_PREVIEW = 27;
        RESERVATION_PREVIEW_DIRECT = 28;
        RESERVATION_PREDICTIVE = 29;
        RESERVATION_CALLBACK = 30;
        RESERVATION_PERSONAL_CALLBACK = 31;
        CUSTOMER_PREVIEW = 32;
        CUSTOMER_PREVIEW_DIRECT = 33;
        CUSTOMER_PREDICTIVE = 34;
        CUSTOMER_CALLBACK = 35;
        CUSTOMER_PERSONAL = 36;
        CUSTOMER_IVR = 37;
        CALLTYPE_NON_ACD = 38;
        CALLTYPE_PLAY_AGENT_GREETING = 39;
        CALLTYPE_RECORD_AGENT_GREETING = 40;
        CALLTYPE_VOICE_CALL_BACK = 41;
    }
}

codes! {
    /// When a predictive call is given to an agent.
    pub struct AllocationState(u16: Ushort) {
        ALLOC_CALL_DELIVERED = 0;
        ALLOC_CALL_ESTABLISHED = 1;
    }
}

codes! {
    /// How a call is to be placed.
    pub struct CallPlacementType(u16: Ushort) {
        CPT_UNSPECIFIED = 0;
        CPT_LINE_CALL = 1;
        CPT_OUTBOUND = 2;
        CPT_OUTBOUND_NO_ACCESS_CODE = 3;
        CPT_DIRECT_POSITION = 4;
        CPT_DIRECT_AGENT = 5;
        CPT_SUPERVISOR_ASSIST = 6;
    }
}

codes! {
    /// How hard a call is to be tried.
    pub struct CallMannerType(u16: Ushort) {
        CMT_UNSPECIFIED = 0;
        CMT_POLITE = 1;
        CMT_BELLIGERENT = 2;
        CMT_SEMI_POLITE = 3;
        CMT_RESERVED = 4;
    }
}

codes! {
    /// Options of a new call.
    pub struct CallOption(u16: Ushort) {
        COPT_UNSPECIFIED = 0;
        COPT_CALLING_AGENT_ONLINE = 1;
        COPT_CALLING_AGENT_RESERVED = 2;
        COPT_CALLING_AGENT_NOT_RESERVED = 3;
        COPT_CALLING_AGENT_BUZZ_BASE = 4;
        COPT_CALLING_AGENT_BEEP_HSET = 5;
        COPT_SERVICE_CIRCUIT_ON = 6;
    }
}

codes! {
    /// What a consultation call is for.
    pub struct ConsultType(u16: Ushort) {
        CT_UNSPECIFIED = 0;
        CT_TRANSFER = 1;
        CT_CONFERENCE = 2;
    }
}

codes! {
    /// What a call goes out through.
    pub struct FacilityType(u16: Ushort) {
        FT_UNSPECIFIED = 0;
        FT_TRUNK_GROUP = 1;
        FT_SKILL_GROUP = 2;
    }
}

codes! {
    /// What to do with an answering machine.
    pub struct AnsweringMachine(u16: Ushort) {
        AM_UNSPECIFIED = 0;
        AM_CONNECT = 1;
        AM_DISCONNECT = 2;
        AM_NONE = 3;
        AM_NONE_NO_MODEM = 4;
        AM_CONNECT_NO_MODEM = 5;
    }
}

codes! {
    /// How an answer is told from a machine.
    pub struct AnswerDetectMode(u16: Ushort) {
        ADM_UNSPECIFIED = 0;
        ADM_VOICE_THRESHOLD = 1;
        ADM_VOICE_END = 2;
        ADM_VOICE_END_DELAY = 3;
        ADM_VOICE_AND_BEEP = 4;
        ADM_BEEP = 5;
    }
}

codes! {
    /// Where a predictive call goes.
    pub struct DestinationCountry(u16: Ushort) {
        DEST_UNSPECIFIED = 0;
        DEST_US_AND_CANADA = 1;
    }
}

codes! {
    /// Whether a call is a silent monitor.
    pub struct SilentMonitorStatus(u16: Ushort) {
        SILENT_MONITOR_NONE = 0;
        SILENT_MONITOR_INITIATOR = 1;
        SILENT_MONITOR_TARGET = 2;
    }
}

codes! {
    /// The state of a task, from version 20.
    pub struct TaskState(u16: Ushort) {
        TASK_STATE_PRE_CALL = 0;
        TASK_STATE_ACTIVE = 1;
        TASK_STATE_WRAPUP = 2;
        TASK_STATE_PAUSED = 3;
        TASK_STATE_OFFERED = 4;
        TASK_STATE_INTERRUPTED = 5;
        TASK_STATE_NOT_READY = 6;
        TASK_STATE_LOGGED_OUT = 7;
    }
}
