//! Monitors: of calls, of devices, and of other clients' sessions.
//!
//! Source: GED-188, "Peripheral Monitor Service" and "Client Monitor Service". Not here: which event fits a monitor.

use crate::ged188::Text;
use crate::ged188::codes::{AgentStateMask, CallMsgMask, ConnectionDeviceIdType, DeviceIdType, ServiceMask, Status};
use crate::ged188::table::message;

message! {
    /// Starts a monitor of one call or one device with its own masks.
    MONITOR_START_REQ as MonitorStartReq, from Client, service "peripheral-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            /// 0 for a device monitor.
            "ConnectionCallID" connection_call_id: u32;
            "CallMsgMask" call_msg_mask: CallMsgMask;
            "AgentStateMask" agent_state_mask: AgentStateMask;
            "ConnectionDeviceIDType" connection_device_id_type: ConnectionDeviceIdType;
            "MonitoredDeviceType" monitored_device_type: DeviceIdType;
        }
        floating {
            "ConnectionDeviceID" CONNECTION_DEVID_TAG connection_device_id: Option<Text<64, S>>;
            "MonitoredDeviceID" MONITORED_DEVID_TAG monitored_device_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Gives the id of the new monitor.
    MONITOR_START_CONF as MonitorStartConf, from Server, service "peripheral-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Ends a call or device monitor.
    MONITOR_STOP_REQ as MonitorStopReq, from Client, service "peripheral-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Confirms the end of the monitor.
    MONITOR_STOP_CONF as MonitorStopConf, from Server, service "peripheral-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Replaces the two masks of a monitor.
    CHANGE_MONITOR_MASK_REQ as ChangeMonitorMaskReq, from Client, service "peripheral-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
            "CallMsgMask" call_msg_mask: CallMsgMask;
            "AgentStateMask" agent_state_mask: AgentStateMask;
        }
        floating {}
    }
}

message! {
    /// Confirms the new masks.
    CHANGE_MONITOR_MASK_CONF as ChangeMonitorMaskConf, from Server, service "peripheral-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Tells that another client opened a session; a new monitoring client gets one for each session already open.
    CLIENT_SESSION_OPENED_EVENT as ClientSessionOpenedEvent, from Server, service "client-monitor", since 5 {
        fixed {
            "SessionID" session_id: u32;
            "PeripheralID" peripheral_id: u32;
            "ServicesGranted" services_granted: ServiceMask;
            "CallMsgMask" call_msg_mask: CallMsgMask;
            "AgentStateMask" agent_state_mask: AgentStateMask;
            "ClientPort" client_port: u32, since 5;
        }
        floating {
            /// Fits 16 bytes before version 19.
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>, is required;
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>, is required;
            "ClientSignature" CLIENT_SIGNATURE_TAG client_signature: Option<Text<64, S>>, is required;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Tells that another client's session ended, and why.
    CLIENT_SESSION_CLOSED_EVENT as ClientSessionClosedEvent, from Server, service "client-monitor", since 5 {
        fixed {
            "SessionID" session_id: u32;
            "PeripheralID" peripheral_id: u32;
            "Status" status: Status;
            "ClientPort" client_port: u32, since 5;
        }
        floating {
            /// Fits 16 bytes before version 19.
            "ClientAddress" CLIENT_ADDRESS_TAG client_address: Option<Text<64, S>>, is required;
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>, is required;
            "ClientSignature" CLIENT_SIGNATURE_TAG client_signature: Option<Text<64, S>>, is required;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Starts monitoring another client's session.
    SESSION_MONITOR_START_REQ as SessionMonitorStartReq, from Client, service "client-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "SessionID" session_id: u32;
        }
        floating {}
    }
}

message! {
    /// Gives the id of the new session monitor.
    SESSION_MONITOR_START_CONF as SessionMonitorStartConf, from Server, service "client-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Ends a session monitor.
    SESSION_MONITOR_STOP_REQ as SessionMonitorStopReq, from Client, service "client-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MonitorID" monitor_id: u32;
        }
        floating {}
    }
}

message! {
    /// Confirms the end of the session monitor.
    SESSION_MONITOR_STOP_CONF as SessionMonitorStopConf, from Server, service "client-monitor", since 5 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}
