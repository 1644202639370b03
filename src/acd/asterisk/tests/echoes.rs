//! Answers come before the events that tell the same, and events may be seconds late.

use super::*;

#[test]
fn an_answer_counts_at_once_and_its_event_changes_nothing() {
    let mut bench = Bench::new();
    bench.answers_added(1);
    assert_eq!(bench.told(), ["NotReady in 1"]);
    bench.tells_member("QueueMemberAdded", "sales", IDLE_PAUSED);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn the_late_event_of_a_login_logs_no_ghost_in_after_the_logout() {
    let mut bench = Bench::new();
    bench.answers_added(1);
    bench.answers(&paused(None));
    bench.answers(&Effect::Removed(place(1)));
    assert_eq!(bench.told(), ["NotReady in 1", "Ready in 1", "LoggedOut"]);
    bench.tells_member("QueueMemberAdded", "sales", IDLE_PAUSED);
    bench.tells_member("QueueMemberPause", "sales", IDLE);
    bench.tells_member("QueueMemberRemoved", "sales", IDLE);
    assert_eq!(bench.told(), [""; 0]);
    assert_eq!(bench.facts(), None);
}

#[test]
fn a_thousand_rounds_of_lag_log_nobody_in_or_out() {
    let mut bench = Bench::new();
    for _ in 0..1_000 {
        bench.answers_added(1);
        bench.answers(&Effect::Removed(place(1)));
    }
    bench.answers_added(1);
    bench.told();
    for _ in 0..1_000 {
        bench.tells_member("QueueMemberAdded", "sales", IDLE_PAUSED);
        bench.tells_member("QueueMemberRemoved", "sales", IDLE_PAUSED);
    }
    bench.tells_member("QueueMemberAdded", "sales", IDLE_PAUSED);
    assert_eq!(bench.told(), [""; 0]);
    assert_eq!(bench.facts().map(|facts| facts.state), Some(AgentState::NotReady));
}

#[test]
fn a_late_status_does_not_undo_a_pause_that_was_answered() {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.answers(&paused(Some("lunch")));
    bench.told();
    bench.tells_member("QueueMemberStatus", "sales", IDLE);
    assert_eq!(bench.told(), [""; 0]);
    bench.tells_member("QueueMemberPause", "sales", "Status: 1, InCall: 0, Paused: 1, PausedReason: lunch");
    bench.tells_member("QueueMemberStatus", "sales", IDLE);
    assert_eq!(bench.told(), ["Ready in 1"], "from here on statuses are up to date");
}

#[test]
fn what_the_operator_does_is_told() {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.tells_member("QueueMemberAdded", "support", IDLE);
    bench.tells_member("QueueMemberPause", "sales", "Status: 1, InCall: 0, Paused: 1, PausedReason: lunch");
    assert_eq!(
        bench.told(),
        ["Ready in 1", "Ready in 1 2"],
        "who is paused in one queue still gets calls of the other"
    );
    bench.tells_member("QueueMemberPause", "support", "Status: 1, InCall: 0, Paused: 1, PausedReason: lunch");
    bench.tells_member("QueueMemberRemoved", "sales", IDLE);
    bench.tells_member("QueueMemberRemoved", "support", IDLE);
    assert_eq!(bench.told(), ["NotReady (7) in 1 2", "NotReady (7) in 2", "LoggedOut"]);
}

#[test]
fn a_removal_by_somebody_else_is_not_hidden_by_a_pause_that_missed_it() {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.tells_member("QueueMemberAdded", "support", IDLE);
    bench.told();
    // Removed from sales at Asterisk, then paused everywhere by us: only support tells of the pause.
    bench.answers(&paused(Some("lunch")));
    bench.tells_member("QueueMemberRemoved", "sales", IDLE);
    bench.tells_member("QueueMemberPause", "support", "Status: 1, InCall: 0, Paused: 1, PausedReason: lunch");
    assert_eq!(bench.told(), ["NotReady (7) in 1 2", "NotReady (7) in 2"]);
}

#[test]
fn who_was_removed_by_somebody_else_meanwhile_is_gone() {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.told();
    let now = bench.now;
    bench.world.is_not_there(&Effect::Removed(place(1)), now);
    assert_eq!(bench.told(), ["LoggedOut"]);
    bench.tells_member("QueueMemberRemoved", "sales", IDLE);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn members_of_other_queues_and_at_other_interfaces_are_not_ours() {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "vip", IDLE);
    bench.tells("QueueMemberAdded", &format!("Queue: sales, Interface: SIP/trunk, MemberName: x, {IDLE}"));
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn names_are_the_same_whatever_their_case() {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "Sales", IDLE);
    bench.tells("QueueMemberRemoved", "Queue: SALES, Interface: pjsip/3001, MemberName: 1001");
    assert_eq!(bench.told(), ["Ready in 1", "LoggedOut"]);
}

#[test]
fn a_command_that_meets_a_lost_link_tells_of_no_logout() {
    let mut bench = Bench::new();
    bench.answers_added(1);
    bench.told();
    bench.world.hold(&agent());
    bench.world.forget_everything();
    let now = bench.now;
    assert!(bench.world.release(&agent(), now).is_logged_in());
    assert_eq!(bench.told(), [""; 0]);
    // Asterisk says that the agent is still there: nothing has happened.
    bench.world.set_members(None, vec![(place(1), member(Some("")))], now);
    assert_eq!(bench.world.snapshot(now).agents.len(), 1);
    assert_eq!(bench.told(), [""; 0]);
}
