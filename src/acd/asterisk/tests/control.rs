//! What commands about calls send, and what they make of the answers.

use super::super::AsteriskAcd;
use super::super::members::Said;
use super::*;
use crate::acd::AcdRefusal;
use crate::model::{
    Call, CallCommand, CallDataChange, CallDataValues, CallOutcome, Connection, ConsultKind, FarEnd, Tones,
};

/// An Asterisk without a wire, whose answers are a test's.
struct Hand {
    acd: AsteriskAcd,
    _inbox: AcdInbox,
}

const ONE: &str = "Channel: PJSIP/3001-00000002, Uniqueid: a-1795538710.2, Linkedid: a-1795538710.2, CallerIDNum: 3001";
const TWO: &str = "Channel: PJSIP/3002-00000003, Uniqueid: a-1795538711.3, Linkedid: a-1795538710.2, CallerIDNum: 3002";
const DONE: &str = "Success";

impl Hand {
    fn new() -> Hand {
        let more = "dial_context = \"phones\"\n[[variable]]\nname = \"CASE\"\ndata = 1\n";
        let (head, tables) = CONFIG.split_once("[[queue]]").expect("queues");
        let config: AsteriskConfig =
            toml::from_str(&format!("{head}\n{more}\n[[queue]]{tables}")).expect("a configuration");
        let acd = AsteriskAcd::new(&config).expect("a sound one");
        let (events, inbox) = acd_channel(1_000);
        acd.line.open();
        acd.world.lock().connect(events);
        acd.world.lock().set_members(None, Vec::new(), Instant::now());
        Hand { acd, _inbox: inbox }
    }

    /// 3001 talks with 3002, whom it has called.
    fn talking() -> Hand {
        let hand = Hand::new();
        for (event, channel, state) in
            [("Newchannel", ONE, 4), ("Newchannel", TWO, 5), ("Newstate", TWO, 6), ("Newstate", ONE, 6)]
        {
            hand.tells(event, &format!("{channel}, ChannelState: {state}"));
        }
        hand
    }

    fn tells(&self, event: &str, headers: &str) {
        let message = Message::new(Bytes::from(format!("Event: {event}\r\n{}", headers.replace(", ", "\r\n"))));
        assert!(news::take(&mut self.acd.world.lock(), event.as_bytes(), &message, Instant::now()), "{event}");
    }

    fn call(&self) -> Arc<Call> {
        self.acd.world.lock().switch.told().first().cloned().expect("a call")
    }

    fn at(&self, device: &str) -> Connection {
        Connection { call: self.call().id, device: instrument(device) }
    }

    /// Does a command. To each action that it sends that is the answer: Success, a value, or words of refusal.
    async fn does(
        &self,
        command: &CallCommand,
        mut answer: impl FnMut(&str) -> &'static str,
    ) -> (Result<CallOutcome, AcdRefusal>, Vec<String>) {
        let mut sent = Vec::new();
        let mut doing = std::pin::pin!(self.acd.control(command));
        loop {
            if let Some(done) = futures_util::FutureExt::now_or_never(doing.as_mut()) {
                return (done, sent);
            }
            let Some(order) = self.acd.line.take() else { return (doing.await, sent) };
            sent.push(as_sent(&order.action));
            let words = answer(&sent[sent.len() - 1]);
            let value = words.strip_prefix("Value: ").map(str::to_owned);
            let is_done = words == DONE || value.is_some();
            if is_done {
                self.acd.world.lock().is_done(&order.effect, Instant::now());
            }
            if let Some(reply) = order.reply {
                drop(reply.send(Ok(Said { is_done, words: words.to_owned(), value })));
            }
        }
    }
}

fn instrument(device: &str) -> Instrument {
    Instrument::new(device).expect("an instrument")
}

fn case(value: &str) -> CallDataChange {
    variable(1, value)
}

fn variable(number: usize, value: &str) -> CallDataChange {
    let mut values = CallDataValues::default();
    values.variables[number - 1] = Some(value.to_owned());
    CallDataChange::new(values).expect("a value that fits")
}

fn words(refusal: Result<CallOutcome, AcdRefusal>) -> String {
    refusal.expect_err("refused").to_string()
}

#[tokio::test]
async fn tones_that_stop_half_way_are_said_to_have_been_half_sent() {
    let hand = Hand::talking();
    let command = CallCommand::SendDtmf { from: hand.at("3001"), tones: Tones::new("12#").expect("tones") };
    let (done, sent) = hand.does(&command, |_| DONE).await;
    let played = |tone: char| format!("PlayDTMF, Channel: PJSIP/3001-00000002, Digit: {tone}, Receive: true");
    assert_eq!((done, sent), (Ok(CallOutcome::default()), "12#".chars().map(played).collect()));
    let fails_at =
        |tone: &'static str| move |action: &str| if action.contains(tone) { "Channel not found" } else { DONE };
    let (done, sent) = hand.does(&command, fails_at("#")).await;
    let words_then = words(done);
    assert!(words_then.contains("2 of 3 tones were sent") && words_then.contains("Channel not found"), "{words_then}");
    assert_eq!(sent.len(), 3);
    let (done, sent) = hand.does(&command, fails_at("Digit: 1")).await;
    assert!(!words(done).contains("were sent"));
    assert_eq!(sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_phone_is_told_to_answer_once_it_has_said_that_it_rings_or_never_will() {
    let dialled = || {
        let hand = Hand::new();
        hand.tells("Newchannel", &format!("{ONE}, ChannelState: 4"));
        hand.tells("Newchannel", &format!("{TWO}, ChannelState: 0"));
        let dest = TWO.split(", ").map(|header| format!("Dest{header}")).collect::<Vec<_>>().join(", ");
        hand.tells("DialBegin", &format!("{ONE}, {dest}, DestChannelState: 0"));
        hand
    };
    let told = "PJSIPNotify, Channel: PJSIP/3002-00000003, Variable: Event=talk";
    let hand = dialled();
    let answer = CallCommand::Answer(hand.at("3002"));
    {
        let mut answering = std::pin::pin!(hand.acd.control(&answer));
        assert_eq!(futures_util::FutureExt::now_or_never(answering.as_mut()), None);
        assert_eq!(left_in_line(&hand), [""; 0], "Asterisk would say that there is no such channel");
        hand.tells("Newstate", &format!("{TWO}, ChannelState: 5"));
        assert_eq!(futures_util::FutureExt::now_or_never(answering.as_mut()), None);
        assert_eq!(left_in_line(&hand), [told]);
    }
    let (done, sent) = hand.does(&answer, |_| DONE).await;
    assert_eq!((done, sent), (Ok(CallOutcome::default()), vec![told.to_owned()]), "it rings");
    let hand = dialled();
    let (mut answering, begun) = (std::pin::pin!(hand.acd.control(&answer)), Instant::now());
    let waits = tokio::time::timeout(Duration::from_secs(60), answering.as_mut());
    let order = async {
        loop {
            hand.acd.line.changed.notified().await;
            if let Some(order) = hand.acd.line.take() {
                return (as_sent(&order.action), begun.elapsed());
            }
        }
    };
    let (sent, after) = tokio::select! { sent = order => sent, _ = waits => panic!("it is never told") };
    assert_eq!((sent.as_str(), after), (told, Duration::from_secs(2)), "one that never says so");
}

#[tokio::test]
async fn a_call_is_cleared_when_every_channel_has_been_told_and_a_failure_is_seen() {
    let hand = Hand::talking();
    let clear = CallCommand::ClearCall(hand.call().id);
    let (done, sent) =
        hand.does(&clear, |action| if action.contains("3001-") { "No such channel" } else { DONE }).await;
    assert_eq!(done, Ok(CallOutcome::default()), "who is gone already needs no telling");
    assert_eq!(sent.len(), 2);
    let (done, sent) =
        hand.does(&clear, |action| if action.contains("3001-") { "Permission denied" } else { DONE }).await;
    assert!(words(done).contains("Permission denied"));
    assert_eq!(sent.len(), 2, "the other one is told all the same");
    let (done, _) = hand
        .does(&clear, |_| {
            hand.acd.line.close();
            DONE
        })
        .await;
    assert_eq!(done, Err(AcdRefusal::LinkDown), "the second one cannot be told any more");
}

#[tokio::test]
async fn what_a_transfer_is_to_carry_is_put_on_who_stays_before_anything_moves() {
    let hand = Hand::talking();
    let (active, to) = (hand.at("3001"), FarEnd::Dialed(instrument("3003")));
    let transfer = CallCommand::Transfer { active: active.clone(), to: to.clone(), data: case("C-8") };
    let (done, sent) = hand.does(&transfer, |_| DONE).await;
    assert_eq!(done, Ok(CallOutcome::default()));
    let sent: Vec<&str> = sent.iter().map(String::as_str).filter(|action| !action.starts_with("Getvar")).collect();
    assert_eq!(
        sent,
        [
            "Setvar, Channel: PJSIP/3002-00000003, Variable: CASE, Value: C-8",
            "BlindTransfer, Channel: PJSIP/3001-00000002, Context: phones, Exten: 3003"
        ]
    );
    hand.tells("Hangup", ONE);
    assert_eq!(hand.call().data.variables[0].as_deref(), Some("C-8"));
    let unknown = variable(2, "x");
    let hand = Hand::talking();
    let (done, sent) = hand.does(&CallCommand::Transfer { active, to, data: unknown }, |_| DONE).await;
    assert!(words(done).contains("no channel variable"));
    assert!(!sent.iter().any(|action| action.contains("Transfer")), "{sent:?}");
}

#[tokio::test]
async fn who_is_to_join_a_call_is_not_rung_where_there_are_no_conferences() {
    let hand = Hand::talking();
    let (active, to, data) = (hand.at("3001"), instrument("3003"), CallDataChange::default());
    let consult = CallCommand::Consult { active, to, kind: ConsultKind::Conference, data };
    let (done, sent) = hand.does(&consult, |_| DONE).await;
    assert!(matches!(done, Err(AcdRefusal::NotSupported { .. })), "{done:?}");
    assert_eq!(sent, [""; 0]);
}

const ODD: &str = r#"{"s": "a, b", 'i': [1, "\\"], "?": (x[y}"#;

#[tokio::test]
async fn call_data_gets_there_as_it_is_and_comes_back_as_it_is() {
    let hand = Hand::talking();
    hand.tells("VarSet", &format!("{ONE}, Variable: CASE, Value: {}", r#"it\'s \"a\" \\ \?\n\tb \x\"#));
    assert_eq!(hand.call().data.variables[0].as_deref(), Some("it's \"a\" \\ ?\n\tb \\x\\"));
    hand.tells("Newstate", &format!("{ONE}, ChannelState: 6, ChanVariable: CASE=\\\"c=d\\\""));
    assert_eq!(hand.call().data.variables[0].as_deref(), Some("\"c=d\""));
    let (from, to) = (instrument("3001"), instrument("3002"));
    let make = CallCommand::Make { from, to, data: case(ODD) };
    let (_, sent) = hand.does(&make, |action| if action.starts_with("Originate") { "no" } else { DONE }).await;
    let escaped = r#"Variable: CASE={\"s\": \"a\, b\"\, 'i': \[1\, \"\\\\\"\]\, \"?\": \(x\[y}"#;
    assert!(sent.last().is_some_and(|action| action.ends_with(escaped)), "{sent:?}");
    let set = |value: &str| CallCommand::SetData { at: hand.at("3001"), change: case(value) };
    let (done, sent) = hand.does(&set(ODD), |_| DONE).await;
    assert_eq!(done, Ok(CallOutcome::default()));
    assert_eq!(sent, [format!("Setvar, Channel: PJSIP/3001-00000002, Variable: CASE, Value: {ODD}")]);
    assert_eq!(hand.call().data.variables[0].as_deref(), Some(ODD), "before its event, which may be late");
    for blank in [" x", "\tx", "  "] {
        let (done, sent) = hand.does(&set(blank), |_| DONE).await;
        assert!(words(done).contains("begins with a blank"));
        assert_eq!(sent, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_number_that_the_dialplan_does_not_have_is_refused_before_anything_happens() {
    let hand = Hand::talking();
    let (active, to, data) = (hand.at("3001"), instrument("nowhere"), CallDataChange::default());
    let (from, far, kind) = (instrument("3003"), FarEnd::Dialed(to.clone()), ConsultKind::Transfer);
    let commands = [
        CallCommand::Transfer { active: active.clone(), to: far, data: case("x") },
        CallCommand::Make { from, to: to.clone(), data: data.clone() },
        CallCommand::Consult { active, to: to.clone(), kind, data },
    ];
    for (command, asked) in commands.iter().zip(["Channel: PJSIP/3002-00000003, ", "", ""]) {
        let (done, sent) = hand.does(command, |_| "Value: 0").await;
        let why = "the dialplan has no such number";
        assert_eq!(done, Err(AcdRefusal::BadDestination { number: to.clone(), why }));
        assert_eq!(sent, [format!("Getvar, {asked}Variable: DIALPLAN_EXISTS(phones,nowhere,1)")]);
    }
    // Where that cannot be asked, or is there, it is tried.
    for answer in ["Value: 1", "Value: ", "Permission denied"] {
        for (command, tried) in commands.iter().zip(["BlindTransfer", "Originate", "Originate"]) {
            let (_, sent) = hand.does(command, |action| if action.starts_with("Getvar") { answer } else { DONE }).await;
            assert!(sent.iter().any(|action| action.starts_with(tried)), "{answer}: {sent:?}");
        }
    }
}

/// Makes a call, up to where Asterisk has taken it; then that happens.
async fn makes(hand: &Hand, then: impl Fn(&Hand)) -> (Result<CallOutcome, AcdRefusal>, Vec<String>) {
    let (from, to, data) = (instrument("3001"), instrument("3002"), CallDataChange::default());
    let make = CallCommand::Make { from, to, data };
    let made = hand.does(&make, |action| {
        if action.starts_with("Originate") {
            then(hand);
        }
        DONE
    });
    made.await
}

/// The id of the channel that is being made.
fn id_of(hand: &Hand) -> String {
    hand.acd.world.lock().being_made.keys().next().cloned().expect("one that is being made")
}

fn is_forgotten(hand: &Hand) -> bool {
    hand.acd.world.lock().being_made.is_empty()
}

fn left_in_line(hand: &Hand) -> Vec<String> {
    std::iter::from_fn(|| hand.acd.line.take()).map(|order| as_sent(&order.action)).collect()
}

fn comes(hand: &Hand, id: &str) {
    let channel = format!("Channel: PJSIP/3001-00000004, Uniqueid: {id}, Linkedid: {id}, CallerIDNum: 3001");
    hand.tells("Newchannel", &format!("{channel}, ChannelState: 0"));
    hand.tells("Newstate", &format!("{channel}, ChannelState: 5"));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_made_is_told_of_and_nothing_is_left_behind() {
    let hand = Hand::new();
    let (made, sent) = makes(&hand, |hand| comes(hand, &id_of(hand))).await;
    assert_eq!(made.expect("made").new_call, Some(hand.call()));
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(is_forgotten(&hand));
    assert_eq!(left_in_line(&hand), [""; 0], "it rings on");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asterisk_cannot_make_fails_at_once() {
    let hand = Hand::new();
    let begun = Instant::now();
    let fails = |hand: &Hand| hand.tells("OriginateResponse", &format!("Response: Failure, Uniqueid: {}", id_of(hand)));
    let (made, _) = makes(&hand, fails).await;
    assert!(words(made).contains("could not ring the device"));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(is_forgotten(&hand));
    assert_eq!(left_in_line(&hand), [""; 0], "there is nothing to hang up");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_after_it_was_given_up_is_hung_up() {
    let hand = Hand::new();
    let id = std::cell::RefCell::new(String::new());
    let (made, _) = makes(&hand, |hand| *id.borrow_mut() = id_of(hand)).await;
    let hangup = [format!("Hangup, Channel: {}, Cause: 16", id.borrow())];
    assert!(words(made).contains("did not ring the device"));
    assert!(is_forgotten(&hand));
    assert_eq!(left_in_line(&hand), hangup, "it may be there already");
    comes(&hand, &id.borrow());
    assert_eq!(left_in_line(&hand), hangup);
    comes(&hand, &id.borrow());
    assert_eq!(left_in_line(&hand), [""; 0], "once is enough");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_dropped_while_it_dials_takes_its_call_along() {
    let hand = Hand::new();
    let id = {
        let (from, to, data) = (instrument("3001"), instrument("3002"), CallDataChange::default());
        let make = CallCommand::Make { from, to, data };
        let mut making = std::pin::pin!(hand.acd.control(&make));
        for _ in ["Getvar", "Originate"] {
            assert_eq!(futures_util::FutureExt::now_or_never(making.as_mut()), None);
            let reply = hand.acd.line.take().and_then(|order| order.reply).expect("an action");
            drop(reply.send(Ok(Said { is_done: true, words: String::new(), value: None })));
        }
        assert_eq!(futures_util::FutureExt::now_or_never(making.as_mut()), None);
        id_of(&hand)
    };
    assert!(is_forgotten(&hand));
    assert_eq!(left_in_line(&hand), [format!("Hangup, Channel: {id}, Cause: 16")]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_lost_fails_what_is_being_made_and_what_rings_on_is_hung_up_at_the_next() {
    for (state, hangups) in [("5", 1), ("6", 0)] {
        let hand = Hand::new();
        let id = std::cell::RefCell::new(String::new());
        let (made, _) = makes(&hand, |hand| {
            *id.borrow_mut() = id_of(hand);
            hand.acd.line.close();
            hand.acd.world.lock().forget_everything();
        })
        .await;
        assert_eq!(made, Err(AcdRefusal::LinkDown));
        hand.acd.line.open();
        let id = id.borrow();
        let item = format!("Event: CoreShowChannel, Channel: PJSIP/3001-00000004, Uniqueid: {id}, Linkedid: {id}");
        let item = format!("{item}, ChannelState: {state}").replace(", ", "\r\n");
        hand.acd.world.lock().set_channels(&[Message::new(Bytes::from(item))]);
        assert_eq!(left_in_line(&hand).len(), hangups, "{state}");
    }
}
