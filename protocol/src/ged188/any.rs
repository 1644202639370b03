//! Every message as one type, and what every message can do.
//!
//! Lives here: the list of declared messages, and the way from a frame to one of them and back.
//! Not here: the messages' tables.

use std::fmt;

use bytes::{Buf, BytesMut};
use serde_json::Value;

use super::catalogue::MessageInfo;
use super::error::{DecodeError, EncodeError};
use super::messages::*;
use super::octets::{Octets, Storage};
use super::write::Writer;
use super::{Frame, MessageType, Rest, UnknownField, Version};

/// A declared message.
pub trait Message: Sized + Clone + fmt::Debug + Into<AnyMessage<Self::Storage>> {
    /// Where its texts are.
    type Storage: Storage;

    /// Its description.
    const INFO: &'static MessageInfo;

    /// Writes the whole frame, header included, behind what `out` holds. Fields that `version` does not have stay out.
    ///
    /// # Errors
    /// When the version cannot say a tag or a length, or the frame outgrows its bound; `out` is then as it was.
    fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// What came that the table does not have.
    fn rest(&self) -> &Rest<Self::Storage>;

    /// The fields that `version` has, by the guide's names, in the table's order. Secrets are masked.
    fn to_json(&self, version: Version) -> Value;

    /// InvokeID, which ties an answer to its request, if the message has one.
    fn invoke_id(&self) -> Option<u32>;
}

/// A message that can be read from a frame: its texts stay there, or are kept, as its storage has it.
pub trait Decode<'a>: Message {
    /// Reads the body of a frame. What the message does not know is kept in [`Message::rest`].
    ///
    /// # Errors
    /// When the bytes are not whole or a field is not of its type; the error names field and offset.
    fn decode_body(body: &'a [u8], version: Version) -> Result<Self, DecodeError>;

    /// The same, never in the short way that the usual body has: for whoever compares the two.
    #[doc(hidden)]
    fn decode_any(body: &'a [u8], version: Version) -> Result<Self, DecodeError>;
}

/// The list of declared messages: one line each, the large ones boxed so that the others need not be as large.
macro_rules! messages {
    ($( $message:ident($held:ty), )*) => {
        /// Any message, declared or not.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub enum AnyMessage<S: Storage = Octets> {
            $( #[doc = concat!("A [`", stringify!($message), "`].")] $message($held), )*
            /// A message without a declaration, as it came.
            Stranger(Stranger<S>),
        }

        /// Every declared message, in the order of the files that declare them.
        pub static CATALOGUE: &[&MessageInfo] = &[$( <$message as Message>::INFO, )*];

        impl<S: Storage> AnyMessage<S> {
            fn read<'a>(frame: &'a Frame, version: Version) -> Result<AnyMessage<S>, DecodeError>
            where
                S: From<&'a [u8]>,
            {
                let body: &'a [u8] = &frame.body;
                Ok(match frame.message_type {
                    $( $message::TYPE => $message::decode_body(body, version)?.into(), )*
                    message_type => Stranger { message_type, body: body.into() }.into(),
                })
            }

            /// The same, never in the short way that the usual body has.
            pub(super) fn read_any<'a>(frame: &'a Frame, version: Version) -> Result<AnyMessage<S>, DecodeError>
            where
                S: From<&'a [u8]>,
            {
                let body: &'a [u8] = &frame.body;
                Ok(match frame.message_type {
                    $( $message::TYPE => $message::decode_any(body, version)?.into(), )*
                    message_type => Stranger { message_type, body: body.into() }.into(),
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
            pub fn unknown_tags(&self) -> &[UnknownField<S>] {
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

        impl<S: Storage> fmt::Debug for AnyMessage<S> {
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

        impl<S: Storage> From<$message<S>> for AnyMessage<S> {
            fn from(message: $message<S>) -> AnyMessage<S> {
                AnyMessage::$message(message.into())
            }
        } )*
    };
}

impl AnyMessage {
    /// Reads the message in `frame`, and keeps what it says. One that is not declared is kept as a [`Stranger`].
    ///
    /// # Errors
    /// When the body of a declared message is broken.
    pub fn decode(frame: &Frame, version: Version) -> Result<AnyMessage, DecodeError> {
        AnyMessage::read(frame, version)
    }
}

impl<'a> AnyMessage<&'a [u8]> {
    /// The same for as long as there is the frame, in which all texts stay where they are.
    ///
    /// # Errors
    /// When the body of a declared message is broken.
    pub fn view(frame: &'a Frame, version: Version) -> Result<AnyMessage<&'a [u8]>, DecodeError> {
        AnyMessage::read(frame, version)
    }
}

impl<S: Storage> AnyMessage<S> {
    /// The guide's name; none if the number is in no table.
    pub fn name(&self) -> Option<&'static str> {
        self.message_type().name()
    }
}

/// A message that is not declared here: its name may still be known, its body is kept as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct Stranger<S: Storage = Octets> {
    /// The number in the header.
    pub message_type: MessageType,
    /// Everything behind the header.
    pub body: S,
}

impl<S: Storage> fmt::Debug for Stranger<S> {
    /// Name and length only: nobody knows what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stranger({:?}, {} bytes)", self.message_type, self.body.as_ref().len())
    }
}

impl<S: Storage> Stranger<S> {
    /// Writes the frame as it came, behind what `out` holds; the version makes no difference.
    ///
    /// # Errors
    /// When the frame outgrows its bound; `out` is then as it was.
    pub fn encode(&self, version: Version, out: &mut BytesMut) -> Result<(), EncodeError> {
        Writer::new(self.message_type, version, out).raw(self.body.as_ref())
    }
}

impl<S: Storage> From<Stranger<S>> for AnyMessage<S> {
    fn from(stranger: Stranger<S>) -> AnyMessage<S> {
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
    FailureConf(FailureConf<S>),
    FailureEvent(FailureEvent<S>),
    OpenReq(OpenReq<S>),
    OpenConf(OpenConf<S>),
    HeartbeatReq(HeartbeatReq<S>),
    HeartbeatConf(HeartbeatConf<S>),
    CloseReq(CloseReq<S>),
    CloseConf(CloseConf<S>),
    StandbyActiveEventMsg(StandbyActiveEventMsg<S>),
    ActiveMaintenanceReqMsg(ActiveMaintenanceReqMsg<S>),
    ActiveMaintenanceRespMsg(ActiveMaintenanceRespMsg<S>),
    ActiveMaintenanceEventMsg(ActiveMaintenanceEventMsg<S>),
    StoppingRequestsToThisSideInd(StoppingRequestsToThisSideInd<S>),
    AgentStateEvent(AgentStateEvent<S>),
    ControlFailureConf(ControlFailureConf<S>),
    QueryAgentStateReq(QueryAgentStateReq<S>),
    QueryAgentStateConf(QueryAgentStateConf<S>),
    SetAgentStateReq(SetAgentStateReq<S>),
    SetAgentStateConf(SetAgentStateConf<S>),
    QueryDeviceInfoReq(QueryDeviceInfoReq<S>),
    QueryDeviceInfoConf(QueryDeviceInfoConf<S>),
    AgentPreCallEvent(Box<AgentPreCallEvent<S>>),
    AgentPreCallAbortEvent(AgentPreCallAbortEvent<S>),
    MonitorStartReq(MonitorStartReq<S>),
    MonitorStartConf(MonitorStartConf<S>),
    MonitorStopReq(MonitorStopReq<S>),
    MonitorStopConf(MonitorStopConf<S>),
    ChangeMonitorMaskReq(ChangeMonitorMaskReq<S>),
    ChangeMonitorMaskConf(ChangeMonitorMaskConf<S>),
    ClientSessionOpenedEvent(ClientSessionOpenedEvent<S>),
    ClientSessionClosedEvent(ClientSessionClosedEvent<S>),
    SessionMonitorStartReq(SessionMonitorStartReq<S>),
    SessionMonitorStartConf(SessionMonitorStartConf<S>),
    SessionMonitorStopReq(SessionMonitorStopReq<S>),
    SessionMonitorStopConf(SessionMonitorStopConf<S>),
    QueryAgentStatisticsReq(QueryAgentStatisticsReq<S>),
    QueryAgentStatisticsConf(Box<QueryAgentStatisticsConf<S>>),
    QuerySkillGroupStatisticsReq(QuerySkillGroupStatisticsReq<S>),
    QuerySkillGroupStatisticsConf(Box<QuerySkillGroupStatisticsConf<S>>),
    SystemEvent(SystemEvent<S>),
    ClientEventReportReq(ClientEventReportReq<S>),
    ClientEventReportConf(ClientEventReportConf<S>),
    UserMessageReq(UserMessageReq<S>),
    UserMessageConf(UserMessageConf<S>),
    UserMessageEvent(UserMessageEvent<S>),
    RegisterVariablesReq(RegisterVariablesReq<S>),
    RegisterVariablesConf(RegisterVariablesConf<S>),
    SetAppDataReq(SetAppDataReq<S>),
    SetAppDataConf(SetAppDataConf<S>),
    SetDeviceAttributesReq(SetDeviceAttributesReq<S>),
    SetDeviceAttributesConf(SetDeviceAttributesConf<S>),
    StartNetworkRecordingReq(StartNetworkRecordingReq<S>),
    StartNetworkRecordingConf(StartNetworkRecordingConf<S>),
    StopNetworkRecordingReq(StopNetworkRecordingReq<S>),
    StopNetworkRecordingConf(StopNetworkRecordingConf<S>),
    StartRecordingReq(StartRecordingReq<S>),
    StartRecordingConf(StartRecordingConf<S>),
    StopRecordingReq(StopRecordingReq<S>),
    StopRecordingConf(StopRecordingConf<S>),
    RtpStartedEvent(RtpStartedEvent<S>),
    RtpStoppedEvent(RtpStoppedEvent<S>),
    NetworkRecordingStartedEvent(NetworkRecordingStartedEvent<S>),
    NetworkRecordingEndedEvent(NetworkRecordingEndedEvent<S>),
    NetworkRecordingFailedEvent(NetworkRecordingFailedEvent<S>),
    NetworkRecordingTargetInfoEvent(NetworkRecordingTargetInfoEvent<S>),
    BeginCallEvent(Box<BeginCallEvent<S>>),
    EndCallEvent(EndCallEvent<S>),
    CallDataUpdateEvent(Box<CallDataUpdateEvent<S>>),
    SetCallDataReq(Box<SetCallDataReq<S>>),
    SetCallDataConf(SetCallDataConf<S>),
    ReleaseCallReq(ReleaseCallReq<S>),
    ReleaseCallConf(ReleaseCallConf<S>),
    CallDeliveredEvent(Box<CallDeliveredEvent<S>>),
    CallEstablishedEvent(CallEstablishedEvent<S>),
    CallHeldEvent(CallHeldEvent<S>),
    CallRetrievedEvent(CallRetrievedEvent<S>),
    CallClearedEvent(CallClearedEvent<S>),
    CallConnectionClearedEvent(CallConnectionClearedEvent<S>),
    CallOriginatedEvent(CallOriginatedEvent<S>),
    CallFailedEvent(CallFailedEvent<S>),
    CallConferencedEvent(CallConferencedEvent<S>),
    CallTransferredEvent(CallTransferredEvent<S>),
    CallDivertedEvent(CallDivertedEvent<S>),
    CallServiceInitiatedEvent(CallServiceInitiatedEvent<S>),
    CallQueuedEvent(CallQueuedEvent<S>),
    CallDequeuedEvent(CallDequeuedEvent<S>),
    CallReachedNetworkEvent(CallReachedNetworkEvent<S>),
    CallAttributeChangeEvent(CallAttributeChangeEvent<S>),
    CallAgentGreetingEvent(CallAgentGreetingEvent<S>),
    CallTranslationRouteEvent(Box<CallTranslationRouteEvent<S>>),
    SnapshotCallReq(SnapshotCallReq<S>),
    SnapshotCallConf(Box<SnapshotCallConf<S>>),
    SnapshotDeviceReq(SnapshotDeviceReq<S>),
    SnapshotDeviceConf(SnapshotDeviceConf<S>),
    AlternateCallReq(AlternateCallReq<S>),
    AlternateCallConf(AlternateCallConf<S>),
    AnswerCallReq(AnswerCallReq<S>),
    AnswerCallConf(AnswerCallConf<S>),
    ClearCallReq(ClearCallReq<S>),
    ClearCallConf(ClearCallConf<S>),
    ClearConnectionReq(ClearConnectionReq<S>),
    ClearConnectionConf(ClearConnectionConf<S>),
    ConferenceCallReq(Box<ConferenceCallReq<S>>),
    ConferenceCallConf(ConferenceCallConf<S>),
    ConsultationCallReq(Box<ConsultationCallReq<S>>),
    ConsultationCallConf(ConsultationCallConf<S>),
    DeflectCallReq(DeflectCallReq<S>),
    DeflectCallConf(DeflectCallConf<S>),
    HoldCallReq(HoldCallReq<S>),
    HoldCallConf(HoldCallConf<S>),
    MakeCallReq(Box<MakeCallReq<S>>),
    MakeCallConf(MakeCallConf<S>),
    MakePredictiveCallReq(Box<MakePredictiveCallReq<S>>),
    MakePredictiveCallConf(MakePredictiveCallConf<S>),
    ReconnectCallReq(ReconnectCallReq<S>),
    ReconnectCallConf(ReconnectCallConf<S>),
    RetrieveCallReq(RetrieveCallReq<S>),
    RetrieveCallConf(RetrieveCallConf<S>),
    TransferCallReq(Box<TransferCallReq<S>>),
    TransferCallConf(TransferCallConf<S>),
    SendDtmfSignalReq(SendDtmfSignalReq<S>),
    SendDtmfSignalConf(SendDtmfSignalConf<S>),
    SupervisorAssistReq(SupervisorAssistReq<S>),
    SupervisorAssistConf(SupervisorAssistConf<S>),
    EmergencyCallReq(EmergencyCallReq<S>),
    EmergencyCallConf(EmergencyCallConf<S>),
    BadCallReq(BadCallReq<S>),
    BadCallConf(BadCallConf<S>),
    AgentGreetingControlReq(AgentGreetingControlReq<S>),
    AgentGreetingControlConf(AgentGreetingControlConf<S>),
    ConfigRequestKeyEvent(ConfigRequestKeyEvent<S>),
    ConfigKeyEvent(ConfigKeyEvent<S>),
    ConfigRequestEvent(ConfigRequestEvent<S>),
    ConfigBeginEvent(ConfigBeginEvent<S>),
    ConfigServiceEvent(ConfigServiceEvent<S>),
    ConfigSkillGroupEvent(ConfigSkillGroupEvent<S>),
    ConfigAgentEvent(ConfigAgentEvent<S>),
    ConfigDeviceEvent(ConfigDeviceEvent<S>),
    ConfigCallTypeEvent(ConfigCallTypeEvent<S>),
    ConfigMrdEvent(ConfigMrdEvent<S>),
    ConfigPeripheralEvent(ConfigPeripheralEvent<S>),
    ConfigAgentDeskSettingsEvent(ConfigAgentDeskSettingsEvent<S>),
    ConfigTerminalEvent(ConfigTerminalEvent<S>),
    ConfigAgentServiceEvent(ConfigAgentServiceEvent<S>),
    ConfigEndEvent(ConfigEndEvent<S>),
    SuperviseCallReq(SuperviseCallReq<S>),
    SuperviseCallConf(SuperviseCallConf<S>),
    EmergencyCallEvent(EmergencyCallEvent<S>),
    AgentTeamConfigEvent(AgentTeamConfigEvent<S>),
    ListAgentTeamReq(ListAgentTeamReq<S>),
    ListAgentTeamConf(ListAgentTeamConf<S>),
    MonitorAgentTeamStartReq(MonitorAgentTeamStartReq<S>),
    MonitorAgentTeamStartConf(MonitorAgentTeamStartConf<S>),
    MonitorAgentTeamStopReq(MonitorAgentTeamStopReq<S>),
    MonitorAgentTeamStopConf(MonitorAgentTeamStopConf<S>),
    AgentDeskSettingsReq(AgentDeskSettingsReq<S>),
    AgentDeskSettingsConf(AgentDeskSettingsConf<S>),
    SetAgentServiceDataReq(SetAgentServiceDataReq<S>),
    SetAgentServiceDataConf(SetAgentServiceDataConf<S>),
    RegisterServiceReq(RegisterServiceReq<S>),
    RegisterServiceConf(RegisterServiceConf<S>),
    UnregisterServiceReq(UnregisterServiceReq<S>),
    UnregisterServiceConf(UnregisterServiceConf<S>),
}
