//! The conversation against a scripted server: what is sent, what is printed, how it ends.

use cti_protocol::ged188::codes::{ControlFailure, Status};
use cti_protocol::ged188::{FailureConf, OpenConf};

use super::*;
use crate::cli::client::scripted::{Say, asks_for, refusal, serve};

/// Runs the commands against the script; gives what was printed.
async fn talk(
    commands: &[&str],
    script: impl Fn(&AnyMessage) -> Say + Clone + Send + 'static,
) -> (Result<Talked, AgentError>, Vec<String>) {
    let address = serve(script).await;
    let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
    for command in commands {
        sender.send((*command).to_owned()).await.unwrap();
    }
    drop(sender);
    let mut printed = Vec::new();
    let out = Out { to: &mut printed, prompts: false };
    let ended =
        converse(&address.as_str().into(), Version::new(20).unwrap(), &args().desktop().unwrap(), lines, out).await;
    let printed = String::from_utf8(printed).unwrap();
    (ended, printed.lines().map(str::to_owned).collect())
}

fn args() -> Args {
    Args {
        connect: String::new(),
        agent: "1001".into(),
        password: None,
        instrument: None,
        protocol_version: Version::LATEST,
        identity: Identity {
            client_id: "test".into(),
            client_password: String::new(),
            peripheral: 5000,
            tls: Default::default(),
        },
    }
}

#[tokio::test]
async fn a_piped_day_at_work_is_printed_line_by_line() {
    let commands = ["login 1 2", "ready", "notready 12", "state", "logout"];
    let (ended, printed) = talk(&commands, |_| Say::Default).await;
    assert_eq!(ended.unwrap(), Talked { refused: 0 });
    assert_eq!(
        printed,
        [
            "open confirmed, the agent is LOGIN, the ACD is not reachable",
            "login confirmed",
            "agent 1001 is NOT_READY in queue 0",
            "ready confirmed",
            "agent 1001 is AVAILABLE in queue 0",
            "not ready confirmed",
            "agent 1001 is NOT_READY (reason 12) in queue 0",
            "agent ? is AVAILABLE",
            "agent 1001 is LOGOUT in queue 0",
            "logout confirmed",
            "close confirmed",
        ]
    );
}

#[tokio::test]
async fn a_refused_command_is_said_and_counted_and_the_next_one_is_run() {
    let (ended, printed) =
        talk(&["logout", "login", "dance"], |request| match asks_for(request, AgentState::AGENT_STATE_LOGOUT) {
            Some(logout) => {
                Say::These(vec![refusal(logout, ControlFailure::CF_INVALID_OBJECT_STATE, "1001 is not logged in")])
            }
            None => Say::Default,
        })
        .await;
    assert_eq!(ended.unwrap(), Talked { refused: 2 });
    assert_eq!(printed[1], "logout refused: CF_INVALID_OBJECT_STATE: 1001 is not logged in");
    assert_eq!(printed[2], "login confirmed");
    assert!(printed.iter().any(|line| line.starts_with("unknown command")), "{printed:?}");
}

#[tokio::test]
async fn a_refused_open_ends_it() {
    let (ended, _) = talk(&["login"], |request| match request {
        AnyMessage::OpenReq(open) => {
            let status = Status::E_CTI_DEVICE_IN_USE;
            Say::These(vec![FailureConf { invoke_id: open.invoke_id, status, ..Default::default() }.into()])
        }
        _ => Say::Default,
    })
    .await;
    assert_eq!(ended.unwrap_err().to_string(), "open refused: E_CTI_DEVICE_IN_USE");
}

#[tokio::test]
async fn an_open_without_the_needed_services_ends_it() {
    let (ended, _) = talk(&["login"], |request| match request {
        AnyMessage::OpenReq(open) => {
            Say::These(vec![OpenConf { invoke_id: open.invoke_id, ..Default::default() }.into()])
        }
        _ => Say::Default,
    })
    .await;
    assert!(matches!(ended, Err(AgentError::OpenRefused { .. })), "{ended:?}");
}

#[tokio::test]
async fn a_gateway_that_hangs_up_is_an_error() {
    let (ended, _) = talk(&["login"], |request| match request {
        AnyMessage::SetAgentStateReq(_) => Say::HangUp,
        _ => Say::Default,
    })
    .await;
    assert!(matches!(ended, Err(AgentError::Client(_))), "{ended:?}");
}

#[test]
fn the_demo_worlds_instrument_needs_a_number_to_derive_it_from() {
    let named = Args { agent: "anna".into(), ..args() };
    assert!(matches!(named.desktop(), Err(UsageError::NoInstrument { .. })));
    assert!(Args { instrument: Some("3001".into()), agent: "anna".into(), ..args() }.desktop().is_ok());
    assert!(Args { agent: "4294967295".into(), ..args() }.desktop().is_ok());
}
