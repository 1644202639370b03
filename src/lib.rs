//! A gateway between agent clients and the ACD that queues and distributes their calls.
//!
//! The rooms, from the outside in: [`cli`] → [`server`] → [`dialects`] → [`operations`] → [`sessions`] → [`model`], and
//! `operations` → [`acd`] → `model`; `dialects` → [`access`] → `model`. Whoever counts something knows [`observe`], which
//! knows `model` only. [`config`] holds what an operator can set, one type a room, and [`tls`] what either side of a secured
//! connection needs.
//! Arrows point one way; events come back over channels that `operations` owns.

pub mod access;
pub mod acd;
pub mod cli;
pub mod config;
pub mod dialects;
pub mod model;
pub mod observe;
pub mod operations;
pub mod server;
pub mod sessions;
pub mod tls;
