//! What an open session may ask: agent states, queries, devices, reports. Monitors have a room of their own.
//!
//! Not here: what is done then (`operations`). Must hold: a request is refused here before anything is changed, or it is
//! given to an operation that answers it exactly once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cti_protocol::ged188::codes::{self, AgentWorkMode, ControlFailure, ForcedFlag, ServiceMask, Status, special};
use cti_protocol::ged188::{
    AnyMessage, ClientEventReportConf, ClientEventReportReq, Frame, HeartbeatConf, QueriedSkillGroup,
    QueryAgentStateConf, QueryAgentStateReq, QueryDeviceInfoConf, QueryDeviceInfoReq, SetAgentStateConf,
    SetAgentStateReq, Text,
};
use tracing::{error, info, warn};

use super::Ged188;
use super::answers::No;
use super::events::{Identity, MRD_VOICE, availability, icm_agent_id, num_tasks};
use super::face::Face;
use super::identity::{AgentFields, agent_fields, given, inconsistent, missing};
use super::names::{agent_mode, control_mask, events_mask, peripheral_type, state_code};
use super::session::Session;
use crate::dialects::ged188::session::OwnSubscription;
use crate::model::{
    AgentFacts, AgentId, AgentKey, Login, Logout, Password, PeripheralId, QueueChoice, QueueId, ReasonCode,
    StateChange, WantedState,
};
use crate::observe::RequestResult;
use crate::operations::{Answer, Demands, Refusal, Urgency};

/// The most skill groups that one request names: the text of the guide says 10, its message sizes 20.
const SKILL_GROUPS_MAX: usize = 20;

/// How long a request can wait, or be refused.
pub(super) fn urgency(message: &AnyMessage<&[u8]>) -> Urgency {
    match message {
        AnyMessage::SetAgentStateReq(request) => match request.agent_state {
            codes::AgentState::AGENT_STATE_LOGIN => Urgency::Newcomer,
            codes::AgentState::AGENT_STATE_LOGOUT | codes::AgentState::AGENT_STATE_NOT_READY => Urgency::Leaving,
            _ => Urgency::Ordinary,
        },
        AnyMessage::HeartbeatReq(_)
        | AnyMessage::MonitorStopReq(_)
        | AnyMessage::MonitorAgentTeamStopReq(_)
        | AnyMessage::ClearCallReq(_)
        | AnyMessage::ClearConnectionReq(_)
        | AnyMessage::ReleaseCallReq(_) => Urgency::Leaving,
        _ => Urgency::Ordinary,
    }
}

impl Session {
    /// Does what the client asks, or says why not.
    pub(super) fn on_request(
        &mut self,
        shared: &Arc<Ged188>,
        frame: &Frame,
        message: &AnyMessage<&[u8]>,
        urgency: Urgency,
    ) -> Result<(), No> {
        shared.house.must_bear(urgency)?;
        if shared.settings.refuse_unknown_tags
            && let Some(unknown) = message.unknown_tags().first()
        {
            let why =
                format!("{} has a field with tag {:?}, which is not one of its own", frame.message_type, unknown.tag);
            return Err(No::failure(Status::E_CTI_INVALID_FIELD_TAG, why));
        }
        if self.on_call_request(shared, message)? {
            return Ok(());
        }
        match message {
            AnyMessage::HeartbeatReq(request) => {
                self.face.say(&HeartbeatConf { invoke_id: request.invoke_id, ..Default::default() });
                Ok(())
            }
            AnyMessage::SetAgentStateReq(request) => self.set_agent_state(shared, request),
            AnyMessage::QueryAgentStateReq(request) => self.query_agent_state(shared, request),
            AnyMessage::QueryDeviceInfoReq(request) => self.query_device_info(shared, request),
            AnyMessage::ClientEventReportReq(request) => self.client_event_report(request),
            AnyMessage::MonitorStartReq(request) => self.monitor_start(shared, request),
            AnyMessage::MonitorStopReq(request) => self.monitor_stop(shared, request),
            AnyMessage::ChangeMonitorMaskReq(request) => self.change_monitor_mask(request),
            AnyMessage::SuperviseCallReq(request) => self.supervise_call(shared, request),
            AnyMessage::ListAgentTeamReq(request) => self.list_agent_team(shared, request),
            AnyMessage::MonitorAgentTeamStartReq(request) => self.monitor_agent_team_start(shared, request),
            AnyMessage::MonitorAgentTeamStopReq(request) => self.monitor_agent_team_stop(shared, request),
            AnyMessage::ConfigRequestKeyEvent(request) => self.config_keys(shared, request),
            AnyMessage::ConfigRequestEvent(request) => self.config(shared, request),
            AnyMessage::QueryAgentStatisticsReq(request) => self.agent_statistics(shared, request),
            AnyMessage::QuerySkillGroupStatisticsReq(request) => self.skill_group_statistics(shared, request),
            AnyMessage::OpenReq(_) => Err(No::failure(Status::E_CTI_SESSION_ALREADY_OPEN, "a session is open already")),
            _ => Err(self.not_available(frame)),
        }
    }

    /// The service must have been granted.
    pub(super) fn must_have(&self, services: &[ServiceMask], what: &str) -> Result<(), No> {
        if services.iter().any(|service| self.services.0 & service.0 != 0) {
            return Ok(());
        }
        let why = format!("{what} needs {:?}, which was not granted", services.first());
        Err(No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, why))
    }

    fn may_control(&self, what: &str) -> Result<(), No> {
        self.must_have(&[ServiceMask::CTI_SERVICE_CLIENT_CONTROL, ServiceMask::CTI_AGENT_STATE_CONTROL_ONLY], what)
    }

    fn not_available(&self, frame: &Frame) -> No {
        let message = frame.message_type;
        if message.name().is_none() {
            let why = format!("MessageType {message} is not one of version {}", self.face.version.number());
            return No::failure(Status::E_CTI_INVALID_MSG_TYPE_FOR_VERSION, why);
        }
        No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, format!("{message} is not supported by this gateway"))
    }

    fn set_agent_state(&mut self, shared: &Arc<Ged188>, request: &SetAgentStateReq<&[u8]>) -> Result<(), No> {
        self.may_control("SET_AGENT_STATE_REQ")?;
        let fields = AgentFields::of(
            request.agent_id.as_ref(),
            request.agent_id_long.as_ref(),
            request.agent_instrument.as_ref(),
            None,
        )?;
        let peripheral = shared.peripheral(request.peripheral_id, fields.agent.as_ref())?;
        let queues = skill_groups(request)?;
        must_be_work_mode(request.agent_work_mode)?;
        let forced = match request.forced_flag {
            ForcedFlag::FALSE => false,
            ForcedFlag::TRUE => true,
            ForcedFlag::AUTHENTICATE_ONLY => return self.authenticate(shared, request, &fields, peripheral),
            ForcedFlag(other) => {
                let why = format!("ForcedFlag {other} is not 0, 1 or 2");
                return Err(No::control(ControlFailure::CF_VALUE_OUT_OF_RANGE, why));
            }
        };
        match wanted(request.agent_state)? {
            Wanted::Login => self.login(shared, request, fields, peripheral, queues, forced),
            Wanted::Logout => self.logout(shared, request, &fields, peripheral, queues, forced),
            Wanted::State(wanted) => self.state(shared, request, &fields, peripheral, wanted),
        }
    }

    fn login(
        &mut self,
        shared: &Arc<Ged188>,
        request: &SetAgentStateReq<&[u8]>,
        fields: AgentFields,
        peripheral: PeripheralId,
        queues: QueueChoice,
        forced: bool,
    ) -> Result<(), No> {
        let agent = fields.agent.ok_or_else(|| missing("AgentID"))?;
        let instrument = fields.instrument.ok_or_else(|| missing("AgentInstrument"))?;
        must_fit(&agent, instrument.as_str())?;
        let key = AgentKey { peripheral, agent: agent.clone() };
        let login = Login { agent, password: password(request)?.unwrap_or_default(), instrument, queues, forced };
        let answer = self.accept(request.invoke_id)?;
        let before = self.own.clone().map(|own| {
            let (shared, face) = (Arc::clone(shared), Arc::clone(&self.face));
            move || OwnSubscription::renew(&own, &shared, &face)
        });
        let before = move || before.into_iter().for_each(|renew| renew());
        shared.house.run(Arc::clone(&shared.house).log_in(self.requester().clone(), key, login, before, answer));
        Ok(())
    }

    fn logout(
        &mut self,
        shared: &Arc<Ged188>,
        request: &SetAgentStateReq<&[u8]>,
        fields: &AgentFields,
        peripheral: PeripheralId,
        queues: QueueChoice,
        forced: bool,
    ) -> Result<(), No> {
        let agent = fields.agent.clone().ok_or_else(|| missing("AgentID"))?;
        let key = AgentKey { peripheral, agent: agent.clone() };
        self.must_agree(shared, &key, fields)?;
        let reason = ReasonCode(request.event_reason_code);
        let logout = Logout { agent, queues, reason, password: password(request)?, forced };
        let confirm = self.accept(request.invoke_id)?;
        let answer = Box::new(move |done: Result<_, Refusal>| confirm(done.map(drop)));
        shared.house.run(Arc::clone(&shared.house).log_out(self.requester().clone(), key, logout, answer));
        Ok(())
    }

    fn state(
        &mut self,
        shared: &Arc<Ged188>,
        request: &SetAgentStateReq<&[u8]>,
        fields: &AgentFields,
        peripheral: PeripheralId,
        wanted: WantedState,
    ) -> Result<(), No> {
        let key = self.agent_meant(shared, peripheral, fields)?;
        self.must_agree(shared, &key, fields)?;
        let change = StateChange { agent: key.agent.clone(), wanted, reason: ReasonCode(request.event_reason_code) };
        let answer = self.accept(request.invoke_id)?;
        let set =
            Arc::clone(&shared.house).set_state(self.requester().clone(), key, change, Demands::default(), answer);
        shared.house.run(set);
        Ok(())
    }

    fn authenticate(
        &mut self,
        shared: &Arc<Ged188>,
        request: &SetAgentStateReq<&[u8]>,
        fields: &AgentFields,
        peripheral: PeripheralId,
    ) -> Result<(), No> {
        if request.agent_state != codes::AgentState::AGENT_STATE_LOGIN {
            let why = format!("ForcedFlag 2 goes with AgentState 0 only, not with {:?}", request.agent_state);
            return Err(No::control(ControlFailure::CF_VALUE_OUT_OF_RANGE, why));
        }
        let agent = fields.agent.clone().ok_or_else(|| missing("AgentID"))?;
        let key = AgentKey { peripheral, agent };
        self.requester().must_be(&key, fields.instrument.as_ref())?;
        let password = password(request)?.unwrap_or_default();
        let answer = self.accept(request.invoke_id)?;
        shared.house.run(Arc::clone(&shared.house).authenticate(self.requester().clone(), key, password, answer));
        Ok(())
    }

    fn query_agent_state(&mut self, shared: &Arc<Ged188>, request: &QueryAgentStateReq<&[u8]>) -> Result<(), No> {
        self.may_control("QUERY_AGENT_STATE_REQ")?;
        let mut fields = agent_fields!(request)?;
        if fields.is_empty() && request.icm_agent_id > 0 {
            fields.agent = AgentId::new(&request.icm_agent_id.to_string()).ok();
        }
        let peripheral = shared.peripheral(request.peripheral_id, fields.agent.as_ref())?;
        let key = self.agent_meant(shared, peripheral, &fields)?;
        let say = |facts: &AgentFacts| self.face.say(&self.agent_state(request.invoke_id, facts));
        Ok(shared.house.agent(self.requester(), &key, say)?)
    }

    fn agent_state(&self, invoke_id: u32, facts: &AgentFacts) -> QueryAgentStateConf {
        let version = self.face.version;
        let id = Identity::of(facts.agent.as_str(), version);
        let extension = facts.extension.as_ref().or(facts.instrument.as_ref());
        let skill_groups: Vec<_> = (facts.queues.iter())
            .map(|queue| QueriedSkillGroup {
                number: Some(queue.0),
                id: Some(queue.0),
                priority: Some(0),
                state: Some(state_code(facts.state)),
            })
            .collect();
        QueryAgentStateConf {
            invoke_id,
            agent_state: state_code(facts.state),
            num_skill_groups: u16::try_from(skill_groups.len()).unwrap_or(u16::MAX),
            mrd_id: MRD_VOICE,
            num_tasks: num_tasks(facts.state),
            agent_mode: codes::AgentMode(agent_mode(facts.state, version)),
            max_task_limit: 1,
            icm_agent_id: icm_agent_id(facts.agent.as_str()),
            agent_availability_status: availability(facts.state),
            agent_id: id.short,
            agent_id_long: id.long,
            agent_extension: extension.and_then(|extension| Text::new(extension.as_str()).ok()),
            agent_instrument: facts.instrument.as_ref().and_then(|instrument| Text::new(instrument.as_str()).ok()),
            skill_groups,
            ..Default::default()
        }
    }

    fn query_device_info(&mut self, shared: &Arc<Ged188>, request: &QueryDeviceInfoReq<&[u8]>) -> Result<(), No> {
        self.may_control("QUERY_DEVICE_INFO_REQ")?;
        let fields = AgentFields::of(None, None, request.agent_instrument.as_ref(), None)?;
        let peripheral = shared.peripheral(request.peripheral_id, None)?;
        let instrument = fields.instrument.ok_or_else(|| missing("AgentInstrument"))?;
        if shared.house.table.is_no_instrument(peripheral, &instrument) {
            let why = format!("AgentInstrument {instrument} is not known");
            return Err(No::control(ControlFailure::CF_INVALID_CSTA_DEVICE_IDENTIFIER, why));
        }
        let can = shared.house.peripheral(peripheral).map(|known| known.acd.capabilities().calls).unwrap_or_default();
        self.face.say(&QueryDeviceInfoConf {
            invoke_id: request.invoke_id,
            peripheral_type: peripheral_type(shared.flavour),
            type_of_device: codes::TypeOfDevice::DEVT_STATION,
            class_of_device: codes::ClassOfDevice::DEVC_VOICE,
            max_active_calls: UNKNOWN_COUNT,
            max_held_calls: UNKNOWN_COUNT,
            max_devices_in_conference: UNKNOWN_COUNT,
            call_control_supported: control_mask(can),
            call_events_supported: events_mask(),
            ..Default::default()
        });
        Ok(())
    }

    /// The alarm system that these go to is the log.
    fn client_event_report(&mut self, request: &ClientEventReportReq<&[u8]>) -> Result<(), No> {
        let text = given("Text", request.text.as_ref())?.ok_or_else(|| missing("Text"))?;
        let object = given("ObjectName", request.object_name.as_ref())?;
        let (session, client) = (self.face.requester.session, self.face.requester.client.as_str());
        match request.state {
            codes::ClientEventState::NORMAL => info!(%session, client, object, text, "client reports"),
            codes::ClientEventState::WARNING => warn!(%session, client, object, text, "client reports a warning"),
            _ => error!(%session, client, object, text, "client reports an error"),
        }
        self.face.say(&ClientEventReportConf { invoke_id: request.invoke_id, ..Default::default() });
        Ok(())
    }

    /// The agent that a request names or, if it names none, the session's own.
    pub(super) fn agent_meant(
        &self,
        shared: &Ged188,
        peripheral: PeripheralId,
        fields: &AgentFields,
    ) -> Result<AgentKey, No> {
        if fields.is_empty() {
            return self.own_agent(shared).ok_or_else(|| missing("one of AgentID and AgentInstrument"));
        }
        if let (None, Some(device)) = (&fields.agent, fields.device()) {
            shared.house.must_supervise_at(self.requester(), peripheral, device)?;
        }
        shared.agent(peripheral, fields).ok_or_else(|| {
            let device = fields.device().map(ToString::to_string).unwrap_or_default();
            No::control(ControlFailure::CF_INVALID_OBJECT_STATE, format!("no agent is logged in at {device}"))
        })
    }

    /// Where a request names both the agent and its device, they must belong together.
    fn must_agree(&self, shared: &Ged188, key: &AgentKey, fields: &AgentFields) -> Result<(), No> {
        let (Some(agent), Some(instrument)) = (&fields.agent, &fields.instrument) else { return Ok(()) };
        shared.house.must_have_right_over(self.requester(), key)?;
        let at = shared.house.table.agent(key).and_then(|cell| cell.entry().facts.instrument.clone());
        match at {
            Some(at) if at != *instrument => {
                Err(inconsistent(format!("AgentInstrument is {instrument}, agent {agent} is logged in at {at}")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn own_agent(&self, shared: &Ged188) -> Option<AgentKey> {
        use crate::sessions::Target;
        self.held.iter().find_map(|held| match held {
            Target::Agent(key) => Some(key.clone()),
            Target::Device(peripheral, device) => shared.house.table.agent_at(*peripheral, device),
            Target::All | Target::Team(_) | Target::Call(_) => None,
        })
    }

    /// Counts the request as in flight; what comes back is its answer, to be given once.
    fn accept(&self, invoke_id: u32) -> Result<Answer<()>, No> {
        self.accept_with(invoke_id, move |face, ()| face.say(&SetAgentStateConf { invoke_id, ..Default::default() }))
    }

    /// The same for a request that is confirmed in another way.
    pub(super) fn accept_with<T: 'static>(
        &self,
        invoke_id: u32,
        confirm: impl FnOnce(&Face, T) + Send + 'static,
    ) -> Result<Answer<T>, No> {
        let face = Arc::clone(&self.face);
        let open = face.in_flight.fetch_add(1, Ordering::AcqRel);
        if open as usize >= face.shared.requests_in_flight_max {
            face.in_flight.fetch_sub(1, Ordering::AcqRel);
            let why = format!("{open} requests are not answered yet, no more are taken");
            return Err(No::control(ControlFailure::CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED, why));
        }
        let asked = self.asked.take();
        Ok(Box::new(move |done: Result<T, Refusal>| {
            if let Some(asked) = asked {
                asked.is_answered(done.as_ref().map_or_else(Refusal::result, |_| RequestResult::Ok));
            }
            match done {
                Ok(done) => confirm(&face, done),
                Err(refusal) => face.refuse(invoke_id, refusal.into()),
            }
            face.has_answered();
        }))
    }
}

/// What a SET_AGENT_STATE_REQ asks for.
enum Wanted {
    Login,
    Logout,
    State(WantedState),
}

fn wanted(state: codes::AgentState) -> Result<Wanted, No> {
    use codes::AgentState as Code;
    Ok(match state {
        Code::AGENT_STATE_LOGIN => Wanted::Login,
        Code::AGENT_STATE_LOGOUT => Wanted::Logout,
        Code::AGENT_STATE_NOT_READY => Wanted::State(WantedState::NotReady),
        Code::AGENT_STATE_AVAILABLE => Wanted::State(WantedState::Ready),
        Code::AGENT_STATE_WORK_NOT_READY => Wanted::State(WantedState::WorkNotReady),
        Code::AGENT_STATE_WORK_READY => Wanted::State(WantedState::WorkReady),
        Code(number) if number <= Code::AGENT_STATE_NOT_ACTIVE.0 => {
            let why = format!("AgentState {state:?} comes with calls, it cannot be asked for");
            return Err(No::control(ControlFailure::CF_GENERIC_STATE_INCOMPATIBILITY, why));
        }
        Code(number) => {
            return Err(No::control(
                ControlFailure::CF_VALUE_OUT_OF_RANGE,
                format!("AgentState {number} is not known"),
            ));
        }
    })
}

/// How a call gets to the agent: all but those of remote agents come to the same here.
fn must_be_work_mode(mode: AgentWorkMode) -> Result<(), No> {
    match mode {
        AgentWorkMode::AWM_UNSPECIFIED | AgentWorkMode::AWM_AUTO_IN | AgentWorkMode::AWM_MANUAL_IN => Ok(()),
        AgentWorkMode::RA_CALL_BY_CALL | AgentWorkMode::RA_NAILED_CONNECTION => {
            let why = format!("AgentWorkMode {mode:?}: remote agents are not supported by this gateway");
            Err(No::control(ControlFailure::CF_INVALID_AGENT_WORKMODE, why))
        }
        AgentWorkMode(other) => {
            Err(No::failure(Status::E_CTI_INVALID_AGENT_WORK_MODE, format!("AgentWorkMode {other} is not known")))
        }
    }
}

fn skill_groups(request: &SetAgentStateReq<&[u8]>) -> Result<QueueChoice, No> {
    let named: Vec<QueueId> = (request.skill_groups.iter())
        .filter_map(|group| group.number)
        .map(|number| QueueId(number.cast_unsigned()))
        .collect();
    let claimed = usize::from(request.num_skill_groups);
    if claimed != named.len() || claimed > SKILL_GROUPS_MAX {
        let why = format!("NumSkillGroups is {claimed}, {} are there, {SKILL_GROUPS_MAX} are allowed", named.len());
        return Err(No::failure(Status::E_CTI_INVALID_NUM_SKILL_GROUPS, why));
    }
    // A set that says "none given" is one.
    Ok(QueueChoice::from_named(named.into_iter().filter(|queue| queue.0 != special::NULL_SKILL_GROUP).collect()))
}

fn password(request: &SetAgentStateReq<&[u8]>) -> Result<Option<Password>, No> {
    let text = given("AgentPassword", request.agent_password.as_ref().map(|password| password.expose()));
    match text {
        Ok(text) => Ok(text.map(Password::new)),
        // The text of a password is not for an error message.
        Err(_) => Err(No::failure(Status::E_CTI_INVALID_CHARACTER, "AgentPassword is not valid text")),
    }
}

/// An agent or device that could not be named in an event is refused at the door.
fn must_fit(agent: &AgentId, instrument: &str) -> Result<(), No> {
    let too_long = |name: &str, bytes: usize, max: usize| {
        No::failure(
            Status::E_CTI_INVALID_FIELD_LENGTH,
            format!("{name} has {bytes} bytes, {max} and the NUL are allowed"),
        )
    };
    if agent.as_str().len() > 128 {
        return Err(too_long("AgentID", agent.as_str().len(), 128));
    }
    if instrument.len() > 63 {
        return Err(too_long("AgentInstrument", instrument.len(), 63));
    }
    Ok(())
}

/// "Unknown" in the counts of QUERY_DEVICE_INFO_CONF.
const UNKNOWN_COUNT: u16 = 0xffff;
