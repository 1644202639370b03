//! What holds for every message.

use std::collections::BTreeMap;

use cti_protocol::opencti::{
    Activity, AgentEventName, AgentOptions, AgentStateEvent, Answer, CallEventName, CallInfo, CallInfoEvent,
    CallStateEvent, CallType, Code, DeviceState, Dial, DropParty, Event, EventBody, Hello, LinkState, LoginAgent,
    LogoutAgent, Media, Notice, NoticeName, OfCall, Party, PartyInfo, PartyInfoEvent, Request, RequestId, Resume,
    Secret, SendDtmf, ServerMessage, SessionAgentState, SetAgentNotReady, Snapshot, SnapshotEvent, SubscribeForEvents,
    What, WorkMode,
};
use proptest::option;
use proptest::prelude::*;

use super::published::{is_request, is_server_message};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z0-9]{0,12}", Just("Zoë \u{1f4de} \"\\\u{2028}\u{0}\n".to_owned())]
}

fn named() -> impl Strategy<Value = String> {
    text().prop_filter("not empty", |text| !text.is_empty())
}

fn secret() -> impl Strategy<Value = Secret> {
    text().prop_map(|text| Secret::from(text.as_str()))
}

fn id() -> impl Strategy<Value = RequestId> {
    prop_oneof![any::<i64>().prop_map(RequestId::Number), "[ -~é]{0,60}".prop_map(RequestId::Text)]
}

fn options() -> impl Strategy<Value = Option<AgentOptions>> {
    option::of(option::of(text()).prop_map(|reason_code| AgentOptions { reason_code, open_cti: None }))
}

fn activity() -> impl Strategy<Value = Activity> {
    let hello = (named(), option::of(secret()), option::of((secret(), any::<u64>())), option::of(1..u32::MAX))
        .prop_map(|(identity, secret, resume, idle_timeout_seconds)| {
            let resume = resume.map(|(session, seq)| Resume { session, seq });
            Activity::Hello(Hello { protocol_version: 1, identity, secret, resume, idle_timeout_seconds })
        });
    let login = (named(), secret(), option::of(text()), options(), option::of(text())).prop_map(
        |(agent_id, agent_password, queue, agent_options, dn)| {
            Activity::LoginAgent(LoginAgent { agent_id, agent_password, queue, agent_options, dn, acd: None })
        },
    );
    let logout = (named(), option::of(text()), options()).prop_map(|(agent_id, queue, agent_options)| {
        Activity::LogoutAgent(LogoutAgent { agent_id, queue, agent_options, acd: None })
    });
    let not_ready = (named(), options(), option::of(text())).prop_map(|(agent_id, agent_options, work_mode)| {
        Activity::SetAgentNotReady(SetAgentNotReady { agent_id, agent_options, work_mode, ..Default::default() })
    });
    let subscribe = (named(), option::of(text()), option::of(secret())).prop_map(|(dn, agent_id, agent_password)| {
        Activity::SubscribeForEvents(SubscribeForEvents { dn, agent_id, agent_password, acd: None })
    });
    let dial = (named(), option::of(text()), data()).prop_map(|(destination, call_id, (variables, named, uui))| {
        let (call_variables, named_variables, application_data) = (variables, named, uui);
        let dial =
            Dial { destination, call_id, call_variables, named_variables, application_data, ..Default::default() };
        Activity::BlindTransfer(dial)
    });
    let of_call =
        (option::of(text()), option::of(text()), option::of(text())).prop_map(|(call_id, held_call_id, dn)| {
            Activity::TransferComplete(OfCall { call_id, held_call_id, dn, ..Default::default() })
        });
    let drop = (named(), option::of(text()))
        .prop_map(|(party, call_id)| Activity::DropParty(DropParty { party, call_id, ..Default::default() }));
    let tones = named().prop_map(|digits| Activity::SendDtmf(SendDtmf { digits, ..Default::default() }));
    let heartbeat = Just(Activity::Heartbeat(Default::default()));
    prop_oneof![hello, login, logout, not_ready, subscribe, dial, of_call, drop, tones, heartbeat]
}

type Data = (Vec<Option<String>>, BTreeMap<String, String>, Option<String>);

fn data() -> impl Strategy<Value = Data> {
    let variables = proptest::collection::vec(option::of(text()), 0..=10);
    (variables, proptest::collection::btree_map(text(), text(), 0..4), option::of(text()))
}

fn body() -> impl Strategy<Value = EventBody> {
    let snapshot =
        (text(), text(), text(), option::of(text())).prop_map(|(agent_id, this_dn, reason_code, message)| {
            What::SnapshotEvent(SnapshotEvent {
                event_name: Snapshot::Snapshot,
                media: Media::Voice,
                agent_id,
                this_dn,
                agent_state: SessionAgentState::Busy,
                device_state: DeviceState::Opened,
                link_state: LinkState::Disconnected,
                reason_code,
                work_mode: WorkMode::Busy,
                message,
            })
        });
    let state = (text(), text(), text()).prop_map(|(agent_id, this_dn, reason_code)| {
        What::AgentStateEvent(AgentStateEvent {
            event_name: AgentEventName::NotReady,
            media: Media::Voice,
            agent_id,
            this_dn,
            reason_code,
            work_mode: WorkMode::AuxWork,
        })
    });
    let call = (text(), text(), text()).prop_map(|(ani, call_id, other_dn)| {
        What::CallStateEvent(CallStateEvent {
            event_name: CallEventName::Established,
            media: Media::Voice,
            ani,
            call_id,
            call_type: CallType::Consult,
            other_dn,
            agent_id: "1001".to_owned(),
            this_dn: "3001".to_owned(),
        })
    });
    let info = (text(), data(), option::of(text())).prop_map(|(call_id, (_, named_variables, uui), wrap_up_data)| {
        What::CallInfoEvent(CallInfoEvent {
            event_name: CallInfo::CallInfo,
            media: Media::Voice,
            call_id,
            agent_id: String::new(),
            this_dn: "3001".to_owned(),
            dnis: "8001".to_owned(),
            call_variables: vec![None; 10],
            named_variables,
            application_data: uui,
            wrap_up_data,
        })
    });
    let parties = proptest::collection::vec(text(), 0..4).prop_map(|parties| {
        What::PartyInfoEvent(PartyInfoEvent {
            event_name: PartyInfo::PartyInfo,
            media: Media::Voice,
            call_id: "1".to_owned(),
            agent_id: String::new(),
            this_dn: "3001".to_owned(),
            parties: parties.into_iter().map(|dn| Party { dn }).collect(),
        })
    });
    (text(), text(), prop_oneof![snapshot, state, call, info, parties]).prop_map(|(acd, queue, what)| EventBody {
        time: "2026-01-02T03:04:05.678Z".to_owned(),
        acd,
        queue,
        what,
    })
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let ok = id().prop_map(|id| Answer::ok(id).into());
    let fail = (option::of(id()), text()).prop_map(|(id, why)| Answer::fail(id, Code::Timeout, why).into());
    let event = (1..u64::MAX, body()).prop_map(|(seq, body)| ServerMessage::Event(Box::new(Event { seq, body })));
    let notice = option::of(text()).prop_map(|message| {
        let time = "2026-01-02T03:04:05.678Z".to_owned();
        ServerMessage::Notice(Notice { notice: NoticeName::Closed, time, message })
    });
    prop_oneof![ok, fail, event, notice]
}

proptest! {
    #[test]
    fn a_request_that_is_written_reads_the_same(id in id(), activity in activity()) {
        let request = Request { id, activity };
        let written = serde_json::to_string(&request).unwrap();
        prop_assert!(is_request(&serde_json::from_str(&written).unwrap()), "{}", written);
        prop_assert_eq!(Request::read(&written), Ok(request));
    }

    #[test]
    fn a_message_that_is_written_is_one_line_and_reads_the_same(message in server_message()) {
        let mut written = Vec::new();
        message.write(&mut written);
        prop_assert!(!written.contains(&b'\n') && !written.contains(&b'\r'));
        prop_assert!(is_server_message(&serde_json::from_slice(&written).unwrap()));
        prop_assert_eq!(serde_json::from_slice::<ServerMessage>(&written).unwrap(), message);
    }

    #[test]
    fn an_event_numbered_afterwards_is_the_event(seq in any::<u64>(), body in body()) {
        let mut spliced = Vec::new();
        Event::splice(seq, &serde_json::to_vec(&body).unwrap(), &mut spliced);
        let whole = serde_json::to_string(&Event { seq, body }).unwrap();
        prop_assert_eq!(String::from_utf8(spliced).unwrap(), whole);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        let _ = Request::read(&text); // it reads or it does not
    }

    #[test]
    fn no_json_is_too_strange(names in proptest::collection::vec((text(), text()), 0..6), name in 0..Activity::NAMES.len()) {
        let mut object = serde_json::json!({"id": 1, "activity": Activity::NAMES[name]});
        for (name, value) in names {
            object[name] = serde_json::from_str(&value).unwrap_or(serde_json::Value::String(value));
        }
        let read = Request::read(&object.to_string());
        if let Ok(request) = read {
            prop_assert_eq!(Request::read(&serde_json::to_string(&request).unwrap()), Ok(request));
        }
    }
}
