//! Waiting for a condition, up to a deadline.

use std::{
    fmt::Display,
    thread,
    time::{Duration, Instant},
};

/// Long enough for anything that should happen at once, even on a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

/// Time between two looks at the condition.
const PAUSE: Duration = Duration::from_millis(20);

/// Tries `condition` until it is `Ok` and returns what it holds.
///
/// # Panics
/// When the deadline has passed, with the last reason.
#[track_caller]
pub fn wait_until<T, E: Display>(
    what: &str,
    deadline: Duration,
    mut condition: impl FnMut() -> Result<T, E>,
) -> T {
    let end = Instant::now() + deadline;
    loop {
        match condition() {
            Ok(value) => return value,
            Err(reason) if Instant::now() >= end => {
                panic!("waited {deadline:?} in vain for {what}: {reason}")
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
