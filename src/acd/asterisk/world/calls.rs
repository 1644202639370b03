//! Calls as their channels tell of them, and those that the gateway has made: what is reported, and what is hung up.
//!
//! Not here: calls as agents' states know them (`super`), and what a call is (`switch`).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::super::ami::Message;
use super::super::line::Rank;
use super::super::members::Effect;
use super::super::names::Interface;
use super::super::news::CHANNEL_UP;
use super::super::switch::Touched;
use super::{World, hangup_action};
use crate::acd::AcdEvent;
use crate::model::{AgentId, CallReport, Instrument};

impl World {
    /// An event tells of channels.
    pub(in crate::acd::asterisk) fn channel_event(&mut self, event: &[u8], message: &Message, now: Instant) {
        let names = Arc::clone(&self.names);
        let touched = self.switch.take(&names, event, message);
        for id in touched.iter().flat_map(|touched| self.switch.channels.alone_on(touched.calls())) {
            self.answered_alone.entry(id).or_insert_with(|| {
                self.line.changed.notify_one(); // the link sleeps until what was due first
                now + ALONE_FOR
            });
        }
        self.report_calls(touched);
        match event {
            b"Newchannel" => self.hang_up_if_given_up(message),
            b"Newstate" => self.calls_changed.notify_waiters(), // which nothing may be told of
            _ => (),
        }
    }

    pub(super) fn report_calls(&mut self, touched: Option<Touched>) {
        let Some(touched) = touched else { return };
        let reports = self.call_reports(touched);
        if !reports.is_empty() {
            self.calls_changed.notify_waiters();
        }
        if self.is_known {
            reports.into_iter().for_each(|report| self.report(AcdEvent::Call(report)));
        }
    }

    fn call_reports(&mut self, touched: Touched) -> Vec<CallReport> {
        let names = Arc::clone(&self.names);
        let (mut switch, mut order) = (std::mem::take(&mut self.switch), self.order);
        let agent_at = |device: &Instrument| self.works_at(device);
        let is_device = |device: &Instrument| self.is_device(device);
        let reports = switch.reports(&names, touched, &mut order, &self.being_made, &agent_at, &is_device);
        (self.switch, self.order) = (switch, order);
        reports
    }

    /// A list tells of every channel that there is. None of it is reported.
    pub(in crate::acd::asterisk) fn set_channels(&mut self, items: &[Message]) {
        let names = Arc::clone(&self.names);
        let touched = self.switch.set_channels(&names, items);
        drop(self.call_reports(touched));
        // One that was answered while nobody could hang it up is somebody's by now.
        items.iter().filter(|item| item.text_of("ChannelState") != Some(CHANNEL_UP)).for_each(|item| {
            self.hang_up_if_given_up(item);
        });
    }

    /// Nobody waits any more for a call that is being made. Its channel may be there already or come later, and would ring
    /// then for no reason.
    pub(in crate::acd::asterisk) fn give_up(&mut self, id: &str) {
        if self.being_made.remove(id).is_some_and(|made| made.has_failed) {
            return;
        }
        // By its id, which Asterisk takes as well as its name. Without a link the list of the next one will have it.
        if let Ok(action) = hangup_action(id) {
            let _ = self.line.tell(Rank::Urgent, action, Effect::Nothing);
        }
        self.given_up.truncate(GIVEN_UP_MAX - 1);
        self.given_up.push_front(id.to_owned());
    }

    fn hang_up_if_given_up(&mut self, channel: &Message) {
        let Some(id) = channel.text_of("Uniqueid") else { return };
        if let Some(at) = self.given_up.iter().position(|given_up| given_up == id) {
            self.given_up.remove(at);
            self.hang_up(id);
        }
    }

    /// Asterisk could not make a call: its channel never came, or has ended.
    pub(in crate::acd::asterisk) fn dial_failed(&mut self, id: &str) {
        self.given_up.retain(|given_up| given_up != id);
        if let Some(made) = self.being_made.get_mut(id) {
            made.has_failed = true;
            self.calls_changed.notify_waiters();
        }
    }

    /// Who is logged in at a device.
    pub(super) fn works_at(&self, device: &Instrument) -> Option<AgentId> {
        let interface = Interface::new(self.names.interface(device).ok()?.as_str());
        self.members_at(&interface).next().map(|(_, member)| member.agent.clone())
    }

    /// Whether anybody is logged in there, or is about to be.
    pub(super) fn is_device(&self, device: &Instrument) -> bool {
        let Ok(interface) = self.names.interface(device) else { return false };
        let interface = Interface::new(interface.as_str());
        self.queues_at.contains_key(&interface) || self.bound.contains_key(&interface)
    }

    /// Whether Asterisk says of a device that it cannot be reached.
    pub(in crate::acd::asterisk) fn is_unreachable(&self, device: &Instrument) -> bool {
        let Ok(interface) = self.names.interface(device) else { return true };
        let interface = Interface::new(interface.as_str());
        self.members_at(&interface).next().is_some_and(|(_, member)| member.device.is_unreachable())
    }

    pub(super) fn hang_up(&self, channel: &str) {
        let told = hangup_action(channel).and_then(|action| self.line.tell(Rank::Urgent, action, Effect::Nothing));
        if let Err(error) = told {
            warn!(channel, %error, "cannot hang up");
        }
    }
}

/// So many calls that were given up are remembered: those of the last minutes at the least.
const GIVEN_UP_MAX: usize = 1_000;
/// How long a made call's dialplan takes to dial, if it does: what is dialled is known to Asterisk at once.
const ALONE_FOR: Duration = Duration::from_secs(1);
