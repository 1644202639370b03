//! `ctigate agent`: an agent's desktop for a terminal or a pipe, one line a command, one line an event.
//!
//! Lives here: the conversation. Not here: what a line means (`command`), how a message reads (`words`), the connection
//! (`client`).
//! Must hold: a command waits for the answer of the one before it; nothing that came before the goodbye stays unprinted.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use cti_protocol::ged188::codes::AgentState;
use cti_protocol::ged188::{AnyMessage, HeartbeatReq, Version};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::client::{
    ANSWER_WAIT, CLOSE_WAIT, Client, ClientError, Desktop, DesktopError, Identity, Way, close, not_granted,
};
use super::{USAGE, runtime};
use command::{Command, HELP};

mod command;
pub(super) mod words;

/// Be an agent's desktop: commands in, answers and events out, a line each.
///
/// Commands are login, ready, notready, work, state, logout, help and quit. They are run one after another, each waits
/// for its answer; the end of the input is `quit`. Exit status 1 if the connection failed or, where the input is not a
/// terminal, a command was refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The gateway's GED-188 listener.
    #[arg(long, value_name = "ADDR:PORT")]
    connect: String,
    /// The agent's id.
    #[arg(long, value_name = "ID")]
    agent: String,
    /// The agent's password [default: "pw" and the id, as in the demo world]
    #[arg(long)]
    password: Option<String>,
    /// The agent's instrument [default: the id plus 2000, as in the demo world]
    #[arg(long, value_name = "ID")]
    instrument: Option<String>,
    /// The protocol version to speak.
    #[arg(long, default_value = "20", value_name = "N", value_parser = super::client::parse_version)]
    protocol_version: Version,
    #[command(flatten)]
    identity: Identity,
}

/// Runs the desktop on standard input and output.
pub(super) fn run(args: &Args) -> ExitCode {
    match runtime() {
        Ok(runtime) => runtime.block_on(talk(args)),
        Err(error) => {
            eprintln!("ctigate agent: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn talk(args: &Args) -> ExitCode {
    let desktop = match args.desktop() {
        Ok(desktop) => desktop,
        Err(error) => {
            eprintln!("ctigate agent: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let way = match args.identity.tls.way(&args.connect) {
        Ok(way) => way,
        Err(error) => {
            eprintln!("ctigate agent: --tls: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let is_terminal = std::io::stdin().is_terminal();
    let out = Out { to: std::io::stdout(), prompts: is_terminal };
    match converse(&way, args.protocol_version, &desktop, stdin_lines(), out).await {
        Ok(Talked { refused: 0 }) => ExitCode::SUCCESS,
        Ok(_) if is_terminal => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ctigate agent: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Args {
    fn desktop(&self) -> Result<Desktop, UsageError> {
        let instrument = match (&self.instrument, self.agent.parse::<u64>()) {
            (Some(instrument), _) => instrument.clone(),
            (None, Ok(number)) => number.saturating_add(2000).to_string(),
            (None, Err(_)) => return Err(UsageError::NoInstrument { agent: self.agent.clone() }),
        };
        let password = self.password.clone().unwrap_or_else(|| format!("pw{}", self.agent));
        Ok(Desktop::new(&self.agent, &password, &instrument, &self.identity)?)
    }
}

/// How a conversation that ended well went.
#[derive(Debug, PartialEq, Eq)]
struct Talked {
    /// Commands that were refused or not understood.
    refused: usize,
}

async fn converse(
    way: &Way,
    version: Version,
    desktop: &Desktop,
    lines: mpsc::Receiver<String>,
    mut out: Out<impl Write>,
) -> Result<Talked, AgentError> {
    let mut client = Client::connect(way, version).await?;
    let invoke_id = client.next_invoke_id();
    client.send(desktop.open(invoke_id, version, Some(IDLE_TIMEOUT_S))).await?;
    let waiting = Waiting::new(invoke_id, "open", ANSWER_WAIT);
    let mut talk =
        Talk { client, desktop, waiting: Some(waiting), heartbeats_unanswered: 0, refused: 0, is_open: false };
    talk.until_end(lines, &mut out).await?;
    Ok(Talked { refused: talk.refused })
}

/// A conversation under way.
struct Talk<'a> {
    client: Client,
    desktop: &'a Desktop,
    /// The request that the next command waits for.
    waiting: Option<Waiting>,
    heartbeats_unanswered: u32,
    refused: usize,
    is_open: bool,
}

struct Waiting {
    invoke_id: u32,
    what: &'static str,
    deadline: Instant,
}

impl Waiting {
    fn new(invoke_id: u32, what: &'static str, wait: Duration) -> Waiting {
        Waiting { invoke_id, what, deadline: Instant::now() + wait }
    }
}

impl Talk<'_> {
    async fn until_end(
        &mut self,
        mut lines: mpsc::Receiver<String>,
        out: &mut Out<impl Write>,
    ) -> Result<(), AgentError> {
        let mut heartbeats = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = self.waiting.as_ref().map(|waiting| waiting.deadline);
            tokio::select! { biased;
                heard = self.client.receive() => match heard {
                    Ok(message) => {
                        if self.on_message(&message, out)? {
                            return Ok(());
                        }
                    }
                    Err(error) if error.is_final() => return Err(error.into()),
                    Err(error) => out.line(&format!("a message cannot be read: {error}"))?,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Err(AgentError::NoAnswer { what: self.waiting.as_ref().map_or("request", |it| it.what) });
                }
                _ = heartbeats.tick() => self.heartbeat().await?,
                line = lines.recv(), if self.waiting.is_none() => {
                    self.on_line(line.as_deref().unwrap_or("quit"), out).await?;
                }
            }
        }
    }

    /// Prints what came, and says whether it was the goodbye.
    fn on_message(&mut self, message: &AnyMessage, out: &mut Out<impl Write>) -> Result<bool, AgentError> {
        let answers = |waiting: &mut Waiting| message.invoke_id() == Some(waiting.invoke_id);
        if let AnyMessage::HeartbeatConf(_) = message {
            self.heartbeats_unanswered = 0;
            return Ok(false);
        }
        let Some(waiting) = self.waiting.take_if(answers) else {
            out.line(&words::told(message))?;
            if self.waiting.is_none() {
                out.prompt()?; // it was written over
            }
            return Ok(false);
        };
        match words::refusal(message) {
            Some(why) if !self.is_open => return Err(AgentError::OpenRefused { why }),
            Some(why) => {
                self.refused += 1;
                out.line(&format!("{} refused: {why}", waiting.what))?;
            }
            None => out.line(&words::answered(waiting.what, message))?,
        }
        if let AnyMessage::OpenConf(opened) = message {
            if let Some(missing) = not_granted(opened) {
                return Err(AgentError::OpenRefused { why: format!("{missing:?} was not granted") });
            }
            self.is_open = true;
        }
        if waiting.what == CLOSE {
            return Ok(true); // confirmed or not: there is nothing left to say
        }
        out.prompt()?;
        Ok(false)
    }

    async fn on_line(&mut self, line: &str, out: &mut Out<impl Write>) -> Result<(), AgentError> {
        let command = match line.parse() {
            Ok(Command::Nothing) => return Ok(out.prompt()?),
            Ok(Command::Help) => {
                out.line(HELP)?;
                return Ok(out.prompt()?);
            }
            Ok(command) => command,
            Err(error) => {
                self.refused += 1;
                out.line(&format!("{error}"))?;
                return Ok(out.prompt()?);
            }
        };
        let (id, desktop) = (self.client.next_invoke_id(), self.desktop);
        let (what, request, wait): (_, AnyMessage, _) = match command {
            Command::Login { queues } => ("login", desktop.login(id, &queues).into(), ANSWER_WAIT),
            Command::Logout { reason, queues } => ("logout", desktop.logout(id, reason, &queues).into(), ANSWER_WAIT),
            Command::Ready => ("ready", desktop.state(id, AgentState::AGENT_STATE_AVAILABLE, 0).into(), ANSWER_WAIT),
            Command::NotReady { reason } => {
                ("not ready", desktop.state(id, AgentState::AGENT_STATE_NOT_READY, reason).into(), ANSWER_WAIT)
            }
            Command::Work { then } => ("work", desktop.state(id, then, 0).into(), ANSWER_WAIT),
            Command::State => ("state", desktop.query(id).into(), ANSWER_WAIT),
            Command::Quit | Command::Help | Command::Nothing => (CLOSE, close(id).into(), CLOSE_WAIT),
        };
        self.client.send(request).await?;
        self.waiting = Some(Waiting::new(id, what, wait));
        Ok(())
    }

    async fn heartbeat(&mut self) -> Result<(), AgentError> {
        if self.heartbeats_unanswered >= HEARTBEATS_UNANSWERED_MAX {
            return Err(AgentError::NoAnswer { what: "heartbeat" });
        }
        self.heartbeats_unanswered += 1;
        let invoke_id = self.client.next_invoke_id();
        Ok(self.client.send(HeartbeatReq { invoke_id, ..Default::default() }).await?)
    }
}

/// Where the lines go.
struct Out<W> {
    to: W,
    /// Only a terminal is asked for the next command.
    prompts: bool,
}

impl<W: Write> Out<W> {
    fn line(&mut self, line: &str) -> std::io::Result<()> {
        let over_prompt = if self.prompts { "\r" } else { "" };
        writeln!(self.to, "{over_prompt}{line}")?;
        self.to.flush()
    }

    fn prompt(&mut self) -> std::io::Result<()> {
        if self.prompts {
            write!(self.to, "> ")?;
            self.to.flush()?;
        }
        Ok(())
    }
}

/// The lines of standard input. A thread of its own, because a read of a terminal cannot be called off: the thread ends
/// with the process.
fn stdin_lines() -> mpsc::Receiver<String> {
    let (lines, taken) = mpsc::channel(LINES_WAITING_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if lines.blocking_send(line).is_err() {
                break;
            }
        }
    });
    taken
}

/// Why the conversation did not end well.
#[derive(Debug, thiserror::Error)]
enum AgentError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("open refused: {why}")]
    OpenRefused { why: String },
    #[error("the gateway did not answer: {what}")]
    NoAnswer { what: &'static str },
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

/// Why it does not begin.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("--instrument is needed, agent {agent:?} is no number to derive it from")]
    NoInstrument { agent: String },
    #[error(transparent)]
    Desktop(#[from] DesktopError),
}

const CLOSE: &str = "close";
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Four heartbeats, as the guide wants it.
const IDLE_TIMEOUT_S: u32 = 120;
/// So many without an answer are the connection's end, by the guide.
const HEARTBEATS_UNANSWERED_MAX: u32 = 3;
const LINES_WAITING_MAX: usize = 64;

#[cfg(test)]
mod tests;
