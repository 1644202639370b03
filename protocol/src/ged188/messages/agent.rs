//! Agents and their devices: states asked for, asked about and told of; calls announced to them.
//!
//! Source: GED-188, "Client Control Service" and "Client Events Service". Not here: what a state change does.

use crate::ged188::codes::{
    AgentAvailability, AgentCallDirection, AgentMode, AgentServiceRequest, AgentState, AgentStateMask, AgentWorkMode,
    CallControlMask, CallMsgMask, ClassOfDevice, ControlFailure, ForcedFlag, LineType, OtherFeatureMask,
    PeripheralType, TransferConferenceSetupMask, TypeOfDevice,
};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Data, NamedArray, NamedVariable, Secret, Text, Ushorts};

set! {
    /// One skill group of the agent whose state changed.
    AgentStateSkillGroup {
        "FltSkillGroupNumber" SKILL_GROUP_NUMBER_TAG number: i32, since 10;
        "FltSkillGroupID" SKILL_GROUP_ID_TAG id: u32, since 10;
        "FltSkillGroupPriority" SKILL_GROUP_PRIORITY_TAG priority: u16, since 10;
        "FltSkillGroupState" SKILL_GROUP_STATE_TAG state: AgentState, since 10;
    }
}

message! {
    /// Tells that an agent entered a state, overall and within one or several skill groups.
    AGENT_STATE_EVENT as AgentStateEvent, from Server, service "client-events, all-events, peripheral-monitor" {
        fixed {
            /// 0 for CTI_SERVICE_ALL_EVENTS.
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            /// The agent's own session, or 0.
            "SessionID" session_id: u32, since 8;
            "PeripheralType" peripheral_type: PeripheralType;
            /// The state in the skill group that the fixed part names.
            "SkillGroupState" skill_group_state: AgentState;
            /// Seconds.
            "StateDuration" state_duration: u32;
            /// `NULL_SKILL_GROUP` for none.
            "SkillGroupNumber" skill_group_number: u32;
            /// `NULL_SKILL_GROUP` for none.
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            /// The state overall.
            "AgentState" agent_state: AgentState;
            "EventReasonCode" event_reason_code: u16, since 6;
            "MRDID" mrd_id: i32;
            "NumTasks" num_tasks: u32;
            "AgentMode" agent_mode: AgentMode;
            "MaxTaskLimit" max_task_limit: u32;
            "ICMAgentID" icm_agent_id: i32, since 9;
            "AgentAvailabilityStatus" agent_availability_status: AgentAvailability, since 9;
            /// How many sets of skill groups there are; 0 when the fixed part names the only one.
            "NumFltSkillGroups" num_flt_skill_groups: u16, since 10;
            "DepartmentID" department_id: i32, since 19;
        }
        floating {
            "CTIClientSignature" CLIENT_SIGNATURE_TAG cti_client_signature: Option<Text<64, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "ActiveTerminal" FLT_TERM_DEVICE_NAME active_terminal: Option<Text<64, S>>, since 24;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            /// Seconds.
            "Duration" DURATION_TAG duration: Option<u32>, since 10;
            "NextAgentState" EXT_AGENT_STATE_TAG next_agent_state: Option<AgentState>, since 10;
            "Direction" DIRECTION_TAG direction: Option<AgentCallDirection>, since 16;
            /// As many as `NumFltSkillGroups` says.
            flt_skill_groups: Vec<AgentStateSkillGroup>;
            "MaxBeyondTaskLimit" MAX_BEYOND_TASK_LIMIT_TAG max_beyond_task_limit: Option<u32>, since 22;
        }
    }
}

message! {
    /// Tells that a control request failed, in place of its confirmation.
    CONTROL_FAILURE_CONF as ControlFailureConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "FailureCode" failure_code: ControlFailure;
            "PeripheralErrorCode" peripheral_error_code: u32;
        }
        floating {
            "Text" TEXT_TAG text: Option<Text<255, S>>, is uccx;
            "CTIOSCILClientID" CTIOS_CIL_CLIENT_ID_TAG ctios_cil_client_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Asks for the state of one agent.
    QUERY_AGENT_STATE_REQ as QueryAgentStateReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "MRDID" mrd_id: i32;
            "ICMAgentID" icm_agent_id: i32, since 9;
        }
        floating {
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
        }
    }
}

set! {
    /// One skill group of the agent asked for.
    QueriedSkillGroup {
        "SkillGroupNumber" SKILL_GROUP_NUMBER_TAG number: u32;
        "SkillGroupID" SKILL_GROUP_ID_TAG id: u32;
        "SkillGroupPriority" SKILL_GROUP_PRIORITY_TAG priority: u16;
        "SkillGroupState" SKILL_GROUP_STATE_TAG state: AgentState;
    }
}

message! {
    /// Gives an agent's state, overall and in each skill group.
    QUERY_AGENT_STATE_CONF as QueryAgentStateConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "AgentState" agent_state: AgentState;
            /// How many sets of skill groups there are.
            "NumSkillGroups" num_skill_groups: u16;
            "MRDID" mrd_id: i32;
            "NumTasks" num_tasks: u32;
            "AgentMode" agent_mode: AgentMode;
            "MaxTaskLimit" max_task_limit: u32;
            "ICMAgentID" icm_agent_id: i32, since 9;
            "AgentAvailabilityStatus" agent_availability_status: AgentAvailability, since 9;
            "DepartmentID" department_id: i32, since 19;
        }
        floating {
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 6;
            /// As many as `NumSkillGroups` says.
            skill_groups: Vec<QueriedSkillGroup>;
            "InternalAgentState" INTERNAL_AGENT_STATE_TAG internal_agent_state: Option<AgentState>, since 19;
            "MaxBeyondTaskLimit" MAX_BEYOND_TASK_LIMIT_TAG max_beyond_task_limit: Option<u32>, since 22;
        }
    }
}

set! {
    /// One skill group that a state is asked for in.
    WantedSkillGroup {
        "SkillGroupNumber" SKILL_GROUP_NUMBER_TAG number: i32;
        "SkillGroupPriority" SKILL_GROUP_PRIORITY_TAG priority: u16;
    }
}

message! {
    /// Asks for a change of an agent's state: login, logout, ready, not ready and the like.
    SET_AGENT_STATE_REQ as SetAgentStateReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            /// The state wanted.
            "AgentState" agent_state: AgentState;
            "AgentWorkMode" agent_work_mode: AgentWorkMode;
            /// How many sets of skill groups there are.
            "NumSkillGroups" num_skill_groups: u16;
            "EventReasonCode" event_reason_code: u16;
            "ForcedFlag" forced_flag: ForcedFlag, since 10;
            "AgentServiceReq" agent_service_req: AgentServiceRequest, since 12;
        }
        floating {
            /// Of a remote agent: instrument and phone number with a semicolon between.
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
            "ActiveTerminal" FLT_TERM_DEVICE_NAME active_terminal: Option<Text<64, S>>, since 24;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
            "AgentPassword" AGENT_PASSWORD_TAG agent_password: Option<Secret<Text<64, S>>>;
            "PositionID" POSITION_ID_TAG position_id: Option<Text<12, S>>;
            "SupervisorID" SUPERVISOR_ID_TAG supervisor_id: Option<Text<12, S>>;
            "SSOEnabled" SSO_ENABLED_TAG sso_enabled: Option<u16>, since 20;
            /// As many as `NumSkillGroups` says.
            skill_groups: Vec<WantedSkillGroup>;
        }
    }
}

message! {
    /// Confirms that the request was received and accepted; the new state comes in AGENT_STATE_EVENT, before or after.
    SET_AGENT_STATE_CONF as SetAgentStateConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Asks what a device is and can do.
    QUERY_DEVICE_INFO_REQ as QueryDeviceInfoReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "Reserved" reserved: u16;
        }
        floating {
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
        }
    }
}

set! {
    /// One line of a device.
    DeviceLine {
        "LineHandle" LINE_HANDLE_TAG handle: u16;
        "LineType" LINE_TYPE_TAG line_type: LineType;
    }
}

message! {
    /// Describes a device: kind, lines, limits and supported requests.
    QUERY_DEVICE_INFO_CONF as QueryDeviceInfoConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "TypeOfDevice" type_of_device: TypeOfDevice;
            "ClassOfDevice" class_of_device: ClassOfDevice;
            /// How many sets of lines there are.
            "NumLines" num_lines: u16;
            "Reserved" reserved: u16;
            "MaxActiveCalls" max_active_calls: u16, since 6;
            "MaxHeldCalls" max_held_calls: u16, since 6;
            "MaxDevicesInConference" max_devices_in_conference: u16, since 6;
            /// The agent states in which a call may be made.
            "MakeCallSetup" make_call_setup: AgentStateMask, since 6;
            "TransferConferenceSetup" transfer_conference_setup: TransferConferenceSetupMask, since 6;
            "CallEventsSupported" call_events_supported: CallMsgMask, since 6;
            "CallControlSupported" call_control_supported: CallControlMask, since 6;
            "OtherFeaturesSupported" other_features_supported: OtherFeatureMask, since 6;
        }
        floating {
            /// As many as `NumLines` says.
            lines: Vec<DeviceLine>;
        }
    }
}

message! {
    /// Announces a call or task that is on its way to an agent, with its data.
    AGENT_PRE_CALL_EVENT as AgentPreCallEvent, from Server, service "client-events, all-events", since 6 {
        fixed {
            "MonitorID" monitor_id: u32, since 6;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
            "ServiceNumber" service_number: u32, since 6;
            "ServiceID" service_id: u32, since 6;
            "SkillGroupNumber" skill_group_number: u32, since 6;
            "SkillGroupID" skill_group_id: u32, since 6;
            "SkillGroupPriority" skill_group_priority: u16, since 6;
            "MRDID" mrd_id: i32;
            "AgentSkillTargetID" agent_skill_target_id: u32, since 20;
        }
        floating {
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>, is required;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>, is required;
            "RouterCallKeySequenceNumber" ROUTER_CALL_KEY_SEQUENCE_NUM_TAG
                router_call_key_sequence_number: Option<u32>, is required;
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
            "CallerEnteredDigits" CED_TAG caller_entered_digits: Option<Text<40, S>>;
            "FltCallTypeID" CALL_TYPE_ID_TAG flt_call_type_id: Option<u32>, since 14;
            "PreCallInvokeID" PRE_CALL_INVOKE_ID_TAG pre_call_invoke_id: Option<u32>, since 14;
            "CallVariable1" CALL_VAR_1_TAG call_variable1: Option<Text<41, S>>;
            "CallVariable2" CALL_VAR_2_TAG call_variable2: Option<Text<41, S>>;
            "CallVariable3" CALL_VAR_3_TAG call_variable3: Option<Text<41, S>>;
            "CallVariable4" CALL_VAR_4_TAG call_variable4: Option<Text<41, S>>;
            "CallVariable5" CALL_VAR_5_TAG call_variable5: Option<Text<41, S>>;
            "CallVariable6" CALL_VAR_6_TAG call_variable6: Option<Text<41, S>>;
            "CallVariable7" CALL_VAR_7_TAG call_variable7: Option<Text<41, S>>;
            "CallVariable8" CALL_VAR_8_TAG call_variable8: Option<Text<41, S>>;
            "CallVariable9" CALL_VAR_9_TAG call_variable9: Option<Text<41, S>>;
            "CallVariable10" CALL_VAR_10_TAG call_variable10: Option<Text<41, S>>;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>, since 20;
            "ProtocolReferenceGUID" PROTOCOL_REFERENCE_GUID_TAG protocol_reference_guid: Option<Text<40, S>>, since 24;
            "NumOfEnabledServices" NUM_OF_ENABLED_SERVICES num_of_enabled_services: Option<u16>, since 24;
            /// NumOfEnabledServices numbers in one field; see `EnabledService`.
            "FltEnabledServices" FLT_ENABLED_SERVICES flt_enabled_services: Vec<Ushorts<S>>, since 24;
            "CcaiConfigId" CCAI_CONFIG_ID ccai_config_id: Option<Text<40, S>>, since 24;
        }
    }
}

message! {
    /// Withdraws an announcement because the call could not be routed as planned.
    AGENT_PRE_CALL_ABORT_EVENT as AgentPreCallAbortEvent, from Server, service "all-events, client-events", since 6 {
        fixed {
            "MonitorID" monitor_id: u32, since 6;
            "MRDID" mrd_id: i32;
        }
        floating {
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>, is required;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>, is required;
            "RouterCallKeySequenceNumber" ROUTER_CALL_KEY_SEQUENCE_NUM_TAG
                router_call_key_sequence_number: Option<u32>, is required;
        }
    }
}
