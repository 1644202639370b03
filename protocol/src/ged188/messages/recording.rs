//! Recording: network recording, recording by a client, media streams.
//!
//! Source: GED-188, "Client Control Service", "Client Events Service" and "Miscellaneous Service". The network
//! recording
//! messages have the type table's numbers, 267 to 274; their own tables print each one higher.

use crate::ged188::Text;
use crate::ged188::codes::{
    ConnectionDeviceIdType, DeviceIdType, MediaForkingDeviceType, PlayToneDirection, RecorderStatus, RecorderType,
    RecordingType, RtpDirection, RtpType,
};
use crate::ged188::table::message;

message! {
    /// Start recording a connected call in the network.
    START_NETWORK_RECORDING_REQ as StartNetworkRecordingReq, from Client, service "client-control", since 23 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "PlayToneDirection" PLAY_TONE_DIRECTION_TAG play_tone_direction: Option<PlayToneDirection>;
            "InvocationType" INVOCATION_TYPE_TAG invocation_type: Option<u16>;
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The request was received; not yet that recording runs.
    START_NETWORK_RECORDING_CONF as StartNetworkRecordingConf, from Server, service "client-control", since 23 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Stop a network recording; InvocationType must be the one it was started with.
    STOP_NETWORK_RECORDING_REQ as StopNetworkRecordingReq, from Client, service "client-control", since 23 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
        }
        floating {
            "InvocationType" INVOCATION_TYPE_TAG invocation_type: Option<u16>;
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The request was received.
    STOP_NETWORK_RECORDING_CONF as StopNetworkRecordingConf, from Server, service "client-control", since 23 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Start recording through a registered recording server: client to CTI Server, then CTI Server to that server.
    START_RECORDING_REQ as StartRecordingReq, from Both, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ClientPort" client_port: u32;
            "BitRate" bit_rate: u32;
            "PacketSize" packet_size: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "Direction" direction: RtpDirection;
            "RTPType" rtp_type: RtpType;
            "EchoCancellation" echo_cancellation: u16;
            "PayloadType" payload_type: u16;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The recording server's answer, passed on to the client with the server's identity.
    START_RECORDING_CONF as StartRecordingConf, from Both, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "SessionID" session_id: u32;
            "ServerData" server_data: u32;
        }
        floating {
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Stop a recording; SessionID and ServerData from START_RECORDING_CONF, SessionID 0 = any registered server.
    STOP_RECORDING_REQ as StopRecordingReq, from Both, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ClientPort" client_port: u32;
            "SessionID" session_id: u32;
            "ServerData" server_data: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "Direction" direction: RtpDirection;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// The recording server's answer, passed on.
    STOP_RECORDING_CONF as StopRecordingConf, from Both, service "miscellaneous", since 8 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>;
        }
    }
}

message! {
    /// A media stream started at the device; one event per direction (Direction 0 in, 1 out, 2 both), in no fixed order
    /// with CALL_ESTABLISHED or CALL_RETRIEVED.
    RTP_STARTED_EVENT as RtpStartedEvent, from Server, service "client-events", since 7 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ClientPort" client_port: u32;
            "Direction" direction: RtpDirection;
            "RTPType" rtp_type: RtpType;
            "BitRate" bit_rate: u32;
            "EchoCancellation" echo_cancellation: u16;
            "PacketSize" packet_size: u32;
            "PayloadType" payload_type: u16;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>, is required;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "SendingAddress" SENDING_ADDRESS_TAG sending_address: Option<Text<64, S>>, since 10;
            "SendingPort" SENDING_PORT_TAG sending_port: Option<u32>, since 10;
        }
    }
}

message! {
    /// A media stream stopped: on hold and at the end of a call.
    RTP_STOPPED_EVENT as RtpStoppedEvent, from Server, service "client-events", since 7 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ClientPort" client_port: u32;
            "Direction" direction: RtpDirection;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "ConnectionCallID" connection_call_id: u32;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>, is required;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "SendingAddress" SENDING_ADDRESS_TAG sending_address: Option<Text<64, S>>, since 10;
            "SendingPort" SENDING_PORT_TAG sending_port: Option<u32>, since 10;
        }
    }
}

message! {
    /// Network recording of the call began.
    NETWORK_RECORDING_STARTED_EVENT as NetworkRecordingStartedEvent, from Server, service "client-events", since 23 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "RecordingDeviceType" recording_device_type: DeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "RecordingDeviceID" RECORDING_DEVICE_ID_TAG recording_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Network recording ended; a CALL_CLEARED_EVENT ends it as well.
    NETWORK_RECORDING_ENDED_EVENT as NetworkRecordingEndedEvent, from Server, service "client-events", since 23 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "RecordingDeviceType" recording_device_type: DeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "RecordingDeviceID" RECORDING_DEVICE_ID_TAG recording_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Network recording failed; the cause is passed through from Unified CM.
    NETWORK_RECORDING_FAILED_EVENT as NetworkRecordingFailedEvent, from Server, service "client-events", since 23 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "RecordingDeviceType" recording_device_type: DeviceIdType;
            "RecordFailureCause" record_failure_cause: u16;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "RecordingDeviceID" RECORDING_DEVICE_ID_TAG recording_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Tells the one who asked for network recording about the recorder and the forking device.
    NETWORK_RECORDING_TARGET_INFO_EVENT as NetworkRecordingTargetInfoEvent, from Server,
    service "client-events", since 23 {
        fixed {
            "MonitorID" monitor_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ConnectionCallID" connection_call_id: u32;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "RecordingDeviceType" recording_device_type: DeviceIdType;
            "RecordingType" recording_type: RecordingType;
            "MediaForkingDeviceType" media_forking_device_type: MediaForkingDeviceType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>, is required;
            "RecordingDeviceID" RECORDING_DEVICE_ID_TAG recording_device_id: Option<Text<64, S>>;
            "RecorderAddress" RECORDER_ADDRESS_TAG recorder_address: Option<Text<64, S>>, is required;
            "TerminalName" TERMINAL_NAME_TAG terminal_name: Option<Text<64, S>>, is required;
            "MediaForkingDeviceName" MEDIA_FORKING_DEVICE_NAME_TAG
                media_forking_device_name: Option<Text<64, S>>, is required;
            "ProtocolReferenceGUID" PROTOCOL_REFERENCE_GUID_TAG protocol_reference_guid: Option<Text<64, S>>, is required;
            "MediaForkingClusterID" MEDIA_FORKING_CLUSTER_ID_TAG
                media_forking_cluster_id: Option<Text<64, S>>, is required;
            "RecorderURI" RECORDER_URI_TAG recorder_uri: Option<Text<64, S>>;
            "RecorderErrorMsg" RECORDER_ERROR_MSG_TAG recorder_error_msg: Option<Text<64, S>>;
            "RecorderType" RECORDER_TYPE_TAG recorder_type: Option<RecorderType>;
            "RecorderStatus" RECORDER_STATUS_TAG recorder_status: Option<RecorderStatus>;
        }
    }
}
