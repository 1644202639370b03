//! Calls: offered, answered, ended, given up; and what an agent asks for meanwhile.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_call_is_announced_rings_is_talked_on_and_leaves_the_agent_ready() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(2));
    assert_eq!(stage.told().await, ["1001 is offered a call of 2", "1001 Reserved"]);
    assert!(stage.told_within(RING - SLACK).await.is_empty());
    assert_eq!(stage.told_within(SLACK).await, ["1001 Talking"]);
    assert!(stage.told_within(TALK - SLACK).await.is_empty());
    assert_eq!(stage.told_within(SLACK).await, ["1001 Ready"]);
}

#[tokio::test(start_paused = true)]
async fn an_announcement_tells_where_it_rings_and_stands_where_its_facts_stand() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(2));
    let heard = stage.heard().await;
    let (AcdEvent::PreCall(call), AcdEvent::Agent(facts)) = (&heard[0], &heard[1]) else { panic!("{heard:?}") };
    assert_eq!((&call.agent, &call.instrument, call.queue), (&agent(1001), &device(3001), QueueId(2)));
    assert!(call.ani.as_ref().is_some_and(|ani| ani.len() == 10) && call.dialed_number.is_some());
    assert!(call.order <= facts.order);
}

#[tokio::test(start_paused = true)]
async fn no_two_calls_have_the_same_key() {
    let mut stage = stage().await;
    for id in 1001..=1020 {
        stage.ready(id).await;
        stage.acd.arrive(QueueId(1));
    }
    let heard = stage.heard().await;
    let keys: Vec<_> = heard.iter().filter_map(key_of).collect();
    let different: std::collections::HashSet<_> = keys.iter().collect();
    assert_eq!((keys.len(), different.len()), (20, 20));
}

#[tokio::test(start_paused = true)]
async fn the_longest_ready_agent_of_the_queue_is_offered_the_call() {
    let mut stage = stage().await;
    stage.acd.log_in(&Login { queues: named(&[3]), ..login(1001, 3001) }).await.unwrap();
    stage.be(1001, WantedState::Ready).await.unwrap();
    stage.ready(1003).await;
    stage.ready(1002).await;
    for _ in 0..2 {
        stage.acd.arrive(QueueId(1));
    }
    let told = stage.told().await;
    assert_eq!(told[0], "1003 is offered a call of 1");
    assert_eq!(told[2], "1002 is offered a call of 1");
    assert_eq!(stage.facts(1001).state, AgentState::Ready, "it is ready for another queue");
}

#[tokio::test(start_paused = true)]
async fn joining_or_leaving_a_queue_does_not_send_a_ready_agent_to_the_end() {
    let mut stage = stage().await;
    stage.acd.log_in(&Login { queues: named(&[1, 2]), ..login(1001, 3001) }).await.unwrap();
    stage.be(1001, WantedState::Ready).await.unwrap();
    stage.ready(1002).await;
    stage.log_out(1001, &[2]).await.unwrap();
    stage.log_in(1001, 3001).await.unwrap();
    stage.acd.arrive(QueueId(3));
    assert_eq!(stage.told().await[0], "1001 is offered a call of 3");
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_is_offered_to_who_becomes_ready_and_the_oldest_comes_first() {
    let mut stage = stage().await;
    stage.acd.arrive(QueueId(1));
    stage.acd.arrive(QueueId(1));
    stage.log_in(1001, 3001).await.unwrap();
    let ready = stage.be(1001, WantedState::Ready).await.unwrap();
    assert_eq!(ready.state, AgentState::Ready, "the answer is what was asked for, the offer comes as an event");
    let heard = stage.heard().await;
    let (AcdEvent::PreCall(call), AcdEvent::Agent(reserved)) = (&heard[0], &heard[1]) else { panic!("{heard:?}") };
    assert_eq!(call.key.1, 1);
    assert!(reserved.order > ready.order);
}

#[tokio::test(start_paused = true)]
async fn who_joins_the_queue_of_a_waiting_call_while_ready_is_offered_it() {
    let mut stage = stage().await;
    stage.acd.arrive(QueueId(3));
    stage.acd.log_in(&Login { queues: named(&[1]), ..login(1001, 3001) }).await.unwrap();
    stage.be(1001, WantedState::Ready).await.unwrap();
    assert!(stage.told().await.is_empty());
    stage.log_in(1001, 3001).await.unwrap();
    assert_eq!(stage.told().await, ["1001 is offered a call of 3", "1001 Reserved"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_on_a_call_comes_when_it_ends() {
    let mut stage = stage().await;
    for (wanted, then) in [
        (WantedState::NotReady, "NotReady"),
        (WantedState::WorkNotReady, "WorkNotReady"),
        (WantedState::Ready, "Ready"),
    ] {
        stage.ready(1001).await;
        stage.acd.arrive(QueueId(1));
        stage.told_within(RING + SLACK).await;
        let facts = stage.be(1001, wanted).await.unwrap();
        assert_eq!((facts.state, facts.next_state), (AgentState::Talking, Some(wanted.into())));
        assert_eq!(stage.told_within(TALK).await, [format!("1001 {then}")]);
        stage.log_out(1001, &[]).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn not_ready_while_it_rings_waits_for_the_call_too() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told().await;
    let facts = stage.be(1001, WantedState::NotReady).await.unwrap();
    assert_eq!((facts.state, facts.next_state), (AgentState::Reserved, Some(AgentState::NotReady)));
    assert_eq!(stage.told_within(RING).await, ["1001 Talking then NotReady"]);
    assert_eq!(stage.told_within(TALK).await, ["1001 NotReady"]);
}

#[tokio::test(start_paused = true)]
async fn after_call_work_comes_first_and_leads_to_what_was_asked() {
    let mut stage = stage_of(|config| config.wrap_up = Duration::from_secs(5)).await;
    for (asked, work, next) in [
        (None, "1001 WorkReady", "1001 Ready"),
        (Some(WantedState::Ready), "1001 WorkReady then Ready", "1001 Ready"),
        (Some(WantedState::NotReady), "1001 WorkNotReady then NotReady", "1001 NotReady"),
        (Some(WantedState::WorkReady), "1001 WorkReady", "1001 Ready"),
        (Some(WantedState::WorkNotReady), "1001 WorkNotReady", "1001 NotReady"),
    ] {
        stage.ready(1001).await;
        stage.acd.arrive(QueueId(1));
        stage.told_within(RING + SLACK).await;
        if let Some(wanted) = asked {
            stage.be(1001, wanted).await.unwrap();
        }
        assert_eq!(stage.told_within(TALK).await, [work]);
        assert_eq!(stage.told_within(Duration::from_secs(5)).await, [next]);
        stage.log_out(1001, &[]).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_call_work_may_leave_the_agent_not_ready() {
    let mut stage = stage_of(|config| {
        (config.wrap_up, config.ready_after_wrap_up) = (Duration::from_secs(5), false);
    })
    .await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    let told = stage.told_within(RING + TALK + Duration::from_secs(6)).await;
    assert_eq!(told[2..], ["1001 Talking", "1001 WorkNotReady", "1001 NotReady"]);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_after_call_work_early_is_not_called_back_by_its_timer() {
    let mut stage = stage_of(|config| config.wrap_up = Duration::from_secs(5)).await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + TALK + SLACK).await;
    assert_eq!(stage.facts(1001).state, AgentState::WorkReady);
    stage.be_because(1001, WantedState::NotReady, 5).await.unwrap();
    assert!(stage.told_within(Duration::from_secs(60)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_not_ready_and_the_call_is_first_in_its_queue_again() {
    let mut stage = stage_of(|config| config.calls.no_answer = 1.0).await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.acd.arrive(QueueId(1));
    stage.told().await;
    let told = stage.told_within(Duration::from_secs(16)).await;
    assert_eq!(told, ["1001 is offered no call of 1", "1001 NotReady because 32763"]);
    stage.ready(1002).await;
    let heard = stage.heard().await;
    assert!(matches!(&heard[0], AcdEvent::PreCall(call) if call.key.1 == 1), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_leaves_the_queue_or_the_agent_free() {
    let mut stage = stage_of(|config| {
        (config.calls.patience, config.calls.answer_after) = (Duration::from_secs(10), Duration::from_secs(60));
    })
    .await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.acd.arrive(QueueId(2));
    stage.told().await;
    // The one in queue 2 gives up unheard, or is offered at the same moment and gives up then.
    let told = stage.told_within(Duration::from_secs(30)).await;
    assert_eq!(told[..2], ["1001 is offered no call of 1", "1001 Ready"]);
    assert_eq!(stage.facts(1001).state, AgentState::Ready);
    stage.ready(1002).await;
    assert!(stage.told().await.is_empty(), "nobody waits any more");
}

#[tokio::test(start_paused = true)]
async fn who_talks_is_not_given_up() {
    let mut stage = stage_of(|config| config.calls.patience = Duration::from_secs(5)).await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    let told = stage.told_within(RING + TALK + SLACK).await;
    assert_eq!(told[1..], ["1001 Reserved", "1001 Talking", "1001 Ready"]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_turns_callers_away_and_counts_them() {
    let mut stage = stage_of(|config| config.calls.waiting_max = 2).await;
    for _ in 0..5 {
        stage.acd.arrive(QueueId(1));
    }
    stage.acd.arrive(QueueId(2));
    stage.acd.arrive(QueueId(99));
    assert_eq!(stage.acd.turned_away(), 3);
    for id in 1001..=1005 {
        stage.ready(id).await;
    }
    let told = stage.told().await;
    assert_eq!(told.iter().filter(|line| line.contains("is offered")).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_logout_on_a_call_is_refused_unless_it_is_forced() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    for state in [AgentState::Reserved, AgentState::Talking] {
        assert_eq!(stage.facts(1001).state, state);
        assert_eq!(stage.log_out(1001, &[]).await, Err(AcdRefusal::WrongState { agent: agent(1001), state }));
        stage.told_within(RING + SLACK).await;
    }
    assert_eq!(stage.log_out_forced(1001).await.unwrap().state, AgentState::LoggedOut);
    assert!(stage.told_within(TALK * 2).await.is_empty(), "the call is over, and the answer said the rest");
}

#[tokio::test(start_paused = true)]
async fn a_forced_logout_takes_the_offer_back_and_another_agent_gets_the_call() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.ready(1002).await;
    stage.told().await;
    stage.log_out_forced(1001).await.unwrap();
    let heard = stage.heard().await;
    let words: Vec<_> = heard.iter().map(in_words).collect();
    assert_eq!(words, ["1001 is offered no call of 1", "1002 is offered a call of 1", "1002 Reserved"]);
    let (AcdEvent::PreCallAbort(was), AcdEvent::PreCall(is)) = (&heard[0], &heard[1]) else { panic!("{heard:?}") };
    assert_eq!(was.key, is.key, "it is the same call");
}

#[tokio::test(start_paused = true)]
async fn leaving_some_queues_is_allowed_on_a_call() {
    let mut stage = stage().await;
    stage.ready(1001).await;
    stage.acd.arrive(QueueId(1));
    stage.told_within(RING + SLACK).await;
    let facts = stage.log_out(1001, &[1]).await.unwrap();
    assert_eq!((facts.state, facts.queues.len()), (AgentState::Talking, 2));
    assert_eq!(stage.told_within(TALK).await, ["1001 Ready"]);
}

#[tokio::test(start_paused = true)]
async fn calls_arrive_by_themselves_at_about_the_rate_asked_for_and_none_by_default() {
    let mut quiet = stage().await;
    quiet.ready(1001).await;
    assert!(quiet.told_within(Duration::from_secs(3_600)).await.is_empty());

    let mut busy = stage_of(|config| config.calls.per_minute = 60.0).await;
    for id in 1001..=1100 {
        busy.ready(id).await;
    }
    let told = busy.told_within(Duration::from_secs(600)).await;
    let offers = told.iter().filter(|line| line.contains("is offered a call")).count();
    assert!((480..=720).contains(&offers), "{offers} in ten minutes, 600 were due on average");
    for queue in 1..=3 {
        let ending = format!("of {queue}");
        assert!(told.iter().any(|line| line.ends_with(&ending)), "none came to queue {queue}");
    }
}

fn key_of(event: &AcdEvent) -> Option<(u32, u32)> {
    match event {
        AcdEvent::PreCall(call) => Some(call.key),
        _ => None,
    }
}
