//! One connection of `ctigate watch`: opened for all events, kept alive, followed to its end.
//!
//! Not here: what happens after its end.

use std::pin::Pin;
use std::time::Duration;

use cti_protocol::ged188::codes::{AgentStateMask, CallMsgMask, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, Data, EncodeError, HeartbeatReq, OpenReq, Secret, Text, TextError, Version};
use tokio::io::AsyncWrite;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::Lines;
use crate::cli::agent::words::refusal;
use crate::cli::client::{ANSWER_WAIT, Client, ClientError, Way};

/// How the session is opened.
#[derive(Debug)]
pub(super) struct Opening {
    client_id: Text<64>,
    client_password: Secret<Data<64>>,
    client_signature: Option<Text<64>>,
    pub(super) version: Version,
}

impl Opening {
    /// Refuses what does not fit into the protocol's fields.
    pub(super) fn new(
        client_id: &str,
        client_password: &str,
        client_signature: Option<&str>,
        version: Version,
    ) -> Result<Opening, OpeningError> {
        let bad = |name| move |why| OpeningError { name, why };
        Ok(Opening {
            client_id: Text::new(client_id).map_err(bad("client-id"))?,
            client_password: Data::new(client_password.as_bytes()).map_err(bad("client-password"))?.into(),
            client_signature: client_signature.map(Text::new).transpose().map_err(bad("client-signature"))?,
            version,
        })
    }

    fn request(&self, invoke_id: u32) -> OpenReq {
        OpenReq {
            invoke_id,
            version_number: self.version.number(),
            idle_timeout: IDLE_TIMEOUT_S,
            peripheral_id: u32::MAX,
            services_requested: ServiceMask::CTI_SERVICE_ALL_EVENTS,
            call_msg_mask: CallMsgMask::ALL,
            agent_state_mask: AgentStateMask::ALL,
            client_id: Some(self.client_id.clone()),
            client_password: Some(self.client_password.clone()),
            client_signature: self.client_signature.clone(),
            ..Default::default()
        }
    }
}

/// Follows one connection until `stop`, which is the only good end. `was_open` tells whether the session stood.
pub(super) async fn follow<W: AsyncWrite + Unpin, S: Future<Output = ()>>(
    way: &Way,
    opening: &Opening,
    out: &mut Lines<W>,
    was_open: &mut bool,
    mut stop: Pin<&mut S>,
) -> Result<(), WatchError> {
    let client = tokio::select! {
        () = stop.as_mut() => return Ok(()),
        client = Client::connect(way, opening.version) => client?,
    };
    let mut session = Session { client, opened: false, unanswered: 0 };
    let ended = tokio::select! {
        () = stop => None,
        ended = session.until_lost(way, opening, out, was_open) => Some(ended),
    };
    match ended {
        Some(ended) => ended,
        None => {
            session.client.say_goodbye().await;
            Ok(())
        }
    }
}

struct Session {
    client: Client,
    opened: bool,
    unanswered: u32,
}

impl Session {
    /// Ends with an error, or is dropped.
    async fn until_lost<W: AsyncWrite + Unpin>(
        &mut self,
        way: &Way,
        opening: &Opening,
        out: &mut Lines<W>,
        was_open: &mut bool,
    ) -> Result<(), WatchError> {
        let invoke_id = self.client.next_invoke_id();
        self.client.send(opening.request(invoke_id)).await?;
        let deadline = Instant::now() + ANSWER_WAIT;
        let mut heartbeats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Time first: of what comes there may be no end.
            tokio::select! { biased;
                () = sleep_until(deadline), if !self.opened => return Err(WatchError::NoAnswer { what: "open" }),
                _ = heartbeats.tick(), if self.opened => self.heartbeat().await?,
                heard = self.client.receive() => match heard {
                    Ok(message) => self.on_message(way, &message, out, was_open).await?,
                    Err(error) if error.is_final() => return Err(error.into()),
                    Err(error) => eprintln!("ctigate watch: a message cannot be read: {error}"),
                },
            }
        }
    }

    async fn on_message<W: AsyncWrite + Unpin>(
        &mut self,
        way: &Way,
        message: &AnyMessage,
        out: &mut Lines<W>,
        was_open: &mut bool,
    ) -> Result<(), WatchError> {
        match message {
            AnyMessage::OpenConf(opened) => {
                if opened.services_granted.0 & ServiceMask::CTI_SERVICE_ALL_EVENTS.0 == 0 {
                    return Err(WatchError::NotGranted);
                }
                self.opened = true;
                // Its answer comes behind the subscription's beginning: from then on nothing is missed.
                self.heartbeat().await
            }
            AnyMessage::FailureConf(no) if !self.opened => {
                let why = refusal(message).unwrap_or_default();
                Err(WatchError::Refused { status: no.status, why })
            }
            AnyMessage::HeartbeatConf(_) => {
                self.unanswered = 0;
                if !std::mem::replace(was_open, true) {
                    eprintln!("ctigate watch: watching {way}");
                }
                Ok(())
            }
            // Shown like any other; the end of the connection follows.
            event => out.show(event).await,
        }
    }

    async fn heartbeat(&mut self) -> Result<(), WatchError> {
        if self.unanswered >= HEARTBEATS_UNANSWERED_MAX {
            return Err(WatchError::NoAnswer { what: "heartbeat" });
        }
        self.unanswered += 1;
        let invoke_id = self.client.next_invoke_id();
        Ok(self.client.send(HeartbeatReq { invoke_id, ..Default::default() }).await?)
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("open refused: {why}")]
    Refused { status: Status, why: String },
    #[error("open refused: all events are not granted to this client")]
    NotGranted,
    #[error("the gateway did not answer: {what}")]
    NoAnswer { what: &'static str },
    #[error("an event cannot be told: {0}")]
    Unsayable(#[from] EncodeError),
    #[error("cannot write: {0}")]
    Output(#[source] std::io::Error),
}

impl WatchError {
    /// Whether to try again is of no use.
    pub(super) fn is_final(&self) -> bool {
        match self {
            WatchError::Refused { status, .. } => *status != Status::E_CTI_CTI_SERVER_OFFLINE,
            WatchError::NotGranted | WatchError::Output(_) | WatchError::Unsayable(_) => true,
            WatchError::Client(_) | WatchError::NoAnswer { .. } => false,
        }
    }
}

/// A value that does not fit into its field.
#[derive(Debug, thiserror::Error)]
#[error("--{name}: {why}")]
pub(super) struct OpeningError {
    name: &'static str,
    why: TextError,
}

const HEARTBEAT: Duration = Duration::from_secs(30);
/// Four heartbeats, as the guide wants it.
const IDLE_TIMEOUT_S: u32 = 120;
/// So many without an answer are the connection's end, by the guide.
const HEARTBEATS_UNANSWERED_MAX: u32 = 3;
