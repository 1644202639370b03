//! What the machine can do: servers that do nothing with the frames but what a network server cannot leave out.
//!
//! Not here: sessions, limits, events of anything. The bare one is one thread around `epoll_wait`, one read a wake-up and one
//! write a connection; the other is what one writes first with tokio.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};

use bytes::BytesMut;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::messages::{self, HEADER_BYTES, PUBLISH, SUBSCRIBE};
use crate::support::Failure;

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Echoes frames; confirms what opens, closes and shows life; copies what is published to all that subscribed.
pub(crate) fn epoll() -> Result<(), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let mut server = Epoll {
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        clients: HashMap::new(),
        subscribed: Vec::new(),
        scratch: vec![0; READ_BYTES].into(),
        out: Vec::new(),
        published: Vec::new(),
        open_conf: messages::open_conf(),
    };
    epoll::add(&server.epoll, &listener, EventData::new_u64(u64::MAX), EventFlags::IN)?;
    let mut events = Vec::with_capacity(1_024);
    loop {
        events.clear();
        epoll::wait(&server.epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            match event.data.u64() {
                u64::MAX => server.accept(&listener)?,
                client => server.serve(client)?,
            }
        }
    }
}

struct Epoll {
    epoll: std::os::fd::OwnedFd,
    clients: HashMap<u64, Client>,
    subscribed: Vec<u64>,
    scratch: Box<[u8]>,
    out: Vec<u8>,
    published: Vec<u8>,
    open_conf: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    half_frame: Vec<u8>,
}

impl Epoll {
    fn accept(&mut self, listener: &TcpListener) -> Result<(), Failure> {
        let (stream, _) = listener.accept()?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let id = u64::try_from(stream.as_fd().as_raw_fd())?;
        epoll::add(&self.epoll, &stream, EventData::new_u64(id), EventFlags::IN)?;
        self.clients.insert(id, Client { stream, half_frame: Vec::new() });
        Ok(())
    }

    fn serve(&mut self, id: u64) -> Result<(), Failure> {
        let Some(client) = self.clients.get_mut(&id) else { return Ok(()) };
        let kept = client.half_frame.len();
        self.scratch[..kept].copy_from_slice(&client.half_frame);
        let read = match client.stream.read(&mut self.scratch[kept..]) {
            Ok(read) if read > 0 => read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            _ => {
                self.leave(id);
                return Ok(());
            }
        };
        let (mut rest, mut is_last) = (&self.scratch[..kept + read], false);
        self.out.clear();
        self.published.clear();
        while let Some((message, frame)) = messages::first_frame(rest) {
            match message {
                messages::OPEN_REQ => self.out.extend_from_slice(&self.open_conf),
                messages::HEARTBEAT_REQ => messages::confirm(frame, messages::HEARTBEAT_CONF, &mut self.out),
                messages::CLOSE_REQ => {
                    messages::confirm(frame, messages::CLOSE_CONF, &mut self.out);
                    is_last = true;
                }
                SUBSCRIBE => {
                    self.subscribed.push(id);
                    self.out.extend_from_slice(frame);
                }
                PUBLISH => {
                    self.published.extend_from_slice(&frame[HEADER_BYTES..]);
                    self.out.extend_from_slice(&frame[..HEADER_BYTES]);
                    let conf = self.out.len() - HEADER_BYTES;
                    self.out[conf..conf + 4].fill(0);
                }
                _ => self.out.extend_from_slice(frame),
            }
            rest = &rest[frame.len()..];
        }
        if rest.len() != client.half_frame.len() || !rest.is_empty() {
            client.half_frame.clear();
            client.half_frame.extend_from_slice(rest);
        }
        if !self.out.is_empty() {
            client.stream.write_all(&self.out)?;
        }
        if !self.published.is_empty() {
            for subscriber in &self.subscribed {
                let subscriber = self.clients.get_mut(subscriber).ok_or("a subscriber has gone")?;
                subscriber.stream.write_all(&self.published)?;
            }
        }
        if is_last {
            self.leave(id);
        }
        Ok(())
    }

    fn leave(&mut self, id: u64) {
        self.clients.remove(&id);
        self.subscribed.retain(|subscribed| *subscribed != id);
    }
}

/// Echoes frames.
pub(crate) fn tokio() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(echo(stream));
        }
    })
}

async fn echo(mut stream: tokio::net::TcpStream) -> std::io::Result<()> {
    let mut read = BytesMut::with_capacity(READ_BYTES);
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        let mut whole = 0;
        while let Some((_, frame)) = messages::first_frame(&read[whole..]) {
            whole += frame.len();
        }
        stream.write_all(&read[..whole]).await?;
        if whole == read.len() {
            read.clear();
        } else {
            read = BytesMut::from(&read[whole..]);
            read.reserve(READ_BYTES);
        }
    }
}
