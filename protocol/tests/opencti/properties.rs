//! What holds for every message.

use cti_protocol::opencti::{
    Activity, AgentEventName, AgentOptions, AgentStateEvent, Answer, Code, DeviceState, Event, EventBody, Hello,
    LinkState, LoginAgent, LogoutAgent, Media, Notice, NoticeName, Request, RequestId, Resume, Secret, ServerMessage,
    SessionAgentState, SetAgentNotReady, Snapshot, SnapshotEvent, SubscribeForEvents, What, WorkMode,
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
    prop_oneof![hello, login, logout, not_ready, subscribe, Just(Activity::Heartbeat(Default::default()))]
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
    (text(), text(), prop_oneof![snapshot, state]).prop_map(|(acd, queue, what)| EventBody {
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
