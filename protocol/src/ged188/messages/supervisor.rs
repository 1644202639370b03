//! Supervisors and their teams, desk settings, agent services, registered services.
//!
//! Source: GED-188, "Supervisor Service", "Miscellaneous Service" and "Server Service". Not here: who supervises whom.

use crate::ged188::codes::{
    AgentFlags, AgentState, ConnectionDeviceIdType, DeskSettingsMask, ServerMode, Status, SupervisoryAction,
    TeamConfigOperation, WrapupMode,
};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Text, Ushorts};

message! {
    /// Supervise an agent's call: SupervisoryAction 0 clear, 1 silent monitor, 2 whisper, 3 barge in, 4 intercept.
    SUPERVISE_CALL_REQ as SuperviseCallReq, from Client, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "AgentConnectionCallID" agent_connection_call_id: u32;
            "SupervisorConnectionCallID" supervisor_connection_call_id: u32;
            "AgentConnectionDeviceIDType" agent_connection_device_id_type: ConnectionDeviceIdType;
            "SupervisorConnectionDeviceIDType" supervisor_connection_device_id_type: ConnectionDeviceIdType;
            "SupervisoryAction" supervisory_action: SupervisoryAction;
        }
        floating {
            "AgentConnectionDeviceID" AGENT_CONNECTION_DEVID_TAG agent_connection_device_id: Option<Text<64, S>>;
            "SupervisorConnectionDeviceID" SUPERVISOR_CONNECTION_DEVID_TAG
                supervisor_connection_device_id: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "SupervisorInstrument" SUPERVISOR_INSTRUMENT_TAG supervisor_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Confirms SUPERVISE_CALL_REQ and names the supervised connection.
    SUPERVISE_CALL_CONF as SuperviseCallConf, from Server, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Tells All Events (bridge) clients and recording servers that an agent declared an emergency, supervisor found or
    /// not.
    EMERGENCY_CALL_EVENT as EmergencyCallEvent, from Server, service "supervisor", since 8 {
        fixed {
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "SessionID" session_id: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>, is required;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>, is required;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

set! {
    /// One member of the team.
    TeamAgent<S> {
        "AtcAgentID" ATC_AGENT_ID_TAG id: Text<12, S>;
        "AgentFlags" AGENT_FLAGS_TAG flags: AgentFlags;
        "AtcAgentState" ATC_AGENT_STATE_TAG state: AgentState;
        "AtcStateDuration" ATC_STATE_DURATION_TAG state_duration: u32;
    }
}

message! {
    /// Team members of a supervisor, sent at session opening and on every change of the team.
    AGENT_TEAM_CONFIG_EVENT as AgentTeamConfigEvent, from Server, service "supervisor", since 8 {
        fixed {
            "PeripheralID" peripheral_id: u32;
            "TeamID" team_id: u32;
            "NumberOfAgents" number_of_agents: u16;
            "ConfigOperation" config_operation: TeamConfigOperation;
            "DepartmentID" department_id: i32, since 19;
        }
        floating {
            "AgentTeamName" AGENT_TEAM_NAME_TAG agent_team_name: Option<Text<32, S>>, since 16;
            /// As many as `NumberOfAgents` says.
            agents: Vec<TeamAgent<S>>;
        }
    }
}

message! {
    /// Ask which teams a supervisor may monitor.
    LIST_AGENT_TEAM_REQ as ListAgentTeamReq, from Client, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "SupervisorID" supervisor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Teams of the supervisor, at most 64 a message; More = 1 while segments follow.
    LIST_AGENT_TEAM_CONF as ListAgentTeamConf, from Server, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "NumberOfAgentTeams" number_of_agent_teams: u16;
            "SegmentNumber" segment_number: u16;
            "More" more: u16;
        }
        floating {
            "TeamID" LIST_TEAM_ID_TAG team_ids: Vec<u32>;
        }
    }
}

message! {
    /// Get the agent states of a team from now on.
    MONITOR_AGENT_TEAM_START_REQ as MonitorAgentTeamStartReq, from Client, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "TeamID" team_id: u32;
        }
        floating {}
    }
}

message! {
    /// Confirms and gives the MonitorID.
    MONITOR_AGENT_TEAM_START_CONF as MonitorAgentTeamStartConf, from Server, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Stop a team monitor.
    MONITOR_AGENT_TEAM_STOP_REQ as MonitorAgentTeamStopReq, from Client, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Confirms MONITOR_AGENT_TEAM_STOP_REQ.
    MONITOR_AGENT_TEAM_STOP_CONF as MonitorAgentTeamStopConf, from Server, service "supervisor", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Ask for the desk settings of an agent.
    AGENT_DESK_SETTINGS_REQ as AgentDeskSettingsReq, from Client, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
        }
        floating {
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
        }
    }
}

message! {
    /// Desk settings: mask, wrap-up modes (0 required, 1 optional, 2 not allowed, 3 required with data), timers.
    AGENT_DESK_SETTINGS_CONF as AgentDeskSettingsConf, from Server, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "DeskSettingsMask" desk_settings_mask: DeskSettingsMask;
            "WrapupDataIncomingMode" wrapup_data_incoming_mode: WrapupMode;
            "WrapupDataOutgoingMode" wrapup_data_outgoing_mode: WrapupMode;
            "LogoutNonActivityTime" logout_non_activity_time: u32;
            "QualityRecordingRate" quality_recording_rate: u32;
            "RingNoAnswerTime" ring_no_answer_time: u32;
            "SilentMonitorWarningMessage" silent_monitor_warning_message: u32;
            "SilentMonitorAudibleIndication" silent_monitor_audible_indication: u32;
            "SupervisorAssistCallMethod" supervisor_assist_call_method: u32;
            "EmergencyCallMethod" emergency_call_method: u32;
            "AutoRecordOnEmergency" auto_record_on_emergency: u32;
            "RecordingMode" recording_mode: u32;
            "WorkModeTimer" work_mode_timer: u32;
            "RingNoAnswerDN" ring_no_answer_dn: u32;
        }
        floating {
            "DefaultDevicePortAddress" DEFAULT_DEVICE_PORT_ADDRESS_TAG default_device_port_address: Option<Text<32, S>>;
            "PlayZipTone" PLAY_ZIP_TONE play_zip_tone: Option<u32>, since 24;
            "ACDSharedLineUsage" ACD_SHARED_LINE_USAGE acd_shared_line_usage: Option<u32>, since 24;
        }
    }
}

message! {
    /// Feedback of an agent on the answers suggested by an AI service.
    SET_AGENT_SERVICE_DATA_REQ as SetAgentServiceDataReq, from Client, service "miscellaneous", since 24 {
        fixed {
            "InvokeID" invoke_id: u32;
            "RouterCallKeyDay" router_call_key_day: u32;
            "RouterCallKeyCallID" router_call_key_call_id: u32;
            "RouterCallKeySequenceNumber" router_call_key_sequence_number: u32;
            "AgentSkillTargetID" agent_skill_target_id: u32;
        }
        floating {
            "NumOfEnabledServices" NUM_OF_ENABLED_SERVICES num_of_enabled_services: Option<u16>;
            "FltEnabledServices" FLT_ENABLED_SERVICES flt_enabled_services: Vec<Ushorts<S>>;
            "NumPositiveAnswersSuggestions" NUM_POSITIVE_ANSWERS_SUGGESTIONS
                num_positive_answers_suggestions: Option<u16>;
            "NumNegativeAnswersSuggestions" NUM_NEGATIVE_ANSWERS_SUGGESTIONS
                num_negative_answers_suggestions: Option<u16>;
        }
        untagged {
            "TotalAnswersSuggestion" Ushort 2;
        }
    }
}

message! {
    /// Confirms it, with a status code.
    SET_AGENT_SERVICE_DATA_CONF as SetAgentServiceDataConf, from Server, service "miscellaneous", since 24 {
        fixed {
            "InvokeID" invoke_id: u32;
            "Status" status: Status;
        }
        floating {}
    }
}

message! {
    /// A server application offers a service ("Cisco:CallRecording"): ServerMode 0 exclusive, 1 round robin, 2
    /// parallel.
    REGISTER_SERVICE_REQ as RegisterServiceReq, from Client, service "server", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "ServerMode" server_mode: ServerMode;
        }
        floating {
            "ServiceName" SERVICE_NAME_TAG service_name: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Confirms and gives the service id.
    REGISTER_SERVICE_CONF as RegisterServiceConf, from Server, service "server", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "RegisteredServiceID" registered_service_id: u32;
        }
        floating {}
    }
}

message! {
    /// Take the service back.
    UNREGISTER_SERVICE_REQ as UnregisterServiceReq, from Client, service "server", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "RegisteredServiceID" registered_service_id: u32;
        }
        floating {}
    }
}

message! {
    /// Confirms UNREGISTER_SERVICE_REQ.
    UNREGISTER_SERVICE_CONF as UnregisterServiceConf, from Server, service "server", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}
