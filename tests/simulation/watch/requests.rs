//! What is asked and answered, and what follows from it for who hears what.

use tokio::time::Instant;

use super::super::story::Invariant;
use super::super::words::{Ask, Brings, Opening, Target, View};
use super::known::{Condition, Session, Status, Subscription, Told};
use super::{Command, Inner};

impl Inner {
    pub(super) fn is_delivered(&mut self, line: usize, id: u32) {
        let now = self.next();
        let Some(asked) = self.lines[line].asked.get(&id) else { return };
        let ask = asked.ask.clone();
        let leaves = |agent: &str| {
            let is_logout = |open: &Command| matches!(open, Command::LogOut { reason: 1.., is_whole: true });
            self.lives.get(agent).is_some_and(|life| life.open.iter().any(is_logout))
        };
        let must_fail = match &ask {
            Ask::LogIn { agent, .. }
            | Ask::LogOut { agent, .. }
            | Ask::Ready { agent }
            | Ask::NotReady { agent, .. } => self.lines[line].is_open && leaves(agent),
            _ => false,
        };
        let before = self.table();
        let is_known = |agent: &str| self.lens.as_ref().is_some_and(|lens| lens(agent).is_some());
        let is_known = !matches!(&ask, Ask::Monitor { of: Target::Agent(agent) } if !is_known(agent));
        if let Some(asked) = self.lines[line].asked.get_mut(&id) {
            (asked.delivered, asked.at) = (Some(now), Instant::now());
            (asked.must_fail, asked.before, asked.is_known) = (must_fail, before, is_known);
        }
        match &ask {
            Ask::Open(opening) => self.lines[line].opening = Some(opening.clone()),
            // The session's own subscription may begin anew from here on.
            Ask::LogIn { agent, device, .. } => {
                self.may_begin(line, device, self.table());
                if let Some(session) = self.lines[line].session {
                    self.sessions[session].let_go.remove(agent);
                } else if let Some(own) = self.lines[line].subscriptions.get_mut(&1)
                    && own.status == Status::Ended
                {
                    own.status = Status::Renewing;
                }
            }
            Ask::LogOut { agent, .. } | Ask::Query { agent } => {
                if matches!(ask, Ask::LogOut { .. }) {
                    self.may_end(agent);
                }
                if let Some(session) = self.lines[line].session {
                    self.sessions[session].let_go.remove(agent); // it is shown once more
                }
            }
            Ask::Subscribe { device } => self.may_begin(line, device, self.table()),
            Ask::Unsubscribe { device } => {
                if let Some(session) = self.lines[line].session {
                    let lives = &self.lives;
                    let session = &mut self.sessions[session];
                    session.has.retain(|agent| lives[agent].device() != Some(device));
                }
            }
            Ask::StopMonitor { id } => {
                if let Some(subscription) = self.lines[line].subscriptions.get_mut(id) {
                    subscription.status = Status::Unsure;
                }
            }
            _ => (),
        }
    }

    /// A logout of an agent that is out already ends without a word what began since its last event.
    pub(super) fn may_end(&mut self, agent: &str) {
        let life = &self.lives[agent];
        let is_out = !life.is_in();
        let of_lines = self.lines.iter_mut().flat_map(|line| line.subscriptions.values_mut());
        let of_sessions = self.sessions.iter_mut().flat_map(|session| session.subscriptions.values_mut());
        for subscription in of_lines.chain(of_sessions) {
            let is_told_out = subscription.seen.get(agent).is_none_or(|seen| !life.moments[*seen].is_logged_in());
            let may_end = is_out || is_told_out;
            if subscription.is_of(agent, life.device()) && may_end && subscription.status == Status::Alive {
                subscription.status = Status::Unsure;
            }
        }
    }

    pub(super) fn may_begin(&mut self, line: usize, device: &str, before: Told) {
        let Some(session) = self.lines[line].session else { return };
        match self.sessions[session].subscriptions.get_mut(device) {
            Some(known) if known.status == Status::Ended => known.status = Status::Unsure,
            Some(_) => (),
            None => {
                let target = Target::Device(device.to_owned());
                let subscription = self.subscription(target, Status::Unsure, before.clone(), before);
                self.sessions[session].subscriptions.insert(device.to_owned(), subscription);
            }
        }
    }

    pub(super) fn is_answered(&mut self, now: u64, line: usize, id: u32, is_ok: bool, brings: Option<Brings>) {
        let there = &mut self.lines[line];
        let Some(asked) = there.asked.remove(&id).filter(|asked| asked.delivered.is_some()) else {
            let how = if there.answered.contains(&id) { "a second time" } else { "which was not asked" };
            let what = format!("{} is answered to {id} {how}", there.name);
            return self.breach(Invariant::AnsweredOnce, what);
        };
        there.answered.insert(id);
        if is_ok && asked.must_fail {
            let what = format!("{}: {id} was done while a logout was under way: {:?}", there.name, asked.ask);
            self.breach(Invariant::LogoutIsExclusive, what);
        }
        let delivered = (asked.delivered.unwrap_or(now), asked.at);
        let (before, after) = (asked.before, asked.after);
        match asked.ask {
            Ask::Open(opening) if is_ok => self.opens(line, opening, brings, (before, after)),
            Ask::LogOut { agent, queues, .. } if is_ok => self.is_confirmed(line, &agent, &queues, delivered),
            Ask::LogIn { agent, device, .. } => self.login_is_answered(line, &agent, &device, is_ok),
            Ask::Subscribe { device } if is_ok => self.follows(line, &device),
            Ask::Unsubscribe { device } if is_ok => {
                let Some(session) = self.lines[line].session else { return };
                let is_wanted = self.wants_events(line);
                if let Some(known) = self.sessions[session].subscriptions.get_mut(&device).filter(|_| is_wanted) {
                    known.status = Status::Unsure;
                } else {
                    self.sessions[session].subscriptions.remove(&device);
                }
            }
            Ask::Monitor { of } if is_ok => {
                if let Some(Brings::Monitor(id)) = brings {
                    let status = if asked.is_known { Status::Alive } else { Status::Unsure };
                    let subscription = self.subscription(of, status, before, after);
                    self.lines[line].subscriptions.insert(id, subscription);
                }
            }
            Ask::StopMonitor { id } if is_ok => drop(self.lines[line].subscriptions.remove(&id)),
            _ => (),
        }
    }

    pub(super) fn opens(
        &mut self,
        line: usize,
        opening: Opening,
        brings: Option<Brings>,
        (before, after): (Told, Told),
    ) {
        self.lines[line].is_open = true;
        match opening {
            Opening::Desktop { agent, .. } => {
                let own = self.subscription(Target::Agent(agent), Status::Alive, before, after);
                self.lines[line].subscriptions.insert(1, own);
            }
            Opening::Bridge { .. } => {
                let all = self.subscription(Target::All, Status::Alive, before, after);
                self.lines[line].subscriptions.insert(0, all);
            }
            Opening::Fresh | Opening::Resume { .. } => {
                let Some(Brings::Session { token, resumed, seq }) = brings else { return };
                let known = self.sessions.iter().position(|session| session.token == token);
                let at = known.unwrap_or_else(|| {
                    self.sessions.push(Session { token, ..Session::default() });
                    self.sessions.len() - 1
                });
                let before = &self.lines[self.sessions[at].line];
                let may_begin_more = known.is_some() && before.wants_events();
                let session = &mut self.sessions[at];
                session.may_begin_more |= may_begin_more;
                (session.line, session.seq) = (line, seq);
                if known.is_some() && resumed != Some(true) {
                    session.has.clear(); // what is lost may have been the end of anything
                    for subscription in session.subscriptions.values_mut() {
                        subscription.status = Status::Unsure;
                    }
                }
                self.lines[line].session = Some(at);
                let asked = self.lines[line].asked.values().filter(|asked| asked.delivered.is_some());
                let devices = asked.filter_map(|asked| match &asked.ask {
                    Ask::LogIn { device, .. } | Ask::Subscribe { device } => {
                        Some((device.clone(), asked.before.clone()))
                    }
                    _ => None,
                });
                for (device, before) in devices.collect::<Vec<_>>() {
                    self.may_begin(line, &device, before);
                }
            }
        }
    }

    /// An OpenCTI session has been told that it hears of a device.
    pub(super) fn follows(&mut self, line: usize, device: &str) {
        let Some(session) = self.lines[line].session else { return };
        let lives = &self.lives;
        let Some(subscription) = self.sessions[session].subscriptions.get_mut(device) else { return };
        let is_out = |(agent, seen): (&String, &usize)| {
            let life = &lives[agent];
            life.moments[*seen].is_logged_in() || life.device() != Some(device)
        };
        if subscription.status == Status::Unsure && subscription.seen.iter().all(is_out) {
            subscription.status = Status::Alive;
        }
    }

    pub(super) fn login_is_answered(&mut self, line: usize, agent: &str, device: &str, is_ok: bool) {
        if let Some(session) = self.lines[line].session {
            if is_ok {
                let session = &mut self.sessions[session];
                let last = session.subscriptions.get(device).and_then(|followed| followed.last.get(agent));
                if last.is_none_or(|(view, _)| *view != View::Out) {
                    session.has.insert(agent.to_owned()); // unless it is out again by now
                }
                self.follows(line, device);
            }
            return;
        }
        let waits = self.wants_events(line);
        let Some(own) = self.lines[line].subscriptions.get_mut(&1) else { return };
        own.status = match (own.status, is_ok, waits) {
            (Status::Unsure | Status::Renewing, true, _) => Status::Alive,
            (Status::Renewing, false, false) => Status::Ended,
            (status, ..) => status,
        };
    }

    /// A logout was confirmed that was asked at that time.
    pub(super) fn is_confirmed(&mut self, line: usize, agent: &str, queues: &[u32], (asked, at): (u64, Instant)) {
        let life = &self.lives[agent];
        let has_left = |now: &Condition| {
            let is_in = |queue: &u32| now.facts.queues.iter().any(|there| there.0 == *queue);
            !queues.is_empty() && now.facts.is_logged_in() && !queues.iter().any(is_in)
        };
        if !life.was_torn_down(asked, at - self.yardstick.lag) && !life.was(asked, has_left) {
            let what = format!("{}: the logout of {agent} was confirmed, and it is not", self.lines[line].name);
            self.breach(Invariant::ConfirmAfterTeardown, what);
        }
        self.may_end(agent);
        if !queues.is_empty() {
            return; // what it left is not known here
        }
        let life = &self.lives[agent];
        let was_in = life.conditions.iter().rfind(|condition| condition.since <= asked);
        let has_ended = was_in.is_some_and(|was| was.facts.is_logged_in());
        let device = life.device_at(asked).map(str::to_owned);
        let shares_device = |from: u64| {
            let is_there = |now: &Condition| now.facts.instrument.as_ref().map(|at| at.as_str()) == device.as_deref();
            self.lives.iter().any(|(other, life)| other != agent && life.was(from, is_there))
        };
        let mut breaches = Vec::new();
        let check = |subscription: &Subscription, by: &dyn std::fmt::Display| {
            // Told last that it is out: of this or of an earlier end, which look the same.
            let is_told = !has_ended || subscription.told(agent, life).0 == View::Out;
            let is_due = subscription.status == Status::Alive && subscription.began < asked;
            (is_due && !is_told).then(|| format!("the logout of {agent} was confirmed before its last event, by {by}"))
        };
        for (id, subscription) in &self.lines[line].subscriptions {
            if subscription.is_of(agent, device.as_deref()) || subscription.target == Target::All {
                breaches.extend(check(subscription, &format!("monitor {id}")));
            }
        }
        let session = self.lines[line].session;
        if let Some((at, device)) = session.zip(device.as_ref())
            && let Some(subscription) = self.sessions[at].subscriptions.get(device)
        {
            breaches.extend(check(subscription, device));
        }
        for what in breaches {
            self.breach(Invariant::LastEventBeforeConfirm, what);
        }
        // With it have ended the subscriptions that were there when it was asked.
        let is_wanted = self.wants_events(line);
        let keeps = shares_device(asked);
        for subscription in self.lines[line].subscriptions.values_mut() {
            let is_device = matches!(subscription.target, Target::Device(_));
            if subscription.is_of(agent, device.as_deref()) && subscription.status == Status::Alive {
                let has_ended = subscription.began < asked && !(is_device && keeps);
                subscription.status = if has_ended { Status::Ended } else { Status::Unsure };
            }
        }
        if let Some(at) = session {
            let may_be_shown = is_wanted || self.lines[line].asks_for(agent);
            let session = &mut self.sessions[at];
            session.has.remove(agent);
            if !may_be_shown {
                session.let_go.insert(agent.to_owned());
            }
            if let Some(subscription) = device.and_then(|device| session.subscriptions.get_mut(&device)) {
                subscription.status = if is_wanted { Status::Unsure } else { Status::Ended };
            }
        }
    }

    /// Whether something is under way that begins a subscription which may have ended before.
    pub(super) fn wants_events(&self, line: usize) -> bool {
        let session = self.lines[line].session.map(|session| &self.sessions[session]);
        self.lines[line].wants_events() || session.is_some_and(|session| session.may_begin_more)
    }
}
