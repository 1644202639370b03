//! Capture files: pcap and pcapng, and the TCP segment in each packet. Not here: how segments belong together.

use std::io::{self, Cursor, Read};
use std::net::SocketAddr;
use std::time::Duration;

use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};

/// The longest block that is read; a packet of the largest snapshot length is half of it.
const BLOCK_BYTES_MAX: usize = 512 * 1024;
/// Up to where the first block of a pcapng file says how long it is, and in which byte order.
const PCAPNG_HEAD_BYTES: u64 = 12;
const PCAP_HEAD_BYTES: u32 = 24;
/// The type of a pcapng file's first block, which reads the same in both byte orders, and the mark of one of them.
const PCAPNG: u32 = 0x0a0d_0d0a;
const LITTLE_ENDIAN: u32 = 0x1a2b_3c4d;
/// Interfaces of one pcapng section.
const INTERFACES_MAX: usize = 1_024;

/// Why a file is no capture, or how far it can be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be read.
    #[error("it cannot be read")]
    Read,
    /// It is something else.
    #[error("it is neither pcap nor pcapng")]
    NoCapture,
    /// It ends in the middle of a packet.
    #[error("it is cut off behind packet {packet}")]
    CutOff {
        /// The last whole one.
        packet: u64,
    },
    /// A block that cannot be.
    #[error("behind packet {packet} is something that is no packet: {what}")]
    Broken {
        /// The last whole one.
        packet: u64,
        /// What the reader says.
        what: String,
    },
}

/// A packet as it was captured.
pub(super) struct Packet<'a> {
    pub(super) at: Duration,
    link: Linktype,
    bytes: &'a [u8],
}

/// A TCP segment.
pub(super) struct Segment<'a> {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) sequence: u32,
    pub(super) syn: bool,
    pub(super) ack: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    pub(super) payload: &'a [u8],
}

/// How an interface's packets are to be read.
#[derive(Clone, Copy)]
struct Interface {
    link: Linktype,
    /// Units of its times in a second.
    resolution: u64,
    offset: i64,
}

/// Hands out packet by packet.
pub(super) fn packets<E: From<CaptureError>>(
    input: impl Read + Send,
    mut each: impl FnMut(Packet<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut input = input;
    let head = head(&mut input).map_err(|_| CaptureError::Read)?;
    let mut reader = create_reader(BLOCK_BYTES_MAX, Cursor::new(head).chain(input)).map_err(|error| match error {
        PcapError::ReadError => CaptureError::Read,
        _ => CaptureError::NoCapture,
    })?;
    let (mut interfaces, mut packet) = (Vec::<Interface>::new(), 0);
    loop {
        let consumed = match reader.next() {
            Ok((consumed, block)) => {
                if let Some(found) = read_block(&block, &mut interfaces) {
                    packet += 1;
                    each(found)?;
                }
                Some(consumed)
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => None,
            Err(PcapError::UnexpectedEof) => return Err(CaptureError::CutOff { packet }.into()),
            Err(PcapError::ReadError) => return Err(CaptureError::Read.into()),
            Err(error) => {
                let what = match error {
                    PcapError::BufferTooSmall => format!("it is longer than {BLOCK_BYTES_MAX} bytes"),
                    PcapError::NomError(_, kind) | PcapError::OwnedNomError(_, kind) => format!("{kind:?}"),
                    _ => "it cannot be read".to_owned(),
                };
                return Err(CaptureError::Broken { packet, what }.into());
            }
        };
        match consumed {
            Some(consumed) => reader.consume(consumed),
            None if reader.reader_exhausted() => return Err(CaptureError::CutOff { packet }.into()),
            // There is no room for more of it.
            None if reader.data().len() >= BLOCK_BYTES_MAX => {
                let what = format!("it is longer than {BLOCK_BYTES_MAX} bytes");
                return Err(CaptureError::Broken { packet, what }.into());
            }
            None => reader.refill().map_err(|_| CaptureError::Read)?,
        }
    }
}

/// What the reader wants to have at once: the whole first block of a pcapng file, or a pcap file's header. A pipe may bring it
/// in pieces.
fn head(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    input.take(PCAPNG_HEAD_BYTES).read_to_end(&mut head)?;
    let number = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let bytes = match (number(0), number(4), number(8)) {
        (Some(PCAPNG), Some(bytes), Some(LITTLE_ENDIAN)) => bytes,
        (Some(PCAPNG), Some(bytes), _) => bytes.swap_bytes(),
        _ => PCAP_HEAD_BYTES,
    };
    let bytes = u64::from(bytes).clamp(PCAPNG_HEAD_BYTES, BLOCK_BYTES_MAX as u64);
    input.take(bytes - PCAPNG_HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// Learns what a block says of those that follow, or finds the packet in it.
fn read_block<'a>(block: &'a PcapBlockOwned<'a>, interfaces: &mut Vec<Interface>) -> Option<Packet<'a>> {
    match block {
        PcapBlockOwned::LegacyHeader(header) => {
            let resolution = if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 };
            *interfaces = vec![Interface { link: header.network, resolution, offset: 0 }];
            None
        }
        PcapBlockOwned::Legacy(block) => {
            let interface = interfaces.first()?;
            let whole = Duration::from_secs(block.ts_sec.into());
            let at = whole + part_of_second(block.ts_usec.into(), interface.resolution);
            Some(Packet { at, link: interface.link, bytes: block.data })
        }
        PcapBlockOwned::NG(Block::SectionHeader(_)) => {
            interfaces.clear();
            None
        }
        PcapBlockOwned::NG(Block::InterfaceDescription(block)) => {
            if interfaces.len() < INTERFACES_MAX {
                let resolution = block.ts_resolution().filter(|units| *units > 0).unwrap_or(1_000_000);
                interfaces.push(Interface { link: block.linktype, resolution, offset: block.ts_offset() });
            }
            None
        }
        PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
            let interface = interfaces.get(usize::try_from(block.if_id).ok()?)?;
            let units = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
            let seconds = (units / interface.resolution).saturating_add_signed(interface.offset);
            let at = Duration::from_secs(seconds)
                .saturating_add(part_of_second(units % interface.resolution, interface.resolution));
            let captured = usize::try_from(block.caplen).unwrap_or(usize::MAX).min(block.data.len());
            Some(Packet { at, link: interface.link, bytes: &block.data[..captured] })
        }
        PcapBlockOwned::NG(Block::SimplePacket(block)) => {
            let interface = interfaces.first()?;
            let captured = usize::try_from(block.origlen).unwrap_or(usize::MAX).min(block.data.len());
            Some(Packet { at: Duration::ZERO, link: interface.link, bytes: &block.data[..captured] })
        }
        PcapBlockOwned::NG(_) => None,
    }
}

fn part_of_second(units: u64, resolution: u64) -> Duration {
    let nanos = u128::from(units) * 1_000_000_000 / u128::from(resolution.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or_default())
}

impl Packet<'_> {
    /// The TCP segment in it; none where it is something else, or the second part of a packet that was cut in pieces.
    pub(super) fn segment(&self) -> Option<Segment<'_>> {
        let bytes = self.bytes;
        let sliced = match self.link {
            Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(bytes).ok()?,
            Linktype::RAW | Linktype::IPV4 | Linktype::IPV6 | RAW_OF_BSD | RAW_OF_OPENBSD => from_ip(bytes)?,
            // The family of addresses comes first, in the byte order of whoever captured: the packet tells as well.
            Linktype::NULL | Linktype::LOOP => from_ip(bytes.get(4..)?)?,
            Linktype::LINUX_SLL => by_ether_type(bytes.get(14..16)?, bytes.get(16..)?)?,
            LINUX_SLL2 => by_ether_type(bytes.get(..2)?, bytes.get(20..)?)?,
            _ => return None,
        };
        let (from, to) = match sliced.net? {
            LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
            LaxNetSlice::Arp(_) => return None,
        };
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { return None };
        Some(Segment {
            from: SocketAddr::new(from, tcp.source_port()),
            to: SocketAddr::new(to, tcp.destination_port()),
            sequence: tcp.sequence_number(),
            syn: tcp.syn(),
            ack: tcp.ack(),
            fin: tcp.fin(),
            rst: tcp.rst(),
            payload: tcp.payload(),
        })
    }
}

fn from_ip(bytes: &[u8]) -> Option<LaxSlicedPacket<'_>> {
    LaxSlicedPacket::from_ip(bytes).ok()
}

fn by_ether_type<'a>(ether_type: &[u8], bytes: &'a [u8]) -> Option<LaxSlicedPacket<'a>> {
    let ether_type = EtherType(u16::from_be_bytes(ether_type.try_into().ok()?));
    Some(LaxSlicedPacket::from_ether_type(ether_type, bytes))
}

/// Linux "cooked" captures of the second version.
const LINUX_SLL2: Linktype = Linktype(276);
/// IP packets with nothing before them, by the numbers that some systems write into files.
const RAW_OF_BSD: Linktype = Linktype(12);
const RAW_OF_OPENBSD: Linktype = Linktype(14);
