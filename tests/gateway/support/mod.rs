//! What the tests of the gateway share.

pub mod acd;
pub mod crm;
pub mod desk;
pub mod house;
pub mod node;
pub mod observed;
pub mod overheard;
pub mod phone;
pub mod recount;
pub mod schema;
pub mod wire;
