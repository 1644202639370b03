//! Every message as one type, and what every message can do.
//!
//! Lives here: the list of declared messages, and the way from a frame to one of them and back.
//! Not here: the messages' tables.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use serde_json::Value;

use super::catalogue::MessageInfo;
use super::error::{DecodeError, EncodeError};
use super::messages::*;
use super::write::Writer;
use super::{Frame, MessageType, Rest, UnknownField, Version};

/// A declared message.
pub trait Message: Sized + Clone + fmt::Debug + PartialEq + Into<AnyMessage> {
    /// Its description.
    const INFO: &'static MessageInfo;

    /// Reads the body of a frame. What the message does not know is kept in [`Message::rest`].
    ///
    /// # Errors
    /// When the bytes are not whole or a field is not of its type; the error names field and offset.
    fn decode_body(body: &Bytes, version: Version) -> Result<Self, DecodeError>;

    /// Writes the whole frame, header included, behind what `out` holds. Fields that `version` does not have stay out.
    ///
    /// # Errors
    /// When the version cannot say a tag or a length, or the frame outgrows its bound; `out` is then as it was.
    fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// What came that the table does not have.
    fn rest(&self) -> &Rest;

    /// The fields that `version` has, by the guide's names, in the table's order. Secrets are masked.
    fn to_json(&self, version: Version) -> Value;

    /// InvokeID, which ties an answer to its request, if the message has one.
    fn invoke_id(&self) -> Option<u32>;
}

/// The list of declared messages: one line each, the large ones boxed so that the others need not be as large.
macro_rules! messages {
    ($( $message:ident($held:ty), )*) => {
        /// Any message, declared or not.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum AnyMessage {
            $( #[doc = concat!("A [`", stringify!($message), "`].")] $message($held), )*
            /// A message without a declaration, as it came.
            Stranger(Stranger),
        }

        /// Every declared message, in the order of the files that declare them.
        pub static CATALOGUE: &[&MessageInfo] = &[$( <$message as Message>::INFO, )*];

        impl AnyMessage {
            /// Reads the message in `frame`. One that is not declared is kept as a [`Stranger`].
            ///
            /// # Errors
            /// When the body of a declared message is broken.
            pub fn decode(frame: &Frame, version: Version) -> Result<AnyMessage, DecodeError> {
                Ok(match frame.message_type {
                    $( $message::TYPE => $message::decode_body(&frame.body, version)?.into(), )*
                    message_type => Stranger { message_type, body: frame.body.clone() }.into(),
                })
            }

            /// Writes the whole frame, header included, behind what `out` holds.
            ///
            /// # Errors
            /// When the version cannot say a tag or a length, or the frame outgrows its bound; `out` is then as it was.
            pub fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
                match self {
                    $( AnyMessage::$message(message) => message.encode(version, out), )*
                    AnyMessage::Stranger(stranger) => stranger.encode(version, out),
                }
            }

            /// The number in the header.
            pub fn message_type(&self) -> MessageType {
                match self {
                    $( AnyMessage::$message(_) => $message::TYPE, )*
                    AnyMessage::Stranger(stranger) => stranger.message_type,
                }
            }

            /// InvokeID, if the message has one; of a stranger that is not known.
            pub fn invoke_id(&self) -> Option<u32> {
                match self {
                    $( AnyMessage::$message(message) => message.invoke_id(), )*
                    AnyMessage::Stranger(_) => None,
                }
            }

            /// The floating fields that the message's table has no place for, in the order in which they came.
            pub fn unknown_tags(&self) -> &[UnknownField] {
                match self {
                    $( AnyMessage::$message(message) => message.rest().unknown(), )*
                    AnyMessage::Stranger(_) => &[],
                }
            }

            /// The fields that `version` has, by the guide's names, in the table's order; `{}` for a stranger.
            pub fn to_json(&self, version: Version) -> Value {
                match self {
                    $( AnyMessage::$message(message) => message.to_json(version), )*
                    AnyMessage::Stranger(_) => Value::Object(serde_json::Map::new()),
                }
            }
        }

        impl fmt::Debug for AnyMessage {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( AnyMessage::$message(message) => message.fmt(f), )*
                    AnyMessage::Stranger(stranger) => stranger.fmt(f),
                }
            }
        }

        $( impl $message {
            /// The number in the header.
            pub const TYPE: MessageType = <$message as Message>::INFO.message_type;
        }

        impl From<$message> for AnyMessage {
            fn from(message: $message) -> AnyMessage {
                AnyMessage::$message(message.into())
            }
        } )*
    };
}

impl AnyMessage {
    /// The guide's name; none if the number is in no table.
    pub fn name(&self) -> Option<&'static str> {
        self.message_type().name()
    }
}

/// A message that is not declared here: its name may still be known, its body is kept as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The number in the header.
    pub message_type: MessageType,
    /// Everything behind the header.
    pub body: Bytes,
}

impl fmt::Debug for Stranger {
    /// Name and length only: nobody knows what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stranger({:?}, {} bytes)", self.message_type, self.body.len())
    }
}

impl Stranger {
    /// Writes the frame as it came, behind what `out` holds; the version makes no difference.
    ///
    /// # Errors
    /// When the frame outgrows its bound; `out` is then as it was.
    pub fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
        Writer::new(self.message_type, version, out).raw(&self.body)
    }
}

impl From<Stranger> for AnyMessage {
    fn from(stranger: Stranger) -> AnyMessage {
        AnyMessage::Stranger(stranger)
    }
}

/// The InvokeID of a frame that may be broken or unknown, so that it can be refused by name: the first four bytes of
/// the body, unless the message is declared and begins with another field.
pub fn peek_invoke_id(frame: &Frame) -> Option<u32> {
    if let Some(info) = super::catalogue::by_type(frame.message_type) {
        info.fixed.first().filter(|field| field.name == "InvokeID")?;
    }
    frame.body.as_ref().try_get_u32().ok()
}

/// The version that a frame asks for if it is an OPEN_REQ, which is already in the layout of that version: so this has
/// to be known before the frame can be decoded.
pub fn peek_version_number(frame: &Frame) -> Option<u32> {
    let mut body = frame.body.get(VERSION_NUMBER_OFFSET..).filter(|_| frame.message_type == OpenReq::TYPE)?;
    body.try_get_u32().ok()
}

/// Where VersionNumber stands in the body of every version's OPEN_REQ: behind InvokeID.
const VERSION_NUMBER_OFFSET: usize = 4;

messages! {
    FailureConf(FailureConf),
    FailureEvent(FailureEvent),
    OpenReq(OpenReq),
    OpenConf(OpenConf),
    HeartbeatReq(HeartbeatReq),
    HeartbeatConf(HeartbeatConf),
    CloseReq(CloseReq),
    CloseConf(CloseConf),
    StandbyActiveEventMsg(StandbyActiveEventMsg),
    ActiveMaintenanceReqMsg(ActiveMaintenanceReqMsg),
    ActiveMaintenanceRespMsg(ActiveMaintenanceRespMsg),
    ActiveMaintenanceEventMsg(ActiveMaintenanceEventMsg),
    StoppingRequestsToThisSideInd(StoppingRequestsToThisSideInd),
    AgentStateEvent(AgentStateEvent),
    ControlFailureConf(ControlFailureConf),
    QueryAgentStateReq(QueryAgentStateReq),
    QueryAgentStateConf(QueryAgentStateConf),
    SetAgentStateReq(SetAgentStateReq),
    SetAgentStateConf(SetAgentStateConf),
    QueryDeviceInfoReq(QueryDeviceInfoReq),
    QueryDeviceInfoConf(QueryDeviceInfoConf),
    AgentPreCallEvent(Box<AgentPreCallEvent>),
    AgentPreCallAbortEvent(AgentPreCallAbortEvent),
    MonitorStartReq(MonitorStartReq),
    MonitorStartConf(MonitorStartConf),
    MonitorStopReq(MonitorStopReq),
    MonitorStopConf(MonitorStopConf),
    ChangeMonitorMaskReq(ChangeMonitorMaskReq),
    ChangeMonitorMaskConf(ChangeMonitorMaskConf),
    ClientSessionOpenedEvent(ClientSessionOpenedEvent),
    ClientSessionClosedEvent(ClientSessionClosedEvent),
    SessionMonitorStartReq(SessionMonitorStartReq),
    SessionMonitorStartConf(SessionMonitorStartConf),
    SessionMonitorStopReq(SessionMonitorStopReq),
    SessionMonitorStopConf(SessionMonitorStopConf),
    QueryAgentStatisticsReq(QueryAgentStatisticsReq),
    QueryAgentStatisticsConf(Box<QueryAgentStatisticsConf>),
    QuerySkillGroupStatisticsReq(QuerySkillGroupStatisticsReq),
    QuerySkillGroupStatisticsConf(Box<QuerySkillGroupStatisticsConf>),
    SystemEvent(SystemEvent),
    ClientEventReportReq(ClientEventReportReq),
    ClientEventReportConf(ClientEventReportConf),
    UserMessageReq(UserMessageReq),
    UserMessageConf(UserMessageConf),
    UserMessageEvent(UserMessageEvent),
    RegisterVariablesReq(RegisterVariablesReq),
    RegisterVariablesConf(RegisterVariablesConf),
    SetAppDataReq(SetAppDataReq),
    SetAppDataConf(SetAppDataConf),
    SetDeviceAttributesReq(SetDeviceAttributesReq),
    SetDeviceAttributesConf(SetDeviceAttributesConf),
    StartNetworkRecordingReq(StartNetworkRecordingReq),
    StartNetworkRecordingConf(StartNetworkRecordingConf),
    StopNetworkRecordingReq(StopNetworkRecordingReq),
    StopNetworkRecordingConf(StopNetworkRecordingConf),
    StartRecordingReq(StartRecordingReq),
    StartRecordingConf(StartRecordingConf),
    StopRecordingReq(StopRecordingReq),
    StopRecordingConf(StopRecordingConf),
    RtpStartedEvent(RtpStartedEvent),
    RtpStoppedEvent(RtpStoppedEvent),
    NetworkRecordingStartedEvent(NetworkRecordingStartedEvent),
    NetworkRecordingEndedEvent(NetworkRecordingEndedEvent),
    NetworkRecordingFailedEvent(NetworkRecordingFailedEvent),
    NetworkRecordingTargetInfoEvent(NetworkRecordingTargetInfoEvent),
    BeginCallEvent(Box<BeginCallEvent>),
    EndCallEvent(EndCallEvent),
    CallDataUpdateEvent(Box<CallDataUpdateEvent>),
    SetCallDataReq(Box<SetCallDataReq>),
    SetCallDataConf(SetCallDataConf),
    ReleaseCallReq(ReleaseCallReq),
    ReleaseCallConf(ReleaseCallConf),
    CallDeliveredEvent(Box<CallDeliveredEvent>),
    CallEstablishedEvent(CallEstablishedEvent),
    CallHeldEvent(CallHeldEvent),
    CallRetrievedEvent(CallRetrievedEvent),
    CallClearedEvent(CallClearedEvent),
    CallConnectionClearedEvent(CallConnectionClearedEvent),
    CallOriginatedEvent(CallOriginatedEvent),
    CallFailedEvent(CallFailedEvent),
    CallConferencedEvent(CallConferencedEvent),
    CallTransferredEvent(CallTransferredEvent),
    CallDivertedEvent(CallDivertedEvent),
    CallServiceInitiatedEvent(CallServiceInitiatedEvent),
    CallQueuedEvent(CallQueuedEvent),
    CallDequeuedEvent(CallDequeuedEvent),
    CallReachedNetworkEvent(CallReachedNetworkEvent),
    CallAttributeChangeEvent(CallAttributeChangeEvent),
    CallAgentGreetingEvent(CallAgentGreetingEvent),
    CallTranslationRouteEvent(Box<CallTranslationRouteEvent>),
    SnapshotCallReq(SnapshotCallReq),
    SnapshotCallConf(Box<SnapshotCallConf>),
    SnapshotDeviceReq(SnapshotDeviceReq),
    SnapshotDeviceConf(SnapshotDeviceConf),
    AlternateCallReq(AlternateCallReq),
    AlternateCallConf(AlternateCallConf),
    AnswerCallReq(AnswerCallReq),
    AnswerCallConf(AnswerCallConf),
    ClearCallReq(ClearCallReq),
    ClearCallConf(ClearCallConf),
    ClearConnectionReq(ClearConnectionReq),
    ClearConnectionConf(ClearConnectionConf),
    ConferenceCallReq(Box<ConferenceCallReq>),
    ConferenceCallConf(ConferenceCallConf),
    ConsultationCallReq(Box<ConsultationCallReq>),
    ConsultationCallConf(ConsultationCallConf),
    DeflectCallReq(DeflectCallReq),
    DeflectCallConf(DeflectCallConf),
    HoldCallReq(HoldCallReq),
    HoldCallConf(HoldCallConf),
    MakeCallReq(Box<MakeCallReq>),
    MakeCallConf(MakeCallConf),
    MakePredictiveCallReq(Box<MakePredictiveCallReq>),
    MakePredictiveCallConf(MakePredictiveCallConf),
    ReconnectCallReq(ReconnectCallReq),
    ReconnectCallConf(ReconnectCallConf),
    RetrieveCallReq(RetrieveCallReq),
    RetrieveCallConf(RetrieveCallConf),
    TransferCallReq(Box<TransferCallReq>),
    TransferCallConf(TransferCallConf),
    SendDtmfSignalReq(SendDtmfSignalReq),
    SendDtmfSignalConf(SendDtmfSignalConf),
    SupervisorAssistReq(SupervisorAssistReq),
    SupervisorAssistConf(SupervisorAssistConf),
    EmergencyCallReq(EmergencyCallReq),
    EmergencyCallConf(EmergencyCallConf),
    BadCallReq(BadCallReq),
    BadCallConf(BadCallConf),
    AgentGreetingControlReq(AgentGreetingControlReq),
    AgentGreetingControlConf(AgentGreetingControlConf),
    ConfigRequestKeyEvent(ConfigRequestKeyEvent),
    ConfigKeyEvent(ConfigKeyEvent),
    ConfigRequestEvent(ConfigRequestEvent),
    ConfigBeginEvent(ConfigBeginEvent),
    ConfigServiceEvent(ConfigServiceEvent),
    ConfigSkillGroupEvent(ConfigSkillGroupEvent),
    ConfigAgentEvent(ConfigAgentEvent),
    ConfigDeviceEvent(ConfigDeviceEvent),
    ConfigCallTypeEvent(ConfigCallTypeEvent),
    ConfigMrdEvent(ConfigMrdEvent),
    ConfigPeripheralEvent(ConfigPeripheralEvent),
    ConfigAgentDeskSettingsEvent(ConfigAgentDeskSettingsEvent),
    ConfigTerminalEvent(ConfigTerminalEvent),
    ConfigAgentServiceEvent(ConfigAgentServiceEvent),
    ConfigEndEvent(ConfigEndEvent),
    SuperviseCallReq(SuperviseCallReq),
    SuperviseCallConf(SuperviseCallConf),
    EmergencyCallEvent(EmergencyCallEvent),
    AgentTeamConfigEvent(AgentTeamConfigEvent),
    ListAgentTeamReq(ListAgentTeamReq),
    ListAgentTeamConf(ListAgentTeamConf),
    MonitorAgentTeamStartReq(MonitorAgentTeamStartReq),
    MonitorAgentTeamStartConf(MonitorAgentTeamStartConf),
    MonitorAgentTeamStopReq(MonitorAgentTeamStopReq),
    MonitorAgentTeamStopConf(MonitorAgentTeamStopConf),
    AgentDeskSettingsReq(AgentDeskSettingsReq),
    AgentDeskSettingsConf(AgentDeskSettingsConf),
    SetAgentServiceDataReq(SetAgentServiceDataReq),
    SetAgentServiceDataConf(SetAgentServiceDataConf),
    RegisterServiceReq(RegisterServiceReq),
    RegisterServiceConf(RegisterServiceConf),
    UnregisterServiceReq(UnregisterServiceReq),
    UnregisterServiceConf(UnregisterServiceConf),
}
