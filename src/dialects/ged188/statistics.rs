//! Statistics queries: figures as fields, times in whole seconds.
//!
//! Not here: how figures come about (`sessions::statistics`). There is no outbound dialler and no call router behind this
//! gateway: AutoOut, Preview and Reservation calls are none, what the router queued is unknown.

use cti_protocol::ged188::codes::{Status, special};
use cti_protocol::ged188::{
    QueryAgentStatisticsConf, QueryAgentStatisticsReq, QuerySkillGroupStatisticsConf, QuerySkillGroupStatisticsReq,
    Text,
};

use super::Ged188;
use super::answers::No;
use super::events::Identity;
use super::identity::agent_fields;
use super::session::Session;
use crate::model::{AgentFacts, QueueId};
use crate::operations::Right;
use crate::sessions::statistics::{AgentFigures, Figures, SupervisedFigures};

/// What stands for a figure that is not known.
const UNKNOWN: u32 = 0xffff_ffff;

/// One period's figures into the fields that both answers have, in the order of the guide.
macro_rules! fill {
    ($answer:ident, $figures:expr => $avail:ident $logged_on:ident $not_ready:ident
        $out:ident $out_talk:ident $out_time:ident $out_held:ident $out_held_time:ident
        $handled:ident $handled_talk:ident $handled_after:ident $handled_time:ident $in_held:ident $in_held_time:ident
        $rcvd:ident $rcvd_time:ident $internal_held:ident $internal_held_time:ident
        $barge_in:ident $intercept:ident $monitor:ident $whisper:ident) => {
        let Figures { available, logged_on, not_ready, handled, out, internal, internal_received, .. } = $figures;
        let SupervisedFigures { monitored, whispered, barged_in, intercepted } = $figures.supervised;
        ($answer.$barge_in, $answer.$intercept) = (barged_in, intercepted);
        ($answer.$monitor, $answer.$whisper) = (monitored, whispered);
        ($answer.$avail, $answer.$logged_on) = (seconds(available), seconds(logged_on));
        $answer.$not_ready = seconds(not_ready);
        ($answer.$out, $answer.$out_talk, $answer.$out_time) = (out.calls, seconds(out.talk), seconds(out.time()));
        ($answer.$out_held, $answer.$out_held_time) = (out.held, seconds(out.held_time));
        ($answer.$handled, $answer.$handled_talk) = (handled.calls, seconds(handled.talk));
        ($answer.$handled_after, $answer.$handled_time) = (seconds(handled.after_call), seconds(handled.time()));
        ($answer.$in_held, $answer.$in_held_time) = (handled.held, seconds(handled.held_time));
        ($answer.$rcvd, $answer.$rcvd_time) = (internal_received.calls, seconds(internal_received.time()));
        $answer.$internal_held = internal.held + internal_received.held;
        $answer.$internal_held_time = seconds(internal.held_time + internal_received.held_time);
    };
}

impl Session {
    pub(super) fn agent_statistics(&self, shared: &Ged188, request: &QueryAgentStatisticsReq<&[u8]>) -> Result<(), No> {
        let fields = agent_fields!(request)?;
        let peripheral = shared.peripheral(request.peripheral_id, fields.agent.as_ref())?;
        let key = self.agent_meant(shared, peripheral, &fields)?;
        let facts = shared.house.agent(self.requester(), &key, AgentFacts::clone)?;
        let figures = shared.house.table.statistics.of_agent(peripheral, &key.agent).unwrap_or_default();
        let mut answer = agent_figures(figures);
        let id = Identity::of(key.agent.as_str(), self.face.version);
        (answer.invoke_id, answer.peripheral_id) = (request.invoke_id, peripheral.0);
        (answer.agent_id, answer.agent_id_long) = (id.short, id.long);
        let instrument = facts.instrument.as_ref();
        let extension = facts.extension.as_ref().or(instrument);
        // Both are required: of an agent that works nowhere they are empty.
        let extension = extension.and_then(|extension| Text::new(extension.as_str()).ok());
        let instrument = instrument.and_then(|instrument| Text::new(instrument.as_str()).ok());
        answer.agent_extension = extension.or_else(|| Some(Text::cut("")));
        answer.agent_instrument = instrument.or_else(|| Some(Text::cut("")));
        self.face.say(&answer);
        Ok(())
    }

    pub(super) fn skill_group_statistics(
        &self,
        shared: &Ged188,
        request: &QuerySkillGroupStatisticsReq<&[u8]>,
    ) -> Result<(), No> {
        if self.face.requester.right == Right::Nobody {
            let why = "QUERY_SKILL_GROUP_STATISTICS_REQ needs a session with events or an agent";
            return Err(No::failure(Status::E_CTI_FUNCTION_NOT_AVAILABLE, why));
        }
        let peripheral = shared.peripheral(request.peripheral_id, None)?;
        let number = match (request.skill_group_number, request.skill_group_id) {
            (number, special::NULL_SKILL_GROUP) => number,
            (special::NULL_SKILL_GROUP, id) => id,
            (number, id) if number == id => number,
            (number, id) => {
                let why = format!("SkillGroupNumber is {number}, SkillGroupID is {id}");
                return Err(No::failure(Status::E_CTI_SKILL_GROUP_CONFLICT, why));
            }
        };
        let queue = QueueId(number);
        if !shared.house.table.link(peripheral).queues.iter().any(|(known, _)| *known == queue) {
            let why = format!("SkillGroupNumber {number} is not known at peripheral {peripheral}");
            return Err(No::failure(Status::E_CTI_INVALID_SKILL_GROUP, why));
        }
        let now = shared.house.table.statistics.of_queue(peripheral, queue);
        let agents = now.agents;
        let mut answer = QuerySkillGroupStatisticsConf {
            invoke_id: request.invoke_id,
            peripheral_id: peripheral.0,
            skill_group_number: number,
            skill_group_id: number,
            agents_logged_on: agents.logged_on,
            agents_avail: agents.available,
            agents_not_ready: agents.not_ready,
            agents_ready: agents.logged_on - agents.not_ready - agents.work_not_ready,
            agents_talking_in: agents.talking_in,
            agents_talking_out: agents.talking_out,
            agents_talking_other: agents.talking_other,
            agents_work_not_ready: agents.work_not_ready,
            agents_work_ready: agents.work_ready,
            agents_busy_other: agents.busy_other,
            agents_reserved: agents.reserved,
            agents_hold: agents.hold,
            agents_icm_available: agents.available,
            router_calls_q_now: UNKNOWN,
            longest_router_call_q_now: UNKNOWN,
            calls_q_now: now.waiting,
            calls_q_time_now: seconds(now.waited),
            longest_call_q_now: seconds(now.waited_longest),
            ..Default::default()
        };
        fill!(answer, now.five_minutes => avail_time_to5 logged_on_time_to5 not_ready_time_to5
            agent_out_calls_to5 agent_out_calls_talk_time_to5 agent_out_calls_time_to5
            agent_out_calls_held_to5 agent_out_calls_held_time_to5
            handled_calls_to5 handled_calls_talk_time_to5 handled_calls_after_call_time_to5 handled_calls_time_to5
            incoming_calls_held_to5 incoming_calls_held_time_to5
            internal_calls_rcvd_to5 internal_calls_rcvd_time_to5 internal_calls_held_to5 internal_calls_held_time_to5
            barge_in_calls_to5 intercept_calls_to5 monitor_calls_to5 whisper_calls_to5);
        fill!(answer, now.half_hour => avail_time_to_half logged_on_time_to_half not_ready_time_to_half
            agent_out_calls_to_half agent_out_calls_talk_time_to_half agent_out_calls_time_to_half
            agent_out_calls_held_to_half agent_out_calls_held_time_to_half
            handled_calls_to_half handled_calls_talk_time_to_half handled_calls_after_call_time_to_half
            handled_calls_time_to_half incoming_calls_held_to_half incoming_calls_held_time_to_half
            internal_calls_rcvd_to_half internal_calls_rcvd_time_to_half internal_calls_held_to_half
            internal_calls_held_time_to_half
            barge_in_calls_to_half intercept_calls_to_half monitor_calls_to_half whisper_calls_to_half);
        fill!(answer, now.today => avail_time_today logged_on_time_today not_ready_time_today
            agent_out_calls_today agent_out_calls_talk_time_today agent_out_calls_time_today
            agent_out_calls_held_today agent_out_calls_held_time_today
            handled_calls_today handled_calls_talk_time_today handled_calls_after_call_time_today
            handled_calls_time_today incoming_calls_held_today incoming_calls_held_time_today
            internal_calls_rcvd_today internal_calls_rcvd_time_today internal_calls_held_today
            internal_calls_held_time_today
            barge_in_calls_today intercept_calls_today monitor_calls_today whisper_calls_today);
        let queued = |figures: &Figures| (figures.queued, seconds(figures.queue_time), seconds(figures.queue_longest));
        (answer.calls_q5, answer.calls_q_time5, answer.longest_call_q5) = queued(&now.five_minutes);
        (answer.calls_q_half, answer.calls_q_time_half, answer.longest_call_q_half) = queued(&now.half_hour);
        (answer.calls_q_today, answer.calls_q_time_today, answer.longest_call_q_today) = queued(&now.today);
        self.face.say(&answer);
        Ok(())
    }
}

fn agent_figures(figures: AgentFigures) -> QueryAgentStatisticsConf {
    let AgentFigures { session, today } = figures;
    let mut answer = QueryAgentStatisticsConf::default();
    fill!(answer, session => avail_time_session logged_on_time_session not_ready_time_session
        agent_out_calls_session agent_out_calls_talk_time_session agent_out_calls_time_session
        agent_out_calls_held_session agent_out_calls_held_time_session
        handled_calls_session handled_calls_talk_time_session handled_calls_after_call_time_session
        handled_calls_time_session incoming_calls_held_session incoming_calls_held_time_session
        internal_calls_rcvd_session internal_calls_rcvd_time_session internal_calls_held_session
        internal_calls_held_time_session
        barge_in_calls_session intercept_calls_session monitor_calls_session whisper_calls_session);
    fill!(answer, today => avail_time_today logged_on_time_today not_ready_time_today
        agent_out_calls_today agent_out_calls_talk_time_today agent_out_calls_time_today
        agent_out_calls_held_today agent_out_calls_held_time_today
        handled_calls_today handled_calls_talk_time_today handled_calls_after_call_time_today
        handled_calls_time_today incoming_calls_held_today incoming_calls_held_time_today
        internal_calls_rcvd_today internal_calls_rcvd_time_today internal_calls_held_today
        internal_calls_held_time_today
        barge_in_calls_today intercept_calls_today monitor_calls_today whisper_calls_today);
    (answer.internal_calls_session, answer.internal_calls_time_session) = made(&session);
    (answer.internal_calls_today, answer.internal_calls_time_today) = made(&today);
    answer.icm_available_time_session = seconds(session.available);
    answer.icm_available_time_today = seconds(today.available);
    answer.routable_time_session = seconds(session.logged_on - session.not_ready);
    answer.routable_time_today = seconds(today.logged_on - today.not_ready);
    answer
}

fn made(figures: &Figures) -> (u32, u32) {
    (figures.internal.calls, seconds(figures.internal.time()))
}

fn seconds(millis: u64) -> u32 {
    u32::try_from(millis / 1_000).unwrap_or(UNKNOWN)
}
