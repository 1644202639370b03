//! Secrets are in nothing that the gateway writes: log lines of every level, metrics, the Debug output of what holds them,
//! the refusals of what cannot be read.

use cti_protocol::ged188::codes::{AgentState, ForcedFlag};
use cti_protocol::ged188::{AnyMessage, Data, OpenReq, SetAgentStateReq, Text};
use ctigate::access::{Gate, HashCost, PasswordHash};
use ctigate::config::{ClientConfig, Config};
use ctigate::model::{Password, Role, Secret};
use serde_json::{Value, json};

use crate::support::crm::Crm;
use crate::support::desk::{Desk, open_req, services_of_bridge, text};
use crate::support::house::{client, house_with};
use crate::support::observed::Lines;

const PLAIN: &str = "plain-4c1e7";
const HASHED: &str = "hashed-9d02b";
const GUESS: &str = "guess-77aa1";
const AGENT_GUESS: &str = "pin-31337";

fn configured(config: &mut Config) -> String {
    let cost = HashCost { memory_kib: 8, passes: 1 };
    let hash = PasswordHash::of(&Password::new(HASHED), cost).unwrap();
    let text = hash.expose().to_owned();
    config.clients = vec![
        ClientConfig { password: Some(Secret::Here(Password::new(PLAIN))), ..client("plain", Role::Bridge) },
        ClientConfig { password: None, password_hash: Some(hash), ..client("hashed", Role::Bridge) },
    ];
    text
}

fn open_with(client: &str, password: &[u8]) -> OpenReq {
    let client_password = Some(Data::new(password).unwrap().into());
    OpenReq { client_password, ..open_req(client, services_of_bridge()) }
}

fn log_in(agent: &str, password: &str) -> SetAgentStateReq {
    SetAgentStateReq {
        invoke_id: 5,
        agent_state: AgentState::AGENT_STATE_LOGIN,
        agent_id: text(agent),
        agent_instrument: text("3001"),
        agent_password: Some(Text::new(password).unwrap().into()),
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn no_log_line_of_any_level_holds_a_secret_whatever_clients_do() {
    let lines = Lines::captured();
    let mut hash = String::new();
    let house = house_with(|config| hash = configured(config)).await;
    let mut told = String::new();
    for (client, password) in [("plain", PLAIN), ("hashed", HASHED)] {
        let mut desk = Desk::connected(&house, 20);
        for wrong in [GUESS.as_bytes(), &[GUESS.as_bytes(), b"\xff\xfe"].concat()] {
            desk.sends(open_with(client, wrong));
            told += &format!("{:?}", desk.receives().await);
        }
        // Once more where it is none: before the open, and behind it.
        desk.sends(log_in("1001", AGENT_GUESS));
        told += &format!("{:?}", desk.receives().await);
        desk.sends(open_with(client, password.as_bytes()));
        told += &format!("{:?}", desk.receives().await);
        desk.sends(open_with(client, password.as_bytes()));
        for password in [AGENT_GUESS, "pw1001"] {
            desk.sends(log_in("1001", password));
            desk.sends(SetAgentStateReq { forced_flag: ForcedFlag::AUTHENTICATE_ONLY, ..log_in("1001", password) });
            let agent_state = AgentState::AGENT_STATE_LOGOUT;
            desk.sends(SetAgentStateReq { agent_state, ..log_in("1001", password) });
        }
        // A password where no text can be, and one that is cut off.
        let mut bytes = bytes::BytesMut::new();
        AnyMessage::from(log_in("1001", AGENT_GUESS)).encode(desk.version, &mut bytes).unwrap();
        let at = bytes.windows(AGENT_GUESS.len()).position(|window| window == AGENT_GUESS.as_bytes()).unwrap();
        bytes[at + 2] = 0xff;
        desk.sends_bytes(&bytes);
        bytes[at - 1] = bytes[at - 1].wrapping_add(60);
        desk.sends_bytes(&bytes);
        while let Ok(message) = tokio::time::timeout(std::time::Duration::from_secs(1), desk.receives()).await {
            told += &format!("{message:?}");
        }

        let mut crm = Crm::connected(&house);
        let hello = |secret: Value| json!({"id": 1, "activity": "Hello", "protocolVersion": 1, "identity": client, "secret": secret});
        for secret in [json!(GUESS), json!([GUESS]), json!({"is": GUESS})] {
            crm.sends_text(&format!("{}\n", hello(secret)));
            told += &crm.receives_message().await.to_string();
        }
        crm.sends_text(&format!("{}\n", hello(json!(password))));
        let welcome = crm.receives_message().await;
        let token = welcome["session"].as_str().unwrap().to_owned();
        for password in [json!(AGENT_GUESS), json!([AGENT_GUESS]), json!("pw1001")] {
            let login =
                json!({"id": 2, "activity": "LoginAgent", "AgentID": "1001", "AgentPassword": password, "DN": "3001"});
            crm.sends_text(&format!("{login}\n"));
            let subscribe = json!({"id": 3, "activity": "SubscribeForEvents", "DN": "3001", "AgentID": "1001", "AgentPassword": password});
            crm.sends_text(&format!("{subscribe}\n"));
        }
        // A line that breaks off in the secret, and one that is no JSON.
        crm.sends_text(&format!("{{\"id\":4,\"activity\":\"LoginAgent\",\"AgentPassword\":\"{AGENT_GUESS}\n"));
        crm.sends_text(&format!("AgentPassword={AGENT_GUESS}\n"));
        while let Ok(message) = tokio::time::timeout(std::time::Duration::from_secs(1), crm.receives_message()).await {
            told += &message.to_string();
        }
        crm.drops();
        desk.drops();
        let written = lines.text();
        assert!(!written.contains(&token), "the name by which a session is taken up is in the log");
    }
    assert!(lines.text().contains("login refused"), "the log was listened to");
    for secret in [PLAIN, HASHED, GUESS, AGENT_GUESS, "pw1001", &hash, &AGENT_GUESS[4..]] {
        for (what, text) in [("the log", &lines.text()), ("what clients are told", &told)] {
            let line = text.lines().find(|line| line.contains(secret)).unwrap_or_default();
            assert!(line.is_empty(), "{secret} is in {what}: {line}");
        }
    }
}

#[tokio::test]
async fn nothing_that_holds_secrets_shows_them_when_it_is_printed() {
    let mut config = Config::default();
    let hash = configured(&mut config);
    let gate = Gate::new(config.doors().unwrap());
    let shown =
        format!("{config:?} {config:#?} {} {gate:?} {:?}", serde_json::to_string(&config).unwrap(), config.doors());
    let shown = shown + &format!("{:?} {:?}", open_with("plain", PLAIN.as_bytes()), log_in("1001", AGENT_GUESS));
    let version = cti_protocol::ged188::Version::LATEST;
    let shown = shown + &AnyMessage::from(open_with("plain", PLAIN.as_bytes())).to_json(version).to_string();
    for secret in [PLAIN, HASHED, AGENT_GUESS, &hash, "pw{id}"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}
