//! What channels make of a call: events as a real Asterisk 22 sent them, shortened.

use super::*;
use crate::model::{CallReport, CallStep};

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
    let more = "trunks = [\"trunk\"]\n[[variable]]\nname = \"CASE\"\ndata = 1\n[[variable]]\nname = \"TIER\"\ndata = \"user.tier\"";
    let (head, tables) = CONFIG.split_once("[[queue]]").expect("queues");
    let (option, variables) = more.split_once('\n').expect("two parts");
    let mut bench = Bench::with(&format!("{head}\n{option}\n{variables}\n[[queue]]{tables}"));
    bench.tells_member("QueueMemberAdded", "sales", IDLE);
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
    let channels = [CALLER, AGENT, OTHER];
    let events = [
        "Newchannel",
        "Newstate",
        "DialBegin",
        "DialEnd",
        "BridgeEnter",
        "QueueCallerJoin",
        "QueueCallerLeave",
        "QueueCallerAbandon",
        "Hold",
        "Unhold",
        "AgentCalled",
        "Hangup",
        "VarSet",
    ];
    for seed in 0..2_000_u64 {
        let mut bench = bench();
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random % bound as u64).expect("small")
        };
        for _ in 0..40 {
            let (event, channel, dest) =
                (events[below(events.len())], channels[below(3)], [DEST, DEST_OTHER][below(2)]);
            let state = [0, 4, 5, 6][below(4)];
            let linked = ["", "0"][below(2)]; // now and then it has come to another call
            let channel = channel.replace("Linkedid: a-1795538710.0", &format!("Linkedid: a-1795538710.{linked}0"));
            bench.tells(event, &format!("{channel}, ChannelState: {state}, {dest}, DialStatus: ANSWER, Queue: sales, Interface: PJSIP/3001, Variable: CASE, Value: x"));
        }
        for gone in channels {
            bench.tells("Hangup", gone);
        }
        let reports = bench.take();
        assert_eq!(bench.world.snapshot(bench.now).calls, [], "seed {seed}");
        let mut there = std::collections::HashSet::new();
        let mut order = 0;
        for event in reports {
            let AcdEvent::Call(CallReport { call, step }) = event else { continue };
            assert!(call.order > order, "seed {seed}: orders go up");
            order = call.order;
            let mut devices: Vec<_> = call.parties.iter().map(|party| &party.device).collect();
            devices.sort();
            devices.dedup();
            assert_eq!(devices.len(), call.parties.len(), "seed {seed}: a device is on a call once");
            match step {
                CallStep::Ended => assert!(there.remove(&call.id), "seed {seed}: what ends was there"),
                CallStep::Transferred(joined) => {
                    there.insert(call.id);
                    joined.secondary.map(|other| there.remove(&other));
                }
                _ => drop(there.insert(call.id)),
            }
        }
        assert!(there.is_empty(), "seed {seed}: what was told of has ended: {there:?}");
    }
}
