//! What is sent to do something with a call, and what becomes of it.
//!
//! Not here: what a call is (`switch`). The manager can make, end, join and transfer what it knows as channels; what a
//! phone does with its own keys (answer, hold, retrieve) it can only be asked to do, by a NOTIFY that some phones
//! understand. All else is refused as not supported. Must hold: a command is done when Asterisk says so; what follows from
//! it comes as events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::ami::{Action, escape_argument};
use super::channels::{ChannelState, Joining, MADE_HERE};
use super::members::Effect;
use super::names::Names;
use super::switch::{Made, Purpose};
use super::world::{World, hangup_action, header};
use super::{AsteriskAcd, refused};
use crate::acd::{AcdRefusal, BadField};
use crate::model::{
    Call, CallAbilities, CallAbility, CallCommand, CallDataChange, CallId, CallOutcome, Connection, ConsultKind,
    FarEnd, Instrument, PartyState,
};

/// What can be done, as far as the configuration lets it.
pub(super) fn abilities(names: &Names) -> CallAbilities {
    const CHANNELS: &[CallAbility] = &[CallAbility::ClearConnection, CallAbility::ClearCall, CallAbility::SendDtmf];
    const DIALLING: &[CallAbility] = &[CallAbility::Make, CallAbility::Consult, CallAbility::Transfer];
    const PHONES: &[CallAbility] = &[CallAbility::Answer, CallAbility::Hold, CallAbility::Retrieve];
    let mut abilities: CallAbilities = CHANNELS.iter().copied().collect();
    if names.dial_context.is_some() {
        abilities = abilities.or(DIALLING.iter().copied().collect());
    }
    if names.phones_take_notify {
        abilities = abilities.or(PHONES.iter().copied().collect());
    }
    if names.has_variables() {
        abilities = abilities.or(CallAbilities::from_iter([CallAbility::SetData]));
    }
    if names.has_chanspy {
        abilities = abilities.or(CallAbilities::from_iter([CallAbility::Supervise]));
    }
    abilities
}

impl AsteriskAcd {
    pub(super) async fn control(&self, command: &CallCommand) -> Result<CallOutcome, AcdRefusal> {
        let done = CallOutcome::default();
        match command {
            CallCommand::Make { from, to, data } => self.dial(from, to, data, Purpose::Talk).await,
            CallCommand::Consult { kind: ConsultKind::Conference, .. } => {
                Err(AcdRefusal::NotSupported { what: "ask somebody to join a call: it makes no conferences" })
            }
            CallCommand::Consult { active, to, data, .. } => {
                self.world.lock().channel(active, TALKED)?;
                self.dial(&active.device, to, data, Purpose::Consult).await
            }
            CallCommand::Answer(at) => {
                self.rings(at).await;
                self.notify(at, "talk", &[PartyState::Alerting]).await.map(|()| done)
            }
            CallCommand::Hold(at) => self.notify(at, "hold", &[PartyState::Connected]).await.map(|()| done),
            CallCommand::Retrieve(at) => self.notify(at, "talk", &[PartyState::Held]).await.map(|()| done),
            CallCommand::Transfer { active, to: FarEnd::Dialed(to), data } => {
                let (channel, others) = {
                    let world = self.world.lock();
                    (world.channel(active, TALKED)?, world.other_channels(active)?)
                };
                let (context, exten) = self.destination(to)?;
                // For the first of those who are transferred: the dialplan may have numbers for some callers only.
                self.must_be_there(context, to, others.first().map(|(_, name)| name.as_str())).await?;
                self.set_data(&others, data).await?;
                let action = header(Action::new("BlindTransfer"), "Channel", &channel)?;
                self.do_it(header(header(action, "Context", context)?, "Exten", exten)?).await.map(|()| done)
            }
            CallCommand::Transfer { active, to: FarEnd::Held(held), data } => {
                let (ends, legs) = {
                    let world = self.world.lock();
                    let ends = [world.other_channel(held)?, world.other_channel(active)?];
                    (ends, [world.own_channel(held, TALKED)?.0, world.own_channel(active, TALKED)?.0])
                };
                self.set_data(&ends, data).await?;
                let [(_, one), (_, other)] = &ends;
                let action = header(header(Action::new("Bridge"), "Channel1", one)?, "Channel2", other)?;
                let joining = Arc::new(Joining { legs, ends: ends.map(|(id, _)| id) });
                self.world.lock().switch.is_to_join(&joining);
                let joined = self.do_it(header(action, "Tone", "no")?).await;
                if matches!(joined, Err(AcdRefusal::Refused { .. })) {
                    self.world.lock().switch.does_not_join(&joining);
                }
                joined.map(|()| done)
            }
            CallCommand::ClearConnection(at) => {
                let channel = self.world.lock().channel(at, ANY)?;
                self.do_it(hangup_action(&channel)?).await.map(|()| done)
            }
            CallCommand::Drop { at, party } => {
                let dropped = Connection { call: at.call, device: party.clone() };
                let channel = {
                    let world = self.world.lock();
                    world.channel(at, &[PartyState::Connected])?;
                    world.channel(&dropped, ANY)?
                };
                self.do_it(hangup_action(&channel)?).await.map(|()| done)
            }
            CallCommand::ClearCall(call) => {
                let channels = self.world.lock().channels_of(*call)?;
                self.hang_up_channels(channels.iter().map(String::as_str)).await.map(|()| done)
            }
            CallCommand::SendDtmf { from, tones } => {
                let channel = self.world.lock().channel(from, &[PartyState::Connected])?;
                self.play(&channel, tones.as_str()).await.map(|()| done)
            }
            CallCommand::SetData { at, change } => {
                let carrier = self.world.lock().carrier(at)?;
                self.set_data(&[carrier], change).await.map(|()| done)
            }
            CallCommand::Supervise { watched, by, how } => {
                self.supervise(watched, by, *how, command.what()).await.map(|()| done)
            }
            CallCommand::Alternate { .. }
            | CallCommand::Reconnect { .. }
            | CallCommand::Conference { .. }
            | CallCommand::Deflect { .. }
            | CallCommand::Release(_) => Err(AcdRefusal::NotSupported { what: command.what() }),
        }
    }

    /// Rings the device and, once it has answered, dials the number from it.
    async fn dial(
        &self,
        from: &Instrument,
        to: &Instrument,
        data: &CallDataChange,
        purpose: Purpose,
    ) -> Result<CallOutcome, AcdRefusal> {
        let (context, exten) = self.destination(to)?;
        let channel = self.names.interface(from)?;
        if self.world.lock().is_unreachable(from) {
            return Err(refused(&format!("{from} cannot be rung: it is invalid or not registered")));
        }
        let variables = self.names.variables_of(data)?;
        self.must_be_there(context, to, None).await?;
        let id = new_channel_id();
        let mut action = Action::new("Originate").with_member("Channel", &channel);
        let caller = from.as_str();
        for (key, value) in [
            ("Context", context),
            ("Exten", exten),
            ("Priority", "1"),
            ("Async", "true"),
            ("ChannelId", &id),
            ("CallerID", caller),
        ] {
            action = header(action, key, value)?;
        }
        for (name, value) in variables {
            action = header(action, "Variable", &format!("{name}={}", escape_argument(&value)))?;
        }
        let new_call = self.originate(&id, action, Made { to: to.clone(), purpose, has_failed: false }).await?;
        Ok(CallOutcome { new_call: Some(new_call) })
    }

    /// Has a channel with that id made; gives its call once Asterisk has told of it.
    pub(super) async fn originate(&self, id: &str, action: Action, made: Made) -> Result<Arc<Call>, AcdRefusal> {
        self.world.lock().being_made.insert(id.to_owned(), made);
        let mut dialling = Dialling { acd: self, id, is_over: false };
        let taken = self.do_it(action).await;
        dialling.is_over = matches!(taken, Err(AcdRefusal::Refused { .. }));
        taken?;
        let new_call = self.call_of(id).await?;
        dialling.is_over = true;
        Ok(new_call)
    }

    /// Waits until the phone has said that it rings: a call alerts from the moment on that the device is dialled, and
    /// Asterisk can tell the phone nothing before it has answered that. Some phones never say so, and are told then.
    async fn rings(&self, at: &Connection) {
        let changes = Arc::clone(&self.world.lock().calls_changed);
        let is_told = async {
            loop {
                let mut change = std::pin::pin!(changes.notified());
                change.as_mut().enable();
                if !self.world.lock().is_only_dialled(at) {
                    return;
                }
                change.await;
            }
        };
        let _ = tokio::time::timeout(RINGS_WITHIN, is_told).await;
    }

    /// The call that a channel of ours makes, once Asterisk has told of it.
    async fn call_of(&self, id: &str) -> Result<Arc<Call>, AcdRefusal> {
        let changes = Arc::clone(&self.world.lock().calls_changed);
        let is_told = async {
            loop {
                let mut change = std::pin::pin!(changes.notified());
                change.as_mut().enable();
                {
                    let world = self.world.lock();
                    match world.being_made.get(id) {
                        None => return Err(AcdRefusal::LinkDown), // which took it along
                        Some(made) if made.has_failed => return Err(refused("asterisk could not ring the device")),
                        Some(_) => (),
                    }
                    if let Some(call) = world.switch.call_of_channel(id) {
                        return Ok(Arc::clone(call));
                    }
                }
                change.await;
            }
        };
        let told = tokio::time::timeout(RINGS_WITHIN, is_told).await;
        told.unwrap_or_else(|_| Err(refused("asterisk took the call and did not ring the device")))
    }

    /// Has channels, by their ids and names, carry data.
    async fn set_data(&self, channels: &[(String, String)], change: &CallDataChange) -> Result<(), AcdRefusal> {
        for (name, value) in self.names.variables_of(change)? {
            for (id, channel) in channels {
                let action = header(Action::new("Setvar"), "Channel", channel)?;
                let action = header(header(action, "Variable", &name)?, "Value", &value)?;
                let effect = Effect::Variable { channel: id.clone(), name: name.clone(), value: value.clone() };
                self.ask(action, effect).await?;
            }
        }
        Ok(())
    }

    /// Sends tones as if the phone had: so they go to who is on the other end. Asterisk plays one at a time; where it
    /// stops half-way, it is said how many have been heard.
    async fn play(&self, channel: &str, tones: &str) -> Result<(), AcdRefusal> {
        for (sent, tone) in tones.char_indices() {
            let action = header(Action::new("PlayDTMF"), "Channel", channel)?;
            let action = header(action, "Digit", tone.encode_utf8(&mut [0; 4]))?;
            match self.do_it(header(action, "Receive", "true")?).await {
                Err(refusal) if sent > 0 => {
                    return Err(refused(&format!("{sent} of {} tones were sent, then: {refusal}", tones.len())));
                }
                done => done?,
            }
        }
        Ok(())
    }

    /// Asks a phone to do something itself.
    async fn notify(&self, at: &Connection, event: &str, states: &[PartyState]) -> Result<(), AcdRefusal> {
        let channel = self.world.lock().channel(at, states)?;
        let action = header(Action::new("PJSIPNotify"), "Channel", &channel)?;
        self.do_it(header(action, "Variable", &format!("Event={event}"))?).await
    }

    fn destination<'a>(&'a self, to: &'a Instrument) -> Result<(&'a str, &'a str), AcdRefusal> {
        let context = self.names.dial_context.as_deref();
        let context = context.ok_or(AcdRefusal::NotSupported { what: "dial: it has no dial_context" })?;
        let is_dialable = |c: char| c.is_ascii_alphanumeric() || "*#+-_.".contains(c);
        match to.as_str().chars().all(is_dialable) {
            true => Ok((context, to.as_str())),
            false => Err(AcdRefusal::BadDestination { number: to.clone(), why: "only letters, digits and *#+-_. are" }),
        }
    }

    /// Refuses a number that the dialplan does not have: Asterisk would take it, and then hang up. Where it cannot be asked
    /// (no func_dialplan, no right to Getvar) it is not known, and the number is tried.
    async fn must_be_there(&self, context: &str, to: &Instrument, caller: Option<&str>) -> Result<(), AcdRefusal> {
        let mut action = Action::new("Getvar");
        if let Some(caller) = caller {
            action = header(action, "Channel", caller)?;
        }
        let action = header(action, "Variable", &format!("DIALPLAN_EXISTS({context},{to},1)"))?;
        match self.ask(action, Effect::Nothing).await {
            Ok(said) if said.value.as_deref() == Some("0") => {
                Err(AcdRefusal::BadDestination { number: to.clone(), why: "the dialplan has no such number" })
            }
            Ok(_) | Err(AcdRefusal::Refused { .. }) => Ok(()),
            Err(unknown) => Err(unknown),
        }
    }

    pub(super) async fn do_it(&self, action: Action) -> Result<(), AcdRefusal> {
        self.ask(action, Effect::Nothing).await.map(drop)
    }
}

/// A call that is being made. Whoever gives it up before it is told of, by a timeout or by dropping it, has it hung up.
struct Dialling<'a> {
    acd: &'a AsteriskAcd,
    id: &'a str,
    is_over: bool,
}

impl Drop for Dialling<'_> {
    fn drop(&mut self) {
        let mut world = self.acd.world.lock();
        match self.is_over {
            true => drop(world.being_made.remove(self.id)),
            false => world.give_up(self.id),
        }
    }
}

/// Channels by the parties that they are.
impl World {
    /// The name of the channel of a party that stands so.
    pub(super) fn channel(&self, at: &Connection, states: &[PartyState]) -> Result<String, AcdRefusal> {
        self.own_channel(at, states).map(|(_, name)| name)
    }

    /// Its id and name.
    fn own_channel(&self, at: &Connection, states: &[PartyState]) -> Result<(String, String), AcdRefusal> {
        let call = self.switch.call(at.call).ok_or(AcdRefusal::UnknownCall { call: at.call })?;
        let not_on = || AcdRefusal::NotOnCall { device: at.device.clone(), call: at.call };
        let party = call.party(&at.device).ok_or_else(not_on)?;
        if !states.contains(&party.state) {
            let (device, call, state) = (at.device.clone(), at.call, party.state);
            return Err(AcdRefusal::WrongCallState { device, call, state });
        }
        let mut channels = self.switch.parties(at.call).into_iter();
        let own = channels.find(|(device, ..)| *device == at.device);
        own.map(|(_, id, channel)| (id, channel.name.clone())).ok_or_else(not_on)
    }

    /// Whether that is a channel that has not answered in any way yet.
    fn is_only_dialled(&self, at: &Connection) -> bool {
        let channels = self.switch.parties(at.call).into_iter();
        let mut own = channels.filter(|(device, ..)| *device == at.device).map(|(.., channel)| channel.state);
        own.next().is_some_and(|state| state < ChannelState::RINGING)
    }

    /// The channels of a call that are not the party's own: ids and names.
    fn other_channels(&self, at: &Connection) -> Result<Vec<(String, String)>, AcdRefusal> {
        self.channel(at, TALKED)?;
        let others = self.switch.parties(at.call).into_iter().filter(|(device, ..)| *device != at.device);
        Ok(others.map(|(_, id, channel)| (id, channel.name.clone())).collect())
    }

    /// Who is on the other end, where that is one: id and name of its channel.
    fn other_channel(&self, at: &Connection) -> Result<(String, String), AcdRefusal> {
        let mut others = self.other_channels(at)?.into_iter();
        match (others.next(), others.next()) {
            (Some(other), None) => Ok(other),
            _ => Err(refused(&format!("call {} has not one other end", at.call.0))),
        }
    }

    fn channels_of(&self, call: CallId) -> Result<Vec<String>, AcdRefusal> {
        self.switch.call(call).ok_or(AcdRefusal::UnknownCall { call })?;
        Ok(self.switch.parties(call).into_iter().map(|(.., channel)| channel.name.clone()).collect())
    }

    /// The channel that carries a call's data wherever it goes, its oldest: id and name.
    fn carrier(&self, at: &Connection) -> Result<(String, String), AcdRefusal> {
        self.channel(at, ANY)?;
        let mut channels = self.switch.parties(at.call).into_iter();
        let first = channels.next().map(|(_, id, channel)| (id, channel.name.clone()));
        first.ok_or(AcdRefusal::UnknownCall { call: at.call })
    }
}

/// An id that Asterisk gives none of its own channels, of the same shape: `ctigate-epoch.counter`.
pub(super) fn new_channel_id() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // From above: Asterisk counts its own from below.
    let counter = 0x7fff - LAST.fetch_add(1, Ordering::Relaxed) % 0x4000;
    format!("{MADE_HERE}{epoch}.{counter}")
}

/// What is wrong with a value of call data.
pub(super) fn bad_data(value: &str, why: &str) -> AcdRefusal {
    AcdRefusal::BadValue { field: BadField::CallData, value: value.to_owned(), why: why.to_owned() }
}

const TALKED: &[PartyState] = &[PartyState::Connected, PartyState::Held];
const ANY: &[PartyState] = &[PartyState::Initiated, PartyState::Alerting, PartyState::Connected, PartyState::Held];
/// How long Asterisk takes to ring a device that it was told to.
const RINGS_WITHIN: Duration = Duration::from_secs(2);
