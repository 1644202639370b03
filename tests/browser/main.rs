//! The example desktop in a real Chromium, before the gateway as people start it: `tests/run` starts these tests where there
//! is one. CHROMIUM names another one than that of the search path.

#![allow(missing_docs, unreachable_pub)]

mod agent;
mod cable;
mod chromium;
mod desktop;
mod gateway;
mod looks;
mod lost;
mod strangers;
