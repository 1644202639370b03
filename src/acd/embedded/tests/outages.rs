//! The link: it goes, by plan or by hand, the world goes on meanwhile, and it comes back.

use super::*;
use crate::acd::embedded::Outage;

#[tokio::test(start_paused = true)]
async fn a_planned_outage_begins_ends_and_comes_again() {
    let outage = Outage { at: secs(10), lasts: secs(5), every: Some(secs(60)) };
    let mut stage = stage_of(|config| config.outages = vec![outage]).await;
    assert!(stage.told_within(secs(9)).await.is_empty());
    assert_eq!(stage.told_within(secs(2)).await, ["link down"]);
    assert_eq!(stage.told_within(secs(5)).await, ["link up"]);
    assert!(stage.told_within(secs(53)).await.is_empty());
    assert_eq!(stage.told_within(secs(10)).await, ["link down", "link up"]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_without_a_next_one_is_the_only_one() {
    let outage = Outage { at: secs(10), lasts: secs(5), every: None };
    let mut stage = stage_of(|config| config.outages = vec![outage]).await;
    assert_eq!(stage.told_within(secs(3_600)).await, ["link down", "link up"]);
}

#[tokio::test(start_paused = true)]
async fn every_command_finds_the_link_down_and_changes_nothing() {
    let stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    let before = stage.facts(1001);
    stage.acd.go_away();
    let acd = &stage.acd;
    let down = Some(AcdRefusal::LinkDown);
    assert_eq!(acd.authenticate(&agent(1001), &Password::new("pw1001")).await.err(), down);
    assert_eq!(acd.open_adapter(&agent(1001), &device(3001)).await.err(), down);
    assert_eq!(acd.close_adapter(&agent(1001)).await.err(), down);
    assert_eq!(stage.log_in(1002, 3002).await.err(), down);
    assert_eq!(stage.be(1001, WantedState::Ready).await.err(), down);
    assert_eq!(stage.log_out(1001, &[]).await.err(), down);
    assert_eq!(acd.agent(&agent(1001)).await.err(), down);
    assert!(matches!(acd.snapshot().await, Err(AcdRefusal::LinkDown)));
    assert_eq!(stage.facts(1001), before);
    assert!(!stage.facts(1002).is_logged_in() && stage.acd.adapters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_world_goes_on_unheard_and_a_snapshot_tells_its_new_truth() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.ready(1002).await;
    stage.acd.arrive(QueueId(1));
    stage.told().await;
    stage.acd.go_away();
    stage.acd.console_log_out(&agent(1002), ReasonCode(7));
    assert_eq!(stage.told_within(RING + SLACK).await, ["link down"]);
    stage.acd.come_back();
    assert_eq!(stage.told().await, ["link up"]);
    let agents = stage.acd.snapshot().await.unwrap().agents;
    let state = |id| agents.iter().find(|facts| facts.agent == agent(id)).map(|facts| (facts.state, facts.reason.0));
    assert_eq!(state(1001), Some((AgentState::Talking, 0)));
    assert_eq!(state(1002), Some((AgentState::LoggedOut, 7)));
}

#[tokio::test(start_paused = true)]
async fn going_away_twice_is_going_away_once() {
    let mut stage = stage().await;
    stage.acd.come_back();
    stage.acd.go_away();
    stage.acd.go_away();
    stage.acd.come_back();
    stage.acd.come_back();
    assert_eq!(stage.told().await, ["link down", "link up"]);
}

#[tokio::test(start_paused = true)]
async fn it_runs_until_nobody_listens() {
    let acd = Arc::new(EmbeddedAcd::new(EmbeddedConfig::default()).unwrap());
    let (events, inbox) = acd_channel(10);
    let running = Arc::clone(&acd);
    let run = tokio::spawn(async move { running.run(events).await });
    drop(inbox);
    assert!(tokio::time::timeout(secs(1), run).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_the_gateway_has_no_room_for_is_marked_and_never_waited_for() {
    let acd = EmbeddedAcd::new(EmbeddedConfig::default()).unwrap();
    let (events, inbox) = acd_channel(1);
    let run = acd.run(events);
    tokio::pin!(run);
    assert!(futures_util::poll!(&mut run).is_pending());
    acd.log_in(&login(1001, 3001)).await.unwrap();
    acd.console_log_out(&agent(1001), ReasonCode(1));
    assert!(inbox.has_overflowed());
    inbox.take_overflow();
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
