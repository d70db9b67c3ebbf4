//! The pure part: from a sample of the counter table to alerts.
//!
//! Everything here is a function of its inputs. Time, configuration and facts come in as arguments;
//! there is no I/O, no clock, no logging, no task. `cargo xtask lint` holds this module to it.
//!
//! In the order of the data's way: [`meter`] (differences and rates), [`ledger`] (whose they are, and
//! all that follows), [`usage`] (of the day), [`rules`] (is this unusual?), [`alerts`] (since when,
//! and who is told).

mod activity;
pub mod alerts;
pub mod coverage;
pub mod cycle;
mod device;
pub mod durations;
pub mod event;
pub mod forecast;
pub mod history;
pub mod human;
mod identity;
mod known;
pub mod ledger;
pub mod mac;
pub mod message;
pub mod meter;
pub mod names;
pub mod policy;
pub mod rules;
pub mod schedule;
pub mod schema;
mod shown;
pub mod slots;
pub mod suggest;
pub mod surge;
pub mod text;
pub mod time;
mod total;
pub mod trial;
pub mod usage;
pub mod view;
pub mod words;
