//! Pairs of desks that call each other: the one dials, the other answers, the first hangs up.
//!
//! Lives here: what one desk of a pair does, and what its call's events are measured from. Not here: when a call is due
//! (`schedule`), how a request is asked (`desk`).
//!
//! What is measured of an event: from the command of the one desk that makes the ACD tell, to its event at the other desk.
//! Between the two lie the way to the gateway, the ACD's own work and the way to the other client: an upper bound of what
//! the gateway itself takes from an ACD's event to a client.

use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::AnyMessage;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::desk::{Desk, receive};
use super::schedule::Schedule;
use super::watch::Kind;

/// What the two desks of a pair know of their call.
#[derive(Debug, Default)]
pub(super) struct Pair {
    began: Mutex<Began>,
    /// The one who was called has heard the end.
    over: Notify,
    /// No more calls come.
    dials_no_more: Notify,
}

/// When what was asked that an event follows.
#[derive(Debug, Default, Clone, Copy)]
struct Began {
    dialed: Option<Instant>,
    answered: Option<Instant>,
    cleared: Option<Instant>,
}

/// What a desk knows of its call.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) call: Option<u32>,
    rings: bool,
    is_established: bool,
}

/// Which desk of its pair one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Dials,
    Answers,
}

impl Desk {
    /// Takes its part in the calls of its pair until the time is over, and ends the last one.
    pub(super) async fn call(&mut self, start: Instant, duration: Duration, per_second: f64) {
        let pairs = self.office.desks / 2;
        let (pair, part) = self.pair();
        let mut schedule = Schedule::new(start, duration, per_second, pair, pairs.max(1));
        self.counts_until = Some(schedule.end());
        match part {
            _ if pair >= pairs => (), // the last of an odd number
            Part::Dials => {
                if self.is_logged_in {
                    self.dial(&mut schedule, pair).await;
                }
                self.office.pairs[pair as usize].dials_no_more.notify_one();
                self.office.figures.lock().working.not_sent += schedule.not_sent();
            }
            Part::Answers if self.is_logged_in => self.take_calls(pair).await,
            Part::Answers => (),
        }
        self.listen_until(schedule.end()).await;
        self.counts_until = None;
    }

    fn pair(&self) -> (u32, Part) {
        (self.number / 2, if self.number.is_multiple_of(2) { Part::Dials } else { Part::Answers })
    }

    async fn dial(&mut self, schedule: &mut Schedule, pair: u32) {
        while self.client.is_some() {
            let Some(due) = schedule.next_due(Instant::now()) else { break };
            if schedule.has_pace() {
                self.listen_until_rung(due, pair).await;
            } else {
                self.listen_until(due).await;
            }
            schedule.take();
            self.begun(|began| *began = Began { dialed: Some(due), ..Began::default() });
            self.line = Line::default();
            let Some(to) = self.partner.clone() else { return };
            if !self.ask(Kind::MakeCall, due, |desktop, id| desktop.make_call(id, &to).into()).await {
                continue;
            }
            let office = Arc::clone(&self.office);
            let deadline = Instant::now() + office.answer_wait;
            while !self.line.is_established && self.client.is_some() {
                if !self.hears_before(deadline).await {
                    office.figures.lock().failed(Kind::Established, "no event");
                    break;
                }
            }
            let Some(call) = self.line.call else { continue };
            let now = Instant::now();
            let deadline = now + office.answer_wait;
            self.begun(|began| began.cleared = Some(now));
            self.ask(Kind::ClearCall, now, |desktop, id| desktop.clear(id, call).into()).await;
            let over = &office.pairs[pair as usize].over;
            let has_ended = async {
                tokio::select! {
                    () = over.notified() => true,
                    () = sleep_until(deadline) => false,
                }
            };
            tokio::pin!(has_ended);
            loop {
                tokio::select! {
                    is_told = &mut has_ended => {
                        if !is_told {
                            office.figures.lock().failed(Kind::Cleared, "no event");
                        }
                        break;
                    }
                    heard = receive(&mut self.client) => self.judge(heard),
                }
            }
        }
    }

    /// Answers what rings until the other one dials no more.
    async fn take_calls(&mut self, pair: u32) {
        let office = Arc::clone(&self.office);
        let dials_no_more = office.pairs[pair as usize].dials_no_more.notified();
        tokio::pin!(dials_no_more);
        while self.client.is_some() {
            // It may ring already: since before this desk's time began, or while it waited for an answer.
            let Some(call) = self.line.call.filter(|_| std::mem::take(&mut self.line.rings)) else {
                tokio::select! {
                    () = &mut dials_no_more => return,
                    heard = receive(&mut self.client) => self.judge(heard),
                }
                continue;
            };
            let now = Instant::now();
            self.begun(|began| began.answered = Some(now));
            self.ask(Kind::AnswerCall, now, |desktop, id| desktop.answer(id, call).into()).await;
        }
    }

    /// Waits for the next message; false if none comes in time.
    async fn hears_before(&mut self, deadline: Instant) -> bool {
        tokio::select! {
            () = sleep_until(deadline) => false,
            heard = receive(&mut self.client) => {
                self.judge(heard);
                true
            }
        }
    }

    /// Looks whether a message is one of the pair's call.
    pub(super) fn note_call(&mut self, message: &AnyMessage, now: Instant) {
        let (pair, part) = self.pair();
        let Some(pair) = self.office.pairs.get(pair as usize) else { return };
        let began = *pair.began.lock();
        let measured = |kind: Kind, since: Option<Instant>| {
            if let Some(since) = since {
                self.office.figures.lock().answered(kind, now.saturating_duration_since(since));
            }
        };
        match (part, message) {
            (Part::Dials, AnyMessage::MakeCallConf(made)) => self.line.call = Some(made.new_connection_call_id),
            (Part::Dials, AnyMessage::CallEstablishedEvent(event)) if !self.line.is_established => {
                measured(Kind::Established, began.answered);
                self.line.call = Some(event.connection_call_id);
                self.line.is_established = true;
            }
            (Part::Answers, AnyMessage::CallDeliveredEvent(event)) if self.line.call.is_none() => {
                measured(Kind::Delivered, began.dialed);
                self.line = Line { call: Some(event.connection_call_id), rings: true, is_established: false };
            }
            (Part::Answers, AnyMessage::CallClearedEvent(event))
                if self.line.call == Some(event.connection_call_id) =>
            {
                measured(Kind::Cleared, began.cleared);
                self.office.figures.lock().working.calls +=
                    u64::from(self.counts_until.is_some_and(|until| now < until));
            }
            (Part::Answers, AnyMessage::EndCallEvent(event)) if self.line.call == Some(event.connection_call_id) => {
                self.line = Line::default();
                pair.over.notify_one();
            }
            _ => (),
        }
    }

    fn begun(&self, change: impl FnOnce(&mut Began)) {
        let (pair, _) = self.pair();
        if let Some(pair) = self.office.pairs.get(pair as usize) {
            change(&mut pair.began.lock());
        }
    }
}

#[cfg(test)]
mod tests {
    use cti_protocol::ged188::{AnswerCallConf, ClearConnectionConf, MakeCallConf, Version};
    use tokio::sync::{Semaphore, mpsc};
    use tokio::time::timeout;

    use super::super::desk::Office;
    use super::super::figures::Figures;
    use super::super::pace::Bells;
    use super::*;
    use crate::cli::client::scripted::{Say, serve};
    use crate::cli::client::{Client, Desktop, Identity};

    /// The desk of that number, connected to a server that confirms what is asked for a call, and what it was asked.
    async fn desk(number: u32, answer_wait: Duration) -> (Desk, mpsc::Receiver<AnyMessage>) {
        let (tell, told) = mpsc::channel(8);
        let address = serve(move |request| {
            tell.try_send(request.clone()).unwrap();
            let invoke_id = request.invoke_id().unwrap();
            Say::These(vec![match request {
                AnyMessage::MakeCallReq(_) => {
                    MakeCallConf { invoke_id, new_connection_call_id: 7, ..Default::default() }.into()
                }
                AnyMessage::AnswerCallReq(_) => AnswerCallConf { invoke_id, ..Default::default() }.into(),
                _ => ClearConnectionConf { invoke_id, ..Default::default() }.into(),
            }])
        });
        let (address, version) = (address.await, Version::new(20).unwrap());
        let office = Office {
            way: address.as_str().into(),
            version,
            desks: 2,
            answer_wait,
            bells: Bells::new(1),
            storm: Semaphore::new(1),
            figures: Arc::new(Mutex::new(Figures::new(Kind::OF_CALLS))),
            pairs: vec![Pair::default()],
        };
        let identity = Identity {
            client_id: "test".into(),
            client_password: String::new(),
            peripheral: 5000,
            tls: Default::default(),
        };
        let desktop = Desktop::new("1001", "pw1001", "3001", &identity).unwrap();
        let mut desk = Desk::new(number, "1001".into(), desktop, Some("3002".into()), Arc::new(office));
        desk.client = Some(Client::connect(&address.as_str().into(), version).await.unwrap());
        (desk, told)
    }

    #[tokio::test]
    async fn what_rings_before_the_called_desks_time_has_begun_is_answered() {
        let (mut desk, mut asked) = desk(1, Duration::from_secs(10)).await;
        desk.line = Line { call: Some(7), rings: true, is_established: false };
        let office = Arc::clone(&desk.office);
        let answered = async {
            let asked = asked.recv().await;
            office.pairs[0].dials_no_more.notify_one();
            asked
        };
        let (_, answered) = timeout(Duration::from_secs(10), async { tokio::join!(desk.take_calls(0), answered) })
            .await
            .expect("it is answered");
        assert!(matches!(answered, Some(AnyMessage::AnswerCallReq(call)) if call.connection_call_id == 7));
    }

    #[tokio::test]
    async fn a_call_that_nobody_answered_is_cleared_and_its_end_waited_for() {
        let (mut desk, mut asked) = desk(0, Duration::from_millis(300)).await;
        let office = Arc::clone(&desk.office);
        // One call is due, at once; its end is heard when it is cleared.
        let mut schedule = Schedule::new(Instant::now(), Duration::from_secs(1), 1.0, 0, 1);
        let cleared = async {
            while let Some(request) = asked.recv().await {
                if matches!(request, AnyMessage::ClearConnectionReq(_)) {
                    return office.pairs[0].over.notify_one();
                }
            }
        };
        tokio::join!(desk.dial(&mut schedule, 0), cleared);
        let errors: Vec<String> = office.figures.lock().errors().keys().cloned().collect();
        assert_eq!(errors, ["→ established: no event"]);
    }
}
