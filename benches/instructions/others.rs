//! The same request as prost and serde_json would carry it.

use serde::{Deserialize, Serialize};

/// The fields of SET_AGENT_STATE_REQ that have no set and no secret.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub(crate) struct SetAgentState {
    #[prost(uint32, tag = "1")]
    pub(crate) invoke_id: u32,
    #[prost(uint32, tag = "2")]
    pub(crate) peripheral_id: u32,
    #[prost(uint32, tag = "3")]
    pub(crate) agent_state: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) agent_work_mode: u32,
    #[prost(uint32, tag = "5")]
    pub(crate) num_skill_groups: u32,
    #[prost(uint32, tag = "6")]
    pub(crate) event_reason_code: u32,
    #[prost(uint32, tag = "7")]
    pub(crate) forced_flag: u32,
    #[prost(uint32, tag = "8")]
    pub(crate) agent_service_req: u32,
    #[prost(string, optional, tag = "9")]
    pub(crate) agent_instrument: Option<String>,
    #[prost(string, optional, tag = "10")]
    pub(crate) agent_id: Option<String>,
}

/// The request of the other cases.
pub(crate) fn message() -> SetAgentState {
    SetAgentState {
        invoke_id: 7,
        peripheral_id: 5000,
        agent_state: 3,
        agent_work_mode: 0,
        num_skill_groups: 0,
        event_reason_code: 0,
        forced_flag: 0,
        agent_service_req: 0,
        agent_instrument: Some("3041".to_owned()),
        agent_id: Some("1001".to_owned()),
    }
}
