//! Device states, pauses and calls, as agent states.

use super::*;
use crate::acd::asterisk::line::Rank;

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

/// CONFIG with after-call work after the calls of sales alone.
fn with_work_after_sales() -> String {
    CONFIG.replace("name = \"sales\"", "name = \"sales\"\nwrap_up = \"3s\"")
}

fn gives_command(bench: &mut Bench, text: Option<&str>) {
    bench.world.hold(&agent());
    for (action, effect) in bench.world.plan_pause(&agent(), text).expect("logged in") {
        bench.line.tell(Rank::Normal, action, effect).expect("an open line");
    }
}

#[test]
fn the_end_of_after_call_work_waits_for_a_command_and_heeds_it() {
    let mut bench = Bench::with(&format!("wrap_up = \"3s\"\n{CONFIG}"));
    bench.answers(&Effect::Added(place(1), member(Some("wrap-up"))));
    gives_command(&mut bench, Some("lunch"));
    bench.pass(Duration::from_secs(3));
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: true, Reason: lunch"]);
    bench.answers(&paused(Some("lunch")));
    let now = bench.now;
    assert_eq!(bench.world.release(&agent(), now).state, AgentState::NotReady);
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.sent(), [""; 0]);
}

#[test]
fn after_call_work_that_begins_during_a_command_does_not_overrule_it() {
    let mut bench = Bench::with(&format!("wrap_up = \"3s\"\n{CONFIG}"));
    bench.answers(&Effect::Added(place(1), member(None)));
    gives_command(&mut bench, Some("lunch"));
    bench.tells("AgentConnect", CALL);
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: true, Reason: lunch"]);
    bench.answers(&paused(Some("lunch")));
    let now = bench.now;
    bench.world.release(&agent(), now);
    assert_eq!(bench.sent(), [""; 0]);
    // A command that leaves the agent unpaused does not lose it its after-call work.
    gives_command(&mut bench, None);
    bench.tells("AgentConnect", CALL);
    bench.sent();
    bench.answers(&paused(None));
    bench.world.release(&agent(), now);
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: true, Reason: wrap-up"]);
}

#[test]
fn a_state_that_is_so_now_is_said_again_behind_a_pause_that_is_on_its_way() {
    let mut bench = Bench::with(&format!("wrap_up = \"3s\"\n{CONFIG}"));
    bench.answers(&Effect::Added(place(1), member(None)));
    bench.tells("AgentConnect", CALL);
    assert_eq!(bench.sent().len(), 1, "the pause of after-call work, not answered yet");
    assert_eq!(bench.world.plan_pause(&agent(), None).expect("logged in").len(), 1);
    bench.answers(&paused(Some("wrap-up")));
    bench.answers(&paused(None));
    assert_eq!(bench.world.plan_pause(&agent(), None).expect("logged in").len(), 0);
}

#[test]
fn after_call_work_ends_after_a_reconnect_too() {
    let mut bench = Bench::with(&with_work_after_sales());
    bench.answers(&Effect::Added(place(1), member(None)));
    bench.world.forget_everything();
    let now = bench.now;
    bench.world.set_members(None, vec![(place(1), member(Some("wrap-up")))], now);
    bench.world.snapshot(now);
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: false"]);
}

#[test]
fn after_call_work_ends_after_a_call_that_was_over_before_its_pause_was_answered() {
    let mut bench = Bench::with(&with_work_after_sales());
    bench.answers(&Effect::Added(place(1), member(None)));
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
    bench.tells("AgentConnect", CALL);
    bench.sent();
    bench.tells("AgentComplete", CALL);
    bench.answers(&paused(Some("wrap-up")));
    bench.pass(Duration::from_secs(4));
    assert_eq!(bench.sent(), ["QueuePause, Interface: PJSIP/3001, Paused: false"]);
}

#[test]
fn a_member_that_somebody_else_removed_is_not_logged_in_by_its_late_event() {
    let mut bench = Bench::new();
    bench.answers_added(1);
    bench.told();
    let now = bench.now;
    bench.world.is_not_there(&Effect::Removed(place(1)), now);
    assert_eq!(bench.told(), ["LoggedOut"]);
    bench.tells_member("QueueMemberAdded", "sales", IDLE_PAUSED);
    bench.tells_member("QueueMemberRemoved", "sales", IDLE_PAUSED);
    assert_eq!(bench.told(), [""; 0]);
    bench.tells_member("QueueMemberAdded", "sales", IDLE_PAUSED);
    assert_eq!(bench.told(), ["NotReady in 1"], "what comes then is news");
}

#[test]
fn who_leaves_a_queue_whose_call_rings_is_told_that_it_will_not_come() {
    let mut bench = ready();
    bench.tells_member("QueueMemberAdded", "support", IDLE);
    bench.tells("AgentCalled", CALL);
    bench.told();
    bench.answers(&Effect::Removed(place(1)));
    assert_eq!(bench.told()[0], "no call from queue 1");
}

#[test]
fn a_list_of_channels_on_a_link_that_was_up_repeats_nothing() {
    let mut bench = ready();
    let row = |application: &str, more: &str| {
        let head = format!("Event: CoreShowChannel\r\nApplication: {application}\r\nLinkedid: one-1795466138.1\r\n");
        Message::new(Bytes::from(head + &more.replace(", ", "\r\n")))
    };
    let caller =
        row("Queue", "ApplicationData: sales, Channel: PJSIP/trunk-0, Uniqueid: one-1795466138.1, ChannelState: 6");
    let at_agent = |state: u8| {
        let ids = "Channel: PJSIP/3001-00000001, Uniqueid: one-1795466138.5, Exten: sales";
        row("AppQueue", &format!("{ids}, ChannelState: {state}"))
    };
    let list = |state| [at_agent(state), caller.clone()].iter().filter_map(news::listed_channel).collect::<Vec<_>>();
    bench.tells("AgentCalled", CALL);
    bench.told();
    let now = bench.now;
    news::restore_calls(&mut bench.world, &list(5), now);
    assert_eq!(bench.told(), [""; 0]);
    bench.tells("AgentConnect", CALL);
    bench.tells("Hold", "Uniqueid: one-1795466138.5");
    assert_eq!(bench.told(), ["Talking in 1", "Hold in 1"]);
    news::restore_calls(&mut bench.world, &list(6), now);
    assert_eq!(bench.told(), [""; 0]);
}

#[test]
fn an_agent_whose_membership_would_read_as_anothers_is_refused() {
    let mut bench = Bench::new();
    let strange = AgentId::new("PJSIP/3001").unwrap();
    let instrument = Instrument::new("3001").unwrap();
    let refused = bench.world.plan_login(&strange, &instrument, &[QueueId(1)], false).map(drop).unwrap_err();
    assert!(refused.to_string().contains("another agent"), "{refused}");
}

#[test]
fn an_instrument_that_would_dial_somewhere_else_is_refused() {
    let mut bench = Bench::new();
    for strange in ["0900123@trunk", "3001&3002", "3001/n", "a b"] {
        let instrument = Instrument::new(strange).unwrap();
        let refused = bench.world.plan_login(&agent(), &instrument, &[QueueId(1)], false).map(drop).unwrap_err();
        assert!(refused.to_string().contains(strange), "{refused}");
    }
}

#[test]
fn an_interface_is_spelled_as_asterisk_has_it_already() {
    let mut bench = Bench::new();
    let there = Member { spelled: "pjsip/3001".into(), ..member(None) };
    bench.answers(&Effect::Added(place(1), there.clone()));
    let instrument = Instrument::new("3001").unwrap();
    let plan = bench.world.plan_login(&agent(), &instrument, &[QueueId(2)], false).expect("a plan");
    assert_eq!(&*plan.joins[0].1.spelled, "pjsip/3001");
    // A list by other letters, which is empty, tells nothing of that member.
    let (interface, now) = (place(1).interface, bench.now);
    bench.world.set_members(Some((&interface, "PJSIP/3001")), Vec::new(), now);
    assert!(bench.facts().is_some_and(|facts| facts.is_logged_in()));
    bench.world.set_members(Some((&interface, "pjsip/3001")), Vec::new(), now);
    assert!(bench.facts().is_none_or(|facts| !facts.is_logged_in()));
}
