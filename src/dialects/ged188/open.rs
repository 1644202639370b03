//! OPEN_REQ: what a client may ask for, and what it is granted.
//!
//! Not here: what it does with it. Must hold: granted services are a subset of those asked for; a refused OPEN_REQ leaves
//! nothing behind.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use cti_protocol::ged188::codes::{self, CallMsgMask, PeripheralType, ServiceMask, Status};
use cti_protocol::ged188::{Bool, Flavour, Frame, OpenConf, OpenReq, OpenedPeripheral, Text, Time, Version};
use smol_str::SmolStr;

use super::answers::No;
use super::events::Identity as AgentIds;
use super::face::{Face, pg_status};
use super::identity::{AgentFields, agent_fields, given, inconsistent, missing};
use super::names::{filter_of, peripheral_type, state_code};
use super::session::{OwnSubscription, Session};
use super::{DIALECT, Ged188, time_of_day};
use crate::access::Claim;
use crate::dialects::{Outbox, Peer};
use crate::model::{AgentFacts, AgentKey, Identity, LinkEvent, Password, PeripheralId, Permit, Service};
use crate::operations::{Requester, Right};
use crate::sessions::{HeldBy, Place, Subscriber, Target};

/// The services that there are here.
const SERVICES: u32 = ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0
    | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0
    | ServiceMask::CTI_SERVICE_ALL_EVENTS.0
    | ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR.0
    | ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE.0
    | ServiceMask::CTI_SERVICE_SUPERVISOR.0
    | ServiceMask::CTI_SERVICE_CONFIG_EVENTS.0
    | ServiceMask::CTI_AGENT_STATE_CONTROL_ONLY.0
    | ServiceMask::CTI_SERVICE_IGNORE_DUPLICATE_AGENT_EVENTS.0;
/// Idle timeouts that stand for none.
const NO_TIMEOUT: [u32; 2] = [0xffff_ffff, 0x7fff_ffff];
/// The id of the monitor that the open makes for CLIENT_EVENTS; those that the client starts come after it.
const OWN_MONITOR_ID: u32 = 1;
/// OPEN_CONF's SessionType: this side is the active one.
const SESSION_ACTIVE: codes::SessionType = codes::SessionType::ACTIVE;

impl Ged188 {
    /// The version that an OPEN_REQ names, which is also the layout of the OPEN_REQ itself: read before anything else.
    pub(super) fn version_of(&self, frame: &Frame) -> Result<Version, (Option<Version>, No)> {
        let number = frame.body.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        let Some(number) = number else {
            let why =
                format!("OPEN_REQ: VersionNumber at offset 12 is cut off: the body has {} bytes", frame.body.len());
            return Err((None, No::failure(Status::E_CTI_BAD_MESSAGE_FORMAT, why)));
        };
        let version = match self.flavour {
            Flavour::Cce => Version::new(number),
            Flavour::Uccx => Version::uccx(number),
        };
        let why = || format!("VersionNumber {number} is not supported");
        version.ok_or_else(|| (Some(closest(number)), No::failure(Status::E_CTI_INVALID_VERSION, why())))
    }

    /// Opens a session: confirms it and says what an opened session is told first.
    pub(super) fn open(
        self: &Arc<Ged188>,
        request: &OpenReq,
        version: Version,
        peer: &Peer,
        outbox: &Arc<Outbox>,
        identity: Identity,
    ) -> Result<Session, No> {
        let Identity { id: client_id, permit } = identity;
        let idle_timeout = self.idle_timeout(request.idle_timeout)?;
        let services = self.grant(request, &permit)?;
        let mut fields = agent_fields!(request)?;
        let peripheral = self.peripheral(request.peripheral_id, fields.agent.as_ref())?;
        let has = |service: ServiceMask| services.0 & service.0 != 0;
        let is_agents_own = has(ServiceMask::CTI_SERVICE_CLIENT_EVENTS);
        if is_agents_own && !fields.is_empty() {
            self.must_be_own(&client_id, &permit, peripheral, &mut fields)?;
        }
        let held = if is_agents_own { self.targets(peripheral, &fields, &permit)? } else { Box::default() };
        let place = self.place(&client_id, &held)?;

        let supervised = self.supervised(services, peripheral, &fields)?;
        let right = match held.first() {
            Some(own) if !supervised.is_empty() => {
                Right::Supervisor { own: own.clone(), teams: Arc::clone(&supervised) }
            }
            Some(own) => Right::Of(own.clone()),
            // Without events of its own a session is a bridge all the same, if its client may be one.
            None if has(ServiceMask::CTI_SERVICE_ALL_EVENTS) || permit.may_have(Service::AllEvents) => Right::Every,
            None => Right::Nobody,
        };
        let session = self.house.table.new_session();
        let face = Arc::new(Face {
            shared: Arc::clone(self),
            requester: Requester { session, client: client_id.clone(), right },
            signature: signature(request).map_or(client_id, SmolStr::new),
            version,
            outbox: Arc::clone(outbox),
            sees_everybody: permit.sees_everybody(),
            in_flight: AtomicU32::new(0),
            is_open: AtomicBool::new(false),
        });
        self.house.table.add_client(Arc::<Face>::clone(&face) as _);
        let agent = if is_agents_own { self.agent(peripheral, &fields) } else { None };
        let holds = self.meet(&face, agent.as_ref()).and_then(|others| self.hold(&face, &held).map(|()| others));
        let others = match holds {
            Ok(others) => others,
            Err(no) => {
                self.house.table.remove_client(session, &[]);
                return Err(no);
            }
        };
        self.house.table.attendance.arrive(session);
        if let Some(agent) = &agent {
            for other in others {
                other.lose(agent, session);
                self.house.neglect(other.session(), agent);
            }
            self.house.attend(session, agent, None);
        }

        let filter = filter_of(request.call_msg_mask, request.agent_state_mask);
        // Confirmed before anything is subscribed to: OPEN_CONF is the first that a client gets.
        let told = self.house.table.between_announcements(|| {
            let known = agent.as_ref().and_then(|key| self.house.table.agent(key));
            let facts = known.map(|cell| cell.entry().facts.clone());
            face.say(&self.opened(request, version, services, peripheral, facts.as_ref()));
            if has(ServiceMask::CTI_SERVICE_ALL_EVENTS) {
                for peripheral in self.house.peripherals() {
                    let online = self.house.table.is_online(peripheral.id);
                    face.say_link(LinkEvent { peripheral: peripheral.id, online });
                }
            }
            face.is_open.store(true, Ordering::Release);
            facts
        });
        if request.call_msg_mask.0 & CallMsgMask::AGENT_TEAM_CONFIG_MASK.0 != 0 {
            self.say_teams(&face, &supervised);
        }
        let own = match held.first() {
            Some(own) => Some((OWN_MONITOR_ID, own.clone())),
            None if has(ServiceMask::CTI_SERVICE_ALL_EVENTS) => Some((0, Target::All)),
            None => None,
        };
        if face.requester.right == Right::Every {
            self.house.come_back(session, &face.requester.client);
        }
        let own = own.map(|(id, target)| OwnSubscription::begin(self, &face, id, target, filter));
        if let Some(own) = own.as_ref().filter(|_| is_agents_own) {
            let there = self.agent(peripheral, &fields).filter(|there| agent.as_ref() != Some(there));
            for agent in agent.iter().chain(&there) {
                own.tell_if_news(self, agent, told.as_ref().filter(|told| told.agent == agent.agent));
            }
        }
        tracing::debug!(%peer, %session, ?held, "holds");
        Ok(Session {
            face,
            permit,
            services,
            idle_timeout,
            held,
            own,
            monitors: BTreeMap::new(),
            next_monitor_id: OWN_MONITOR_ID,
            asked: Cell::default(),
            _place: place,
        })
    }

    /// What an OPEN_REQ says of its client.
    pub(super) fn claim(&self, request: &OpenReq, peer: &Peer) -> Result<Claim, No> {
        let Some(client_id) = &request.client_id else { return Err(missing("ClientID")) };
        let id = given("ClientID", Some(client_id))?.unwrap_or_default().to_owned();
        let password = match &request.client_password {
            Some(password) => {
                // UNSPEC, yet sent with a NUL by most.
                let bytes = password.expose().as_bytes();
                Password::new(String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()))
            }
            None => Password::default(),
        };
        Ok(Claim { id, password, from: peer.address.ip(), certificate: peer.certificate.clone() })
    }

    /// Who is not everybody's is so for its own agent only, wherever that one works; a device alone says who works there.
    fn must_be_own(
        &self,
        client_id: &str,
        permit: &Permit,
        peripheral: PeripheralId,
        fields: &mut AgentFields,
    ) -> Result<(), No> {
        if permit.may_be_anybody() {
            return Ok(());
        }
        let own = self.agent(peripheral, fields).map(|key| key.agent).filter(|agent| permit.may_be(agent));
        let Some(own) = own else {
            let why = format!("client {client_id:?} may be opened for its own agents only, by AgentID");
            return Err(No::failure(Status::E_CTI_INVALID_AGENT_DATA, why));
        };
        fields.agent = Some(own);
        Ok(())
    }

    fn idle_timeout(&self, seconds: u32) -> Result<Option<Duration>, No> {
        if NO_TIMEOUT.contains(&seconds) {
            return Ok(None);
        }
        let timeout = Duration::from_secs(seconds.into());
        let least = self.settings.idle_timeout_min;
        if timeout >= least {
            return Ok(Some(timeout));
        }
        let why = format!("IdleTimeout {seconds} is below {} seconds", least.as_secs());
        Err(No::failure(Status::E_CTI_INVALID_TIMEOUT, why))
    }

    /// What of the services asked for makes sense together: all events contain an agent's own, and the control of
    /// everything that of agent states.
    fn grant(&self, request: &OpenReq, permit: &Permit) -> Result<ServiceMask, No> {
        let asked = request.services_requested.0;
        let mut granted = asked & SERVICES & allowed(permit).0;
        let drop_if = |granted: u32, has: ServiceMask, drop: ServiceMask| match granted & has.0 {
            0 => granted,
            _ => granted & !drop.0,
        };
        if granted & ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 != 0 {
            // A bridge that asks for whatever there is is a bridge. One that names SUPERVISOR without CLIENT_EVENTS erred.
            granted = drop_if(granted, ServiceMask::CTI_SERVICE_ALL_EVENTS, ServiceMask::CTI_SERVICE_SUPERVISOR);
        }
        granted = drop_if(granted, ServiceMask::CTI_SERVICE_ALL_EVENTS, ServiceMask::CTI_SERVICE_CLIENT_EVENTS);
        granted = drop_if(granted, ServiceMask::CTI_SERVICE_CLIENT_CONTROL, ServiceMask::CTI_AGENT_STATE_CONTROL_ONLY);
        if granted != 0 || asked == 0 {
            return Ok(ServiceMask(granted));
        }
        let is_known = ServiceMask::NAMES.iter().any(|(_, bit)| asked & *bit != 0);
        let status = if is_known { Status::E_CTI_FUNCTION_NOT_AVAILABLE } else { Status::E_CTI_INVALID_SERVICE_MASK };
        Err(No::failure(status, format!("none of ServicesRequested {asked:#010x} is available")))
    }

    /// The agent and device of a CLIENT_EVENTS session; the first is the one that its events are found by. A device is held
    /// by whoever may be opened for one: an agent's own desktop holds its agent, and so the device while the agent works there.
    fn targets(&self, peripheral: PeripheralId, fields: &AgentFields, permit: &Permit) -> Result<Box<[Target]>, No> {
        if fields.is_empty() {
            return Err(missing("one of AgentID, AgentInstrument and AgentExtension with CLIENT_EVENTS"));
        }
        let table = &self.house.table;
        let mut targets = Vec::new();
        let mut works_at = None;
        if let Some(agent) = &fields.agent {
            let key = AgentKey { peripheral, agent: agent.clone() };
            let known = table.agent(&key);
            if table.is_no_agent(&key) {
                let why = format!("AgentID {agent} is not known at peripheral {peripheral}");
                return Err(No::failure(Status::E_CTI_INVALID_AGENT_DATA, why));
            }
            works_at = known.and_then(|cell| cell.entry().facts.instrument.clone());
            targets.push(Target::Agent(key));
        }
        if let Some(device) = fields.device() {
            if table.is_no_instrument(peripheral, device) {
                let why = format!("AgentInstrument {device} is not known at peripheral {peripheral}");
                return Err(No::failure(Status::E_CTI_INVALID_AGENT_DATA, why));
            }
            let works_there = table.agent_at(peripheral, device);
            if let (Some(agent), Some(there)) = (&fields.agent, &works_there)
                && *agent != there.agent
            {
                return Err(inconsistent(format!(
                    "AgentID is {agent}, at AgentInstrument {device} works another agent"
                )));
            }
            if let Some(at) = works_at.as_ref().filter(|at| *at != device) {
                return Err(inconsistent(format!("AgentInstrument is {device}, the agent works at {at}")));
            }
        }
        if let Some(device) = fields.device().filter(|_| permit.may_be_anybody()) {
            targets.push(Target::Device(peripheral, device.clone()));
        }
        Ok(targets.into())
    }

    /// The device that an agent works at now, and the agent at a device: who holds one of the two holds the other.
    fn related(&self, held: &[Target]) -> Vec<Target> {
        let table = &self.house.table;
        let related = held.iter().filter_map(|target| match target {
            Target::All | Target::Team(_) | Target::Call(_) => None,
            Target::Device(peripheral, device) => table.agent_at(*peripheral, device).map(Target::Agent),
            Target::Agent(key) => {
                let device = table.agent(key)?.entry().facts.instrument.clone()?;
                Some(Target::Device(key.peripheral, device))
            }
        });
        related.collect()
    }

    /// A place among its client's sessions. Who comes back before its old connection was found dead takes that one's.
    fn place(&self, client_id: &str, held: &[Target]) -> Result<Place<SmolStr>, No> {
        let table = &self.house.table;
        let replaced = table.held_by(client_id, &[held, &self.related(held)].concat());
        table.session_places.take_instead_of(replaced, SmolStr::new(client_id)).map_err(|full| {
            No::failure(Status::E_CTI_TOO_MUCH_DATA, format!("sessions of ClientID {client_id:?}: {full}"))
        })
    }

    /// Takes the agent and device for this session: from an older one of the same client, from nobody else's.
    fn hold(&self, face: &Face, held: &[Target]) -> Result<(), No> {
        let table = &self.house.table;
        let is_same_client =
            |holder| table.client(holder).is_none_or(|client| client.client_id() == face.requester.client);
        match table.hold(face.requester.session, held, &self.related(held), is_same_client) {
            Ok(replaced) => {
                for session in replaced.into_iter().filter_map(|session| table.client(session)) {
                    session.replace(face.requester.session);
                }
                Ok(())
            }
            Err(HeldBy(session)) => {
                let why = format!("the agent or its device is held by session {session} of another client");
                Err(No::failure(Status::E_CTI_DEVICE_IN_USE, why))
            }
        }
    }

    /// The sessions of other protocols that the agent is taken over from, where the configuration wants that.
    fn meet(&self, face: &Face, agent: Option<&AgentKey>) -> Result<Vec<Arc<dyn Subscriber>>, No> {
        let Some(agent) = agent else { return Ok(Vec::new()) };
        self.house.meet(face.requester.session, agent, |other| other.dialect() != DIALECT).map_err(|HeldBy(session)| {
            let why = format!("the agent is held by session {session} of another protocol");
            No::failure(Status::E_CTI_DEVICE_IN_USE, why)
        })
    }

    fn opened(
        &self,
        request: &OpenReq,
        version: Version,
        services: ServiceMask,
        peripheral: PeripheralId,
        facts: Option<&AgentFacts>,
    ) -> OpenConf {
        let is_agents_own = services.0 & ServiceMask::CTI_SERVICE_CLIENT_EVENTS.0 != 0;
        let agent_state = match facts {
            Some(facts) => state_code(facts.state),
            None if is_agents_own => codes::AgentState::AGENT_STATE_LOGOUT,
            None => codes::AgentState::AGENT_STATE_UNKNOWN,
        };
        let mut confirmed = OpenConf {
            invoke_id: request.invoke_id,
            services_granted: services,
            monitor_id: if is_agents_own { OWN_MONITOR_ID } else { 0 },
            pg_status: pg_status(self),
            icm_central_controller_time: Time(time_of_day()),
            peripheral_online: Bool::from(self.house.table.is_online(peripheral)),
            peripheral_type: match self.flavour {
                Flavour::Cce => peripheral_type(Flavour::Cce),
                Flavour::Uccx => PeripheralType(0),
            },
            agent_state,
            session_type: SESSION_ACTIVE,
            ..Default::default()
        };
        if let Some(facts) = facts.filter(|facts| facts.is_logged_in()) {
            let id = AgentIds::of(facts.agent.as_str(), version);
            (confirmed.agent_id, confirmed.agent_id_long) = (id.short, id.long);
            let instrument = facts.instrument.as_ref();
            confirmed.agent_instrument = instrument.and_then(|instrument| Text::new(instrument.as_str()).ok());
            let extension = facts.extension.as_ref().or(instrument);
            confirmed.agent_extension = extension.and_then(|extension| Text::new(extension.as_str()).ok());
        }
        self.add_peripherals(&mut confirmed, request.peripheral_id);
        confirmed
    }

    /// The list of peripherals, for a client that did not name one; UCCX always has its one.
    fn add_peripherals(&self, confirmed: &mut OpenConf, asked: u32) {
        if self.names_no_peripheral(asked) && self.flavour == Flavour::Cce {
            confirmed.peripherals = (self.house.peripherals().iter())
                .map(|peripheral| OpenedPeripheral { id: Some(peripheral.id.0), multiline_agent_control: Some(0) })
                .collect();
        }
        let listed = u16::try_from(confirmed.peripherals.len()).unwrap_or(u16::MAX);
        confirmed.num_peripherals = Some(if self.flavour == Flavour::Uccx { 1 } else { listed });
    }
}

/// The services that a client may be granted.
fn allowed(permit: &Permit) -> ServiceMask {
    let bits = |service: &Service| match service {
        Service::ClientEvents => ServiceMask::CTI_SERVICE_CLIENT_EVENTS,
        Service::AllEvents => ServiceMask::CTI_SERVICE_ALL_EVENTS,
        Service::PeripheralMonitor => ServiceMask::CTI_SERVICE_PERIPHERAL_MONITOR,
        Service::ClientControl => ServiceMask::CTI_SERVICE_CLIENT_CONTROL | ServiceMask::CTI_AGENT_STATE_CONTROL_ONLY,
        Service::CallDataUpdate => ServiceMask::CTI_SERVICE_CALL_DATA_UPDATE,
        Service::Supervisor => ServiceMask::CTI_SERVICE_SUPERVISOR,
        Service::ConfigEvents => ServiceMask::CTI_SERVICE_CONFIG_EVENTS,
    };
    let always = ServiceMask::CTI_SERVICE_IGNORE_DUPLICATE_AGENT_EVENTS;
    let may = Service::ALL.iter().filter(|service| permit.may_have(**service));
    may.fold(always, |mask, service| mask | bits(service))
}

/// ClientSignature, where it says something. It is for people, so that one which cannot be read is none.
fn signature(request: &OpenReq) -> Option<&str> {
    let signature = request.client_signature.as_ref()?.to_str()?;
    Some(signature).filter(|signature| !signature.is_empty())
}

/// A version whose floating fields a client of that version can read.
fn closest(number: u32) -> Version {
    Version::new(number.clamp(9, Version::LATEST.number())).unwrap_or(Version::LATEST)
}
