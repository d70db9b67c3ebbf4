//! What a test needs and a machine may lack.

use std::{env, fs::OpenOptions, io::Write};

/// Says that a test is skipped since `what` is missing; the test then returns.
///
/// The line goes to stderr and, when `BWMON_SKIP_LOG` names a file, is appended there, so that skips
/// can be counted even though the test runner hides the output of tests that pass.
///
/// # Panics
/// When `BWMON_REQUIRE_ALL` is set: where nothing may be missing, a skip is a failure.
#[track_caller]
pub fn missing(what: &str) {
    assert!(
        env::var_os("BWMON_REQUIRE_ALL").is_none(),
        "{what} is missing, and BWMON_REQUIRE_ALL is set"
    );
    let test = std::thread::current().name().unwrap_or("test").to_owned();
    let line = format!("skipped {test}: {what} is missing\n");
    eprint!("{line}");
    if let Some(path) = env::var_os("BWMON_SKIP_LOG") {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .expect("open the file that BWMON_SKIP_LOG names");
        log.write_all(line.as_bytes())
            .expect("append to the file that BWMON_SKIP_LOG names");
    }
}
