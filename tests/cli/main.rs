//! The command line, as a process.

#![allow(unreachable_pub)] // each module is seen by the others of this binary only

mod check_config;
mod decode;
#[path = "../gateway/support/schema.rs"]
mod opencti_schema;
mod pipes;
mod schema;
mod secure;
mod serve;
mod support;
