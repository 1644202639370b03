//! GED-188 seen from outside: the catalogue against the facts, golden vectors, properties, framing.

mod building;
mod facts;
mod framing;
mod properties;
mod samples;
mod tables;
mod truncation;
mod vectors;
