//! OpenCTI's messages: golden texts, hostile ones, round trips, and the published schema.

#![allow(missing_docs)]

mod properties;
mod published;
mod vectors;
