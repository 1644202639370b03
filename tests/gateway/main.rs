//! The gateway seen from outside.

#![allow(missing_docs, unreachable_pub)]

mod audit;
mod call_control;
mod call_data;
mod calls;
mod configuration;
mod encounters;
mod fanout;
mod faults;
mod following;
mod grace;
mod guesses;
mod limits;
mod logout;
mod nodes;
mod observe;
mod opencti;
mod opencti_calls;
mod proving;
mod rate;
mod resume;
mod revoked;
mod roles;
mod secrets;
mod session;
mod sockets;
mod state;
mod statistics;
mod stories;
mod supervision;
mod supervisors;
mod support;
mod thousand;
mod tls;
mod websocket;
