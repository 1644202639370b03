//! Agents' passwords: who shows wrong ones waits, whichever way it asks, and the ACD is not asked meanwhile.

use std::time::Duration;

use cti_protocol::ged188::codes::{AgentState, ControlFailure, ForcedFlag};
use cti_protocol::ged188::{AnyMessage, OpenReq, Text};
use ctigate::acd::AcdRefusal;
use ctigate::acd::embedded::{Command, Fault, FaultKind};
use serde_json::json;

use crate::support::crm::{Crm, login};
use crate::support::desk::{Desk, open_req, services_of_bridge, text};
use crate::support::house::{TestHouse, house};

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const WRONG: ControlFailure = ControlFailure::CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED;

/// How a password is shown.
#[derive(Clone, Copy, Debug)]
enum Way {
    Login,
    AuthenticateOnly,
    Logout,
}

fn shows(desk: &mut Desk, way: Way, agent: &str, password: &str) -> u32 {
    let state = if matches!(way, Way::Logout) { LOGOUT } else { LOGIN };
    desk.asks_with(agent, state, |request| {
        request.agent_password = Some(Text::new(password).unwrap().into());
        if matches!(way, Way::AuthenticateOnly) {
            request.forced_flag = ForcedFlag::AUTHENTICATE_ONLY;
        }
    })
}

/// Whether it was done; if not, for a password, and whether that is to wait.
async fn outcome(desk: &mut Desk) -> Result<(), bool> {
    loop {
        match desk.receives().await {
            AnyMessage::SetAgentStateConf(_) => return Ok(()),
            AnyMessage::ControlFailureConf(failure) => {
                assert_eq!(failure.failure_code, WRONG);
                return Err(failure.text.unwrap().to_string().contains("wait"));
            }
            AnyMessage::AgentStateEvent(_) => (),
            other => panic!("{other:?}"),
        }
    }
}

fn asked(house: &TestHouse) -> usize {
    house.acd.journal().iter().filter(|line| line.starts_with("authenticate") && line.ends_with("asked")).count()
}

async fn bridge(house: &TestHouse, client: &str) -> Desk {
    let mut desk = Desk::connected(house, 20);
    desk.opens(OpenReq { client_id: text(client), ..open_req(client, services_of_bridge()) }).await;
    desk.receives_system_event().await;
    desk
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_of_an_agent_make_its_client_wait_whichever_way_they_are_shown() {
    for way in [Way::Login, Way::AuthenticateOnly, Way::Logout] {
        let house = house().await;
        let mut desk = Desk::of_agent(&house, "1001").await;
        if matches!(way, Way::Logout) {
            desk.logs_in("1001").await;
        }
        for guess in ["1", "2", "3", "4"] {
            shows(&mut desk, way, "1001", guess);
            assert_eq!(outcome(&mut desk).await, Err(false), "{way:?}");
        }
        let before = asked(&house);
        for password in ["5", "pw1001"] {
            shows(&mut desk, way, "1001", password);
            assert_eq!(outcome(&mut desk).await, Err(true), "{way:?}: {password}");
        }
        // Nor by another way.
        shows(&mut desk, Way::AuthenticateOnly, "1001", "pw1001");
        assert_eq!(outcome(&mut desk).await, Err(true), "{way:?}");
        assert_eq!(asked(&house), before, "{way:?}: the ACD is not asked");
        // The agent's other clients do not wait for it, nor do its client's other agents.
        let mut other = bridge(&house, "crm").await;
        shows(&mut other, Way::AuthenticateOnly, "1001", "pw1001");
        assert_eq!(outcome(&mut other).await, Ok(()));
        tokio::time::advance(Duration::from_millis(1_001)).await;
        shows(&mut desk, way, "1001", "pw1001");
        assert_eq!(outcome(&mut desk).await, Ok(()), "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_doubles_and_a_right_password_forgives() {
    let house = house().await;
    let mut desk = bridge(&house, "crm").await;
    let guess = async |desk: &mut Desk, password: &str| {
        shows(desk, Way::AuthenticateOnly, "1001", password);
        outcome(desk).await
    };
    for _ in 0..4 {
        assert_eq!(guess(&mut desk, "wrong").await, Err(false));
    }
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        tokio::time::advance(Duration::from_secs(seconds) - Duration::from_millis(1)).await;
        assert_eq!(guess(&mut desk, "pw1001").await, Err(true), "{seconds}");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(guess(&mut desk, "wrong").await, Err(false), "{seconds}");
    }
    shows(&mut desk, Way::AuthenticateOnly, "1002", "pw1002");
    assert_eq!(outcome(&mut desk).await, Ok(()), "another agent of the same client");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(guess(&mut desk, "pw1001").await, Ok(()));
    for _ in 0..4 {
        assert_eq!(guess(&mut desk, "wrong").await, Err(false));
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_at_once_are_no_more_than_as_many_one_after_the_other() {
    let house = house().await;
    let held: Vec<_> = (0..20).map(|_| house.acd.hold("authenticate")).collect();
    let mut desk = bridge(&house, "crm").await;
    let mut second = bridge(&house, "crm").await;
    for guess in 0..10 {
        shows(&mut desk, Way::AuthenticateOnly, "1001", &guess.to_string());
        shows(&mut second, Way::AuthenticateOnly, "1001", &guess.to_string());
    }
    // Four wait for the ACD, and the others are told at once that they have to wait.
    let mut told = 0;
    for desk in [&mut desk, &mut second] {
        while let Some(message) = desk.has_received() {
            assert!(matches!(&message, AnyMessage::ControlFailureConf(failure) if failure.failure_code == WRONG));
            told += 1;
        }
    }
    assert_eq!(told, 16);
    assert_eq!(asked(&house), 4, "three are free, and the fourth is what has to be waited for");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn what_the_acd_cannot_tell_is_no_guess() {
    let house = house().await;
    let mut desk = bridge(&house, "crm").await;
    house.acd.inner.add_fault(Fault { code: 7, ..Fault::new(Command::Authenticate, FaultKind::Refuse) });
    for _ in 0..10 {
        shows(&mut desk, Way::AuthenticateOnly, "1001", "pw1001");
        match desk.receives().await {
            AnyMessage::ControlFailureConf(failure) => {
                assert_eq!(failure.failure_code, ControlFailure::CF_GENERIC_OPERATION_REJECTION);
            }
            other => panic!("{other:?}"),
        }
    }
    house.acd.inner.clear_faults();
    for _ in 0..5 {
        let held = house.acd.hold("authenticate");
        shows(&mut desk, Way::AuthenticateOnly, "1001", "pw1001");
        held.await.unwrap().refuses(AcdRefusal::LinkDown);
        assert!(matches!(desk.receives().await, AnyMessage::ControlFailureConf(_)));
    }
    shows(&mut desk, Way::AuthenticateOnly, "1001", "pw1001");
    assert_eq!(outcome(&mut desk).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn opencti_guesses_are_counted_with_all_others_of_the_client() {
    let house = house().await;
    let mut crm = Crm::open(&house).await;
    let mut guess = login("1001");
    guess["AgentPassword"] = json!("guess");
    for _ in 0..2 {
        assert!(!crm.fails(guess.clone()).await.1.contains("wait"));
    }
    let mut desk = bridge(&house, "crm").await;
    for _ in 0..2 {
        shows(&mut desk, Way::AuthenticateOnly, "1001", "guess");
        assert_eq!(outcome(&mut desk).await, Err(false));
    }
    let before = asked(&house);
    let (code, why) = crm.fails(login("1001")).await;
    assert_eq!(code, "OPENCTI_HTTP_ERROR_401");
    assert!(why.contains("too often: wait 2 seconds"), "{why}");
    assert_eq!(asked(&house), before);
    tokio::time::advance(Duration::from_secs(2)).await;
    crm.logs_in("1001").await;
}
