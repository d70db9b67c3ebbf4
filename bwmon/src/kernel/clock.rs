//! The two clocks, and the name of this machine: what the pure part gets as arguments.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::time::{Monotonic, Now};

/// Reads both clocks.
pub fn now() -> Now {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for writing; CLOCK_MONOTONIC always exists, so the call can't fail.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Now {
        monotonic: Monotonic(Duration::new(seconds, nanoseconds)),
        wall: Timestamp::now(),
    }
}

/// This machine's host name.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

/// Differs for every boot.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}

/// CPUs that may ever be there, which is what tables are made for.
pub fn possible_cpus() -> std::io::Result<u32> {
    let cpus = aya::util::nr_cpus().map_err(|(_, error)| error)?;
    Ok(u32::try_from(cpus).unwrap_or(u32::MAX))
}
