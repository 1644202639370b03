//! The one connection to an Asterisk: made, kept, and made anew.
//!
//! Lives here: login, what is in flight, deadlines, signs of life. Not here: what an action does (`world`).
//! Must hold: the reader waits for nobody; no more actions are in flight than configured; an answer is matched by its
//! ActionID alone; when the link is lost, everyone who waits is told at once.

mod in_flight;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::codec::Decoder;
use tokio_util::io::poll_read_buf;
use tracing::{debug, info, warn};

use self::in_flight::{InFlight, Rows};
use super::ami::{Action, ActionError, AmiCodec, AmiFrame, Kind, Message, challenge_key};
use super::credentials::Credentials;
use super::line::{Line, Order};
use super::members::{Effect, Said};
use super::news;
use super::world::World;
use crate::acd::{AcdEvent, AcdEvents, AcdRefusal};
use crate::model::Password;
use crate::tls::Stream;

/// What it takes to make the link.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) credentials: Credentials,
    pub(super) in_flight_max: usize,
    pub(super) action_deadline: Duration,
    pub(super) ping_every: Duration,
    pub(super) connect_deadline: Duration,
    pub(super) reconnect_min: Duration,
    pub(super) reconnect_max: Duration,
    pub(super) line: Arc<Line>,
    pub(super) world: Arc<Mutex<World>>,
    pub(super) counts: Counts,
}

/// What happened on the link that should not.
#[derive(Debug, Default)]
pub struct Counts {
    /// Answers to an action that nobody waited for any more.
    pub answers_late: AtomicU64,
    /// Answers to no action of ours, or to one that was answered before.
    pub answers_orphan: AtomicU64,
    /// Actions that never had an answer.
    pub answers_missing: AtomicU64,
    /// Events that the gateway knows nothing of.
    pub events_unknown: AtomicU64,
    /// Messages too long to be taken, and such as were neither answer nor event.
    pub messages_refused: AtomicU64,
    /// How often the link was made.
    pub links: AtomicU64,
}

impl Counts {
    fn add(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("cannot connect to {host}:{port}: {error}")]
    Connect { host: String, port: u16, error: io::Error },
    #[error("{step}: nothing came in {waited:?}")]
    Silent { step: &'static str, waited: Duration },
    #[error("{step}: Asterisk closed the connection")]
    Closed { step: &'static str },
    #[error("{step}: {error}")]
    Io { step: &'static str, error: io::Error },
    #[error("login as {user:?} was refused: {words}")]
    Refused { user: String, words: String },
    #[error("logged in, but Asterisk has not said that it is fully booted in {waited:?}: the user needs read=system")]
    NotBooted { waited: Duration },
    #[error("not an Asterisk manager: its first line is {line:?}")]
    NoManager { line: String },
    #[error("Asterisk shuts down (restart: {restart})")]
    Shutdown { restart: bool },
    #[error("a list had more than {LIST_ITEMS_MAX} items")]
    EndlessList,
    #[error(transparent)]
    Action(#[from] ActionError),
}

impl Link {
    /// Keeps the link up until nobody listens any more.
    pub(super) async fn run(&self, events: AcdEvents) {
        let mut pause = self.reconnect_min;
        let mut said = None;
        loop {
            let (error, was_up) = tokio::select! {
                () = events.closed() => return self.down(&events, "the gateway ends"),
                ended = self.hold_once(&events) => ended,
            };
            let reason = error.to_string();
            self.down(&events, &reason);
            if was_up {
                pause = self.reconnect_min;
            } else if said
                .as_ref()
                .is_none_or(|(text, at): &(String, Instant)| *text != reason || at.elapsed() > SAY_AGAIN)
            {
                warn!(host = self.host, port = self.port, %error, "no link to asterisk, trying again");
                said = Some((reason, Instant::now()));
            }
            tokio::select! {
                () = events.closed() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(self.reconnect_max),
            }
        }
    }

    fn down(&self, events: &AcdEvents, reason: &str) {
        self.world.lock().forget_everything();
        events.report(AcdEvent::LinkDown { reason: reason.to_owned() });
        self.line.close();
    }

    /// Makes the link and holds it as long as it goes. Says why it ended, and whether it was up.
    async fn hold_once(&self, events: &AcdEvents) -> (LinkError, bool) {
        let mut session = match Session::log_in(self).await {
            Ok(session) => session,
            Err(error) => return (error, false),
        };
        Counts::add(&self.counts.links);
        info!(host = self.host, port = self.port, user = self.user, "logged in to asterisk");
        self.world.lock().forget_everything();
        self.line.open();
        events.report(AcdEvent::LinkUp);
        let error = session.serve(events).await;
        for sent in std::mem::take(&mut session.in_flight) {
            sent.fail(AcdRefusal::LinkDown);
        }
        let Counts { answers_late, answers_orphan, answers_missing, messages_refused, .. } = &self.counts;
        let counted = |count: &AtomicU64| count.load(Ordering::Relaxed);
        info!(
            host = self.host,
            late = counted(answers_late),
            orphan = counted(answers_orphan),
            missing = counted(answers_missing),
            refused = counted(messages_refused),
            "link to asterisk ended"
        );
        (error, true)
    }
}

/// One connection.
struct Session<'a> {
    link: &'a Link,
    socket: Stream,
    /// The socket has taken bytes that it may not have written: never so without TLS.
    is_unflushed: bool,
    codec: AmiCodec,
    input: BytesMut,
    output: BytesMut,
    /// In the order in which they were sent.
    in_flight: VecDeque<InFlight>,
    last_id: u64,
    heard_at: Instant,
    /// The ActionID of the sign of life that was asked for and has not come.
    ping: Option<u64>,
    /// The ActionID of the list that comes.
    list: Option<u64>,
    is_booted: bool,
    shutdown: Option<LinkError>,
}

impl<'a> Session<'a> {
    async fn log_in(link: &'a Link) -> Result<Session<'a>, LinkError> {
        let (host, port, waited) = (link.host.as_str(), link.port, link.connect_deadline);
        let shown = link.credentials.read();
        let connected = tokio::time::timeout(waited, TcpStream::connect((host, port))).await;
        let connected = connected.map_err(|_| LinkError::Silent { step: "connect", waited })?;
        let failed = |error| LinkError::Connect { host: host.to_owned(), port, error };
        let socket = connected.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let secured = tokio::time::timeout(waited, Stream::over(socket, shown.trust.as_ref())).await;
        let secured = secured.map_err(|_| LinkError::Silent { step: "tls", waited })?;
        let socket = secured.map_err(|error| LinkError::Io { step: "tls", error })?;
        let mut session = Session {
            link,
            socket,
            is_unflushed: false,
            codec: AmiCodec::default(),
            input: BytesMut::with_capacity(READ_BYTES),
            output: BytesMut::new(),
            in_flight: VecDeque::new(),
            last_id: 0,
            heard_at: Instant::now(),
            ping: None,
            list: None,
            is_booted: false,
            shutdown: None,
        };
        session.greet().await?;
        session.prove_secret(&shown.secret).await?;
        session.ask_for_events().await?;
        session.await_boot().await?;
        Ok(session)
    }

    async fn greet(&mut self) -> Result<(), LinkError> {
        let deadline = Instant::now() + self.link.connect_deadline;
        match self.next_frame("banner", deadline).await? {
            AmiFrame::Banner(line) if line.starts_with(BANNER) => {
                debug!(banner = %line.escape_ascii(), "asterisk greets");
                Ok(())
            }
            AmiFrame::Banner(line) => Err(LinkError::NoManager { line: line.escape_ascii().to_string() }),
            AmiFrame::Message(_) | AmiFrame::TooLong { .. } => Err(LinkError::NoManager { line: String::new() }),
        }
    }

    async fn prove_secret(&mut self, secret: &Password) -> Result<(), LinkError> {
        let link = self.link;
        let refused = |words: &str| LinkError::Refused { user: link.user.clone(), words: words.to_owned() };
        let answer = self.ask("challenge", Action::new("Challenge").with("AuthType", "MD5")?).await?;
        let challenge = answer.text_of("Challenge").ok_or_else(|| refused(&words_of(&answer)))?;
        let login = Action::new("Login")
            .with("AuthType", "MD5")?
            .with("Username", &link.user)?
            .with("Key", &challenge_key(challenge, secret))?
            .with("Events", if link.world.lock().names.has_variables() { EVENT_CLASSES_ALL } else { EVENT_CLASSES })?;
        let answer = self.ask("login", login).await?;
        if answer.kind() == Kind::Response(SUCCESS) { Ok(()) } else { Err(refused(&words_of(&answer))) }
    }

    /// Lets Asterisk send what is made use of, and nothing else. Older ones know only the dearer form of a filter; without
    /// the right to it, everything of the classes comes, and what is not needed is passed over here.
    async fn ask_for_events(&mut self) -> Result<(), LinkError> {
        let names = Arc::clone(&self.link.world.lock().names);
        let variables = names.has_variables().then_some(news::VARIABLE_EVENT);
        let plain = news::EVENTS.iter().map(|name| (format!("action(include),name({name})"), None));
        let of_variables = names.variables().map(|variable| {
            let criteria = format!("action(include),name({}),header(Variable),method(exact)", news::VARIABLE_EVENT);
            (criteria, Some(variable))
        });
        for (criteria, value) in plain.chain(of_variables) {
            let mut filter = Action::new("Filter").with("Operation", "Add")?.with("MatchCriteria", &criteria)?;
            if let Some(value) = value {
                filter = filter.with("Filter", value)?;
            }
            let answer = self.ask("filter", filter).await?;
            if answer.kind() != Kind::Response(SUCCESS) {
                let events: Vec<&str> = news::EVENTS.iter().copied().chain(variables).collect();
                let pattern = format!("Event: ({})", events.join("|"));
                let filter = Action::new("Filter").with("Operation", "Add")?.with("Filter", &pattern)?;
                let answer = self.ask("filter", filter).await?;
                if answer.kind() != Kind::Response(SUCCESS) {
                    warn!(
                        words = words_of(&answer),
                        "asterisk takes no filter of events from this user, so more comes than is needed: write=system is missing"
                    );
                }
                break;
            }
        }
        Ok(())
    }

    async fn await_boot(&mut self) -> Result<(), LinkError> {
        let waited = self.link.connect_deadline;
        let deadline = Instant::now() + waited;
        while !self.is_booted {
            match self.next_frame("boot", deadline).await {
                Ok(frame) => self.note(&frame),
                Err(LinkError::Silent { .. }) => return Err(LinkError::NotBooted { waited }),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends one action and waits for its answer, before there is anything else.
    async fn ask(&mut self, step: &'static str, action: Action) -> Result<Message, LinkError> {
        let deadline = Instant::now() + self.link.connect_deadline;
        self.last_id += 1;
        let id = self.last_id;
        action.encode(id, &mut self.output);
        loop {
            let frame = self.next_frame(step, deadline).await?;
            self.note(&frame);
            if let AmiFrame::Message(message) = frame
                && matches!(message.kind(), Kind::Response(_))
                && message.number_of("ActionID") == Some(id)
            {
                return Ok(message);
            }
        }
    }

    fn note(&mut self, frame: &AmiFrame) {
        if let AmiFrame::Message(message) = frame {
            self.is_booted |= message.kind() == Kind::Event(b"FullyBooted");
        }
    }

    async fn next_frame(&mut self, step: &'static str, deadline: Instant) -> Result<AmiFrame, LinkError> {
        let waited = self.link.connect_deadline;
        loop {
            if let Some(frame) = self.codec.decode(&mut self.input).map_err(|error| LinkError::Io { step, error })? {
                return Ok(frame);
            }
            let moved = tokio::time::timeout_at(deadline, self.move_bytes()).await;
            match moved.map_err(|_| LinkError::Silent { step, waited })? {
                Err(LinkError::Closed { .. }) => return Err(LinkError::Closed { step }),
                Err(LinkError::Io { error, .. }) => return Err(LinkError::Io { step, error }),
                moved => moved?,
            }
        }
    }

    /// Serves the line until the link is lost, and says why it was.
    async fn serve(&mut self, events: &AcdEvents) -> LinkError {
        let line = Arc::clone(&self.link.line);
        let world = Arc::clone(&self.link.world);
        loop {
            let wake_at = self.wake_at(world.lock().next_due());
            let mut moved = Ok(());
            tokio::select! {
                biased;
                done = self.move_bytes() => moved = done,
                () = line.changed.notified() => (),
                () = tokio::time::sleep_until(wake_at) => (),
            }
            let now = Instant::now();
            if let Err(error) = self.take_in(events, now).and(moved) {
                return self.shutdown.take().unwrap_or(error);
            }
            world.lock().pass(now);
            if let Err(error) = self.look_at_deadlines(now) {
                return error;
            }
            while self.in_flight.len() < self.link.in_flight_max {
                let Some(order) = line.take() else { break };
                self.send(order, now);
            }
            if let Err(error) = self.write("write").await {
                return self.shutdown.take().unwrap_or(error);
            }
        }
    }

    /// Reads what is there, up to a bound, and does what it says.
    fn take_in(&mut self, events: &AcdEvents, now: Instant) -> Result<(), LinkError> {
        let world = Arc::clone(&self.link.world);
        let mut world = world.lock();
        world.read_at = Some(now.into_std());
        let taken = self.take_frames(&mut world, events, now);
        world.read_at = None;
        taken
    }

    fn take_frames(&mut self, world: &mut World, events: &AcdEvents, now: Instant) -> Result<(), LinkError> {
        while let Some(frame) =
            self.codec.decode(&mut self.input).map_err(|error| LinkError::Io { step: "read", error })?
        {
            self.heard_at = now;
            match frame {
                AmiFrame::Message(message) => self.take_message(world, &message, events, now)?,
                AmiFrame::TooLong { bytes } => {
                    Counts::add(&self.link.counts.messages_refused);
                    warn!(bytes, "asterisk sent a message that is too long, it was skipped");
                }
                AmiFrame::Banner(_) => (),
            }
        }
        Ok(())
    }

    fn take_message(
        &mut self,
        world: &mut World,
        message: &Message,
        events: &AcdEvents,
        now: Instant,
    ) -> Result<(), LinkError> {
        match message.kind() {
            Kind::Response(word) => self.take_answer(world, word, message, now),
            Kind::Event(_) if self.list.is_some() && message.number_of("ActionID") == self.list => {
                self.take_item(world, message, now)?;
            }
            Kind::Event(b"Shutdown") => {
                let restart = message.text_of("Restart").is_some_and(|text| text.eq_ignore_ascii_case("true"));
                self.shutdown = Some(LinkError::Shutdown { restart });
            }
            // Queues may have come and gone: the truth is asked for anew.
            Kind::Event(b"Reload") => events.report(AcdEvent::LinkUp),
            Kind::Event(b"FullyBooted") => (),
            Kind::Event(name) => {
                if !news::take(world, name, message, now) {
                    Counts::add(&self.link.counts.events_unknown);
                }
            }
            Kind::Other => Counts::add(&self.link.counts.messages_refused),
        }
        Ok(())
    }

    fn take_answer(&mut self, world: &mut World, word: &[u8], message: &Message, now: Instant) {
        let counts = &self.link.counts;
        let Some(at) = message.number_of("ActionID").and_then(|id| in_flight::find(&self.in_flight, id)) else {
            Counts::add(&counts.answers_orphan);
            debug!(words = words_of(message), "asterisk answered what nobody asked");
            return;
        };
        // Answers come in the order of the actions: what was given up before this one is never answered.
        let never = self.in_flight.iter().take(at).filter(|sent| sent.is_given_up()).count();
        counts.answers_missing.fetch_add(never as u64, Ordering::Relaxed);
        let Some(mut sent) = self.in_flight.remove(at) else { return };
        self.in_flight.retain(|earlier| earlier.id > sent.id || !earlier.is_given_up());
        if self.ping == Some(sent.id) {
            self.ping = None;
        }
        if sent.is_given_up() {
            Counts::add(&counts.answers_late);
            info!(action = sent.name, id = sent.id, late = ?now.duration_since(sent.sent_at), "asterisk answered late");
        }
        let value = message.text_of("Value").map(str::to_owned);
        let said = Said { is_done: word == SUCCESS, words: words_of(message), value };
        let begins_list = message.text_of("EventList").is_some_and(|text| text.eq_ignore_ascii_case("start"));
        if said.is_done && begins_list {
            sent.rows = Rows::of(&sent.effect);
            sent.deadline = now + self.link.action_deadline;
            self.list = Some(sent.id);
            let at = self.in_flight.partition_point(|earlier| earlier.id < sent.id);
            self.in_flight.insert(at, sent);
            return;
        }
        if said.is_done {
            world.is_done(&sent.effect, now);
        } else if is_not_there(&said.words) {
            world.is_not_there(&sent.effect, now);
        }
        sent.answer(said);
    }

    fn take_item(&mut self, world: &mut World, message: &Message, now: Instant) -> Result<(), LinkError> {
        let Some(at) = self.list.and_then(|id| in_flight::find(&self.in_flight, id)) else { return Ok(()) };
        if !message.text_of("EventList").is_some_and(|text| text.eq_ignore_ascii_case("Complete")) {
            let sent = &mut self.in_flight[at];
            sent.deadline = now + self.link.action_deadline;
            return if sent.rows.take(&world.names, message) <= LIST_ITEMS_MAX {
                Ok(())
            } else {
                Err(LinkError::EndlessList)
            };
        }
        self.list = None;
        let Some(mut sent) = self.in_flight.remove(at) else { return Ok(()) };
        match (std::mem::take(&mut sent.rows), &sent.effect) {
            (Rows::Members(members), Effect::AllMembers) => world.set_members(None, members, now),
            (Rows::Members(members), Effect::MembersAt(interface, spelled)) => {
                world.set_members(Some((interface, spelled)), members, now);
            }
            (Rows::Channels(items), _) => {
                world.set_channels(&items);
                let channels: Vec<_> = items.iter().filter_map(news::listed_channel).collect();
                news::restore_calls(world, &channels, now);
            }
            _ => (),
        }
        sent.answer(Said { is_done: true, words: String::new(), value: None });
        Ok(())
    }

    fn send(&mut self, order: Order, now: Instant) {
        self.last_id += 1;
        order.action.encode(self.last_id, &mut self.output);
        self.in_flight.push_back(InFlight::new(self.last_id, order, now, self.link.action_deadline));
    }

    /// Asks for a sign of life where nothing was heard for long, or where an action is without an answer.
    fn look_at_deadlines(&mut self, now: Instant) -> Result<(), LinkError> {
        let mut has_given_up = false;
        for sent in self.in_flight.iter_mut().filter(|sent| sent.deadline <= now && !sent.is_given_up()) {
            let waited = now.duration_since(sent.sent_at);
            if self.heard_at <= sent.sent_at {
                return Err(LinkError::Silent { step: sent.name, waited });
            }
            warn!(action = sent.name, id = sent.id, ?waited, "asterisk did not answer an action in time");
            sent.give_up(waited);
            has_given_up = true;
        }
        let is_quiet = now.duration_since(self.heard_at) >= self.link.ping_every;
        if self.ping.is_none() && (is_quiet || has_given_up) {
            let order = Order { action: Action::new(PING), effect: Effect::Nothing, reply: None };
            self.send(order, now);
            self.ping = Some(self.last_id);
        }
        Ok(())
    }

    fn wake_at(&self, due: Option<Instant>) -> Instant {
        let deadlines = self.in_flight.iter().find(|sent| !sent.is_given_up()).map(|sent| sent.deadline);
        let ping = self.ping.is_none().then(|| self.heard_at + self.link.ping_every);
        let far = Instant::now() + self.link.ping_every;
        [deadlines, ping, due].into_iter().flatten().min().unwrap_or(far)
    }

    /// Waits until something could be read, or some of what waits written, and does that.
    async fn move_bytes(&mut self) -> Result<(), LinkError> {
        self.input.reserve(READ_BYTES);
        std::future::poll_fn(|cx| {
            // A read that fills less than the buffer leaves nothing behind, and costs no second one to see that.
            if let Poll::Ready(read) = poll_read_buf(Pin::new(&mut self.socket), cx, &mut self.input) {
                return Poll::Ready(match read {
                    Ok(0) => Err(LinkError::Closed { step: "read" }),
                    Ok(_) => Ok(()),
                    Err(error) => Err(LinkError::Io { step: "read", error }),
                });
            }
            if self.output.is_empty() && !self.is_unflushed {
                return Poll::Pending;
            }
            self.poll_write(cx, "write")
        })
        .await
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, step: &'static str) -> Poll<Result<(), LinkError>> {
        let failed = |error| LinkError::Io { step, error };
        while !self.output.is_empty() {
            let bytes = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.output)).map_err(failed)?;
            self.output.advance(bytes);
            self.is_unflushed = true;
        }
        if self.is_unflushed {
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(failed)?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what waits, as far as the socket takes it now.
    async fn write(&mut self, step: &'static str) -> Result<(), LinkError> {
        std::future::poll_fn(|cx| match self.poll_write(cx, step) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(())),
        })
        .await
    }
}

fn words_of(message: &Message) -> String {
    let words = message.bytes_of("Message").unwrap_or_default();
    String::from_utf8_lossy(words).trim().chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect()
}

/// Whether Asterisk's words say that there is no such member, or no such queue any more.
pub(super) fn is_not_there(words: &str) -> bool {
    ["Not there", "No such queue", "Interface not found"].iter().any(|known| words.contains(known))
}

const BANNER: &[u8] = b"Asterisk Call Manager";
const SUCCESS: &[u8] = b"Success";
const PING: &str = "Ping";
/// `agent` has the queues, `call` hold and hang-up, `system` the boot and its end. `dialplan` would be most of the bytes.
const EVENT_CLASSES: &str = "system,call,agent";
/// `dialplan` has the changes of variables.
const EVENT_CLASSES_ALL: &str = "system,call,agent,dialplan";
const READ_BYTES: usize = 64 * 1024;
const LIST_ITEMS_MAX: usize = 1_000_000;
const WORDS_MAX: usize = 200;
const SAY_AGAIN: Duration = Duration::from_secs(60);
