//! Call data: what is known of a call from its beginning to its end, and how clients change it.
//!
//! Source: GED-188, "Client Events Service" and "Call Data Update Service". Not here: who may change what.

use crate::ged188::codes::{CallType, ConnectionDeviceIdType, Disposition, PeripheralType};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Data, NamedArray, NamedVariable, Text, Time};

set! {
    /// One client that has to do with the call.
    CtiClient<S> {
        "CTIClientSignature" CTI_CLIENT_SIGNATURE_TAG signature: Text<64, S>;
        "CTIClientTimestamp" CTI_CLIENT_TIMESTAMP_TAG timestamp: Time;
    }
}

message! {
    /// A call now belongs to this client: carries the first full set of call context, and comes before any other event
    /// of that call.
    BEGIN_CALL_EVENT as BeginCallEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "NumCTIClients" num_cti_clients: u16;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
            "CallType" call_type: CallType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "CalledPartyDisposition" called_party_disposition: Disposition, since 8;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "DNIS" DNIS_TAG dnis: Option<Text<32, S>>;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
            "CallerEnteredDigits" CED_TAG caller_entered_digits: Option<Text<40, S>>;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>;
            "RouterCallKeySequenceNumber" ROUTER_CALL_KEY_SEQUENCE_NUM_TAG router_call_key_sequence_number: Option<u32>;
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
            /// As many as `NumCTIClients` says.
            cti_clients: Vec<CtiClient<S>>;
            "CallReferenceID" CALL_REFERENCE_ID_TAG call_reference_id: Option<Data<32, S>>, since 14;
        }
    }
}

message! {
    /// The client no longer follows this call and gets no more events of it; the call itself may live on elsewhere.
    END_CALL_EVENT as EndCallEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Some of the call context changed: holds only what changed, except that it always holds every ECC variable of the
    /// call.
    CALL_DATA_UPDATE_EVENT as CallDataUpdateEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "NumCTIClients" num_cti_clients: u16;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
            "CallType" call_type: CallType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "NewConnectionDeviceIDType" new_connection_device_id_type: ConnectionDeviceIdType;
            "NewConnectionCallID" new_connection_call_id: u32;
            "CalledPartyDisposition" called_party_disposition: Disposition, since 8;
            "CampaignID" campaign_id: u32, since 8;
            "QueryRuleID" query_rule_id: u32, since 8;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "NewConnectionDeviceID" NEW_CONNECTION_DEVID_TAG new_connection_device_id: Option<Text<64, S>>, is required;
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "DNIS" DNIS_TAG dnis: Option<Text<32, S>>;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
            "CallerEnteredDigits" CED_TAG caller_entered_digits: Option<Text<40, S>>;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>;
            "RouterCallKeySequenceNumber" ROUTER_CALL_KEY_SEQUENCE_NUM_TAG router_call_key_sequence_number: Option<u32>;
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
            "CustomerPhoneNumber" CUSTOMER_PHONE_NUMBER_TAG customer_phone_number: Option<Text<20, S>>, since 8;
            "CustomerAccountNumber" CUSTOMER_ACCOUNT_NUMBER_TAG customer_account_number: Option<Text<32, S>>, since 8;
            /// As many as `NumCTIClients` says.
            cti_clients: Vec<CtiClient<S>>;
            "CallReferenceID" CALL_REFERENCE_ID_TAG call_reference_id: Option<Data<32, S>>, since 14;
        }
    }
}

message! {
    /// Set call variables, wrap-up data or ECC variables; what is not in it stays as it was.
    SET_CALL_DATA_REQ as SetCallDataReq, from Client, service "call-data-update" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
            "CallType" call_type: CallType, since 8;
            "CalledPartyDisposition" called_party_disposition: Disposition, since 8;
            "CampaignID" campaign_id: u32, since 8;
            "QueryRuleID" query_rule_id: u32, since 8;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "CallerEnteredDigits" CED_TAG caller_entered_digits: Option<Text<40, S>>;
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
            "CustomerPhoneNumber" CUSTOMER_PHONE_NUMBER_TAG customer_phone_number: Option<Text<20, S>>, since 8;
            "CustomerAccountNumber" CUSTOMER_ACCOUNT_NUMBER_TAG customer_account_number: Option<Text<32, S>>, since 8;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>, since 14;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>, since 14;
            "RouterCallKeySequenceNumber" ROUTER_CALL_KEY_SEQUENCE_NUM_TAG
                router_call_key_sequence_number: Option<u32>, since 14;
            "CallOriginatedFrom" CALL_ORIGINATED_FROM_TAG call_originated_from: Option<u8>, since 14;
        }
    }
}

message! {
    /// The values are set and safe even if the session breaks.
    SET_CALL_DATA_CONF as SetCallDataConf, from Server, service "call-data-update" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Done with the data of this call: lets the termination record be written before the wrap-up timer (2 minutes)
    /// runs out. Does not hang up.
    RELEASE_CALL_REQ as ReleaseCallReq, from Client, service "call-data-update" {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// Confirms RELEASE_CALL_REQ.
    RELEASE_CALL_CONF as ReleaseCallConf, from Server, service "call-data-update" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}
