//! `ctigate serve`. Not here: what the gateway does.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use super::logging::Logs;
use super::{USAGE, logging, runtime, supervisor};
use crate::config::{Config, DialectName, ListenerConfig, LogFormat, Transport};
use crate::server::Gateway;

/// Run the gateway.
///
/// When every listener is bound and every ACD is up, one line goes to stdout: `ready {"ged188":"127.0.0.1:42027"}`.
/// Further listeners of a dialect are called ged188-2, ged188-3 and so on, in their order. Logs go to stderr. SIGTERM and
/// SIGINT stop it in good order; SIGHUP reads the configuration, certificates and secrets again.
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
    /// Where /metrics, /healthz, /readyz and /config are, in place of the file's `observe.address`: on the loopback, port 0 picks a
    /// free one. The `ready` line has it as "observe".
    #[arg(long, value_name = "ADDR:PORT")]
    observe: Option<SocketAddr>,
}

pub(super) fn run(args: Args) -> ExitCode {
    let config = match args.config() {
        Ok(config) => config,
        Err(error) => return wrong(&error),
    };
    let logs = match logging::start(&config.log) {
        Ok(logs) => logs,
        Err(error) => return wrong(&format!("{}: log.filter: {error}", args.source())),
    };
    say_whatever_the_filter(&config);
    if let Err(error) = dump_no_core() {
        warn!(%error, "secrets in memory may end in a core dump");
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(async {
        match Gateway::start(config).await {
            Ok(gateway) => serve(gateway, &args, &logs).await,
            Err(error) => wrong(&format!("{}: {error}", args.source())),
        }
    });
    // A name that is being resolved by a system without names would be waited for.
    runtime.shutdown_timeout(LEFTOVERS);
    code
}

/// What is not secure is a warning at every start; where the log leaves warnings out it is said all the same.
fn say_whatever_the_filter(config: &Config) {
    if !tracing::enabled!(target: "ctigate::server", tracing::Level::WARN) {
        for (key, what) in config.insecurities() {
            let message = "not secure, and allow_insecure lets it be so";
            let line = match config.log.format {
                LogFormat::Text => format!("{message} key={key:?} what={what:?}"),
                LogFormat::Json => json!({"level": "WARN", "message": message, "key": key, "what": what}).to_string(),
            };
            let _nobody_hears = writeln!(std::io::stderr(), "{line}");
        }
    }
}

/// How long what is left is waited for when all is done.
const LEFTOVERS: Duration = Duration::from_secs(1);

impl Args {
    /// What is to be served, by the file and the other arguments.
    fn config(&self) -> Result<Config, String> {
        let mut config = match &self.config {
            None => Config::default(),
            Some(file) => Config::from_file(file).map_err(|error| error.to_string())?,
        };
        if !self.listen.is_empty() {
            config.listeners = self.listen.iter().map(|listen| listen.over(&config.listeners)).collect();
        }
        if self.observe.is_some() {
            config.observe.address = self.observe;
        }
        config.check().map_err(|(key, what)| format!("{}: {key}: {what}", self.source_of(&key)))?;
        Ok(config)
    }

    /// Where a key was set.
    fn source_of(&self, key: &str) -> String {
        match self.observe {
            Some(_) if key.starts_with("observe.") => "--observe".to_owned(),
            _ => self.source(),
        }
    }

    /// Where what is wrong with a listener was said.
    fn source(&self) -> String {
        match (&self.config, self.listen.is_empty()) {
            (_, false) => "--listen".to_owned(),
            (Some(file), true) => file.display().to_string(),
            (None, true) => "the default configuration".to_owned(),
        }
    }
}

async fn serve(gateway: Gateway, args: &Args, logs: &Logs) -> ExitCode {
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
    else {
        return wrong(&"cannot listen for signals");
    };
    let mut listeners: serde_json::Map<_, _> =
        gateway.listeners().iter().map(|(name, address)| (name.clone(), address.to_string().into())).collect();
    if let Some(address) = gateway.observed_at() {
        listeners.insert("observe".to_owned(), address.to_string().into());
    }
    let mut stdout = std::io::stdout();
    // Whoever started us may not be listening any more: that is no reason not to serve.
    let _ = writeln!(stdout, "ready {}", serde_json::Value::Object(listeners)).and_then(|()| stdout.flush());
    supervisor::ready();
    let watchdog = tokio::spawn(supervisor::watchdog());
    loop {
        tokio::select! {
            _ = terminate.recv() => break info!("SIGTERM"),
            _ = interrupt.recv() => break info!("SIGINT"),
            _ = hangup.recv() => {
                supervisor::reloading();
                reload(&gateway, args, logs);
                supervisor::ready();
            }
        }
    }
    supervisor::stopping();
    gateway.drain().await;
    watchdog.abort();
    ExitCode::SUCCESS
}

/// SIGHUP. What cannot be used is said in the log and changes nothing.
fn reload(gateway: &Gateway, args: &Args, logs: &Logs) {
    info!("SIGHUP, reading the configuration again");
    let reloaded = match args.config() {
        Ok(config) => gateway.reload(&config).map_err(|error| format!("{}: {error}", args.source())),
        Err(error) => Err(error),
    };
    match reloaded {
        Ok(reloaded) => logs.filter_by(&reloaded.config.log.filter),
        Err(error) => error!(error, "the configuration cannot be used, nothing has changed"),
    }
}

/// Secrets stay in memory: the system is told to write no core dump of it.
fn dump_no_core() -> std::io::Result<()> {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    Ok(rustix::process::setrlimit(rustix::process::Resource::Core, none)?)
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
