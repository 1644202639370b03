//! Configuration: what the server's administrator has set up, as records, between a begin and an end.
//!
//! Source: GED-188, "Configuration Events". Every field of a record may be missing: a change says what changed.

use crate::ged188::codes::{
    ConfigAgentType, ConfigDeviceType, ConfigKeyStatus, ConfigMsgMask, ConfigRecordType, ConfigType, DeskSettingsMask,
    WrapupMode,
};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Bool, Data, Text, Ushorts};

message! {
    /// Ask for the configuration keys, to see what changed since last time.
    CONFIG_REQUEST_KEY_EVENT as ConfigRequestKeyEvent, from Client, service "config", since 19 {
        fixed {
            "PeripheralID" peripheral_id: u32;
        }
        floating {
            "CustomerID" CUSTOMER_ID_TAG customer_id: Option<u32>;
        }
    }
}

message! {
    /// The keys, 8 bytes each; all zero bytes mean that this part should be loaded again.
    CONFIG_KEY_EVENT as ConfigKeyEvent, from Server, service "config", since 19 {
        fixed {
            "ConfigKeyStatus" config_key_status: ConfigKeyStatus;
        }
        floating {
            "ServiceConfigKey" SERVICE_CONFIG_KEY_TAG service_config_key: Option<Data<8, S>>;
            "SkillGroupConfigKey" SKILL_GROUP_CONFIG_KEY_TAG skill_group_config_key: Option<Data<8, S>>;
            "AgentConfigKey" AGENT_CONFIG_KEY_TAG agent_config_key: Option<Data<8, S>>;
            "DeviceConfigKey" DEVICE_CONFIG_KEY_TAG device_config_key: Option<Data<8, S>>;
            "CallTypeConfigKey" CALL_TYPE_KEY_CONFIG_TAG call_type_config_key: Option<Data<8, S>>;
            "PeripheralConfigKey" PERIPHERAL_CONFIG_KEY_TAG peripheral_config_key: Option<Data<8, S>>, since 22;
            "AgentDeskSettingsConfigKey" AGENT_DESK_SETTINGS_CONFIG_KEY_TAG
                agent_desk_settings_config_key: Option<Data<8, S>>, since 22;
        }
    }
}

message! {
    /// Ask for configuration (mask 0: send none, only start updates); must be sent before updates flow.
    CONFIG_REQUEST_EVENT as ConfigRequestEvent, from Client, service "config", since 19 {
        fixed {
            "ConfigInformation" config_information: ConfigMsgMask;
            "ConfigMsgMask" config_msg_mask: ConfigMsgMask, since 24;
            "PeripheralID" peripheral_id: u32;
        }
        floating {
            "CustomerID" CUSTOMER_ID_TAG customer_id: Option<u32>;
        }
    }
}

message! {
    /// Start of a block of configuration records: ConfigType 1 asked for, 2 update.
    CONFIG_BEGIN_EVENT as ConfigBeginEvent, from Server, service "config", since 19 {
        fixed {
            "ConfigType" config_type: ConfigType;
            "ConfigInformation" config_information: ConfigMsgMask;
        }
        floating {
            "ServiceConfigKey" SERVICE_CONFIG_KEY_TAG service_config_key: Option<Data<8, S>>;
            "SkillGroupConfigKey" SKILL_GROUP_CONFIG_KEY_TAG skill_group_config_key: Option<Data<8, S>>;
            "AgentConfigKey" AGENT_CONFIG_KEY_TAG agent_config_key: Option<Data<8, S>>;
            "DeviceConfigKey" DEVICE_CONFIG_KEY_TAG device_config_key: Option<Data<8, S>>;
            "CallTypeConfigKey" CALL_TYPE_KEY_CONFIG_TAG call_type_config_key: Option<Data<8, S>>;
            "PeripheralConfigKey" PERIPHERAL_CONFIG_KEY_TAG peripheral_config_key: Option<Data<8, S>>, since 22;
            "AgentDeskSettingsConfigKey" AGENT_DESK_SETTINGS_CONFIG_KEY_TAG
                agent_desk_settings_config_key: Option<Data<8, S>>, since 22;
        }
    }
}

set! {
    /// One record of a service. A set without a record type is one more member of the service before.
    ServiceRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "FltPeripheralID" PERIPHERAL_ID_TAG peripheral_id: u32;
        "PeripheralNumber" PERIPHERAL_NUMBER_TAG peripheral_number: u32;
        "OldPeripheralNumber" OLD_PERIPHERAL_NUMBER_TAG old_peripheral_number: u32;
        "MaxQueued" MAX_QUEUED_TAG max_queued: u32;
        "Extension" EXTENSION_TAG extension: Text<16, S>;
        "ServiceSkillTargetID" SERVICE_SKILL_TARGET_ID_TAG service_skill_target_id: u32;
        "PeripheralName" PERIPHERAL_NAME_TAG peripheral_name: Text<64, S>;
        "Description" DESCRIPTION_TAG description: Text<128, S>;
        "ServiceLevelThreshold" SERVICE_LEVEL_THRESHOLD_TAG service_level_threshold: u32;
        "ServiceLevelType" SERVICE_LEVEL_TYPE_TAG service_level_type: u32;
        "ConfigParam" CONFIG_PARAM_TAG config_param: Text<255, S>;
        "FltMRDomainID" MR_DOMAIN_ID_TAG mr_domain_id: u32;
        "NumServiceMembers" NUM_SERVICE_MEMBERS_TAG num_service_members: u16;
        "ServiceMember" SERVICE_MEMBER_TAG service_member: u32;
        "ServicePriority" SERVICE_PRIORITY_TAG service_priority: u16;
    }
}

message! {
    /// Service records.
    CONFIG_SERVICE_EVENT as ConfigServiceEvent, from Server, service "config", since 19 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<ServiceRecord<S>>;
        }
    }
}

set! {
    /// One record of a skill group.
    SkillGroupRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "FltPeripheralID" PERIPHERAL_ID_TAG peripheral_id: u32;
        "PeripheralNumber" PERIPHERAL_NUMBER_TAG peripheral_number: u32;
        "OldPeripheralNumber" OLD_PERIPHERAL_NUMBER_TAG old_peripheral_number: u32;
        "FltSkillGroupPriority" SKILL_GROUP_PRIORITY_TAG skill_group_priority: u16;
        "SkillGroupSkillTargetID" SKILL_GROUP_SKILL_TARGET_ID_TAG skill_group_skill_target_id: u32;
        "AutoWork" AUTO_WORK_TAG auto_work: Bool;
        "Extension" EXTENSION_TAG extension: Text<16, S>;
        "PeripheralName" PERIPHERAL_NAME_TAG peripheral_name: Text<64, S>;
        "Description" DESCRIPTION_TAG description: Text<128, S>;
        "FltMRDomainID" MR_DOMAIN_ID_TAG mr_domain_id: u32;
        "FltPrecisionQueueID" FLT_PRECISION_QUEUE_ID_TAG precision_queue_id: u32, since 22;
        "FltPrecisionQueueName" FLT_PRECISION_QUEUE_NAME_TAG precision_queue_name: Text<32, S>, since 22;
        "ConfigParam" CONFIG_PARAM_TAG config_param: Text<255, S>;
    }
}

message! {
    /// Skill group records.
    CONFIG_SKILL_GROUP_EVENT as ConfigSkillGroupEvent, from Server, service "config", since 19 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<SkillGroupRecord<S>>;
        }
    }
}

set! {
    /// One record of an agent. A set without a record type is one more skill group or domain of the agent before.
    AgentRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "FltPeripheralID" PERIPHERAL_ID_TAG peripheral_id: u32;
        "ActiveTerminal" FLT_TERM_DEVICE_NAME active_terminal: Text<64, S>, since 24;
        "AgentType" AGENT_TYPE_TAG agent_type: ConfigAgentType;
        "AgentDeskSettingsID" AGENT_DESK_SETTINGS_ID_TAG agent_desk_settings_id: u32, since 22;
        "LoginID" LOGIN_ID_TAG login_id: Text<64, S>;
        "OldLoginID" CUR_LOGIN_ID old_login_id: Text<64, S>;
        "LoginName" LOGIN_NAME_TAG login_name: Text<255, S>;
        "LastName" LAST_NAME_TAG last_name: Text<32, S>;
        "FirstName" FIRST_NAME_TAG first_name: Text<32, S>;
        "Extension" EXTENSION_TAG extension: Text<16, S>;
        "Description" DESCRIPTION_TAG description: Text<128, S>;
        "AgentSkillTargetID" AGENT_SKILL_TARGET_ID_TAG agent_skill_target_id: u32;
        "NumSkills" NUM_SKILLS_TAG num_skills: u16;
        "SSOEnabled" SSO_ENABLED_TAG sso_enabled: u16, since 20;
        "NumMRDs" NUM_MRDS_TAG num_mrds: u16, since 21;
        "FltSkillGroupNumber" SKILL_GROUP_NUMBER_TAG skill_group_number: u32;
        "FltSkillGroupPriority" SKILL_GROUP_PRIORITY_TAG skill_group_priority: u16;
        "FltAgentMRDID" FLT_AGENT_MRD_ID_TAG agent_mrdid: u32, since 21;
        "FltAgentMRDState" FLT_AGENT_MRD_STATE_TAG agent_mrd_state: u16, since 21;
    }
}

message! {
    /// Agent records; LoginID is the key of a record.
    CONFIG_AGENT_EVENT as ConfigAgentEvent, from Server, service "config", since 19 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<AgentRecord<S>>;
        }
    }
}

set! {
    /// One record of a device.
    DeviceRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "FltPeripheralID" PERIPHERAL_ID_TAG peripheral_id: u32;
        "PeripheralNumber" PERIPHERAL_NUMBER_TAG peripheral_number: u32;
        "DeviceType" DEVICE_TYPE_TAG device_type: ConfigDeviceType;
        "MaxQueued" MAX_QUEUED_TAG max_queued: u32;
        "FltServiceID" SERVICE_ID_TAG service_id: u32;
        "DialedNumber" DIALED_NUMBER_TAG dialed_number: Text<40, S>;
        "DNIS" DNIS_TAG dnis: Text<32, S>;
        "Extension" EXTENSION_TAG extension: Text<16, S>;
        "Description" DESCRIPTION_TAG description: Text<128, S>;
    }
}

message! {
    /// Device records: DeviceType 0 unknown, 1 service, 2 skill group, 3 agent id, 4 agent extension, 5 route point, 6
    /// CTI port, 7 call control group.
    CONFIG_DEVICE_EVENT as ConfigDeviceEvent, from Server, service "config", since 19 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<DeviceRecord<S>>;
        }
    }
}

set! {
    /// One record of a call type.
    CallTypeRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "FltCallTypeID" CALL_TYPE_ID_TAG call_type_id: u32;
        "CustomerDefinitionID" CUSTOMER_DEFINITION_ID_TAG customer_definition_id: u32;
        "EnterpriseName" ENTERPRISE_NAME_TAG enterprise_name: Text<32, S>;
        "Description" DESCRIPTION_TAG description: Text<128, S>;
        "ServiceLevelThreshold" SERVICE_LEVEL_THRESHOLD_TAG service_level_threshold: u32;
        "ServiceLevelType" SERVICE_LEVEL_TYPE_TAG service_level_type: u32;
    }
}

message! {
    /// Call type records.
    CONFIG_CALL_TYPE_EVENT as ConfigCallTypeEvent, from Server, service "config", since 19 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<CallTypeRecord<S>>;
        }
    }
}

set! {
    /// One record of a media routing domain.
    MrdRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "FltMRDomainID" MR_DOMAIN_ID_TAG mr_domain_id: u32;
        "FltEnterpriseName" ENTERPRISE_NAME_TAG enterprise_name: Text<32, S>;
        "FltDescription" DESCRIPTION_TAG description: Text<128, S>;
        "FltMaxTaskDuration" MAX_TASK_DURATION_TAG max_task_duration: u32;
        "FltInterruptible" INTERRUPTIBLE_TAG interruptible: Bool;
    }
}

message! {
    /// Media routing domain records.
    CONFIG_MRD_EVENT as ConfigMrdEvent, from Server, service "config", since 20 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<MrdRecord<S>>;
        }
    }
}

set! {
    /// One record of a peripheral.
    PeripheralRecord {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "ConfigPeripheralID" CONFIG_PERIPHERAL_ID_TAG config_peripheral_id: u32;
        "DefaultAgentDeskSettingsID" DEFAULT_AGENT_DESK_SETTINGS_ID_TAG default_agent_desk_settings_id: u32;
    }
}

message! {
    /// Peripheral records.
    CONFIG_PERIPHERAL_EVENT as ConfigPeripheralEvent, from Server, service "config", since 22 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<PeripheralRecord>;
        }
    }
}

set! {
    /// One record of desk settings.
    AgentDeskSettingsRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "AgentDeskSettingsID" AGENT_DESK_SETTINGS_ID_TAG agent_desk_settings_id: u32;
        "FltDeskSettingsMask" FLT_DESK_SETTINGS_MASK_TAG desk_settings_mask: DeskSettingsMask;
        "FltWrapUpDataIncomingMode" FLT_WRAP_UP_DATA_INCOMING_MODE_TAG wrap_up_data_incoming_mode: WrapupMode;
        "FltWrapUpDataOutgoingMode" FLT_WRAP_UP_DATA_OUTGOING_MODE_TAG wrap_up_data_outgoing_mode: WrapupMode;
        "FltLogoutNonActivityTime" FLT_LOGOUT_NON_ACTIVITY_TIME_TAG logout_non_activity_time: u32;
        "FltQualityRecordingRate" FLT_QUALITY_RECORDING_RATE_TAG quality_recording_rate: u32;
        "FltRingNoAnswerTime" FLT_RING_NO_ANSWER_TIME_TAG ring_no_answer_time: u32;
        "FltSilentMonitorWarningMessage" FLT_SILENT_MONITOR_WARNING_MESSAGE_TAG silent_monitor_warning_message: u32;
        "FltSilentMonitorAudibleIndication" FLT_SILENT_MONITOR_AUDIBLE_INDICATION_TAG
            silent_monitor_audible_indication: u32;
        "FltSupervisorAssistCallMethod" FLT_SUPERVISOR_ASSIST_CALL_METHOD_TAG supervisor_assist_call_method: u32;
        "FltEmergencyCallMethod" FLT_EMERGENCY_CALL_METHOD_TAG emergency_call_method: u32;
        "FltAutoRecordOnEmergency" FLT_AUTO_RECORD_ON_EMERGENCY_TAG auto_record_on_emergency: u32;
        "FltRecordingMode" FLT_RECORDING_MODE_TAG recording_mode: u32;
        "FltWorkModeTimer" FLT_WORK_MODE_TIMER_TAG work_mode_timer: u32;
        "FltRingNoAnswerDnId" FLT_RING_NO_ANSWER_DN_ID_TAG ring_no_answer_dn_id: u32;
        "FltDefaultDevicePortAddress" FLT_DEFAULT_DEVICE_PORT_ADDRESS_TAG default_device_port_address: Text<4, S>;
        "PlayZipTone" PLAY_ZIP_TONE play_zip_tone: u32, since 24;
        "ACDSharedLineUsage" ACD_SHARED_LINE_USAGE acd_shared_line_usage: u32, since 24;
    }
}

message! {
    /// Desk settings records.
    CONFIG_AGENT_DESK_SETTINGS_EVENT as ConfigAgentDeskSettingsEvent, from Server, service "config", since 22 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<AgentDeskSettingsRecord<S>>;
        }
    }
}

set! {
    /// One record of a terminal. A set without a record type is one more instrument of the terminal before.
    TerminalRecord<S> {
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
        "TerminalType" FLT_TERM_TYPE terminal_type: u16;
        "TerminalDeviceName" FLT_TERM_DEVICE_NAME terminal_device_name: Text<64, S>;
        "TerminalTypeName" FLT__TERM_TYPE_NAME terminal_type_name: Text<100, S>;
        "NumInstruments" FLT_NUM_INSTRUMENTS num_instruments: u16;
        "Instrument" AGENT_INSTRUMENT_TAG instrument: Text<64, S>;
    }
}

message! {
    /// Terminal records with their extensions.
    CONFIG_TERMINAL_EVENT as ConfigTerminalEvent, from Server, service "config", since 24 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<TerminalRecord<S>>;
        }
    }
}

set! {
    /// One record of an agent's services.
    AgentServiceRecord<S> {
        "AgentSkillTargetID" AGENT_SKILL_TARGET_ID_TAG agent_skill_target_id: u32;
        "NumOfEnabledServices" NUM_OF_ENABLED_SERVICES num_of_enabled_services: u16;
        "FltEnabledServices" FLT_ENABLED_SERVICES enabled_services: Ushorts<S>;
        "RecordType" RECORD_TYPE_TAG record_type: ConfigRecordType;
    }
}

message! {
    /// Which AI services an agent has.
    CONFIG_AGENT_SERVICE_EVENT as ConfigAgentServiceEvent, from Server, service "config", since 24 {
        fixed {
            "NumRecords" num_records: u16;
        }
        floating {
            /// As many as `NumRecords` says.
            records: Vec<AgentServiceRecord<S>>;
        }
    }
}

message! {
    /// End of a block: 0 success, 1 no service provider, 2 unknown customer, 3 invalid, 4 empty, 5 partial (more blocks
    /// follow).
    CONFIG_END_EVENT as ConfigEndEvent, from Server, service "config", since 19 {
        fixed {
            "ConfigEndStatus" config_end_status: u32;
        }
        floating {
            "Text" TEXT_TAG text: Option<Text<255, S>>;
        }
    }
}
