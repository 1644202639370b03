//! Supervisors on agents' calls, by Asterisk's application ChanSpy.
//!
//! Not here: who may (`operations`), and how it is told (`switch`). The supervisor's device is rung; what it answers is a
//! call of its own in which it hears the agent's channel, and ends with that. ChanSpy mixes its voice in, for the agent or
//! for all, and makes it no party of the call: so nobody can be put in the agent's place, and to intercept is refused.

use super::AsteriskAcd;
use super::ami::Action;
use super::control::new_channel_id;
use super::members::Effect;
use super::switch::{Made, Purpose};
use super::world::header;
use crate::acd::AcdRefusal;
use crate::model::{Connection, Instrument, PartyState, Supervision};

impl AsteriskAcd {
    pub(super) async fn supervise(
        &self,
        watched: &Connection,
        by: &Instrument,
        how: Supervision,
        what: &'static str,
    ) -> Result<(), AcdRefusal> {
        let Some(mode) = Mode::of(how) else { return Err(AcdRefusal::NotSupported { what }) };
        if *by == watched.device {
            return Err(AcdRefusal::BadDestination { number: by.clone(), why: "it is the agent's own" });
        }
        let (channel, own) = {
            let world = self.world.lock();
            let channel = world.channel(watched, &[PartyState::Connected, PartyState::Held])?;
            let own = world.switch.supervision_by(by);
            (channel, own.map(|(linked, whose, call)| (linked.to_owned(), whose.map(str::to_owned), call.id)))
        };
        match own {
            None => self.begin_to_supervise(&channel, watched, by, how, mode).await,
            Some((linked, whose, call)) if whose.as_deref() == Some(watched.device.as_str()) => {
                let at = Connection { call, device: by.clone() };
                let own = self.world.lock().channel(&at, &[PartyState::Connected])?;
                let key = header(Action::new("PlayDTMF"), "Channel", &own)?;
                let key = header(header(key, "Digit", mode.key)?, "Receive", "true")?;
                self.ask(key, Effect::Supervision(linked, how)).await.map(drop)
            }
            Some(_) => Err(AcdRefusal::Busy { number: by.clone() }),
        }
    }

    async fn begin_to_supervise(
        &self,
        channel: &str,
        watched: &Connection,
        by: &Instrument,
        how: Supervision,
        mode: Mode,
    ) -> Result<(), AcdRefusal> {
        if channel.contains([',', '|', '&']) {
            return Err(super::refused(&format!("{channel} cannot be named to ChanSpy")));
        }
        let id = new_channel_id();
        let mut action = Action::new("Originate").with_member("Channel", &self.names.interface(by)?);
        for (key, value) in [
            ("Application", "ChanSpy"),
            ("Data", &format!("{channel},{EXACTLY_AND_ENDING}{}", mode.option)),
            ("Async", "true"),
            ("ChannelId", &id),
            ("CallerID", by.as_str()),
        ] {
            action = header(action, key, value)?;
        }
        let made = Made { to: watched.device.clone(), purpose: Purpose::Supervise(how), has_failed: false };
        self.originate(&id, action, made).await.map(drop)
    }
}

/// Options of ChanSpy: that channel and no other (`u`), no announcements (`q`), until it hangs up (`E`, `S`), with keys that
/// change the mode (`d`).
const EXACTLY_AND_ENDING: &str = "uqESd";

/// How ChanSpy is told what to do: by an option at the start, by a key later.
#[derive(Clone, Copy)]
struct Mode {
    option: &'static str,
    key: &'static str,
}

impl Mode {
    fn of(how: Supervision) -> Option<Mode> {
        match how {
            Supervision::Listen => Some(Mode { option: "", key: "4" }),
            Supervision::Whisper => Some(Mode { option: "w", key: "5" }),
            Supervision::BargeIn => Some(Mode { option: "B", key: "6" }),
            Supervision::Intercept => None,
        }
    }
}
