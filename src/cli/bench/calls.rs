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
            tokio::select! {
                () = &mut dials_no_more => return,
                heard = receive(&mut self.client) => self.judge(heard),
            }
            let Some(call) = self.line.call.filter(|_| std::mem::take(&mut self.line.rings)) else { continue };
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
