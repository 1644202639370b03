//! The commands of `ctigate agent`: a line in, a command or a reason why not out.

use std::num::ParseIntError;
use std::str::FromStr;

use cti_protocol::ged188::codes::AgentState;

/// What a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Login {
        queues: Vec<u32>,
    },
    Ready,
    NotReady {
        reason: u16,
    },
    Work {
        then: AgentState,
    },
    State,
    Logout {
        reason: u16,
        queues: Vec<u32>,
    },
    Help,
    Quit,
    /// An empty line or a comment.
    Nothing,
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Command, CommandError> {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
        let Some(name) = words.next() else { return Ok(Command::Nothing) };
        let command = match name {
            "login" => Command::Login { queues: queues(&mut words)? },
            "ready" => Command::Ready,
            "notready" => Command::NotReady { reason: reason(words.next())? },
            "work" => Command::Work { then: after_work(words.next())? },
            "state" => Command::State,
            "logout" => Command::Logout { reason: reason(words.next())?, queues: queues(&mut words)? },
            "help" | "?" => Command::Help,
            "quit" | "exit" => Command::Quit,
            _ => return Err(CommandError::Unknown { name: name.to_owned() }),
        };
        match words.next() {
            Some(word) => Err(CommandError::TooMuch { name: name.to_owned(), word: word.to_owned() }),
            None => Ok(command),
        }
    }
}

fn reason(word: Option<&str>) -> Result<u16, CommandError> {
    let Some(word) = word else { return Ok(0) };
    word.parse().map_err(|why| CommandError::Number { what: "reason", word: word.to_owned(), why })
}

fn queues<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<u32>, CommandError> {
    let queue =
        |word: &str| word.parse().map_err(|why| CommandError::Number { what: "queue", word: word.to_owned(), why });
    let queues: Vec<u32> = words.map(queue).collect::<Result<_, _>>()?;
    if queues.len() > QUEUES_MAX {
        return Err(CommandError::TooManyQueues { queues: queues.len() });
    }
    Ok(queues)
}

fn after_work(word: Option<&str>) -> Result<AgentState, CommandError> {
    match word {
        None | Some("notready") => Ok(AgentState::AGENT_STATE_WORK_NOT_READY),
        Some("ready") => Ok(AgentState::AGENT_STATE_WORK_READY),
        Some(word) => Err(CommandError::AfterWork { word: word.to_owned() }),
    }
}

/// Why a line is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("unknown command {name:?}, try help")]
    Unknown { name: String },
    #[error("{name}: {word:?} is too much, try help")]
    TooMuch { name: String, word: String },
    #[error("{what} {word:?}: {why}")]
    Number { what: &'static str, word: String, why: ParseIntError },
    #[error("{queues} queues are too many, a request names at most {QUEUES_MAX}")]
    TooManyQueues { queues: usize },
    #[error("work is followed by ready or notready, not by {word:?}")]
    AfterWork { word: String },
}

/// Said by `help`.
pub(super) const HELP: &str = "\
login [QUEUE...]             log in to these queues, or to all that the agent has
ready                        take calls
notready [REASON]            take none
work [ready|notready]        wrap up, and what comes after
state                        ask how the agent stands
logout [REASON] [QUEUE...]   leave these queues, or all; reason 0 is none
help                         this
quit                         close the session; the agent's state stays as it is";

/// The most skill groups that SET_AGENT_STATE_REQ can name by its size.
const QUEUES_MAX: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn means(line: &str, command: Command) {
        assert_eq!(line.parse(), Ok(command), "{line:?}");
    }

    #[test]
    fn every_command_is_understood_with_and_without_its_extras() {
        means("login", Command::Login { queues: vec![] });
        means("  login 1,2 3 ", Command::Login { queues: vec![1, 2, 3] });
        means("ready", Command::Ready);
        means("notready", Command::NotReady { reason: 0 });
        means("notready 12", Command::NotReady { reason: 12 });
        means("work", Command::Work { then: AgentState::AGENT_STATE_WORK_NOT_READY });
        means("work ready", Command::Work { then: AgentState::AGENT_STATE_WORK_READY });
        means("state", Command::State);
        means("logout", Command::Logout { reason: 0, queues: vec![] });
        means("logout 5 1 2", Command::Logout { reason: 5, queues: vec![1, 2] });
        means("help", Command::Help);
        means("quit", Command::Quit);
        means("", Command::Nothing);
        means(" # a comment", Command::Nothing);
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (line, said) in [
            ("dance", "unknown command \"dance\", try help"),
            ("ready now", "ready: \"now\" is too much, try help"),
            ("notready lunch", "reason \"lunch\": invalid digit found in string"),
            ("notready 65536", "reason \"65536\": number too large to fit in target type"),
            ("login sales", "queue \"sales\": invalid digit found in string"),
            ("work hard", "work is followed by ready or notready, not by \"hard\""),
        ] {
            let refused = line.parse::<Command>().unwrap_err();
            assert_eq!(refused.to_string(), said);
        }
    }

    #[test]
    fn no_more_queues_than_a_request_can_name() {
        let line = |queues: u32| (1..=queues).fold("login".to_owned(), |line, queue| format!("{line} {queue}"));
        assert!(line(20).parse::<Command>().is_ok());
        assert_eq!(line(21).parse::<Command>(), Err(CommandError::TooManyQueues { queues: 21 }));
    }
}
