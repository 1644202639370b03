//! The numbers of messages and their names: the guide's whole type table, declared messages or not.
//!
//! Source: GED-188, "Messaging Conventions", table of message types, with the numbers that only chapter 5 prints.
//! Where the guide contradicts itself (the network recording messages) the type table's numbers 267 to 274 stand here.

use std::fmt;

/// A message's number in the header. Every number is one, named or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u32);

impl MessageType {
    /// The guide's name; none if the number is in no table.
    pub fn name(self) -> Option<&'static str> {
        row(self.0).map(|row| row.1)
    }

    /// The first version that has it; 0 where no source says, or the number is in no table.
    pub fn since(self) -> u8 {
        row(self.0).map(|row| row.2).unwrap_or_default()
    }

    /// The number of the guide's name, such as `OPEN_REQ`.
    pub fn named(name: &str) -> Option<MessageType> {
        TYPES.iter().find(|row| row.1 == name).map(|row| MessageType(row.0))
    }

    /// Every number of the table, ascending.
    pub fn all() -> impl Iterator<Item = MessageType> {
        TYPES.iter().map(|row| MessageType(row.0))
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "message type {}", self.0),
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "MessageType({})", self.0),
        }
    }
}

fn row(number: u32) -> Option<&'static (u32, &'static str, u8)> {
    let place = PLACES.get(number as usize)?.checked_sub(1)?;
    TYPES.get(usize::from(place))
}

/// Of each number its row's place, counted from 1; 0 where there is none. Every frame is looked up here.
static PLACES: [u8; 512] = {
    assert!(TYPES.len() < 256, "a place is a byte");
    let (mut places, mut place) = ([0; 512], 0);
    while place < TYPES.len() {
        places[TYPES[place].0 as usize] = place as u8 + 1;
        place += 1;
    }
    places
};

/// The table: name, number, first version. Ascending by number.
macro_rules! message_types {
    ($( $name:ident = $number:literal $(, since $since:literal)?; )*) => {
        impl MessageType {
            $( #[doc = concat!("Number ", $number, ".")] pub const $name: MessageType = MessageType($number); )*
        }

        const TYPES: &[(u32, &str, u8)] = &[$( ($number, stringify!($name), 0 $(+ $since)?), )*];
    };
}

message_types! {
    FAILURE_CONF = 1;
    FAILURE_EVENT = 2;
    OPEN_REQ = 3;
    OPEN_CONF = 4;
    HEARTBEAT_REQ = 5;
    HEARTBEAT_CONF = 6;
    CLOSE_REQ = 7;
    CLOSE_CONF = 8;
    CALL_DELIVERED_EVENT = 9;
    CALL_ESTABLISHED_EVENT = 10;
    CALL_HELD_EVENT = 11;
    CALL_RETRIEVED_EVENT = 12;
    CALL_CLEARED_EVENT = 13;
    CALL_CONNECTION_CLEARED_EVENT = 14;
    CALL_ORIGINATED_EVENT = 15;
    CALL_FAILED_EVENT = 16;
    CALL_CONFERENCED_EVENT = 17;
    CALL_TRANSFERRED_EVENT = 18;
    CALL_DIVERTED_EVENT = 19;
    CALL_SERVICE_INITIATED_EVENT = 20;
    CALL_QUEUED_EVENT = 21;
    CALL_TRANSLATION_ROUTE_EVENT = 22;
    BEGIN_CALL_EVENT = 23;
    END_CALL_EVENT = 24;
    CALL_DATA_UPDATE_EVENT = 25;
    SET_CALL_DATA_REQ = 26;
    SET_CALL_DATA_CONF = 27;
    RELEASE_CALL_REQ = 28;
    RELEASE_CALL_CONF = 29;
    AGENT_STATE_EVENT = 30;
    SYSTEM_EVENT = 31;
    CLIENT_EVENT_REPORT_REQ = 32;
    CLIENT_EVENT_REPORT_CONF = 33;
    CALL_REACHED_NETWORK_EVENT = 34;
    CONTROL_FAILURE_CONF = 35;
    QUERY_AGENT_STATE_REQ = 36;
    QUERY_AGENT_STATE_CONF = 37;
    SET_AGENT_STATE_REQ = 38;
    SET_AGENT_STATE_CONF = 39;
    ALTERNATE_CALL_REQ = 40;
    ALTERNATE_CALL_CONF = 41;
    ANSWER_CALL_REQ = 42;
    ANSWER_CALL_CONF = 43;
    CLEAR_CALL_REQ = 44;
    CLEAR_CALL_CONF = 45;
    CLEAR_CONNECTION_REQ = 46;
    CLEAR_CONNECTION_CONF = 47;
    CONFERENCE_CALL_REQ = 48;
    CONFERENCE_CALL_CONF = 49;
    CONSULTATION_CALL_REQ = 50;
    CONSULTATION_CALL_CONF = 51;
    DEFLECT_CALL_REQ = 52;
    DEFLECT_CALL_CONF = 53;
    HOLD_CALL_REQ = 54;
    HOLD_CALL_CONF = 55;
    MAKE_CALL_REQ = 56;
    MAKE_CALL_CONF = 57;
    MAKE_PREDICTIVE_CALL_REQ = 58;
    MAKE_PREDICTIVE_CALL_CONF = 59;
    RECONNECT_CALL_REQ = 60;
    RECONNECT_CALL_CONF = 61;
    RETRIEVE_CALL_REQ = 62;
    RETRIEVE_CALL_CONF = 63;
    TRANSFER_CALL_REQ = 64;
    TRANSFER_CALL_CONF = 65;
    QUERY_DEVICE_INFO_REQ = 78;
    QUERY_DEVICE_INFO_CONF = 79;
    SNAPSHOT_CALL_REQ = 82;
    SNAPSHOT_CALL_CONF = 83;
    SNAPSHOT_DEVICE_REQ = 84;
    SNAPSHOT_DEVICE_CONF = 85;
    CALL_DEQUEUED_EVENT = 86;
    SEND_DTMF_SIGNAL_REQ = 91;
    SEND_DTMF_SIGNAL_CONF = 92;
    MONITOR_START_REQ = 93, since 5;
    MONITOR_START_CONF = 94, since 5;
    MONITOR_STOP_REQ = 95, since 5;
    MONITOR_STOP_CONF = 96, since 5;
    CHANGE_MONITOR_MASK_REQ = 97, since 5;
    CHANGE_MONITOR_MASK_CONF = 98, since 5;
    CLIENT_SESSION_OPENED_EVENT = 99, since 5;
    CLIENT_SESSION_CLOSED_EVENT = 100, since 5;
    SESSION_MONITOR_START_REQ = 101, since 5;
    SESSION_MONITOR_START_CONF = 102, since 5;
    SESSION_MONITOR_STOP_REQ = 103, since 5;
    SESSION_MONITOR_STOP_CONF = 104, since 5;
    AGENT_PRE_CALL_EVENT = 105, since 6;
    AGENT_PRE_CALL_ABORT_EVENT = 106, since 6;
    USER_MESSAGE_REQ = 107, since 6;
    USER_MESSAGE_CONF = 108, since 6;
    USER_MESSAGE_EVENT = 109, since 6;
    REGISTER_VARIABLES_REQ = 110, since 6;
    REGISTER_VARIABLES_CONF = 111, since 6;
    QUERY_AGENT_STATISTICS_REQ = 112, since 6;
    QUERY_AGENT_STATISTICS_CONF = 113, since 6;
    QUERY_SKILL_GROUP_STATISTICS_REQ = 114, since 6;
    QUERY_SKILL_GROUP_STATISTICS_CONF = 115, since 6;
    RTP_STARTED_EVENT = 116, since 7;
    RTP_STOPPED_EVENT = 117, since 7;
    SUPERVISOR_ASSIST_REQ = 118, since 6;
    SUPERVISOR_ASSIST_CONF = 119, since 6;
    SUPERVISOR_ASSIST_EVENT = 120;
    EMERGENCY_CALL_REQ = 121, since 6;
    EMERGENCY_CALL_CONF = 122, since 6;
    EMERGENCY_CALL_EVENT = 123;
    SUPERVISE_CALL_REQ = 124, since 8;
    SUPERVISE_CALL_CONF = 125, since 8;
    AGENT_TEAM_CONFIG_REQ = 126, since 8;
    AGENT_TEAM_CONFIG_CONF = 127, since 8;
    AGENT_TEAM_CONFIG_EVENT = 128, since 8;
    SET_APP_DATA_REQ = 129, since 8;
    SET_APP_DATA_CONF = 130, since 8;
    AGENT_DESK_SETTINGS_REQ = 131, since 8;
    AGENT_DESK_SETTINGS_CONF = 132, since 8;
    LIST_AGENT_TEAM_REQ = 133, since 8;
    LIST_AGENT_TEAM_CONF = 134, since 8;
    MONITOR_AGENT_TEAM_START_REQ = 135, since 8;
    MONITOR_AGENT_TEAM_START_CONF = 136, since 8;
    MONITOR_AGENT_TEAM_STOP_REQ = 137, since 8;
    MONITOR_AGENT_TEAM_STOP_CONF = 138, since 8;
    BAD_CALL_REQ = 139, since 8;
    BAD_CALL_CONF = 140, since 8;
    SET_DEVICE_ATTRIBUTES_REQ = 141, since 8;
    SET_DEVICE_ATTRIBUTES_CONF = 142, since 8;
    REGISTER_SERVICE_REQ = 143, since 8;
    REGISTER_SERVICE_CONF = 144, since 8;
    UNREGISTER_SERVICE_REQ = 145, since 8;
    UNREGISTER_SERVICE_CONF = 146, since 8;
    START_RECORDING_REQ = 147, since 8;
    START_RECORDING_CONF = 148, since 8;
    STOP_RECORDING_REQ = 149, since 8;
    STOP_RECORDING_CONF = 150, since 8;
    MEDIA_LOGIN_REQ = 151;
    MEDIA_LOGIN_RESP = 152;
    MEDIA_LOGOUT_IND = 153;
    MAKE_AGENT_ROUTABLE_IND = 154;
    MAKE_AGENT_NOT_ROUTABLE_REQ = 155;
    MAKE_AGENT_NOT_ROUTABLE_RESP = 156;
    MAKE_AGENT_READY_IND = 157;
    MAKE_AGENT_NOT_READY_REQ = 158;
    MAKE_AGENT_NOT_READY_RESP = 159;
    OFFER_TASK_IND = 160;
    OFFER_APPLICATION_TASK_REQ = 161;
    OFFER_APPLICATION_TASK_RESP = 162;
    START_TASK_IND = 163;
    START_APPLICATION_TASK_REQ = 164;
    START_APPLICATION_TASK_RESP = 165;
    PAUSE_TASK_IND = 166;
    RESUME_TASK_IND = 167;
    WRAPUP_TASK_IND = 168;
    END_TASK_IND = 169;
    AGENT_MADE_NOT_ROUTABLE_EVENT = 170;
    AGENT_INTERRUPT_ADVISORY_EVENT = 171;
    AGENT_INTERRUPT_ACCEPTED_IND = 172;
    AGENT_INTERRUPT_UNACCEPTED_IND = 173;
    AGENT_INTERRUPT_DONE_ADVISORY_EVENT = 174;
    AGENT_INTERRUPT_DONE_ACCEPTED_IND = 175;
    CHANGE_MAX_TASK_LIMIT_REQ = 176;
    CHANGE_MAX_TASK_LIMIT_RESP = 177;
    OVERRIDE_LIMIT_REQ = 178;
    OVERRIDE_LIMIT_RESP = 179;
    UPDATE_TASK_CONTEXT_IND = 180;
    BEGIN_AGENT_INIT_IND = 181;
    AGENT_INIT_REQ = 182;
    AGENT_INIT_RESP = 183;
    END_AGENT_INIT_IND = 184;
    TASK_INIT_IND = 185;
    AGENT_INIT_READY_EVENT = 186;
    GET_PRECALL_MESSAGES_REQ = 187;
    GET_PRECALL_MESSAGES_RESP = 188;
    AGENT_LEGACY_PRE_CALL_EVENT = 189;
    FAILURE_RESP = 190;
    BEGIN_TASK_EVENT = 191;
    QUEUED_TASK_EVENT = 192;
    DEQUEUED_TASK_EVENT = 193;
    OFFER_TASK_EVENT = 194;
    START_TASK_EVENT = 195;
    PAUSE_TASK_EVENT = 196;
    RESUME_TASK_EVENT = 197;
    WRAPUP_TASK_EVENT = 198;
    END_TASK_EVENT = 199;
    TASK_DATA_UPDATE_EVENT = 200;
    TASK_MONITOR_START_REQ = 201;
    TASK_MONITOR_START_CONF = 202;
    TASK_MONITOR_STOP_REQ = 203;
    TASK_MONITOR_STOP_CONF = 204;
    CHANGE_TASK_MONITOR_MASK_REQ = 205;
    CHANGE_TASK_MONITOR_MASK_CONF = 206;
    MAX_TASK_LIFETIME_EXCEEDED_EVENT = 207;
    SET_APP_PATH_DATA_IND = 208;
    TASK_INIT_REQ = 209;
    TASK_INIT_RESP = 210;
    ROUTE_REGISTER_EVENT = 211;
    ROUTE_REGISTER_REPLY_EVENT = 212;
    ROUTE_REQUEST_EVENT = 213;
    ROUTE_SELECT_EVENT = 214;
    ROUTE_END_EVENT = 215;
    CONFIG_REQUEST_KEY_EVENT = 230;
    CONFIG_KEY_EVENT = 231;
    CONFIG_REQUEST_EVENT = 232;
    CONFIG_BEGIN_EVENT = 233;
    CONFIG_END_EVENT = 234;
    CONFIG_SERVICE_EVENT = 235;
    CONFIG_SKILL_GROUP_EVENT = 236;
    CONFIG_AGENT_EVENT = 237;
    CONFIG_DEVICE_EVENT = 238;
    CALL_ATTRIBUTE_CHANGE_EVENT = 240;
    TEAM_CONFIG_REQ = 242;
    TEAM_CONFIG_EVENT = 243;
    TEAM_CONFIG_CONF = 244;
    CONFIG_CALL_TYPE_EVENT = 245;
    CALL_AGENT_GREETING_EVENT = 248, since 15;
    AGENT_GREETING_CONTROL_REQ = 249, since 15;
    AGENT_GREETING_CONTROL_CONF = 250, since 15;
    CONFIG_MRD_EVENT = 254, since 20;
    GET_AGENT_TASKS_REQ = 255;
    AGENT_TASKS_RESP = 256;
    SNAPSHOT_TASK_REQ = 257;
    SNAPSHOT_TASK_RESP = 258;
    CONFIG_PERIPHERAL_EVENT = 260, since 22;
    CONFIG_AGENT_DESK_SETTINGS_EVENT = 261, since 22;
    AGENT_TASKS_EVENT = 262;
    SNAPSHOT_TASK_EVENT = 263;
    AGENT_TASKS_REQUEST_EVENT = 264;
    AGENT_TASKS_END_EVENT = 265;
    DESKTOP_CONNECTED_IND = 266;
    START_NETWORK_RECORDING_REQ = 267, since 23;
    START_NETWORK_RECORDING_CONF = 268, since 23;
    STOP_NETWORK_RECORDING_REQ = 269, since 23;
    STOP_NETWORK_RECORDING_CONF = 270, since 23;
    NETWORK_RECORDING_STARTED_EVENT = 271, since 23;
    NETWORK_RECORDING_ENDED_EVENT = 272, since 23;
    NETWORK_RECORDING_FAILED_EVENT = 273, since 23;
    NETWORK_RECORDING_TARGET_INFO_EVENT = 274, since 23;
    CONFIG_TERMINAL_EVENT = 276;
    STANDBY_ACTIVE_EVENT_MSG = 277, since 24;
    ACTIVE_MAINTENANCE_REQ_MSG = 278, since 24;
    ACTIVE_MAINTENANCE_RESP_MSG = 279, since 24;
    ACTIVE_MAINTENANCE_EVENT_MSG = 280, since 24;
    STOPPING_REQUESTS_TO_THIS_SIDE_IND = 281, since 24;
    CONFIG_AGENT_SERVICE_EVENT = 282, since 24;
    SET_AGENT_SERVICE_DATA_REQ = 283, since 24;
    SET_AGENT_SERVICE_DATA_CONF = 284, since 24;
}
