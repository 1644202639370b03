//! System events, words between users, variables, application data and device attributes.
//!
//! Source: GED-188, "Miscellaneous Service" and "Call Data Update Service". Not here: whom a message reaches.

use crate::ged188::codes::{
    CallType, CallVariableMask, ClientEventState, DeviceIdType, MessageDistribution, PgStatus, SystemEventId,
};
use crate::ged188::table::message;
use crate::ged188::{NamedArray, NamedVariable, Text, Time};

message! {
    /// Reports the health of the gateway and of its peripherals to every client.
    SYSTEM_EVENT as SystemEvent, from Server, service "miscellaneous" {
        fixed {
            /// 0 is healthy.
            "PGStatus" pg_status: PgStatus;
            "ICMCentralControllerTime" icm_central_controller_time: Time, since 6;
            "SystemEventID" system_event_id: SystemEventId;
            "SystemEventArg1" system_event_arg1: u32;
            "SystemEventArg2" system_event_arg2: u32;
            "SystemEventArg3" system_event_arg3: u32;
            "EventDeviceType" event_device_type: DeviceIdType, since 10;
        }
        floating {
            "Text" TEXT_TAG text: Option<Text<255, S>>;
            "EventDeviceID" EVENT_DEVICE_ID_TAG event_device_id: Option<Text<64, S>>, since 10;
        }
    }
}

message! {
    /// Hands an event, optionally about a named object, to the alarm system.
    CLIENT_EVENT_REPORT_REQ as ClientEventReportReq, from Client, service "miscellaneous" {
        fixed {
            "InvokeID" invoke_id: u32;
            "State" state: ClientEventState;
        }
        floating {
            "ObjectName" OBJECT_NAME_TAG object_name: Option<Text<128, S>>;
            "Text" TEXT_TAG text: Option<Text<255, S>>, is required;
        }
    }
}

message! {
    /// Confirms the report.
    CLIENT_EVENT_REPORT_CONF as ClientEventReportConf, from Server, service "miscellaneous" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Sends a text to one client, the agent's supervisor, the agent's team or everybody.
    USER_MESSAGE_REQ as UserMessageReq, from Client, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32, since 6;
            "Distribution" distribution: MessageDistribution;
        }
        floating {
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
            "Text" TEXT_TAG text: Option<Text<255, S>>, is required;
            "CTIOSCILClientID" CTIOS_CIL_CLIENT_ID_TAG ctios_cil_client_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Confirms that the text was taken.
    USER_MESSAGE_CONF as UserMessageConf, from Server, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Delivers a text that another client sent.
    USER_MESSAGE_EVENT as UserMessageEvent, from Server, service "miscellaneous", since 6 {
        fixed {
            "ICMCentralControllerTime" icm_central_controller_time: Time;
            "Distribution" distribution: MessageDistribution;
        }
        floating {
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>, is required;
            "Text" TEXT_TAG text: Option<Text<255, S>>, is required;
        }
    }
}

message! {
    /// Limits the call variables that the client will be sent; without it a client gets all of them.
    REGISTER_VARIABLES_REQ as RegisterVariablesReq, from Client, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
            "CallVariableMask" call_variable_mask: CallVariableMask;
            "NumNamedVariables" num_named_variables: u16;
            "NumNamedArrays" num_named_arrays: u16;
        }
        floating {
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>;
        }
    }
}

message! {
    /// Confirms the registration.
    REGISTER_VARIABLES_CONF as RegisterVariablesConf, from Server, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Sets application variables of an application path; those left out stay as they are.
    SET_APP_DATA_REQ as SetAppDataReq, from Client, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {
            "ApplicationPathID" APP_PATH_ID_TAG application_path_id: Option<i32>, is required;
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
            "FltCallTypeID" CALL_TYPE_ID_TAG flt_call_type_id: Option<u32>, since 14;
            "PreCallInvokeID" PRE_CALL_INVOKE_ID_TAG pre_call_invoke_id: Option<u32>, since 14;
        }
    }
}

message! {
    /// Confirms that the variables are set for good.
    SET_APP_DATA_CONF as SetAppDataConf, from Server, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Sets the default service, skill group and call type of calls from a dialer port.
    SET_DEVICE_ATTRIBUTES_REQ as SetDeviceAttributesReq, from Client, service "call-data-update", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            "CallType" call_type: CallType;
            "CallingDeviceType" calling_device_type: DeviceIdType;
        }
        floating {
            "CallingDeviceID" CALLING_DEVID_TAG calling_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Confirms the new defaults.
    SET_DEVICE_ATTRIBUTES_CONF as SetDeviceAttributesConf, from Server, service "call-data-update", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}
