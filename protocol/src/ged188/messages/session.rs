//! Sessions: opening, heartbeat, closing, refusals, active and standby servers.
//!
//! Source: GED-188, "Session Management". Not here: what a server answers to what.

use crate::ged188::codes::{
    AgentState, AgentStateMask, CallMsgMask, ConfigMsgMask, PeripheralType, PgStatus, ServiceMask, SessionType, Status,
};
use crate::ged188::set::set;
use crate::ged188::table::message;
use crate::ged188::{Bool, Data, Secret, Text, Time};

message! {
    /// Refuses a request: sent in place of the request's own confirmation, with a status code.
    FAILURE_CONF as FailureConf, from Server, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
            "Status" status: Status;
        }
        floating {
            "Text" TEXT_TAG text: Option<Text<255, S>>, is uccx;
            "CTIOSCILClientID" CTIOS_CIL_CLIENT_ID_TAG ctios_cil_client_id: Option<Text<64, S>>;
        }
    }
}

message! {
    /// Reports an error or the end of service without having been asked, for example that the server goes offline.
    FAILURE_EVENT as FailureEvent, from Server, service "session" {
        fixed {
            "Status" status: Status;
        }
        floating {
            "Text" TEXT_TAG text: Option<Text<255, S>>, is uccx;
        }
    }
}

message! {
    /// Opens the session on a fresh connection and names the version, services, masks and the agent it is for.
    OPEN_REQ as OpenReq, from Client, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
            /// Decides the layout of every later message, and of the floating part of this one.
            "VersionNumber" version_number: u32;
            /// Seconds; 0xFFFFFFFF when the client sends no heartbeats.
            "IdleTimeout" idle_timeout: u32;
            /// 0xFFFFFFFF unless CTI_SERVICE_CLIENT_EVENTS is asked for.
            "PeripheralID" peripheral_id: u32;
            "ServicesRequested" services_requested: ServiceMask;
            "CallMsgMask" call_msg_mask: CallMsgMask;
            "AgentStateMask" agent_state_mask: AgentStateMask;
            "ConfigMsgMask" config_msg_mask: ConfigMsgMask, since 10;
            "Reserved1" reserved1: u32;
            "Reserved2" reserved2: u32;
            "Reserved3" reserved3: u32;
        }
        floating {
            "ClientID" CLIENT_ID_TAG client_id: Option<Text<64, S>>, is required;
            /// Has to be present even when it is empty.
            "ClientPassword" CLIENT_PASSWORD_TAG client_password: Option<Secret<Data<64, S>>>, is required;
            /// ClientID stands for it when it is absent.
            "ClientSignature" CLIENT_SIGNATURE_TAG client_signature: Option<Text<64, S>>;
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
            "ApplicationPathID" APP_PATH_ID_TAG application_path_id: Option<i32>;
        }
        untagged {
            "UniqueInstanceID" String 64, since 24;
        }
    }
}

set! {
    /// One peripheral that OPEN_CONF tells of.
    OpenedPeripheral {
        "FltPeripheralID" PERIPHERAL_ID_TAG id: u32, since 14;
        "MultilineAgentControl" MULTI_LINE_AGENT_CONTROL_TAG multiline_agent_control: u16, since 14;
    }
}

message! {
    /// Confirms the session and says what was granted and how the agent stands.
    OPEN_CONF as OpenConf, from Server, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
            /// May be fewer than were asked for.
            "ServicesGranted" services_granted: ServiceMask;
            /// 0 when no monitor was made.
            "MonitorID" monitor_id: u32;
            "PGStatus" pg_status: PgStatus;
            "ICMCentralControllerTime" icm_central_controller_time: Time, since 6;
            "PeripheralOnline" peripheral_online: Bool, since 5;
            "PeripheralType" peripheral_type: PeripheralType;
            "AgentState" agent_state: AgentState;
            "DepartmentID" department_id: i32, since 19;
            "SessionType" session_type: SessionType, since 24;
        }
        floating {
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
            /// How many sets of peripherals there are; 0 when OPEN_REQ named one.
            "NumPeripherals" NUM_PERIPHERALS_TAG num_peripherals: Option<u16>, since 14;
            /// As many as `NumPeripherals` says.
            peripherals: Vec<OpenedPeripheral>;
        }
        untagged {
            "ConfigMsgMaskGranted" Unknown, since 18, is uccx;
        }
    }
}

message! {
    /// Asks for a sign of life; the server never starts one.
    HEARTBEAT_REQ as HeartbeatReq, from Client, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Answers a heartbeat at once.
    HEARTBEAT_CONF as HeartbeatConf, from Server, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// Ends the session in good order and says why.
    CLOSE_REQ as CloseReq, from Client, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
            "Status" status: Status;
        }
        floating {}
    }
}

message! {
    /// Confirms the end of the session; the client then resets the connection.
    CLOSE_CONF as CloseConf, from Server, service "session" {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// A standby server tells its clients that it now becomes the active one.
    STANDBY_ACTIVE_EVENT_MSG as StandbyActiveEventMsg, from Server, service "session", since 24 {
        fixed {}
        floating {}
    }
}

message! {
    /// The active server asks each active/standby client whether it agrees to maintenance mode.
    ACTIVE_MAINTENANCE_REQ_MSG as ActiveMaintenanceReqMsg, from Server, service "session", since 24 {
        fixed {
            "InvokeID" invoke_id: u32;
        }
        floating {}
    }
}

message! {
    /// The client's answer, due within 5 seconds; silence counts as refusal.
    ACTIVE_MAINTENANCE_RESP_MSG as ActiveMaintenanceRespMsg, from Client, service "session", since 24 {
        fixed {
            "InvokeID" invoke_id: u32;
            "MaintenanceModeAccepted" maintenance_mode_accepted: Bool;
        }
        floating {}
    }
}

message! {
    /// Tells the clients whether maintenance mode goes ahead; one refusal cancels it.
    ACTIVE_MAINTENANCE_EVENT_MSG as ActiveMaintenanceEventMsg, from Server, service "session", since 24 {
        fixed {
            "MaintenanceModeStatus" maintenance_mode_status: Bool;
        }
        floating {}
    }
}

message! {
    /// The client will send nothing more to this side; the server then drops the connection.
    STOPPING_REQUESTS_TO_THIS_SIDE_IND as StoppingRequestsToThisSideInd, from Client, service "session", since 24 {
        fixed {}
        floating {}
    }
}
