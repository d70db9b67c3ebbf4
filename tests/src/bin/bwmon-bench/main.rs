//! `cargo xtask bench`: what bwmon costs, next to what costs nothing.
//!
//! Three questions, each answered by the kernel's own measure: nanoseconds a packet (against an
//! empty program on the same hook, in interleaved rounds), microseconds and system calls a poll, and
//! what an idle daemon takes.
#![expect(
    clippy::expect_used,
    reason = "a bench fails by panicking, with the reason"
)]

mod idle;
mod packets;
mod polls;

use serde::Serialize;

/// All that is measured.
#[derive(Serialize)]
struct Report {
    packets: Vec<packets::Cost>,
    polls: Vec<polls::Cost>,
    idle: idle::Cost,
}

fn main() {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let report = Report {
        packets: packets::measure(),
        polls: polls::measure(),
        idle: idle::measure(),
    };
    if as_json {
        println!(
            "{}",
            serde_json::to_string_pretty(&report).expect("the report is plain data")
        );
        return;
    }
    packets::print(&report.packets);
    polls::print(&report.polls);
    idle::print(&report.idle);
}

/// The middle one of an odd number of values, or the upper one of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
