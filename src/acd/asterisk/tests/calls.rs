//! What channels make of a call: events as a real Asterisk 22 sent them, shortened.

use std::collections::HashSet;

use super::super::channels::Joining;
use super::*;
use crate::model::{CallId, CallKind, CallReport, CallStep};

/// What was told of calls since, in short words: the step, and who is on the call then.
fn told(bench: &mut Bench) -> Vec<String> {
    bench
        .take()
        .into_iter()
        .filter_map(|event| if let AcdEvent::Call(report) = event { Some(words(&report)) } else { None })
        .collect()
}

fn words(CallReport { call, step }: &CallReport) -> String {
    let step = match step {
        CallStep::Left(device, cause) => format!("{device} left {cause:?}"),
        CallStep::Cleared(cause) => format!("Cleared {cause:?}"),
        CallStep::Transferred(joined) => format!("Transferred by {} to {}", joined.by, joined.added),
        CallStep::Conferenced(joined) => {
            let other = joined.secondary.map_or("", |_| " of another call");
            format!("Conferenced by {} with {}{other}", joined.by, joined.added)
        }
        step => match step.device() {
            Some(device) => format!("{:?} {device}", step.kind()),
            None => format!("{:?}", step.kind()),
        },
    };
    let parties = call.parties.iter().map(|party| format!("{} {:?}", party.device, party.state));
    format!("{step}: {}", parties.collect::<Vec<_>>().join(", "))
}

const CALLER: &str =
    "Channel: PJSIP/trunk-00000001, Uniqueid: a-1795538710.0, Linkedid: a-1795538710.0, CallerIDNum: 4711";
const AGENT: &str = "Channel: PJSIP/3001-00000002, Uniqueid: a-1795538710.2, Linkedid: a-1795538710.0";
const OTHER: &str = "Channel: PJSIP/3002-00000003, Uniqueid: a-1795538716.3, Linkedid: a-1795538710.0";
const DEST: &str = "DestChannel: PJSIP/3001-00000002, DestUniqueid: a-1795538710.2, DestLinkedid: a-1795538710.0";
const DEST_OTHER: &str = "DestChannel: PJSIP/3002-00000003, DestUniqueid: a-1795538716.3, DestLinkedid: a-1795538710.0";

/// Agent 1001 is in sales at 3001; calls from outside come over a trunk.
fn bench() -> Bench {
    bench_at("PJSIP/{instrument}")
}

fn bench_at(interface: &str) -> Bench {
    let more = "trunks = [\"trunk\"]\n[[variable]]\nname = \"CASE\"\ndata = 1\n[[variable]]\nname = \"TIER\"\ndata = \"user.tier\"";
    let (head, tables) = CONFIG.split_once("[[queue]]").expect("queues");
    let head = head.replace("PJSIP/{instrument}", interface);
    let (option, variables) = more.split_once('\n').expect("two parts");
    let mut bench = Bench::with(&format!("{head}\n{option}\n{variables}\n[[queue]]{tables}"));
    let interface = interface.replace("{instrument}", "3001");
    bench.tells("QueueMemberAdded", &format!("Queue: sales, Interface: {interface}, MemberName: 1001, {IDLE}"));
    bench.take();
    bench
}

/// A caller waits in sales and rings at agent 1001.
fn ringing() -> Bench {
    let mut bench = bench();
    bench.tells("Newchannel", &format!("{CALLER}, ChannelState: 4, Exten: sales"));
    bench.tells("Newstate", &format!("{CALLER}, ChannelState: 6, Exten: sales"));
    bench.tells(
        "QueueCallerJoin",
        &format!("{CALLER}, ChannelState: 6, Queue: sales, Count: 3, ChanVariable: CASE=C-7"),
    );
    bench.tells("Newchannel", &format!("{AGENT}, ChannelState: 0"));
    bench.tells("AgentCalled", &format!("{CALLER}, Queue: sales, Interface: PJSIP/3001, {DEST}, DestChannelState: 0"));
    bench.tells("DialBegin", &format!("{CALLER}, {DEST}, DestChannelState: 0"));
    bench.tells("Newstate", &format!("{AGENT}, ChannelState: 5, CallerIDNum: 4711"));
    bench
}

/// And is answered.
fn talking() -> Bench {
    let mut bench = ringing();
    bench.tells("Newstate", &format!("{AGENT}, ChannelState: 6"));
    bench.tells("DialEnd", &format!("{CALLER}, {DEST}, DestChannelState: 6, DialStatus: ANSWER"));
    bench.tells("QueueCallerLeave", &format!("{CALLER}, Queue: sales, Count: 0"));
    bench.tells("AgentConnect", &format!("{CALLER}, Queue: sales, Interface: PJSIP/3001, {DEST}"));
    bench.tells("BridgeEnter", &format!("{AGENT}, ChannelState: 6"));
    bench.tells("BridgeEnter", &format!("{CALLER}, ChannelState: 6"));
    bench
}

#[test]
fn a_caller_waits_rings_is_answered_held_and_gone() {
    let mut bench = talking();
    bench.tells("Hold", AGENT);
    bench.tells("Unhold", AGENT);
    bench.tells("Hangup", &format!("{AGENT}, Cause: 16"));
    bench.tells("Hangup", &format!("{CALLER}, Cause: 16"));
    assert_eq!(
        told(&mut bench),
        [
            "Queued sales: 4711 Connected, sales Queued",
            "Delivered 3001: 4711 Connected, sales Queued, 3001 Alerting",
            "sales left Redirected: 4711 Connected, 3001 Alerting",
            "Established 3001: 4711 Connected, 3001 Connected",
            "Held 3001: 4711 Connected, 3001 Held",
            "Retrieved 3001: 4711 Connected, 3001 Connected",
            "3001 left Normal: 4711 Connected",
            "4711 left Normal: ",
            "Cleared Normal: ",
            "Ended: ",
        ]
    );
}

#[test]
fn a_call_carries_what_its_channel_carries_and_is_known_by_asterisks_own_number() {
    let mut bench = ringing();
    bench.tells("VarSet", &format!("{CALLER}, Variable: TIER, Value: gold"));
    bench.tells("VarSet", &format!("{CALLER}, Variable: SECRET, Value: no data"));
    let reports: Vec<_> = bench
        .take()
        .into_iter()
        .filter_map(|event| if let AcdEvent::Call(report) = event { Some(report) } else { None })
        .collect();
    let last = reports.last().expect("a report");
    assert_eq!((&last.step, last.call.queue), (&CallStep::DataChanged, Some(QueueId(1))));
    assert_eq!(last.call.data.variables[0].as_deref(), Some("C-7"));
    assert_eq!(last.call.data.named.iter().collect::<Vec<_>>(), [(&"user.tier".to_owned(), &"gold".to_owned())]);
    assert_eq!((last.call.key.1, last.call.ani.as_deref()), (last.call.id.0, Some("4711")));
    assert_eq!(last.call.dialed_number.as_deref(), Some("sales"));
}

#[test]
fn who_is_not_answered_waits_again_and_who_gives_up_is_told_so_in_whatever_order_it_comes() {
    let mut bench = ringing();
    told(&mut bench);
    bench.tells("AgentRingNoAnswer", &format!("{CALLER}, Queue: sales, Interface: PJSIP/3001, {DEST}"));
    bench.tells("DialEnd", &format!("{CALLER}, {DEST}, DialStatus: CANCEL"));
    bench.tells("Hangup", AGENT);
    assert_eq!(
        told(&mut bench),
        ["3001 left NotAnswered: 4711 Connected", "Queued sales: 4711 Connected, sales Queued"]
    );
    let abandon = ["QueueCallerAbandon", "QueueCallerLeave"];
    for is_agent_first in [true, false] {
        let mut bench = ringing();
        told(&mut bench);
        bench.tells("DialEnd", &format!("{CALLER}, {DEST}, DialStatus: CANCEL"));
        let hangups = [AGENT, CALLER];
        if is_agent_first {
            bench.tells("Hangup", AGENT);
        }
        for event in abandon {
            bench.tells(event, &format!("{CALLER}, Queue: sales"));
        }
        for gone in &hangups[usize::from(is_agent_first)..] {
            bench.tells("Hangup", gone);
        }
        let told = told(&mut bench);
        assert!(told.contains(&"Cleared Abandoned: ".to_owned()), "{told:?}");
        assert!(told.iter().any(|words| words.starts_with("3001 left Abandoned")), "{told:?}");
    }
}

/// An item of a list of all channels.
fn item(text: &str) -> Message {
    Message::new(Bytes::from(format!("Event: CoreShowChannel\r\n{}", text.replace(", ", "\r\n"))))
}

#[test]
fn who_is_not_the_first_to_answer_has_not_made_the_caller_give_up() {
    let mut bench = ringing();
    bench.tells("Newchannel", &format!("{OTHER}, ChannelState: 0"));
    bench.tells("DialBegin", &format!("{CALLER}, {DEST_OTHER}, DestChannelState: 0"));
    bench.tells("Newstate", &format!("{OTHER}, ChannelState: 5"));
    told(&mut bench);
    bench.tells("Newstate", &format!("{AGENT}, ChannelState: 6"));
    bench.tells("DialEnd", &format!("{CALLER}, {DEST}, DestChannelState: 6, DialStatus: ANSWER"));
    bench.tells("DialEnd", &format!("{CALLER}, {DEST_OTHER}, DestChannelState: 5, DialStatus: CANCEL"));
    bench.tells("Hangup", &format!("{OTHER}, Cause: 26"));
    bench.tells("QueueCallerLeave", &format!("{CALLER}, Queue: sales, Count: 0"));
    bench.tells("AgentConnect", &format!("{CALLER}, Queue: sales, Interface: PJSIP/3001, {DEST}"));
    bench.tells("Hangup", &format!("{AGENT}, Cause: 16"));
    bench.tells("Hangup", &format!("{CALLER}, Cause: 16"));
    assert_eq!(
        told(&mut bench),
        [
            "Established 3001: 4711 Connected, 3001 Connected, 3002 Alerting",
            "3002 left NotAnswered: 4711 Connected, 3001 Connected",
            "3001 left Normal: 4711 Connected",
            "4711 left Normal: ",
            "Cleared Normal: ",
            "Ended: ",
        ]
    );
}

#[test]
fn what_is_told_of_a_channel_after_its_end_does_not_bring_it_back() {
    let mut bench = talking();
    bench.tells("Hangup", AGENT);
    bench.tells("Hangup", CALLER);
    told(&mut bench);
    bench.tells("AgentComplete", &format!("{CALLER}, ChannelState: 6, Queue: sales, Interface: PJSIP/3001"));
    bench.tells("DialEnd", &format!("{CALLER}, {DEST}, DestChannelState: 5, DialStatus: NOANSWER"));
    let transferer = AGENT.replace("Channel:", "TransfererChannel:").replace("Uniqueid", "TransfererUniqueid");
    let transferer = transferer.replace("Linkedid", "TransfererLinkedid");
    bench.tells("BlindTransfer", &format!("Result: Success, {transferer}"));
    bench.world.set_channels(&[item(&format!("{CALLER}, ChannelState: 6, Application: Queue"))]);
    assert_eq!(told(&mut bench), [""; 0]);
    assert_eq!(bench.world.snapshot(bench.now).calls, []);
}

#[test]
fn a_list_that_is_ahead_of_the_events_lets_nobody_ring_again() {
    let mut bench = ringing();
    told(&mut bench);
    let caller = format!("{CALLER}, ChannelState: 6, BridgeId: x, Application: Queue, ApplicationData: sales");
    let agent = format!("{AGENT}, ChannelState: 6, BridgeId: x, Application: AppQueue");
    bench.world.set_channels(&[item(&caller), item(&agent)]);
    bench.tells("Newstate", &format!("{AGENT}, ChannelState: 5"));
    bench.tells("Newstate", &format!("{AGENT}, ChannelState: 6"));
    assert_eq!(told(&mut bench), [""; 0]);
}

#[test]
fn a_call_whose_last_channel_a_list_shows_on_another_one_is_over() {
    let mut bench = talking();
    let alone = "Channel: PJSIP/3002-00000009, Uniqueid: a-1795538720.9, Linkedid: a-1795538720.9";
    bench.tells("Newchannel", &format!("{alone}, ChannelState: 6"));
    bench.world.set_channels(&[
        item(&format!("{CALLER}, ChannelState: 6, BridgeId: x")),
        item(&format!("{AGENT}, ChannelState: 6, BridgeId: x")),
        item(&format!(
            "{}, ChannelState: 6, BridgeId: x",
            alone.replace("Linkedid: a-1795538720.9", "Linkedid: a-1795538710.0")
        )),
    ]);
    assert_eq!(bench.world.snapshot(bench.now).calls.len(), 1);
    bench.world.set_channels(&[]);
    assert_eq!(bench.world.snapshot(bench.now).calls, []);
}

#[test]
fn a_blind_transfer_takes_the_caller_along() {
    let mut bench = talking();
    told(&mut bench);
    let transferer = AGENT.replace("Channel:", "TransfererChannel:").replace("Uniqueid", "TransfererUniqueid");
    let transferer = transferer.replace("Linkedid", "TransfererLinkedid");
    bench.tells("BlindTransfer", &format!("Result: Success, {transferer}, Context: phones, Extension: 3002"));
    bench.tells("Hangup", AGENT);
    bench.tells("Newchannel", &format!("{OTHER}, ChannelState: 0"));
    bench.tells("DialBegin", &format!("{CALLER}, ChannelState: 6, {DEST_OTHER}, DestChannelState: 0"));
    bench.tells("Newstate", &format!("{OTHER}, ChannelState: 6"));
    assert_eq!(
        told(&mut bench),
        [
            "3001 left Transfer: 4711 Connected",
            "Delivered 3002: 4711 Connected, 3002 Alerting",
            "Established 3002: 4711 Connected, 3002 Connected",
        ]
    );
}

#[test]
fn two_calls_of_one_device_that_are_joined_go_on_as_the_older_without_it() {
    let mut bench = talking();
    let asks = "Channel: PJSIP/3001-00000008, Uniqueid: a-1795538720.8, Linkedid: a-1795538720.8";
    let asked = "Channel: PJSIP/3002-00000009, Uniqueid: a-1795538720.9, Linkedid: a-1795538720.8";
    bench.tells("Hold", AGENT);
    bench.tells("Newchannel", &format!("{asks}, ChannelState: 4, CallerIDNum: 3001, Exten: 3002"));
    bench.tells("Newchannel", &format!("{asked}, ChannelState: 5"));
    bench.tells("Newstate", &format!("{asked}, ChannelState: 6"));
    told(&mut bench);
    bench.tells(
        "BridgeEnter",
        &format!("{}, ChannelState: 6", asked.replace("Linkedid: a-1795538720.8", "Linkedid: a-1795538710.0")),
    );
    for gone in [AGENT, asks] {
        bench.tells("Hangup", &gone.replace("Linkedid: a-1795538720.8", "Linkedid: a-1795538710.0"));
    }
    assert_eq!(told(&mut bench), ["Transferred by 3001 to 3002: 4711 Connected, 3002 Connected"]);
    bench.tells("Hangup", CALLER);
    bench.tells("Hangup", asked);
    assert_eq!(told(&mut bench).last().map(String::as_str), Some("Ended: "));
    assert_eq!(bench.world.snapshot(bench.now).calls, []);
}

#[test]
fn a_caller_that_shows_an_agents_number_is_not_taken_for_its_device() {
    let caller = CALLER.replace("4711", "3001");
    let mut bench = bench();
    bench.tells("Newchannel", &format!("{caller}, ChannelState: 4, Exten: sales"));
    bench.tells("QueueCallerJoin", &format!("{caller}, ChannelState: 6, Queue: sales, Count: 1"));
    bench.tells("Newchannel", &format!("{AGENT}, ChannelState: 0"));
    bench.tells("DialBegin", &format!("{caller}, {DEST}, DestChannelState: 0"));
    bench.tells("Newstate", &format!("{AGENT}, ChannelState: 6"));
    assert_eq!(
        told(&mut bench),
        [
            "Queued sales: a-1795538710.0 Connected, sales Queued",
            "Delivered 3001: a-1795538710.0 Connected, sales Queued, 3001 Alerting",
            "sales left Redirected: a-1795538710.0 Connected, 3001 Alerting",
            "Established 3001: a-1795538710.0 Connected, 3001 Connected",
        ]
    );
    assert_eq!(bench.world.snapshot(bench.now).calls[0].ani.as_deref(), Some("3001"));
}

#[test]
fn a_caller_gives_up_its_name_to_the_device_that_an_agent_logs_in_at() {
    let mut bench = bench();
    let caller = CALLER.replace("4711", "3002");
    bench.tells("Newchannel", &format!("{caller}, ChannelState: 6, Exten: sales"));
    bench.tells("QueueCallerJoin", &format!("{caller}, ChannelState: 6, Queue: sales, Count: 1"));
    assert_eq!(told(&mut bench), ["Queued sales: 3002 Connected, sales Queued"]);
    bench.tells("QueueMemberAdded", &format!("Queue: sales, Interface: PJSIP/3002, MemberName: 1002, {IDLE}"));
    assert_eq!(
        told(&mut bench),
        ["3002 left Normal: sales Queued", "Established a-1795538710.0: sales Queued, a-1795538710.0 Connected"]
    );
}

/// 3001 holds the caller and talks with 3002 on a call of its own; as Asterisk tells it, with bridges.
fn asking() -> (Bench, &'static str, &'static str) {
    let asks = "Channel: PJSIP/3001-00000008, Uniqueid: a-1795538720.8, Linkedid: a-1795538720.8";
    let asked = "Channel: PJSIP/3002-00000009, Uniqueid: a-1795538720.9, Linkedid: a-1795538720.8";
    let mut bench = talking();
    bench.tells("BridgeEnter", &format!("{AGENT}, ChannelState: 6, BridgeUniqueid: f175"));
    bench.tells("BridgeEnter", &format!("{CALLER}, ChannelState: 6, BridgeUniqueid: f175"));
    bench.tells("Hold", AGENT);
    bench.tells("Newchannel", &format!("{asks}, ChannelState: 4, CallerIDNum: 3001, Exten: 3002"));
    bench.tells("Newchannel", &format!("{asked}, ChannelState: 5"));
    bench.tells("Newstate", &format!("{asked}, ChannelState: 6"));
    bench.tells("BridgeEnter", &format!("{asked}, ChannelState: 6, BridgeUniqueid: ce5d"));
    bench.tells("BridgeEnter", &format!("{asks}, ChannelState: 6, BridgeUniqueid: ce5d"));
    told(&mut bench);
    (bench, asks, asked)
}

/// The same headers with that before the name of each.
fn prefixed(prefix: &str, headers: &str) -> String {
    headers.split(", ").map(|header| format!("{prefix}{header}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_transfer_that_a_phone_completes_is_one_in_whatever_order_it_is_told() {
    for is_bridge_first in [true, false] {
        let (mut bench, asks, asked) = asking();
        let target = asked.replace("Linkedid: a-1795538720.8", "Linkedid: a-1795538710.0");
        bench.tells("Unhold", AGENT);
        bench.tells("Unhold", asks);
        let bridged = |bench: &mut Bench| {
            bench.tells("BridgeLeave", &format!("{CALLER}, BridgeUniqueid: f175"));
            bench.tells("BridgeLeave", &format!("{asks}, BridgeUniqueid: ce5d"));
            bench.tells("BridgeEnter", &format!("{CALLER}, BridgeUniqueid: ce5d, SwapUniqueid: a-1795538720.8"));
            bench.tells("BridgeLeave", &format!("{AGENT}, BridgeUniqueid: f175"));
        };
        let ends = [("Transferee", CALLER), ("TransferTarget", &target), ("OrigTransferer", AGENT)];
        let ends: Vec<_> = ends.iter().map(|(prefix, headers)| prefixed(prefix, headers)).collect();
        let transferred = format!("Result: Success, {}, {}", ends.join(", "), prefixed("SecondTransferer", asks));
        if is_bridge_first {
            bridged(&mut bench);
        }
        bench.tells("AttendedTransfer", &transferred);
        if !is_bridge_first {
            bridged(&mut bench);
        }
        bench.tells("Hangup", AGENT);
        bench.tells("Hangup", asks);
        assert_eq!(
            told(&mut bench),
            [
                "Retrieved 3001: 4711 Connected, 3001 Connected",
                "Transferred by 3001 to 3002: 4711 Connected, 3002 Connected"
            ]
        );
        bench.tells("Hangup", CALLER);
        bench.tells("Hangup", asked);
        assert_eq!(told(&mut bench).last().map(String::as_str), Some("Ended: "));
        assert_eq!(bench.world.snapshot(bench.now).calls, []);
    }
}

/// What the gateway asks for in [`asking`]: that the caller goes on with 3002.
fn joining() -> Arc<Joining> {
    let ids = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
    Arc::new(Joining { legs: ids("a-1795538710.2", "a-1795538720.8"), ends: ids("a-1795538710.0", "a-1795538720.9") })
}

#[test]
fn a_transfer_that_the_gateway_asked_for_is_one_however_early_the_phone_leaves_its_first_call() {
    for earlier in 1..=3 {
        let (mut bench, asks, asked) = asking();
        bench.world.switch.is_to_join(&joining());
        let target = asked.replace("Linkedid: a-1795538720.8", "Linkedid: a-1795538710.0");
        bench.tells("BridgeLeave", &format!("{CALLER}, BridgeUniqueid: f175"));
        let mut moves =
            vec![("BridgeEnter", CALLER, "d6ae"), ("BridgeLeave", asked, "ce5d"), ("BridgeEnter", &target, "d6ae")];
        let late = moves.split_off(earlier);
        let leaves = [("BridgeLeave", AGENT, "f175"), ("Hangup", AGENT, "")];
        for (event, channel, bridge) in moves.into_iter().chain(leaves).chain(late) {
            bench.tells(event, &format!("{channel}, ChannelState: 6, BridgeUniqueid: {bridge}"));
        }
        bench.tells("BridgeLeave", &format!("{asks}, BridgeUniqueid: ce5d"));
        bench.tells("Hangup", asks);
        let transferred = "Transferred by 3001 to 3002: 4711 Connected, 3002 Connected";
        assert_eq!(told(&mut bench), [transferred], "after {earlier} of the moves");
        bench.tells("Hangup", CALLER);
        bench.tells("Hangup", asked);
        assert_eq!(told(&mut bench).last().map(String::as_str), Some("Ended: "));
        assert_eq!(bench.world.snapshot(bench.now).calls, []);
    }
}

#[test]
fn a_transfer_that_was_asked_for_and_not_made_leaves_two_calls_that_end_for_themselves() {
    let (mut bench, asks, asked) = asking();
    bench.world.switch.is_to_join(&joining());
    bench.tells("BridgeLeave", &format!("{CALLER}, BridgeUniqueid: f175"));
    bench.tells("Hangup", CALLER);
    bench.tells("BridgeLeave", &format!("{AGENT}, BridgeUniqueid: f175"));
    bench.tells("Hangup", AGENT);
    let of_the_first = told(&mut bench);
    assert_eq!(of_the_first.last().map(String::as_str), Some("Ended: "), "{of_the_first:?}");
    assert!(!of_the_first.iter().any(|step| step.starts_with("Transferred")), "{of_the_first:?}");
    assert_eq!(bench.world.snapshot(bench.now).calls.len(), 1, "3001 still talks with 3002");
    bench.tells("Hangup", asked);
    bench.tells("Hangup", asks);
    assert_eq!(bench.world.snapshot(bench.now).calls, []);
}

#[test]
fn two_calls_of_one_device_in_one_bridge_with_it_are_a_conference() {
    let (mut bench, asks, asked) = asking();
    bench.tells("Unhold", AGENT);
    told(&mut bench);
    bench.tells("BridgeEnter", &format!("{asked}, ChannelState: 6, BridgeUniqueid: f175"));
    bench.tells("Hangup", asks);
    assert_eq!(
        told(&mut bench),
        ["Conferenced by 3001 with 3002 of another call: 4711 Connected, 3001 Connected, 3002 Connected"]
    );
    let kind = |bench: &mut Bench| bench.world.snapshot(bench.now).calls[0].kind;
    assert_eq!(kind(&mut bench), CallKind::Conference);
    bench.tells("Hangup", AGENT);
    assert_eq!(told(&mut bench), ["3001 left Normal: 4711 Connected, 3002 Connected"]);
    assert_eq!(kind(&mut bench), CallKind::QueuedIn);
}

#[test]
fn who_comes_into_a_conference_is_on_its_call_until_it_leaves() {
    let mut bench = bench();
    let at = |number: &str, count: u32| {
        format!(
            "Channel: PJSIP/{number}-0000000{count}, Uniqueid: a-1795538710.{count}, Linkedid: a-1795538710.{count}, CallerIDNum: {number}, ChannelState: 6"
        )
    };
    let (outside, two, three, four) = (
        at("trunk", 1).replace("CallerIDNum: trunk", "CallerIDNum: 4711"),
        at("3002", 2),
        at("3003", 3),
        at("3004", 4),
    );
    for channel in [&outside, &two, &three, &four] {
        bench.tells("Newchannel", channel);
    }
    told(&mut bench);
    let room = "BridgeUniqueid: room, BridgeTechnology: softmix";
    for channel in [&two, &outside, &three, &four] {
        bench.tells("BridgeEnter", &format!("{channel}, {room}"));
    }
    assert_eq!(
        told(&mut bench),
        [
            "Established 4711: 3002 Connected, 4711 Connected",
            "Conferenced by 3002 with 3003 of another call: 3002 Connected, 4711 Connected, 3003 Connected",
            "Conferenced by 3002 with 3004 of another call: 3002 Connected, 4711 Connected, 3003 Connected, 3004 Connected",
        ]
    );
    // One goes on by itself, and dials.
    bench.tells("BridgeLeave", &format!("{four}, {room}"));
    let dialed = "DestChannel: PJSIP/3005-00000005, DestUniqueid: a-1795538710.5, DestLinkedid: a-1795538710.4";
    bench.tells("DialBegin", &format!("{four}, {dialed}"));
    assert_eq!(
        told(&mut bench),
        ["3004 left Normal: 3002 Connected, 4711 Connected, 3003 Connected", "Began: 3004 Connected"]
    );
    for channel in [&three, &two, &outside, &four] {
        bench.tells("BridgeLeave", &format!("{channel}, {room}"));
        bench.tells("Hangup", channel);
    }
    told(&mut bench);
    assert_eq!(bench.world.snapshot(bench.now).calls, []);
}

#[test]
fn who_is_parked_beside_others_is_not_on_a_call_with_them() {
    let mut bench = bench();
    for count in [2, 3] {
        let channel = format!(
            "Channel: PJSIP/300{count}-0000000{count}, Uniqueid: a-1795538710.{count}, Linkedid: a-1795538710.{count}, ChannelState: 6"
        );
        bench.tells("Newchannel", &channel);
        bench.tells("BridgeEnter", &format!("{channel}, BridgeUniqueid: lot, BridgeTechnology: holding_bridge"));
    }
    assert_eq!(told(&mut bench), ["Began: 3002 Connected", "Began: 3003 Connected"]);
}

#[test]
fn a_local_channel_and_the_phone_behind_it_are_one_party_with_the_devices_name() {
    let interfaces = [("Local/{instrument}@hot/n", 0), ("Local/{instrument}@hot/n", 1), ("PJSIP/{instrument}", 0)];
    for (interface, skipped) in interfaces {
        let mut bench = bench_at(interface);
        bench.tells("Newchannel", &format!("{CALLER}, ChannelState: 6, Exten: sales"));
        bench.tells("QueueCallerJoin", &format!("{CALLER}, ChannelState: 6, Queue: sales, Count: 1"));
        let half = |number: u32| {
            format!(
                "Channel: Local/3001@hot-00000001;{number}, Uniqueid: a-1795538710.{number}, Linkedid: a-1795538710.0"
            )
        };
        let (one, two) = (half(1), half(2));
        let phone = "Channel: PJSIP/3001-00000002, Uniqueid: a-1795538710.4, Linkedid: a-1795538710.0";
        bench.tells("Newchannel", &format!("{one}, ChannelState: 0"));
        bench.tells("Newchannel", &format!("{two}, ChannelState: 4"));
        bench.tells("DialBegin", &format!("{CALLER}, {}", prefixed("Dest", &one)));
        bench.tells("Newchannel", &format!("{phone}, ChannelState: 0"));
        bench.tells("DialBegin", &format!("{two}, ChannelState: 4, {}", prefixed("Dest", phone)));
        bench.tells("Newstate", &format!("{phone}, ChannelState: 5"));
        bench.tells("Newstate", &format!("{one}, ChannelState: 5"));
        bench.tells("Newstate", &format!("{phone}, ChannelState: 6"));
        bench.tells("BridgeEnter", &format!("{phone}, BridgeUniqueid: in"));
        bench.tells("BridgeEnter", &format!("{two}, ChannelState: 6, BridgeUniqueid: in"));
        bench.tells("Newstate", &format!("{one}, ChannelState: 6"));
        bench.tells("QueueCallerLeave", &format!("{CALLER}, Queue: sales, Count: 0"));
        bench.tells("BridgeEnter", &format!("{one}, BridgeUniqueid: out"));
        bench.tells("BridgeEnter", &format!("{CALLER}, BridgeUniqueid: out"));
        bench.tells("Hold", phone);
        bench.tells("Unhold", phone);
        for gone in [phone, &two, &one].iter().cycle().skip(skipped).take(3) {
            bench.tells("Hangup", gone);
        }
        assert_eq!(
            told(&mut bench),
            [
                "Queued sales: 4711 Connected, sales Queued",
                "Delivered 3001: 4711 Connected, sales Queued, 3001 Alerting",
                "sales left Redirected: 4711 Connected, 3001 Alerting",
                "Established 3001: 4711 Connected, 3001 Connected",
                "Held 3001: 4711 Connected, 3001 Held",
                "Retrieved 3001: 4711 Connected, 3001 Connected",
                "3001 left Normal: 4711 Connected",
            ],
            "{interface}"
        );
    }
}

#[test]
fn a_made_call_that_nobody_is_dialled_from_is_through_after_a_moment() {
    let made = "Channel: PJSIP/3001-00000002, Uniqueid: ctigate-1795538710.32767, Linkedid: ctigate-1795538710.32767";
    let other = "Channel: PJSIP/3002-00000003, Uniqueid: a-1795538710.3, Linkedid: ctigate-1795538710.32767";
    let mut bench = bench();
    bench.tells("Newchannel", &format!("{made}, ChannelState: 0"));
    bench.tells("DialBegin", &prefixed("Dest", made));
    bench.tells("Newstate", &format!("{made}, ChannelState: 5"));
    bench.tells("Newstate", &format!("{made}, ChannelState: 6"));
    bench.tells("DialEnd", &format!("{}, DialStatus: ANSWER", prefixed("Dest", made)));
    bench.pass(Duration::from_millis(500));
    bench.tells("Newchannel", &format!("{other}, ChannelState: 0"));
    bench.tells("DialBegin", &format!("{made}, {}", prefixed("Dest", other)));
    bench.pass(Duration::from_secs(5));
    assert_eq!(
        told(&mut bench),
        ["Initiated 3001: 3001 Initiated", "Delivered 3002: 3001 Initiated, 3002 Alerting"],
        "who dials is not through"
    );
    // Nobody answers there, and the call goes on to a voicemail.
    bench.tells("DialEnd", &format!("{made}, {}, DialStatus: NOANSWER", prefixed("Dest", other)));
    bench.tells("Hangup", other);
    assert_eq!(told(&mut bench), ["3002 left NotAnswered: 3001 Initiated"]);
    bench.pass(Duration::from_millis(900));
    assert_eq!(told(&mut bench), [""; 0]);
    bench.pass(Duration::from_millis(200));
    assert_eq!(told(&mut bench), ["Established 3001: 3001 Connected"]);
}

#[test]
fn a_channel_goes_alone_to_an_older_call_and_never_back() {
    let mut bench = bench();
    let at = |number: u32, call: u32| {
        format!(
            "Channel: PJSIP/300{number}-0000000{number}, Uniqueid: a-1795538710.{number}, Linkedid: a-1795538710.{call}, ChannelState: 6"
        )
    };
    for channel in [at(1, 1), at(4, 4), at(5, 4)] {
        bench.tells("Newchannel", &channel);
    }
    told(&mut bench);
    bench.tells("BridgeEnter", &at(5, 1));
    assert_eq!(
        told(&mut bench),
        ["3005 left Normal: 3004 Connected", "Established 3005: 3001 Connected, 3005 Connected"]
    );
    for channel in [at(4, 4), at(5, 1), at(5, 4), at(1, 1)] {
        bench.tells("VarSet", &format!("{channel}, Variable: X, Value: 1"));
    }
    assert_eq!(told(&mut bench), [""; 0]);
}

#[test]
fn calls_that_touch_no_queue_and_no_device_of_ours_are_none_of_ours() {
    let mut bench = bench();
    bench.tells("Newchannel", &format!("{CALLER}, ChannelState: 4, Exten: 100"));
    let out = "Channel: PJSIP/trunk-00000009, Uniqueid: a-1795538710.9, Linkedid: a-1795538710.0";
    bench.tells("Newchannel", &format!("{out}, ChannelState: 6"));
    bench.tells("Hangup", out);
    bench.tells("Hangup", CALLER);
    assert_eq!(told(&mut bench), [""; 0]);
}

#[test]
fn whatever_comes_in_whatever_order_nothing_is_left_when_every_channel_has_hung_up() {
    let half = |number: u32| {
        format!("Channel: Local/3002@hot-1;{number}, Uniqueid: a-1795538710.{number}1, Linkedid: a-1795538710.0")
    };
    let channels = [CALLER, AGENT, OTHER, &half(1), &half(2)];
    let events = [
        "Newchannel",
        "Newstate",
        "DialBegin",
        "DialEnd",
        "BridgeEnter",
        "BridgeEnter",
        "BridgeLeave",
        "QueueCallerJoin",
        "QueueCallerLeave",
        "QueueCallerAbandon",
        "AttendedTransfer",
        "Hold",
        "Unhold",
        "AgentCalled",
        "Hangup",
        "VarSet",
        "list",
    ];
    for seed in 0..1_000_u64 {
        let (mut bench, mut there) = (bench(), HashSet::new());
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % bound as u64).expect("small")
        };
        for at in 0..60 {
            let (event, dest) = (events[below(events.len())], channels[below(5)]);
            // Now and then it has come to another call, and at first all are there.
            let mut channel = || {
                let (channel, state) = (channels[if at < 5 { at } else { below(5) }], [0, 4, 5, 6][below(4)]);
                let linked = ["1795538710.0", "1795538710.2", "1795538716.3"][below(3)];
                let bridge = ["x", "y"][below(2)];
                let channel = channel.replace("Linkedid: a-1795538710.0", &format!("Linkedid: a-{linked}"));
                (format!("{channel}, ChannelState: {state}"), bridge)
            };
            let ((channel, bridge), (other, _)) = (channel(), channel());
            match event {
                _ if at < 5 => bench.tells("Newchannel", &channel),
                "list" => {
                    let listed = format!("{channel}, BridgeId: {bridge}, Application: Queue, ApplicationData: sales");
                    bench.world.set_channels(&[item(&listed), item(&other)]);
                    bench.take();
                    there = bench.world.snapshot(bench.now).calls.iter().map(|call| call.id).collect();
                }
                "AttendedTransfer" => bench.tells(
                    event,
                    &format!("Result: Success, {}, {}", prefixed("TransferTarget", &channel), prefixed("Transferee", &other)),
                ),
                event => bench.tells(event, &format!("{channel}, {}, DialStatus: ANSWER, Queue: sales, Interface: PJSIP/3001, BridgeUniqueid: {bridge}, Variable: CASE, Value: x", prefixed("Dest", dest))),
            }
            there_is(&mut bench, &mut there, seed);
        }
        for gone in channels {
            bench.tells("Hangup", gone);
        }
        there_is(&mut bench, &mut there, seed);
        assert_eq!(bench.world.snapshot(bench.now).calls, [], "seed {seed}");
        assert!(there.is_empty(), "seed {seed}: what was told of has ended: {there:?}");
        assert_eq!(bench.world.switch.kept(), 0, "seed {seed}");
    }
}

/// Takes in what was told since, of calls that are there.
fn there_is(bench: &mut Bench, there: &mut HashSet<CallId>, seed: u64) {
    let mut order = 0;
    for event in bench.take() {
        let AcdEvent::Call(CallReport { call, step }) = event else { continue };
        assert!(call.order > order, "seed {seed}: orders go up");
        order = call.order;
        let mut devices: Vec<_> = call.parties.iter().map(|party| &party.device).collect();
        devices.sort();
        devices.dedup();
        assert_eq!(devices.len(), call.parties.len(), "seed {seed}: a device is on a call once");
        match step {
            CallStep::Ended => assert!(there.remove(&call.id), "seed {seed}: what ends was there"),
            CallStep::Transferred(joined) | CallStep::Conferenced(joined) => {
                there.insert(call.id);
                assert!(
                    joined.secondary.is_none_or(|other| there.remove(&other)),
                    "seed {seed}: so was what is joined"
                );
            }
            _ => drop(there.insert(call.id)),
        }
    }
    let calls = bench.world.snapshot(bench.now).calls;
    assert_eq!(calls.iter().map(|call| call.id).collect::<HashSet<_>>(), *there, "seed {seed}: no others are kept");
}
