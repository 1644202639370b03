//! Device states, pauses and calls, as agent states.

use super::*;

const CALL: &str = "Queue: sales, Interface: PJSIP/3001, DestChannel: PJSIP/3001-00000001, DestUniqueid: one-1795466138.5, \
                    DestLinkedid: one-1795466138.1, CallerIDNum: 4711, Exten: sales";
const RINGS: &str = "Status: 6, InCall: 0, Paused: 0, PausedReason: ";
const TALKS: &str = "Status: 2, InCall: 1, Paused: 0, PausedReason: ";
const BUSY: &str = "Status: 2, InCall: 0, Paused: 0, PausedReason: ";

fn ready() -> Bench {
    let mut bench = Bench::new();
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.told();
    bench
}

#[test]
fn a_call_is_offered_connected_held_taken_back_and_over() {
    let mut bench = ready();
    bench.tells("AgentCalled", CALL);
    bench.tells_member("QueueMemberStatus", "sales", RINGS);
    assert_eq!(bench.told(), ["call from queue 1", "Reserved in 1"]);
    bench.tells("AgentConnect", CALL);
    bench.tells_member("QueueMemberStatus", "sales", TALKS);
    bench.tells("Hold", "Uniqueid: one-1795466138.5");
    bench.tells("Unhold", "Uniqueid: one-1795466138.5");
    assert_eq!(bench.told(), ["Talking in 1", "Hold in 1", "Talking in 1"]);
    bench.tells("AgentComplete", CALL);
    bench.tells("Hangup", "Uniqueid: one-1795466138.5");
    bench.tells_member("QueueMemberStatus", "sales", IDLE);
    assert_eq!(bench.told(), ["Ready in 1"], "without a moment of being busy with something else");
}

#[test]
fn the_device_may_be_busy_before_the_call_is_told_of() {
    let mut bench = ready();
    bench.tells_member("QueueMemberStatus", "sales", BUSY);
    bench.tells("AgentCalled", CALL);
    assert_eq!(bench.told(), ["call from queue 1", "Reserved in 1"]);
}

#[test]
fn a_call_of_the_agents_own_is_busy_with_something_else_after_a_moment() {
    let mut bench = ready();
    bench.tells_member("QueueMemberStatus", "sales", BUSY);
    assert_eq!(bench.told(), [""; 0]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.told(), ["BusyOther in 1"]);
    bench.tells_member("QueueMemberStatus", "sales", IDLE);
    assert_eq!(bench.told(), ["Ready in 1"]);
}

#[test]
fn an_agent_is_freed_by_its_device_and_not_by_the_end_of_the_call() {
    let mut bench = ready();
    bench.tells("AgentConnect", CALL);
    bench.tells_member("QueueMemberStatus", "sales", TALKS);
    bench.told();
    // A redirected caller: AgentComplete comes when the caller hangs up at last, and InCall stays until then.
    bench.tells_member("QueueMemberStatus", "sales", "Status: 1, InCall: 1, Paused: 0, PausedReason: ");
    assert_eq!(bench.told(), ["Ready in 1"]);
}

#[test]
fn a_call_that_is_not_answered_is_taken_back() {
    for end in ["AgentRingNoAnswer", "Hangup"] {
        let mut bench = ready();
        bench.tells("AgentCalled", CALL);
        bench.told();
        bench.tells(end, &format!("{CALL}, Uniqueid: one-1795466138.5"));
        assert_eq!(bench.told(), ["no call from queue 1", "Ready in 1"], "{end}");
    }
}

#[test]
fn a_pause_by_the_queue_itself_has_its_reason_code() {
    let mut bench = ready();
    bench.tells_member("QueueMemberPause", "sales", "Status: 1, InCall: 0, Paused: 1, PausedReason: Auto-Pause");
    assert_eq!(bench.told(), ["NotReady (32763) in 1"]);
}

#[test]
fn a_reason_without_a_text_is_its_digits_and_a_text_without_a_number_is_none() {
    let mut bench = ready();
    bench.tells_member("QueueMemberPause", "sales", "Status: 1, InCall: 0, Paused: 1, PausedReason: 42");
    bench.tells_member("QueueMemberPause", "sales", "Status: 1, InCall: 0, Paused: 1, PausedReason: tea");
    assert_eq!(bench.told(), ["NotReady (42) in 1", "NotReady in 1"]);
}

#[test]
fn a_device_that_cannot_be_called_is_reported() {
    for status in [4, 5] {
        let mut bench = Bench::new();
        bench.answers_added(1);
        bench.tells_member("QueueMemberAdded", "sales", &format!("Status: {status}, InCall: 0, Paused: 1"));
        bench.tells_member("QueueMemberStatus", "sales", IDLE_PAUSED);
        assert_eq!(bench.told(), ["NotReady in 1", "NotReady (32762) in 1", "NotReady in 1"]);
    }
}

#[test]
fn a_call_that_rings_at_an_agent_who_has_just_left_is_hung_up() {
    let mut bench = Bench::new();
    bench.answers_added(1);
    bench.answers(&Effect::Removed(place(1)));
    bench.tells("AgentCalled", CALL);
    assert_eq!(bench.sent(), ["Hangup, Channel: PJSIP/3001-00000001, Cause: 16"]);
}

#[test]
fn who_was_removed_by_the_operator_keeps_its_call() {
    let mut bench = ready();
    bench.tells_member("QueueMemberRemoved", "sales", IDLE);
    bench.tells("AgentCalled", CALL);
    assert_eq!(bench.sent(), [""; 0]);
}

#[test]
fn after_call_work_is_a_pause_of_its_own_from_the_answer_on() {
    let mut bench = Bench::with(&format!("wrap_up = \"3s\"\n{CONFIG}"));
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.tells("AgentConnect", CALL);
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: true, Reason: wrap-up"]);
    bench.answers(&paused(Some("wrap-up")));
    bench.tells_member("QueueMemberStatus", "sales", "Status: 2, InCall: 1, Paused: 1, PausedReason: wrap-up");
    bench.told();
    bench.tells("AgentComplete", CALL);
    bench.tells_member("QueueMemberPause", "sales", "Status: 2, InCall: 1, Paused: 1, PausedReason: wrap-up");
    bench.tells_member("QueueMemberStatus", "sales", "Status: 1, InCall: 0, Paused: 1, PausedReason: wrap-up");
    assert_eq!(bench.told(), ["WorkReady in 1"]);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.sent(), [""; 0]);
    bench.pass(Duration::from_secs(2));
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: false"]);
    bench.answers(&paused(None));
    assert_eq!(bench.told(), ["Ready in 1"]);
}

#[test]
fn a_pause_that_is_so_already_is_not_sent_again() {
    let mut bench = ready();
    bench.answers(&paused(Some("lunch")));
    let plan = |bench: &Bench, text| bench.world.plan_pause(&agent(), text).expect("logged in").len();
    assert_eq!(plan(&bench, Some("lunch")), 0);
    assert_eq!(plan(&bench, Some("42")), 1);
    assert_eq!(plan(&bench, None), 1);
}

#[test]
fn where_one_queue_is_paused_already_only_the_other_is() {
    let mut bench = ready();
    bench.tells_member("QueueMemberAdded", "support", IDLE_PAUSED);
    let plan = bench.world.plan_pause(&agent(), Some("")).expect("logged in");
    assert!(matches!(&plan[..], [(_, Effect::Paused { queue: Some(QueueId(1)), .. })]), "{plan:?}");
}

#[test]
fn a_key_of_a_call_is_its_day_and_a_number_of_that_day() {
    use crate::acd::asterisk::calls::key_of;
    assert_eq!(key_of("one-1795466138.5"), (20780, (1795466138 % 86400) << 15 | 5));
    assert_eq!(key_of("with-dash-1795466138.32769"), (20780, (1795466138 % 86400) << 15 | 1));
    assert_eq!(key_of("nonsense"), (0, 0));
}
