//! How one event gets to many subscribers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use cti_protocol::ged188::codes::AgentState as Code;
use ctigate::model::{
    AgentEvent, AgentFacts, AgentId, AgentKey, AgentState, AgentStates, CallSteps, Event, Filter, Instrument,
    LinkEvent, PeripheralId, Queues, ReasonCode, SessionId,
};
use ctigate::sessions::{Form, Rendered, Subscriber, Subscription, Subscriptions, Target};

use crate::support::desk::Desk;
use crate::support::house::house;

#[derive(Debug, Default)]
struct Counting {
    form: u32,
    rendered: Arc<AtomicUsize>,
    delivered: AtomicUsize,
}

impl Subscriber for Counting {
    fn session(&self) -> SessionId {
        SessionId(1)
    }

    fn client_id(&self) -> &str {
        "counting"
    }

    fn dialect(&self) -> &'static str {
        "counting"
    }

    fn form(&self) -> Form {
        Form(self.form)
    }

    fn render(&self, _: &Event) -> Option<Rendered> {
        self.rendered.fetch_add(1, Ordering::Relaxed);
        Some(Rendered { bytes: Bytes::from_static(b"event"), own_id_at: None })
    }

    fn deliver(&self, subscription: &Subscription, _: &Event, _: &Rendered) {
        if !subscription.has_ended() {
            self.delivered.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn end(&self, subscription: &Subscription) {
        subscription.ended_mark().store(true, Ordering::Release);
    }

    fn announce(&self, _: LinkEvent) {}

    fn wake(&self) {}

    fn replace(&self, _: SessionId) {}

    fn lose(&self, _: &AgentKey, _: SessionId) {}
}

const PERIPHERAL: PeripheralId = PeripheralId(1);

fn event(agent: &str, state: AgentState) -> Event {
    let agent = AgentId::new(agent).unwrap();
    let facts = AgentFacts {
        instrument: Instrument::new("3001").ok(),
        state,
        ..AgentFacts::logged_out(agent, ReasonCode(0), 1)
    };
    Event::Agent(AgentEvent {
        peripheral: PERIPHERAL,
        state,
        idle: state,
        facts,
        left: Queues::new(),
        owner: None,
        by: None,
        read_at: None,
    })
}

fn everything() -> Filter {
    Filter {
        agent_states: AgentState::ALL.into_iter().collect(),
        pre_calls: true,
        pre_call_aborts: true,
        calls: CallSteps::default(),
    }
}

#[test]
fn an_event_is_rendered_once_a_form_however_many_hear_it() {
    let subscriptions = Subscriptions::default();
    let rendered = Arc::<AtomicUsize>::default();
    let subscribers: Vec<_> = (0..300)
        .map(|at| Arc::new(Counting { form: at % 3, rendered: Arc::clone(&rendered), ..Counting::default() }))
        .collect();
    for subscriber in &subscribers {
        let subscriber: Arc<dyn Subscriber> = Arc::<Counting>::clone(subscriber);
        subscriptions.add(Subscription::new(0, Target::All, everything(), subscriber));
    }
    subscriptions.publish(&event("1001", AgentState::Ready));
    assert_eq!(rendered.load(Ordering::Relaxed), 3);
    assert!(subscribers.iter().all(|subscriber| subscriber.delivered.load(Ordering::Relaxed) == 1));
}

#[test]
fn an_event_that_nobody_wants_is_never_rendered() {
    let subscriptions = Subscriptions::default();
    let subscriber = Arc::new(Counting::default());
    let wants_talking = Filter { agent_states: AgentStates::from_iter([AgentState::Talking]), ..Filter::default() };
    let of_another = AgentKey { peripheral: PERIPHERAL, agent: AgentId::new("1002").unwrap() };
    for (target, filter) in [(Target::All, wants_talking), (Target::Agent(of_another), everything())] {
        subscriptions.add(Subscription::new(0, target, filter, Arc::<Counting>::clone(&subscriber) as _));
    }
    subscriptions.publish(&event("1001", AgentState::Ready));
    assert_eq!(subscriber.rendered.load(Ordering::Relaxed), 0);
}

#[test]
fn ending_an_agents_subscriptions_leaves_those_of_everything_and_of_others() {
    let subscriptions = Subscriptions::default();
    let key = |agent: &str| AgentKey { peripheral: PERIPHERAL, agent: AgentId::new(agent).unwrap() };
    let device = Instrument::new("3001").unwrap();
    let subscriber = Arc::new(Counting::default());
    for target in [
        Target::All,
        Target::Agent(key("1001")),
        Target::Agent(key("1002")),
        Target::Device(PERIPHERAL, device.clone()),
        Target::Device(PeripheralId(2), device.clone()),
    ] {
        subscriptions.add(Subscription::new(0, target, everything(), Arc::<Counting>::clone(&subscriber) as _));
    }
    assert_eq!(subscriptions.end_of_agent(&key("1001"), Some(&device)), 2);
    assert_eq!(subscriptions.count(), 3);
    subscriptions.publish(&event("1001", AgentState::Ready));
    assert_eq!(subscriber.delivered.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_burst_waits_for_its_subscriber_as_one_batch() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let mut desk = Desk::bridge(&house).await;
    for agent in 1001..1051 {
        desk.logs_in(&agent.to_string()).await;
    }
    for _ in 0..100 {
        bridge.receives().await;
    }
    house.acd.inner.go_away();
    bridge.receives_system_event().await;
    for agent in 1001..1051 {
        let agent = AgentId::new(&agent.to_string()).unwrap();
        house.acd.inner.console_set_state(&agent, ctigate::model::WantedState::Ready, ReasonCode(0));
    }
    house.acd.inner.come_back();
    bridge.receives_system_event().await;
    // Nothing is waited for any more: all of it is there.
    for _ in 1001..1051 {
        assert!(bridge.has_received().is_some_and(|message| {
            matches!(message, cti_protocol::ged188::AnyMessage::AgentStateEvent(event) if event.agent_state == Code::AGENT_STATE_AVAILABLE)
        }));
    }
}
