//! Login, states and logout, as an agent's own commands find them.

use futures_util::FutureExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn the_default_world_is_the_one_that_is_documented() {
    let stage = stage().await;
    let world = stage.acd.snapshot().await.unwrap();
    let queues: Vec<_> = world.queues.iter().map(|(number, name)| (number.0, name.as_str())).collect();
    assert_eq!(queues, [(1, "sales"), (2, "support"), (3, "billing")]);
    assert_eq!((world.agents.len(), world.instruments.len()), (100, 100));
    assert!(world.agents.iter().all(|facts| !facts.is_logged_in()) && world.adapters.is_empty());
    for (id, instrument) in [(1001, 3001), (1100, 3100)] {
        assert!(stage.log_in(id, instrument).await.unwrap().is_logged_in());
    }
    for (id, instrument) in [(1000, 3002), (1101, 3002)] {
        assert_eq!(stage.log_in(id, instrument).await, Err(AcdRefusal::BadCredentials));
    }
}

#[tokio::test(start_paused = true)]
async fn every_capability_is_there() {
    let can = stage().await.acd.capabilities();
    assert!(can.after_call_work && can.partial_logout && can.lists_instruments);
}

#[tokio::test(start_paused = true)]
async fn a_command_without_latency_is_done_at_its_first_poll() {
    let stage = stage().await;
    assert!(stage.log_in(1001, 3001).now_or_never().is_some_and(|done| done.is_ok()));
    assert!(stage.be(1001, WantedState::Ready).now_or_never().is_some_and(|done| done.is_ok()));
    assert!(stage.log_out(1001, &[]).now_or_never().is_some_and(|done| done.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn who_logs_in_is_not_ready_in_all_of_its_queues_and_no_event_repeats_it() {
    let mut stage = stage().await;
    let facts = stage.log_in(1001, 3001).await.unwrap();
    assert_eq!((facts.state, facts.reason, facts.next_state), (AgentState::NotReady, ReasonCode(0), None));
    assert_eq!(facts.queues[..], [QueueId(1), QueueId(2), QueueId(3)]);
    assert_eq!(facts.instrument, Some(device(3001)));
    assert!(stage.told().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_names_queues_is_in_those_alone() {
    let stage = stage().await;
    let facts = stage.acd.log_in(&Login { queues: named(&[3, 1]), ..login(1001, 3001) }).await.unwrap();
    assert_eq!(facts.queues[..], [QueueId(1), QueueId(3)]);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_and_an_unknown_agent_are_the_same_refusal() {
    let stage = stage().await;
    let wrong = Login { password: Password::new("pw1002"), ..login(1001, 3001) };
    assert_eq!(stage.acd.log_in(&wrong).await, Err(AcdRefusal::BadCredentials));
    assert_eq!(stage.log_in(9999, 3001).await, Err(AcdRefusal::BadCredentials));
    for (id, password) in [(1001, ""), (1001, "pw"), (9999, "pw9999")] {
        let checked = stage.acd.authenticate(&agent(id), &Password::new(password)).await;
        assert_eq!(checked, Err(AcdRefusal::BadCredentials));
    }
    assert_eq!(stage.acd.authenticate(&agent(1001), &Password::new("pw1001")).await, Ok(()));
    assert!(!stage.facts(1001).is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_login_names_a_known_device_and_queues_that_the_agent_may_be_in() {
    let stage = stage_of(|config| config.agents[0].queues = vec![QueueId(1), QueueId(2)]).await;
    let refusal = stage.log_in(1001, 4000).await;
    assert_eq!(refusal, Err(AcdRefusal::UnknownInstrument { instrument: device(4000) }));
    for queue in [3, 99] {
        let refusal = stage.acd.log_in(&Login { queues: named(&[1, queue]), ..login(1001, 3001) }).await;
        assert_eq!(refusal, Err(AcdRefusal::BadQueue { agent: agent(1001), queue: QueueId(queue) }));
    }
    assert!(!stage.facts(1001).is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn ready_and_back_each_is_a_newer_fact() {
    let stage = stage().await;
    let mut last = stage.log_in(1001, 3001).await.unwrap().order;
    for wanted in [WantedState::Ready, WantedState::WorkNotReady, WantedState::WorkReady, WantedState::NotReady] {
        let facts = stage.be(1001, wanted).await.unwrap();
        assert_eq!(facts.state, AgentState::from(wanted));
        assert!(facts.order > last);
        last = facts.order;
    }
}

#[tokio::test(start_paused = true)]
async fn not_ready_for_another_reason_is_a_change_and_for_the_same_is_none() {
    let stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    let lunch = stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
    let still = stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
    let other = stage.be_because(1001, WantedState::NotReady, 6).await.unwrap();
    assert_eq!(lunch, still);
    assert_eq!(other.reason, ReasonCode(6));
    assert!(other.order > still.order);
}

#[tokio::test(start_paused = true)]
async fn a_reason_is_kept_for_not_ready_and_logged_out_only() {
    let stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    for (wanted, kept) in [
        (WantedState::NotReady, 5),
        (WantedState::Ready, 0),
        (WantedState::WorkReady, 0),
        (WantedState::WorkNotReady, 0),
    ] {
        assert_eq!(stage.be_because(1001, wanted, 5).await.unwrap().reason, ReasonCode(kept));
    }
    assert_eq!(stage.log_out(1001, &[]).await.unwrap().reason, ReasonCode(9));
    assert_eq!(stage.log_in(1001, 3001).await.unwrap().reason, ReasonCode(0));
}

#[tokio::test(start_paused = true)]
async fn a_state_needs_a_login_and_an_agent() {
    let stage = stage().await;
    let refusal = stage.be(1001, WantedState::Ready).await;
    assert_eq!(refusal, Err(AcdRefusal::NotLoggedIn { agent: agent(1001) }));
    let refusal = stage.be(9999, WantedState::Ready).await;
    assert_eq!(refusal, Err(AcdRefusal::UnknownAgent { agent: agent(9999) }));
    assert_eq!(stage.acd.agent(&agent(9999)).await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn a_required_reason_is_asked_for_and_changes_nothing_where_it_is_missing() {
    let stage = stage_of(|config| {
        (config.not_ready_reason_required, config.logout_reason_required) = (true, true);
    })
    .await;
    stage.ready(1001).await;
    let before = stage.facts(1001);
    assert_eq!(stage.be(1001, WantedState::NotReady).await, Err(AcdRefusal::ReasonRequired));
    let refusal = stage.acd.log_out(&agent(1001), &QueueChoice::AsAcdSays, ReasonCode(0), false).await;
    assert_eq!(refusal, Err(AcdRefusal::ReasonRequired));
    assert_eq!(stage.facts(1001), before);
    assert!(stage.be_because(1001, WantedState::NotReady, 5).await.is_ok());
    assert!(stage.log_out(1001, &[]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_logout_leaves_nothing_but_the_reason() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    let facts = stage.log_out(1001, &[]).await.unwrap();
    assert_eq!(facts, AgentFacts::logged_out(agent(1001), ReasonCode(9), facts.order));
    assert_eq!(stage.log_out(1001, &[]).await, Err(AcdRefusal::NotLoggedIn { agent: agent(1001) }));
    assert!(stage.told().await.is_empty());
    assert!(stage.log_in(1002, 3001).await.is_ok(), "the device is free again");
}

#[tokio::test(start_paused = true)]
async fn a_logout_of_some_queues_keeps_the_agent_in_the_others() {
    let stage = stage().await;
    stage.ready(1001).await;
    let facts = stage.log_out(1001, &[1, 3]).await.unwrap();
    assert_eq!((facts.state, facts.queues.as_slice()), (AgentState::Ready, &[QueueId(2)][..]));
    assert_eq!(stage.log_out(1001, &[2]).await.unwrap().state, AgentState::LoggedOut);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_the_agent_is_not_in_spoils_the_whole_logout() {
    let stage = stage().await;
    stage.acd.log_in(&Login { queues: named(&[1, 2]), ..login(1001, 3001) }).await.unwrap();
    let before = stage.facts(1001);
    let refusal = stage.log_out(1001, &[1, 3]).await;
    assert_eq!(refusal, Err(AcdRefusal::BadQueue { agent: agent(1001), queue: QueueId(3) }));
    assert_eq!(stage.facts(1001), before);
}

#[tokio::test(start_paused = true)]
async fn an_adapter_opens_and_closes_as_often_as_one_likes_and_outlives_a_logout() {
    let stage = stage().await;
    stage.log_in(1001, 3001).await.unwrap();
    for _ in 0..2 {
        assert_eq!(stage.acd.open_adapter(&agent(1001), &device(3001)).await, Ok(()));
        assert_eq!(stage.acd.adapters(), [agent(1001)]);
    }
    stage.log_out(1001, &[]).await.unwrap();
    assert_eq!(stage.acd.snapshot().await.unwrap().adapters, [agent(1001)]);
    for _ in 0..2 {
        assert_eq!(stage.acd.close_adapter(&agent(1001)).await, Ok(()));
        assert!(stage.acd.adapters().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_is_an_agents_that_there_is() {
    let stage = stage().await;
    let refusal = stage.acd.open_adapter(&agent(9999), &device(3001)).await;
    assert_eq!(refusal, Err(AcdRefusal::UnknownAgent { agent: agent(9999) }));
    assert!(stage.acd.adapters().is_empty());
}
