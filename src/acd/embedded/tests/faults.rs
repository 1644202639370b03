//! Latency and faults: what a command meets on its way, and what it has done then.

use futures_util::FutureExt;

use super::*;

#[tokio::test(start_paused = true)]
async fn latency_is_waited_before_anything_is_done() {
    let stage = stage_of(|config| config.latency = Duration::from_millis(500)).await;
    let began = tokio::time::Instant::now();
    let command = login(1001, 3001);
    let mut pending = Box::pin(stage.acd.log_in(&command));
    assert!(pending.as_mut().now_or_never().is_none());
    assert!(!stage.facts(1001).is_logged_in());
    assert!(pending.await.is_ok());
    assert_eq!(began.elapsed(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_command_given_up_during_the_latency_does_nothing() {
    let stage = stage_of(|config| config.latency = Duration::from_millis(500)).await;
    let given_up = tokio::time::timeout(Duration::from_millis(100), stage.log_in(1001, 3001)).await;
    assert!(given_up.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!stage.facts(1001).is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_carries_the_code_and_words_and_does_nothing() {
    let stage = stage().await;
    let fault = Fault { code: 42, words: "not now".into(), ..Fault::new(Command::LogIn, FaultKind::Refuse) };
    stage.acd.add_fault(fault);
    let refusal = stage.log_in(1001, 3001).await;
    assert_eq!(refusal, Err(AcdRefusal::Refused { code: 42, words: "not now".into() }));
    assert!(!stage.facts(1001).is_logged_in());
    stage.acd.clear_faults();
    assert!(stage.log_in(1001, 3001).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_time_out_never_answers_and_does_nothing() {
    let stage = stage().await;
    stage.acd.add_fault(Fault::new(Command::LogIn, FaultKind::TimeOut));
    assert!(tokio::time::timeout(A_DAY, stage.log_in(1001, 3001)).await.is_err());
    assert!(!stage.facts(1001).is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_command_done_in_silence_is_done_and_never_answers() {
    let stage = stage().await;
    stage.acd.add_fault(Fault::new(Command::LogIn, FaultKind::DoneInSilence));
    assert!(tokio::time::timeout(A_DAY, stage.log_in(1001, 3001)).await.is_err());
    assert!(stage.facts(1001).is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_late_and_what_it_tells_was_done_at_once() {
    let stage = stage().await;
    let delay = Duration::from_secs(7);
    stage.acd.add_fault(Fault { delay, ..Fault::new(Command::LogIn, FaultKind::AnswerLate) });
    let command = login(1001, 3001);
    let began = tokio::time::Instant::now();
    let mut pending = Box::pin(stage.acd.log_in(&command));
    assert!(pending.as_mut().now_or_never().is_none());
    assert!(stage.facts(1001).is_logged_in());
    assert!(pending.await.is_ok());
    assert_eq!(began.elapsed(), delay);
}

#[tokio::test(start_paused = true)]
async fn a_fault_lets_some_through_and_is_used_up() {
    let stage = stage().await;
    let fault = Fault { after: 2, times: Some(2), ..Fault::new(Command::Snapshot, FaultKind::Refuse) };
    stage.acd.add_fault(fault);
    let mut fates = Vec::new();
    for _ in 0..6 {
        fates.push(stage.acd.snapshot().await.is_ok());
    }
    assert_eq!(fates, [true, true, false, false, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_one_agent_leaves_the_others_alone() {
    let stage = stage().await;
    stage.acd.add_fault(Fault { agent: Some("1001".into()), ..Fault::new(Command::Any, FaultKind::Refuse) });
    assert!(stage.log_in(1001, 3001).await.is_err());
    assert!(stage.log_in(1002, 3002).await.is_ok());
    assert!(stage.acd.snapshot().await.is_ok(), "a snapshot is of no agent");
}

#[tokio::test(start_paused = true)]
async fn a_fault_hits_its_own_command_and_any_hits_every_one() {
    use Command::*;
    for on in [OpenAdapter, CloseAdapter, Authenticate, LogIn, SetState, LogOut, Agent, Snapshot] {
        let stage = stage().await;
        stage.acd.add_fault(Fault::new(on, FaultKind::Refuse));
        let hit: Vec<_> =
            refused(&stage).await.into_iter().filter(|(_, hit)| *hit).map(|(command, _)| command).collect();
        assert_eq!(hit, [on]);
    }
    let stage = stage().await;
    stage.acd.add_fault(Fault::new(Any, FaultKind::Refuse));
    assert!(refused(&stage).await.iter().all(|(_, hit)| *hit));
}

/// Gives every command once and tells which of them met a fault.
async fn refused(stage: &Stage) -> Vec<(Command, bool)> {
    let acd = &stage.acd;
    let hit = |refusal: Option<AcdRefusal>| matches!(refusal, Some(AcdRefusal::Refused { .. }));
    vec![
        (Command::Authenticate, hit(acd.authenticate(&agent(1001), &Password::new("pw1001")).await.err())),
        (Command::OpenAdapter, hit(acd.open_adapter(&agent(1001), &device(3001)).await.err())),
        (Command::LogIn, hit(stage.log_in(1001, 3001).await.err())),
        (Command::SetState, hit(stage.be(1001, WantedState::Ready).await.err())),
        (Command::Agent, hit(acd.agent(&agent(1001)).await.err())),
        (Command::Snapshot, hit(acd.snapshot().await.err())),
        (Command::LogOut, hit(stage.log_out(1001, &[]).await.err())),
        (Command::CloseAdapter, hit(acd.close_adapter(&agent(1001)).await.err())),
    ]
}

const A_DAY: Duration = Duration::from_secs(86_400);
