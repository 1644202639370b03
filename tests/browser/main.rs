//! The example desktop in a real browser, in front of a gateway, over a cable that can be pulled: `tests/run` starts these
//! tests where a browser can be had.

#![allow(missing_docs, unreachable_pub)]

mod cable;
mod chromium;
mod desktop;
#[path = "../gateway/support/node.rs"]
mod node;
#[path = "../gateway/support/schema.rs"]
mod schema;
