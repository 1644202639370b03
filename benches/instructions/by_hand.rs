//! What somebody would write who knew the version, the fields and their order beforehand and trusted the peer: the limit.

use bytes::{BufMut, BytesMut};

/// SET_AGENT_STATE_REQ, borrowed from the frame.
pub(crate) struct SetAgentState<'a> {
    pub(crate) invoke_id: u32,
    pub(crate) peripheral_id: u32,
    pub(crate) agent_state: u16,
    pub(crate) agent_work_mode: u16,
    pub(crate) num_skill_groups: u16,
    pub(crate) event_reason_code: u16,
    pub(crate) forced_flag: u8,
    pub(crate) agent_service_req: u32,
    pub(crate) agent_instrument: &'a [u8],
    pub(crate) agent_id: &'a [u8],
}

/// Reads a body. A body that is cut short or lies of its lengths is read beyond its end.
#[allow(unsafe_code)] // the base: what reading costs where nothing is checked. Its bodies are written by this program
#[inline(never)]
pub(crate) fn read(body: &[u8]) -> SetAgentState<'_> {
    // SAFETY: every caller gives a whole body of the latest version, which `decode` has read before.
    unsafe {
        let at = body.as_ptr();
        let mut message = SetAgentState {
            invoke_id: number32(at),
            peripheral_id: number32(at.add(4)),
            agent_state: number16(at.add(8)),
            agent_work_mode: number16(at.add(10)),
            num_skill_groups: number16(at.add(12)),
            event_reason_code: number16(at.add(14)),
            forced_flag: *at.add(16),
            agent_service_req: number32(at.add(17)),
            agent_instrument: &[],
            agent_id: &[],
        };
        let (mut at, end) = (at.add(21), at.add(body.len()));
        while at < end {
            let (tag, bytes) = (number16(at), usize::from(number16(at.add(2))));
            let data = std::slice::from_raw_parts(at.add(4), bytes);
            match tag {
                5 => message.agent_id = data,
                6 => message.agent_instrument = data,
                _ => {}
            }
            at = at.add(4 + bytes);
        }
        message
    }
}

#[allow(unsafe_code)] // as above
unsafe fn number32(at: *const u8) -> u32 {
    // SAFETY: as the caller says.
    u32::from_be_bytes(unsafe { at.cast::<[u8; 4]>().read() })
}

#[allow(unsafe_code)] // as above
unsafe fn number16(at: *const u8) -> u16 {
    // SAFETY: as the caller says.
    u16::from_be_bytes(unsafe { at.cast::<[u8; 2]>().read() })
}

/// Writes the whole frame.
#[inline(never)]
pub(crate) fn write(message: &SetAgentState<'_>, out: &mut BytesMut) {
    let body_bytes = 21 + 4 + message.agent_instrument.len() + 4 + message.agent_id.len();
    out.reserve(8 + body_bytes);
    let mut fixed = [0; 29];
    fixed[..4].copy_from_slice(&(body_bytes as u32).to_be_bytes());
    fixed[4..8].copy_from_slice(&38_u32.to_be_bytes());
    fixed[8..12].copy_from_slice(&message.invoke_id.to_be_bytes());
    fixed[12..16].copy_from_slice(&message.peripheral_id.to_be_bytes());
    fixed[16..18].copy_from_slice(&message.agent_state.to_be_bytes());
    fixed[18..20].copy_from_slice(&message.agent_work_mode.to_be_bytes());
    fixed[20..22].copy_from_slice(&message.num_skill_groups.to_be_bytes());
    fixed[22..24].copy_from_slice(&message.event_reason_code.to_be_bytes());
    fixed[24] = message.forced_flag;
    fixed[25..].copy_from_slice(&message.agent_service_req.to_be_bytes());
    out.put_slice(&fixed);
    for (tag, data) in [(6, message.agent_instrument), (5, message.agent_id)] {
        out.put_u32(tag << 16 | data.len() as u32);
        out.put_slice(data);
    }
}
