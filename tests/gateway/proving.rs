//! What comes while it is checked who a client is: kept, answered once and in order, and nothing before the verdict.
//!
//! The check goes on beside the connection's task: on a test's one thread not before the test waits for something. So what is
//! sent without waiting is sent meanwhile.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::codes::Status;
use cti_protocol::ged188::{AnyMessage, Data, HeartbeatReq, OpenReq};
use ctigate::access::{HashCost, PasswordHash};
use ctigate::config::{ClientConfig, Config};
use ctigate::dialects::CloseReason;
use ctigate::model::{Password, Role};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::support::crm::Crm;
use crate::support::desk::{Desk, open_req, services_of_agent, services_of_bridge, text};
use crate::support::house::{TestHouse, client, house_with};

/// More than may come early.
const TOO_MUCH: usize = 64 * 1024 + 1;

fn by_hash(config: &mut Config) {
    let cost = HashCost { memory_kib: 8, passes: 1 };
    let hash = PasswordHash::of(&Password::new("s3cret"), cost).unwrap();
    let client = |id, role| ClientConfig { password: None, password_hash: Some(hash.clone()), ..client(id, role) };
    config.clients = vec![client("crm", Role::Bridge), client("desk", Role::Agent)];
}

fn open_with(password: &str) -> OpenReq {
    let client_password = Some(Data::new(password.as_bytes()).unwrap().into());
    OpenReq { client_password, ..open_req("crm", services_of_bridge()) }
}

fn hello_with(id: u64, secret: &str) -> String {
    let hello = json!({"id": id, "activity": "Hello", "protocolVersion": 1, "identity": "crm", "secret": secret});
    format!("{hello}\n")
}

fn heartbeat(invoke_id: u32) -> AnyMessage {
    HeartbeatReq { invoke_id, ..Default::default() }.into()
}

fn bytes_of(desk: &Desk, messages: impl IntoIterator<Item = AnyMessage>) -> Bytes {
    let mut bytes = BytesMut::new();
    for message in messages {
        message.encode(desk.version, &mut bytes).unwrap();
    }
    bytes.freeze()
}

/// All that has come by now, and what comes once whatever is under way is done.
async fn answers(desk: &mut Desk) -> Vec<(String, u32)> {
    let mut answers = Vec::new();
    while let Ok(message) = tokio::time::timeout(Duration::from_secs(1), desk.receives()).await {
        if let Some(invoke_id) = message.invoke_id() {
            answers.push((message.name().unwrap().to_owned(), invoke_id));
        }
    }
    answers
}

async fn answers_of(crm: &mut Crm) -> Vec<Value> {
    let mut answers = Vec::new();
    while let Ok(message) = tokio::time::timeout(Duration::from_secs(1), crm.receives_message()).await {
        answers.push(message);
    }
    answers
}

fn nobody_is_in(house: &TestHouse) {
    assert_eq!(house.house.table.clients(), 0);
    assert_eq!(house.house.table.subscriptions.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn requests_sent_without_waiting_are_answered_once_and_in_order_behind_the_open() {
    let house = house_with(by_hash).await;
    let mut desk = Desk::connected(&house, 20);
    let mut half = BytesMut::new();
    let all = bytes_of(&desk, [open_with("s3cret").into(), heartbeat(2), heartbeat(3), heartbeat(4)]);
    let (now, later) = all.split_at(all.len() - 5);
    half.extend_from_slice(now);
    desk.sends_piece(&mut half);
    assert!(desk.has_received().is_none(), "nothing is answered before it is known who asks");
    let told = answers(&mut desk).await;
    let expected = [("OPEN_CONF", 1), ("HEARTBEAT_CONF", 2), ("HEARTBEAT_CONF", 3)];
    assert_eq!(told, expected.map(|(name, id)| (name.to_owned(), id)));
    half.extend_from_slice(later);
    desk.sends_piece(&mut half);
    assert_eq!(answers(&mut desk).await, [("HEARTBEAT_CONF".to_owned(), 4)]);

    let house = house_with(by_hash).await; // where nobody has proved anything yet
    let mut crm = Crm::connected(&house);
    let mut half = BytesMut::new();
    let lines: String = (2..5).map(|id| format!("{}\n", json!({"id": id, "activity": "Heartbeat"}))).collect();
    let all = hello_with(1, "s3cret") + &lines;
    let (now, later) = all.split_at(all.len() - 5);
    crm.sends_piece(&mut half, now.as_bytes());
    assert!(crm.has_received().is_none());
    let told = answers_of(&mut crm).await;
    assert_eq!(told.iter().map(|answer| answer["id"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(told.iter().all(|answer| answer["ok"] == true), "{told:?}");
    crm.sends_piece(&mut half, later.as_bytes());
    assert_eq!(answers_of(&mut crm).await[0]["id"], 4);
}

#[tokio::test(start_paused = true)]
async fn whichever_way_the_bytes_are_cut_the_answers_are_the_same() {
    let (mut of_desk, mut of_crm) = (None, None);
    for seed in 0..50 {
        let mut dice = StdRng::seed_from_u64(seed);
        let house = house_with(by_hash).await;
        // Two wrong ones first: each is checked before the next is looked at.
        let mut desk = Desk::connected(&house, 20);
        let opens = ["guess", "other guess", "s3cret"].map(|password| open_with(password).into());
        let bytes = bytes_of(&desk, [heartbeat(7)].into_iter().chain(opens).chain((2..6).map(heartbeat)));
        let (mut half, mut rest) = (BytesMut::new(), &bytes[..]);
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(dice.random_range(1..=rest.len().min(60)));
            half.extend_from_slice(piece);
            desk.sends_piece(&mut half);
            rest = behind;
            for _ in 0..dice.random_range(0..4) {
                tokio::task::yield_now().await;
            }
            if dice.random_bool(0.3) {
                desk.wakes();
            }
        }
        let told = answers(&mut desk).await;
        assert_eq!(told.len(), 8, "one for each: {told:?}");
        assert_eq!(*of_desk.get_or_insert(told.clone()), told, "seed {seed}");

        let mut crm = Crm::connected(&house);
        let lines = ["guess", "other guess", "s3cret"].map(|secret| hello_with(1, secret)).concat();
        let lines =
            lines + &(2..6).map(|id| format!("{}\n", json!({"id": id, "activity": "Heartbeat"}))).collect::<String>();
        let (mut half, mut rest) = (BytesMut::new(), lines.as_bytes());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(dice.random_range(1..=rest.len().min(60)));
            crm.sends_piece(&mut half, piece);
            rest = behind;
            for _ in 0..dice.random_range(0..4) {
                tokio::task::yield_now().await;
            }
            if dice.random_bool(0.3) {
                crm.wakes();
            }
        }
        let told: Vec<_> =
            answers_of(&mut crm).await.into_iter().map(|told| (told["id"].clone(), told["ok"].clone())).collect();
        assert_eq!(told.len(), 7, "one for each: {told:?}");
        assert_eq!(*of_crm.get_or_insert(told.clone()), told, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_opens_at_once_open_one_session_and_have_a_hundred_answers() {
    let house = house_with(by_hash).await;
    let mut desk = Desk::connected(&house, 20);
    let opens =
        |password: &'static str| (1..=100).map(move |invoke_id| OpenReq { invoke_id, ..open_with(password) }.into());
    desk.sends_bytes(&bytes_of(&desk, opens("s3cret")));
    assert!(desk.has_received().is_none());
    assert!(matches!(desk.receives().await, AnyMessage::OpenConf(opened) if opened.invoke_id == 1));
    assert!(matches!(desk.receives().await, AnyMessage::SystemEvent(_)));
    for invoke_id in 2..=100 {
        let failure = desk.receives_failure().await;
        assert_eq!((failure.invoke_id, failure.status), (invoke_id, Status::E_CTI_SESSION_ALREADY_OPEN));
    }
    assert_eq!(house.house.table.clients(), 1);
    desk.drops();

    let mut guesser = Desk::connected(&house, 20);
    guesser.sends_bytes(&bytes_of(&guesser, opens("guess")));
    for invoke_id in 1..=100 {
        let failure = guesser.receives_failure().await;
        assert_eq!((failure.invoke_id, failure.status), (invoke_id, Status::E_CTI_INVALID_PASSWORD));
        let is_looked_at = !failure.text.unwrap().to_string().contains("wait");
        assert_eq!(is_looked_at, invoke_id <= 4, "{invoke_id}");
    }
    // Nor is the right one looked at now, in either protocol.
    assert_eq!(guesser.is_refused_to_open(open_with("s3cret")).await, Status::E_CTI_INVALID_PASSWORD);
    let mut crm = Crm::connected(&house);
    crm.sends_text(&hello_with(1, "s3cret"));
    let refused = crm.receives_message().await;
    assert_eq!(refused["code"], "OPENCTI_HTTP_ERROR_401");
    tokio::time::advance(Duration::from_secs(2)).await;
    guesser.opens(open_with("s3cret")).await;
}

#[tokio::test(start_paused = true)]
async fn more_than_is_kept_ends_the_connection_and_what_was_kept_is_not_answered() {
    let house = house_with(by_hash).await;
    let mut desk = Desk::connected(&house, 20);
    let flood = (0..=TOO_MUCH / 12).map(|_| heartbeat(9));
    let bytes = bytes_of(&desk, [open_with("s3cret").into()].into_iter().chain(flood));
    let mut half = BytesMut::new();
    for piece in bytes.chunks(4_096) {
        half.extend_from_slice(piece);
        if desk.closed.is_none() {
            desk.sends_piece(&mut half);
        }
    }
    assert!(matches!(desk.closed, Some(CloseReason::Impatient { .. })), "{:?}", desk.closed);
    let told: Vec<_> = std::iter::from_fn(|| desk.has_received()).collect();
    assert!(matches!(&told[..], [AnyMessage::FailureEvent(_)]), "{told:?}");

    let mut crm = Crm::connected(&house);
    crm.sends_text(&hello_with(1, "s3cret"));
    let line = format!("{}\n", json!({"id": 2, "activity": "Heartbeat"}));
    crm.sends_text(&line.repeat(TOO_MUCH / line.len() + 1));
    assert!(matches!(crm.closed, Some(CloseReason::Impatient { .. })), "{:?}", crm.closed);
    tokio::time::sleep(Duration::from_secs(1)).await; // the verdict comes to nobody
    crm.wakes();
    let told: Vec<_> = std::iter::from_fn(|| crm.has_received()).collect();
    assert!(told.len() == 1 && told[0]["notice"] == "Closed", "{told:?}");
    nobody_is_in(&house);
}

/// What ends a connection while its client is checked.
#[derive(Clone, Copy, Debug)]
enum End {
    Reset,
    Shutdown,
    TooLate,
    Replaced,
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_while_its_client_is_checked_opens_no_session() {
    for end in [End::Reset, End::Shutdown, End::TooLate, End::Replaced] {
        let house = house_with(by_hash).await;
        let mut desk = Desk::connected(&house, 20);
        desk.sends(OpenReq { agent_id: text("1001"), ..desk_of_agent() });
        desk.sends(heartbeat(2));
        let mut crm = Crm::connected(&house);
        crm.sends_text(&(hello_with(1, "s3cret") + &format!("{}\n", json!({"id": 2, "activity": "Heartbeat"}))));
        match end {
            End::Reset => {
                desk.drops();
                crm.drops();
                tokio::time::sleep(Duration::from_secs(1)).await;
                nobody_is_in(&house);
                continue;
            }
            End::Shutdown => {
                desk.gateway_shuts_down();
                crm.gateway_shuts_down();
            }
            End::TooLate => {
                desk.lets_pass(Duration::from_secs(60)).await;
                crm.lets_pass(Duration::from_secs(60)).await;
            }
            End::Replaced => {
                let by = ctigate::model::SessionId(1);
                desk.outbox.replace(by);
                crm.outbox.replace(by);
                desk.wakes();
                crm.wakes();
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        desk.wakes();
        crm.wakes();
        assert!(desk.closed.is_some() && crm.closed.is_some(), "{end:?}");
        let told: Vec<_> = std::iter::from_fn(|| desk.has_received()).collect();
        assert!(matches!(&told[..], [AnyMessage::FailureEvent(_)]), "{end:?}: {told:?}");
        let told: Vec<_> = std::iter::from_fn(|| crm.has_received()).collect();
        assert!(told.len() == 1 && told[0]["notice"] == "Closed", "{end:?}: {told:?}");
        nobody_is_in(&house);
    }
}

fn desk_of_agent() -> OpenReq {
    OpenReq { services_requested: services_of_agent(), client_id: text("desk"), ..open_with("s3cret") }
}

#[tokio::test(start_paused = true)]
async fn who_is_let_in_is_not_behind_a_thousand_guesses_of_others() {
    let house = house_with(by_hash).await;
    let mut guessers: Vec<Desk> = (0..1_000).map(|_| Desk::connected(&house, 20)).collect();
    for (at, guesser) in guessers.iter_mut().enumerate() {
        guesser.sends(open_with(&format!("guess {at}")));
    }
    let mut desk = Desk::connected(&house, 20);
    desk.opens(OpenReq { agent_id: text("1001"), ..desk_of_agent() }).await;
    // Of all of them four or five were hashed: two are at a time, and the others have to wait by then.
    let mut looked_at = 0;
    for guesser in &mut guessers {
        looked_at += u32::from(!guesser.receives_failure().await.text.unwrap().to_string().contains("wait"));
    }
    assert!((4..=5).contains(&looked_at), "{looked_at} were looked at");
}

#[tokio::test(start_paused = true)]
async fn an_identity_longer_than_any_can_be_is_refused_before_anything_is_remembered_of_it() {
    let house = house_with(by_hash).await;
    let mut crm = Crm::connected(&house);
    for _ in 0..10 {
        let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "x".repeat(65)});
        let (code, why) = crm.fails(hello).await;
        assert_eq!(code, "OPENCTI_INVALID_REQUEST");
        assert!(why.contains("65 bytes") && !why.contains("xxx"), "{why}");
    }
    let hello = json!({"activity": "Hello", "protocolVersion": 1, "identity": "x".repeat(64)});
    assert_eq!(crm.fails(hello).await.0, "OPENCTI_HTTP_ERROR_401");
}
