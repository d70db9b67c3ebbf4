//! What a daemon takes that has nothing to do.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use bwmon_tests::{Lan, Setup, wait_until};
use serde::Serialize;

const ADDRESSES: u32 = 1_000;
const WATCHED_FOR: Duration = Duration::from_secs(60);
const AT_MOST: Duration = Duration::from_secs(60);

/// Of a daemon that knows a thousand addresses, none of which does anything.
#[derive(Serialize)]
pub(crate) struct Cost {
    addresses: u32,
    /// `VmRSS`.
    resident_mib: f64,
    /// On all CPUs, from the scheduler's own count.
    cpu_seconds_an_hour: f64,
}

pub(crate) fn measure() -> Cost {
    let lan = Lan::new();
    let setup = Setup::new(&lan.router, &["lan0"])
        .config("poll_interval = \"1s\"\nlocal_networks = [\"10.0.0.0/22\", \"fd00::/64\"]");
    let daemon = setup.start();
    lan.upload((0..ADDRESSES).map(|host| {
        let source = if host % 2 == 0 {
            format!("10.0.{}.{}", host >> 8, host & 0xff)
        } else {
            format!("fd00::{host:x}")
        };
        let destination = if host % 2 == 0 {
            "203.0.113.9"
        } else {
            "2001:db8::9"
        };
        Lan::packet(&source, destination).build()
    }));
    wait_until("all addresses and silence after them", AT_MOST, || {
        let addresses = daemon.api.addresses()?;
        let is_silent = daemon
            .api
            .json("/api/v1/devices")?
            .as_array()
            .is_some_and(|devices| devices.iter().all(|device| device["sent_rate"] == 0));
        if addresses.len() >= ADDRESSES as usize && is_silent {
            Ok(())
        } else {
            Err(format!("{} addresses", addresses.len()))
        }
    });
    let (started, before) = (Instant::now(), cpu_time(daemon.pid()));
    thread::sleep(WATCHED_FOR);
    let used = cpu_time(daemon.pid()) - before;
    Cost {
        addresses: ADDRESSES,
        resident_mib: daemon.resident_kib() as f64 / 1024.0,
        cpu_seconds_an_hour: used.as_secs_f64() / started.elapsed().as_secs_f64() * 3600.0,
    }
}

/// CPU time of all threads, as the scheduler counts it, to the nanosecond.
fn cpu_time(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("list the daemon's threads");
    let nanoseconds = tasks
        .map(|task| {
            let path = task
                .expect("list the daemon's threads")
                .path()
                .join("schedstat");
            let stat = fs::read_to_string(path).expect("read a thread's CPU time");
            let first = stat
                .split_ascii_whitespace()
                .next()
                .and_then(|first| first.parse::<u64>().ok());
            first.expect("the kernel counts CPU time")
        })
        .sum();
    Duration::from_nanos(nanoseconds)
}

pub(crate) fn print(cost: &Cost) {
    println!(
        "\nan idle daemon that knows {} addresses, watched for {} s",
        cost.addresses,
        WATCHED_FOR.as_secs()
    );
    println!("{:>7.1} MiB resident", cost.resident_mib);
    println!("{:>7.1} CPU seconds an hour", cost.cpu_seconds_an_hour);
}
