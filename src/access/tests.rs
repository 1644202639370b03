//! Who is let in. Not here: hashes and waits by themselves.

use std::collections::HashSet;

use super::*;
use crate::model::{OwnAgents, Role};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_client_is_let_in_by_its_hash_and_the_second_time_at_once() {
    let gate = Gate::new(vec![door("crm", by_hash("hunter2"), None)]);
    assert_eq!(ask(&gate, claim("crm", "hunter2")).await, (Ok("crm".to_owned()), How::Later));
    assert_eq!(ask(&gate, claim("crm", "hunter2")).await, (Ok("crm".to_owned()), How::AtOnce));
    assert_eq!(ask(&gate, claim("crm", "hunter3")).await, (Err(wrong("crm")), How::Later));
}

#[tokio::test]
async fn an_unknown_client_is_checked_for_as_long_as_a_known_one() {
    let gate = Gate::new(vec![door("crm", by_hash("hunter2"), None)]);
    assert_eq!(ask(&gate, claim("nobody", "hunter2")).await, (Err(wrong("nobody")), How::Later));
    // Whatever stands in for its hash opens nothing, not even for who knows what that is of.
    assert_eq!(ask(&gate, claim("nobody", "hunter2")).await, (Err(wrong("nobody")), How::Later));
}

#[tokio::test]
async fn who_guesses_waits_and_even_the_right_password_is_not_looked_at_meanwhile() {
    let gate = Gate::new(vec![door("crm", Known::Plainly(Password::new("hunter2")), None)]);
    let start = Instant::now();
    for guess in ["1", "2", "3", "4"] {
        assert_eq!(ask_at(&gate, start, claim("crm", guess)).await.0, Err(wrong("crm")));
    }
    let too_often = Denied::TooOften { id: "crm".to_owned(), wait: Duration::from_secs(1) };
    assert_eq!(ask_at(&gate, start, claim("crm", "hunter2")).await, (Err(too_often), How::AtOnce));
    let later = start + Duration::from_secs(1);
    assert_eq!(ask_at(&gate, later, claim("crm", "hunter2")).await.0, Ok("crm".to_owned()));
}

#[tokio::test]
async fn a_certificate_stands_for_a_password_or_beside_it() {
    let gate = Gate::new(vec![
        door("crm", Known::NotAsked, Some("crm.example")),
        door("both", Known::Plainly(Password::new("hunter2")), Some("crm.example")),
    ]);
    let with = |id, password, name| Claim {
        certificate: Some(Arc::new(For(name)) as Arc<dyn Certificate>),
        ..claim(id, password)
    };
    assert_eq!(ask(&gate, with("crm", "", "crm.example")).await.0, Ok("crm".to_owned()));
    assert_eq!(ask(&gate, with("both", "hunter2", "crm.example")).await.0, Ok("both".to_owned()));
    assert_eq!(ask(&gate, with("both", "", "crm.example")).await.0, Err(wrong("both")));
    for (id, claim) in [("crm", claim("crm", "")), ("crm", with("crm", "", "desk.example"))] {
        let none = Denied::NoCertificate { id: id.to_owned() };
        assert_eq!(ask(&gate, claim).await.0, Err(none));
    }
}

#[tokio::test]
async fn a_changed_password_counts_from_the_reload_on() {
    let gate = Gate::new(vec![door("crm", by_hash("old"), None)]);
    assert!(ask(&gate, claim("crm", "old")).await.0.is_ok());
    gate.replace(vec![door("crm", by_hash("new"), None)]);
    assert_eq!(ask(&gate, claim("crm", "old")).await, (Err(wrong("crm")), How::Later));
    assert!(ask(&gate, claim("crm", "new")).await.0.is_ok());
}

#[tokio::test]
async fn a_gate_without_doors_is_open() {
    let gate = Gate::new(Vec::new());
    assert_eq!(ask(&gate, claim("whoever", "")).await, (Ok("whoever".to_owned()), How::AtOnce));
    assert!(gate.is_open_to_anybody());
}

#[derive(Debug, PartialEq, Eq)]
enum How {
    AtOnce,
    Later,
}

async fn ask(gate: &Arc<Gate>, claim: Claim) -> (Result<String, Denied>, How) {
    ask_at(gate, Instant::now(), claim).await
}

async fn ask_at(gate: &Arc<Gate>, now: Instant, claim: Claim) -> (Result<String, Denied>, How) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let at_once = gate.admit(now, claim, move |verdict| tell.send(verdict).expect("asked once"));
    let (verdict, how) = match at_once {
        Some(verdict) => (verdict, How::AtOnce),
        None => (told.await.expect("an answer"), How::Later),
    };
    (verdict.map(|identity| identity.id.clone()), how)
}

fn wrong(id: &str) -> Denied {
    Denied::Wrong { id: id.to_owned() }
}

fn claim(id: &str, password: &str) -> Claim {
    Claim { id: id.to_owned(), password: Password::new(password), from: HERE, certificate: None }
}

fn door(id: &str, password: Known, certificate: Option<&str>) -> Door {
    let agents = OwnAgents::These(HashSet::new());
    let identity = Identity { id: id.to_owned(), role: Role::Bridge, services: None, agents };
    Door { identity, proof: Proof { password, certificate: certificate.map(str::to_owned) } }
}

fn by_hash(password: &str) -> Known {
    let cost = HashCost { memory_kib: 8, passes: 1 };
    Known::ByHash(PasswordHash::of(&Password::new(password), cost).unwrap())
}

/// A certificate for one name.
#[derive(Debug)]
struct For(&'static str);

impl Certificate for For {
    fn is_for(&self, name: &str) -> bool {
        name == self.0
    }
}
