//! What an open session may ask. Not here: Hello, and what is done then (`operations`).
//!
//! Must hold: a request is refused here before anything is changed, or it is given to an operation that answers it exactly
//! once; an agent's Snapshot comes before the answer to the request that asked for it or brought it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cti_protocol::opencti::{
    Activity, Answer, CloseAdapter, Code, GetSnapshot, LoginAgent, LogoutAgent, OpenAdapter, RequestId,
    SetAgentNotReady, SetAgentReady, SubscribeForEvents, UnSubscribeForEvents,
};
use parking_lot::Mutex;
use smol_str::SmolStr;

use super::OpenCti;
use super::answers::No;
use super::client::done;
use super::hello::Opened;
use super::names::{device, given};
use super::render::Shown;
use super::session::{Line, Session};
use crate::acd::AcdRefusal;
use crate::model::{AgentKey, Instrument, Login, Logout, Password, PeripheralId, StateChange, WantedState};
use crate::observe::RequestResult;
use crate::operations::{Answer as Outcome, Demands, LoggedOut, Refusal, Requester, Right, Urgency};
use crate::sessions::{HeldBy, LogoutKind, Target};

/// How long a request can wait, or be refused.
pub(super) fn urgency(activity: &Activity) -> Urgency {
    match activity {
        Activity::Hello(_) | Activity::LoginAgent(_) => Urgency::Newcomer,
        Activity::LogoutAgent(_)
        | Activity::SetAgentNotReady(_)
        | Activity::HangUpCall(_)
        | Activity::DropParty(_)
        | Activity::CloseAdapter(_)
        | Activity::UnSubscribeForEvents(_)
        | Activity::Heartbeat(_) => Urgency::Leaving,
        _ => Urgency::Ordinary,
    }
}

impl Opened {
    /// Does what the client asks, or says why not.
    pub(super) fn on_request(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        activity: Activity,
    ) -> Result<(), No> {
        match activity {
            Activity::LoginAgent(request) => self.log_in(shared, line, id, &request),
            Activity::LogoutAgent(request) => self.log_out(shared, line, id, &request),
            Activity::SetAgentReady(request) => self.ready(shared, line, id, &request),
            Activity::SetAgentNotReady(request) => self.not_ready(shared, line, id, &request),
            Activity::OpenAdapter(request) => self.open_adapter(shared, &request).map(|()| done(line, id)),
            Activity::CloseAdapter(request) => self.close_adapter(shared, &request).map(|()| done(line, id)),
            Activity::SubscribeForEvents(request) => self.subscribe(shared, line, id, &request),
            Activity::UnSubscribeForEvents(request) => self.unsubscribe(shared, &request).map(|()| done(line, id)),
            Activity::GetSnapshot(request) => self.get_snapshot(shared, &request).map(|()| done(line, id)),
            Activity::Heartbeat(_) => {
                done(line, id);
                Ok(())
            }
            Activity::Hello(_) => Err(No::new(Code::NoSession, "a session is open already")),
            of_call => self.on_call_request(shared, line, id, &of_call),
        }
    }

    fn log_in(&self, shared: &Arc<OpenCti>, line: &Arc<Line>, id: &RequestId, request: &LoginAgent) -> Result<(), No> {
        self.must_control("LoginAgent")?;
        let key = shared.agent(request.acd.as_deref(), &request.agent_id)?;
        self.rights.must_be(&key.agent)?;
        let device = shared.login_device(&key, request.dn.as_deref())?;
        let queues = shared.queues(key.peripheral, request.queue.as_deref())?;
        let session = Arc::clone(&self.session);
        let (whose, hears) = (self.whose(), self.rights.every_device || self.rights.own_devices);
        let (others, claim) = shared.house.meet_to_log_in(session.id, &key).map_err(|HeldBy(other)| {
            No::new(Code::AgentLoggedIn, format!("AgentID: session {other} has agent {}", key.agent))
        })?;
        if !session.has_agent(&key) && session.is_full() {
            return Err(too_many(shared));
        }
        let password = Password::new(request.agent_password.expose());
        let login = Login {
            agent: key.agent.clone(),
            password: password.clone(),
            instrument: device.clone(),
            queues,
            forced: !others.is_empty(), // taken over, wherever it is
        };
        // Whoever knows the agent's password may log it in.
        let by = match self.rights.every_agent {
            true => session.requester(Right::Every),
            false => session.requester(Right::Of(Target::Agent(key.clone()))),
        };
        let answer = accept(shared, line, id)?;
        let house = Arc::clone(&shared.house);
        shared.house.run(async move {
            let (tell, told) = outcome();
            let subscribe = {
                let (session, key, device) = (Arc::clone(&session), key.clone(), device.clone());
                move || {
                    if hears {
                        session.subscribe(key.peripheral, &device, whose(key));
                    }
                }
            };
            Arc::clone(&house).log_in(by, key.clone(), login, subscribe, tell).await;
            let done = match told.take() {
                Err(refusal) if is_in_there(&refusal, &device) && !session.has_agent(&key) => {
                    let heard = hears.then(|| (&device, whose(key.clone())));
                    take_up_logged_in(&session, &key, heard, password, refusal).await
                }
                other => other,
            };
            if done.is_ok() {
                session.take_up(&key);
                // Others may have come since the login was asked.
                let mut others = others;
                others.extend(house.meet(session.id, &key, |_| true).unwrap_or_default());
                others.sort_unstable_by_key(|other| other.session());
                others.dedup_by_key(|other| other.session());
                for other in others {
                    house.neglect(other.session(), &key);
                    other.lose(&key, session.id);
                }
                session.say_snapshot(&key, None);
                session.follow_calls(key.peripheral, &device);
            }
            answer(done);
            drop(claim);
        });
        Ok(())
    }

    fn log_out(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        request: &LogoutAgent,
    ) -> Result<(), No> {
        self.must_control("LogoutAgent")?;
        let key = shared.agent(request.acd.as_deref(), &request.agent_id)?;
        let queues = shared.queues(key.peripheral, request.queue.as_deref())?;
        let reason = shared.reason(request.agent_options.as_ref(), shared.settings.logout_reason_required)?;
        let logout = Logout { agent: key.agent.clone(), queues, reason, password: None, forced: false };
        let by = self.requester(&key);
        let answer = accept(shared, line, id)?;
        let session = Arc::clone(&self.session);
        let told = Box::new({
            let key = key.clone();
            // Said in one go with the answer, while nothing can change the agent: no event comes between or behind.
            move |done: Result<LoggedOut, Refusal>| {
                if let Ok(logged_out) = &done {
                    session.has_logged_out(&key, logged_out);
                }
                answer(done.map(drop));
            }
        });
        shared.house.run(Arc::clone(&shared.house).log_out(by, key, logout, told));
        Ok(())
    }

    fn ready(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        request: &SetAgentReady,
    ) -> Result<(), No> {
        self.must_control("SetAgentReady")?;
        let key = shared.agent(request.acd.as_deref(), &request.agent_id)?;
        let change = StateChange { agent: key.agent.clone(), wanted: WantedState::Ready, reason: Default::default() };
        self.change(shared, line, id, key, request.queue.as_deref(), change)
    }

    fn not_ready(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        request: &SetAgentNotReady,
    ) -> Result<(), No> {
        self.must_control("SetAgentNotReady")?;
        let key = shared.agent(request.acd.as_deref(), &request.agent_id)?;
        let is_work = matches!(request.work_mode.as_deref(), Some("AFTER_CALL_WORK" | "ACW"));
        let is_required = shared.settings.not_ready_reason_required && !is_work;
        let reason = shared.reason(request.agent_options.as_ref(), is_required)?;
        let wanted = if is_work { WantedState::WorkNotReady } else { WantedState::NotReady };
        let change = StateChange { agent: key.agent.clone(), wanted, reason };
        self.change(shared, line, id, key, request.queue.as_deref(), change)
    }

    fn change(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        key: AgentKey,
        queues: Option<&str>,
        change: StateChange,
    ) -> Result<(), No> {
        let demands = Demands { queues: shared.queues(key.peripheral, queues)?, news: true };
        let by = self.requester(&key);
        let answer = accept(shared, line, id)?;
        shared.house.run(Arc::clone(&shared.house).set_state(by, key, change, demands, answer));
        Ok(())
    }

    /// There is nothing to set up before a login: the login opens the adapter. What can be said early is.
    fn open_adapter(&self, shared: &OpenCti, request: &OpenAdapter) -> Result<(), No> {
        let Some(agent_id) = given(request.agent_id.as_deref()) else { return Ok(()) };
        let key = shared.agent(request.acd.as_deref(), agent_id)?;
        self.rights.must_be(&key.agent)?;
        match shared.house.table.is_no_agent(&key) {
            true => {
                Err(No::new(Code::NotFound, format!("AgentID: {agent_id:?} is not known at ACD {}", key.peripheral)))
            }
            false => Ok(()),
        }
    }

    /// The logout closed the adapter. One of an agent that is logged in stays: closing it would be half a logout. Of an agent
    /// that the session does not have there is nothing to close, and nothing is said.
    fn close_adapter(&self, shared: &OpenCti, request: &CloseAdapter) -> Result<(), No> {
        let Some(agent_id) = given(request.agent_id.as_deref()) else { return Ok(()) };
        let key = shared.agent(request.acd.as_deref(), agent_id)?;
        self.rights.must_be(&key.agent)?;
        let is_in = shared.shown(&key).facts.is_some_and(|facts| facts.is_logged_in());
        match is_in && self.has_right_over(&key) {
            true => {
                let why = format!("agent {agent_id} is logged in: LogoutAgent closes the adapter");
                Err(No::new(Code::InvalidObjectState, why))
            }
            false => Ok(()),
        }
    }

    fn subscribe(
        &self,
        shared: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: &RequestId,
        request: &SubscribeForEvents,
    ) -> Result<(), No> {
        let agent = given(request.agent_id.as_deref());
        let agent = agent.map(|agent| shared.agent(request.acd.as_deref(), agent)).transpose()?;
        let peripheral = match &agent {
            Some(key) => key.peripheral,
            None => shared.acd(request.acd.as_deref(), None)?,
        };
        let device = device(&request.dn)?;
        if !self.rights.every_device && !self.rights.own_devices {
            return Err(No::new(Code::NoRight, "SubscribeForEvents needs the service client_events"));
        }
        if shared.house.table.is_no_instrument(peripheral, &device) {
            return Err(No::new(Code::NotFound, format!("DN: {device} is not known at ACD {peripheral}")));
        }
        if self.session.is_full() {
            return Err(too_many(shared));
        }
        let session = Arc::clone(&self.session);
        let is_at = {
            let shared = Arc::clone(shared);
            move |key: &AgentKey, device: &Instrument| {
                shared.house.table.agent_at(peripheral, device).is_none_or(|there| there == *key)
            }
        };
        let is_own = agent.as_ref().is_some_and(|key| session.has_agent(key) && is_at(key, &device));
        if self.rights.every_device || is_own {
            session.subscribe(peripheral, &device, agent.and_then(self.whose()));
            session.say_snapshot_of_device(peripheral, &device);
            session.follow_calls(peripheral, &device);
            done(line, id);
            return Ok(());
        }
        // Whoever knows the password of the agent who works there may hear what it does.
        let key = agent.filter(|key| is_at(key, &device));
        let key =
            key.ok_or_else(|| No::new(Code::NoRight, format!("DN: {device} is not of an agent of this session")))?;
        self.rights.must_be(&key.agent)?;
        let password = Password::new(request.agent_password.as_ref().map(|given| given.expose()).unwrap_or_default());
        let by = self.requester(&key);
        let answer = accept(shared, line, id)?;
        let house = Arc::clone(&shared.house);
        shared.house.run(async move {
            let (tell, told) = outcome();
            house.authenticate(by, key.clone(), password, tell).await;
            let mut checked = told.take();
            if checked.is_ok() && !is_at(&key, &device) {
                checked = Err(Refusal::NoRight { session: session.id, agent: key.agent.clone() }); // somebody else came meanwhile
            }
            if checked.is_ok() {
                session.subscribe(peripheral, &device, Some(key));
                session.say_snapshot_of_device(peripheral, &device);
                session.follow_calls(peripheral, &device);
            }
            answer(checked);
        });
        Ok(())
    }

    fn unsubscribe(&self, shared: &OpenCti, request: &UnSubscribeForEvents) -> Result<(), No> {
        let agent = given(request.agent_id.as_deref());
        let agent = agent.map(|agent| shared.agent(request.acd.as_deref(), agent)).transpose()?;
        let peripheral = match &agent {
            Some(key) => key.peripheral,
            None => shared.acd(request.acd.as_deref(), None)?,
        };
        let device = match given(request.dn.as_deref()) {
            Some(dn) => Some(device(dn)?),
            None => agent.as_ref().and_then(|key| shared.last_device(key)),
        };
        match device {
            Some(device) => self.session.unsubscribe(peripheral, &device),
            None if agent.is_none() => {
                return Err(No::new(Code::InvalidRequest, "DN: it is blank, and AgentID as well"));
            }
            None => (), // an agent that never worked anywhere
        }
        Ok(())
    }

    fn get_snapshot(&self, shared: &OpenCti, request: &GetSnapshot) -> Result<(), No> {
        let key = shared.agent(request.acd.as_deref(), &request.agent_id)?;
        if !self.has_right_over(&key) {
            return Err(Refusal::NoRight { session: self.session.id, agent: key.agent }.into());
        }
        if shared.house.table.is_no_agent(&key) {
            let why = format!("AgentID: {:?} is not known at ACD {}", key.agent.as_str(), key.peripheral);
            return Err(No::new(Code::NotFound, why));
        }
        self.session.say_snapshot(&key, None);
        if let Some(device) = shared.last_device(&key) {
            self.session.follow_calls(key.peripheral, &device);
        }
        Ok(())
    }

    /// Of a device that is subscribed to for an agent: whose events at it are heard. None: everybody's.
    fn whose(&self) -> impl FnOnce(AgentKey) -> Option<AgentKey> + Copy + Send + use<> {
        let hears_everybody = self.rights.every_device;
        move |key| Some(key).filter(|_| !hears_everybody)
    }

    /// Whether more may be said of the agent than that the session has no right over it.
    pub(super) fn has_right_over(&self, key: &AgentKey) -> bool {
        self.rights.every_agent || self.session.has_agent(key)
    }

    pub(super) fn must_control(&self, activity: &str) -> Result<(), No> {
        match self.rights.control {
            true => Ok(()),
            false => Err(No::new(Code::NoRight, format!("{activity} needs the service client_control"))),
        }
    }

    /// Who asks about a device's calls: whoever may command the agent there.
    pub(super) fn requester_at(&self, shared: &OpenCti, peripheral: PeripheralId, device: &Instrument) -> Requester {
        match shared.house.table.agent_at(peripheral, device) {
            Some(key) => self.requester(&key),
            None => {
                let right = if self.rights.every_agent { Right::Every } else { Right::Nobody };
                self.session.requester(right)
            }
        }
    }

    /// Who asks: a session commands the agents that it logged in, or every one.
    fn requester(&self, key: &AgentKey) -> Requester {
        let right = match (self.rights.every_agent, self.session.has_agent(key)) {
            (true, _) => Right::Every,
            (false, true) => Right::Of(Target::Agent(key.clone())),
            (false, false) => Right::Nobody,
        };
        self.session.requester(right)
    }
}

impl Session {
    /// Who asks, with that right.
    fn requester(&self, right: Right) -> Requester {
        Requester { session: self.id, client: SmolStr::new(&self.client.id), right }
    }

    /// What the logout leaves is said: the last event of an agent that is out.
    fn has_logged_out(&self, key: &AgentKey, done: &LoggedOut) {
        let facts = done.facts();
        let is_out = done.kind() == LogoutKind::Full;
        if is_out {
            self.let_go(key, facts.instrument.as_ref());
        }
        // A logout is done only when the adapter is closed.
        let shown = Shown { facts: Some(facts.clone()), device: None, is_adapter_open: !is_out };
        self.say_event(self.shared.snapshot(Some(key.peripheral), Some(key), shown, None));
    }
}

/// The agent is logged in where the client wants it: its client was lost, or shares it. It proves the agent's password, and
/// has it.
async fn take_up_logged_in(
    session: &Arc<Session>,
    key: &AgentKey,
    heard: Option<(&Instrument, Option<AgentKey>)>,
    password: Password,
    refusal: Refusal,
) -> Result<(), Refusal> {
    let house = &session.shared.house;
    let (tell, told) = outcome();
    let by = session.requester(Right::Nobody);
    Arc::clone(house).authenticate(by, key.clone(), password, tell).await;
    told.take()?;
    house.meet(session.id, key, |_| true).map_err(|HeldBy(_)| refusal)?;
    if session.take_up(key) {
        if let Some((device, whose)) = heard {
            session.subscribe(key.peripheral, device, whose);
        }
        Ok(())
    } else {
        Err(Refusal::NotLoggedIn { agent: key.agent.clone() }) // out meanwhile
    }
}

fn is_in_there(refusal: &Refusal, device: &Instrument) -> bool {
    let Refusal::Acd { reason: AcdRefusal::AlreadyLoggedIn { instrument, .. }, .. } = refusal else { return false };
    instrument == device
}

fn too_many(shared: &OpenCti) -> No {
    if shared.house.table.subscription_places.are_taken(&()) {
        return No::new(Code::TooManySubscriptions, "all sessions together have as many agents and devices as may be");
    }
    No::new(Code::TooManySubscriptions, format!("the session has {} agents and devices", shared.devices_max))
}

/// Counts the request as in flight; what comes back is its answer, to be given once.
pub(super) fn accept(shared: &OpenCti, line: &Arc<Line>, id: &RequestId) -> Result<Outcome<()>, No> {
    let open = line.in_flight.fetch_add(1, Ordering::AcqRel);
    if open >= shared.requests_in_flight_max {
        line.in_flight.fetch_sub(1, Ordering::AcqRel);
        let why = format!("{open} requests of this connection are not answered yet");
        return Err(No::new(Code::TooManyRequests, why));
    }
    let (line, id, asked) = (Arc::clone(line), id.clone(), line.asked.lock().take());
    Ok(Box::new(move |done: Result<(), Refusal>| {
        if let Some(asked) = asked {
            asked.is_answered(done.as_ref().map_or_else(Refusal::result, |()| RequestResult::Ok));
        }
        line.answer(match done {
            Ok(()) => Answer::ok(id),
            Err(refusal) => No::from(refusal).answer(Some(id)),
        });
    }))
}

/// An operation's outcome that is looked at once the operation has ended.
struct Told(Arc<Mutex<Option<Result<(), Refusal>>>>);

impl Told {
    fn take(&self) -> Result<(), Refusal> {
        self.0.lock().take().unwrap_or(Err(Refusal::Unanswered))
    }
}

fn outcome() -> (Outcome<()>, Told) {
    let told = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&told);
    (Box::new(move |done| *tell.lock() = Some(done)), Told(told))
}
