//! Call events: what happens to a call and its parties, in the order of the guide.
//!
//! Source: GED-188, "Client Events Service" and "All Events Service". Not here: which client hears of which call.

use crate::ged188::codes::{
    ConnectionDeviceIdType, DeviceIdType, EventCause, LineType, LocalConnectionState, PeripheralType,
};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Data, NamedArray, NamedVariable, Text};

message! {
    /// A call rings at the agent device (LocalConnectionState LCS_ALERTING = 2), or, for All Events, an inbound trunk
    /// was seized (LCS_INITIATE = 1).
    CALL_DELIVERED_EVENT as CallDeliveredEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "SkillGroupNumber" skill_group_number: u32, since 7;
            "SkillGroupID" skill_group_id: u32, since 7;
            "SkillGroupPriority" skill_group_priority: u16, since 7;
            "AlertingDeviceType" alerting_device_type: DeviceIdType;
            "CallingDeviceType" calling_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LastRedirectDeviceType" last_redirect_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
            "NumNamedVariables" num_named_variables: u16;
            "NumNamedArrays" num_named_arrays: u16;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AlertingDeviceID" ALERTING_DEVID_TAG alerting_device_id: Option<Text<64, S>>;
            "CallingDeviceID" CALLING_DEVID_TAG calling_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
            "LastRedirectDeviceID" LAST_REDIRECT_DEVID_TAG last_redirect_device_id: Option<Text<64, S>>;
            "TrunkNumber" TRUNK_NUMBER_TAG trunk_number: Option<u32>;
            "TrunkGroupNumber" TRUNK_GROUP_NUMBER_TAG trunk_group_number: Option<u32>;
            "SecondaryConnectionCallID" SECONDARY_CONNECTION_CALL_ID secondary_connection_call_id: Option<u32>;
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "ANI_II" ANI_II_TAG ani_ii: Option<Text<2, S>>, since 11;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "DNIS" DNIS_TAG dnis: Option<Text<32, S>>;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
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
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>;
        }
    }
}

message! {
    /// The call was answered at the device.
    CALL_ESTABLISHED_EVENT as CallEstablishedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            "AnsweringDeviceType" answering_device_type: DeviceIdType;
            "CallingDeviceType" calling_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LastRedirectDeviceType" last_redirect_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AnsweringDeviceID" ANSWERING_DEVID_TAG answering_device_id: Option<Text<64, S>>;
            "CallingDeviceID" CALLING_DEVID_TAG calling_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
            "LastRedirectDeviceID" LAST_REDIRECT_DEVID_TAG last_redirect_device_id: Option<Text<64, S>>;
            "TrunkNumber" TRUNK_NUMBER_TAG trunk_number: Option<u32>;
            "TrunkGroupNumber" TRUNK_GROUP_NUMBER_TAG trunk_group_number: Option<u32>;
        }
    }
}

message! {
    /// The call was put on hold at the device.
    CALL_HELD_EVENT as CallHeldEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "HoldingDeviceType" holding_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "HoldingDeviceID" HOLDING_DEVID_TAG holding_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The call was taken off hold at the device.
    CALL_RETRIEVED_EVENT as CallRetrievedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "RetrievingDeviceType" retrieving_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "RetrievingDeviceID" RETRIEVING_DEVID_TAG retrieving_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The call ended as a whole, usually as its last device left.
    CALL_CLEARED_EVENT as CallClearedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
        }
    }
}

message! {
    /// One party left the call; EventCause 28 (CEC_REDIRECTED) marks the queue point leaving as the call moves on to an
    /// agent.
    CALL_CONNECTION_CLEARED_EVENT as CallConnectionClearedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "ReleasingDeviceType" releasing_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ReleasingDeviceID" RELEASING_DEVID_TAG releasing_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The peripheral started an outbound call from the device.
    CALL_ORIGINATED_EVENT as CallOriginatedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            "CallingDeviceType" calling_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "CallingDeviceID" CALLING_DEVID_TAG calling_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The call could not be completed.
    CALL_FAILED_EVENT as CallFailedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "FailingDeviceType" failing_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "FailingDeviceID" FAILING_DEVID_TAG failing_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
        }
    }
}

set! {
    /// One party of the call that came about.
    ConnectedParty<S> {
        "ConnectedPartyCallID" PARTY_CALLID_TAG call_id: u32;
        "ConnectedPartyDeviceIDType" PARTY_DEVID_TYPE_TAG device_id_type: ConnectionDeviceIdType;
        "ConnectedPartyDeviceID" PARTY_DEVID_TAG device_id: Text<64, S>;
    }
}

message! {
    /// Two calls were joined into a conference; lists the remaining parties.
    CALL_CONFERENCED_EVENT as CallConferencedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "PrimaryDeviceIDType" primary_device_id_type: ConnectionDeviceIdType;
            "PrimaryCallID" primary_call_id: u32;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            "NumParties" num_parties: u16;
            "SecondaryDeviceIDType" secondary_device_id_type: ConnectionDeviceIdType;
            "SecondaryCallID" secondary_call_id: u32;
            "ControllerDeviceType" controller_device_type: DeviceIdType;
            "AddedPartyDeviceType" added_party_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "PrimaryDeviceID" PRIMARY_DEVID_TAG primary_device_id: Option<Text<64, S>>, is required;
            "SecondaryDeviceID" SECONDARY_DEVID_TAG secondary_device_id: Option<Text<64, S>>, is required;
            "ControllerDeviceID" CONTROLLER_DEVID_TAG controller_device_id: Option<Text<64, S>>;
            "AddedPartyDeviceID" ADDED_PARTY_DEVID_TAG added_party_device_id: Option<Text<64, S>>;
            /// As many as `NumParties` says.
            connected_parties: Vec<ConnectedParty<S>>;
        }
    }
}

message! {
    /// The call was transferred; lists the remaining parties.
    CALL_TRANSFERRED_EVENT as CallTransferredEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "PrimaryDeviceIDType" primary_device_id_type: ConnectionDeviceIdType;
            "PrimaryCallID" primary_call_id: u32;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            "NumParties" num_parties: u16;
            "SecondaryDeviceIDType" secondary_device_id_type: ConnectionDeviceIdType;
            "SecondaryCallID" secondary_call_id: u32;
            "TransferringDeviceType" transferring_device_type: DeviceIdType;
            "TransferredDeviceType" transferred_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "PrimaryDeviceID" PRIMARY_DEVID_TAG primary_device_id: Option<Text<64, S>>, is required;
            "SecondaryDeviceID" SECONDARY_DEVID_TAG secondary_device_id: Option<Text<64, S>>, is required;
            "TransferringDeviceID" TRANSFERRING_DEVID_TAG transferring_device_id: Option<Text<64, S>>;
            "TransferredDeviceID" TRANSFERRED_DEVID_TAG transferred_device_id: Option<Text<64, S>>;
            /// As many as `NumParties` says.
            connected_parties: Vec<ConnectedParty<S>>;
        }
    }
}

message! {
    /// The call was taken away from an earlier target, for instance redirected on no answer.
    CALL_DIVERTED_EVENT as CallDivertedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "DivertingDeviceType" diverting_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "DivertingDeviceID" DIVERTING_DEVID_TAG diverting_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Dial tone: the device went off hook.
    CALL_SERVICE_INITIATED_EVENT as CallServiceInitiatedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "LineHandle" line_handle: u16;
            "LineType" line_type: LineType;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "SkillGroupPriority" skill_group_priority: u16;
            "CallingDeviceType" calling_device_type: DeviceIdType, since 5;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "CallingDeviceID" CALLING_DEVID_TAG calling_device_id: Option<Text<64, S>>, since 5;
            "CallReferenceID" CALL_REFERENCE_ID_TAG call_reference_id: Option<Data<32, S>>;
            "COCConnectionCallID" COC_CONNECTION_CALL_ID_TAG coc_connection_call_id: Option<u32>, since 14;
            "COCCallConnectionDeviceIDType" COC_CONNECTION_DEVICE_ID_TYPE_TAG
                coc_call_connection_device_id_type: Option<ConnectionDeviceIdType>, since 14;
            "COCCallConnectionDeviceID" COC_CONNECTION_DEVICE_ID_TAG
                coc_call_connection_device_id: Option<Text<64, S>>, since 14;
        }
    }
}

set! {
    /// One skill group that the call is queued to.
    QueuedSkillGroup {
        "SkillGroupNumber" SKILL_GROUP_NUMBER_TAG number: i32;
        "SkillGroupID" SKILL_GROUP_ID_TAG id: u32;
        "SkillGroupPriority" SKILL_GROUP_PRIORITY_TAG priority: u16;
    }
}

message! {
    /// The call waits in one or more queues; on CCE the waiting happens at a queue point (VRU), not at the agent
    /// device.
    CALL_QUEUED_EVENT as CallQueuedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "QueueDeviceType" queue_device_type: DeviceIdType;
            "CallingDeviceType" calling_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LastRedirectDeviceType" last_redirect_device_type: DeviceIdType;
            "NumQueued" num_queued: u16;
            "NumSkillGroups" num_skill_groups: u16;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "QueueDeviceID" QUEUE_DEVID_TAG queue_device_id: Option<Text<64, S>>;
            "CallingDeviceID" CALLING_DEVID_TAG calling_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
            "LastRedirectDeviceID" LAST_REDIRECT_DEVID_TAG last_redirect_device_id: Option<Text<64, S>>;
            /// As many as `NumSkillGroups` says.
            skill_groups: Vec<QueuedSkillGroup>;
        }
    }
}

set! {
    /// One skill group that the call has left.
    DequeuedSkillGroup {
        "SkillGroupNumber" SKILL_GROUP_NUMBER_TAG number: u32;
        "SkillGroupID" SKILL_GROUP_ID_TAG id: u32;
        "SkillGroupPriority" SKILL_GROUP_PRIORITY_TAG priority: u16;
    }
}

message! {
    /// The call left a queue explicitly; NumSkillGroups 0 means that it left all of them.
    CALL_DEQUEUED_EVENT as CallDequeuedEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "QueueDeviceType" queue_device_type: DeviceIdType;
            "ServiceNumber" service_number: u32;
            "ServiceID" service_id: u32;
            "NumQueued" num_queued: u16;
            "NumSkillGroups" num_skill_groups: u16;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            /// As many as `NumSkillGroups` says.
            skill_groups: Vec<DequeuedSkillGroup>;
        }
    }
}

message! {
    /// An outbound call left for another network.
    CALL_REACHED_NETWORK_EVENT as CallReachedNetworkEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32, since 5;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "LineHandle" line_handle: u16, since 7;
            "LineType" line_type: LineType, since 7;
            "TrunkUsedDeviceType" trunk_used_device_type: DeviceIdType;
            "CalledDeviceType" called_device_type: DeviceIdType;
            "LocalConnectionState" local_connection_state: LocalConnectionState;
            "EventCause" event_cause: EventCause;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "TrunkUsedDeviceID" TRUNK_USED_DEVID_TAG trunk_used_device_id: Option<Text<64, S>>;
            "CalledDeviceID" CALLED_DEVID_TAG called_device_id: Option<Text<64, S>>;
            "TrunkNumber" TRUNK_NUMBER_TAG trunk_number: Option<u32>;
            "TrunkGroupNumber" TRUNK_GROUP_NUMBER_TAG trunk_group_number: Option<u32>;
        }
    }
}

message! {
    /// A key attribute of the call (call type, service) changed.
    CALL_ATTRIBUTE_CHANGE_EVENT as CallAttributeChangeEvent, from Server, service "client-events" {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "PeripheralType" peripheral_type: PeripheralType;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "CallTypeID" call_type_id: u32;
            "ServiceNumber" service_number: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The agent greeting started (EventCode 0), ended well (1) or failed (2).
    CALL_AGENT_GREETING_EVENT as CallAgentGreetingEvent, from Server, service "client-events", since 15 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
            "EventCode" event_code: u16;
            "PeripheralErrorCode" peripheral_error_code: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>, is required;
        }
        untagged {
            "GreetingType" String 32, is required;
        }
    }
}

message! {
    /// Context of a call that a translation route is about to bring to the peripheral; no MonitorID, no call id.
    CALL_TRANSLATION_ROUTE_EVENT as CallTranslationRouteEvent, from Server, service "all-events" {
        fixed {
            "NumNamedVariables" num_named_variables: u16, since 6;
            "NumNamedArrays" num_named_arrays: u16, since 6;
        }
        floating {
            "ANI" ANI_TAG ani: Option<Text<40, S>>;
            "UserToUserInfo" UUI_TAG user_to_user_info: Option<Data<131, S>>;
            "DNIS" DNIS_TAG dnis: Option<Text<32, S>>, is required;
            "DialedNumber" DIALED_NUMBER_TAG dialed_number: Option<Text<40, S>>;
            "CallerEnteredDigits" CED_TAG caller_entered_digits: Option<Text<40, S>>;
            "RouterCallKeyDay" ROUTER_CALL_KEY_DAY_TAG router_call_key_day: Option<u32>, is required;
            "RouterCallKeyCallID" ROUTER_CALL_KEY_CALLID_TAG router_call_key_call_id: Option<u32>, is required;
            "RouterCallKeySequenceNumber" ROUTER_CALL_KEY_SEQUENCE_NUM_TAG
                router_call_key_sequence_number: Option<u32>, is required;
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
            "NamedVariable" NAMED_VARIABLE_TAG named_variables: Vec<NamedVariable<S>>, since 6;
            "NamedArray" NAMED_ARRAY_TAG named_arrays: Vec<NamedArray<S>>, since 6;
        }
    }
}
