//! The side of a session that others see: how it is told of events, and how an answer gets to it.
//!
//! Not here: what the session may ask. Must hold: every message is added whole, in one piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bytes::BytesMut;
use cti_protocol::ged188::codes::{DeviceIdType, PgStatus, Status, SystemEventId};
use cti_protocol::ged188::{AnyMessage, EncodeError, Message, Octets, SystemEvent, Text, Time, Version};
use smol_str::SmolStr;
use tracing::error;

use super::answers::No;
use super::{DIALECT, Ged188, events, time_of_day};
use crate::dialects::Outbox;
use crate::model::{AgentId, AgentKey, CallEvent, Event, Instrument, LinkEvent, PartyKind, PeripheralId, SessionId};
use crate::operations::Requester;
use crate::sessions::{Following, Form, Rendered, Subscriber, Subscription, Target};

/// A session as the table and the running commands know it.
#[derive(Debug)]
pub(super) struct Face {
    pub(super) shared: Arc<Ged188>,
    /// Who asks, for the operations.
    pub(super) requester: Requester,
    /// ClientSignature, or ClientID where that was not given.
    pub(super) signature: SmolStr,
    pub(super) version: Version,
    pub(super) outbox: Arc<Outbox>,
    /// Whether its client is no one agent's: sees all of them.
    pub(super) sees_everybody: bool,
    /// Requests that were taken and are not answered yet.
    pub(super) in_flight: AtomicU32,
    /// OPEN_CONF was said: before it nothing else is.
    pub(super) is_open: AtomicBool,
}

impl Face {
    /// Whether the session may hear of an event at a device. Others may come to work there while it listens: a logout that
    /// ends its monitor is one way of theirs to do so, and there are more.
    fn may_hear(&self, event: &Event, (peripheral, device): (PeripheralId, &Instrument)) -> bool {
        if self.sees_everybody {
            return true;
        }
        let agent = match event {
            Event::Agent(event) => Some(&event.facts.agent),
            Event::PreCall(event) => Some(&event.call.agent),
            Event::Correction(event) => event.agent.as_ref(),
            Event::Call(event) => agent_of(event, device),
        };
        match agent {
            Some(agent) => {
                self.requester.must_have_right(&AgentKey { peripheral, agent: agent.clone() }, Some(device)).is_ok()
            }
            // A call that nobody's agent is on: whoever may command the device now.
            None => self.shared.house.must_supervise_at(&self.requester, peripheral, device).is_ok(),
        }
    }

    /// Adds a message to what is sent.
    pub(super) fn say(&self, message: &impl Message<Storage = Octets>) {
        self.outbox.add(|out| encode(out, self.version, message));
    }

    /// The same where it is one of several.
    pub(super) fn say_any(&self, message: &AnyMessage) {
        say_any(&self.outbox, self.version, message);
    }

    /// Adds what may be much at once.
    pub(super) fn say_at_length(&self, message: impl Into<AnyMessage>) {
        let message = message.into();
        self.outbox.add_backlog(|out| encode_any(out, self.version, &message));
    }

    /// Refuses a request.
    pub(super) fn refuse(&self, invoke_id: u32, no: No) {
        self.say_any(&no.message(invoke_id, self.shared.settings.failure_text));
    }

    /// A request that was in flight has its answer.
    pub(super) fn has_answered(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.outbox.wake();
    }

    /// Says whether one ACD can be reached.
    pub(super) fn say_link(&self, link: LinkEvent) {
        let LinkEvent { peripheral, online } = link;
        let system_event_id =
            if online { SystemEventId::SYS_PERIPHERAL_ONLINE } else { SystemEventId::SYS_PERIPHERAL_OFFLINE };
        let now = if online { "online" } else { "offline" };
        self.say(&SystemEvent {
            pg_status: pg_status(&self.shared),
            icm_central_controller_time: Time(time_of_day()),
            system_event_id,
            system_event_arg1: peripheral.0,
            event_device_type: DeviceIdType::DEVID_NONE,
            text: Some(Text::cut(&format!("peripheral {peripheral} is {now}"))),
            ..Default::default()
        });
    }
}

impl Subscriber for Face {
    fn session(&self) -> SessionId {
        self.requester.session
    }

    fn client_id(&self) -> &str {
        &self.requester.client
    }

    fn signature(&self) -> &str {
        &self.signature
    }

    fn dialect(&self) -> &'static str {
        DIALECT
    }

    fn form(&self) -> Form {
        events::form(self.version)
    }

    fn render(&self, event: &Event) -> Option<Rendered> {
        events::render(event, self.version)
    }

    fn deliver(&self, subscription: &Subscription, event: &Event, rendered: &Rendered) {
        if let Target::Device(peripheral, device) = &subscription.target
            && !self.may_hear(event, (*peripheral, device))
        {
            return;
        }
        self.outbox.add_unless_ended(subscription.ended_mark(), event.read_at(), |out| {
            events::write_with_own_id(out, rendered, subscription.own_id);
        });
    }

    fn follow(&self, following: Following) -> bool {
        self.outbox.follow(following)
    }

    fn look(&self) -> bool {
        self.outbox.look()
    }

    fn is_asleep(&self) -> bool {
        self.outbox.is_asleep()
    }

    fn has_read(&self) -> bool {
        self.outbox.has_read()
    }

    fn end(&self, subscription: &Subscription) {
        self.outbox.end(subscription);
    }

    fn announce(&self, event: LinkEvent) {
        if self.is_open.load(Ordering::Acquire) {
            self.say_link(event);
        }
    }

    fn wake(&self) {
        self.outbox.wake();
    }

    fn replace(&self, by: SessionId) {
        self.outbox.replace(by);
    }

    /// A session that was opened for the agent has no other purpose. A bridge goes on with the others.
    fn lose(&self, agent: &AgentKey, by: SessionId) {
        let table = &self.shared.house.table;
        let instrument = table.agent(agent).and_then(|cell| cell.entry().facts.instrument.clone());
        if table.holder(agent, instrument.as_ref()) == Some(self.requester.session) {
            self.outbox.replace(by);
        }
    }
}

/// Who is on the call at that device.
fn agent_of<'a>(event: &'a CallEvent, device: &Instrument) -> Option<&'a AgentId> {
    if let Some((_, agent)) = event.to.iter().find(|(at, _)| at == device) {
        return agent.as_ref();
    }
    match &event.call.party(device)?.kind {
        PartyKind::Agent(agent) => Some(agent),
        _ => None,
    }
}

/// Adds a message, whole or not at all.
pub(super) fn say_any(outbox: &Outbox, version: Version, message: &AnyMessage) {
    outbox.add(|out| encode_any(out, version, message));
}

/// Writes a message, whole or not at all.
pub(super) fn encode<M: Message<Storage = Octets>>(out: &mut BytesMut, version: Version, message: &M) {
    if let Err(error) = message.encode(version, out) {
        cannot_be_written(out, version, M::INFO.message_type.name(), message.invoke_id(), &error);
    }
}

/// The same where it is one of several.
pub(super) fn encode_any(out: &mut BytesMut, version: Version, message: &AnyMessage) {
    if let Err(error) = message.encode(version, out) {
        cannot_be_written(out, version, message.name(), message.invoke_id(), &error);
    }
}

#[cold]
fn cannot_be_written(
    out: &mut BytesMut,
    version: Version,
    name: Option<&'static str>,
    invoke_id: Option<u32>,
    error: &EncodeError,
) {
    error!(message = ?name, version = version.number(), %error, "a message of our own cannot be written");
    if let Some(invoke_id) = invoke_id {
        // Too large for a frame: the request is answered all the same.
        let no = No::failure(Status::E_CTI_TOO_MUCH_DATA, error.to_string());
        let _ = no.message(invoke_id, false).encode(version, out);
    }
}

/// What is not as it should be behind the gateway; 0 is healthy.
pub(super) fn pg_status(shared: &Ged188) -> PgStatus {
    let is_up = |id: PeripheralId| shared.house.table.is_online(id);
    if shared.house.peripherals().iter().all(|peripheral| is_up(peripheral.id)) {
        PgStatus(0)
    } else {
        PgStatus::PGS_PERIPHERAL_OFFLINE
    }
}
