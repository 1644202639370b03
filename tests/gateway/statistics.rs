//! What agents and queues did: over GED-188, and at the edges of the periods.

use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, Status};
use cti_protocol::ged188::{
    AnyMessage, QueryAgentStatisticsConf, QueryAgentStatisticsReq, QuerySkillGroupStatisticsConf,
    QuerySkillGroupStatisticsReq,
};
use ctigate::model::{AgentFacts, AgentId, AgentState as State, Instrument, PeripheralId, QueueId, ReasonCode};
use ctigate::sessions::statistics::Statistics;

use crate::support::desk::{Desk, instrument_of, text};
use crate::support::house::{house, house_with_rules};
use crate::support::phone::{patient_world, ready_desk};
use crate::support::recount::so_far_today;

const ANY: u32 = 0xffff_ffff;

async fn of_agent(desk: &mut Desk, agent: &str) -> QueryAgentStatisticsConf {
    desk.hears().await;
    let invoke_id = desk.next_invoke_id();
    desk.sends(QueryAgentStatisticsReq { invoke_id, peripheral_id: ANY, agent_id: text(agent), ..Default::default() });
    match desk.receives().await {
        AnyMessage::QueryAgentStatisticsConf(figures) if figures.invoke_id == invoke_id => *figures,
        other => panic!("QUERY_AGENT_STATISTICS_CONF expected, got {other:?}"),
    }
}

async fn of_group(desk: &mut Desk, number: u32) -> QuerySkillGroupStatisticsConf {
    desk.hears().await;
    let invoke_id = desk.next_invoke_id();
    desk.sends(QuerySkillGroupStatisticsReq {
        invoke_id,
        peripheral_id: ANY,
        skill_group_number: number,
        skill_group_id: ANY,
        ..Default::default()
    });
    match desk.receives().await {
        AnyMessage::QuerySkillGroupStatisticsConf(figures) if figures.invoke_id == invoke_id => *figures,
        other => panic!("QUERY_SKILL_GROUP_STATISTICS_CONF expected, got {other:?}"),
    }
}

async fn passes(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_from_a_queue_counts_when_it_is_done_with_for_agent_and_group() {
    let mut world = patient_world();
    world.wrap_up = Duration::from_secs(7);
    let house = house_with_rules(world, |rules| rules.day_begins = so_far_today()).await;
    let mut desk = ready_desk(&house, "1001").await;
    passes(10).await; //                                    available
    house.acd.inner.arrive(QueueId(1));
    passes(4).await; //                                     rings
    let (call, device) = (1, instrument_of("1001"));
    desk.answers(call, &device);
    passes(30).await; //                                    talks
    let group = of_group(&mut desk, 1).await;
    assert_eq!((group.agents_talking_in, group.agents_logged_on, group.agents_ready), (1, 1, 1));
    assert_eq!(of_group(&mut desk, 2).await.agents_busy_other, 1, "busy with a call of another group");
    desk.holds(call, &device);
    passes(5).await;
    assert_eq!(of_group(&mut desk, 1).await.agents_hold, 1);
    desk.retrieves(call, &device);
    passes(10).await;
    desk.clears(call, &device);
    passes(3).await; //                                     after-call work, four seconds to go
    let open = of_agent(&mut desk, "1001").await;
    assert_eq!((open.handled_calls_session, open.avail_time_session), (0, 10), "the call is not done with");
    passes(6).await; //                                     done, and two seconds available
    let figures = of_agent(&mut desk, "1001").await;
    assert_eq!((figures.handled_calls_session, figures.handled_calls_talk_time_session), (1, 40));
    assert_eq!((figures.incoming_calls_held_session, figures.incoming_calls_held_time_session), (1, 5));
    assert_eq!(figures.handled_calls_after_call_time_session, 7);
    assert_eq!(figures.handled_calls_time_session, 40 + 5 + 7);
    assert_eq!((figures.avail_time_session, figures.logged_on_time_session), (12, 68));
    assert_eq!(figures.handled_calls_today, 1);
    assert_eq!((figures.agent_id, figures.agent_instrument), (text("1001"), text(&device)));

    let group = of_group(&mut desk, 1).await;
    assert_eq!((group.handled_calls_to5, group.handled_calls_to_half, group.handled_calls_today), (1, 1, 1));
    assert_eq!((group.handled_calls_time_today, group.calls_q_today, group.avail_time_today), (52, 1, 12));
    assert_eq!(group.router_calls_q_now, ANY, "there is no router");
    assert_eq!(of_group(&mut desk, 2).await.handled_calls_today, 0);
}

#[tokio::test(start_paused = true)]
async fn a_group_tells_who_waits_and_how_long() {
    let house = house_with_rules(patient_world(), |rules| rules.day_begins = so_far_today()).await;
    let mut bridge = Desk::bridge(&house).await;
    house.acd.inner.arrive(QueueId(2));
    passes(20).await;
    house.acd.inner.arrive(QueueId(2));
    passes(5).await;
    let group = of_group(&mut bridge, 2).await;
    assert_eq!((group.calls_q_now, group.calls_q_time_now, group.longest_call_q_now), (2, 30, 25));
    assert_eq!((group.calls_q_today, group.agents_logged_on), (0, 0));
    let mut desk = ready_desk(&house, "1001").await; // the first of them rings
    let group = of_group(&mut desk, 2).await;
    assert_eq!((group.calls_q_now, group.calls_q_time_now), (1, 5));
    assert_eq!((group.calls_q5, group.calls_q_time5, group.longest_call_q5), (1, 25, 25));
    assert_eq!(group.agents_reserved, 1);
}

#[tokio::test(start_paused = true)]
async fn calls_to_colleagues_and_to_outside_count_on_their_own() {
    let house = house_with_rules(patient_world(), |rules| rules.day_begins = so_far_today()).await;
    let mut first = ready_desk(&house, "1001").await;
    let mut second = ready_desk(&house, "1002").await;
    first.makes_call(&instrument_of("1001"), &instrument_of("1002"));
    passes(2).await;
    second.answers(1, &instrument_of("1002"));
    passes(9).await;
    first.clears(1, &instrument_of("1001"));
    passes(1).await;
    let (caller, called) = (of_agent(&mut first, "1001").await, of_agent(&mut second, "1002").await);
    assert_eq!((caller.internal_calls_session, caller.internal_calls_rcvd_session), (1, 0));
    assert_eq!((called.internal_calls_session, called.internal_calls_rcvd_session), (0, 1));
    assert_eq!(called.internal_calls_rcvd_time_session, 9);
    assert_eq!((caller.handled_calls_session, caller.agent_out_calls_session), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_know_is_not_told() {
    let house = house().await;
    let mut desk = ready_desk(&house, "1001").await;
    desk.sends(QueryAgentStatisticsReq {
        invoke_id: 1,
        peripheral_id: ANY,
        agent_id: text("1002"),
        ..Default::default()
    });
    assert_eq!(desk.receives_failure().await.status, Status::E_CTI_FUNCTION_NOT_AVAILABLE);
    for (number, id, status) in
        [(77, ANY, Status::E_CTI_INVALID_SKILL_GROUP), (1, 2, Status::E_CTI_SKILL_GROUP_CONFLICT)]
    {
        desk.sends(QuerySkillGroupStatisticsReq {
            invoke_id: 2,
            peripheral_id: ANY,
            skill_group_number: number,
            skill_group_id: id,
            ..Default::default()
        });
        assert_eq!(desk.receives_failure().await.status, status);
    }
    // A new session begins at nothing, the day goes on.
    passes(30).await;
    let logout = desk.asks("1001", AgentState::AGENT_STATE_LOGOUT);
    desk.receives_event("1001", AgentState::AGENT_STATE_LOGOUT).await;
    desk.receives_confirm(logout).await;
    desk.logs_in("1001").await;
    passes(2).await;
    let figures = of_agent(&mut desk, "1001").await;
    assert_eq!(figures.logged_on_time_session, 2);
}

const PERIPHERAL: PeripheralId = PeripheralId(1);
const QUEUE: QueueId = QueueId(1);

fn facts(agent: &str, state: State) -> AgentFacts {
    let agent = AgentId::new(agent).unwrap();
    let queues = if state == State::LoggedOut { vec![] } else { vec![QUEUE] };
    AgentFacts {
        instrument: Instrument::new("3001").ok(),
        state,
        queues: queues.into(),
        ..AgentFacts::logged_out(agent, ReasonCode(0), 1)
    }
}

/// A world that begins at that time of a day.
fn beginning_at(hours: u64, minutes: u64, seconds: u64) -> Statistics {
    let day = 20_000 * 24 * 60 * 60;
    Statistics::starting_at(Duration::from_secs(day + (hours * 60 + minutes) * 60 + seconds), Duration::ZERO)
}

#[tokio::test(start_paused = true)]
async fn midnight_splits_what_it_cuts() {
    let statistics = beginning_at(23, 59, 50);
    statistics.agent_changed(PERIPHERAL, &facts("1001", State::Ready));
    passes(25).await;
    let figures = statistics.of_agent(PERIPHERAL, &AgentId::new("1001").unwrap()).unwrap();
    assert_eq!((figures.session.available, figures.today.available), (25_000, 15_000));
    let figures = statistics.of_queue(PERIPHERAL, QUEUE);
    assert_eq!((figures.today.available, figures.half_hour.available), (15_000, 15_000));
    assert_eq!(figures.five_minutes.available, 25_000, "midnight is nothing to the last five minutes");
}

#[tokio::test(start_paused = true)]
async fn the_day_begins_when_it_is_said_to() {
    let at = Duration::from_secs(20_000 * 24 * 60 * 60 + 21 * 60 * 60 + 59 * 60 + 50);
    let statistics = Statistics::starting_at(at, Duration::from_secs(22 * 60 * 60));
    statistics.agent_changed(PERIPHERAL, &facts("1001", State::Ready));
    passes(25).await;
    let figures = statistics.of_agent(PERIPHERAL, &AgentId::new("1001").unwrap()).unwrap();
    assert_eq!((figures.session.available, figures.today.available), (25_000, 15_000));
}

#[tokio::test(start_paused = true)]
async fn the_half_hour_begins_anew_and_five_minutes_move_on() {
    let statistics = beginning_at(10, 20, 0);
    for agent in ["1001", "1002"] {
        statistics.agent_changed(PERIPHERAL, &facts(agent, State::NotReady));
    }
    passes(9 * 60).await; // 10:29
    let figures = statistics.of_queue(PERIPHERAL, QUEUE);
    assert_eq!((figures.half_hour.not_ready, figures.five_minutes.not_ready), (2 * 540_000, 2 * 290_000));
    statistics.agent_changed(PERIPHERAL, &facts("1002", State::LoggedOut));
    passes(2 * 60).await; // 10:31
    let figures = statistics.of_queue(PERIPHERAL, QUEUE);
    assert_eq!((figures.half_hour.not_ready, figures.today.not_ready), (60_000, 2 * 540_000 + 120_000));
    assert_eq!(figures.agents.not_ready, 1);
    passes(3 * 60 * 60).await;
    assert_eq!(statistics.of_queue(PERIPHERAL, QUEUE).five_minutes.not_ready, 290_000);
}

#[tokio::test(start_paused = true)]
async fn the_figures_of_an_agent_who_is_out_name_no_device_and_have_its_fields_all_the_same() {
    let house = house().await;
    let mut bridge = Desk::bridge(&house).await;
    let figures = of_agent(&mut bridge, "1003").await;
    assert_eq!((figures.agent_extension, figures.agent_instrument), (text(""), text("")));
}
