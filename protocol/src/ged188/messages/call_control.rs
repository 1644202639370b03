//! Call control: requests that make, join, part and end calls, and their confirmations.
//!
//! Source: GED-188, "Client Control Service". Not here: refusals; those are in `agent` and `session`.

use super::ConnectedParty;
use crate::ged188::codes::{
    AgentGreetingAction, AllocationState, AnswerDetectMode, AnsweringMachine, CallMannerType, CallOption,
    CallPlacementType, ConnectionDeviceIdType, ConsultType, DestinationCountry, DeviceIdType, FacilityType, LineType,
};
use crate::ged188::table::message;
use crate::ged188::{Bool, Data, NamedArray, NamedVariable, Text};

message! {
    /// Hold the active call and retrieve the held (or answer the ringing) one at the same device, in one go.
    ALTERNATE_CALL_REQ as AlternateCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ActiveConnectionCallID" active_connection_call_id: u32;
            "OtherConnectionCallID" other_connection_call_id: u32;
            "ActiveConnectionDeviceIDType" active_connection_device_id_type: ConnectionDeviceIdType;
            "OtherConnectionDeviceIDType" other_connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ActiveConnectionDeviceID" ACTIVE_CONN_DEVID_TAG active_connection_device_id: Option<Text<64, S>>, is required;
            "OtherConnectionDeviceID" OTHER_CONN_DEVID_TAG other_connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
        }
    }
}

message! {
    /// Confirms ALTERNATE_CALL_REQ: it was received; the effect is told by events, before or after.
    ALTERNATE_CALL_CONF as AlternateCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Answer the ringing call at a device.
    ANSWER_CALL_REQ as AnswerCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Confirms ANSWER_CALL_REQ: it was received; the effect is told by events, before or after.
    ANSWER_CALL_CONF as AnswerCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Release every device from the call.
    CLEAR_CALL_REQ as ClearCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
        }
    }
}

message! {
    /// Confirms CLEAR_CALL_REQ: it was received; the effect is told by events, before or after.
    CLEAR_CALL_CONF as ClearCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Release one device from the call (hang up). The guide prints RequestingDeviceIDType in the fixed part; it has a tag
    /// as well, and the clients that are known write it there or not at all.
    CLEAR_CONNECTION_REQ as ClearConnectionReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        fixed_may_have 2 bytes_more, since 14;
        floating {
            "RequestingDeviceIDType" REQUESTING_DEVICE_ID_TYPE_TAG
                requesting_device_id_type: Option<DeviceIdType>, since 14;
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 5;
            "CTIOSCILClientID" CTIOS_CIL_CLIENT_ID_TAG ctios_cil_client_id: Option<Text<64, S>>;
            "RequestingDeviceID" REQUESTING_DEVICE_ID_TAG requesting_device_id: Option<Text<64, S>>, since 14;
        }
    }
}

message! {
    /// Confirms CLEAR_CONNECTION_REQ: it was received; the effect is told by events, before or after.
    CLEAR_CONNECTION_CONF as ClearConnectionConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Join the held call and the active call; with DialedNumber instead of a held call, a single-step conference.
    CONFERENCE_CALL_REQ as ConferenceCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "HeldConnectionCallID" held_connection_call_id: u32;
            "ActiveConnectionCallID" active_connection_call_id: u32;
            "HeldConnectionDeviceIDType" held_connection_device_id_type: ConnectionDeviceIdType;
            "ActiveConnectionDeviceIDType" active_connection_device_id_type: ConnectionDeviceIdType;
            "CallPlacementType" call_placement_type: CallPlacementType, since 5;
            "CallMannerType" call_manner_type: CallMannerType, since 5;
            "AlertRings" alert_rings: u16, since 5;
            "CallOption" call_option: CallOption, since 5;
            "FacilityType" facility_type: FacilityType, since 5;
            "AnsweringMachine" answering_machine: AnsweringMachine, since 5;
            "Priority" priority: Bool, since 5;
            "PostRoute" post_route: Bool, since 5;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
        }
        floating {
            "ActiveConnectionDeviceID" ACTIVE_CONN_DEVID_TAG active_connection_device_id: Option<Text<64, S>>, is required;
            "HeldConnectionDeviceID" HELD_CONN_DEVID_TAG held_connection_device_id: Option<Text<64, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>, since 5;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>, since 5;
            "CallVariable1" CALL_VAR_1_TAG call_variable1: Option<Text<41, S>>, since 5;
            "CallVariable2" CALL_VAR_2_TAG call_variable2: Option<Text<41, S>>, since 5;
            "CallVariable3" CALL_VAR_3_TAG call_variable3: Option<Text<41, S>>, since 5;
            "CallVariable4" CALL_VAR_4_TAG call_variable4: Option<Text<41, S>>, since 5;
            "CallVariable5" CALL_VAR_5_TAG call_variable5: Option<Text<41, S>>, since 5;
            "CallVariable6" CALL_VAR_6_TAG call_variable6: Option<Text<41, S>>, since 5;
            "CallVariable7" CALL_VAR_7_TAG call_variable7: Option<Text<41, S>>, since 5;
            "CallVariable8" CALL_VAR_8_TAG call_variable8: Option<Text<41, S>>, since 5;
            "CallVariable9" CALL_VAR_9_TAG call_variable9: Option<Text<41, S>>, since 5;
            "CallVariable10" CALL_VAR_10_TAG call_variable10: Option<Text<41, S>>, since 5;
            "CallWrapupData" CALL_WRAPUP_DATA_TAG call_wrapup_data: Option<Text<40, S>>, since 5;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
            "FacilityCode" FACILITY_CODE_TAG facility_code: Option<Text<40, S>>, since 5;
            "AuthorizationCode" AUTHORIZATION_CODE_TAG authorization_code: Option<Text<40, S>>, since 5;
            "AccountCode" ACCOUNT_CODE_TAG account_code: Option<Text<40, S>>, since 5;
        }
    }
}

message! {
    /// Confirms CONFERENCE_CALL_REQ and names the resulting call and its parties.
    CONFERENCE_CALL_CONF as ConferenceCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "NewConnectionCallID" new_connection_call_id: u32;
            "NewConnectionDeviceIDType" new_connection_device_id_type: ConnectionDeviceIdType;
            "NumParties" num_parties: u16;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "NewConnectionDeviceID" NEW_CONNECTION_DEVID_TAG new_connection_device_id: Option<Text<64, S>>, is required;
            /// As many as `NumParties` says.
            connected_parties: Vec<ConnectedParty<S>>;
        }
    }
}

message! {
    /// Hold the active call and dial a consult call; the consult call inherits the call context except what is given
    /// here.
    CONSULTATION_CALL_REQ as ConsultationCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ActiveConnectionCallID" active_connection_call_id: u32;
            "ActiveConnectionDeviceIDType" active_connection_device_id_type: ConnectionDeviceIdType;
            "CallPlacementType" call_placement_type: CallPlacementType;
            "CallMannerType" call_manner_type: CallMannerType;
            "ConsultType" consult_type: ConsultType;
            "AlertRings" alert_rings: u16, since 5;
            "CallOption" call_option: CallOption, since 5;
            "FacilityType" facility_type: FacilityType;
            "AnsweringMachine" answering_machine: AnsweringMachine;
            "Priority" priority: Bool;
            "PostRoute" post_route: Bool;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
        }
        floating {
            "ActiveConnectionDeviceID" ACTIVE_CONN_DEVID_TAG active_connection_device_id: Option<Text<64, S>>, is required;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 5;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
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
            "CallWrapupData" CALL_WRAPUP_DATA_TAG call_wrapup_data: Option<Text<40, S>>;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
            "FacilityCode" FACILITY_CODE_TAG facility_code: Option<Text<40, S>>;
            "AuthorizationCode" AUTHORIZATION_CODE_TAG authorization_code: Option<Text<40, S>>, since 5;
            "AccountCode" ACCOUNT_CODE_TAG account_code: Option<Text<40, S>>, since 5;
        }
    }
}

message! {
    /// Confirms CONSULTATION_CALL_REQ and names the new call.
    CONSULTATION_CALL_CONF as ConsultationCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "NewConnectionCallID" new_connection_call_id: u32;
            "NewConnectionDeviceIDType" new_connection_device_id_type: ConnectionDeviceIdType;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "NewConnectionDeviceID" NEW_CONNECTION_DEVID_TAG new_connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Move a ringing call to another device.
    DEFLECT_CALL_REQ as DeflectCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
        }
    }
}

message! {
    /// Confirms DEFLECT_CALL_REQ: it was received; the effect is told by events, before or after.
    DEFLECT_CALL_CONF as DeflectCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Put a connection on hold.
    HOLD_CALL_REQ as HoldCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "Reservation" reservation: Bool;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
        }
    }
}

message! {
    /// Confirms HOLD_CALL_REQ: it was received; the effect is told by events, before or after.
    HOLD_CALL_CONF as HoldCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Dial a new call from the agent device.
    MAKE_CALL_REQ as MakeCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "CallPlacementType" call_placement_type: CallPlacementType;
            "CallMannerType" call_manner_type: CallMannerType;
            "AlertRings" alert_rings: u16, since 5;
            "CallOption" call_option: CallOption, since 5;
            "FacilityType" facility_type: FacilityType;
            "AnsweringMachine" answering_machine: AnsweringMachine;
            "Priority" priority: Bool;
            "PostRoute" post_route: Bool;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
            "SkillGroupNumber" skill_group_number: u32, since 14;
        }
        floating {
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>, is required;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
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
            "CallWrapupData" CALL_WRAPUP_DATA_TAG call_wrapup_data: Option<Text<40, S>>;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
            "FacilityCode" FACILITY_CODE_TAG facility_code: Option<Text<40, S>>;
            "AuthorizationCode" AUTHORIZATION_CODE_TAG authorization_code: Option<Text<40, S>>, since 5;
            "AccountCode" ACCOUNT_CODE_TAG account_code: Option<Text<40, S>>, since 5;
            "CCT" CALL_CONTROL_TABLE_TAG cct: Option<Text<4, S>>, since 6;
        }
    }
}

message! {
    /// Confirms MAKE_CALL_REQ and names the new call.
    MAKE_CALL_CONF as MakeCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "NewConnectionCallID" new_connection_call_id: u32;
            "NewConnectionDeviceIDType" new_connection_device_id_type: ConnectionDeviceIdType;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "NewConnectionDeviceID" NEW_CONNECTION_DEVID_TAG new_connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Dial a call on behalf of a group device, to be connected when delivered or answered (AllocationState).
    MAKE_PREDICTIVE_CALL_REQ as MakePredictiveCallReq, from Client, service "client-control", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "CallPlacementType" call_placement_type: CallPlacementType;
            "CallMannerType" call_manner_type: CallMannerType;
            "AlertRings" alert_rings: u16;
            "CallOption" call_option: CallOption;
            "FacilityType" facility_type: FacilityType;
            "AnsweringMachine" answering_machine: AnsweringMachine;
            "Priority" priority: Bool;
            "AllocationState" allocation_state: AllocationState;
            "DestinationCountry" destination_country: DestinationCountry;
            "AnswerDetectMode" answer_detect_mode: AnswerDetectMode;
            "AnswerDetectTime" answer_detect_time: u16;
            "AnswerDetectControl1" answer_detect_control1: u32;
            "AnswerDetectControl2" answer_detect_control2: u32;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
        }
        floating {
            "OriginatingDeviceID" ORIGINATING_DEVID_TAG originating_device_id: Option<Text<64, S>>, is required;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>, is required;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
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
            "CallWrapupData" CALL_WRAPUP_DATA_TAG call_wrapup_data: Option<Text<40, S>>;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
            "FacilityCode" FACILITY_CODE_TAG facility_code: Option<Text<40, S>>;
            "AuthorizationCode" AUTHORIZATION_CODE_TAG authorization_code: Option<Text<40, S>>;
            "AccountCode" ACCOUNT_CODE_TAG account_code: Option<Text<40, S>>;
            "OriginatingLineID" ORIGINATING_LINE_ID_TAG originating_line_id: Option<Text<40, S>>;
            "CCT" CALL_CONTROL_TABLE_TAG cct: Option<Text<4, S>>, since 6;
        }
    }
}

message! {
    /// Confirms MAKE_PREDICTIVE_CALL_REQ and names the new call.
    MAKE_PREDICTIVE_CALL_CONF as MakePredictiveCallConf, from Server, service "client-control", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "NewConnectionCallID" new_connection_call_id: u32;
            "NewConnectionDeviceIDType" new_connection_device_id_type: ConnectionDeviceIdType;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "NewConnectionDeviceID" NEW_CONNECTION_DEVID_TAG new_connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Clear the active call and retrieve the held one.
    RECONNECT_CALL_REQ as ReconnectCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ActiveConnectionCallID" active_connection_call_id: u32;
            "HeldConnectionCallID" held_connection_call_id: u32;
            "ActiveConnectionDeviceIDType" active_connection_device_id_type: ConnectionDeviceIdType;
            "HeldConnectionDeviceIDType" held_connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ActiveConnectionDeviceID" ACTIVE_CONN_DEVID_TAG active_connection_device_id: Option<Text<64, S>>, is required;
            "HeldConnectionDeviceID" HELD_CONN_DEVID_TAG held_connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
        }
    }
}

message! {
    /// Confirms RECONNECT_CALL_REQ: it was received; the effect is told by events, before or after.
    RECONNECT_CALL_CONF as ReconnectCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Take a held connection back.
    RETRIEVE_CALL_REQ as RetrieveCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "HeldConnectionCallID" held_connection_call_id: u32;
            "HeldConnectionDeviceIDType" held_connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "HeldConnectionDeviceID" HELD_CONN_DEVID_TAG held_connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
        }
    }
}

message! {
    /// Confirms RETRIEVE_CALL_REQ: it was received; the effect is told by events, before or after.
    RETRIEVE_CALL_CONF as RetrieveCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Transfer the held call to the active one; with DialedNumber instead of a held call, a single-step (blind)
    /// transfer.
    TRANSFER_CALL_REQ as TransferCallReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ActiveConnectionCallID" active_connection_call_id: u32;
            "HeldConnectionCallID" held_connection_call_id: u32;
            "ActiveConnectionDeviceIDType" active_connection_device_id_type: ConnectionDeviceIdType;
            "HeldConnectionDeviceIDType" held_connection_device_id_type: ConnectionDeviceIdType;
            "CallPlacementType" call_placement_type: CallPlacementType;
            "CallMannerType" call_manner_type: CallMannerType;
            "AlertRings" alert_rings: u16, since 5;
            "CallOption" call_option: CallOption, since 5;
            "FacilityType" facility_type: FacilityType;
            "AnsweringMachine" answering_machine: AnsweringMachine, since 5;
            "Priority" priority: Bool;
            "PostRoute" post_route: Bool;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
        }
        floating {
            "ActiveConnectionDeviceID" ACTIVE_CONN_DEVID_TAG active_connection_device_id: Option<Text<64, S>>, is required;
            "HeldConnectionDeviceID" HELD_CONN_DEVID_TAG held_connection_device_id: Option<Text<64, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
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
            "CallWrapupData" CALL_WRAPUP_DATA_TAG call_wrapup_data: Option<Text<40, S>>;
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
            "FacilityCode" FACILITY_CODE_TAG facility_code: Option<Text<40, S>>;
            "AuthorizationCode" AUTHORIZATION_CODE_TAG authorization_code: Option<Text<40, S>>, since 5;
            "AccountCode" ACCOUNT_CODE_TAG account_code: Option<Text<40, S>>, since 5;
        }
    }
}

message! {
    /// Confirms TRANSFER_CALL_REQ and names the resulting call and its parties.
    TRANSFER_CALL_CONF as TransferCallConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "NewConnectionCallID" new_connection_call_id: u32;
            "NewConnectionDeviceIDType" new_connection_device_id_type: ConnectionDeviceIdType;
            "NumParties" num_parties: u16;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "NewConnectionDeviceID" NEW_CONNECTION_DEVID_TAG new_connection_device_id: Option<Text<64, S>>, is required;
            /// As many as `NumParties` says.
            connected_parties: Vec<ConnectedParty<S>>;
        }
    }
}

message! {
    /// Send tones into a call.
    SEND_DTMF_SIGNAL_REQ as SendDtmfSignalReq, from Client, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ToneDuration" tone_duration: u16;
            "PauseDuration" pause_duration: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "DTMFString" DTMF_STRING_TAG dtmf_string: Option<Text<32, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, since 8;
            "CTIOSCILClientID" CTIOS_CIL_CLIENT_ID_TAG ctios_cil_client_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Confirms SEND_DTMF_SIGNAL_REQ: it was received; the effect is told by events, before or after.
    SEND_DTMF_SIGNAL_CONF as SendDtmfSignalConf, from Server, service "client-control" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Call for a team supervisor; starts a call of type 19 (assist).
    SUPERVISOR_ASSIST_REQ as SupervisorAssistReq, from Client, service "client-control", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// A supervisor was found: names the assist call.
    SUPERVISOR_ASSIST_CONF as SupervisorAssistConf, from Server, service "client-control", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Declare the call an emergency; starts a call of type 20 and raises an alarm even if no supervisor is found.
    EMERGENCY_CALL_REQ as EmergencyCallReq, from Client, service "client-control", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// A supervisor was found: names the emergency call.
    EMERGENCY_CALL_CONF as EmergencyCallConf, from Server, service "client-control", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Mark the call as of poor line quality.
    BAD_CALL_REQ as BadCallReq, from Client, service "client-control", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>, is required;
        }
    }
}

message! {
    /// Confirms BAD_CALL_REQ.
    BAD_CALL_CONF as BadCallConf, from Server, service "client-control", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// AgentAction 0 stops the greeting now playing; 1 turns greetings off, 2 on, for this login.
    AGENT_GREETING_CONTROL_REQ as AgentGreetingControlReq, from Client, service "client-control", since 15 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "AgentAction" agent_action: AgentGreetingAction;
        }
        floating {
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>, is required;
        }
    }
}

message! {
    /// Confirms AGENT_GREETING_CONTROL_REQ.
    AGENT_GREETING_CONTROL_CONF as AgentGreetingControlConf, from Server, service "client-control", since 15 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}
