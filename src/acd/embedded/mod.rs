//! The embedded ACD.
