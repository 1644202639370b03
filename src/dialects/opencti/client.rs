//! One connection: from the first byte to the last word. The session that it opens or takes up lives on when it ends.
//!
//! Not here: what Hello may ask (`hello`), and what an open session may (`requests`).

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use cti_protocol::opencti::{Activity, Answer, Code, Flaw, Hello, Notice, NoticeName, Request, RequestId};
use parking_lot::Mutex;
use tokio_util::codec::{Decoder, LinesCodec, LinesCodecError};
use tracing::{debug, info};

use super::answers::No;
use super::hello::Opened;
use super::requests::urgency;
use super::session::Line;
use super::{OpenCti, closed, time_of_day};
use crate::access::Verdict;
use crate::dialects::proving::{self, Early, Proving};
use crate::dialects::{CloseReason, Conversation, Departed, Outbox, Pace, Peer, Rate};
use crate::observe::RequestResult;
use crate::operations::{Farewell, Urgency};

/// A client connection's state machine.
pub(super) struct Client {
    shared: Arc<OpenCti>,
    peer: Peer,
    line: Arc<Line>,
    lines: LinesCodec,
    /// A Hello has come, and it is checked who the client is. Nothing is read meanwhile.
    proving: Option<Proving<Opening>>,
    /// What came meanwhile.
    early: Early,
    rate: Rate,
    /// The last line was a blank one.
    is_blank: bool,
    /// How often the gate's doors had been replaced when the client of the session was looked up last.
    known_at: Option<NonZeroU64>,
    connected: Instant,
    last_heard: Instant,
    /// When a heartbeat is due, once a session is open.
    heartbeat: Instant,
    opened: Option<Opened>,
    /// The gateway stops: no more requests are taken.
    is_ending: bool,
    counts: Counts,
}

/// The activity that opens a session.
const HELLO: &str = "Hello";

/// A Hello and its id.
type Opening = (Box<Hello>, RequestId);

/// What came, for the log line of the connection's end.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    requests: u64,
    refused: u64,
    /// Activities that there are not.
    unknown: u64,
}

impl Client {
    pub(super) fn new(shared: Arc<OpenCti>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Client {
        debug!(%peer, "connected");
        let lines = LinesCodec::new_with_max_length(shared.message_bytes_max);
        let heartbeat = now + shared.settings.heartbeat;
        let rate = Rate::new(shared.requests_per_second_max, now);
        Client {
            shared,
            peer,
            line: Arc::new(Line { outbox, in_flight: AtomicUsize::new(0), asked: Mutex::default() }),
            lines,
            proving: None,
            early: Early::default(),
            rate,
            is_blank: false,
            known_at: None,
            connected: now,
            last_heard: now,
            heartbeat,
            opened: None,
            is_ending: false,
            counts: Counts::default(),
        }
    }

    fn on_line(&mut self, now: Instant, text: &str) -> Result<(), CloseReason> {
        let was_blank = std::mem::replace(&mut self.is_blank, text.trim().is_empty());
        if self.is_blank {
            // One may stand between two messages.
            return if was_blank { self.on_nothing() } else { Ok(()) };
        }
        self.counts.requests += 1;
        match Request::read(text) {
            Ok(Request { id, activity }) => {
                let asked = self.shared.requests.of(Some(activity.name()));
                let in_time = self.pace(urgency(&activity))?;
                *self.line.asked.lock() = Some(asked.clone());
                let done = in_time.and_then(|()| self.on_request(now, &id, activity));
                let is_answered = self.line.asked.lock().take().is_some() && self.proving.is_none();
                match done {
                    Ok(()) if is_answered => asked.is_answered(RequestResult::Ok),
                    Ok(()) => (), // somebody answers it later
                    Err(no) => {
                        asked.is_answered(no.result());
                        self.refuse(Some(id), no);
                    }
                }
            }
            Err(unreadable) => {
                self.counts.unknown += u64::from(matches!(unreadable.flaw, Flaw::UnknownActivity { .. }));
                let too_fast = self.pace(Urgency::Ordinary)?.err();
                self.refuse_unreadable(unreadable.id, too_fast.unwrap_or_else(|| unreadable.flaw.into()));
            }
        }
        Ok(())
    }

    /// Counts what asks for nothing, so that it cannot come as fast as it likes.
    fn on_nothing(&mut self) -> Result<(), CloseReason> {
        self.pace(Urgency::Leaving).map(drop)
    }

    /// Counts a request, and refuses it if it comes too soon.
    fn pace(&mut self, urgency: Urgency) -> Result<Result<(), No>, CloseReason> {
        let per_second = self.rate.per_second();
        match self.rate.take(urgency) {
            Pace::Fine => Ok(Ok(())),
            Pace::TooFast => {
                let why = format!("more than {per_second} requests a second of this connection");
                Ok(Err(No::new(Code::TooManyRequests, why)))
            }
            Pace::Flood => Err(CloseReason::Flood { per_second }),
        }
    }

    fn on_request(&mut self, now: Instant, id: &RequestId, activity: Activity) -> Result<(), No> {
        if self.is_ending {
            return Err(No::new(Code::Unavailable, "the gateway is shutting down"));
        }
        // Who comes back is no newcomer.
        let urgency = match &activity {
            Activity::Hello(hello) if hello.resume.is_some() => Urgency::Ordinary,
            other => urgency(other),
        };
        self.shared.house.must_bear(urgency)?;
        match (&self.opened, activity) {
            (None, Activity::Hello(hello)) => {
                let claim = self.shared.claim(&hello, &self.peer)?;
                match proving::prove(&self.shared.gate, now, claim, &self.line.outbox, (Box::new(hello), id.clone())) {
                    Ok((verdict, opening)) => self.open(verdict, &opening),
                    Err(proving) => {
                        self.proving = Some(proving);
                        Ok(())
                    }
                }
            }
            (None, other) => Err(No::new(Code::NoSession, format!("{} before Hello", other.name()))),
            (Some(_), Activity::Hello(_)) => Err(No::new(Code::NoSession, "a session is open already")),
            (Some(opened), activity) => opened.on_request(&self.shared, &self.line, id, activity),
        }
    }

    fn open(&mut self, verdict: Verdict, (hello, id): &Opening) -> Result<(), No> {
        let opened = self.shared.hello(&self.line, id.clone(), hello, verdict?)?;
        let (session, how) = (&opened.session, if opened.is_resumed { "resumed" } else { "opened" });
        let (peer, role) = (&self.peer, opened.rights.role());
        info!(%peer, session = %session.id, identity = session.client.id.as_str(), role, "session {how}");
        self.opened = Some(opened);
        Ok(())
    }

    /// Goes on if it is known by now who the client is.
    fn go_on(&mut self) -> Result<(), CloseReason> {
        let Some(proving) = self.proving.take() else { return Ok(()) };
        match proving.ask() {
            Err(proving) => {
                self.proving = Some(proving);
                Ok(())
            }
            Ok((verdict, opening)) => {
                let done = self.open(verdict, &opening);
                let result = done.as_ref().map_or_else(No::result, |()| RequestResult::Ok);
                self.shared.requests.of(Some(HELLO)).is_answered(result);
                if let Err(no) = done {
                    self.refuse(Some(opening.1), no);
                }
                let mut early = self.early.take();
                self.read(self.last_heard, &mut early)?;
                self.early.keep(&mut early)
            }
        }
    }

    fn read(&mut self, now: Instant, read: &mut BytesMut) -> Result<(), CloseReason> {
        // Whoever asks and does not read is not worked for.
        while self.proving.is_none() && !self.line.outbox.is_over() {
            match self.lines.decode(read) {
                Ok(Some(line)) => self.on_line(now, &line)?,
                Ok(None) => break,
                Err(error) => self.on_broken_line(&error)?,
            }
        }
        if self.proving.is_some() { self.early.keep(read) } else { Ok(()) }
    }

    fn refuse_unreadable(&mut self, id: Option<RequestId>, no: No) {
        self.shared.requests.of(None).is_answered(no.result());
        self.refuse(id, no);
    }

    /// Ends a session whose client may not any more what it was let in for.
    fn must_be_known(&mut self) -> Result<(), CloseReason> {
        let (gate, replacements) = (&self.shared.gate, self.shared.gate.replacements());
        let Some(identity) = self.opened.as_ref().map(|opened| &opened.session.client) else { return Ok(()) };
        if self.known_at != Some(replacements) {
            if !gate.still_knows(&identity.id, &identity.permit) {
                return Err(CloseReason::Revoked { client: identity.id.to_string() });
            }
            self.known_at = Some(replacements);
        }
        Ok(())
    }

    fn refuse(&mut self, id: Option<RequestId>, no: No) {
        let is_first = self.counts.refused == 0;
        self.counts.refused += 1;
        let (peer, session) = (&self.peer, self.opened.as_ref().map(|opened| opened.session.id.0));
        if is_first {
            info!(%peer, session, ?no, "refused; further ones are counted only");
        } else {
            debug!(%peer, session, ?no, "refused");
        }
        self.line.say(no.answer(id));
    }

    /// A line that is none. What comes behind it is read as if it had not been.
    fn on_broken_line(&mut self, error: &LinesCodecError) -> Result<(), CloseReason> {
        self.counts.requests += 1;
        let too_fast = self.pace(Urgency::Ordinary)?.err();
        let why = match error {
            LinesCodecError::MaxLineLengthExceeded => {
                format!("the message is longer than {} bytes", self.shared.message_bytes_max)
            }
            LinesCodecError::Io(_) => "the message is not valid UTF-8".to_owned(),
        };
        self.refuse_unreadable(None, too_fast.unwrap_or_else(|| No::new(Code::InvalidRequest, why)));
        Ok(())
    }
}

impl Conversation for Client {
    fn peer(&self) -> SocketAddr {
        self.peer.address
    }

    fn on_bytes(&mut self, now: Instant, read: &mut BytesMut) -> Result<(), CloseReason> {
        self.last_heard = now;
        self.rate.pass(now);
        if self.proving.is_none() {
            self.early.give_back(read);
        }
        self.read(now, read)
    }

    fn on_ping(&mut self, now: Instant) -> Result<(), CloseReason> {
        self.rate.pass(now);
        self.on_nothing()
    }

    fn on_wake(&mut self) -> Result<(), CloseReason> {
        if let Some(by) = self.line.outbox.replaced_by() {
            return Err(CloseReason::Replaced { by });
        }
        self.go_on()?;
        self.must_be_known()?;
        if self.is_ending && self.line.in_flight.load(Ordering::Acquire) == 0 {
            return Err(CloseReason::Shutdown);
        }
        Ok(())
    }

    fn on_deadline(&mut self, now: Instant) -> Result<(), CloseReason> {
        let Some(opened) = &self.opened else {
            let is_late = now >= self.connected + self.shared.open_wait;
            return if is_late { Err(CloseReason::NotOpened { waited: self.shared.open_wait }) } else { Ok(()) };
        };
        if let Some(idle) = opened.idle_timeout.filter(|idle| now >= self.last_heard + *idle) {
            return Err(CloseReason::Idle { idle });
        }
        if now >= self.heartbeat {
            self.line.say(Notice { notice: NoticeName::Heartbeat, time: time_of_day(), message: None });
            self.heartbeat = now + self.shared.settings.heartbeat;
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Instant> {
        let Some(opened) = &self.opened else { return Some(self.connected + self.shared.open_wait) };
        let idle = opened.idle_timeout.map(|idle| self.last_heard + idle);
        Some(idle.map_or(self.heartbeat, |idle| idle.min(self.heartbeat)))
    }

    fn on_shutdown(&mut self) -> Result<(), CloseReason> {
        self.is_ending = true;
        self.on_wake()
    }

    fn close(&mut self, reason: &CloseReason) -> Departed {
        let Counts { requests, refused, unknown } = self.counts;
        let counted = Departed { requests, refused, unknown_messages: unknown, ..Departed::default() };
        let departed = match self.opened.take() {
            Some(opened) => {
                // A gateway that stops sends its clients away; whoever else has gone is lost until it comes back.
                let is_sent_away = matches!(reason, CloseReason::Shutdown);
                let how = if is_sent_away { Farewell::Said } else { Farewell::Lost };
                let agents = opened.session.agents().into_iter().map(|(key, _)| key).collect();
                opened.session.lose_line(&self.line, how);
                let client = Some(opened.session.client.id.to_string());
                Departed { session: Some(opened.session.id), client, agents, ..counted }
            }
            None => counted,
        };
        if !reason.is_unheard() && !matches!(reason, CloseReason::ClientClosed) {
            self.line.say_last(closed(reason));
        }
        departed
    }
}

impl Drop for Client {
    /// A connection's task that is cut short, by a bug or with the whole runtime, leaves no session attached.
    fn drop(&mut self) {
        if let Some(opened) = self.opened.take() {
            opened.session.lose_line(&self.line, Farewell::Lost);
        }
    }
}

/// The answer to a request that is done at once.
pub(super) fn done(line: &Line, id: &RequestId) {
    line.say(Answer::ok(id.clone()));
}
