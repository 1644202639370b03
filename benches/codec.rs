//! Reading and writing of five messages that make up most of the traffic, each beside a hand-written reader and writer
//! of the same bytes: the limit that the tables are measured against.
//!
//! What is compared is the same work: body to struct, struct to whole frame. The hand-written side reads and writes
//! just the fields that the sample has, in the order in which it has them.

use std::hint::black_box;

use bytes::{Buf, BufMut, BytesMut};
use criterion::{Criterion, criterion_group, criterion_main};
use cti_protocol::ged188::codes::*;
use cti_protocol::ged188::{
    AgentStateEvent, AgentStateSkillGroup, AnyMessage, Data, Decode, Frame, HEADER_BYTES, HeartbeatReq, OpenReq,
    QueriedSkillGroup, QueryAgentStateConf, Secret, SetAgentStateReq, Text, Version,
};

const VERSION: Version = Version::LATEST;

fn set_agent_state_req(c: &mut Criterion) {
    let message = SetAgentStateReq {
        invoke_id: 7,
        peripheral_id: 5000,
        agent_state: AgentState::AGENT_STATE_AVAILABLE,
        agent_instrument: text("3041"),
        agent_id: text("1001"),
        ..SetAgentStateReq::default()
    };
    compare(c, message, hand::read_set_agent_state_req, hand::write_set_agent_state_req);
}

fn agent_state_event(c: &mut Criterion) {
    let group = AgentStateSkillGroup {
        number: Some(10),
        id: Some(5010),
        priority: Some(0),
        state: Some(AgentState::AGENT_STATE_AVAILABLE),
    };
    let message = AgentStateEvent {
        peripheral_id: 5000,
        peripheral_type: PeripheralType::PT_ENTERPRISE_AGENT,
        agent_state: AgentState::AGENT_STATE_AVAILABLE,
        num_flt_skill_groups: 2,
        cti_client_signature: text("desktop"),
        agent_id: text("1001"),
        agent_extension: text("3041"),
        agent_instrument: text("3041"),
        flt_skill_groups: vec![group.clone(), group],
        ..AgentStateEvent::default()
    };
    compare(c, message, hand::read_agent_state_event, hand::write_agent_state_event);
}

fn open_req(c: &mut Criterion) {
    let message = OpenReq {
        invoke_id: 1,
        version_number: 24,
        idle_timeout: 120,
        peripheral_id: 5000,
        services_requested: ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_CLIENT_CONTROL,
        call_msg_mask: CallMsgMask::ALL,
        agent_state_mask: AgentStateMask::ALL,
        client_id: text("desktop"),
        client_password: Some(Secret::new(Data::new(&b"secret\0"[..]).expect("it fits"))),
        agent_id: text("1001"),
        ..OpenReq::default()
    };
    compare(c, message, hand::read_open_req, hand::write_open_req);
}

fn heartbeat_req(c: &mut Criterion) {
    let message = HeartbeatReq { invoke_id: 7, ..HeartbeatReq::default() };
    compare(c, message, hand::read_heartbeat_req, hand::write_heartbeat_req);
}

fn query_agent_state_conf(c: &mut Criterion) {
    let group = QueriedSkillGroup {
        number: Some(10),
        id: Some(5010),
        priority: Some(0),
        state: Some(AgentState::AGENT_STATE_AVAILABLE),
    };
    let message = QueryAgentStateConf {
        invoke_id: 7,
        agent_state: AgentState::AGENT_STATE_AVAILABLE,
        num_skill_groups: 2,
        mrd_id: 1,
        agent_id: text("1001"),
        agent_extension: text("3041"),
        agent_instrument: text("3041"),
        skill_groups: vec![group.clone(), group],
        ..QueryAgentStateConf::default()
    };
    compare(c, message, hand::read_query_agent_state_conf, hand::write_query_agent_state_conf);
}

/// Measures table and hand, after making sure that both turn the same bytes into the same message and back.
fn compare<M: for<'a> Decode<'a> + PartialEq>(
    c: &mut Criterion,
    message: M,
    read: fn(&[u8]) -> Option<M>,
    write: fn(&M, &mut BytesMut) -> Option<()>,
) {
    let (mut wire, mut by_hand) = (BytesMut::new(), BytesMut::new());
    message.encode(VERSION, &mut wire).expect("the sample can be written");
    write(&message, &mut by_hand).expect("the sample has every field that the hand writes");
    assert_eq!(wire, by_hand);
    let body = wire.freeze().slice(HEADER_BYTES..);
    assert_eq!(M::decode_body(&body, VERSION).as_ref(), Ok(&message));
    assert_eq!(read(&body).as_ref(), Some(&message));
    let frame = Frame { message_type: M::INFO.message_type, body: body.clone() };

    let mut group = c.benchmark_group(M::INFO.name);
    group.bench_function("view any", |b| b.iter(|| AnyMessage::view(black_box(&frame), black_box(VERSION)).is_ok()));
    group.bench_function("decode any", |b| b.iter(|| AnyMessage::decode(black_box(&frame), black_box(VERSION))));
    group.bench_function("decode table", |b| b.iter(|| M::decode_body(black_box(&body), black_box(VERSION))));
    group.bench_function("decode hand", |b| b.iter(|| read(black_box(&body))));
    let mut out = BytesMut::with_capacity(4_096);
    group.bench_function("encode table", |b| {
        b.iter(|| {
            out.clear();
            black_box(&message).encode(black_box(VERSION), &mut out).is_ok()
        })
    });
    group.bench_function("encode hand", |b| {
        b.iter(|| {
            out.clear();
            write(black_box(&message), &mut out).is_some()
        })
    });
    group.finish();
}

fn text<const MAX: usize>(content: &str) -> Option<Text<MAX>> {
    Some(Text::new(content).expect("it fits"))
}

/// What somebody would write who knew the version, the fields and their order beforehand.
mod hand {
    use super::*;

    pub(crate) fn read_heartbeat_req(mut body: &[u8]) -> Option<HeartbeatReq> {
        Some(HeartbeatReq { invoke_id: body.try_get_u32().ok()?, ..HeartbeatReq::default() })
    }

    pub(crate) fn write_heartbeat_req(message: &HeartbeatReq, out: &mut BytesMut) -> Option<()> {
        frame(out, 5, |out| {
            out.put_u32(message.invoke_id);
            Some(())
        })
    }

    pub(crate) fn read_set_agent_state_req(mut body: &[u8]) -> Option<SetAgentStateReq> {
        let mut message = SetAgentStateReq {
            invoke_id: body.try_get_u32().ok()?,
            peripheral_id: body.try_get_u32().ok()?,
            agent_state: AgentState(body.try_get_u16().ok()?),
            agent_work_mode: AgentWorkMode(body.try_get_u16().ok()?),
            num_skill_groups: body.try_get_u16().ok()?,
            event_reason_code: body.try_get_u16().ok()?,
            forced_flag: ForcedFlag(body.try_get_u8().ok()?),
            agent_service_req: AgentServiceRequest(body.try_get_u32().ok()?),
            ..SetAgentStateReq::default()
        };
        while body.has_remaining() {
            match field(&mut body)? {
                (5, data) => message.agent_id = Some(checked(data)?),
                (6, data) => message.agent_instrument = Some(checked(data)?),
                _ => return None,
            }
        }
        Some(message)
    }

    pub(crate) fn write_set_agent_state_req(message: &SetAgentStateReq, out: &mut BytesMut) -> Option<()> {
        frame(out, 38, |out| {
            out.put_u32(message.invoke_id);
            out.put_u32(message.peripheral_id);
            out.put_u16(message.agent_state.0);
            out.put_u16(message.agent_work_mode.0);
            out.put_u16(message.num_skill_groups);
            out.put_u16(message.event_reason_code);
            out.put_u8(message.forced_flag.0);
            out.put_u32(message.agent_service_req.0);
            put(out, 6, message.agent_instrument.as_ref()?.wire_bytes());
            put(out, 5, message.agent_id.as_ref()?.wire_bytes());
            Some(())
        })
    }

    pub(crate) fn read_open_req(mut body: &[u8]) -> Option<OpenReq> {
        let mut message = OpenReq {
            invoke_id: body.try_get_u32().ok()?,
            version_number: body.try_get_u32().ok()?,
            idle_timeout: body.try_get_u32().ok()?,
            peripheral_id: body.try_get_u32().ok()?,
            services_requested: ServiceMask(body.try_get_u32().ok()?),
            call_msg_mask: CallMsgMask(body.try_get_u32().ok()?),
            agent_state_mask: AgentStateMask(body.try_get_u32().ok()?),
            config_msg_mask: ConfigMsgMask(body.try_get_u32().ok()?),
            reserved1: body.try_get_u32().ok()?,
            reserved2: body.try_get_u32().ok()?,
            reserved3: body.try_get_u32().ok()?,
            ..OpenReq::default()
        };
        while body.has_remaining() {
            match field(&mut body)? {
                (1, data) => message.client_id = Some(checked(data)?),
                (2, data) => message.client_password = Some(Secret::new(Data::new(data).ok()?)),
                (5, data) => message.agent_id = Some(checked(data)?),
                _ => return None,
            }
        }
        Some(message)
    }

    pub(crate) fn write_open_req(message: &OpenReq, out: &mut BytesMut) -> Option<()> {
        frame(out, 3, |out| {
            out.put_u32(message.invoke_id);
            out.put_u32(message.version_number);
            out.put_u32(message.idle_timeout);
            out.put_u32(message.peripheral_id);
            out.put_u32(message.services_requested.0);
            out.put_u32(message.call_msg_mask.0);
            out.put_u32(message.agent_state_mask.0);
            out.put_u32(message.config_msg_mask.0);
            out.put_u32(message.reserved1);
            out.put_u32(message.reserved2);
            out.put_u32(message.reserved3);
            put(out, 1, message.client_id.as_ref()?.wire_bytes());
            put(out, 2, message.client_password.as_ref()?.expose().as_bytes());
            put(out, 5, message.agent_id.as_ref()?.wire_bytes());
            Some(())
        })
    }

    pub(crate) fn read_agent_state_event(mut body: &[u8]) -> Option<AgentStateEvent> {
        let mut message = AgentStateEvent {
            monitor_id: body.try_get_u32().ok()?,
            peripheral_id: body.try_get_u32().ok()?,
            session_id: body.try_get_u32().ok()?,
            peripheral_type: PeripheralType(body.try_get_u16().ok()?),
            skill_group_state: AgentState(body.try_get_u16().ok()?),
            state_duration: body.try_get_u32().ok()?,
            skill_group_number: body.try_get_u32().ok()?,
            skill_group_id: body.try_get_u32().ok()?,
            skill_group_priority: body.try_get_u16().ok()?,
            agent_state: AgentState(body.try_get_u16().ok()?),
            event_reason_code: body.try_get_u16().ok()?,
            mrd_id: body.try_get_i32().ok()?,
            num_tasks: body.try_get_u32().ok()?,
            agent_mode: AgentMode(body.try_get_u16().ok()?),
            max_task_limit: body.try_get_u32().ok()?,
            icm_agent_id: body.try_get_i32().ok()?,
            agent_availability_status: AgentAvailability(body.try_get_u32().ok()?),
            num_flt_skill_groups: body.try_get_u16().ok()?,
            department_id: body.try_get_i32().ok()?,
            ..AgentStateEvent::default()
        };
        while body.has_remaining() {
            let (tag, mut data) = field(&mut body)?;
            match tag {
                3 => message.cti_client_signature = Some(checked(data)?),
                4 => message.agent_extension = Some(checked(data)?),
                5 => message.agent_id = Some(checked(data)?),
                6 => message.agent_instrument = Some(checked(data)?),
                62 => message
                    .flt_skill_groups
                    .push(AgentStateSkillGroup { number: data.try_get_i32().ok(), ..AgentStateSkillGroup::default() }),
                63 => message.flt_skill_groups.last_mut()?.id = data.try_get_u32().ok(),
                64 => message.flt_skill_groups.last_mut()?.priority = data.try_get_u16().ok(),
                65 => message.flt_skill_groups.last_mut()?.state = data.try_get_u16().ok().map(AgentState),
                _ => return None,
            }
        }
        Some(message)
    }

    pub(crate) fn write_agent_state_event(message: &AgentStateEvent, out: &mut BytesMut) -> Option<()> {
        frame(out, 30, |out| {
            out.put_u32(message.monitor_id);
            out.put_u32(message.peripheral_id);
            out.put_u32(message.session_id);
            out.put_u16(message.peripheral_type.0);
            out.put_u16(message.skill_group_state.0);
            out.put_u32(message.state_duration);
            out.put_u32(message.skill_group_number);
            out.put_u32(message.skill_group_id);
            out.put_u16(message.skill_group_priority);
            out.put_u16(message.agent_state.0);
            out.put_u16(message.event_reason_code);
            out.put_i32(message.mrd_id);
            out.put_u32(message.num_tasks);
            out.put_u16(message.agent_mode.0);
            out.put_u32(message.max_task_limit);
            out.put_i32(message.icm_agent_id);
            out.put_u32(message.agent_availability_status.0);
            out.put_u16(message.num_flt_skill_groups);
            out.put_i32(message.department_id);
            put(out, 3, message.cti_client_signature.as_ref()?.wire_bytes());
            put(out, 5, message.agent_id.as_ref()?.wire_bytes());
            put(out, 4, message.agent_extension.as_ref()?.wire_bytes());
            put(out, 6, message.agent_instrument.as_ref()?.wire_bytes());
            for group in &message.flt_skill_groups {
                put(out, 62, &group.number?.to_be_bytes());
                put(out, 63, &group.id?.to_be_bytes());
                put(out, 64, &group.priority?.to_be_bytes());
                put(out, 65, &group.state?.0.to_be_bytes());
            }
            Some(())
        })
    }

    pub(crate) fn read_query_agent_state_conf(mut body: &[u8]) -> Option<QueryAgentStateConf> {
        let mut message = QueryAgentStateConf {
            invoke_id: body.try_get_u32().ok()?,
            agent_state: AgentState(body.try_get_u16().ok()?),
            num_skill_groups: body.try_get_u16().ok()?,
            mrd_id: body.try_get_i32().ok()?,
            num_tasks: body.try_get_u32().ok()?,
            agent_mode: AgentMode(body.try_get_u16().ok()?),
            max_task_limit: body.try_get_u32().ok()?,
            icm_agent_id: body.try_get_i32().ok()?,
            agent_availability_status: AgentAvailability(body.try_get_u32().ok()?),
            department_id: body.try_get_i32().ok()?,
            ..QueryAgentStateConf::default()
        };
        while body.has_remaining() {
            let (tag, mut data) = field(&mut body)?;
            match tag {
                4 => message.agent_extension = Some(checked(data)?),
                5 => message.agent_id = Some(checked(data)?),
                6 => message.agent_instrument = Some(checked(data)?),
                62 => message
                    .skill_groups
                    .push(QueriedSkillGroup { number: data.try_get_u32().ok(), ..QueriedSkillGroup::default() }),
                63 => message.skill_groups.last_mut()?.id = data.try_get_u32().ok(),
                64 => message.skill_groups.last_mut()?.priority = data.try_get_u16().ok(),
                65 => message.skill_groups.last_mut()?.state = data.try_get_u16().ok().map(AgentState),
                _ => return None,
            }
        }
        Some(message)
    }

    pub(crate) fn write_query_agent_state_conf(message: &QueryAgentStateConf, out: &mut BytesMut) -> Option<()> {
        frame(out, 37, |out| {
            out.put_u32(message.invoke_id);
            out.put_u16(message.agent_state.0);
            out.put_u16(message.num_skill_groups);
            out.put_i32(message.mrd_id);
            out.put_u32(message.num_tasks);
            out.put_u16(message.agent_mode.0);
            out.put_u32(message.max_task_limit);
            out.put_i32(message.icm_agent_id);
            out.put_u32(message.agent_availability_status.0);
            out.put_i32(message.department_id);
            put(out, 5, message.agent_id.as_ref()?.wire_bytes());
            put(out, 4, message.agent_extension.as_ref()?.wire_bytes());
            put(out, 6, message.agent_instrument.as_ref()?.wire_bytes());
            for group in &message.skill_groups {
                put(out, 62, &group.number?.to_be_bytes());
                put(out, 63, &group.id?.to_be_bytes());
                put(out, 64, &group.priority?.to_be_bytes());
                put(out, 65, &group.state?.0.to_be_bytes());
            }
            Some(())
        })
    }

    /// The next floating field, cut off `body`.
    fn field<'a>(body: &mut &'a [u8]) -> Option<(u16, &'a [u8])> {
        let (tag, length) = (body.try_get_u16().ok()?, usize::from(body.try_get_u16().ok()?));
        let (data, behind) = body.split_at_checked(length)?;
        *body = behind;
        Some((tag, data))
    }

    /// A text of the field's maximum.
    fn checked<const MAX: usize>(data: &[u8]) -> Option<Text<MAX>> {
        Text::from_wire(data).ok()
    }

    fn frame(out: &mut BytesMut, number: u32, body: impl FnOnce(&mut BytesMut) -> Option<()>) -> Option<()> {
        out.reserve(256);
        out.put_u32(0);
        out.put_u32(number);
        body(out)?;
        let body_bytes = (out.len() - HEADER_BYTES) as u32;
        out[..4].copy_from_slice(&body_bytes.to_be_bytes());
        Some(())
    }

    fn put(out: &mut BytesMut, tag: u16, data: &[u8]) {
        out.put_u16(tag);
        out.put_u16(data.len() as u16);
        out.put_slice(data);
    }
}

criterion_group!(benches, set_agent_state_req, agent_state_event, open_req, heartbeat_req, query_agent_state_conf);
criterion_main!(benches);
