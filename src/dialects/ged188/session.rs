//! One connection: from the first byte to the goodbye.
//!
//! Not here: what an OPEN_REQ may ask (`open`), and what an open session may (`requests`).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use cti_protocol::ged188::codes::{ControlFailure, ServiceMask, Status};
use cti_protocol::ged188::{
    AnyMessage, CloseConf, CloseReq, Frame, FrameCodec, MessageType, OpenReq, Text, Version, peek_invoke_id,
};
use smol_str::SmolStr;
use tokio_util::codec::Decoder;
use tracing::{debug, info};

use super::Ged188;
use super::answers::{No, last_word};
use super::face::{Face, encode, say_any};
use super::requests::urgency;
use crate::access::Verdict;
use crate::dialects::proving::{self, Early, Proving};
use crate::dialects::{CloseReason, Conversation, Departed, Outbox, Pace, Peer, Rate};
use crate::model::{AgentFacts, AgentKey, Filter, Permit};
use crate::observe::{Asked, RequestResult};
use crate::operations::{Farewell, Requester, Urgency};
use crate::sessions::{Place, Subscription, Target};

/// A client connection's state machine.
pub(super) struct Client {
    pub(super) shared: Arc<Ged188>,
    peer: Peer,
    outbox: Arc<Outbox>,
    frames: FrameCodec,
    /// What came while it was checked who the client is.
    early: Early,
    rate: Rate,
    /// How often the gate's doors had been replaced when the client of the session was looked up last.
    known_at: Option<NonZeroU64>,
    stage: Stage,
    counts: Counts,
}

/// How far the session is.
enum Stage {
    /// Nothing but OPEN_REQ is taken.
    Connected { since: Instant },
    /// An OPEN_REQ has come, and it is checked who the client is. Nothing is read meanwhile.
    Proving { proving: Proving<Opening>, since: Instant },
    /// Open.
    Open(Session),
    /// No more requests are taken; the session ends when the open ones are answered.
    Ending { session: Session, why: Ending },
    /// Its client has left, or one stage is just becoming another.
    Left,
}

/// An OPEN_REQ and its version.
type Opening = (Box<OpenReq>, Version);

enum Ending {
    /// The client asked, and waits for its CLOSE_CONF.
    Asked { invoke_id: u32 },
    /// The gateway stops.
    Shutdown,
}

/// An open session.
pub(super) struct Session {
    pub(super) face: Arc<Face>,
    /// What the client may, which bounds whom it sees.
    pub(super) permit: Arc<Permit>,
    pub(super) services: ServiceMask,
    pub(super) idle_timeout: Option<Duration>,
    /// The agents and devices that no other client can open a session for.
    pub(super) held: Box<[Target]>,
    /// What the services themselves bring: all events, or those of the session's own agent.
    pub(super) own: Option<Arc<OwnSubscription>>,
    /// Monitors that the client started, by their ids. Those that a logout ended stay until the client stops them.
    pub(super) monitors: BTreeMap<u32, Arc<Subscription>>,
    pub(super) next_monitor_id: u32,
    /// The request that is looked at just now, until somebody has taken it on to answer it later.
    pub(super) asked: Cell<Option<Asked>>,
    pub(super) _place: Place<SmolStr>,
}

/// The subscription that a session has by its services. A logout ends it, the agent's next login here begins it anew.
#[derive(Debug)]
pub(super) struct OwnSubscription {
    /// The one that there is, or was last; none once the session has left.
    current: parking_lot::Mutex<Option<Arc<Subscription>>>,
}

/// What came: kept for the log line of the connection's end.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    frames: u64,
    unknown_tags: u64,
    unknown_messages: u64,
    refused: u64,
}

impl Counts {
    fn note(&mut self, message: &AnyMessage<&[u8]>) {
        self.unknown_tags += message.unknown_tags().len() as u64;
        self.unknown_messages += u64::from(message.name().is_none());
    }
}

impl Client {
    pub(super) fn new(shared: Arc<Ged188>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Client {
        let frames = FrameCodec::new(shared.frame_bytes_max);
        let rate = Rate::new(shared.requests_per_second_max, now);
        debug!(%peer, "connected");
        Client {
            shared,
            peer,
            outbox,
            frames,
            early: Early::default(),
            rate,
            known_at: None,
            stage: Stage::Connected { since: now },
            counts: Counts::default(),
        }
    }

    fn read(&mut self, now: Instant, read: &mut BytesMut) -> Result<(), CloseReason> {
        while !matches!(self.stage, Stage::Proving { .. })
            && let Some(frame) = self.frames.decode(read)?
        {
            self.on_frame(now, &frame)?;
            if self.outbox.is_over() {
                break; // whoever asks and does not read is not worked for
            }
        }
        match self.stage {
            Stage::Proving { .. } => self.early.keep(read),
            _ => Ok(()),
        }
    }

    fn on_frame(&mut self, now: Instant, frame: &Frame) -> Result<(), CloseReason> {
        self.counts.frames += 1;
        let asked = self.shared.requests.of(frame.message_type.name().map(|_| frame.message_type));
        let done = match &mut self.stage {
            Stage::Proving { .. } | Stage::Left => return Ok(()), // cannot be: nothing is read
            Stage::Connected { since } => {
                let since = *since;
                // Nothing is controlled yet, so that no control can fail.
                let in_time = pace(&mut self.rate, Urgency::Newcomer)?;
                let in_time = in_time.map_err(|no| No::failure(Status::E_CTI_TOO_MUCH_DATA, no.why()));
                if let Some(result) = self.on_frame_before_open(now, since, frame, in_time) {
                    asked.is_answered(result);
                }
                return Ok(());
            }
            Stage::Ending { .. } => pace(&mut self.rate, Urgency::Ordinary)?
                .and_then(|()| Err(No::failure(Status::E_CTI_CTI_SERVER_OFFLINE, "the session is ending"))),
            Stage::Open(session) if u32::from(frame.message_type.since()) > session.face.version.number() => {
                let (message, version) = (frame.message_type, session.face.version.number());
                let why = format!("{message} came after version {version}");
                let too_new = No::failure(Status::E_CTI_INVALID_MSG_TYPE_FOR_VERSION, why);
                pace(&mut self.rate, Urgency::Ordinary)?.and(Err(too_new))
            }
            Stage::Open(session) => match AnyMessage::view(frame, session.face.version) {
                Ok(AnyMessage::CloseReq(close)) => {
                    asked.is_answered(RequestResult::Ok);
                    return self.on_close_req(&close);
                }
                Ok(message) => {
                    let message = &message;
                    self.counts.note(message);
                    let urgency = urgency(message);
                    match pace(&mut self.rate, urgency)? {
                        Ok(()) => {
                            session.asked.set(Some(asked.clone()));
                            let done = session.on_request(&self.shared, frame, message, urgency);
                            if session.asked.take().is_some() && done.is_ok() {
                                asked.is_answered(RequestResult::Ok);
                            }
                            done
                        }
                        Err(too_fast) => Err(too_fast),
                    }
                }
                Err(error) => pace(&mut self.rate, Urgency::Ordinary)?.and(Err(error.into())),
            },
        };
        if let Err(no) = done {
            asked.is_answered(no.result());
            self.refuse(frame, no);
        }
        Ok(())
    }

    fn refuse(&mut self, frame: &Frame, no: No) {
        let is_first = self.counts.refused == 0;
        self.counts.refused += 1;
        let Some(session) = self.session() else { return };
        let (peer, id, message) = (&self.peer, session.face.requester.session, frame.message_type);
        if is_first {
            info!(%peer, session = %id, %message, ?no, "refused; further ones are counted only");
        } else {
            debug!(%peer, session = %id, %message, ?no, "refused");
        }
        session.face.refuse(peek_invoke_id(frame).unwrap_or(0), no);
    }

    /// What the frame is counted as; none while it is checked who the client is.
    fn on_frame_before_open(
        &mut self,
        now: Instant,
        since: Instant,
        frame: &Frame,
        in_time: Result<(), No>,
    ) -> Option<RequestResult> {
        let opening = in_time.map_err(|too_fast| (None, too_fast)).and_then(|()| self.opening(frame));
        let done = opening.and_then(|(request, version)| {
            let claim = self.shared.claim(&request, &self.peer).map_err(|no| (Some(version), no))?;
            match proving::prove(&self.shared.gate, now, claim, &self.outbox, (Box::new(request), version)) {
                Ok((verdict, opening)) => self.try_open(verdict, &opening).map(Some),
                Err(proving) => {
                    self.stage = Stage::Proving { proving, since };
                    Ok(None)
                }
            }
        });
        match done {
            Ok(opened) => opened.map(|()| RequestResult::Ok),
            Err((version, no)) => {
                let invoke_id = peek_invoke_id(frame).unwrap_or(0);
                Some(self.refuse_to_open(frame.message_type, invoke_id, version, no))
            }
        }
    }

    fn refuse_to_open(
        &mut self,
        message: MessageType,
        invoke_id: u32,
        version: Option<Version>,
        no: No,
    ) -> RequestResult {
        let result = no.result();
        if self.counts.refused == 0 {
            info!(peer = %self.peer, %message, ?no, "refused, no session is open; further ones are counted only");
        }
        self.counts.refused += 1;
        // How wide a tag is depends on the version: while that is not known, nothing with a tag is sent.
        let with_text = version.is_some() && self.shared.settings.failure_text;
        say_any(&self.outbox, version.unwrap_or(Version::LATEST), &no.message(invoke_id, with_text));
        result
    }

    /// The OPEN_REQ of a frame, or why it is none and, if the client has named one, in which version to say so.
    fn opening(&self, frame: &Frame) -> Result<(OpenReq, Version), (Option<Version>, No)> {
        if frame.message_type != MessageType::OPEN_REQ {
            let why = format!("{} before OPEN_REQ", frame.message_type);
            return Err((None, No::failure(Status::E_CTI_SESSION_NOT_OPEN, why)));
        }
        let version = self.shared.version_of(frame)?;
        match AnyMessage::decode(frame, version) {
            Ok(AnyMessage::OpenReq(request)) => match self.shared.house.must_bear(Urgency::Newcomer) {
                Ok(()) => Ok((request, version)),
                // Before the password is looked at: that costs something. The client may try another side, or later.
                Err(congested) => {
                    Err((Some(version), No::failure(Status::E_CTI_CTI_SERVER_OFFLINE, congested.to_string())))
                }
            },
            Ok(other) => {
                let why = format!("{:?} before OPEN_REQ", other.name());
                Err((Some(version), No::failure(Status::E_CTI_SESSION_NOT_OPEN, why)))
            }
            Err(error) => Err((Some(version), error.into())),
        }
    }

    /// Opens the session, or says why not.
    fn try_open(&mut self, verdict: Verdict, (request, version): &Opening) -> Result<(), (Option<Version>, No)> {
        let opened = verdict
            .map_err(No::from)
            .and_then(|identity| self.shared.open(request, *version, &self.peer, &self.outbox, identity));
        let session = opened.map_err(|no| (Some(*version), no))?;
        self.say_opened(&session, request);
        self.stage = Stage::Open(session);
        Ok(())
    }

    /// Goes on if it is known by now who the client is.
    fn go_on(&mut self) -> Result<(), CloseReason> {
        if !matches!(self.stage, Stage::Proving { .. }) {
            return Ok(()); // as most that wakes up; what is below moves the whole stage
        }
        let (proving, since) = match std::mem::replace(&mut self.stage, Stage::Left) {
            Stage::Proving { proving, since } => (proving, since),
            other => {
                self.stage = other;
                return Ok(());
            }
        };
        match proving.ask() {
            Err(proving) => {
                self.stage = Stage::Proving { proving, since };
                Ok(())
            }
            Ok((verdict, opening)) => {
                self.stage = Stage::Connected { since };
                let result = match self.try_open(verdict, &opening) {
                    Ok(()) => RequestResult::Ok,
                    Err((version, no)) => self.refuse_to_open(MessageType::OPEN_REQ, opening.0.invoke_id, version, no),
                };
                self.shared.requests.of(Some(MessageType::OPEN_REQ)).is_answered(result);
                let mut early = self.early.take();
                self.read(self.last_heard(), &mut early)?;
                self.early.keep(&mut early)
            }
        }
    }

    fn say_opened(&self, session: &Session, request: &OpenReq) {
        let signature = request.client_signature.as_ref().map(Text::to_string);
        let face = &session.face;
        info!(
            peer = %self.peer, session = %face.requester.session, client = face.requester.client.as_str(), signature,
            role = session.permit.role.name(),
            version = face.version.number(), services = ?session.services, right = ?session.face.requester.right, "session opened"
        );
    }

    fn on_close_req(&mut self, close: &CloseReq<&[u8]>) -> Result<(), CloseReason> {
        self.end(Ending::Asked { invoke_id: close.invoke_id });
        self.on_wake()
    }

    fn end(&mut self, why: Ending) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Left) {
            Stage::Open(session) | Stage::Ending { session, .. } => Stage::Ending { session, why },
            unopened => unopened,
        };
    }

    /// Ends a session whose client may not any more what it was let in for.
    fn must_be_known(&mut self) -> Result<(), CloseReason> {
        let (gate, replacements) = (&self.shared.gate, self.shared.gate.replacements());
        let Some(session) = self.session() else { return Ok(()) };
        if self.known_at != Some(replacements) {
            let client = &session.face.requester.client;
            if !gate.still_knows(client, &session.permit) {
                return Err(CloseReason::Revoked { client: client.to_string() });
            }
            self.known_at = Some(replacements);
        }
        Ok(())
    }

    /// When something was read last: each time lets time pass for the rate.
    fn last_heard(&self) -> Instant {
        self.rate.passed()
    }

    fn session(&self) -> Option<&Session> {
        match &self.stage {
            Stage::Open(session) | Stage::Ending { session, .. } => Some(session),
            Stage::Connected { .. } | Stage::Proving { .. } | Stage::Left => None,
        }
    }
}

/// Counts a request, and refuses it if it comes too soon.
fn pace(rate: &mut Rate, urgency: Urgency) -> Result<Result<(), No>, CloseReason> {
    let per_second = rate.per_second();
    match rate.take(urgency) {
        Pace::Fine => Ok(Ok(())),
        Pace::TooFast => {
            let why = format!("more than {per_second} requests a second of this connection");
            Ok(Err(No::control(ControlFailure::CF_PERFORMANCE_LIMIT_EXCEEDED, why)))
        }
        Pace::Flood => Err(CloseReason::Flood { per_second }),
    }
}

impl Conversation for Client {
    fn peer(&self) -> SocketAddr {
        self.peer.address
    }

    fn on_bytes(&mut self, now: Instant, read: &mut BytesMut) -> Result<(), CloseReason> {
        self.rate.pass(now);
        if !matches!(self.stage, Stage::Proving { .. }) {
            self.early.give_back(read);
        }
        self.read(now, read)
    }

    fn on_wake(&mut self) -> Result<(), CloseReason> {
        if let Some(by) = self.outbox.replaced_by() {
            return Err(CloseReason::Replaced { by });
        }
        self.go_on()?;
        self.must_be_known()?;
        let Stage::Ending { session, why } = &self.stage else { return Ok(()) };
        if session.face.in_flight.load(Ordering::Acquire) > 0 {
            return Ok(());
        }
        match why {
            Ending::Asked { invoke_id } => {
                let done = CloseConf { invoke_id: *invoke_id, ..Default::default() };
                self.outbox.add_last(|out| encode(out, session.face.version, &done));
                Err(CloseReason::ClientClosed)
            }
            Ending::Shutdown => Err(CloseReason::Shutdown),
        }
    }

    fn on_deadline(&mut self, now: Instant) -> Result<(), CloseReason> {
        if self.next_deadline().is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        Err(match self.session().and_then(|session| session.idle_timeout) {
            Some(idle) => CloseReason::Idle { idle },
            None => CloseReason::NotOpened { waited: self.shared.open_wait },
        })
    }

    fn next_deadline(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Connected { since } | Stage::Proving { since, .. } => Some(*since + self.shared.open_wait),
            Stage::Open(session) => session.idle_timeout.map(|idle| self.last_heard() + idle),
            Stage::Ending { .. } | Stage::Left => None,
        }
    }

    fn on_shutdown(&mut self) -> Result<(), CloseReason> {
        match self.stage {
            Stage::Connected { .. } | Stage::Proving { .. } => Err(CloseReason::Shutdown),
            Stage::Open(_) => {
                self.end(Ending::Shutdown);
                self.on_wake()
            }
            Stage::Ending { .. } | Stage::Left => Ok(()),
        }
    }

    fn close(&mut self, reason: &CloseReason) -> Departed {
        let version = self.session().map(|session| session.face.version);
        let with_text = version.is_some() && self.shared.settings.failure_text;
        let last_word = last_word(reason, with_text);
        self.outbox.add_last(|out| {
            last_word.iter().for_each(|last_word| encode(out, version.unwrap_or(Version::LATEST), last_word));
        });
        let Counts { frames, refused, unknown_tags, unknown_messages } = self.counts;
        let counted = Departed {
            requests: frames,
            refused,
            unknown_messages,
            unknown_fields: unknown_tags,
            ..Departed::default()
        };
        match std::mem::replace(&mut self.stage, Stage::Left) {
            Stage::Open(session) | Stage::Ending { session, .. } => {
                let (id, client) = (session.face.requester.session, session.face.requester.client.to_string());
                let agents = session.leave(&self.shared, farewell(reason));
                Departed { session: Some(id), client: Some(client), agents, ..counted }
            }
            Stage::Connected { .. } | Stage::Proving { .. } | Stage::Left => counted,
        }
    }
}

impl Drop for Client {
    /// A connection's task that is cut short, by a bug or with the whole runtime, leaves no session behind.
    fn drop(&mut self) {
        if let Stage::Open(session) | Stage::Ending { session, .. } = std::mem::replace(&mut self.stage, Stage::Left) {
            session.leave(&self.shared, Farewell::Lost);
        }
    }
}

fn farewell(reason: &CloseReason) -> Farewell {
    match reason {
        CloseReason::ClientClosed | CloseReason::Shutdown | CloseReason::Replaced { .. } => Farewell::Said,
        _ => Farewell::Lost,
    }
}

impl Session {
    /// Who asks, for the operations.
    pub(super) fn requester(&self) -> &Requester {
        &self.face.requester
    }

    /// Ends all that the session had, and says which agents those were. An agent stays as it is: closing a session is not a
    /// logout, and a lost one has its grace.
    fn leave(self, shared: &Ged188, how: Farewell) -> Vec<AgentKey> {
        self.end_subscriptions(shared);
        let mut agents: Vec<AgentKey> = self.own_agent(shared).into_iter().collect();
        shared.house.table.remove_client(self.face.requester.session, &self.held);
        let left = shared.house.leave(self.face.requester.session, &self.face.requester.client, how);
        agents.extend(left.into_iter().filter(|left| !agents.contains(left)).collect::<Vec<_>>());
        agents
    }

    fn end_subscriptions(&self, shared: &Ged188) {
        if let Some(own) = &self.own {
            own.end(shared);
        }
        for subscription in self.monitors.values() {
            shared.house.table.subscriptions.remove(subscription);
        }
    }
}

impl OwnSubscription {
    /// Subscribes.
    pub(super) fn begin(
        shared: &Ged188,
        face: &Arc<Face>,
        id: u32,
        target: Target,
        filter: Filter,
    ) -> Arc<OwnSubscription> {
        let current = Subscription::new(id, target, filter, Arc::<Face>::clone(face) as _);
        shared.house.table.subscribe(&current);
        Arc::new(OwnSubscription { current: parking_lot::Mutex::new(Some(current)) })
    }

    /// Says how the agent stands where that is not what the client was told.
    pub(super) fn tell_if_news(&self, shared: &Ged188, agent: &AgentKey, told: Option<&AgentFacts>) {
        let current = self.current.lock().clone();
        if let Some(current) = current {
            shared.house.tell_if_news(agent, told, &current);
        }
    }

    /// Subscribes again if a logout ended it, unless the session has left: a login may outlive who asked for it.
    pub(super) fn renew(&self, shared: &Ged188, face: &Arc<Face>) {
        let mut current = self.current.lock();
        if let Some(ended) = current.as_ref().filter(|current| current.has_ended()) {
            let (target, filter) = (ended.target.clone(), ended.filter());
            let renewed = Subscription::new(ended.own_id, target, filter, Arc::<Face>::clone(face) as _);
            shared.house.table.subscribe(&renewed);
            *current = Some(renewed);
        }
    }

    /// The session leaves.
    fn end(&self, shared: &Ged188) {
        if let Some(current) = self.current.lock().take() {
            shared.house.table.subscriptions.remove(&current);
        }
    }
}
