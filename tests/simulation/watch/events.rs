//! What a client hears unasked.

use super::super::story::Invariant;
use super::super::words::{CallStep, Heard, Source, Target, View};
use super::Inner;
use super::known::{Status, Subscription};

impl Inner {
    pub(super) fn hears(&mut self, line: usize, heard: Heard) {
        let now = self.next();
        match heard {
            Heard::Answer { id, is_ok, brings, .. } => self.is_answered(now, line, id, is_ok, brings),
            Heard::Seq(seq) => {
                let Some(at) = self.lines[line].session else { return };
                let session = &mut self.sessions[at];
                if session.line == line && seq != session.seq + 1 {
                    let what = format!("event {seq} comes after event {}", session.seq);
                    session.seq = seq;
                    return self.breach(Invariant::InOrder, what);
                }
                session.seq = session.seq.max(seq);
            }
            Heard::TakenOver { agent, device } => {
                let Some(at) = self.lines[line].session else { return };
                let session = &mut self.sessions[at];
                session.has.remove(&agent);
                if let Some(subscription) = session.subscriptions.get_mut(&device) {
                    subscription.status = Status::Unsure;
                }
            }
            Heard::Agent { by, agent, device, view, reason, is_snapshot } => {
                self.hears_of_agent(line, &by, &agent, &device, view.map(|view| (view, reason)), is_snapshot);
            }
            Heard::Call { by, call, step } => self.hears_of_call(line, &by, call, step),
            Heard::Other(_) => (),
        }
    }

    pub(super) fn hears_of_agent(
        &mut self,
        line: usize,
        by: &Source,
        agent: &str,
        device: &str,
        view: Option<(View, u16)>,
        is_snapshot: bool,
    ) {
        if self.is_left_over(line) {
            return;
        }
        let name = self.lines[line].name.clone();
        if let Some(session) = self.lines[line].session {
            let session = &mut self.sessions[session];
            if view.is_some_and(|(view, _)| view == View::Out) {
                session.has.remove(agent);
            }
            let is_followed =
                session.subscriptions.get(device).is_some_and(|subscription| subscription.status != Status::Ended);
            if is_snapshot && session.let_go.contains(agent) && !is_followed {
                let what = format!("{name} is shown {agent}, whose logout was confirmed");
                return self.breach(Invariant::NothingAfterTheEnd, what);
            }
        }
        let moments: Vec<(View, u16)> = self.lives[agent].moments.iter().map(View::of).collect();
        let forgets = !self.yardstick.lists_agents;
        let mut others = self.lives.iter().filter(|(other, _)| *other != agent);
        let is_shared = others.any(|(_, life)| {
            life.moments.iter().any(|facts| facts.instrument.as_ref().is_some_and(|at| at.as_str() == device))
        });
        let is_wanted = self.wants_events(line);
        let story = self.story.clone();
        let Some(subscription) = self.find(line, by) else {
            if !is_snapshot {
                let what = format!("{name} hears of {agent} by {by:?}, which there is not");
                self.breach(Invariant::NothingAfterTheEnd, what);
            }
            return;
        };
        if subscription.status == Status::Ended && !is_snapshot {
            let what = format!("{name} hears of {agent} by {by:?}, which has ended");
            return self.breach(Invariant::NothingAfterTheEnd, what);
        }
        let Some((view, reason)) = view else { return }; // the moment of a login: what it is then comes behind it
        subscription.last.insert(agent.to_owned(), (view, reason));
        if is_snapshot {
            return; // it may show what was told before
        }
        let seen = subscription.seen.get(agent).copied();
        if forgets && view == View::Out && seen.is_none_or(|seen| moments[seen].0 == View::Out) {
            return; // nothing has ended: it was only not known any more
        }
        let first = seen.map_or(0, |seen| seen + 1);
        let found = (first..moments.len()).find(|at| moments[*at] == (view, reason));
        match found {
            Some(at) => drop(subscription.seen.insert(agent.to_owned(), at)),
            None if subscription.status != Status::Alive => (),
            None => {
                let what =
                    format!("{name} hears by {by:?} that {agent} is {view:?} ({reason}), which is old or not true");
                return self.breach(Invariant::InOrder, what);
            }
        }
        if view == View::Out && subscription.target != Target::All {
            let is_device = matches!(subscription.target, Target::Device(_));
            // One that a request which is not answered yet may have begun anew.
            let left: Vec<u32> = subscription.calls.iter().copied().collect();
            if subscription.status == Status::Alive && !is_shared && !left.is_empty() {
                let what = format!("{name} was not told that calls {left:?} end for {agent}, who is out");
                story.breach(Invariant::CallsBeginAndEnd, what);
            }
            subscription.status = match by {
                Source::Monitor(1) if is_wanted => Status::Renewing,
                Source::Device(_) if is_wanted => Status::Unsure,
                _ if is_device && is_shared => Status::Unsure,
                _ => Status::Ended,
            };
        }
    }

    pub(super) fn hears_of_call(&mut self, line: usize, by: &Source, call: u32, step: CallStep) {
        if self.is_left_over(line) {
            return;
        }
        let name = self.lines[line].name.clone();
        let Some(subscription) = self.find(line, by) else {
            let what = format!("{name} hears of call {call} by {by:?}, which there is not");
            return self.breach(Invariant::NothingAfterTheEnd, what);
        };
        let is_there = subscription.calls.contains(&call);
        let is_in_order = match step {
            CallStep::Began => subscription.calls.insert(call),
            CallStep::Went => is_there,
            CallStep::Ended => subscription.calls.remove(&call),
        };
        match subscription.status {
            Status::Ended => {
                let what = format!("{name} hears of call {call} by {by:?}, which has ended");
                self.breach(Invariant::NothingAfterTheEnd, what);
            }
            // OpenCTI tells how a call stands, not that it began.
            Status::Alive if !is_in_order && matches!(by, Source::Monitor(_)) => {
                let what = format!("{name} hears by {by:?} that call {call} {step:?}, and it was there: {is_there}");
                self.breach(Invariant::CallsBeginAndEnd, what);
            }
            _ => (),
        }
    }

    pub(super) fn find(&mut self, line: usize, by: &Source) -> Option<&mut Subscription> {
        match by {
            Source::Monitor(id) => self.lines[line].subscriptions.get_mut(id),
            Source::Device(device) => {
                let session = &mut self.sessions[self.lines[line].session?];
                session.subscriptions.get_mut(device)
            }
        }
    }

    /// Whether events of a session that goes on elsewhere still come here.
    pub(super) fn is_left_over(&self, line: usize) -> bool {
        self.lines[line].session.is_some_and(|session| self.sessions[session].line != line)
    }
}
