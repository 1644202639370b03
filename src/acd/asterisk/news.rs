//! What Asterisk's events and lists say. Not here: what follows from it (`world`).
//!
//! Members in queues without a number, or at interfaces that the template does not make, are none of the gateway's: what
//! is said of them is passed over.

use std::collections::HashMap;

use tokio::time::Instant;

use super::ami::Message;
use super::calls::{Call, Stage};
use super::members::{Echo, Member, Place, device_in, pause_in};
use super::names::{Interface, Names, channel_base};
use super::world::World;

/// The events that the gateway makes use of: Asterisk is asked to send no others.
pub(super) const EVENTS: &[&str] = &[
    "FullyBooted",
    "Shutdown",
    "Reload",
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPause",
    "QueueMemberStatus",
    "AgentCalled",
    "AgentConnect",
    "AgentComplete",
    "AgentRingNoAnswer",
    "AgentDump",
    "Hold",
    "Unhold",
    "Hangup",
    "Newchannel",
    "Newstate",
    "DialBegin",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "QueueCallerJoin",
    "QueueCallerLeave",
    "QueueCallerAbandon",
    "BlindTransfer",
    "AttendedTransfer",
    "ChanSpyStart",
    "OriginateResponse",
];

/// What is asked for besides where channel variables are call data: their changes.
pub(super) const VARIABLE_EVENT: &str = "VarSet";

/// Takes an event in. False for one that is not known here.
pub(super) fn take(world: &mut World, event: &[u8], message: &Message, now: Instant) -> bool {
    let names = std::sync::Arc::clone(&world.names);
    let place = || place_in(&names, message, "Interface");
    let id = |key: &str| message.text_of(key).unwrap_or_default();
    // Of a call first the announcement is told, of all else the call before the agents' states.
    if event != b"AgentCalled" {
        world.channel_event(event, message, now);
    }
    match event {
        b"QueueMemberAdded" => {
            if let Some((place, member)) = member_in(&names, message, "Interface", "MemberName") {
                world.told_of(&place, &Echo::Added, Some(member), now);
            }
        }
        b"QueueMemberRemoved" => {
            if let Some(place) = place() {
                world.told_of(&place, &Echo::Removed, None, now);
            }
        }
        b"QueueMemberPause" => {
            if let Some((place, member)) = member_in(&names, message, "Interface", "MemberName") {
                world.told_of(&place, &Echo::Paused(member.paused.clone()), Some(member), now);
            }
        }
        b"QueueMemberStatus" => {
            if let Some((place, member)) = member_in(&names, message, "Interface", "MemberName") {
                world.told_status(&place, member, now);
            }
        }
        b"AgentCalled" => {
            if let (Some(place), Some(call)) = (place(), Call::in_message(message, Stage::Offered)) {
                world.offered(&place, call, now);
            }
            world.channel_event(event, message, now);
        }
        b"AgentConnect" => {
            if let (Some(place), Some(call)) = (place(), Call::in_message(message, Stage::Connected)) {
                world.connected(&place, call, now);
            }
        }
        b"AgentRingNoAnswer" => {
            if let Some(place) = place() {
                world.over_at(&place, |call| call.stage == Stage::Offered, now);
            }
        }
        b"AgentComplete" | b"AgentDump" => {
            if let Some(place) = place() {
                world.over_at(&place, |call| call.stage != Stage::Offered, now);
            }
        }
        b"OriginateResponse" if message.text_of("Response") == Some("Failure") => world.dial_failed(id("Uniqueid")),
        b"Hold" => world.held(id("Uniqueid"), true, now),
        b"Unhold" => world.held(id("Uniqueid"), false, now),
        b"Hangup" => world.hung_up(id("Uniqueid"), now),
        b"Newchannel"
        | b"Newstate"
        | b"DialBegin"
        | b"DialEnd"
        | b"BridgeEnter"
        | b"BridgeLeave"
        | b"QueueCallerJoin"
        | b"QueueCallerLeave"
        | b"QueueCallerAbandon"
        | b"BlindTransfer"
        | b"AttendedTransfer"
        | b"ChanSpyStart"
        | b"OriginateResponse"
        | b"VarSet" => (),
        _ => return false,
    }
    true
}

/// A member, as an item of a QueueStatus list says it.
pub(super) fn listed_member(names: &Names, message: &Message) -> Option<(Place, Member)> {
    member_in(names, message, "Location", "Name")
}

fn member_in(names: &Names, message: &Message, interface: &str, name: &str) -> Option<(Place, Member)> {
    let place = place_in(names, message, interface)?;
    let spelled = message.text_of(interface)?;
    let member = Member {
        agent: names.agent(message.text_of(name).unwrap_or_default(), spelled)?,
        instrument: names.instrument(spelled)?,
        spelled: spelled.into(),
        paused: pause_in(message),
        device: device_in(message),
        is_in_call: message.text_of("InCall") == Some("1"),
    };
    Some((place, member))
}

fn place_in(names: &Names, message: &Message, interface: &str) -> Option<Place> {
    let queue = names.queue_number(message.text_of("Queue")?)?;
    let interface = message.text_of(interface)?;
    names.instrument(interface)?;
    Some(Place { queue, interface: Interface::new(interface) })
}

/// A channel that is up or ringing, as an item of a CoreShowChannels list says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ListedChannel {
    name: String,
    application: String,
    data: String,
    linked_id: String,
    is_up: bool,
    id: String,
    caller: Option<String>,
    dialed: Option<String>,
}

/// Reads such an item; only channels of queues matter.
pub(super) fn listed_channel(message: &Message) -> Option<ListedChannel> {
    let text = |key: &str| message.text_of(key).map(str::to_owned);
    let application = text("Application")?;
    matches!(&*application, "Queue" | "AppQueue").then_some(())?;
    Some(ListedChannel {
        name: text("Channel")?,
        data: text("ApplicationData").unwrap_or_default(),
        linked_id: text("Linkedid")?,
        is_up: text("ChannelState")? == CHANNEL_UP,
        id: text("Uniqueid")?,
        caller: text("ConnectedLineNum"),
        dialed: text("Exten"),
        application,
    })
}

/// Puts the calls of queues back in place that went on while nothing was heard: a caller's channel is in the application
/// Queue and names the queue, the channel at the member is in AppQueue, both with the same Linkedid.
pub(super) fn restore_calls(world: &mut World, channels: &[ListedChannel], now: Instant) {
    let names = std::sync::Arc::clone(&world.names);
    let mut queues = HashMap::new();
    for caller in channels.iter().filter(|channel| channel.application == "Queue") {
        let name = caller.data.split(',').next().unwrap_or_default();
        if let Some(queue) = names.queue_number(name) {
            queues.insert(caller.linked_id.as_str(), queue);
        }
    }
    let interfaces: HashMap<String, Interface> = world.interfaces().map(|at| (channel_base(at.as_str()), at)).collect();
    for channel in channels.iter().filter(|channel| channel.application == "AppQueue") {
        let base = channel.name.rsplit_once('-').map_or(channel.name.as_str(), |(base, _)| base).to_ascii_lowercase();
        let (Some(&queue), Some(interface)) = (queues.get(channel.linked_id.as_str()), interfaces.get(&base)) else {
            continue;
        };
        let place = Place { queue, interface: interface.clone() };
        let call = Call {
            id: channel.id.clone(),
            channel: channel.name.clone(),
            stage: if channel.is_up { Stage::Connected } else { Stage::Offered },
            key: super::calls::key_of(&channel.linked_id),
            ani: channel.caller.clone(),
            dialed_number: channel.dialed.clone(),
        };
        let is_so_already = match call.stage {
            Stage::Offered => world.calls.has(&call.id),
            _ => world.calls.is_answered(&call.id),
        };
        if is_so_already {
            continue; // on a link that was up all the time: what is known is newer, and was told
        }
        match call.stage {
            Stage::Offered => world.offered(&place, call, now),
            _ => world.connected(&place, call, now),
        }
    }
}

/// AST_STATE_UP.
pub(super) const CHANNEL_UP: &str = "6";
