//! A client on a real socket, and a gateway that listens for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::{AnyMessage, FrameCodec, OpenReq, Version};
use ctigate::acd::Peripheral;
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::config::Config;
use ctigate::server::Gateway;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::Decoder;

use super::acd::HeldAcd;
use super::house::PERIPHERAL;

pub struct Served {
    pub gateway: Gateway,
    pub acd: Arc<HeldAcd>,
    pub address: SocketAddr,
}

/// A gateway on a free port of the loopback.
pub async fn served(change: impl FnOnce(&mut Config)) -> Served {
    served_by(EmbeddedConfig::default(), change).await
}

pub async fn served_by(world: EmbeddedConfig, change: impl FnOnce(&mut Config)) -> Served {
    let mut config = Config::default();
    config.listeners[0].address = "127.0.0.1:0".parse().unwrap();
    change(&mut config);
    let acd = HeldAcd::new(world);
    let peripheral = Peripheral { id: PERIPHERAL, acd: Arc::<HeldAcd>::clone(&acd) as _ };
    let gateway = Gateway::start_with(config, vec![peripheral]).await.expect("a gateway that starts");
    let address = gateway.listeners()[0].1;
    Served { gateway, acd, address }
}

pub struct Wire<S = TcpStream> {
    pub stream: S,
    pub version: Version,
    received: BytesMut,
    frames: FrameCodec,
}

/// A frame that should come comes long before this.
const PATIENCE: Duration = Duration::from_secs(20);

impl Wire {
    pub async fn connected(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).await.expect("a listening gateway");
        stream.set_nodelay(true).unwrap();
        Wire::on(stream)
    }

    pub async fn opened(address: SocketAddr, request: OpenReq) -> Wire {
        let mut wire = Wire::connected(address).await;
        wire.opens(request).await;
        wire
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn on(stream: S) -> Wire<S> {
        let version = Version::new(20).unwrap();
        Wire { stream, version, received: BytesMut::new(), frames: FrameCodec::default() }
    }

    pub async fn opens(&mut self, request: OpenReq) {
        self.sends(request).await;
        match self.receives().await {
            Some(AnyMessage::OpenConf(_)) => (),
            other => panic!("OPEN_CONF expected, got {other:?}"),
        }
    }

    pub fn frame(&self, message: impl Into<AnyMessage>) -> BytesMut {
        let mut bytes = BytesMut::new();
        message.into().encode(self.version, &mut bytes).unwrap();
        bytes
    }

    pub async fn sends(&mut self, message: impl Into<AnyMessage>) {
        let bytes = self.frame(message);
        self.stream.write_all(&bytes).await.expect("a connection that takes bytes");
        self.stream.flush().await.expect("a connection that takes bytes");
    }

    /// The next message; none when the gateway has closed the connection.
    pub async fn receives(&mut self) -> Option<AnyMessage> {
        tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(frame) = self.frames.decode(&mut self.received).expect("whole frames") {
                    return Some(AnyMessage::decode(&frame, self.version).expect("a frame of the session's version"));
                }
                match self.stream.read_buf(&mut self.received).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => (),
                }
            }
        })
        .await
        .expect("a frame, which did not come")
    }

    /// Bytes as one read brings them.
    pub async fn reads_once(&mut self) -> BytesMut {
        let mut bytes = BytesMut::with_capacity(1 << 20);
        tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut bytes)).await.unwrap().unwrap();
        bytes
    }
}
