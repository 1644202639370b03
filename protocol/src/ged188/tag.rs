//! The tags of floating fields and their names: the guide's whole tag table.
//!
//! Source: GED-188, "Constants and Status Codes", table of tag values. Four numbers meant something else in some
//! versions: 312 and 313 do so in 24, the newest here, so that name comes first; 226 and 227 did from 14 to 18 only.

use std::fmt;

/// A floating field's tag. Every number is one, named or not; above 255 it needs a version with two-byte tags.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u16);

impl Tag {
    /// The guide's name; none if the number is in no table.
    pub fn name(self) -> Option<&'static str> {
        row(self.0).map(|row| row.1)
    }

    /// The first version that has it; 0 where no source says, or the number is in no table.
    pub fn since(self) -> u8 {
        row(self.0).map(|row| row.2).unwrap_or_default()
    }

    /// The number of the guide's name, such as `CLIENT_ID_TAG`.
    pub fn named(name: &str) -> Option<Tag> {
        TAGS.iter().find(|row| row.1 == name).map(|row| Tag(row.0))
    }

    /// Every name of the table with its tag, ascending.
    pub fn all() -> impl Iterator<Item = (&'static str, Tag)> {
        TAGS.iter().map(|row| (row.1, Tag(row.0)))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "tag {}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Tag({})", self.0),
        }
    }
}

/// The first row of this number.
fn row(number: u16) -> Option<&'static (u16, &'static str, u8)> {
    TAGS.get(TAGS.partition_point(|row| row.0 < number)).filter(|row| row.0 == number)
}

/// The table: name, number, first version. Ascending by number.
macro_rules! tags {
    ($( $name:ident = $number:literal $(, since $since:literal)?; )*) => {
        impl Tag {
            $(
                #[doc = concat!("Tag ", $number, ".")]
                #[allow(non_upper_case_globals)] // the guide prints a few with small letters
                pub const $name: Tag = Tag($number);
            )*
        }

        static TAGS: &[(u16, &str, u8)] = &[$( ($number, stringify!($name), 0 $(+ $since)?), )*];
    };
}

tags! {
    CLIENT_ID_TAG = 1;
    CLIENT_PASSWORD_TAG = 2;
    CLIENT_SIGNATURE_TAG = 3;
    AGENT_EXTENSION_TAG = 4;
    AGENT_ID_TAG = 5;
    AGENT_INSTRUMENT_TAG = 6;
    TEXT_TAG = 7;
    ANI_TAG = 8;
    UUI_TAG = 9;
    DNIS_TAG = 10;
    DIALED_NUMBER_TAG = 11;
    CED_TAG = 12;
    CALL_VAR_1_TAG = 13;
    CALL_VAR_2_TAG = 14;
    CALL_VAR_3_TAG = 15;
    CALL_VAR_4_TAG = 16;
    CALL_VAR_5_TAG = 17;
    CALL_VAR_6_TAG = 18;
    CALL_VAR_7_TAG = 19;
    CALL_VAR_8_TAG = 20;
    CALL_VAR_9_TAG = 21;
    CALL_VAR_10_TAG = 22;
    CTI_CLIENT_SIGNATURE_TAG = 23;
    CTI_CLIENT_TIMESTAMP_TAG = 24;
    CONNECTION_DEVID_TAG = 25;
    ALERTING_DEVID_TAG = 26;
    CALLING_DEVID_TAG = 27;
    CALLED_DEVID_TAG = 28;
    LAST_REDIRECT_DEVID_TAG = 29;
    ANSWERING_DEVID_TAG = 30;
    HOLDING_DEVID_TAG = 31;
    RETRIEVING_DEVID_TAG = 32;
    RELEASING_DEVID_TAG = 33;
    FAILING_DEVID_TAG = 34;
    PRIMARY_DEVID_TAG = 35;
    SECONDARY_DEVID_TAG = 36;
    CONTROLLER_DEVID_TAG = 37;
    ADDED_PARTY_DEVID_TAG = 38;
    PARTY_CALLID_TAG = 39;
    PARTY_DEVID_TYPE_TAG = 40;
    PARTY_DEVID_TAG = 41;
    TRANSFERRING_DEVID_TAG = 42;
    TRANSFERRED_DEVID_TAG = 43;
    DIVERTING_DEVID_TAG = 44;
    QUEUE_DEVID_TAG = 45;
    CALL_WRAPUP_DATA_TAG = 46;
    NEW_CONNECTION_DEVID_TAG = 47;
    TRUNK_USED_DEVID_TAG = 48;
    AGENT_PASSWORD_TAG = 49;
    ACTIVE_CONN_DEVID_TAG = 50;
    FACILITY_CODE_TAG = 51;
    OTHER_CONN_DEVID_TAG = 52;
    HELD_CONN_DEVID_TAG = 53;
    CALL_CONN_CALLID_TAG = 56;
    CALL_CONN_DEVID_TYPE_TAG = 57;
    CALL_CONN_DEVID_TAG = 58;
    CALL_DEVID_TYPE_TAG = 59;
    CALL_DEVID_TAG = 60;
    CALL_DEV_CONN_STATE_TAG = 61;
    SKILL_GROUP_NUMBER_TAG = 62;
    SKILL_GROUP_ID_TAG = 63;
    SKILL_GROUP_PRIORITY_TAG = 64;
    SKILL_GROUP_STATE_TAG = 65;
    OBJECT_NAME_TAG = 66;
    DTMF_STRING_TAG = 67;
    POSITION_ID_TAG = 68;
    SUPERVISOR_ID_TAG = 69;
    LINE_HANDLE_TAG = 70;
    LINE_TYPE_TAG = 71;
    ROUTER_CALL_KEY_DAY_TAG = 72;
    ROUTER_CALL_KEY_CALLID_TAG = 73;
    CALL_STATE_TAG = 75;
    MONITORED_DEVID_TAG = 76;
    AUTHORIZATION_CODE_TAG = 77;
    ACCOUNT_CODE_TAG = 78;
    ORIGINATING_DEVID_TAG = 79;
    ORIGINATING_LINE_ID_TAG = 80;
    CLIENT_ADDRESS_TAG = 81;
    NAMED_VARIABLE_TAG = 82;
    NAMED_ARRAY_TAG = 83;
    CALL_CONTROL_TABLE_TAG = 84;
    SUPERVISOR_INSTRUMENT_TAG = 85;
    ATC_AGENT_ID_TAG = 86;
    AGENT_FLAGS_TAG = 87;
    ATC_AGENT_STATE_TAG = 88;
    ATC_STATE_DURATION_TAG = 89;
    AGENT_CONNECTION_DEVID_TAG = 90;
    SUPERVISOR_CONNECTION_DEVID_TAG = 91;
    LIST_TEAM_ID_TAG = 92;
    DEFAULT_DEVICE_PORT_ADDRESS_TAG = 93;
    SERVICE_NAME_TAG = 94;
    CUSTOMER_PHONE_NUMBER_TAG = 95;
    CUSTOMER_ACCOUNT_NUMBER_TAG = 96;
    APP_PATH_ID_TAG = 97;
    SCRIPT_SELECTOR_TAG = 99;
    APPLICATION_STRING1_TAG = 100;
    APPLICATION_STRING2_TAG = 101;
    ROUTER_CALL_KEY_SEQUENCE_NUM_TAG = 110;
    TRUNK_NUMBER_TAG = 121;
    TRUNK_GROUP_NUMBER_TAG = 122;
    EXT_AGENT_STATE_TAG = 123;
    DEQUEUE_TYPE_TAG = 124;
    SENDING_ADDRESS_TAG = 125;
    SENDING_PORT_TAG = 126;
    MAX_QUEUED_TAG = 129;
    QUEUE_ID_TAG = 130;
    CUSTOMER_ID_TAG = 131;
    SERVICE_SKILL_TARGET_ID_TAG = 132;
    PERIPHERAL_NAME_TAG = 133;
    DESCRIPTION_TAG = 134;
    SERVICE_MEMBER_ID_TAG = 135;
    SERVICE_MEMBER_PRIORITY_TAG = 136;
    FIRST_NAME_TAG = 137;
    LAST_NAME_TAG = 138;
    SKILL_GROUP_TAG = 139;
    AGENT_SKILL_TARGET_ID_TAG = 141;
    SERVICE_TAG = 142;
    DURATION_TAG = 150;
    EXTENSION_TAG = 173;
    SERVICE_LEVEL_THRESHOLD_TAG = 174;
    SERVICE_LEVEL_TYPE_TAG = 175;
    CONFIG_PARAM_TAG = 176;
    SERVICE_CONFIG_KEY_TAG = 177;
    SKILL_GROUP_CONFIG_KEY_TAG = 178;
    AGENT_CONFIG_KEY_TAG = 179;
    DEVICE_CONFIG_KEY_TAG = 180;
    RECORD_TYPE_TAG = 183;
    PERIPHERAL_NUMBER_TAG = 184;
    AUTO_WORK_TAG = 185;
    NUM_SERVICE_MEMBERS_TAG = 186;
    SERVICE_MEMBER_TAG = 187;
    SERVICE_PRIORITY_TAG = 188;
    AGENT_TYPE_TAG = 189;
    LOGIN_ID_TAG = 190;
    NUM_SKILLS_TAG = 191;
    SKILL_GROUP_SKILL_TARGET_ID_TAG = 192;
    SERVICE_ID_TAG = 193;
    AGENT_ID_LONG_TAG = 194;
    DEVICE_TYPE_TAG = 195;
    ENABLE_TAG = 198;
    DEVICEID_TAG = 199;
    TIMEOUT_TAG = 200;
    CURRENT_ROUTE_TAG = 201;
    SECONDARY_CONNECTION_CALL_ID = 202;
    PRIORITY_QUEUE_NUMBER_TAG = 203;
    TEAM_NAME_TAG = 204;
    MEMBER_TYPE_TAG = 205;
    EVENT_DEVICE_ID_TAG = 206;
    LOGIN_NAME_TAG = 207, since 11;
    PERIPHERAL_ID_TAG = 208, since 11;
    CALL_TYPE_KEY_CONFIG_TAG = 209, since 11;
    CALL_TYPE_ID_TAG = 210, since 11;
    CUSTOMER_DEFINITION_ID_TAG = 211, since 11;
    ENTERPRISE_NAME_TAG = 212, since 11;
    OLD_PERIPHERAL_NUMBER_TAG = 213;
    CUR_LOGIN_ID = 214;
    ANI_II_TAG = 215;
    MR_DOMAIN_ID_TAG = 216;
    CTIOS_CIL_CLIENT_ID_TAG = 217;
    SILENT_MONITOR_STATUS_TAG = 218;
    REQUESTING_DEVICE_ID_TAG = 219, since 14;
    REQUESTING_DEVICE_ID_TYPE_TAG = 220, since 14;
    PRE_CALL_INVOKE_ID_TAG = 221, since 14;
    ENTERPRISE_QUEUE_TIME = 222, since 14;
    CALL_REFERENCE_ID_TAG = 223, since 14;
    MULTI_LINE_AGENT_CONTROL_TAG = 224, since 14;
    NETWORK_CONTROLLED_TAG = 225, since 14;
    CLIENT_ADDRESS_IPV6_TAG = 226, since 14;
    SENDING_ADDRESS_IPV6_TAG = 227, since 14;
    NUM_PERIPHERALS_TAG = 228, since 14;
    COC_CONNECTION_CALL_ID_TAG = 229, since 14;
    COC_CONNECTION_DEVICE_ID_TYPE_TAG = 230, since 14;
    COC_CONNECTION_DEVICE_ID_TAG = 231, since 14;
    CALL_ORIGINATED_FROM_TAG = 232, since 14;
    SET_APPDATA_CALLID_TAG = 233, since 14;
    CLIENT_SHARE_KEY_TAG = 234, since 14;
    AGENT_TEAM_NAME_TAG = 243, since 16;
    DIRECTION_TAG = 244, since 16;
    OPTIONS_TAG = 245, since 17;
    FLT_MRD_ID_TAG = 246;
    MEDIA_CLASS_ID_TAG = 247, since 18;
    TASK_LIFE_TAG = 248, since 18;
    TASK_START_TIMEOUT_TAG = 249, since 18;
    MAX_TASK_DURATION_TAG = 250, since 18;
    INTERRUPTIBLE_TAG = 251, since 18;
    MAX_CALLS_IN_QUEUE_TAG = 252, since 18;
    MAX_CALLS_IN_QUEUE_PER_CALL_TYPE_TAG = 253, since 18;
    MAX_TIME_IN_QUEUE_TAG = 254, since 18;
    INTERNAL_AGENT_STATE_TAG = 255, since 19;
    SSO_ENABLED_TAG = 257, since 20;
    FLT_TASK_ID_TAG = 258, since 20;
    FLT_ICM_DISP_TAG = 259, since 20;
    FLT_APP_DISP_TAG = 260, since 20;
    NUM_MRDS_TAG = 261, since 21;
    FLT_AGENT_MRD_ID_TAG = 262, since 21;
    FLT_AGENT_MRD_STATE_TAG = 263, since 21;
    FLT_PRECISION_QUEUE_ID_TAG = 264, since 22;
    FLT_PRECISION_QUEUE_NAME_TAG = 265, since 22;
    MAX_BEYOND_TASK_LIMIT_TAG = 266, since 22;
    AGENT_DESK_SETTINGS_ID_TAG = 267, since 22;
    XFER_IN_WHILE_LOGGED_OUT_TAG = 268;
    PERIPHERAL_CONFIG_KEY_TAG = 269, since 22;
    AGENT_DESK_SETTINGS_CONFIG_KEY_TAG = 270, since 22;
    CONFIG_PERIPHERAL_ID_TAG = 271, since 22;
    DEFAULT_AGENT_DESK_SETTINGS_ID_TAG = 272, since 22;
    FLT_DESK_SETTINGS_MASK_TAG = 273, since 22;
    FLT_WRAP_UP_DATA_INCOMING_MODE_TAG = 274, since 22;
    FLT_WRAP_UP_DATA_OUTGOING_MODE_TAG = 275, since 22;
    FLT_LOGOUT_NON_ACTIVITY_TIME_TAG = 276, since 22;
    FLT_QUALITY_RECORDING_RATE_TAG = 277, since 22;
    FLT_RING_NO_ANSWER_TIME_TAG = 278, since 22;
    FLT_SILENT_MONITOR_WARNING_MESSAGE_TAG = 279, since 22;
    FLT_SILENT_MONITOR_AUDIBLE_INDICATION_TAG = 280, since 22;
    FLT_SUPERVISOR_ASSIST_CALL_METHOD_TAG = 281, since 22;
    FLT_EMERGENCY_CALL_METHOD_TAG = 282, since 22;
    FLT_AUTO_RECORD_ON_EMERGENCY_TAG = 283, since 22;
    FLT_RECORDING_MODE_TAG = 284, since 22;
    FLT_WORK_MODE_TIMER_TAG = 285, since 22;
    FLT_RING_NO_ANSWER_DN_ID_TAG = 286, since 22;
    FLT_DEFAULT_DEVICE_PORT_ADDRESS_TAG = 287, since 22;
    DESKTOP_CONNECTED_FLAG_TAG = 288, since 23;
    PLAY_TONE_DIRECTION_TAG = 289, since 23;
    INVOCATION_TYPE_TAG = 290, since 23;
    RECORDER_ADDRESS_TAG = 291, since 23;
    TERMINAL_NAME_TAG = 292, since 23;
    MEDIA_FORKING_DEVICE_NAME_TAG = 293, since 23;
    PROTOCOL_REFERENCE_GUID_TAG = 294, since 23;
    MEDIA_FORKING_CLUSTER_ID_TAG = 295, since 23;
    RECORDER_URI_TAG = 296, since 23;
    RECORDER_ERROR_MSG_TAG = 297, since 23;
    RECORDER_TYPE_TAG = 298, since 23;
    RECORDER_STATUS_TAG = 299, since 23;
    RECORDING_DEVICE_ID_TAG = 300, since 23;
    FLT_TERM_TYPE = 302, since 24;
    FLT_TERM_DEVICE_NAME = 303, since 24;
    FLT__TERM_TYPE_NAME = 304, since 24;
    FLT_NUM_INSTRUMENTS = 305, since 24;
    ACD_SHARED_LINE_USAGE = 306, since 24;
    PLAY_ZIP_TONE = 307, since 24;
    FLT_ENABLED_SERVICES = 309, since 24;
    NUM_OF_ENABLED_SERVICES = 310, since 24;
    CCAI_CONFIG_ID = 311, since 24;
    NUM_POSITIVE_ANSWERS_SUGGESTIONS = 312, since 24;
    MEDIA_TYPE_TAG = 312, since 25;
    NUM_NEGATIVE_ANSWERS_SUGGESTIONS = 313, since 24;
    MEDIA_PROVIDER_TAG = 313, since 25;
}
