//! `ctigate supervise`: how agents stand, and their states changed or ended: one agent's, many by queue, many by team.
//!
//! Lives here: arguments, the order of a run, its exit status. Not here: the session and whom it knows (`session`), what
//! is asked for each agent (`work`), how that is told (`report`).
//! Must hold: a gateway that says nothing, and a reader that takes nothing, hold it up for a bounded time only; the session
//! is closed in good order, so that nobody takes the supervisor's agent for lost.

use std::process::ExitCode;
use std::time::Duration;

use cti_protocol::ged188::codes::AgentState;
use cti_protocol::ged188::{Text, TextError, Version};
use tokio::io::AsyncWrite;
use tokio::signal::unix::{SignalKind, signal};

use super::client::{Client, ClientError, TlsArgs};
use super::{USAGE, runtime};
use report::Report;
use session::{Opening, SessionError, agents, open, teams};
use work::{Member, Order, Work};

mod report;
mod session;
mod work;

/// List agents, make them ready or not ready, or log them out: those named, those of a queue, those of a team.
///
/// With --as the session is that of a supervisor, who has the right over the agents of its teams; without, it is a bridge's
/// over all agents of a peripheral. Each agent is asked for how it stands, changed by a request of its own, and told of in a
/// line; a last line counts. Agents that are as they are wanted, or logged out, are left as they are. Events name in
/// CTIClientSignature who did it: the --client-signature. Exit status 1 if the gateway refused anything or did not answer in
/// time, 2 if the arguments are wrong or the gateway cannot be connected to.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The gateway's GED-188 listener.
    #[arg(value_name = "ADDR:PORT")]
    address: String,
    /// What to do. Changes need --agent, --queue or --team: nobody logs everybody out by leaving out a word.
    #[arg(value_enum)]
    action: Action,
    /// The supervisor's AgentID. Refused while a desktop of that agent is open under another ClientID.
    #[arg(long = "as", value_name = "ID")]
    supervisor: Option<String>,
    /// These agents only; may be given several times.
    #[arg(long = "agent", value_name = "ID", conflicts_with = "teams")]
    agents: Vec<String>,
    /// Those agents only that are logged in to this queue; `logout` has them leave this queue alone. May be given several
    /// times.
    #[arg(long = "queue", value_name = "N")]
    queues: Vec<u32>,
    /// The agents of this team of the supervisor only, and not those who supervise it; may be given several times.
    #[arg(long = "team", value_name = "N", requires = "supervisor")]
    teams: Vec<u32>,
    /// The reason code of `notready` and `logout`; 0 is none.
    #[arg(long, default_value_t = 0, value_name = "N")]
    reason: u16,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// How long to wait for an answer, in seconds.
    #[arg(long, default_value = "30", value_name = "S", value_parser = super::replay::seconds)]
    timeout: Duration,
    /// The protocol version to speak.
    #[arg(long, default_value = "20", value_name = "N", value_parser = super::client::parse_version)]
    protocol_version: Version,
    /// The ClientID to open with; the gateway's configuration may ask for a known one.
    #[arg(long, default_value = "ctigate-supervise", value_name = "ID")]
    client_id: String,
    /// The ClientPassword that belongs to it; other users of the machine can read arguments, but not the environment.
    #[arg(
        long,
        env = "CTIGATE_CLIENT_PASSWORD",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    #[arg(value_name = "PASSWORD")]
    client_password: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// Who is told to have done it [default: with --as "supervisor ID", else the ClientID]
    #[arg(long, value_name = "TEXT")]
    client_signature: Option<String>,
    /// The PeripheralID that the agents work at; 5000 is the demo world's.
    #[arg(long, default_value_t = 5000, value_name = "N")]
    peripheral: u32,
}

/// What is done with each agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Action {
    /// Tell how they stand.
    List,
    /// Let them take calls.
    Ready,
    /// Let them take no calls.
    #[value(name = "notready")]
    NotReady,
    /// Log them out, or out of the queues named.
    Logout,
}

/// Does it.
pub(super) fn run(args: &Args) -> ExitCode {
    let (opening, order) = match (args.opening(), args.order()) {
        (Ok(opening), Ok(order)) => (opening, order),
        (Err(error), _) | (_, Err(error)) => return wrong(&error),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format_args!("cannot start: {error}")),
    };
    let status = runtime.block_on(until_done_or_stopped(args, &opening, order));
    // A write to a stdout that nobody reads may never return: it is not waited for.
    runtime.shutdown_background();
    status
}

async fn until_done_or_stopped(args: &Args, opening: &Opening, order: Order) -> ExitCode {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return wrong(&"cannot listen for signals");
    };
    let mut stop = async || {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
        }
    };
    let way = match args.tls.way(&args.address) {
        Ok(way) => way,
        Err(error) => return wrong(&format_args!("--tls: {error}")),
    };
    let mut client = tokio::select! {
        () = stop() => return ExitCode::FAILURE,
        client = Client::connect(&way, opening.version) => match client {
            Ok(client) => client,
            Err(error) => return wrong(&format_args!("{}: {error}", args.address)),
        },
    };
    let mut work = Work::new(order, args.timeout);
    let mut report = Report::new(tokio::io::stdout(), args.json);
    let ended = tokio::select! {
        () = stop() => None,
        ended = supervise(args, opening, &mut client, &mut work, &mut report) => Some(ended),
    };
    let status = match ended {
        Some(Ok(())) if report.is_all_done() => ExitCode::SUCCESS,
        Some(Ok(())) => ExitCode::FAILURE,
        Some(Err(error)) => {
            eprintln!("ctigate supervise: {}: {error}", args.address);
            ExitCode::from(error.exit_status())
        }
        None => {
            work.count_the_rest(&mut report);
            eprintln!("ctigate supervise: stopped: {}", report.counts());
            ExitCode::FAILURE
        }
    };
    tokio::select! {
        () = stop() => (), // for the second time: a gateway that is slow with its goodbye is left
        () = client.say_goodbye() => (),
    }
    status
}

/// The whole run over a connection that stands.
async fn supervise<W: AsyncWrite + Unpin>(
    args: &Args,
    opening: &Opening,
    client: &mut Client,
    work: &mut Work,
    report: &mut Report<W>,
) -> Result<(), SuperviseError> {
    open(client, opening, args.timeout).await?;
    let members = match (&args.supervisor, args.named()?) {
        (_, named) if !named.is_empty() => named,
        (Some(_), _) => args.of_teams(teams(client, args.timeout).await?)?,
        (None, _) => agents(client, args.peripheral, args.timeout).await?,
    };
    work.take(members);
    let ended = work.run(client, report).await;
    work.tell_the_rest(report).await;
    if args.action != Action::List {
        report.end().await;
    }
    Ok(ended?)
}

impl Args {
    fn order(&self) -> Result<Order, UsageError> {
        let is_change = self.action != Action::List;
        if is_change && self.agents.is_empty() && self.queues.is_empty() && self.teams.is_empty() {
            return Err(UsageError::Whom);
        }
        if self.reason != 0 && !matches!(self.action, Action::NotReady | Action::Logout) {
            return Err(UsageError::Reason);
        }
        if self.queues.len() > QUEUES_MAX {
            return Err(UsageError::TooManyQueues { queues: self.queues.len() });
        }
        self.named()?;
        Ok(Order { action: self.action, queues: self.queues.clone(), reason: self.reason })
    }

    fn opening(&self) -> Result<Opening, UsageError> {
        let lists_agents = self.supervisor.is_none() && self.agents.is_empty();
        if lists_agents && self.protocol_version.number() < CONFIG_SINCE {
            return Err(UsageError::NoList);
        }
        let signature = match (&self.client_signature, &self.supervisor) {
            (Some(signature), _) => Some(signature.clone()),
            (None, Some(supervisor)) => Some(format!("supervisor {supervisor}")),
            (None, None) => None,
        };
        let fits = |name| move |why| UsageError::Field { name, why };
        Ok(Opening {
            version: self.protocol_version,
            peripheral: self.peripheral,
            supervisor: self.supervisor.as_deref().map(Text::new).transpose().map_err(fits("as"))?,
            lists_agents,
            client_id: Text::new(&self.client_id).map_err(fits("client-id"))?,
            client_password: session::password(&self.client_password).map_err(fits("client-password"))?,
            client_signature: signature.as_deref().map(Text::new).transpose().map_err(fits("client-signature"))?,
        })
    }

    /// The agents that the arguments name, each once.
    fn named(&self) -> Result<Vec<Member>, UsageError> {
        let mut named: Vec<Member> = Vec::new();
        for id in &self.agents {
            let id = Text::new(id).map_err(|why| UsageError::Field { name: "agent", why })?;
            if !named.iter().any(|member| member.id == id) {
                named.push(Member {
                    id,
                    peripheral: self.peripheral,
                    is_named: true,
                    known: None,
                    is_supervisor: false,
                });
            }
        }
        Ok(named)
    }

    /// The agents of the teams that are meant; a supervisor is told of, not changed.
    fn of_teams(&self, teams: session::Teams) -> Result<Vec<Member>, SuperviseError> {
        if let Some(&team) = self.teams.iter().find(|team| !teams.ids.contains(team)) {
            return Err(SuperviseError::NoSuchTeam { team, teams: teams.ids });
        }
        let mut members = teams.members(&self.teams);
        members.retain(|member| self.action == Action::List || !member.is_supervisor);
        Ok(members)
    }
}

impl Action {
    /// The state that is asked for; none where nothing is.
    fn wanted(self) -> Option<AgentState> {
        match self {
            Action::List => None,
            Action::Ready => Some(AgentState::AGENT_STATE_AVAILABLE),
            Action::NotReady => Some(AgentState::AGENT_STATE_NOT_READY),
            Action::Logout => Some(AgentState::AGENT_STATE_LOGOUT),
        }
    }
}

fn wrong(error: &impl std::fmt::Display) -> ExitCode {
    eprintln!("ctigate supervise: {error}");
    ExitCode::from(USAGE)
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
enum SuperviseError {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("--team {team} is not one of the supervisor's teams, which are {teams:?}")]
    NoSuchTeam { team: u32, teams: Vec<u32> },
}

impl SuperviseError {
    fn exit_status(&self) -> u8 {
        match self {
            SuperviseError::Usage(_) | SuperviseError::NoSuchTeam { .. } => USAGE,
            SuperviseError::Session(_) | SuperviseError::Client(_) => REFUSED,
        }
    }
}

/// Why it does not begin.
#[derive(Debug, thiserror::Error)]
enum UsageError {
    #[error("whom? a change needs --agent, --queue or --team")]
    Whom,
    #[error("--reason goes with notready and logout only")]
    Reason,
    #[error("--queue: {queues} queues are too many, a request names at most {QUEUES_MAX}")]
    TooManyQueues { queues: usize },
    #[error(
        "--protocol-version: versions before {CONFIG_SINCE} have no list of all agents: name them with --agent, or --as whom"
    )]
    NoList,
    #[error("--{name}: {why}")]
    Field { name: &'static str, why: TextError },
}

/// The gateway refused something, or did not answer.
const REFUSED: u8 = 1;
/// The most skill groups that SET_AGENT_STATE_REQ can name by its size.
const QUEUES_MAX: usize = 20;
/// The version that brought the messages of the configuration.
const CONFIG_SINCE: u32 = 19;

#[cfg(test)]
mod tests;
