//! The pure part: from a sample of the counter table to alerts.
//!
//! Everything here is a function of its inputs. Time, configuration and facts come in as arguments;
//! there is no I/O, no clock, no logging, no task. `cargo xtask lint` holds this module to it.
//!
//! In the order of the data's way: [`meter`] (differences and rates), [`devices`] (whose they are),
//! [`usage`] (of the day), [`rules`] (is this unusual?), [`alerts`] (since when, and who is told).

pub mod event;
pub mod mac;
pub mod policy;
pub mod time;
pub mod view;
