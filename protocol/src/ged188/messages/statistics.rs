//! Statistics of agents and skill groups. Times are in seconds; 0xFFFFFFFF stands for an unknown figure.
//!
//! Source: GED-188, "Miscellaneous Service". Not here: where figures come from.

use crate::ged188::Text;
use crate::ged188::table::message;

message! {
    /// Asks for the agent's figures since sign-in and since midnight.
    QUERY_AGENT_STATISTICS_REQ as QueryAgentStatisticsReq, from Client, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
        }
        floating {
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
        }
    }
}

message! {
    /// Gives the agent's figures, all times in seconds; calls still in progress are not counted.
    QUERY_AGENT_STATISTICS_CONF as QueryAgentStatisticsConf, from Server, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "AvailTimeSession" avail_time_session: u32;
            "LoggedOnTimeSession" logged_on_time_session: u32;
            "NotReadyTimeSession" not_ready_time_session: u32;
            "ICMAvailableTimeSession" icm_available_time_session: u32, since 9;
            "RoutableTimeSession" routable_time_session: u32, since 9;
            "AgentOutCallsSession" agent_out_calls_session: u32;
            "AgentOutCallsTalkTimeSession" agent_out_calls_talk_time_session: u32;
            "AgentOutCallsTimeSession" agent_out_calls_time_session: u32;
            "AgentOutCallsHeldSession" agent_out_calls_held_session: u32;
            "AgentOutCallsHeldTimeSession" agent_out_calls_held_time_session: u32;
            "HandledCallsSession" handled_calls_session: u32;
            "HandledCallsTalkTimeSession" handled_calls_talk_time_session: u32;
            "HandledCallsAfterCallTimeSession" handled_calls_after_call_time_session: u32, since 6;
            "HandledCallsTimeSession" handled_calls_time_session: u32;
            "IncomingCallsHeldSession" incoming_calls_held_session: u32;
            "IncomingCallsHeldTimeSession" incoming_calls_held_time_session: u32;
            "InternalCallsSession" internal_calls_session: u32;
            "InternalCallsTimeSession" internal_calls_time_session: u32;
            "InternalCallsRcvdSession" internal_calls_rcvd_session: u32;
            "InternalCallsRcvdTimeSession" internal_calls_rcvd_time_session: u32;
            "InternalCallsHeldSession" internal_calls_held_session: u32;
            "InternalCallsHeldTimeSession" internal_calls_held_time_session: u32;
            "AutoOutCallsSession" auto_out_calls_session: u32, since 8;
            "AutoOutCallsTalkTimeSession" auto_out_calls_talk_time_session: u32, since 8;
            "AutoOutCallsTimeSession" auto_out_calls_time_session: u32, since 8;
            "AutoOutCallsHeldSession" auto_out_calls_held_session: u32, since 8;
            "AutoOutCallsHeldTimeSession" auto_out_calls_held_time_session: u32, since 8;
            "PreviewCallsSession" preview_calls_session: u32, since 8;
            "PreviewCallsTalkTimeSession" preview_calls_talk_time_session: u32, since 8;
            "PreviewCallsTimeSession" preview_calls_time_session: u32, since 8;
            "PreviewCallsHeldSession" preview_calls_held_session: u32, since 8;
            "PreviewCallsHeldTimeSession" preview_calls_held_time_session: u32, since 8;
            "ReservationCallsSession" reservation_calls_session: u32, since 8;
            "ReservationCallsTalkTimeSession" reservation_calls_talk_time_session: u32, since 8;
            "ReservationCallsTimeSession" reservation_calls_time_session: u32, since 8;
            "ReservationCallsHeldSession" reservation_calls_held_session: u32, since 8;
            "ReservationCallsHeldTimeSession" reservation_calls_held_time_session: u32, since 8;
            "BargeInCallsSession" barge_in_calls_session: u32, since 8;
            "InterceptCallsSession" intercept_calls_session: u32, since 8;
            "MonitorCallsSession" monitor_calls_session: u32, since 8;
            "WhisperCallsSession" whisper_calls_session: u32, since 8;
            "EmergencyCallsSession" emergency_calls_session: u32, since 8;
            "AvailTimeToday" avail_time_today: u32;
            "LoggedOnTimeToday" logged_on_time_today: u32;
            "NotReadyTimeToday" not_ready_time_today: u32;
            "ICMAvailableTimeToday" icm_available_time_today: u32, since 9;
            "RoutableTimeToday" routable_time_today: u32, since 9;
            "AgentOutCallsToday" agent_out_calls_today: u32;
            "AgentOutCallsTalkTimeToday" agent_out_calls_talk_time_today: u32;
            "AgentOutCallsTimeToday" agent_out_calls_time_today: u32;
            "AgentOutCallsHeldToday" agent_out_calls_held_today: u32;
            "AgentOutCallsHeldTimeToday" agent_out_calls_held_time_today: u32;
            "HandledCallsToday" handled_calls_today: u32;
            "HandledCallsTalkTimeToday" handled_calls_talk_time_today: u32;
            "HandledCallsAfterCallTimeToday" handled_calls_after_call_time_today: u32, since 6;
            "HandledCallsTimeToday" handled_calls_time_today: u32;
            "IncomingCallsHeldToday" incoming_calls_held_today: u32;
            "IncomingCallsHeldTimeToday" incoming_calls_held_time_today: u32;
            "InternalCallsToday" internal_calls_today: u32;
            "InternalCallsTimeToday" internal_calls_time_today: u32;
            "InternalCallsRcvdToday" internal_calls_rcvd_today: u32;
            "InternalCallsRcvdTimeToday" internal_calls_rcvd_time_today: u32;
            "InternalCallsHeldToday" internal_calls_held_today: u32;
            "InternalCallsHeldTimeToday" internal_calls_held_time_today: u32;
            "AutoOutCallsToday" auto_out_calls_today: u32, since 8;
            "AutoOutCallsTalkTimeToday" auto_out_calls_talk_time_today: u32, since 8;
            "AutoOutCallsTimeToday" auto_out_calls_time_today: u32, since 8;
            "AutoOutCallsHeldToday" auto_out_calls_held_today: u32, since 8;
            "AutoOutCallsHeldTimeToday" auto_out_calls_held_time_today: u32, since 8;
            "PreviewCallsToday" preview_calls_today: u32, since 8;
            "PreviewCallsTalkTimeToday" preview_calls_talk_time_today: u32, since 8;
            "PreviewCallsTimeToday" preview_calls_time_today: u32, since 8;
            "PreviewCallsHeldToday" preview_calls_held_today: u32, since 8;
            "PreviewCallsHeldTimeToday" preview_calls_held_time_today: u32, since 8;
            "ReservationCallsToday" reservation_calls_today: u32, since 8;
            "ReservationCallsTalkTimeToday" reservation_calls_talk_time_today: u32, since 8;
            "ReservationCallsTimeToday" reservation_calls_time_today: u32, since 8;
            "ReservationCallsHeldToday" reservation_calls_held_today: u32, since 8;
            "ReservationCallsHeldTimeToday" reservation_calls_held_time_today: u32, since 8;
            "BargeInCallsToday" barge_in_calls_today: u32, since 8;
            "InterceptCallsToday" intercept_calls_today: u32, since 8;
            "MonitorCallsToday" monitor_calls_today: u32, since 8;
            "WhisperCallsToday" whisper_calls_today: u32, since 8;
            "EmergencyCallsToday" emergency_calls_today: u32, since 8;
        }
        floating {
            "AgentExtension" AGENT_EXTENSION_TAG agent_extension: Option<Text<16, S>>, is required;
            "AgentID" AGENT_ID_TAG agent_id: Option<Text<12, S>>, is required;
            "AgentInstrument" AGENT_INSTRUMENT_TAG agent_instrument: Option<Text<64, S>>, is required;
            "AgentIDLong" AGENT_ID_LONG_TAG agent_id_long: Option<Text<129, S>>, is uccx;
        }
    }
}

message! {
    /// Asks for the figures of one skill group.
    QUERY_SKILL_GROUP_STATISTICS_REQ as QuerySkillGroupStatisticsReq, from Client, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
        }
        floating {}
    }
}

message! {
    /// Gives the skill group's real-time, five-minute, half-hour and daily figures, times in seconds.
    QUERY_SKILL_GROUP_STATISTICS_CONF as QuerySkillGroupStatisticsConf, from Server, service "miscellaneous", since 6 {
        fixed {
            "InvokeID" invoke_id: u32;
            "PeripheralID" peripheral_id: u32;
            "SkillGroupNumber" skill_group_number: u32;
            "SkillGroupID" skill_group_id: u32;
            "AgentsLoggedOn" agents_logged_on: u32, since 8;
            "AgentsAvail" agents_avail: u32, since 8;
            "AgentsNotReady" agents_not_ready: u32, since 8;
            "AgentsReady" agents_ready: u32, since 8;
            "AgentsTalkingIn" agents_talking_in: u32, since 8;
            "AgentsTalkingOut" agents_talking_out: u32, since 8;
            "AgentsTalkingOther" agents_talking_other: u32, since 8;
            "AgentsWorkNotReady" agents_work_not_ready: u32, since 8;
            "AgentsWorkReady" agents_work_ready: u32, since 8;
            "AgentsBusyOther" agents_busy_other: u32, since 8;
            "AgentsReserved" agents_reserved: u32, since 8;
            "AgentsHold" agents_hold: u32, since 8;
            "AgentsICMAvailable" agents_icm_available: u32, since 9;
            "AgentsApplicationAvailable" agents_application_available: u32, since 9;
            "AgentsTalkingAutoOut" agents_talking_auto_out: u32, since 8;
            "AgentsTalkingPreview" agents_talking_preview: u32, since 8;
            "AgentsTalkingReservation" agents_talking_reservation: u32, since 8;
            "RouterCallsQNow" router_calls_q_now: u32;
            "LongestRouterCallQNow" longest_router_call_q_now: u32;
            "CallsQNow" calls_q_now: u32, since 6;
            "CallsQTimeNow" calls_q_time_now: u32, since 6;
            "LongestCallQNow" longest_call_q_now: u32, since 6;
            "AvailTimeTo5" avail_time_to5: u32, since 8;
            "LoggedOnTimeTo5" logged_on_time_to5: u32, since 8;
            "NotReadyTimeTo5" not_ready_time_to5: u32, since 8;
            "AgentOutCallsTo5" agent_out_calls_to5: u32, since 8;
            "AgentOutCallsTalkTimeTo5" agent_out_calls_talk_time_to5: u32, since 8;
            "AgentOutCallsTimeTo5" agent_out_calls_time_to5: u32, since 8;
            "AgentOutCallsHeldTo5" agent_out_calls_held_to5: u32, since 8;
            "AgentOutCallsHeldTimeTo5" agent_out_calls_held_time_to5: u32, since 8;
            "HandledCallsTo5" handled_calls_to5: u32, since 8;
            "HandledCallsTalkTimeTo5" handled_calls_talk_time_to5: u32, since 8;
            "HandledCallsAfterCallTimeTo5" handled_calls_after_call_time_to5: u32, since 8;
            "HandledCallsTimeTo5" handled_calls_time_to5: u32, since 8;
            "IncomingCallsHeldTo5" incoming_calls_held_to5: u32, since 8;
            "IncomingCallsHeldTimeTo5" incoming_calls_held_time_to5: u32, since 8;
            "InternalCallsRcvdTo5" internal_calls_rcvd_to5: u32, since 8;
            "InternalCallsRcvdTimeTo5" internal_calls_rcvd_time_to5: u32, since 8;
            "InternalCallsHeldTo5" internal_calls_held_to5: u32, since 8;
            "InternalCallsHeldTimeTo5" internal_calls_held_time_to5: u32, since 8;
            "AutoOutCallsTo5" auto_out_calls_to5: u32, since 8;
            "AutoOutCallsTalkTimeTo5" auto_out_calls_talk_time_to5: u32, since 8;
            "AutoOutCallsTimeTo5" auto_out_calls_time_to5: u32, since 8;
            "AutoOutCallsHeldTo5" auto_out_calls_held_to5: u32, since 8;
            "AutoOutCallsHeldTimeTo5" auto_out_calls_held_time_to5: u32, since 8;
            "PreviewCallsTo5" preview_calls_to5: u32, since 8;
            "PreviewCallsTalkTimeTo5" preview_calls_talk_time_to5: u32, since 8;
            "PreviewCallsTimeTo5" preview_calls_time_to5: u32, since 8;
            "PreviewCallsHeldTo5" preview_calls_held_to5: u32, since 8;
            "PreviewCallsHeldTimeTo5" preview_calls_held_time_to5: u32, since 8;
            "ReservationCallsTo5" reservation_calls_to5: u32, since 8;
            "ReservationCallsTalkTimeTo5" reservation_calls_talk_time_to5: u32, since 8;
            "ReservationCallsTimeTo5" reservation_calls_time_to5: u32, since 8;
            "ReservationCallsHeldTo5" reservation_calls_held_to5: u32, since 8;
            "ReservationCallsHeldTimeTo5" reservation_calls_held_time_to5: u32, since 8;
            "BargeInCallsTo5" barge_in_calls_to5: u32, since 8;
            "InterceptCallsTo5" intercept_calls_to5: u32, since 8;
            "MonitorCallsTo5" monitor_calls_to5: u32, since 8;
            "WhisperCallsTo5" whisper_calls_to5: u32, since 8;
            "EmergencyCallsTo5" emergency_calls_to5: u32, since 8;
            "CallsQ5" calls_q5: u32, since 8;
            "CallsQTime5" calls_q_time5: u32, since 8;
            "LongestCallQ5" longest_call_q5: u32, since 8;
            "AvailTimeToHalf" avail_time_to_half: u32;
            "LoggedOnTimeToHalf" logged_on_time_to_half: u32;
            "NotReadyTimeToHalf" not_ready_time_to_half: u32;
            "AgentOutCallsToHalf" agent_out_calls_to_half: u32;
            "AgentOutCallsTalkTimeToHalf" agent_out_calls_talk_time_to_half: u32;
            "AgentOutCallsTimeToHalf" agent_out_calls_time_to_half: u32;
            "AgentOutCallsHeldToHalf" agent_out_calls_held_to_half: u32;
            "AgentOutCallsHeldTimeToHalf" agent_out_calls_held_time_to_half: u32;
            "HandledCallsToHalf" handled_calls_to_half: u32;
            "HandledCallsTalkTimeToHalf" handled_calls_talk_time_to_half: u32;
            "HandledCallsAfterCallTimeToHalf" handled_calls_after_call_time_to_half: u32;
            "HandledCallsTimeToHalf" handled_calls_time_to_half: u32;
            "IncomingCallsHeldToHalf" incoming_calls_held_to_half: u32;
            "IncomingCallsHeldTimeToHalf" incoming_calls_held_time_to_half: u32;
            "InternalCallsRcvdToHalf" internal_calls_rcvd_to_half: u32;
            "InternalCallsRcvdTimeToHalf" internal_calls_rcvd_time_to_half: u32;
            "InternalCallsHeldToHalf" internal_calls_held_to_half: u32;
            "InternalCallsHeldTimeToHalf" internal_calls_held_time_to_half: u32;
            "AutoOutCallsToHalf" auto_out_calls_to_half: u32, since 8;
            "AutoOutCallsTalkTimeToHalf" auto_out_calls_talk_time_to_half: u32, since 8;
            "AutoOutCallsTimeToHalf" auto_out_calls_time_to_half: u32, since 8;
            "AutoOutCallsHeldToHalf" auto_out_calls_held_to_half: u32, since 8;
            "AutoOutCallsHeldTimeToHalf" auto_out_calls_held_time_to_half: u32, since 8;
            "PreviewCallsToHalf" preview_calls_to_half: u32, since 8;
            "PreviewCallsTalkTimeToHalf" preview_calls_talk_time_to_half: u32, since 8;
            "PreviewCallsTimeToHalf" preview_calls_time_to_half: u32, since 8;
            "PreviewCallsHeldToHalf" preview_calls_held_to_half: u32, since 8;
            "PreviewCallsHeldTimeToHalf" preview_calls_held_time_to_half: u32, since 8;
            "ReservationCallsToHalf" reservation_calls_to_half: u32, since 8;
            "ReservationCallsTalkTimeToHalf" reservation_calls_talk_time_to_half: u32, since 8;
            "ReservationCallsTimeToHalf" reservation_calls_time_to_half: u32, since 8;
            "ReservationCallsHeldToHalf" reservation_calls_held_to_half: u32, since 8;
            "ReservationCallsHeldTimeToHalf" reservation_calls_held_time_to_half: u32, since 8;
            "BargeInCallsToHalf" barge_in_calls_to_half: u32, since 8;
            "InterceptCallsToHalf" intercept_calls_to_half: u32, since 8;
            "MonitorCallsToHalf" monitor_calls_to_half: u32, since 8;
            "WhisperCallsToHalf" whisper_calls_to_half: u32, since 8;
            "EmergencyCallsToHalf" emergency_calls_to_half: u32, since 8;
            "CallsQHalf" calls_q_half: u32;
            "CallsQTimeHalf" calls_q_time_half: u32;
            "LongestCallQHalf" longest_call_q_half: u32;
            "AvailTimeToday" avail_time_today: u32;
            "LoggedOnTimeToday" logged_on_time_today: u32;
            "NotReadyTimeToday" not_ready_time_today: u32;
            "AgentOutCallsToday" agent_out_calls_today: u32;
            "AgentOutCallsTalkTimeToday" agent_out_calls_talk_time_today: u32;
            "AgentOutCallsTimeToday" agent_out_calls_time_today: u32;
            "AgentOutCallsHeldToday" agent_out_calls_held_today: u32;
            "AgentOutCallsHeldTimeToday" agent_out_calls_held_time_today: u32;
            "HandledCallsToday" handled_calls_today: u32;
            "HandledCallsTalkTimeToday" handled_calls_talk_time_today: u32;
            "HandledCallsAfterCallTimeToday" handled_calls_after_call_time_today: u32;
            "HandledCallsTimeToday" handled_calls_time_today: u32;
            "IncomingCallsHeldToday" incoming_calls_held_today: u32;
            "IncomingCallsHeldTimeToday" incoming_calls_held_time_today: u32;
            "InternalCallsRcvdToday" internal_calls_rcvd_today: u32;
            "InternalCallsRcvdTimeToday" internal_calls_rcvd_time_today: u32;
            "InternalCallsHeldToday" internal_calls_held_today: u32;
            "InternalCallsHeldTimeToday" internal_calls_held_time_today: u32;
            "AutoOutCallsToday" auto_out_calls_today: u32, since 8;
            "AutoOutCallsTalkTimeToday" auto_out_calls_talk_time_today: u32, since 8;
            "AutoOutCallsTimeToday" auto_out_calls_time_today: u32, since 8;
            "AutoOutCallsHeldToday" auto_out_calls_held_today: u32, since 8;
            "AutoOutCallsHeldTimeToday" auto_out_calls_held_time_today: u32, since 8;
            "PreviewCallsToday" preview_calls_today: u32, since 8;
            "PreviewCallsTalkTimeToday" preview_calls_talk_time_today: u32, since 8;
            "PreviewCallsTimeToday" preview_calls_time_today: u32, since 8;
            "PreviewCallsHeldToday" preview_calls_held_today: u32, since 8;
            "PreviewCallsHeldTimeToday" preview_calls_held_time_today: u32, since 8;
            "ReservationCallsToday" reservation_calls_today: u32, since 8;
            "ReservationCallsTalkTimeToday" reservation_calls_talk_time_today: u32, since 8;
            "ReservationCallsTimeToday" reservation_calls_time_today: u32, since 8;
            "ReservationCallsHeldToday" reservation_calls_held_today: u32, since 8;
            "ReservationCallsHeldTimeToday" reservation_calls_held_time_today: u32, since 8;
            "BargeInCallsToday" barge_in_calls_today: u32, since 8;
            "InterceptCallsToday" intercept_calls_today: u32, since 8;
            "MonitorCallsToday" monitor_calls_today: u32, since 8;
            "WhisperCallsToday" whisper_calls_today: u32, since 8;
            "EmergencyCallsToday" emergency_calls_today: u32, since 8;
            "CallsQToday" calls_q_today: u32;
            "CallsQTimeToday" calls_q_time_today: u32;
            "LongestCallQToday" longest_call_q_today: u32;
        }
        floating {}
    }
}
