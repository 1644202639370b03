//! What benches of whole processes share: processes, cores, spreads of figures.
//!
//! Not here: what is measured.
#![allow(dead_code, unused_imports, reason = "each bench uses its part of it")]

mod process;
mod spread;

pub(crate) use process::{Process, address_of, keep_to_core, memory_bytes};
pub(crate) use spread::Spread;

/// Why there are no figures.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
