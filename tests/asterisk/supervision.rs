//! A supervisor at a real phone who listens to an agent's call, whispers and barges in: what is told, and what is heard.

use cti_protocol::ged188::AnyMessage;
use cti_protocol::ged188::codes::{CallType, SupervisoryAction};

use super::baresip::Baresip;
use super::desk::{Desk, LOGIN};
use super::rig::*;

const PHONES: &str = "PJSIP/{instrument}";
const TEAM: &str = r#"
    chanspy = true
    [[team]]
    id = 1
    name = "all"
    supervisors = ["1002"]
    agents = ["1001"]
"#;

/// The kind of a call that begins at the desk, or becomes another one.
fn kind(event: &AnyMessage) -> Option<CallType> {
    match event {
        AnyMessage::BeginCallEvent(event) => Some(event.call_type),
        AnyMessage::CallDataUpdateEvent(event) => Some(event.call_type),
        _ => None,
    }
}

#[tokio::test]
async fn a_supervisor_is_heard_by_nobody_by_the_agent_or_by_all_as_it_was_asked() {
    let asterisk = Asterisk::start().await;
    let served = gateway(asterisk.port, PHONES, TEAM).await;
    let sip_port = asterisk.port + 22;
    let mut agents_phone = Baresip::registered(sip_port, "3001").await;
    let mut supervisors_phone = Baresip::hummed_into(sip_port, "3002").await;
    let mut others_phone = Baresip::registered(sip_port, "3003").await;
    let mut agent = Desk::of_agent(served.address, "1001").await;
    agent.does("1001", LOGIN).await;
    let mut supervisor = Desk::of_supervisor(served.address, "1002").await;
    supervisor.does("1002", LOGIN).await;

    // Nobody talks yet.
    let refused = supervisor.supervises("1001", SupervisoryAction::SUPERVISOR_MONITOR).await.unwrap_err();
    assert!(refused.contains("nobody talks"), "{refused}");

    others_phone.dials("3001").await;
    agents_phone.rings().await;
    agents_phone.answers().await;
    agent.hears_of(|event| matches!(event, AnyMessage::CallEstablishedEvent(_)).then_some(())).await;
    supervisor.supervises("1001", SupervisoryAction::SUPERVISOR_MONITOR).await.expect("it can be listened to");
    assert_eq!(supervisor.hears_of(kind).await, CallType::CALLTYPE_SUPERVISOR_MONITOR);
    supervisors_phone.rings().await;
    supervisors_phone.answers().await;
    supervisor.hears_of(|event| matches!(event, AnyMessage::CallEstablishedEvent(_)).then_some(())).await;
    assert_eq!([agents_phone.hears_hum().await, others_phone.hears_hum().await], [false, false]);

    supervisor.supervises("1001", SupervisoryAction::SUPERVISOR_WHISPER).await.expect("it can be whispered into");
    assert_eq!(supervisor.hears_of(kind).await, CallType::CALLTYPE_SUPERVISOR_WHISPER);
    agents_phone.comes_to_hear_hum().await;
    assert!(!others_phone.hears_hum().await);

    supervisor.supervises("1001", SupervisoryAction::SUPERVISOR_BARGE_IN).await.expect("it can be joined");
    assert_eq!(supervisor.hears_of(kind).await, CallType::CALLTYPE_SUPERVISOR_BARGEIN);
    others_phone.comes_to_hear_hum().await;
    assert!(agents_phone.hears_hum().await);

    let refused = supervisor.supervises("1001", SupervisoryAction::SUPERVISOR_INTERCEPT).await.unwrap_err();
    assert!(refused.contains("CF_INVALID_FEATURE"), "{refused}");

    // The agent's end of the call ends what the supervisor hears it with.
    agents_phone.hangs_up().await;
    supervisor.hears_of(|event| matches!(event, AnyMessage::EndCallEvent(_)).then_some(())).await;
    no_call_is_left(&served).await;
}
