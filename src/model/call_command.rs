//! What a client asks to be done with a call, checked and free of any dialect. Not here: who may ask.

use std::sync::Arc;

use super::{Call, CallDataChange, CallId, Instrument};

/// One end of one call: what most commands are about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connection {
    /// The call.
    pub call: CallId,
    /// The device on it.
    pub device: Instrument,
}

/// Why another agent is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConsultKind {
    /// To transfer the call.
    Transfer,
    /// To make a conference of it.
    Conference,
    /// Not said.
    Either,
}

/// What a supervisor does with an agent's call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Supervision {
    /// Listen, on a call of the supervisor's own that ends with the agent's part in the one listened to.
    Listen,
    /// The same, heard by the agent alone.
    Whisper,
    /// Join in: a conference, or a call of the supervisor's own that is heard by all.
    BargeIn,
    /// Take it over: the agent leaves it.
    Intercept,
}

/// The far end of a transfer or conference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FarEnd {
    /// The call that waits on hold.
    Held(Connection),
    /// Dialled at once, in a single step.
    Dialed(Instrument),
}

/// Something to be done with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallCommand {
    /// A device calls a number.
    Make {
        /// The device that calls.
        from: Instrument,
        /// The number.
        to: Instrument,
        /// What the call is to carry.
        data: CallDataChange,
    },
    /// Answer what rings.
    Answer(Connection),
    /// Put on hold.
    Hold(Connection),
    /// Take off hold.
    Retrieve(Connection),
    /// Hold the one and take the other.
    Alternate {
        /// The call that is talked on.
        active: Connection,
        /// The call that waits.
        held: Connection,
    },
    /// End the one and take the other.
    Reconnect {
        /// The call that is talked on.
        active: Connection,
        /// The call that waits.
        held: Connection,
    },
    /// Hold the call and call somebody else about it.
    Consult {
        /// The call that is talked on.
        active: Connection,
        /// Whom to ask.
        to: Instrument,
        /// What for.
        kind: ConsultKind,
        /// What the new call is to carry instead of a copy.
        data: CallDataChange,
    },
    /// Leave the call to somebody else.
    Transfer {
        /// The call that is talked on.
        active: Connection,
        /// To whom.
        to: FarEnd,
        /// What the call is to carry.
        data: CallDataChange,
    },
    /// Bring somebody else in.
    Conference {
        /// The call that is talked on.
        active: Connection,
        /// Whom.
        with: FarEnd,
        /// What the call is to carry.
        data: CallDataChange,
    },
    /// Send what rings somewhere else.
    Deflect {
        /// Where it rings.
        ringing: Connection,
        /// Where it is to ring.
        to: Instrument,
    },
    /// One end leaves.
    ClearConnection(Connection),
    /// Another end is sent away by one that talks.
    Drop {
        /// Who sends it away.
        at: Connection,
        /// The device that is to leave.
        party: Instrument,
    },
    /// Every end leaves.
    ClearCall(CallId),
    /// Send tones.
    SendDtmf {
        /// From where.
        from: Connection,
        /// Which.
        tones: Tones,
    },
    /// Change what travels with it.
    SetData {
        /// The call.
        at: Connection,
        /// The change.
        change: CallDataChange,
    },
    /// After-call work is over: nothing more will be set.
    Release(Connection),
    /// A supervisor listens to a call, joins it or takes it over. Who listens may do any of these next.
    Supervise {
        /// The agent's end of the call.
        watched: Connection,
        /// The supervisor's device.
        by: Instrument,
        /// What is done.
        how: Supervision,
    },
}

impl CallCommand {
    /// The devices whose command it is. An agent whose call is supervised is none of them.
    pub fn devices(&self) -> impl Iterator<Item = &Instrument> {
        let (one, other) = match self {
            CallCommand::Make { from: one, .. } | CallCommand::Supervise { by: one, .. } => (Some(one), None),
            CallCommand::Answer(at)
            | CallCommand::Hold(at)
            | CallCommand::Retrieve(at)
            | CallCommand::ClearConnection(at)
            | CallCommand::Release(at)
            | CallCommand::Drop { at, .. }
            | CallCommand::Consult { active: at, .. }
            | CallCommand::Deflect { ringing: at, .. }
            | CallCommand::SendDtmf { from: at, .. }
            | CallCommand::SetData { at, .. }
            | CallCommand::Transfer { active: at, to: FarEnd::Dialed(_), .. }
            | CallCommand::Conference { active: at, with: FarEnd::Dialed(_), .. } => (Some(&at.device), None),
            CallCommand::Alternate { active, held }
            | CallCommand::Reconnect { active, held }
            | CallCommand::Transfer { active, to: FarEnd::Held(held), .. }
            | CallCommand::Conference { active, with: FarEnd::Held(held), .. } => {
                (Some(&active.device), Some(&held.device))
            }
            CallCommand::ClearCall(_) => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// The data that it gives to a call that is there already, or to a copy of that call's data.
    pub fn data(&self) -> Option<(CallId, &CallDataChange)> {
        match self {
            CallCommand::SetData { at, change } => Some((at.call, change)),
            CallCommand::Consult { active: at, data, .. }
            | CallCommand::Transfer { active: at, to: FarEnd::Dialed(_), data }
            | CallCommand::Conference { active: at, with: FarEnd::Dialed(_), data }
            | CallCommand::Transfer { to: FarEnd::Held(at), data, .. }
            | CallCommand::Conference { with: FarEnd::Held(at), data, .. } => Some((at.call, data)),
            _ => None,
        }
    }

    /// What an ACD must be able to do for it.
    pub fn ability(&self) -> CallAbility {
        match self {
            CallCommand::Make { .. } => CallAbility::Make,
            CallCommand::Answer(_) => CallAbility::Answer,
            CallCommand::Hold(_) => CallAbility::Hold,
            CallCommand::Retrieve(_) => CallAbility::Retrieve,
            CallCommand::Alternate { .. } => CallAbility::Alternate,
            CallCommand::Reconnect { .. } => CallAbility::Reconnect,
            CallCommand::Consult { .. } => CallAbility::Consult,
            CallCommand::Transfer { .. } => CallAbility::Transfer,
            CallCommand::Conference { .. } => CallAbility::Conference,
            CallCommand::Deflect { .. } => CallAbility::Deflect,
            CallCommand::ClearConnection(_) | CallCommand::Drop { .. } => CallAbility::ClearConnection,
            CallCommand::ClearCall(_) => CallAbility::ClearCall,
            CallCommand::SendDtmf { .. } => CallAbility::SendDtmf,
            CallCommand::SetData { .. } => CallAbility::SetData,
            CallCommand::Release(_) => CallAbility::Release,
            CallCommand::Supervise { .. } => CallAbility::Supervise,
        }
    }

    /// What it does, as a verb: for messages.
    pub fn what(&self) -> &'static str {
        match self {
            CallCommand::Make { .. } => "make a call",
            CallCommand::Answer(_) => "answer a call",
            CallCommand::Hold(_) => "hold a call",
            CallCommand::Retrieve(_) => "retrieve a call",
            CallCommand::Alternate { .. } => "alternate between calls",
            CallCommand::Reconnect { .. } => "reconnect to a call",
            CallCommand::Consult { .. } => "make a consultation call",
            CallCommand::Transfer { .. } => "transfer a call",
            CallCommand::Conference { .. } => "make a conference",
            CallCommand::Deflect { .. } => "deflect a call",
            CallCommand::ClearConnection(_) => "clear a connection",
            CallCommand::Drop { .. } => "drop a party",
            CallCommand::ClearCall(_) => "clear a call",
            CallCommand::SendDtmf { .. } => "send tones",
            CallCommand::SetData { .. } => "set the data of a call",
            CallCommand::Release(_) => "release a call",
            CallCommand::Supervise { how: Supervision::Listen, .. } => "listen to a call",
            CallCommand::Supervise { how: Supervision::Whisper, .. } => "whisper into a call",
            CallCommand::Supervise { how: Supervision::BargeIn, .. } => "barge in on a call",
            CallCommand::Supervise { how: Supervision::Intercept, .. } => "intercept a call",
        }
    }
}

/// Tones to send: 1 to [`Tones::MAX`] of `0`-`9`, `*`, `#` and `A`-`D`. A pause is none of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tones(String);

impl Tones {
    /// How many one command may send.
    pub const MAX: usize = 32;

    /// Takes them, letters of either case.
    pub fn new(digits: &str) -> Option<Tones> {
        let digits = digits.to_ascii_uppercase();
        let are_tones = digits.chars().all(|digit| matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D'));
        (are_tones && (1..=Tones::MAX).contains(&digits.len())).then_some(Tones(digits))
    }

    /// In their order.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of a command.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CallOutcome {
    /// The call that came about, where one did, as it is then.
    pub new_call: Option<Arc<Call>>,
}

/// What an ACD may be able to do with calls: a kind of command each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum CallAbility {
    /// Make a call.
    Make,
    /// Answer a call.
    Answer,
    /// Put a call on hold.
    Hold,
    /// Take a call off hold.
    Retrieve,
    /// Swap two calls.
    Alternate,
    /// End the one, take the other.
    Reconnect,
    /// Ask somebody while a call waits.
    Consult,
    /// Leave a call to somebody.
    Transfer,
    /// Bring somebody in.
    Conference,
    /// Send what rings somewhere else.
    Deflect,
    /// Hang up.
    ClearConnection,
    /// Hang up for all.
    ClearCall,
    /// Send tones.
    SendDtmf,
    /// Change what travels with a call.
    SetData,
    /// Be done with a call that was left.
    Release,
    /// Listen to an agent's call, or more.
    Supervise,
}

impl CallAbility {
    /// Every one, in the order of declaration.
    pub const ALL: [CallAbility; 16] = [
        CallAbility::Make,
        CallAbility::Answer,
        CallAbility::Hold,
        CallAbility::Retrieve,
        CallAbility::Alternate,
        CallAbility::Reconnect,
        CallAbility::Consult,
        CallAbility::Transfer,
        CallAbility::Conference,
        CallAbility::Deflect,
        CallAbility::ClearConnection,
        CallAbility::ClearCall,
        CallAbility::SendDtmf,
        CallAbility::SetData,
        CallAbility::Release,
        CallAbility::Supervise,
    ];
}

/// A set of abilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallAbilities(u32);

impl CallAbilities {
    /// Whether nothing can be done with calls.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set holds the ability.
    pub fn holds(self, ability: CallAbility) -> bool {
        self.0 & (1 << ability as u8) != 0
    }

    /// What there is in either.
    pub fn or(self, other: CallAbilities) -> CallAbilities {
        CallAbilities(self.0 | other.0)
    }
}

impl FromIterator<CallAbility> for CallAbilities {
    fn from_iter<I: IntoIterator<Item = CallAbility>>(abilities: I) -> CallAbilities {
        CallAbilities(abilities.into_iter().fold(0, |set, ability| set | 1 << ability as u8))
    }
}
