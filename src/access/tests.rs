//! Who is let in. Not here: hashes and waits by themselves.

use std::collections::HashSet;

use super::*;
use crate::model::{OwnAgents, Permit, Role};

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
async fn a_thousand_guesses_at_once_are_looked_at_one_after_the_other_and_after_four_no_more() {
    let gate = Gate::new(vec![door("crm", by_hash("hunter2"), None), door("desk", by_hash("hunter2"), None)]);
    let asked: Vec<_> = (0..1_000)
        .map(|guess| {
            let (tell, told) = tokio::sync::oneshot::channel();
            let claim = claim("crm", &format!("guess {guess}"));
            assert_eq!(gate.admit(instant_now(), claim, Asker(tell)), None);
            told
        })
        .collect();
    // Who comes last is not behind a thousand hashes.
    assert_eq!(ask_at(&gate, instant_now(), claim("desk", "hunter2")).await.0, Ok("desk".to_owned()));
    let mut looked_at = 0;
    for told in asked {
        match told.await.expect("an answer for each") {
            Err(Denied::Wrong { .. }) => looked_at += 1,
            Err(Denied::TooOften { .. }) => (),
            other => panic!("{other:?}"),
        }
    }
    // Two are hashed at a time: the fifth may have begun when the fourth was found wrong.
    assert!((4..=5).contains(&looked_at), "{looked_at} guesses were looked at");
}

#[tokio::test]
async fn desktops_that_come_back_at_once_with_one_password_cost_a_hash_or_two() {
    let gate = Gate::new(vec![door("crm", by_hash("hunter2"), None)]);
    let asked: Vec<_> = (0..1_000)
        .map(|_| {
            let (tell, told) = tokio::sync::oneshot::channel();
            assert_eq!(gate.admit(instant_now(), claim("crm", "hunter2"), Asker(tell)), None);
            told
        })
        .collect();
    for told in asked {
        assert!(told.await.expect("an answer for each").is_ok());
    }
    assert!(gate.hashed.load(std::sync::atomic::Ordering::Relaxed) <= HASHING_MAX as u64);
}

#[tokio::test]
async fn a_guess_of_somebody_who_has_gone_is_not_looked_at() {
    let gate = Gate::new(vec![door("crm", by_hash("hunter2"), None)]);
    for guess in 0..1_000 {
        let (tell, _) = tokio::sync::oneshot::channel();
        assert_eq!(gate.admit(instant_now(), claim("crm", &format!("guess {guess}")), Asker(tell)), None);
    }
    assert!(ask(&gate, claim("crm", "hunter2")).await.0.is_ok());
    assert_eq!(gate.hashed.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test]
async fn somebody_unknown_is_treated_as_one_of_those_who_are_known_and_always_as_the_same_one() {
    let doors = || {
        vec![
            door("a", Known::Plainly(Password::new("hunter2")), None),
            door("b", by_hash("hunter2"), None),
            door("c", Known::NotAsked, Some("c.example")),
        ]
    };
    let gate = Gate::new(doors());
    let mut seen = HashSet::new();
    for nobody in 0..64 {
        let id = format!("nobody {nobody}");
        let from = |last| Claim { from: IpAddr::from([192, 0, nobody, last]), ..claim(&id, "guess") };
        let (verdict, how) = ask(&gate, from(1)).await;
        let is_certificate = matches!(verdict, Err(Denied::NoCertificate { .. }));
        seen.insert((is_certificate, how));
        let (again, how_again) = ask(&gate, from(2)).await;
        assert_eq!((matches!(again, Err(Denied::NoCertificate { .. })), how_again), (is_certificate, how), "{id}");
    }
    let as_known = [(false, How::AtOnce), (false, How::Later), (true, How::AtOnce)];
    assert_eq!(seen, HashSet::from(as_known));
}

#[tokio::test]
async fn a_client_that_is_struck_off_while_it_is_checked_is_not_let_in() {
    let gate = Gate::new(vec![door("crm", by_hash("hunter2"), None), door("desk", by_hash("hunter2"), None)]);
    let (tell, told) = tokio::sync::oneshot::channel();
    assert_eq!(gate.admit(Instant::now(), claim("crm", "hunter2"), Asker(tell)), None);
    gate.replace(vec![door("desk", by_hash("hunter2"), None)]);
    assert_eq!(told.await.unwrap(), Err(wrong("crm")));
}

#[tokio::test]
async fn a_gate_without_doors_is_open() {
    let gate = Gate::new(Vec::new());
    assert_eq!(ask(&gate, claim("whoever", "")).await, (Ok("whoever".to_owned()), How::AtOnce));
    assert!(gate.is_open_to_anybody());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum How {
    AtOnce,
    Later,
}

async fn ask(gate: &Arc<Gate>, claim: Claim) -> (Result<String, Denied>, How) {
    ask_at(gate, Instant::now(), claim).await
}

async fn ask_at(gate: &Arc<Gate>, now: Instant, claim: Claim) -> (Result<String, Denied>, How) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let at_once = gate.admit(now, claim, Asker(tell));
    let (verdict, how) = match at_once {
        Some(verdict) => (verdict, How::AtOnce),
        None => (told.await.expect("an answer"), How::Later),
    };
    (verdict.map(|identity| identity.id.into()), how)
}

/// Who waits at the other end of a channel.
struct Asker(tokio::sync::oneshot::Sender<Verdict>);

impl Waiting for Asker {
    fn is_there(&self) -> bool {
        !self.0.is_closed()
    }

    fn hears(self, verdict: Verdict) {
        let _ = self.0.send(verdict);
    }
}

fn wrong(id: &str) -> Denied {
    Denied::Wrong { id: id.to_owned() }
}

fn claim(id: &str, password: &str) -> Claim {
    Claim { id: id.to_owned(), password: Password::new(password), from: HERE, certificate: None }
}

fn door(id: &str, password: Known, certificate: Option<&str>) -> Door {
    let agents = OwnAgents::These(HashSet::new());
    let permit = Permit { role: Role::Bridge, services: None, agents };
    let identity = Identity { id: id.into(), permit: Arc::new(permit) };
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
