//! `ctigate decode --pcap`: the frames of a network capture. Not here: how they are found in it.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::time::Duration;

use cti_protocol::ged188::Version;
use serde_json::json;

use super::Lines;
use crate::cli::capture::{self, CaptureError, Heard, What};

/// Why it ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes a line for each frame, and for whatever could not be read.
pub(super) fn decode<W: Write>(lines: &mut Lines<W>, input: impl Read + Send, ports: &[u16]) -> Result<(), Ended> {
    let start = lines.version;
    let mut versions = HashMap::<u32, Version>::new();
    capture::read(input, ports, |heard| {
        lines.version = *versions.get(&heard.connection).unwrap_or(&start);
        lines.place = Some(Place::of(&heard));
        match heard.what {
            What::Frame(frame) => lines.frame(&frame)?,
            What::Closed => lines.place(if heard.from_client { "the client closes" } else { "the server closes" })?,
            What::Lost(what) => lines.error(&what, 0)?,
        }
        versions.insert(heard.connection, lines.version);
        Ok(())
    })
}

/// Where in a capture a line's frame was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    packet: u64,
    at: Duration,
    connection: u32,
    from_client: bool,
}

impl Place {
    fn of(heard: &Heard) -> Place {
        let Heard { packet, at, connection, from_client, .. } = *heard;
        Place { packet, at, connection, from_client }
    }

    fn from(self) -> &'static str {
        if self.from_client { "client" } else { "server" }
    }

    pub(super) fn words(self) -> String {
        format!("{} {:.6} {} {}: ", self.packet, self.at.as_secs_f64(), self.connection, self.from())
    }

    pub(super) fn fields(self) -> [(&'static str, serde_json::Value); 4] {
        [
            ("packet", self.packet.into()),
            ("time", json!(self.at.as_secs_f64())),
            ("connection", self.connection.into()),
            ("from", self.from().into()),
        ]
    }
}
