//! Runs against a scripted server: how much is asked at a time, and what becomes of agents whom no answer comes for.

use std::sync::Arc;

use clap::Parser as _;
use cti_protocol::ged188::codes::{AgentFlags, ControlFailure, Status};
use cti_protocol::ged188::{
    AgentRecord, AgentTeamConfigEvent, AnyMessage, ConfigAgentEvent, ConfigEndEvent, ControlFailureConf, FailureConf,
    ListAgentTeamConf, QueriedSkillGroup, QueryAgentStateConf, SetAgentStateConf, TeamAgent,
};
use parking_lot::Mutex;

use super::report::Counts;
use super::work::IN_FLIGHT_MAX;
use super::*;
use crate::cli::client::scripted::{Say, default_answers, serve};
use crate::cli::{Cli, Command};

const READY: AgentState = AgentState::AGENT_STATE_AVAILABLE;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;

fn args(address: &str, more: &[&str]) -> Args {
    match Cli::try_parse_from([&["ctigate", "supervise", address], more].concat()).unwrap().command {
        Command::Supervise(args) => args,
        other => panic!("{other:?}"),
    }
}

/// The lines of a run, its counts, and why it did not come to its end.
async fn supervises(
    more: &[&str],
    script: impl Fn(&AnyMessage) -> Say + Clone + Send + 'static,
) -> (Vec<String>, Counts, Option<SuperviseError>) {
    let args = args(&serve(script).await, more);
    let opening = args.opening().unwrap();
    let mut client = Client::connect(&args.address.as_str().into(), opening.version).await.unwrap();
    let mut work = Work::new(args.order().unwrap(), args.timeout);
    let mut lines = Vec::new();
    let mut report = Report::new(&mut lines, args.json);
    let error = supervise(&args, &opening, &mut client, &mut work, &mut report).await.err();
    let counts = report.counts();
    assert_eq!(report.is_all_done(), counts.refused + counts.unanswered + counts.not_asked == 0);
    (String::from_utf8(lines).unwrap().lines().map(str::to_owned).collect(), counts, error)
}

/// As a gateway does, with agents 1 to `count` who are all ready in queue 1; but for what the script says first.
fn with_agents(
    count: u32,
    script: impl Fn(&AnyMessage) -> Option<Say> + Clone + Send + 'static,
) -> impl Fn(&AnyMessage) -> Say + Clone + Send + 'static {
    move |request| match (script(request), request) {
        (Some(said), _) => said,
        (None, AnyMessage::ConfigRequestEvent(_)) => {
            let ids: Vec<u32> = (1..=count).collect();
            let record = |id: &u32| AgentRecord { login_id: Text::new(&id.to_string()).ok(), ..Default::default() };
            let events = ids.chunks(10).map(|ids| {
                let records: Vec<_> = ids.iter().map(record).collect();
                ConfigAgentEvent { num_records: records.len() as u16, records, ..Default::default() }.into()
            });
            Say::These(events.chain([ConfigEndEvent::default().into()]).collect())
        }
        (None, AnyMessage::QueryAgentStateReq(query)) => Say::These(vec![stands(query.invoke_id, READY, &[1])]),
        _ => Say::Default,
    }
}

fn stands(invoke_id: u32, agent_state: AgentState, queues: &[u32]) -> AnyMessage {
    let group = |queue: &u32| QueriedSkillGroup { number: Some(*queue), ..Default::default() };
    QueryAgentStateConf {
        invoke_id,
        agent_state,
        num_skill_groups: queues.len() as u16,
        skill_groups: queues.iter().map(group).collect(),
        ..Default::default()
    }
    .into()
}

fn refuses(invoke_id: u32, failure_code: ControlFailure) -> AnyMessage {
    ControlFailureConf { invoke_id, failure_code, ..Default::default() }.into()
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_a_gateway_takes() {
    // No change is ever answered: those that were asked for are all that would have been in flight.
    let script = with_agents(2_000, |request| match request {
        AnyMessage::SetAgentStateReq(_) => Some(Say::These(Vec::new())),
        _ => None,
    });
    let (lines, counts, error) = supervises(&["--queue", "1", "--timeout", "1", "logout"], script).await;
    assert!(error.is_none(), "{error:?}");
    let not_asked = 2_000 - IN_FLIGHT_MAX;
    assert_eq!(counts, Counts { unanswered: IN_FLIGHT_MAX, not_asked, ..Counts::default() });
    assert_eq!(lines.last().unwrap(), "2000 agents: 256 not answered, 1744 not asked");
}

#[tokio::test]
async fn a_gateway_that_takes_fewer_requests_at_a_time_gets_fewer() {
    let (held, refused) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&refused);
    let script = with_agents(1_000, move |request| {
        let AnyMessage::SetAgentStateReq(change) = request else { return None };
        let (mut held, confirm) =
            (held.lock(), SetAgentStateConf { invoke_id: change.invoke_id, ..Default::default() }.into());
        if held.len() < 7 {
            held.push(confirm);
            return Some(Say::These(Vec::new()));
        }
        *count.lock() += 1;
        let mut said = vec![refuses(change.invoke_id, ControlFailure::CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED)];
        said.append(&mut held);
        Some(Say::These(said))
    });
    // The last few are held until the time is over: nobody comes after them.
    let (_, counts, error) = supervises(&["--queue", "1", "--timeout", "1", "ready"], script.clone()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(counts.already, 1_000, "who is ready is not asked to be");
    let (_, counts, _) = supervises(&["--queue", "1", "--timeout", "1", "logout"], script).await;
    assert_eq!((counts.refused, counts.not_asked), (0, 0), "{counts:?}");
    assert!(counts.done >= 993 && counts.unanswered <= 7, "{counts:?}");
    assert!(*refused.lock() > 0);
}

#[tokio::test]
async fn one_request_too_many_where_none_is_in_flight_is_a_refusal() {
    let script = with_agents(1, |request| match request {
        AnyMessage::SetAgentStateReq(change) => {
            Some(Say::These(vec![refuses(change.invoke_id, ControlFailure::CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED)]))
        }
        _ => None,
    });
    let (lines, counts, _) = supervises(&["--agent", "1", "logout"], script).await;
    assert_eq!(counts, Counts { refused: 1, ..Counts::default() });
    assert_eq!(lines[0], "agent 1: refused: CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED");
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_not_asked_for_more() {
    let script = with_agents(1_000, |request| match request {
        AnyMessage::SetAgentStateReq(change) if change.invoke_id > 300 => Some(Say::These(Vec::new())),
        _ => None,
    });
    let (lines, counts, error) = supervises(&["--queue", "1", "--timeout", "0.2", "logout"], script).await;
    assert!(error.is_none(), "{error:?}");
    assert!(counts.unanswered > 0 && counts.unanswered <= IN_FLIGHT_MAX && counts.not_asked > 0, "{counts:?}");
    assert_eq!(counts.done + counts.unanswered + counts.not_asked, 1_000);
    assert_eq!(lines.len(), 1_001);
    assert!(lines.iter().any(|line| line.ends_with(": not answered within 200ms")), "{lines:?}");
}

#[tokio::test]
async fn silence_at_the_start_is_an_error() {
    for (silent, arguments) in [
        ("OPEN_REQ", &["--timeout", "0.1", "list"][..]),
        ("CONFIG_REQUEST_EVENT", &["--timeout", "0.1", "list"]),
        ("LIST_AGENT_TEAM_REQ", &["--timeout", "0.1", "--as", "9", "list"]),
    ] {
        let script = move |request: &AnyMessage| match request.name() {
            Some(name) if name == silent => Say::These(Vec::new()),
            _ => Say::Default,
        };
        let (_, _, error) = supervises(arguments, script).await;
        let error = error.expect("an error");
        assert_eq!(error.to_string(), format!("the gateway did not answer: {silent}"));
        assert_eq!(error.exit_status(), 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_nobody_untold() {
    let script = with_agents(400, |request| match request {
        AnyMessage::SetAgentStateReq(change) if change.invoke_id > 300 => Some(Say::HangUp),
        _ => None,
    });
    let (lines, counts, error) = supervises(&["--queue", "1", "logout"], script).await;
    assert!(matches!(error, Some(SuperviseError::Client(_))), "{error:?}");
    assert_eq!(counts.done + counts.unanswered + counts.not_asked, 400, "{counts:?}");
    assert_eq!(lines.len(), 401);
}

#[tokio::test]
async fn an_agent_that_left_in_the_meantime_is_no_refusal() {
    // Ready when asked first; when it is to be logged out, it is already.
    let gone = Arc::new(Mutex::new(false));
    let script = with_agents(1, move |request| {
        Some(Say::These(vec![match request {
            AnyMessage::SetAgentStateReq(change) => {
                *gone.lock() = true;
                refuses(change.invoke_id, ControlFailure::CF_INVALID_OBJECT_STATE)
            }
            AnyMessage::QueryAgentStateReq(query) if *gone.lock() => stands(query.invoke_id, LOGOUT, &[]),
            _ => return None,
        }]))
    });
    let (lines, counts, _) = supervises(&["--agent", "1", "logout"], script).await;
    assert_eq!(counts, Counts { already: 1, ..Counts::default() });
    assert_eq!(lines, ["agent 1 is logged out already", "1 agent: 1 left as they are"]);
    // One that still is as it was, was refused.
    let script = with_agents(1, |request| match request {
        AnyMessage::SetAgentStateReq(change) => {
            Some(Say::These(vec![refuses(change.invoke_id, ControlFailure::CF_INVALID_OBJECT_STATE)]))
        }
        _ => None,
    });
    let (lines, _, _) = supervises(&["--agent", "1", "logout"], script).await;
    assert_eq!(lines, ["agent 1: refused: CF_INVALID_OBJECT_STATE", "1 agent: 1 refused"]);
}

#[tokio::test]
async fn a_services_refusal_ends_it() {
    let script = |request: &AnyMessage| match request {
        AnyMessage::OpenReq(_) => Say::These(
            default_answers(request)
                .into_iter()
                .map(|answer| match answer {
                    AnyMessage::OpenConf(mut opened) => {
                        opened.services_granted.0 &= !0x10;
                        AnyMessage::OpenConf(opened)
                    }
                    other => other,
                })
                .collect(),
        ),
        _ => Say::Default,
    };
    let (_, _, error) = supervises(&["list"], script).await;
    assert!(error.expect("an error").to_string().contains("was not granted"));
}

#[tokio::test]
async fn a_team_is_told_with_its_supervisors_and_changed_without_them() {
    let script = |request: &AnyMessage| match request {
        AnyMessage::ListAgentTeamReq(list) => {
            let agent = |id: &str, flags, state| TeamAgent {
                id: Text::new(id).ok(),
                flags: Some(flags),
                state: Some(state),
                state_duration: Some(90),
            };
            let agents = vec![
                agent("9", AgentFlags::PRIMARY_SUPERVISOR, LOGOUT),
                agent("8", AgentFlags::SUPERVISOR, LOGOUT),
                agent("1\u{1b}[2J", AgentFlags(0), READY),
            ];
            let number_of_agents = agents.len() as u16;
            let team = AgentTeamConfigEvent { team_id: 5, number_of_agents, agents, ..Default::default() };
            let list = ListAgentTeamConf { invoke_id: list.invoke_id, team_ids: vec![5], ..Default::default() };
            Say::These(vec![team.into(), list.into()])
        }
        AnyMessage::QueryAgentStateReq(query) if query.agent_id == Text::new("8").ok() => {
            let status = Status::E_CTI_FUNCTION_NOT_AVAILABLE;
            Say::These(vec![FailureConf { invoke_id: query.invoke_id, status, ..Default::default() }.into()])
        }
        AnyMessage::QueryAgentStateReq(query) => Say::These(vec![stands(query.invoke_id, READY, &[1, 2])]),
        _ => Say::Default,
    };
    let (lines, _, _) = supervises(&["--as", "9", "list"], script).await;
    let told = [
        "agent 9 is AVAILABLE in queues 1, 2, a supervisor", // known otherwise since: for how long is not known
        "agent 8 is LOGOUT, for 1m 30s, a supervisor",       // may not be asked for
        "agent 1\\u{1b}[2J is AVAILABLE in queues 1, 2, for 1m 30s",
    ];
    assert_eq!(lines, told);
    let (lines, _, _) = supervises(&["--as", "9", "--team", "5", "--json", "logout"], script).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    let told: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(told, serde_json::json!({"agent": "1\u{1b}[2J", "outcome": "done", "words": "logged out"}));
    let (_, _, error) = supervises(&["--as", "9", "--team", "6", "logout"], script).await;
    let error = error.expect("an error");
    assert_eq!(error.to_string(), "--team 6 is not one of the supervisor's teams, which are [5]");
    assert_eq!(error.exit_status(), 2);
}

#[tokio::test]
async fn work_goes_on_where_nobody_reads() {
    let args = args(&serve(with_agents(50, |_| None)).await, &["--queue", "1", "logout"]);
    let opening = args.opening().unwrap();
    let mut client = Client::connect(&args.address.as_str().into(), opening.version).await.unwrap();
    let mut work = Work::new(args.order().unwrap(), args.timeout);
    let (writer, reader) = tokio::io::duplex(64);
    drop(reader);
    let mut report = Report::new(writer, false);
    supervise(&args, &opening, &mut client, &mut work, &mut report).await.unwrap();
    assert_eq!(report.counts().done, 50);
    assert!(report.is_all_done());
}

#[test]
fn what_is_wrong_with_the_arguments_is_said() {
    for (arguments, said) in [
        (&["logout"][..], "whom? a change needs --agent, --queue or --team"),
        (&["--as", "1001", "ready"], "whom? a change needs --agent, --queue or --team"),
        (&["--agent", "1001", "--reason", "3", "ready"], "--reason goes with notready and logout only"),
        (&["--agent", "1234567890123", "list"], "--agent: "),
        (&["--as", "1234567890123", "list"], "--as: "),
        (&["--protocol-version", "14", "list"], "--protocol-version: "),
    ] {
        let args = args("127.0.0.1:1", arguments);
        let refused = args.opening().err().or(args.order().err()).map(|error| error.to_string());
        assert!(refused.as_deref().is_some_and(|error| error.starts_with(said)), "{arguments:?}: {refused:?}");
    }
    for arguments in [&["--team", "1", "logout"][..], &["--as", "1", "--team", "1", "--agent", "2", "list"], &[]] {
        assert!(Cli::try_parse_from([&["ctigate", "supervise", "127.0.0.1:1"], arguments].concat()).is_err());
    }
}
