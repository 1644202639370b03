//! The messages: one table each, by topic.
//!
//! Lives here: what the guide prints, row by row. Not here: how a table is read (`table`), and anything else.

mod agent;
mod call_control;
mod call_data;
mod call_events;
mod config;
mod misc;
mod monitor;
mod recording;
mod session;
mod snapshots;
mod statistics;
mod supervisor;

pub use agent::*;
pub use call_control::*;
pub use call_data::*;
pub use call_events::*;
pub use config::*;
pub use misc::*;
pub use monitor::*;
pub use recording::*;
pub use session::*;
pub use snapshots::*;
pub use statistics::*;
pub use supervisor::*;
