//! `ctigate decode`: frames as lines that people and programs can read. Not here: the decoding itself.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use bytes::BytesMut;
use cti_protocol::ged188::{
    AnyMessage, EncodeError, Frame, FrameCodec, FrameError, HEADER_BYTES, MessageType, Version,
};
use serde_json::{Map, Value, json};
use tokio_util::codec::Decoder;

use super::USAGE;
use super::capture::PORTS;
use capture::Place;

mod capture;

/// Decode GED-188 frames, given as hex lines, as a raw stream, or in a network capture.
///
/// Each line of the input holds one whole frame with its 8-byte header; spaces and #-comments are skipped. Each frame
/// becomes one line, written as soon as no more input is at hand. A broken frame becomes a line that says what is wrong
/// and at which byte, counted from the frame's first one or, with --stream, from the input's. Exit status 1 if any frame
/// was broken.
///
/// Of a capture, pcap or pcapng, each line also names packet, time, connection and side. Connections are those to the ports,
/// and those that begin with an OPEN_REQ; each is read in the version of its own OPEN_REQ. What was not captured, or cannot
/// be read, is a line that says so.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The protocol version; without it, that of the OPEN_REQ that came last, and 24 before there was one.
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// Read versions 10 to 18 as UCCX writes them.
    #[arg(long)]
    uccx: bool,
    /// How frames are written.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// The input is the raw bytes of one direction of a connection.
    #[arg(long)]
    stream: bool,
    /// The input is a network capture.
    #[arg(long, conflicts_with = "stream")]
    pcap: bool,
    /// The server's ports in a capture; may be given several times.
    #[arg(long = "port", value_name = "PORT", requires = "pcap", default_values_t = PORTS)]
    ports: Vec<u16>,
    /// The input; `-` or nothing is stdin.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// One JSON object a line.
    Json,
    /// Name and fields, codes by their names.
    Text,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let named = |number| if args.uccx { Version::uccx(number) } else { Version::new(number) };
    let version = match args.version {
        None => None,
        Some(number) => match named(number) {
            Some(version) => Some(version),
            None => {
                let range = if args.uccx { "10 to 18" } else { "9 to 24" };
                eprintln!("ctigate: --version {number}: versions {range} are known");
                return ExitCode::from(USAGE);
            }
        },
    };
    let start = version.or_else(|| named(if args.uccx { 18 } else { 24 })).unwrap_or(Version::LATEST);
    let out = BufWriter::new(io::stdout().lock());
    let mut decoder = Lines {
        fixed: version.is_some(),
        version: start,
        uccx: args.uccx,
        format: args.format,
        out,
        base: 0,
        broken: 0,
        place: None,
    };
    if args.pcap {
        return decode_capture(args, decoder);
    }
    let done = input(args).and_then(|input| if args.stream { decoder.stream(input) } else { decoder.hex_lines(input) });
    match done.and_then(|()| decoder.out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let file = args.file.as_ref().map_or("-".into(), |file| file.display().to_string());
            eprintln!("ctigate: {file}: {error}");
            ExitCode::from(USAGE)
        }
        // A broken pipe is no error: whoever reads us has seen enough.
        _ if decoder.broken == 0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn decode_capture<W: Write>(args: &Args, mut decoder: Lines<W>) -> ExitCode {
    let file = args.file.as_ref().filter(|file| file.as_os_str() != "-");
    let input: io::Result<Box<dyn Read + Send>> = match file {
        Some(file) => File::open(file).map(|file| Box::new(file) as _),
        None => Ok(Box::new(io::stdin())),
    };
    let done = input.map_err(Into::into).and_then(|input| capture::decode(&mut decoder, input, &args.ports));
    let written = decoder.out.flush();
    match done.and_then(|()| Ok(written?)) {
        Err(capture::Ended::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ctigate: {}: {error}", file.map_or("-".into(), |file| file.display().to_string()));
            ExitCode::from(USAGE)
        }
        Ok(()) if decoder.broken == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
    }
}

fn input(args: &Args) -> io::Result<BufReader<Box<dyn Read>>> {
    Ok(BufReader::new(match args.file.as_ref().filter(|file| file.as_os_str() != "-") {
        Some(file) => Box::new(File::open(file)?),
        None => Box::new(io::stdin().lock()),
    }))
}

/// The longest line that is read; a frame's hex digits take a fortieth of it.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

struct Lines<W> {
    /// The version was given: what an OPEN_REQ says is not followed.
    fixed: bool,
    version: Version,
    uccx: bool,
    format: Format,
    out: W,
    /// Where in the input the frame begins that offsets are counted in: 0 for each line of hex.
    base: usize,
    broken: u64,
    /// Where in a capture the frame is.
    place: Option<Place>,
}

impl<W: Write> Lines<W> {
    fn hex_lines(&mut self, mut input: BufReader<impl Read>) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if !input.buffer().contains(&b'\n') {
                self.out.flush()?; // the next line may be long in coming
            }
            let bytes = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if bytes == 0 {
                return Ok(());
            }
            if bytes as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
                self.error("the line is longer than 1 MiB", 0)?;
                while !skip_line(&mut input)? {}
                continue;
            }
            let digits = line.split(|byte| *byte == b'#').next().unwrap_or_default();
            if digits.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match frame_of(digits) {
                Ok(frame) => self.frame(&frame)?,
                Err((what, offset)) => self.error(&what, offset)?,
            }
        }
    }

    fn stream(&mut self, mut input: impl Read) -> io::Result<()> {
        let mut frames = FrameCodec::default();
        let mut bytes = BytesMut::new();
        let mut piece = vec![0; 64 * 1024];
        loop {
            self.out.flush()?; // the next piece may be long in coming
            let read = match input.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            bytes.extend_from_slice(&piece[..read]);
            loop {
                let next = if read == 0 { frames.decode_eof(&mut bytes) } else { frames.decode(&mut bytes) };
                match next {
                    Ok(Some(frame)) => {
                        self.frame(&frame)?;
                        self.base += HEADER_BYTES + frame.body.len();
                    }
                    Ok(None) => break,
                    // Where the next frame begins is not known any more.
                    Err(FrameError::Io(error)) => return Err(error),
                    Err(error) => return self.error(&error.to_string(), 0),
                }
            }
            if read == 0 {
                return Ok(());
            }
        }
    }

    fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        if frame.message_type == MessageType::OPEN_REQ && !self.fixed {
            self.follow(frame);
        }
        match AnyMessage::decode(frame, self.version) {
            Ok(message) => self.message(&message),
            Err(error) => self.error(&error.to_string(), error.offset()),
        }
    }

    /// An OPEN_REQ is written in the version that it names, and so is what follows it.
    fn follow(&mut self, open: &Frame) {
        let number = open.body.get(4..8).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes);
        let named = |number| if self.uccx { Version::uccx(number) } else { Version::new(number) };
        if let Some(version) = number.and_then(named) {
            self.version = version;
        }
    }

    fn message(&mut self, message: &AnyMessage) -> io::Result<()> {
        let object = match json_object(message, self.version) {
            Ok(object) => object,
            Err(error) => return self.error(&error.to_string(), 0),
        };
        match self.format {
            Format::Json => self.object(object),
            Format::Text => {
                let place = self.place.map(Place::words).unwrap_or_default();
                writeln!(self.out, "{place}{message:?}")
            }
        }
    }

    fn error(&mut self, what: &str, offset: usize) -> io::Result<()> {
        self.broken += 1;
        let offset = self.base + offset;
        match self.format {
            Format::Json => {
                let object = [("error".to_owned(), what.into()), ("offset".to_owned(), offset.into())];
                self.object(Map::from_iter(object))
            }
            Format::Text => {
                let place = self.place.map(Place::words).unwrap_or_default();
                writeln!(self.out, "{place}error at byte {offset}: {what}")
            }
        }
    }

    /// Something that happened in a capture and is no frame.
    fn place(&mut self, what: &str) -> io::Result<()> {
        match self.format {
            Format::Json => self.object(Map::from_iter([("event".to_owned(), what.into())])),
            Format::Text => writeln!(self.out, "{}{what}", self.place.map(Place::words).unwrap_or_default()),
        }
    }

    fn object(&mut self, object: Map<String, Value>) -> io::Result<()> {
        let place = self.place.into_iter().flat_map(Place::fields);
        let placed: Map<String, Value> = place.map(|(key, value)| (key.to_owned(), value)).chain(object).collect();
        writeln!(self.out, "{}", Value::Object(placed))
    }
}

/// A message as the JSON that is printed: name, type, version, every field, and the frame's bytes.
pub(super) fn json_object(message: &AnyMessage, version: Version) -> Result<Map<String, Value>, EncodeError> {
    let mut bytes = BytesMut::new();
    message.encode(version, &mut bytes)?;
    let mut object = Map::new();
    object.insert("name".to_owned(), message.name().into());
    object.insert("type".to_owned(), message.message_type().0.into());
    object.insert("version".to_owned(), version.number().into());
    object.insert("fields".to_owned(), message.to_json(version));
    if let AnyMessage::Stranger(stranger) = message {
        object.insert("body".to_owned(), hex(&stranger.body).into());
    }
    if !message.unknown_tags().is_empty() {
        let unknown = message.unknown_tags().iter();
        let unknown = unknown.map(|field| json!({"tag": field.tag.0, "hex": hex(&field.data)}));
        object.insert("unknown".to_owned(), unknown.collect());
    }
    object.insert("hex".to_owned(), hex(&bytes).into());
    Ok(object)
}

/// The frame that the hex digits spell, or what is wrong and at which byte of the frame.
fn frame_of(digits: &[u8]) -> Result<Frame, (String, usize)> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut high = None;
    for digit in digits.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        let Some(value) = char::from(*digit).to_digit(16) else {
            return Err((format!("{:?} is no hex digit", char::from(*digit)), bytes.len()));
        };
        match high.take() {
            None => high = Some(value),
            Some(high) => bytes.push((high << 4 | value) as u8),
        }
    }
    if high.is_some() {
        return Err(("a hex digit is missing at the end".to_owned(), bytes.len()));
    }
    let there = bytes.len();
    let claimed = bytes.get(..4).and_then(|length| length.try_into().ok()).map(u32::from_be_bytes);
    let mut input = BytesMut::from(&bytes[..]);
    match FrameCodec::default().decode_eof(&mut input) {
        Ok(Some(frame)) if input.is_empty() => Ok(frame),
        Ok(Some(frame)) => {
            let offset = HEADER_BYTES + frame.body.len();
            Err((format!("MessageLength is {}, the frame goes on for {} bytes", frame.body.len(), input.len()), offset))
        }
        Ok(None) => Err(("there is no frame".to_owned(), 0)),
        Err(FrameError::CutOff { .. }) if there < HEADER_BYTES => {
            Err((format!("the header has {there} bytes of {HEADER_BYTES}"), there))
        }
        Err(FrameError::CutOff { .. }) => {
            let claimed = claimed.unwrap_or_default();
            Err((format!("MessageLength is {claimed}, {} bytes follow the header", there - HEADER_BYTES), there))
        }
        Err(error) => Err((error.to_string(), 0)),
    }
}

/// Reads on to the end of the line, in bounded pieces; true when it was reached.
fn skip_line(input: &mut impl BufRead) -> io::Result<bool> {
    let piece = input.fill_buf()?;
    if piece.is_empty() {
        return Ok(true);
    }
    let end = piece.iter().position(|byte| *byte == b'\n');
    let length = end.map_or(piece.len(), |end| end + 1);
    input.consume(length);
    Ok(end.is_some())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
