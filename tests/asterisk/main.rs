//! The gateway in front of a real Asterisk: `tests/run` starts these tests where one can be had.

#![allow(missing_docs, unreachable_pub)]

mod baresip;
mod calls;
mod crm;
mod desk;
mod faults;
mod mapping;
#[path = "../gateway/support/node.rs"]
mod node;
mod phone;
mod phones;
mod proxy;
mod rig;
mod scale;
#[path = "../gateway/support/schema.rs"]
mod schema;
mod supervision;
mod tls;
