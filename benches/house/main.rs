//! The house without its sockets: what the table, the fan-out, the operations and a whole request take, each beside the least
//! that the machine needs for it; and how long an ACD with 10,000 agents takes to come back.
//!
//! ```text
//! cargo bench --bench house
//! ```

mod world;

use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use cti_protocol::ged188::MessageType;
use ctigate::acd::Acd;
use ctigate::model::{AgentKey, Event, Login, QueueChoice, ReasonCode, StateChange, WantedState};
use ctigate::operations::{Demands, Requester, Right};

use world::{Desk, PERIPHERAL, World, agent_key, instrument};

/// How an agent stands, beside one look into a map of the same keys.
fn look_up(c: &mut Criterion) {
    let mut group = c.benchmark_group("look an agent up");
    for agents in [100, 19_000] {
        let world = World::new(agents);
        let keys: Vec<AgentKey> = (0..agents).map(agent_key).collect();
        let bare: HashMap<AgentKey, u64, ahash::RandomState> = keys.iter().cloned().zip(0..).collect();
        let by = Requester { session: world.house.table.new_session(), client: "bench".into(), right: Right::Every };
        let mut turn = keys.iter().cycle();
        group.bench_function(format!("house, {agents} agents"), |b| {
            b.iter(|| world.house.agent(&by, black_box(turn.next().expect("a cycle")), |facts| facts.order))
        });
        let mut turn = keys.iter().cycle();
        group.bench_function(format!("bare map, {agents} agents"), |b| {
            b.iter(|| bare.get(black_box(turn.next().expect("a cycle"))).copied())
        });
    }
    group.finish();
}

/// One event to many subscriptions, each with an id of its own, beside as many copies of its bytes.
fn fan_out(c: &mut Criterion) {
    let mut group = c.benchmark_group("fan an event out");
    for subscribers in [100, 1_000] {
        let world = World::new(1);
        let desks: Vec<Desk> = (0..subscribers).map(|_| world.monitor(0)).collect();
        let event = Event::Agent(world.agent_event(0));
        world.house.table.publish(&event);
        let frames: Vec<BytesMut> = desks.iter().map(Desk::take).collect();
        assert!(frames.iter().all(|frames| world::agent_events(frames) == 1), "each hears of it, once");
        let frame = &frames[0];
        group.throughput(Throughput::Elements(subscribers));
        let drained = || desks.iter().for_each(|desk| drop(desk.take()));
        group.bench_function(format!("house, {subscribers} subscribers"), |b| {
            b.iter_batched(drained, |()| world.house.table.publish(black_box(&event)), BatchSize::PerIteration)
        });
        let drained = || (0..subscribers).map(|_| BytesMut::new()).collect::<Vec<_>>();
        group.bench_function(format!("bare copies, {subscribers} subscribers"), |b| {
            b.iter_batched_ref(
                drained,
                |copies| copies.iter_mut().for_each(|copy| copy.put_slice(black_box(frame))),
                BatchSize::PerIteration,
            )
        });
    }
    group.finish();
}

/// What a login, two changes of state and a logout take, beside the ACD's own part in them.
fn operations(c: &mut Criterion) {
    let mut group = c.benchmark_group("log in, ready, not ready, log out");
    let world = World::new(1);
    let (key, by) = (
        agent_key(0),
        Requester { session: world.house.table.new_session(), client: "bench".into(), right: Right::Every },
    );
    let login = || Login {
        agent: key.agent.clone(),
        password: Default::default(),
        instrument: instrument(0),
        queues: QueueChoice::AsAcdSays,
        forced: false,
    };
    world.runtime.block_on(world.log_out(&by, &key));
    let change = |wanted| StateChange { agent: key.agent.clone(), wanted, reason: ReasonCode(0) };
    group.bench_function("house", |b| {
        b.to_async(&world.runtime).iter(|| async {
            world.log_in(&by, &key, login()).await;
            for wanted in [WantedState::Ready, WantedState::NotReady] {
                let (house, answer) = (world.house.clone(), Box::new(|done: Result<(), _>| done.expect("it is done")));
                house.set_state(by.clone(), key.clone(), change(wanted), Demands::default(), answer).await;
            }
            world.log_out(&by, &key).await;
            tokio::task::yield_now().await; // what the ACD has reported is taken in
        })
    });
    group.bench_function("the ACD's part", |b| {
        b.to_async(&world.runtime).iter(|| async {
            let (acd, login) = (&world.acd, login());
            acd.open_adapter(&login.agent, &login.instrument).await.expect("opened");
            acd.log_in(&login).await.expect("logged in");
            acd.set_state(&change(WantedState::Ready)).await.expect("ready");
            acd.set_state(&change(WantedState::NotReady)).await.expect("not ready");
            acd.log_out(&login.agent, &QueueChoice::AsAcdSays, ReasonCode(0), false).await.expect("logged out");
            acd.close_adapter(&login.agent).await.expect("closed");
            tokio::task::yield_now().await;
        })
    });
    group.finish();
}

/// A request's bytes to its confirm's, beside a copy of the two and a look into a map.
fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("bytes of a query to bytes of its confirm");
    for agents in [100, 19_000] {
        let world = World::new(agents);
        let mut desk = world.commander();
        let queries: Vec<BytesMut> = (0..agents).map(world::query).collect();
        let mut turn = queries.iter().cycle();
        let confirm = desk.ask(turn.next().expect("a cycle"));
        assert_eq!(world::message_type(&confirm), Some(MessageType::QUERY_AGENT_STATE_CONF));
        group.bench_function(format!("house, {agents} agents"), |b| {
            b.iter(|| desk.ask(black_box(turn.next().expect("a cycle"))).len())
        });
        let bare: HashMap<&[u8], u64, ahash::RandomState> = queries.iter().map(|query| &query[..]).zip(0..).collect();
        let (mut turn, mut read, mut out) = (queries.iter().cycle(), BytesMut::new(), BytesMut::new());
        group.bench_function(format!("bare copies and map, {agents} agents"), |b| {
            b.iter(|| {
                read.clear();
                out.clear();
                read.put_slice(black_box(turn.next().expect("a cycle")));
                out.put_slice(black_box(&confirm));
                bare.get(&read[..]).copied()
            })
        });
    }
    group.finish();
}

/// The ACD comes back and every one of its 10,000 agents stands otherwise than before: until the table has all of it, and
/// each agent's own desktop was told.
fn reconnect(c: &mut Criterion) {
    let mut group = c.benchmark_group("the ACD comes back");
    let world = World::new(RECONNECTED);
    let desks: Vec<Desk> = (0..RECONNECTED).map(|agent| world.desktop(agent)).collect();
    let mut wanted = [WantedState::Ready, WantedState::NotReady].into_iter().cycle();
    group.sample_size(10).bench_function(format!("{RECONNECTED} agents, all changed"), |b| {
        b.iter_custom(|times| {
            (0..times).map(|_| world.comes_back(&desks, wanted.next().expect("a cycle"))).sum::<Duration>()
        })
    });
    group.finish();
    let _on = world.runtime.enter(); // an agent that loses its desktop has its grace
    drop(desks);
}

const RECONNECTED: u32 = 10_000;

impl World {
    fn comes_back(&self, desks: &[Desk], wanted: WantedState) -> Duration {
        self.runtime.block_on(async {
            let told = |desk: &Desk| world::agent_events(&desk.take());
            self.acd.go_away();
            while self.house.table.is_online(PERIPHERAL) {
                tokio::task::yield_now().await;
            }
            (0..RECONNECTED).for_each(|agent| {
                self.acd.console_set_state(&agent_key(agent).agent, wanted, ReasonCode(0));
            });
            assert_eq!(desks.iter().map(told).sum::<usize>(), 0, "nobody hears of what the ACD does alone");
            let begun = Instant::now();
            self.acd.come_back();
            self.house.all_online().await;
            let took = begun.elapsed();
            assert_eq!(
                desks.iter().map(told).filter(|events| *events == 1).count(),
                desks.len(),
                "each was told, once"
            );
            took
        })
    }
}

criterion_group!(benches, look_up, fan_out, operations, requests, reconnect);
criterion_main!(benches);
