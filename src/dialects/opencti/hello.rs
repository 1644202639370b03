//! Hello: who the client is, and a new session for it or the one that it lost.
//!
//! Not here: what the session may ask then. Must hold: a session is only taken up by who knows its secret name and is the
//! same client; whoever comes back is sent a Snapshot of all that it has.

use std::sync::Arc;
use std::time::Duration;

use cti_protocol::opencti::{Acd, Capabilities, Code, Hello, PROTOCOL_VERSION, ReasonCode, RequestId, Welcome};
use smol_str::SmolStr;

use super::OpenCti;
use super::answers::No;
use super::render::Shown;
use super::session::{Line, Resumed, Session};
use crate::access::Claim;
use crate::dialects::Peer;
use crate::model::{AgentId, CLIENT_BYTES_MAX, Identity, Password, Service};
use crate::sessions::{HeldBy, Place, Subscriber};

/// What a session may, by who its client is.
#[derive(Clone, Debug)]
pub(super) struct Rights {
    /// Every agent, and not only those that it logs in itself.
    pub(super) every_agent: bool,
    /// Any device's events.
    pub(super) every_device: bool,
    /// The events of the devices where its own agents work.
    pub(super) own_devices: bool,
    /// Changing anything at all.
    pub(super) control: bool,
    /// Who the client is: which agents it may log in.
    identity: Identity,
}

impl Rights {
    fn of(identity: Identity) -> Rights {
        let permit = &identity.permit;
        let every_agent = permit.may_have(Service::AllEvents);
        let may_monitor = permit.sees_everybody() && permit.may_have(Service::PeripheralMonitor);
        let own_devices = permit.may_have(Service::ClientEvents);
        let control = permit.may_have(Service::ClientControl);
        Rights { every_agent, every_device: every_agent || may_monitor, own_devices, control, identity }
    }

    /// Whether the client may be that agent's desktop.
    pub(super) fn must_be(&self, agent: &AgentId) -> Result<(), No> {
        match self.identity.permit.may_be(agent) {
            true => Ok(()),
            false => Err(No::new(Code::NoRight, format!("AgentID: {agent} is no agent of {:?}", self.identity.id))),
        }
    }

    /// Its name in the configuration.
    pub(super) fn role(&self) -> &'static str {
        self.identity.permit.role.name()
    }
}

/// An open session, as its connection has it.
pub(super) struct Opened {
    pub(super) session: Arc<Session>,
    pub(super) rights: Rights,
    pub(super) idle_timeout: Option<Duration>,
    /// For the log.
    pub(super) is_resumed: bool,
    _place: Place<SmolStr>,
}

impl OpenCti {
    /// Opens a session, or takes one up again, and says so.
    pub(super) fn hello(
        self: &Arc<OpenCti>,
        line: &Arc<Line>,
        id: RequestId,
        hello: &Hello,
        identity: Identity,
    ) -> Result<Opened, No> {
        let rights = Rights::of(identity);
        let idle_timeout = idle_timeout(hello)?;
        // With other rights than it was opened with it would hear what it may not any more.
        let known = hello.resume.as_ref().and_then(|resume| self.sessions.by_token.get(resume.session.expose()));
        let own = known.map(|known| Arc::clone(&known)).filter(|session| session.client == rights.identity);
        // Who comes back before its old connection was found dead takes that one's place.
        let replaced = own.as_ref().is_some_and(|session| session.has_line());
        let place = self.house.table.session_places.take_instead_of(replaced.into(), SmolStr::new(&hello.identity));
        let many = |full| No::new(Code::TooManySessions, format!("sessions of identity {:?}: {full}", hello.identity));
        let _place = place.map_err(many)?;
        let welcome = self.welcome(id);
        let (session, is_resumed) = match &hello.resume {
            None => (self.begin(line, &rights, welcome), false),
            Some(resume) => {
                match own.and_then(|session| self.resume(&session, line, resume.seq, &welcome).then_some(session)) {
                    Some(session) => (session, true),
                    None => {
                        let why = "the session is not known, or was lost too long ago".to_owned();
                        let welcome = Welcome { resumed: Some(false), why: Some(why), ..welcome };
                        let session = self.begin(line, &rights, welcome);
                        session.say_event(self.snapshot(None, None, Shown::nothing(), None));
                        (session, false)
                    }
                }
            }
        };
        Ok(Opened { session, rights, idle_timeout, is_resumed, _place })
    }

    fn begin(self: &Arc<OpenCti>, line: &Arc<Line>, rights: &Rights, welcome: Welcome) -> Arc<Session> {
        let table = &self.house.table;
        let session = Session::new(Arc::clone(self), table.new_session(), rights.identity.clone());
        // Said before the session can be told anything else.
        line.say(Welcome { session: session.token.as_str().into(), ..welcome });
        session.begin(line);
        self.sessions.by_token.insert(session.token.clone(), Arc::clone(&session));
        table.attendance.arrive(session.id);
        table.add_client(Arc::<Session>::clone(&session) as _);
        session
    }

    /// Takes the session up again; false if it has just ended.
    fn resume(&self, session: &Arc<Session>, line: &Arc<Line>, seen: u64, welcome: &Welcome) -> bool {
        let moving = session.moving.lock();
        let resumed = session.resume(line, seen, |seq, resumed| {
            let (resumed, why) = match resumed {
                Resumed::Whole => (true, None),
                Resumed::Cut { why } => (false, Some(why.clone())),
            };
            let session = session.token.as_str().into();
            line.say(Welcome { session, resumed: Some(resumed), why, seq, ..welcome.clone() });
        });
        let Some(resumed) = resumed else { return false };
        self.house.table.attendance.arrive(session.id);
        for (key, login) in session.agents() {
            // Somebody may have taken the agent up meanwhile, by the rule for clients that meet.
            let by = match self.house.meet(session.id, &key, |_| true) {
                Ok(others) => others.first().map(|other| other.session()),
                Err(HeldBy(other)) => Some(other),
            };
            match by {
                Some(by) => session.lose(&key, by),
                None => drop(self.house.attend(session.id, &key, Some(login))),
            }
        }
        drop(moving);
        session.say_snapshots(None);
        if let Resumed::Cut { .. } = resumed {
            session.follow_all_calls(); // what was said of them is among what is lost
        }
        session.forget_logged_out();
        true
    }

    /// What a Hello says of its client.
    pub(super) fn claim(&self, hello: &Hello, peer: &Peer) -> Result<Claim, No> {
        if hello.protocol_version != PROTOCOL_VERSION {
            let why = format!("protocolVersion: {} is not spoken here, {PROTOCOL_VERSION} is", hello.protocol_version);
            return Err(No::new(Code::InvalidRequest, why));
        }
        if hello.identity.is_empty() {
            return Err(No::new(Code::InvalidRequest, "identity: it is empty"));
        }
        if hello.identity.len() > CLIENT_BYTES_MAX {
            // Names that nobody has are remembered for a while, and written to the log: they are kept short.
            let why = format!("identity: it has {} bytes, {CLIENT_BYTES_MAX} fit", hello.identity.len());
            return Err(No::new(Code::InvalidRequest, why));
        }
        let password = Password::new(hello.secret.as_ref().map(|secret| secret.expose()).unwrap_or_default());
        let (id, from) = (hello.identity.clone(), peer.address.ip());
        Ok(Claim { id, password, from, certificate: peer.certificate.clone() })
    }

    /// What every session is told first, but for what is its own.
    fn welcome(&self, id: RequestId) -> Welcome {
        let acds = self.house.peripherals().iter().map(|peripheral| {
            let link = self.house.table.link(peripheral.id);
            let can = peripheral.acd.capabilities();
            Acd {
                acd: peripheral.id.to_string(),
                online: link.online,
                capabilities: Capabilities {
                    after_call_work: can.after_call_work,
                    partial_logout: can.partial_logout,
                    call_control: !can.calls.is_empty(),
                },
                queues: link.queues.iter().map(|(queue, _)| self.queue_names(peripheral.id, &[*queue])).collect(),
            }
        });
        let reasons = self.reasons.iter().map(|reason| ReasonCode { code: reason.code, name: reason.name.clone() });
        Welcome {
            id,
            ok: true,
            session: "".into(),
            protocol_version: PROTOCOL_VERSION,
            resumed: None,
            why: None,
            seq: 0,
            heartbeat_seconds: whole_seconds(self.settings.heartbeat),
            resume_seconds: self.keeping.resume_window.as_secs(),
            acds: acds.collect(),
            reason_codes: reasons.collect(),
            logout_reason_required: self.settings.logout_reason_required,
            not_ready_reason_required: self.settings.not_ready_reason_required,
        }
    }
}

/// Of a part of a second, all of it: who is promised more than is kept takes a connection that stands for a dead one.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn idle_timeout(hello: &Hello) -> Result<Option<Duration>, No> {
    match hello.idle_timeout_seconds {
        None => Ok(None),
        Some(0) => Err(No::new(Code::InvalidRequest, "idleTimeoutSeconds: 0 would end the session at once")),
        Some(seconds) => Ok(Some(Duration::from_secs(seconds.into()))),
    }
}
