//! What befalls a gateway that runs as a process of its own, and what arrives all the same: it is killed, it is sent away
//! under load, its ACD answers twice, late or for another request, ten thousand clients come back at once, and the system has no descriptors, no disk, no names, no right time.

#![cfg(unix)]
#![allow(unreachable_pub)] // each module is seen by the others of this binary only

mod ami;
mod answers;
mod client;
mod drain;
mod kill;
mod process;
mod secrets;
mod storm;
mod system;
