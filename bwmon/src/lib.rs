//! bwmon: counts each device's traffic in the kernel, compares it with thresholds, and says so.
//!
//! The way of the data is in `docs/design.md`; the wiring of it in `engine`.

mod chain;
pub mod cli;
pub mod config;
pub mod core;
pub mod engine;
pub mod http;
pub mod import;
pub mod kernel;
pub mod live;
pub mod notify;
pub mod past;
pub mod replay;
pub mod sources;
pub mod store;
pub mod tls;
mod tui;
