//! The gateway in front of a real Asterisk: `tests/run` starts these tests where one can be had.

#![allow(missing_docs, unreachable_pub)]

mod desk;
mod faults;
mod mapping;
mod phone;
mod phones;
mod proxy;
mod rig;
mod scale;
