//! Time zones in which it is the time that a test wants.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 24 * 3600;

/// A POSIX time zone in which so many seconds of the day have passed now.
pub fn zone_in_which_passed(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let of_day = now.unwrap_or_default().as_secs() as i64 % DAY;
    // East of Greenwich is positive here, and negative in POSIX.
    let mut east = (seconds - of_day).rem_euclid(DAY);
    if east > DAY / 2 {
        east -= DAY;
    }
    let sign = if east < 0 { "+" } else { "-" };
    let east = east.abs();
    format!(
        "<TST>{sign}{:02}:{:02}:{:02}",
        east / 3600,
        east / 60 % 60,
        east % 60
    )
}

/// A POSIX time zone in which the day ends so many seconds from now.
pub fn zone_with_midnight_in(seconds: i64) -> String {
    zone_in_which_passed(DAY - seconds)
}
