//! Many clients on one thread around one `epoll_wait`: cheap enough that the server is what is measured.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::messages::Frames;
use crate::support::Failure;

/// Connections to one server.
pub(crate) struct Swarm {
    epoll: OwnedFd,
    pub(crate) clients: Vec<TcpStream>,
    events: Vec<Event>,
    scratch: Box<[u8]>,
}

impl Swarm {
    pub(crate) fn connect(address: SocketAddr, clients: usize) -> Result<Swarm, Failure> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut swarm = Swarm {
            epoll,
            clients: Vec::new(),
            events: Vec::with_capacity(1_024),
            scratch: vec![0; 256 * 1024].into(),
        };
        for _ in 0..clients {
            swarm.add(address)?;
        }
        Ok(swarm)
    }

    /// One more; says its number.
    pub(crate) fn add(&mut self, address: SocketAddr) -> Result<usize, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let number = self.clients.len();
        epoll::add(&self.epoll, &stream, EventData::new_u64(number as u64), EventFlags::IN)?;
        self.clients.push(stream);
        Ok(number)
    }

    pub(crate) fn send(&mut self, client: usize, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.clients[client].write_all(bytes)?)
    }

    /// Waits until something has come, and reads once from each client that something came for.
    pub(crate) fn hear(&mut self, mut heard: impl FnMut(usize, &[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        if !self.hear_for(PATIENCE, &mut heard)? {
            return Err(format!("nothing came for {PATIENCE:?}").into());
        }
        Ok(())
    }

    /// The same, unless nothing comes for so long.
    pub(crate) fn hear_for(
        &mut self,
        patience: Duration,
        mut heard: impl FnMut(usize, &[u8]) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        self.events.clear();
        let patience = Timespec::try_from(patience)?;
        epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), Some(&patience))?;
        for event in &self.events {
            let client = event.data.u64() as usize;
            match self.clients[client].read(&mut self.scratch) {
                Ok(0) => return Err(format!("client {client} was closed").into()),
                Ok(read) => heard(client, &self.scratch[..read])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => (),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(!self.events.is_empty())
    }

    /// Each client sends that, and waits for so many frames; a few at a time, since a server's backlog is bounded.
    pub(crate) fn each_asks(
        &mut self,
        clients: std::ops::Range<usize>,
        frames: usize,
        request: impl Fn(usize) -> Vec<u8>,
    ) -> Result<(), Failure> {
        let mut all = clients;
        while !all.is_empty() {
            let few = all.start..all.end.min(all.start + AT_ONCE);
            all.start = few.end;
            for client in few.clone() {
                self.send(client, &request(client))?;
            }
            let (mut due, mut counts) = (few.len() * frames, vec![Frames::default(); few.len()]);
            while due > 0 {
                self.hear(|client, bytes| {
                    if few.contains(&client) {
                        due = due.saturating_sub(counts[client - few.start].count(bytes)?);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

const AT_ONCE: usize = 100;
/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(20);
