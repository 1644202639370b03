//! Captures made by hand: what TCP and captures do to frames, and files that are none.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cti_protocol::ged188::{AnyMessage, FrameCodec, HeartbeatReq, OpenReq, Version};
use etherparse::PacketBuilder;
use tokio_util::codec::Encoder;

use super::*;

/// One TCP segment of the client or the server, as an IP packet.
fn ip(from_client: bool, sequence: u32, flag: &str, payload: &[u8]) -> Vec<u8> {
    ip_of(50_000, from_client, sequence, flag, payload)
}

/// One of the client at that port.
fn ip_of(client: u16, from_client: bool, sequence: u32, flag: &str, payload: &[u8]) -> Vec<u8> {
    let (addresses, ports) = match from_client {
        true => (([10, 0, 0, 1], [10, 0, 0, 2]), (client, 42027)),
        false => (([10, 0, 0, 2], [10, 0, 0, 1]), (42027, client)),
    };
    let packet = PacketBuilder::ipv4(addresses.0, addresses.1, 64).tcp(ports.0, ports.1, sequence, 1_000);
    let packet = match flag {
        "syn" => packet.syn(),
        "fin" => packet.fin(),
        "rst" => packet.rst(),
        _ => packet.ack(1),
    };
    let mut bytes = Vec::new();
    packet.write(&mut bytes, payload).unwrap();
    bytes
}

fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file: Vec<u8> =
        [0xa1b2_c3d4, 0x0002_0004, 0, 0, 262_144, link].into_iter().flat_map(u32::to_be_bytes).collect();
    for (at, packet) in packets.iter().enumerate() {
        let head = [at as u32 + 1, 500_000, packet.len() as u32, packet.len() as u32];
        file.extend(head.into_iter().flat_map(u32::to_be_bytes));
        file.extend(packet);
    }
    file
}

fn pcapng(packets: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let length = (padded as u32 + 12).to_le_bytes();
        let mut block = [&kind.to_le_bytes()[..], &length, body].concat();
        block.resize(8 + padded, 0);
        [block, length.to_vec()].concat()
    };
    let mut file = block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    file.extend(block(1, &[101, 0, 0, 0, 0, 0, 4, 0])); // raw IP, microseconds
    for packet in packets {
        let length = packet.len() as u32;
        let head = [0, 0, 2_500_000, length, length];
        let head: Vec<u8> = head.into_iter().flat_map(u32::to_le_bytes).collect();
        file.extend(block(6, &[head, packet.clone()].concat()));
    }
    file
}

fn frames(count: u32) -> Vec<u8> {
    let version = Version::new(20).unwrap();
    let mut bytes = BytesMut::new();
    <AnyMessage>::from(OpenReq { version_number: 20, ..Default::default() }).encode(version, &mut bytes).unwrap();
    for invoke_id in 1..count {
        let beat: HeartbeatReq = HeartbeatReq { invoke_id, ..Default::default() };
        AnyMessage::from(beat).encode(version, &mut bytes).unwrap();
    }
    bytes.to_vec()
}

/// What a capture holds, in words: who sent it, and the message or what became of it.
fn heard(file: &[u8]) -> Result<Vec<String>, CaptureError> {
    heard_within(BOUNDS, file)
}

fn heard_within(bounds: Bounds, file: impl Read + Send) -> Result<Vec<String>, CaptureError> {
    let mut words = Vec::new();
    read_within::<CaptureError>(bounds, file, &PORTS, |heard| {
        let from = if heard.from_client { "client" } else { "server" };
        words.push(match heard.what {
            What::Frame(frame) => format!("{from} {}", frame.message_type),
            What::Closed => format!("{from} closes"),
            What::Lost(what) => format!("{from} lost: {what}"),
        });
        Ok(())
    })?;
    Ok(words)
}

/// The client's stream in these pieces: where each begins, and how long it is.
fn in_pieces(bytes: &[u8], pieces: &[(usize, usize)]) -> Vec<Vec<u8>> {
    let start = 0xffff_fff0_u32; // the sequence number wraps around
    let syn = ip(true, start.wrapping_sub(1), "syn", &[]);
    let segments = pieces.iter().map(|(at, length)| {
        let end = (at + length).min(bytes.len());
        ip(true, start.wrapping_add(*at as u32), "", &bytes[*at..end])
    });
    std::iter::once(syn).chain(segments).collect()
}

const THREE: [&str; 3] = ["client OPEN_REQ", "client HEARTBEAT_REQ", "client HEARTBEAT_REQ"];

#[test]
fn each_byte_counts_once_in_whatever_order_and_overlap_segments_come() {
    let bytes = frames(3);
    let all = bytes.len();
    for pieces in [
        &[(0, all)][..],
        &[(0, 10), (10, 10), (20, all)],
        &[(20, all), (10, 10), (0, 10)],
        &[(0, 10), (0, 10), (10, all)],
        &[(0, 30), (10, 40), (5, all)],
        &[(40, all), (0, 20), (15, 30)],
    ] {
        assert_eq!(heard(&pcap(101, &in_pieces(&bytes, pieces))).unwrap(), THREE, "{pieces:?}");
    }
    let bytewise: Vec<_> = (0..all).map(|at| (at, 1)).collect();
    assert_eq!(heard(&pcap(101, &in_pieces(&bytes, &bytewise))).unwrap(), THREE);
}

#[test]
fn what_was_not_captured_is_said_and_ends_that_direction_alone() {
    let bytes = frames(3);
    let mut packets = in_pieces(&bytes, &[(0, 10), (20, bytes.len())]);
    packets.push(ip(false, 7, "", &frames(1)));
    assert_eq!(heard(&pcap(101, &packets)).unwrap(), ["server OPEN_REQ", "client lost: 10 bytes were not captured"]);
    let cut = in_pieces(&bytes, &[(0, bytes.len() - 3)]);
    let last = "client lost: the capture ends in the middle of a frame, behind 9 bytes of it";
    assert_eq!(heard(&pcap(101, &cut)).unwrap(), ["client OPEN_REQ", "client HEARTBEAT_REQ", last]);
}

#[test]
fn what_is_missing_before_an_end_or_a_reset_is_said() {
    let bytes = frames(3);
    let before_end = bytes.len() - 12;
    for (name, last) in [
        ("an end", ip(true, 0xffff_fff0_u32.wrapping_add(bytes.len() as u32), "fin", &[])),
        ("a reset", ip(true, 0xffff_fff0_u32.wrapping_add(bytes.len() as u32), "rst", &[])),
    ] {
        let mut packets = in_pieces(&bytes, &[(0, before_end - 12), (before_end, 12)]);
        packets.push(last);
        let expected = ["client OPEN_REQ", "client lost: 12 bytes were not captured"];
        assert_eq!(heard(&pcap(101, &packets)).unwrap(), expected, "before {name}");
    }
    let mut packets = in_pieces(&bytes, &[(0, before_end)]);
    packets.push(ip(true, 0xffff_fff0_u32.wrapping_add(bytes.len() as u32), "fin", &[]));
    let expected = ["client OPEN_REQ", "client HEARTBEAT_REQ", "client lost: 12 bytes were not captured"];
    assert_eq!(heard(&pcap(101, &packets)).unwrap(), expected);
}

#[test]
fn all_connections_together_keep_no_more_than_the_bound_ahead_of_missing_bytes() {
    let bytes = frames(3);
    let ahead = bytes.len() - 20;
    // Each connection's first twenty bytes are missing: what comes behind them is kept, where there is room.
    let clients = 50_000..50_004_u16;
    let of = |client, at: usize, payload: &[u8]| ip_of(client, true, 100 + at as u32, "", payload);
    let mut packets: Vec<_> = clients.clone().map(|client| ip_of(client, true, 99, "syn", &[])).collect();
    packets.extend(clients.clone().map(|client| of(client, 20, &bytes[20..])));
    let filled = packets.len();
    // The first three have theirs in the end, the last one had none: it came too late to be kept.
    packets.extend(clients.map(|client| of(client, 0, &bytes[..20])));
    let room_of = |connections: usize| Bounds { ahead_bytes_max: connections * (ahead + 64), ..BOUNDS };
    let lost = "client lost: 20 bytes were not captured";
    assert_eq!(heard_within(room_of(4), &pcap(101, &packets)[..]).unwrap(), THREE.repeat(4));
    assert_eq!(heard_within(room_of(3), &pcap(101, &packets)[..]).unwrap(), [vec![lost], THREE.repeat(3)].concat());
    // A connection that is replaced gives its room back.
    packets.splice(filled..filled, [ip_of(50_000, true, 99, "syn", &[]), of(50_000, 20, &bytes[20..])]);
    let heard = heard_within(room_of(4), &pcap(101, &packets)[..]).unwrap();
    assert_eq!(heard, [vec![lost], THREE.repeat(4)].concat());
}

#[test]
fn segments_of_single_bytes_count_with_what_keeping_them_takes() {
    let bytes = frames(3);
    let bytewise: Vec<_> = (1..11).map(|at| (at, 1)).collect();
    let file = pcap(101, &in_pieces(&bytes, &[&bytewise[..], &[(0, 1), (11, bytes.len())]].concat()));
    assert_eq!(heard_within(Bounds { ahead_bytes_max: 650, ..BOUNDS }, &file[..]).unwrap(), THREE);
    let lost = ["client lost: 1 bytes were not captured"];
    assert_eq!(heard_within(Bounds { ahead_bytes_max: 649, ..BOUNDS }, &file[..]).unwrap(), lost);
}

#[test]
fn the_half_that_was_silent_longest_makes_room_and_what_it_lacks_is_said() {
    let bytes = frames(3);
    let of = |client, at: usize, payload: &[u8]| ip_of(client, true, 100 + at as u32, "", payload);
    let syn = |client| ip_of(client, true, 99, "syn", &[]);
    let mut packets = Vec::new();
    for client in 50_000..50_004 {
        packets.extend([syn(client), of(client, 20, &bytes[20..])]);
    }
    // The first one speaks again: the second and the third are silent longest when a fifth comes.
    packets.extend([of(50_000, 0, &bytes[..20]), syn(50_004)]);
    let bounds = Bounds { connections_max: 4, ahead_bytes_max: 4 * (bytes.len() - 20 + 64) };
    let lost = "client lost: 20 bytes were not captured";
    let heard = |packets: &[Vec<u8>]| heard_within(bounds, &pcap(101, packets)[..]).unwrap();
    let fifth = heard(&packets);
    assert_eq!(fifth, [&THREE[..], &[lost, lost, lost]].concat());
    // Their room is there for others: of the first one's end nothing was forgotten.
    packets.extend([syn(50_005), of(50_004, 20, &bytes[20..]), of(50_005, 20, &bytes[20..])]);
    packets.extend([50_003, 50_004, 50_005].map(|client| of(client, 0, &bytes[..20])));
    assert_eq!(heard(&packets), [&THREE[..], &[lost, lost], &THREE.repeat(3)].concat());
}

#[test]
fn a_stream_in_step_keeps_messages_of_unknown_types() {
    let bytes = frames(2);
    let beat = &bytes[bytes.len() - 12..];
    let mut stranger = BytesMut::new();
    let frame = Frame { message_type: MessageType(9_999), body: Bytes::from_static(b"xx") };
    FrameCodec::default().encode(frame, &mut stranger).unwrap();
    let packets = [ip(true, 100, "", beat), ip(true, 112, "", &stranger), ip(true, 122, "", beat)];
    let told = heard(&pcap(101, &packets)).unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!((&*told[0], &*told[2]), ("client HEARTBEAT_REQ", "client HEARTBEAT_REQ"));
}

#[test]
fn a_file_may_come_in_pieces_of_any_size() {
    struct Slow<'a>(&'a [u8], usize);
    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let room = into.len().min(self.1);
            self.0.read(&mut into[..room])
        }
    }
    let bytes = frames(3);
    let packets = in_pieces(&bytes, &[(0, 10), (10, bytes.len())]);
    for file in [pcap(101, &packets), pcapng(&packets)] {
        for piece_bytes in [1, 3, 11, 13, 27] {
            assert_eq!(heard_within(BOUNDS, Slow(&file, piece_bytes)).unwrap(), THREE, "{piece_bytes} bytes at a time");
        }
    }
}

#[test]
fn a_connection_that_began_before_is_read_from_its_first_whole_frame_on() {
    let bytes = frames(3);
    let (open, beat) = (bytes.len() - 24, 12);
    // The rest of a frame, and then segments that begin with frames.
    let packets = [
        ip(true, 100, "", &bytes[open + 5..open + beat]),
        ip(true, 100 + 7, "", &bytes[open + beat..]),
        ip(false, 1, "fin", &[]),
    ];
    assert_eq!(heard(&pcap(101, &packets)).unwrap(), ["client HEARTBEAT_REQ", "server closes"]);
}

#[test]
fn ends_and_resets_are_told_and_a_port_that_is_used_again_is_another_connection() {
    let bytes = frames(1);
    let mut packets = in_pieces(&bytes, &[(0, bytes.len())]);
    packets.push(ip(true, 0xffff_fff0_u32.wrapping_add(bytes.len() as u32), "fin", &[]));
    packets.push(ip(false, 7, "rst", &[]));
    packets.extend(in_pieces(&bytes, &[(0, bytes.len())]));
    let expected = ["client OPEN_REQ", "client closes", "server closes", "client OPEN_REQ"];
    assert_eq!(heard(&pcap(101, &packets)).unwrap(), expected[..].to_vec());
}

#[test]
fn every_kind_of_link_and_file_says_the_same() {
    let bytes = frames(3);
    let packets = in_pieces(&bytes, &[(0, 10), (10, bytes.len())]);
    let behind = |head: &[u8]| packets.iter().map(|packet| [head, packet].concat()).collect::<Vec<_>>();
    let ethernet = [&[0; 12][..], &[8, 0]].concat();
    let vlan = [&[0; 12][..], &[0x81, 0, 0, 5, 8, 0]].concat();
    let sll = [&[0; 14][..], &[8, 0]].concat();
    let sll2 = [&[8, 0][..], &[0; 18]].concat();
    for (link, head) in [
        (1, &ethernet[..]),
        (1, &vlan),
        (113, &sll),
        (276, &sll2),
        (0, &[2, 0, 0, 0]),
        (108, &[0, 0, 0, 2]),
        (228, &[]),
    ] {
        assert_eq!(heard(&pcap(link, &behind(head))).unwrap(), THREE, "link type {link}");
    }
    assert_eq!(heard(&pcapng(&packets)).unwrap(), THREE);
}

#[test]
fn times_and_packets_are_those_of_the_file() {
    let bytes = frames(1);
    let packets = in_pieces(&bytes, &[(0, 10), (10, bytes.len())]);
    for (file, at) in
        [(pcap(101, &packets), Duration::from_millis(3_500)), (pcapng(&packets), Duration::from_millis(2_500))]
    {
        let mut found = Vec::new();
        read::<CaptureError>(&file[..], &PORTS, |heard| {
            found.push((heard.packet, heard.at, heard.connection));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [(3, at, 1)]);
    }
}

#[test]
fn only_connections_to_the_ports_or_with_an_open_request_count() {
    let mut bytes = BytesMut::new();
    let web = Frame { message_type: MessageType(0x4745_5420), body: Bytes::from_static(b"/ HTTP") };
    FrameCodec::default().encode(web, &mut bytes).unwrap();
    let elsewhere = |packets: &[Vec<u8>]| {
        // Another port of the server: the destination port is the third and fourth byte behind the IP header.
        let moved = packets.iter().map(|packet| {
            let mut packet = packet.clone();
            packet[22..24].copy_from_slice(&8080_u16.to_be_bytes());
            packet
        });
        pcap(101, &moved.collect::<Vec<_>>())
    };
    assert!(heard(&elsewhere(&in_pieces(&bytes, &[(0, bytes.len())]))).unwrap().is_empty());
    let open = frames(3);
    assert_eq!(heard(&elsewhere(&in_pieces(&open, &[(0, open.len())]))).unwrap(), THREE);
}

#[test]
fn whatever_is_in_a_file_the_worst_is_an_error() {
    assert!(matches!(heard(b""), Err(CaptureError::NoCapture)));
    assert!(matches!(heard(b"hello, this is no capture at all"), Err(CaptureError::NoCapture)));
    let bytes = frames(3);
    for file in [pcap(101, &in_pieces(&bytes, &[(0, 20), (20, bytes.len())])), pcapng(&in_pieces(&bytes, &[(0, 40)]))] {
        for cut in 0..file.len() {
            let _ = heard(&file[..cut]);
        }
        for at in 0..file.len() {
            for value in [0, 0xff] {
                let mut file = file.clone();
                file[at] = value;
                let _ = heard(&file);
            }
        }
    }
}
