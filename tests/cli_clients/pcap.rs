//! Network captures of sessions that a relay recorded: the same frames in TCP segments.

use std::collections::HashMap;

use etherparse::PacketBuilder;
use serde_json::Value;

/// The port of the server in what is written.
pub(crate) const PORT: u16 = 42027;

/// A capture file that is being written, one segment a packet.
pub(crate) struct Pcap {
    file: Vec<u8>,
    sent: HashMap<(u16, bool), u32>,
    clock: u64,
}

impl Pcap {
    pub(crate) fn new() -> Pcap {
        // Version 2.4, microseconds, Ethernet.
        let head = [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 262_144, 1];
        Pcap { file: head.iter().flat_map(|word| word.to_be_bytes()).collect(), sent: HashMap::new(), clock: 0 }
    }

    /// A capture of recorded lines; a frame is cut into segments of at most so many bytes.
    pub(crate) fn of(lines: &[Value], segment_bytes_max: usize) -> Vec<u8> {
        let mut pcap = Pcap::new();
        for line in lines {
            let connection = 50_000 + line["connection"].as_u64().expect("a number") as u16;
            let from_client = line["from"] == "client";
            match line.get("hex").and_then(Value::as_str) {
                Some(hex) => {
                    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).expect("hex");
                    pcap.sends(connection, from_client, &bytes, segment_bytes_max);
                }
                None => pcap.closes(connection, from_client),
            }
        }
        pcap.file()
    }

    pub(crate) fn sends(&mut self, connection: u16, from_client: bool, bytes: &[u8], segment_bytes_max: usize) {
        self.opens(connection);
        for piece in bytes.chunks(segment_bytes_max) {
            self.segment(connection, from_client, "", piece);
        }
    }

    pub(crate) fn closes(&mut self, connection: u16, from_client: bool) {
        self.opens(connection);
        self.segment(connection, from_client, "fin", &[]);
    }

    fn opens(&mut self, connection: u16) {
        if !self.sent.contains_key(&(connection, true)) {
            self.segment(connection, true, "syn", &[]);
            self.segment(connection, false, "syn", &[]);
        }
    }

    fn segment(&mut self, connection: u16, from_client: bool, flag: &str, payload: &[u8]) {
        let acknowledged = self.sent.get(&(connection, !from_client)).copied();
        let sent = self.sent.entry((connection, from_client)).or_insert(if from_client { 0xffff_ff00 } else { 7 });
        let (addresses, ports) = match from_client {
            true => (([127, 0, 0, 1], [127, 0, 0, 2]), (connection, PORT)),
            false => (([127, 0, 0, 2], [127, 0, 0, 1]), (PORT, connection)),
        };
        let packet = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4(addresses.0, addresses.1, 64);
        let mut packet = packet.tcp(ports.0, ports.1, *sent, 65_000);
        let mut counts = payload.len() as u32;
        match flag {
            "syn" => (packet, counts) = (packet.syn(), 1),
            "fin" => (packet, counts) = (packet.fin(), 1),
            _ => packet = packet.psh(),
        }
        *sent = sent.wrapping_add(counts);
        if let Some(acknowledged) = acknowledged {
            packet = packet.ack(acknowledged);
        }
        let mut bytes = Vec::new();
        packet.write(&mut bytes, payload).expect("a packet");
        self.clock += 1_000;
        let lengths =
            [(self.clock / 1_000_000) as u32, (self.clock % 1_000_000) as u32, bytes.len() as u32, bytes.len() as u32];
        self.file.extend(lengths.iter().flat_map(|word| word.to_be_bytes()));
        self.file.extend(bytes);
    }

    pub(crate) fn file(self) -> Vec<u8> {
        self.file
    }
}
