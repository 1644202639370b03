//! Whole runs against a scripted server: what is measured, and that every broken promise is found.

use cti_protocol::ged188::codes::{AgentState, ControlFailure};
use cti_protocol::ged188::{AnyMessage, HeartbeatConf, QueryAgentStateConf, SetAgentStateConf};
use serde_json::Value;

use super::*;
use crate::cli::client::scripted::{Say, asks_for, default_answers, event, refusal, serve};

/// A short run of three agents against the script; its report as JSON.
async fn bench(rate: f64, script: impl Fn(&AnyMessage) -> Say + Clone + Send + 'static) -> Value {
    bench_at(serve(script).await, rate, Duration::from_secs(10)).await
}

async fn bench_at(connect: String, rate: f64, answer_wait: Duration) -> Value {
    let args = Args {
        connect,
        agents: 3,
        rate,
        calls: None,
        duration: Duration::from_millis(200),
        json: None,
        first_agent: 1001,
        password: "pw{id}".into(),
        first_instrument: 3001,
        protocol_version: Version::new(20).unwrap(),
        storm: 2,
        identity: Identity {
            client_id: "test".into(),
            client_password: String::new(),
            peripheral: 5000,
            tls: Default::default(),
        },
    };
    let way = args.connect.as_str().into();
    let run = Run { args: &args, way, answer_wait, listen: Duration::from_millis(50) };
    let (report, _) = run.all(args.desktops().unwrap()).await;
    serde_json::to_value(report).unwrap()
}

fn violations(report: &Value) -> Vec<&str> {
    report["violations"].as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_gateway_that_keeps_its_promises_is_fine() {
    let report = bench(150.0, |_| Say::Default).await;
    assert_eq!(report["ok"], true, "{report:#}");
    for once in ["open", "login", "logout"] {
        assert_eq!(report["latency_us"][once]["count"], 3, "{report:#}");
    }
    let cycled: u64 =
        ["ready", "not_ready", "query"].iter().map(|kind| report["latency_us"][kind]["count"].as_u64().unwrap()).sum();
    let not_sent = report["requests_not_sent"].as_u64().unwrap();
    assert_eq!(cycled + not_sent, 30, "150 a second for 0.2 s: {report:#}");
    assert_eq!(report["errors"], serde_json::json!({}));
}

#[tokio::test]
async fn without_a_rate_it_asks_as_fast_as_answers_come() {
    let report = bench(0.0, |_| Say::Default).await;
    assert_eq!((&report["ok"], &report["requests_not_sent"]), (&true.into(), &0.into()));
    assert!(report["requests_per_s"].as_f64().unwrap() > 150.0, "{report:#}");
    assert!(report["events_per_s"].as_f64().unwrap() > 0.0, "{report:#}");
}

#[tokio::test]
async fn an_event_behind_a_logouts_confirm_is_found() {
    let report = bench(0.0, |request| match asks_for(request, AgentState::AGENT_STATE_LOGOUT) {
        Some(logout) => {
            let mut answers = default_answers(request);
            answers.push(event(logout));
            Say::These(answers)
        }
        None => Say::Default,
    })
    .await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec!["event_after_logout"]));
    assert_eq!(report["violations"]["event_after_logout"]["count"], 3);
}

#[tokio::test]
async fn a_confirm_for_no_request_is_found() {
    let report = bench(0.0, |request| match asks_for(request, AgentState::AGENT_STATE_LOGIN) {
        Some(_) => {
            let stray = HeartbeatConf { invoke_id: 999, ..Default::default() };
            Say::These([vec![stray.into()], default_answers(request)].concat())
        }
        None => Say::Default,
    })
    .await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec!["confirm_for_no_request"]));
}

#[tokio::test]
async fn an_answer_of_the_wrong_type_is_found() {
    let report = bench(0.0, |request| match request {
        AnyMessage::QueryAgentStateReq(query) => {
            Say::These(vec![SetAgentStateConf { invoke_id: query.invoke_id, ..Default::default() }.into()])
        }
        _ => Say::Default,
    })
    .await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec!["wrong_answer"]));
}

#[tokio::test]
async fn a_request_that_is_never_answered_is_found() {
    let address = serve(|request| match asks_for(request, AgentState::AGENT_STATE_LOGOUT) {
        Some(_) => Say::These(vec![]),
        None => Say::Default,
    });
    let report = bench_at(address.await, 0.0, Duration::from_millis(300)).await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec!["never_answered"]));
    assert_eq!(report["desktops_failed"], 3);
}

#[tokio::test]
async fn a_broken_frame_is_found_and_survived() {
    let report = bench(0.0, |request| match request {
        AnyMessage::SetAgentStateReq(login) if login.agent_state == AgentState::AGENT_STATE_LOGIN => {
            // QUERY_AGENT_STATE_CONF with half an InvokeID, then the confirm.
            let mut bytes = vec![0, 0, 0, 2];
            bytes.extend_from_slice(&QueryAgentStateConf::TYPE.0.to_be_bytes());
            bytes.extend_from_slice(&[0, 0]);
            let mut confirm = bytes::BytesMut::new();
            let answer = <AnyMessage>::from(SetAgentStateConf { invoke_id: login.invoke_id, ..Default::default() });
            answer.encode(Version::new(20).unwrap(), &mut confirm).unwrap();
            bytes.extend_from_slice(&confirm);
            Say::Bytes(bytes)
        }
        _ => Say::Default,
    })
    .await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec!["undecodable"]));
    assert_eq!(report["latency_us"]["logout"]["count"], 3, "{report:#}");
}

#[tokio::test]
async fn a_gateway_that_hangs_up_is_found() {
    let report = bench(0.0, |request| match request {
        AnyMessage::QueryAgentStateReq(_) => Say::HangUp,
        _ => Say::Default,
    })
    .await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec!["closed_unexpectedly"]));
}

#[tokio::test]
async fn refused_states_are_listed_and_refused_logouts_fail_the_run() {
    let refusing = |state: AgentState| {
        move |request: &AnyMessage| match asks_for(request, state) {
            Some(request) => Say::These(vec![refusal(request, ControlFailure::CF_INVALID_OBJECT_STATE, "no")]),
            None => Say::Default,
        }
    };
    let report = bench(0.0, refusing(AgentState::AGENT_STATE_AVAILABLE)).await;
    assert_eq!(report["ok"], true, "{report:#}");
    assert!(report["errors"]["ready: CF_INVALID_OBJECT_STATE"].as_u64().unwrap() > 0);
    let report = bench(0.0, refusing(AgentState::AGENT_STATE_LOGOUT)).await;
    assert_eq!((&report["ok"], &report["desktops_failed"]), (&false.into(), &3.into()), "{report:#}");
}

#[tokio::test]
async fn without_a_gateway_nothing_is_measured() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let report = bench_at(address, 0.0, Duration::from_secs(10)).await;
    assert_eq!((&report["ok"], violations(&report)), (&false.into(), vec![]));
    assert_eq!(report["desktops_failed"], 3);
}

#[test]
fn rates_and_durations_have_bounds() {
    assert_eq!(parse_rate("0"), Ok(0.0));
    assert_eq!(parse_duration("0.5"), Ok(Duration::from_millis(500)));
    for wrong in ["-1", "nan", "inf", "fast", "1e99"] {
        assert!(parse_rate(wrong).is_err() && parse_duration(wrong).is_err(), "{wrong}");
    }
}
