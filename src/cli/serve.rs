//! `ctigate serve`. Not here: what the gateway does.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use super::{USAGE, logging, runtime};
use crate::config::{Config, DialectName, ListenerConfig, Transport};
use crate::server::Gateway;

/// Run the gateway.
///
/// When every listener is bound and every ACD is up, one line goes to stdout: `ready {"ged188":"127.0.0.1:42027"}`.
/// Further listeners of a dialect are called ged188-2, ged188-3 and so on, in their order. Logs go to stderr. SIGTERM and
/// SIGINT stop it in good order.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file; without one, the embedded ACD is served on 127.0.0.1:42027.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen, in place of the addresses of the file; may be given several times. Port 0 picks a free one. The
    /// other settings are those of the file's first listener of that dialect: ged188, opencti (JSON lines over TCP) or
    /// opencti-ws (over WebSocket).
    #[arg(long, value_name = "DIALECT=ADDR:PORT", value_parser = listen)]
    listen: Vec<Listen>,
}

pub(super) fn run(args: Args) -> ExitCode {
    let file = args.config.as_ref().map(|file| file.display().to_string());
    let config = match &args.config {
        None => Ok(Config::default()),
        Some(file) => Config::from_file(file),
    };
    let mut config = match config {
        Ok(config) => config,
        Err(error) => return wrong(&error),
    };
    let given = !args.listen.is_empty();
    if given {
        config.listeners = args.listen.iter().map(|listen| listen.over(&config.listeners)).collect();
    }
    if let Err((key, what)) = config.check() {
        return wrong(&format!("--listen: {key}: {what}"));
    }
    if let Err(error) = logging::start(&config.log) {
        return wrong(&format!("{}: log.filter: {error}", file.as_deref().unwrap_or("the default configuration")));
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format!("cannot start: {error}")),
    };
    runtime.block_on(async {
        match Gateway::start(config).await {
            Ok(gateway) => serve(gateway).await,
            Err(error) => {
                let source = if given { "--listen" } else { file.as_deref().unwrap_or("the default configuration") };
                wrong(&format!("{source}: {error}"))
            }
        }
    })
}

async fn serve(gateway: Gateway) -> ExitCode {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return wrong(&"cannot listen for signals");
    };
    let listeners: serde_json::Map<_, _> =
        gateway.listeners().iter().map(|(name, address)| (name.clone(), address.to_string().into())).collect();
    let mut stdout = std::io::stdout();
    // Whoever started us may not be listening any more: that is no reason not to serve.
    let _ = writeln!(stdout, "ready {}", serde_json::Value::Object(listeners)).and_then(|()| stdout.flush());
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM"),
        _ = interrupt.recv() => info!("SIGINT"),
    }
    gateway.drain().await;
    ExitCode::SUCCESS
}

/// An address given on the command line.
#[derive(Debug, Clone)]
struct Listen {
    dialect: DialectName,
    transport: Transport,
    address: SocketAddr,
}

impl Listen {
    fn over(&self, configured: &[ListenerConfig]) -> ListenerConfig {
        let Listen { dialect, transport, address } = *self;
        let is_like = |listener: &&ListenerConfig| listener.dialect == dialect && listener.transport == transport;
        let settings = configured.iter().find(is_like).cloned();
        ListenerConfig { dialect, transport, address, ..settings.unwrap_or_default() }
    }
}

fn listen(text: &str) -> Result<Listen, String> {
    let (dialect, address) =
        text.split_once('=').ok_or("expected DIALECT=ADDR:PORT, such as ged188=127.0.0.1:42027")?;
    let (dialect, transport) = match dialect {
        "ged188" => (DialectName::Ged188, Transport::Tcp),
        "opencti" => (DialectName::Opencti, Transport::Tcp),
        "opencti-ws" => (DialectName::Opencti, Transport::Websocket),
        other => return Err(format!("there is no dialect {other:?}, only ged188, opencti and opencti-ws")),
    };
    let address: SocketAddr =
        address.parse().map_err(|error| format!("{address:?} is no address and port: {error}"))?;
    Ok(Listen { dialect, transport, address })
}

fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("ctigate: {error}");
    ExitCode::from(USAGE)
}
