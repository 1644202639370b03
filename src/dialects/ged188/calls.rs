//! Steps in a call's life as frames. Not here: who gets them, and through which filter.
//!
//! An event is seen from a device: ConnectionCallID with that device's name is the connection, LocalConnectionState is how
//! the device stands.

use cti_protocol::ged188::codes::{
    CallType, ConnectionDeviceIdType, DeviceIdType, Disposition, EventCause, LineType, LocalConnectionState, special,
};
use cti_protocol::ged188::{
    AnyMessage, BeginCallEvent, CallClearedEvent, CallConferencedEvent, CallConnectionClearedEvent,
    CallDataUpdateEvent, CallDeliveredEvent, CallDequeuedEvent, CallDivertedEvent, CallEstablishedEvent,
    CallFailedEvent, CallHeldEvent, CallOriginatedEvent, CallQueuedEvent, CallRetrievedEvent,
    CallServiceInitiatedEvent, CallTransferredEvent, ConnectedParty, Data, EndCallEvent, NamedArray, NamedVariable,
    QueuedSkillGroup, Text, Version,
};

use super::names::peripheral_type;
use crate::model::{
    Call, CallCause, CallEvent, CallId, CallKind, CallStep, Instrument, Joined, PartyKind, PartyState, Supervision,
};

/// The event as a message of its own.
pub(super) fn message(event: &CallEvent, version: Version) -> AnyMessage {
    let seen = Seen { event, version, call: &event.call };
    match &event.step {
        CallStep::Began => seen.began().into(),
        CallStep::Initiated(device) => seen.initiated(device).into(),
        CallStep::Originated(device) => seen.originated(device).into(),
        CallStep::Delivered(device) => seen.delivered(device).into(),
        CallStep::Queued { at, waiting } => seen.queued(at, *waiting).into(),
        CallStep::Dequeued(at) => seen.dequeued(at).into(),
        CallStep::Established(device) => seen.established(device).into(),
        CallStep::Held(device) => seen.held(device).into(),
        CallStep::Retrieved(device) => seen.retrieved(device).into(),
        CallStep::Diverted { from, to } => seen.diverted(from, to).into(),
        CallStep::Failed(device, cause) => seen.failed(device, *cause).into(),
        CallStep::Left(device, cause) => seen.left(device, *cause).into(),
        CallStep::Transferred(joined) => seen.transferred(joined).into(),
        CallStep::Conferenced(joined) => seen.conferenced(joined).into(),
        CallStep::DataChanged => seen.data_changed().into(),
        CallStep::Cleared(cause) => seen.cleared(*cause).into(),
        CallStep::Released(_) | CallStep::Ended => seen.ended().into(),
    }
}

/// An event with what its messages are made from.
struct Seen<'a> {
    event: &'a CallEvent,
    version: Version,
    call: &'a Call,
}

/// Fills the fields that call events begin with.
macro_rules! seen_from {
    ($seen:ident, $message:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {
        $message {
            peripheral_id: $seen.event.peripheral.0,
            peripheral_type: peripheral_type($seen.version.flavour()),
            connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            connection_call_id: $seen.event.was.unwrap_or($seen.call.id).0,
            connection_device_id: Some(Text::cut($seen.event.at.as_str())),
            $($field $(: $value)?,)*
            ..Default::default()
        }
    };
}

/// Fills the call's context.
macro_rules! context {
    ($seen:ident, $message:ident { $($field:ident $(: $value:expr)?),* $(,)? }) => {{
        let data = &$seen.call.data;
        let [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10] = data.variables.each_ref().map(|value| text(value.as_ref()));
        let (named_variables, named_arrays) = (named_variables($seen.call), named_arrays($seen.call));
        seen_from!($seen, $message {
            num_named_variables: count(named_variables.len()),
            num_named_arrays: count(named_arrays.len()),
            ani: text($seen.call.caller_number()),
            dialed_number: text($seen.call.dialed_number.as_ref()),
            caller_entered_digits: text(data.caller_entered_digits.as_ref()),
            user_to_user_info: data.user_to_user.clone().and_then(|info| Data::new(info).ok()),
            call_variable1: v1,
            call_variable2: v2,
            call_variable3: v3,
            call_variable4: v4,
            call_variable5: v5,
            call_variable6: v6,
            call_variable7: v7,
            call_variable8: v8,
            call_variable9: v9,
            call_variable10: v10,
            call_wrapup_data: text(data.wrap_up.as_ref()),
            named_variables,
            named_arrays,
            $($field $(: $value)?,)*
        })
    }};
}

impl Seen<'_> {
    fn began(&self) -> BeginCallEvent {
        let (day, number) = self.call.key;
        context!(
            self,
            BeginCallEvent {
                call_type: call_type(self.call.kind),
                called_party_disposition: Disposition(0),
                dnis: text(self.call.dialed_number.as_ref()),
                router_call_key_day: Some(day),
                router_call_key_call_id: Some(number),
                router_call_key_sequence_number: Some(0),
            }
        )
    }

    /// What changed, and all of the expanded call context: who reads it replaces its copy of that.
    fn data_changed(&self) -> CallDataUpdateEvent {
        let variable = |at: usize| self.changed(|call| call.data.variables[at].as_ref());
        let info = self.call.data.user_to_user.clone();
        let user_to_user = match self.event.before.as_deref().map(|before| before.data.user_to_user.clone()) {
            Some(before) if before == info => None,
            Some(_) => Some(info.unwrap_or_default()),
            None => info,
        };
        let (named_variables, named_arrays) = (named_variables(self.call), named_arrays(self.call));
        seen_from!(
            self,
            CallDataUpdateEvent {
                num_named_variables: count(named_variables.len()),
                num_named_arrays: count(named_arrays.len()),
                call_type: call_type(self.call.kind),
                new_connection_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
                new_connection_call_id: self.call.id.0,
                campaign_id: self.call.data.campaign.unwrap_or_default(),
                query_rule_id: self.call.data.query_rule.unwrap_or_default(),
                new_connection_device_id: Some(Text::cut(self.event.at.as_str())),
                ani: self.changed(Call::caller_number),
                user_to_user_info: user_to_user.and_then(|info| Data::new(info).ok()),
                dialed_number: self.changed(|call| call.dialed_number.as_ref()),
                caller_entered_digits: self.changed(|call| call.data.caller_entered_digits.as_ref()),
                call_variable1: variable(0),
                call_variable2: variable(1),
                call_variable3: variable(2),
                call_variable4: variable(3),
                call_variable5: variable(4),
                call_variable6: variable(5),
                call_variable7: variable(6),
                call_variable8: variable(7),
                call_variable9: variable(8),
                call_variable10: variable(9),
                call_wrapup_data: self.changed(|call| call.data.wrap_up.as_ref()),
                named_variables,
                named_arrays,
                customer_phone_number: self.changed(|call| call.data.customer_phone_number.as_ref()),
                customer_account_number: self.changed(|call| call.data.customer_account_number.as_ref()),
            }
        )
    }

    /// A text of the call, if it is not what it was; an empty one, where there is none any more.
    fn changed<const MAX: usize>(&self, text_of: impl Fn(&Call) -> Option<&String>) -> Option<Text<MAX>> {
        let now = text_of(self.call);
        match self.event.before.as_deref().map(text_of) {
            Some(before) if before == now => None,
            Some(_) if now.is_none() => Some(Text::cut("")),
            _ => text(now),
        }
    }

    fn delivered(&self, device: &Instrument) -> CallDeliveredEvent {
        let (calling_device_type, calling_device_id) = self.caller();
        let (skill_group_number, skill_group_id) = self.skill_group();
        context!(
            self,
            CallDeliveredEvent {
                line_handle: NO_LINE,
                line_type: line_type(self.call.kind),
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                skill_group_number,
                skill_group_id,
                alerting_device_type: self.kind_of(device),
                calling_device_type,
                called_device_type: self.called_type(),
                last_redirect_device_type: DeviceIdType::DEVID_NONE,
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NEW_CALL,
                alerting_device_id: Some(Text::cut(device.as_str())),
                calling_device_id,
                called_device_id: text(self.call.dialed_number.as_ref()),
            }
        )
    }

    fn established(&self, device: &Instrument) -> CallEstablishedEvent {
        let (calling_device_type, calling_device_id) = self.caller();
        let (skill_group_number, skill_group_id) = self.skill_group();
        seen_from!(
            self,
            CallEstablishedEvent {
                line_handle: NO_LINE,
                line_type: line_type(self.call.kind),
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                skill_group_number,
                skill_group_id,
                answering_device_type: self.kind_of(device),
                calling_device_type,
                called_device_type: self.called_type(),
                last_redirect_device_type: DeviceIdType::DEVID_NONE,
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
                answering_device_id: Some(Text::cut(device.as_str())),
                calling_device_id,
                called_device_id: text(self.call.dialed_number.as_ref()),
            }
        )
    }

    fn queued(&self, at: &Instrument, waiting: u16) -> CallQueuedEvent {
        let (calling_device_type, calling_device_id) = self.caller();
        let skill_groups: Vec<_> = (self.call.queue.iter())
            .map(|queue| QueuedSkillGroup { number: Some(queue.0.cast_signed()), id: Some(queue.0), priority: Some(0) })
            .collect();
        seen_from!(
            self,
            CallQueuedEvent {
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                queue_device_type: self.kind_of(at),
                calling_device_type,
                called_device_type: self.called_type(),
                last_redirect_device_type: DeviceIdType::DEVID_NONE,
                num_queued: waiting,
                num_skill_groups: count(skill_groups.len()),
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
                queue_device_id: Some(Text::cut(at.as_str())),
                calling_device_id,
                called_device_id: text(self.call.dialed_number.as_ref()),
                skill_groups,
            }
        )
    }

    fn dequeued(&self, at: &Instrument) -> CallDequeuedEvent {
        seen_from!(
            self,
            CallDequeuedEvent {
                queue_device_type: self.kind_of(at),
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
            }
        )
    }

    fn initiated(&self, device: &Instrument) -> CallServiceInitiatedEvent {
        let (skill_group_number, skill_group_id) = self.skill_group();
        seen_from!(
            self,
            CallServiceInitiatedEvent {
                line_handle: NO_LINE,
                line_type: line_type(self.call.kind),
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                skill_group_number,
                skill_group_id,
                calling_device_type: self.kind_of(device),
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
                calling_device_id: Some(Text::cut(device.as_str())),
            }
        )
    }

    fn originated(&self, device: &Instrument) -> CallOriginatedEvent {
        let (skill_group_number, skill_group_id) = self.skill_group();
        seen_from!(
            self,
            CallOriginatedEvent {
                line_handle: NO_LINE,
                line_type: line_type(self.call.kind),
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                skill_group_number,
                skill_group_id,
                calling_device_type: self.kind_of(device),
                called_device_type: self.called_type(),
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
                calling_device_id: Some(Text::cut(device.as_str())),
                called_device_id: text(self.call.dialed_number.as_ref()),
            }
        )
    }

    fn held(&self, device: &Instrument) -> CallHeldEvent {
        seen_from!(
            self,
            CallHeldEvent {
                holding_device_type: self.kind_of(device),
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
                holding_device_id: Some(Text::cut(device.as_str())),
            }
        )
    }

    fn retrieved(&self, device: &Instrument) -> CallRetrievedEvent {
        seen_from!(
            self,
            CallRetrievedEvent {
                retrieving_device_type: self.kind_of(device),
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_NONE,
                retrieving_device_id: Some(Text::cut(device.as_str())),
            }
        )
    }

    fn diverted(&self, from: &Instrument, to: &Instrument) -> CallDivertedEvent {
        seen_from!(
            self,
            CallDivertedEvent {
                service_number: special::NULL_SERVICE,
                service_id: special::NULL_SERVICE,
                diverting_device_type: self.kind_of(from),
                called_device_type: self.kind_of(to),
                local_connection_state: self.state(),
                event_cause: EventCause::CEC_REDIRECTED,
                diverting_device_id: Some(Text::cut(from.as_str())),
                called_device_id: Some(Text::cut(to.as_str())),
            }
        )
    }

    fn failed(&self, device: &Instrument, why: CallCause) -> CallFailedEvent {
        seen_from!(
            self,
            CallFailedEvent {
                failing_device_type: self.kind_of(device),
                called_device_type: self.called_type(),
                local_connection_state: LocalConnectionState::LCS_FAIL,
                event_cause: cause(why),
                failing_device_id: Some(Text::cut(device.as_str())),
                called_device_id: text(self.call.dialed_number.as_ref()),
            }
        )
    }

    fn left(&self, device: &Instrument, why: CallCause) -> CallConnectionClearedEvent {
        seen_from!(
            self,
            CallConnectionClearedEvent {
                releasing_device_type: self.kind_of(device),
                local_connection_state: LocalConnectionState::LCS_NULL,
                event_cause: cause(why),
                releasing_device_id: Some(Text::cut(device.as_str())),
            }
        )
    }

    fn transferred(&self, joined: &Joined) -> CallTransferredEvent {
        let (skill_group_number, skill_group_id) = self.skill_group();
        let parties = parties(self.call);
        CallTransferredEvent {
            peripheral_id: self.event.peripheral.0,
            peripheral_type: peripheral_type(self.version.flavour()),
            primary_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            primary_call_id: joined.primary.0,
            line_handle: NO_LINE,
            line_type: line_type(self.call.kind),
            skill_group_number,
            skill_group_id,
            num_parties: count(parties.len()),
            secondary_device_id_type: secondary_type(joined.secondary),
            secondary_call_id: joined.secondary.map_or(special::NULL_CALL_ID, |call| call.0),
            transferring_device_type: self.kind_of(&joined.by),
            transferred_device_type: self.kind_of(&joined.added),
            local_connection_state: self.state(),
            event_cause: EventCause::CEC_TRANSFER,
            primary_device_id: Some(Text::cut(joined.by.as_str())),
            secondary_device_id: Some(Text::cut(joined.by.as_str())),
            transferring_device_id: Some(Text::cut(joined.by.as_str())),
            transferred_device_id: Some(Text::cut(joined.added.as_str())),
            connected_parties: parties,
            ..Default::default()
        }
    }

    fn conferenced(&self, joined: &Joined) -> CallConferencedEvent {
        let (skill_group_number, skill_group_id) = self.skill_group();
        let parties = parties(self.call);
        CallConferencedEvent {
            peripheral_id: self.event.peripheral.0,
            peripheral_type: peripheral_type(self.version.flavour()),
            primary_device_id_type: ConnectionDeviceIdType::CONNECTION_ID_STATIC,
            primary_call_id: joined.primary.0,
            line_handle: NO_LINE,
            line_type: line_type(self.call.kind),
            skill_group_number,
            skill_group_id,
            num_parties: count(parties.len()),
            secondary_device_id_type: secondary_type(joined.secondary),
            secondary_call_id: joined.secondary.map_or(special::NULL_CALL_ID, |call| call.0),
            controller_device_type: self.kind_of(&joined.by),
            added_party_device_type: self.kind_of(&joined.added),
            local_connection_state: self.state(),
            event_cause: EventCause::CEC_KEY_CONFERENCE,
            primary_device_id: Some(Text::cut(joined.by.as_str())),
            secondary_device_id: Some(Text::cut(joined.by.as_str())),
            controller_device_id: Some(Text::cut(joined.by.as_str())),
            added_party_device_id: Some(Text::cut(joined.added.as_str())),
            connected_parties: parties,
            ..Default::default()
        }
    }

    fn cleared(&self, why: CallCause) -> CallClearedEvent {
        seen_from!(
            self,
            CallClearedEvent { local_connection_state: LocalConnectionState::LCS_NULL, event_cause: cause(why) }
        )
    }

    fn ended(&self) -> EndCallEvent {
        seen_from!(self, EndCallEvent {})
    }

    /// Who called: the first that came and is no place to wait.
    fn caller(&self) -> (DeviceIdType, Option<Text<64>>) {
        let caller = self.call.parties.iter().find(|party| party.kind != PartyKind::QueuePoint);
        match (&self.call.ani, caller) {
            (Some(ani), _) if self.call.queue.is_some() => (DeviceIdType::DEVID_EXTERNAL, Text::new(ani).ok()),
            (_, Some(party)) => (kind(&party.kind), Some(Text::cut(party.device.as_str()))),
            (_, None) => (DeviceIdType::DEVID_NONE, None),
        }
    }

    fn called_type(&self) -> DeviceIdType {
        match &self.call.dialed_number {
            None => DeviceIdType::DEVID_NONE,
            Some(_) if self.call.queue.is_some() => DeviceIdType::DEVID_QUEUE,
            Some(number) => {
                let there = self.call.parties.iter().find(|party| party.device.as_str() == number);
                there.map_or(DeviceIdType::DEVID_EXTERNAL, |party| kind(&party.kind))
            }
        }
    }

    fn kind_of(&self, device: &Instrument) -> DeviceIdType {
        self.call.party(device).map_or(DeviceIdType::DEVID_DEVICE_IDENTIFIER, |party| kind(&party.kind))
    }

    /// How the end stands that this is seen from.
    fn state(&self) -> LocalConnectionState {
        self.call.party(&self.event.at).map_or(LocalConnectionState::LCS_NULL, |party| state_of(party.state))
    }

    fn skill_group(&self) -> (u32, u32) {
        let number = self.call.queue.map_or(special::NULL_SKILL_GROUP, |queue| queue.0);
        (number, number)
    }
}

/// The line that a call is on, by how it came about.
pub(super) fn line_type(kind: CallKind) -> LineType {
    match kind {
        CallKind::QueuedIn | CallKind::TransferredIn => LineType::LINETYPE_INBOUND_ACD,
        CallKind::Out => LineType::LINETYPE_OUTBOUND,
        CallKind::Inside | CallKind::Consult | CallKind::Conference => LineType::LINETYPE_INSIDE,
        CallKind::Supervision(_) => LineType::LINETYPE_SUPERVISOR,
    }
}

/// Who is on a call.
pub(super) fn parties(call: &Call) -> Vec<ConnectedParty> {
    let on_it = |state| !matches!(state, PartyState::Null | PartyState::Failed);
    (call.parties.iter())
        .filter(|party| on_it(party.state))
        .take(PARTIES_MAX)
        .map(|party| ConnectedParty {
            call_id: Some(call.id.0),
            device_id_type: Some(ConnectionDeviceIdType::CONNECTION_ID_STATIC),
            device_id: Some(Text::cut(party.device.as_str())),
        })
        .collect()
}

/// The number of a party's state.
pub(super) fn state_of(state: PartyState) -> LocalConnectionState {
    match state {
        PartyState::Null => LocalConnectionState::LCS_NULL,
        PartyState::Initiated => LocalConnectionState::LCS_INITIATE,
        PartyState::Alerting => LocalConnectionState::LCS_ALERTING,
        PartyState::Connected => LocalConnectionState::LCS_CONNECT,
        PartyState::Held => LocalConnectionState::LCS_HOLD,
        PartyState::Queued => LocalConnectionState::LCS_QUEUED,
        PartyState::Failed => LocalConnectionState::LCS_FAIL,
    }
}

/// LineHandle where the ACD has no lines with handles.
pub(super) const NO_LINE: u16 = u16::MAX;
/// The most parties, or calls, that one message lists.
pub(super) const PARTIES_MAX: usize = 16;

pub(super) fn kind(kind: &PartyKind) -> DeviceIdType {
    match kind {
        PartyKind::Agent(_) => DeviceIdType::DEVID_AGENT_DEVICE,
        PartyKind::Device => DeviceIdType::DEVID_DEVICE_IDENTIFIER,
        PartyKind::QueuePoint => DeviceIdType::DEVID_QUEUE,
        PartyKind::Outside => DeviceIdType::DEVID_EXTERNAL,
    }
}

pub(super) fn call_type(kind: CallKind) -> CallType {
    match kind {
        CallKind::QueuedIn => CallType::CALLTYPE_ACD_IN,
        CallKind::TransferredIn => CallType::CALLTYPE_TRANSFER_IN,
        CallKind::Out => CallType::CALLTYPE_OUT,
        CallKind::Inside => CallType::CALLTYPE_AGENT_INSIDE,
        CallKind::Consult => CallType::CALLTYPE_CONSULT,
        CallKind::Conference => CallType::CALLTYPE_CONFERENCE,
        CallKind::Supervision(Supervision::Listen) => CallType::CALLTYPE_SUPERVISOR_MONITOR,
        CallKind::Supervision(Supervision::Whisper) => CallType::CALLTYPE_SUPERVISOR_WHISPER,
        CallKind::Supervision(Supervision::BargeIn) => CallType::CALLTYPE_SUPERVISOR_BARGEIN,
        CallKind::Supervision(Supervision::Intercept) => CallType::CALLTYPE_SUPERVISOR_INTERCEPT,
    }
}

fn cause(cause: CallCause) -> EventCause {
    match cause {
        CallCause::Normal => EventCause::CEC_NONE,
        CallCause::New => EventCause::CEC_NEW_CALL,
        CallCause::Redirected => EventCause::CEC_REDIRECTED,
        CallCause::NotAnswered => EventCause::CEC_CALL_NOT_ANSWERED,
        CallCause::Abandoned => EventCause::CEC_CALL_CANCELLED,
        CallCause::Busy => EventCause::CEC_BUSY,
        CallCause::Transfer => EventCause::CEC_TRANSFER,
        CallCause::Conference => EventCause::CEC_KEY_CONFERENCE,
        CallCause::Consult => EventCause::CEC_CONSULT,
    }
}

fn secondary_type(secondary: Option<CallId>) -> ConnectionDeviceIdType {
    match secondary {
        Some(_) => ConnectionDeviceIdType::CONNECTION_ID_STATIC,
        None => ConnectionDeviceIdType::CONNECTION_ID_NONE,
    }
}

/// A text as the field can hold it; what is longer is left out rather than made into another one.
pub(super) fn text<const MAX: usize>(value: Option<&String>) -> Option<Text<MAX>> {
    value.and_then(|value| Text::new(value).ok())
}

pub(super) fn named_variables(call: &Call) -> Vec<NamedVariable> {
    call.data.named.iter().filter_map(|(name, value)| NamedVariable::new(name, value).ok()).collect()
}

pub(super) fn named_arrays(call: &Call) -> Vec<NamedArray> {
    call.data.arrays.iter().filter_map(|((name, index), value)| NamedArray::new(name, *index, value).ok()).collect()
}

pub(super) fn count(items: usize) -> u16 {
    u16::try_from(items).unwrap_or(u16::MAX)
}
