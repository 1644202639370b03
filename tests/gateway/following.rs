//! Clients that take what they are sent at any pace, against what each was to be told: nothing is lost, doubled or out of its
//! order, and what many have still to take is kept once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use ctigate::dialects::{Outbox, Socket};
use ctigate::model::{
    AgentEvent, AgentFacts, AgentId, AgentKey, AgentState, Event, Filter, LinkEvent, PeripheralId, Queues, ReasonCode,
    SessionId,
};
use ctigate::sessions::{Following, Form, Rendered, Subscriber, Subscription, Subscriptions, Target, Total};
use futures_util::FutureExt;
use parking_lot::Mutex;
use proptest::prelude::*;

/// A session of a dialect of lines, whose client takes so many bytes now and then.
#[derive(Debug)]
struct Client {
    outbox: Arc<Outbox>,
    form: u32,
    delivered: AtomicUsize,
    looked: AtomicUsize,
    given: Mutex<BytesMut>,
    took: Arc<Mutex<Vec<u8>>>,
}

/// A socket with room for so many bytes more.
#[derive(Debug)]
struct Room {
    bytes: AtomicUsize,
    took: Arc<Mutex<Vec<u8>>>,
}

impl Socket for Room {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut took = self.took.lock();
        let written = self.bytes.load(Ordering::Relaxed).min(bytes.len());
        self.bytes.fetch_sub(written, Ordering::Relaxed);
        took.extend_from_slice(&bytes[..written]);
        if written > 0 { Ok(written) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn has_written(&self, _: std::time::Instant) {}
}

impl Subscriber for Client {
    fn session(&self) -> SessionId {
        SessionId(1)
    }

    fn client_id(&self) -> &str {
        "a client"
    }

    fn dialect(&self) -> &'static str {
        "lines"
    }

    fn form(&self) -> Form {
        Form(self.form)
    }

    fn render(&self, event: &Event) -> Option<Rendered> {
        Some(Rendered { bytes: Bytes::from(line(self.form, event)), own_id_at: None })
    }

    fn deliver(&self, subscription: &Subscription, event: &Event, rendered: &Rendered) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
        self.outbox.add_unless_ended(subscription.ended_mark(), event.read_at(), |out| {
            out.extend_from_slice(&rendered.bytes);
        });
    }

    fn follow(&self, following: Following) -> bool {
        self.outbox.follow(following)
    }

    fn look(&self) -> bool {
        self.looked.fetch_add(1, Ordering::Relaxed);
        self.outbox.look()
    }

    fn has_read(&self) -> bool {
        self.outbox.has_read()
    }

    fn is_asleep(&self) -> bool {
        self.outbox.is_asleep()
    }

    fn end(&self, subscription: &Subscription) {
        self.outbox.end(subscription);
    }

    fn announce(&self, _: LinkEvent) {}

    fn wake(&self) {}

    fn replace(&self, _: SessionId) {}

    fn lose(&self, _: &AgentKey, _: SessionId) {}
}

impl Client {
    fn new(form: u32, bytes_max: usize, total: &Arc<Total>) -> Arc<Client> {
        let (outbox, delivered) = (Outbox::sharing(bytes_max, Arc::clone(total)), AtomicUsize::new(0));
        Arc::new(Client {
            outbox,
            form,
            delivered,
            looked: AtomicUsize::new(0),
            given: Mutex::default(),
            took: Arc::default(),
        })
    }

    /// From now on whoever tells writes at once what there is room for.
    fn has_room_for(&self, bytes: usize) -> Arc<Room> {
        let room = Arc::new(Room { bytes: AtomicUsize::new(bytes), took: Arc::clone(&self.took) });
        self.outbox.write_to(Arc::clone(&room) as _);
        room
    }

    fn follows_all(self: &Arc<Self>, subscriptions: &Subscriptions) -> Arc<Subscription> {
        self.follows(subscriptions, &[AgentState::NotReady])
    }

    fn follows(self: &Arc<Self>, subscriptions: &Subscriptions, states: &[AgentState]) -> Arc<Subscription> {
        let agent_states = states.iter().copied().collect();
        let filter = Filter { agent_states, ..Filter::default() };
        let subscription = Subscription::new(0, Target::All, filter, Arc::clone(self) as Arc<dyn Subscriber>);
        subscriptions.add(Arc::clone(&subscription));
        subscription
    }

    /// As a connection does: what was given is taken first, then what waits. Says whether there was anything.
    fn takes(&self, bytes_max: usize) -> bool {
        let mut given = self.given.lock();
        if given.is_empty() {
            self.outbox.take_next(&mut given).expect("one that keeps up");
        }
        let taken = given.len().min(bytes_max);
        self.took.lock().extend_from_slice(&given.split_to(taken));
        self.outbox.still_writing(given.len());
        taken > 0
    }

    fn takes_all(&self) -> String {
        while self.takes(usize::MAX) {}
        String::from_utf8(self.took.lock().clone()).expect("text")
    }

    /// It has not taken all that it was given, and much waits behind that.
    fn falls_behind(&self, subscriptions: &Subscriptions, numbers: &mut std::ops::RangeFrom<usize>) {
        tell(subscriptions, AgentState::NotReady, numbers.next().expect("a number"));
        self.takes(1);
        let told = self.outbox.waiting();
        while self.outbox.waiting() < told + 6_000 {
            tell(subscriptions, AgentState::NotReady, numbers.next().expect("a number"));
        }
    }
}

fn event(state: AgentState, number: usize) -> Event {
    let agent = AgentId::new(&number.to_string()).expect("an agent");
    let facts = AgentFacts { state, ..AgentFacts::logged_out(agent, ReasonCode(0), 1) };
    let (peripheral, left) = (PeripheralId(1), Queues::new());
    Event::Agent(AgentEvent { peripheral, state, idle: state, facts, left, owner: None, by: None, read_at: None })
}

/// A line that is longer in the next form.
fn line(form: u32, event: &Event) -> String {
    let Event::Agent(event) = event else { unreachable!("only such are told here") };
    format!("{} {}\n", event.facts.agent, "x".repeat(40 + form as usize))
}

fn tell(subscriptions: &Subscriptions, state: AgentState, number: usize) {
    subscriptions.publish(&event(state, number));
}

fn house() -> (Subscriptions, Arc<Total>) {
    let total = Arc::<Total>::default();
    (Subscriptions::new(Arc::default(), Arc::clone(&total)), total)
}

#[test]
fn an_event_is_kept_once_for_all_who_follow_everything() {
    let (subscriptions, total) = house();
    let clients: Vec<_> = (0..200).map(|_| Client::new(0, 1 << 20, &total)).collect();
    let following: Vec<_> = clients.iter().map(|client| client.follows_all(&subscriptions)).collect();
    let reader = Client::new(0, 1 << 20, &total);
    let _reads = reader.follows_all(&subscriptions);
    for number in 0..10_000 {
        tell(&subscriptions, AgentState::NotReady, number);
        reader.takes(usize::MAX);
        if number == 0 {
            clients.iter().for_each(|client| assert!(client.takes(1)));
        }
    }
    let waiting = clients[0].outbox.waiting();
    assert!((440_000..460_000).contains(&waiting), "{waiting}");
    let kept = total.bytes();
    assert!(
        kept < waiting + clients.len() * 5_000,
        "{kept} bytes for {} clients that wait for {waiting}",
        clients.len()
    );
    for client in clients.iter().chain([&reader]) {
        let delivered = client.delivered.load(Ordering::Relaxed);
        assert_eq!(delivered, 0, "it is in the log");
    }
    let expected: String = (0..10_000).map(|number| line(0, &event(AgentState::NotReady, number))).collect();
    for client in &clients {
        assert!(client.takes_all() == expected);
    }
    assert!(reader.takes_all() == expected);
    assert_eq!(total.bytes(), 0, "what all have taken is not kept");
    tell(&subscriptions, AgentState::NotReady, 10_000);
    assert_eq!(clients[7].takes_all().len(), expected.len() + line(0, &event(AgentState::NotReady, 10_000)).len());
    following.iter().for_each(|subscription| subscriptions.remove(subscription));
    assert_eq!(subscriptions.count(), 1);
}

#[test]
fn who_is_too_far_behind_is_over_although_nothing_is_added_for_it() {
    let (subscriptions, total) = house();
    let (small, large) = (Client::new(0, 100_000, &total), Client::new(0, 1 << 20, &total));
    let _following = [small.follows_all(&subscriptions), large.follows_all(&subscriptions)];
    let mut numbers = 0..;
    small.falls_behind(&subscriptions, &mut numbers);
    large.takes(1);
    large.falls_behind(&subscriptions, &mut numbers);
    while !small.outbox.is_over() {
        assert!(small.outbox.waiting() <= 100_000, "{}", small.outbox.waiting());
        tell(&subscriptions, AgentState::NotReady, numbers.next().expect("a number"));
    }
    let slow = small.outbox.take_next(&mut BytesMut::new()).expect_err("it is to be closed");
    assert!((100_001..100_100).contains(&slow.queued) && slow.bytes_max == 100_000, "{slow}");
    assert!(!large.outbox.is_over());
    assert_eq!(large.takes_all().lines().count(), numbers.start, "it got every one");
}

#[test]
fn where_too_much_waits_together_whoever_owes_more_than_its_share_is_over() {
    let (subscriptions, total) = house();
    let client = Client::new(0, 1 << 20, &total);
    let _following = client.follows_all(&subscriptions);
    let mut numbers = 0..;
    client.falls_behind(&subscriptions, &mut numbers);
    total.allow(50_000, 10);
    while total.bytes() < 49_900 {
        tell(&subscriptions, AgentState::NotReady, numbers.next().expect("a number"));
    }
    assert!(!client.outbox.is_over());
    (0..5).for_each(|_| tell(&subscriptions, AgentState::NotReady, numbers.next().expect("a number")));
    assert!(client.outbox.is_over());
}

#[test]
fn what_was_said_in_between_is_in_its_place_and_nothing_comes_after_the_end() {
    let (subscriptions, total) = house();
    let client = Client::new(0, 1 << 20, &total);
    let subscription = client.follows_all(&subscriptions);
    let mut numbers = 0..;
    client.falls_behind(&subscriptions, &mut numbers);
    let delivered = client.delivered.load(Ordering::Relaxed);
    let lines = |numbers: std::ops::Range<usize>| {
        numbers.map(|number| line(0, &event(AgentState::NotReady, number))).collect::<String>()
    };
    let from = numbers.start;
    tell(&subscriptions, AgentState::NotReady, from);
    client.outbox.add(|out| out.extend_from_slice(b"an answer\n"));
    tell(&subscriptions, AgentState::NotReady, from + 1);
    tell(&subscriptions, AgentState::Ready, from + 2); // is not wanted
    tell(&subscriptions, AgentState::NotReady, from + 3);
    subscriptions.remove(&subscription);
    tell(&subscriptions, AgentState::NotReady, from + 4);
    client.outbox.add_last(|out| out.extend_from_slice(b"the last word\n"));
    assert_eq!(client.delivered.load(Ordering::Relaxed), delivered, "all of it came from the log");
    let expected = [
        lines(0..from + 1),
        "an answer\n".to_owned(),
        lines(from + 1..from + 2),
        lines(from + 3..from + 4),
        "the last word\n".to_owned(),
    ];
    assert!(client.takes_all() == expected.concat());
    assert_eq!((subscriptions.count(), total.bytes()), (0, 0));
}

#[test]
fn who_tells_writes_what_there_is_room_for_and_the_connection_the_rest() {
    let (subscriptions, total) = house();
    let client = Client::new(0, 1 << 20, &total);
    let _following = client.follows_all(&subscriptions);
    let room = client.has_room_for(100);
    let took = || client.took.lock().len();
    let is_woken = || client.outbox.woken().now_or_never().is_some();
    let one = line(0, &event(AgentState::NotReady, 0));
    tell(&subscriptions, AgentState::NotReady, 0);
    assert!(took() == one.len() && !is_woken(), "it is written, and the connection sleeps on");
    tell(&subscriptions, AgentState::NotReady, 1);
    tell(&subscriptions, AgentState::NotReady, 2);
    assert!(took() == 100 && is_woken(), "the connection has to write the rest");
    room.bytes.store(1_000_000, Ordering::Relaxed);
    tell(&subscriptions, AgentState::NotReady, 3);
    assert_eq!(took(), 100, "the rest of the second comes first");
    let expected = |numbers: std::ops::Range<usize>| {
        numbers.map(|number| line(0, &event(AgentState::NotReady, number))).collect::<String>()
    };
    assert_eq!(client.takes_all(), expected(0..4));

    client.outbox.add(|out| out.extend_from_slice(b"an answer\n"));
    tell(&subscriptions, AgentState::NotReady, 4);
    assert_eq!(took(), expected(0..4).len(), "the answer comes first");
    assert_eq!(client.takes_all(), expected(0..4) + "an answer\n" + &expected(4..5));

    assert!(is_woken());
    client.outbox.let_go();
    assert_eq!((Arc::strong_count(&room), total.bytes()), (1, 0), "an ended connection keeps no socket open");
}

#[test]
fn what_a_socket_did_not_take_was_not_read() {
    let (subscriptions, total) = house();
    let client = Client::new(100_000, 1 << 30, &total);
    let _following = client.follows_all(&subscriptions);
    client.has_room_for(450_000);
    (0..7).for_each(|number| tell(&subscriptions, AgentState::NotReady, number));
    assert!(client.took.lock().len() == 450_000 && !client.outbox.has_read());
    client.takes_all();
    assert!(client.outbox.has_read());
}

#[test]
fn an_ended_connection_keeps_nothing_of_a_log_whoever_still_holds_its_session() {
    let (subscriptions, total) = house();
    let [gone, other] = [(); 2].map(|()| Client::new(0, 1 << 20, &total));
    let following = [gone.follows_all(&subscriptions), other.follows_all(&subscriptions)];
    let mut numbers = 0..;
    gone.falls_behind(&subscriptions, &mut numbers);
    gone.outbox.add(|out| out.extend_from_slice(b"an answer\n"));
    gone.outbox.add_last(|_| ());
    subscriptions.remove(&following[0]);
    gone.outbox.let_go();
    other.takes_all();
    (0..100).for_each(|_| tell(&subscriptions, AgentState::NotReady, numbers.next().expect("a number")));
    other.takes_all();
    assert_eq!((total.bytes(), gone.outbox.waiting()), (0, 0));
}

#[test]
fn each_hears_what_its_own_mask_lets_through_however_many_masks_there_are() {
    let (subscriptions, total) = house();
    let states =
        [AgentState::NotReady, AgentState::Ready, AgentState::Talking, AgentState::LoggedOut, AgentState::Reserved];
    let wanted =
        |mask: usize| states.into_iter().enumerate().filter(move |(at, _)| mask & 1 << at != 0).map(|(_, it)| it);
    let clients: Vec<_> = (0..1 << states.len()).map(|_| Client::new(0, 1 << 20, &total)).collect();
    let subscribe = |mask: usize| clients[mask].follows(&subscriptions, &wanted(mask).collect::<Vec<_>>());
    let following: Vec<_> = (0..clients.len()).map(subscribe).collect();
    (0..100).for_each(|number| tell(&subscriptions, states[number % states.len()], number));
    for (mask, client) in clients.iter().enumerate() {
        let told = (0..100).map(|number| (number, states[number % states.len()]));
        let told = told.filter(|(_, state)| wanted(mask).any(|wanted| wanted == *state));
        let expected: String = told.map(|(number, state)| line(0, &event(state, number))).collect();
        assert_eq!(client.takes_all(), expected);
    }
    following.iter().for_each(|subscription| subscriptions.remove(subscription));
    assert_eq!((subscriptions.count(), total.bytes()), (0, 0));
}

#[test]
fn a_backlog_that_was_taken_leaves_the_bound_as_it_was() {
    let (subscriptions, total) = house();
    let client = Client::new(0, 10_000, &total);
    let _following = client.follows_all(&subscriptions);
    client.outbox.add_backlog(|out| out.extend_from_slice(&[b'x'; 40_000]));
    let mut numbers = 0..;
    client.takes(39_999); // some of it still waits
    while client.outbox.waiting() < 10_100 {
        tell(&subscriptions, AgentState::NotReady, numbers.next().expect("a number"));
    }
    assert!(!client.outbox.is_over(), "it may owe more while there is backlog");
    client.takes_all();
    while !client.outbox.is_over() {
        assert!(client.outbox.waiting() <= 10_000, "{}", client.outbox.waiting());
        tell(&subscriptions, AgentState::NotReady, numbers.next().expect("a number"));
    }
}

#[derive(Clone, Debug)]
enum Step {
    Tell(u16),
    Take(usize, usize),
    Say(usize),
    Room(usize, usize),
    Follow(usize),
    Leave(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let client = || 0..CLIENTS;
    let step = prop_oneof![
        6 => (1..200_u16).prop_map(Step::Tell),
        4 => (client(), prop_oneof![1..200_usize, Just(usize::MAX)]).prop_map(|(client, bytes)| Step::Take(client, bytes)),
        2 => client().prop_map(Step::Say),
        2 => (client(), 0..5_000_usize).prop_map(|(client, bytes)| Step::Room(client, bytes)),
        1 => client().prop_map(Step::Follow),
        1 => client().prop_map(Step::Leave),
    ];
    proptest::collection::vec(step, 1..60)
}

const CLIENTS: usize = 4;

proptest! {
    #[test]
    fn each_takes_what_it_was_to_be_told_in_its_order_whoever_is_behind(steps in steps()) {
        let (subscriptions, total) = house();
        let clients: Vec<_> = (0..CLIENTS).map(|at| Client::new(at as u32 / 2, 1 << 24, &total)).collect();
        let mut following: Vec<_> = clients.iter().map(|client| Some(client.follows_all(&subscriptions))).collect();
        let mut expected = vec![String::new(); CLIENTS];
        let mut numbers = 0..;
        for step in steps {
            match step {
                Step::Tell(many) => for number in numbers.by_ref().take(many.into()) {
                    tell(&subscriptions, AgentState::NotReady, number);
                    for (at, expected) in expected.iter_mut().enumerate().filter(|(at, _)| following[*at].is_some()) {
                        *expected += &line(clients[at].form, &event(AgentState::NotReady, number));
                    }
                },
                Step::Take(client, bytes) => {
                    clients[client].takes(bytes);
                }
                Step::Say(client) => {
                    clients[client].outbox.add(|out| out.extend_from_slice(b"an answer\n"));
                    expected[client] += "an answer\n";
                }
                Step::Room(client, bytes) => drop(clients[client].has_room_for(bytes)),
                Step::Follow(client) => drop(following[client].get_or_insert_with(|| clients[client].follows_all(&subscriptions))),
                Step::Leave(client) => if let Some(subscription) = following[client].take() {
                    subscriptions.remove(&subscription);
                },
            }
            let waiting: usize = clients.iter().map(|client| client.outbox.waiting()).sum();
            prop_assert!(total.bytes() <= waiting, "{} of {waiting}", total.bytes());
            for client in &clients {
                prop_assert!(!client.outbox.is_over());
            }
        }
        for (client, expected) in clients.iter().zip(&expected) {
            prop_assert!(client.takes_all() == *expected);
        }
        prop_assert_eq!(total.bytes(), 0);
        prop_assert_eq!(subscriptions.count(), following.iter().flatten().count());
    }
}

#[test]
fn nothing_is_lost_or_doubled_while_others_tell_and_take_at_the_same_time() {
    const TOLD: usize = 20_000;
    const TELLERS: usize = 2;
    let (subscriptions, total) = house();
    let clients: Vec<_> = (0..CLIENTS).map(|at| Client::new(at as u32 % 2, 1 << 30, &total)).collect();
    let _following: Vec<_> = clients.iter().map(|client| client.follows_all(&subscriptions)).collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let subscriptions = &subscriptions;
        let tellers: Vec<_> = (0..TELLERS)
            .map(|teller| {
                scope.spawn(move || {
                    (0..TOLD).for_each(|at| tell(subscriptions, AgentState::NotReady, at * TELLERS + teller));
                })
            })
            .collect();
        for (at, client) in clients.iter().enumerate() {
            let is_over = &is_over;
            let room = client.has_room_for(10_000 * at);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    client.takes(50 << (2 * at)); // some keep up, some do not
                    room.bytes.fetch_add(70 * at, Ordering::Relaxed);
                    std::thread::yield_now();
                }
            });
        }
        tellers.into_iter().for_each(|teller| teller.join().expect("told"));
        is_over.store(true, Ordering::Relaxed);
    });
    for client in &clients {
        let took = client.takes_all();
        let numbers = took.lines().map(|line| line.split(' ').next().and_then(|number| number.parse().ok()));
        let mut of_teller = [const { Vec::new() }; TELLERS];
        for number in numbers {
            let number: usize = number.expect("a whole line");
            of_teller[number % TELLERS].push(number / TELLERS);
        }
        assert!(of_teller.iter().all(|numbers| numbers.iter().copied().eq(0..TOLD)));
    }
    assert_eq!(total.bytes(), 0);
}

#[test]
fn a_runtime_that_ends_while_a_thousand_are_told_silences_nobody() {
    let (subscriptions, total) = house();
    let clients: Vec<_> = (0..100).map(|_| Client::new(0, 1 << 20, &total)).collect();
    let _following: Vec<_> = clients.iter().map(|client| client.follows_all(&subscriptions)).collect();
    let woken = || clients.iter().filter(|client| client.outbox.woken().now_or_never().is_some()).count();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async { tell(&subscriptions, AgentState::NotReady, 0) });
    drop(runtime);
    assert!(woken() < clients.len(), "it was cut short");
    tell(&subscriptions, AgentState::NotReady, 1);
    assert_eq!(woken(), clients.len());
}

/// Clients that do something only when they are woken, as connections do: one that fell asleep behind what it was given and is
/// not woken again would wait for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_slept_while_its_client_took_nothing_is_woken_again() {
    const TOLD: usize = 3_000;
    let (subscriptions, total) = house();
    let clients: Vec<_> = (0..50).map(|_| Client::new(0, 1 << 30, &total)).collect();
    let _following: Vec<_> = clients.iter().map(|client| client.follows_all(&subscriptions)).collect();
    let expected: usize = (0..TOLD).map(|number| line(0, &event(AgentState::NotReady, number)).len()).sum();
    let mut taking = tokio::task::JoinSet::new();
    for (at, client) in clients.iter().enumerate() {
        let client = Arc::clone(client);
        taking.spawn(async move {
            while client.took.lock().len() < expected {
                client.outbox.woken().await;
                while client.takes(100 << (at % 8)) && !client.given.lock().is_empty() {
                    tokio::task::yield_now().await; // until its client takes more
                }
            }
        });
    }
    for number in 0..TOLD {
        tell(&subscriptions, AgentState::NotReady, number);
        if number % 10 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let all = tokio::time::timeout(std::time::Duration::from_secs(60), taking.join_all());
    assert!(all.await.is_ok(), "{:?}", clients.iter().map(|client| client.outbox.waiting()).collect::<Vec<_>>());
    assert_eq!(total.bytes(), 0);
}

/// Of a thousand that never read there is to be little to do; and whoever reads is told at once.
#[tokio::test(start_paused = true)]
async fn many_who_have_not_shown_yet_that_they_read_are_told_in_steps_and_then_at_once() {
    let (subscriptions, total) = house();
    let clients: Vec<_> = (0..40).map(|_| Client::new(100_000, 1 << 30, &total)).collect();
    let few: Vec<_> = (0..16).map(|_| Client::new(100_000, 1 << 30, &total)).collect();
    let _following: Vec<_> = clients.iter().map(|client| client.follows_all(&subscriptions)).collect();
    let looks = |client: &Client| client.looked.swap(0, Ordering::Relaxed);
    let tell_ten = async |subscriptions: &Subscriptions| {
        for number in 0..10 {
            tell(subscriptions, AgentState::NotReady, number);
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
    };
    tell_ten(&subscriptions).await;
    let expected = 10 * line(100_000, &event(AgentState::NotReady, 0)).len();
    let (deaf, readers) = clients.split_first().expect("forty");
    for client in &clients {
        assert_eq!(looks(client), 3, "at once, and for what came in each 20 ms");
    }
    for client in readers {
        assert_eq!(client.takes_all().len(), expected, "nothing is missed");
        assert!(client.outbox.has_read());
    }
    deaf.takes(1 << 10);
    assert!(!deaf.outbox.has_read(), "so much may be on its way to one that reads nothing");
    tell_ten(&subscriptions).await;
    readers.iter().for_each(|client| assert!(looks(client) >= 1));
    tell_ten(&subscriptions).await;
    for client in readers {
        assert_eq!(looks(client), 10, "each at once");
    }
    assert!(looks(deaf) <= 3, "it sleeps");

    // A handful is no burden.
    let (subscriptions, _following) = {
        let (subscriptions, _) = house();
        let following: Vec<_> = few.iter().map(|client| client.follows_all(&subscriptions)).collect();
        (subscriptions, following)
    };
    tell_ten(&subscriptions).await;
    few.iter().for_each(|client| assert_eq!(looks(client), 10));
}
