//! A second login: more queues, another device, another agent's device; and what an operator does behind everyone's back.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_second_login_at_the_same_device_joins_the_queues_that_are_new() {
    let stage = stage().await;
    let first = stage.acd.log_in(&Login { queues: named(&[2]), ..login(1001, 3001) }).await.unwrap();
    stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
    let more = stage.acd.log_in(&Login { queues: named(&[1, 2]), ..login(1001, 3001) }).await.unwrap();
    assert_eq!(more.queues[..], [QueueId(1), QueueId(2)]);
    assert_eq!((more.state, more.reason), (AgentState::NotReady, ReasonCode(5)), "joining is no new state");
    assert!(more.order > first.order);
    assert_eq!(stage.log_in(1001, 3001).await.unwrap().queues.len(), 3, "none named is all that it may be in");
}

#[tokio::test(start_paused = true)]
async fn a_second_login_with_nothing_new_is_refused_and_forced_it_finds_everything_as_it_was() {
    let stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    let already = Err(AcdRefusal::AlreadyLoggedIn { agent: agent(1001), instrument: device(3001) });
    assert_eq!(stage.log_in(1001, 3001).await, already);
    let as_it_was = stage.facts(1001);
    assert_eq!(stage.acd.log_in(&Login { forced: true, ..login(1001, 3001) }).await, Ok(as_it_was));
    assert_eq!(stage.log_in(1001, 3002).await, already, "elsewhere, and not forced");
}

#[tokio::test(start_paused = true)]
async fn a_forced_login_elsewhere_is_a_reported_logout_first() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    let facts = stage.acd.log_in(&Login { forced: true, ..login(1001, 3050) }).await.unwrap();
    assert_eq!((facts.instrument, facts.state), (Some(device(3050)), AgentState::NotReady));
    let heard = stage.heard().await;
    assert_eq!(heard.iter().map(in_words).collect::<Vec<_>>(), ["1001 LoggedOut"]);
    assert!(matches!(&heard[0], AcdEvent::Agent(left) if left.order < facts.order));
    assert!(stage.log_in(1002, 3001).await.is_ok(), "the device that it left is free");
}

#[tokio::test(start_paused = true)]
async fn a_device_in_use_is_refused_and_taken_over_only_by_force() {
    let mut stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    let refusal = stage.log_in(1002, 3001).await;
    assert_eq!(refusal, Err(AcdRefusal::InstrumentInUse { instrument: device(3001), by: agent(1001) }));
    stage.acd.log_in(&Login { forced: true, ..login(1002, 3001) }).await.unwrap();
    assert_eq!(stage.told().await, ["1001 LoggedOut"]);
    assert!(!stage.facts(1001).is_logged_in());
    assert_eq!(stage.facts(1002).instrument, Some(device(3001)));
}

#[tokio::test(start_paused = true)]
async fn a_forced_login_can_move_an_agent_to_another_ones_device() {
    let mut stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    stage.log_in(1002, 3002).await.unwrap();
    stage.acd.log_in(&Login { forced: true, ..login(1001, 3002) }).await.unwrap();
    let mut told = stage.told().await;
    told.sort();
    assert_eq!(told, ["1001 LoggedOut", "1002 LoggedOut"]);
    assert_eq!(stage.facts(1001).instrument, Some(device(3002)));
}

#[tokio::test(start_paused = true)]
async fn a_forced_login_that_is_refused_throws_nobody_out() {
    let mut stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    let wrong = Login { password: Password::new("x"), forced: true, ..login(1002, 3001) };
    assert_eq!(stage.acd.log_in(&wrong).await, Err(AcdRefusal::BadCredentials));
    let wrong = Login { queues: named(&[7]), forced: true, ..login(1002, 3001) };
    assert!(matches!(stage.acd.log_in(&wrong).await, Err(AcdRefusal::BadQueue { .. })));
    assert!(stage.facts(1001).is_logged_in());
    assert!(stage.told().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_takeover_in_the_middle_of_a_call_ends_the_call() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + SLACK).await;
    stage.acd.log_in(&Login { forced: true, ..login(1002, 3001) }).await.unwrap();
    assert_eq!(stage.told_within(TALK * 2).await, ["1001 LoggedOut"], "and nothing of the call afterwards");
}

#[tokio::test(start_paused = true)]
async fn what_an_operator_does_is_reported_and_a_logged_out_agent_is_left_alone() {
    let mut stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    stage.acd.console_set_state(&agent(1001), WantedState::Ready, ReasonCode(0));
    stage.acd.console_set_state(&agent(1001), WantedState::NotReady, ReasonCode(7));
    stage.acd.console_log_out(&agent(1001), ReasonCode(8));
    assert_eq!(stage.told().await, ["1001 Ready", "1001 NotReady because 7", "1001 LoggedOut because 8"]);
    stage.acd.console_log_out(&agent(1001), ReasonCode(8));
    stage.acd.console_set_state(&agent(1001), WantedState::Ready, ReasonCode(0));
    stage.acd.console_log_out(&agent(9999), ReasonCode(8));
    assert!(stage.told().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_operator_who_makes_an_agent_ready_is_heard_before_the_offer_that_follows() {
    let mut stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    stage.acd.arrive(QueueId(1));
    stage.acd.console_set_state(&agent(1001), WantedState::Ready, ReasonCode(0));
    assert_eq!(stage.told().await, ["1001 Ready", "1001 is offered a call of 1", "1001 Reserved"]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_thrown_out_is_reported_before_its_call_goes_to_another() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.ready(1002).await;
    stage.told().await;
    stage.acd.console_log_out(&agent(1001), ReasonCode(8));
    let told = stage.told().await;
    assert_eq!(told[..2], ["1001 is offered no call of 1", "1001 LoggedOut because 8"]);
}
