//! What time it is, and how old an event is.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::time::Instant;

/// The two clocks of delivery. The hours of the day are those of the wall clock, and ages are
/// measured in the time that bwmon has run, over all its runs: a wall clock that jumps, as after
/// a boot without a battery, makes no event old, and neither does a machine that was off.
#[derive(Clone)]
pub(super) struct Clock {
    started: Instant,
    ran_before: Duration,
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Clock {
    /// Goes on after `ran_before`, with what `wall` says about the time of day.
    pub(super) fn new(
        ran_before: Duration,
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            started: Instant::now(),
            ran_before,
            wall: Arc::new(wall),
        }
    }

    /// How long bwmon has run, in this run and all before it.
    pub(super) fn ran(&self) -> Duration {
        self.ran_before + self.started.elapsed()
    }

    /// The time of day.
    pub(super) fn now(&self) -> Timestamp {
        (self.wall)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}
