//! What a subject reached in each hour of the last five weeks, a byte an hour.
//!
//! An hour is known by its highest level, because a peak of ten seconds has to be compared with such
//! peaks and not with means. Hours are those of UTC: that a local hour moves by one twice a year is
//! covered by [`usual`](super::usual), which looks at the hours next to it too.

/// Five weeks.
pub(super) const HOURS: usize = 35 * 24;

/// The level of an hour in which bwmon did not run, or did not know the time.
pub(super) const UNKNOWN: u8 = 255;

/// The highest of the levels that are told apart.
const LOUDEST: u8 = 254;
/// The bytes a second of it: 64 GiB.
pub(super) const LOUDEST_BYTES_PER_SEC: f64 = (1_u64 << 36) as f64;
/// The binary logarithm of the lowest level that is not silence: 1/16 byte a second.
const QUIETEST_LOG2: f64 = -4.0;
/// From one level to the next: a ninth more.
const STEP_LOG2: f64 = 40.0 / (LOUDEST - 1) as f64;

/// The level in `bytes_per_sec`, as the nearest of 254 on a logarithmic scale; 0 is silence.
pub(super) fn code(bytes_per_sec: f64) -> u8 {
    let steps = (bytes_per_sec.log2() - QUIETEST_LOG2) / STEP_LOG2;
    if steps < -0.5 {
        0
    } else {
        // The cast saturates.
        (steps.round() as u8).min(LOUDEST - 1) + 1
    }
}

/// The bytes a second of a level that is known.
pub(super) fn bytes_per_sec(code: u8) -> f64 {
    match code {
        0 => 0.0,
        code => (QUIETEST_LOG2 + f64::from(code - 1) * STEP_LOG2).exp2(),
    }
}

/// The hours up to `newest`, which goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    /// Hours since the epoch.
    newest: i64,
    /// The hour `h` is at `h` modulo [`HOURS`].
    levels: Box<[u8; HOURS]>,
}

impl Profile {
    /// Knows nothing before `hour`, and nothing of it.
    pub(super) fn starting(hour: i64) -> Self {
        Self {
            newest: hour,
            levels: Box::new([UNKNOWN; HOURS]),
        }
    }

    /// The hour that goes on.
    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    /// The highest level in `hour`; [`UNKNOWN`] also for hours too long ago or to come.
    pub(super) fn level(&self, hour: i64) -> u8 {
        if self.is_kept(hour) {
            self.levels[slot(hour)]
        } else {
            UNKNOWN
        }
    }

    /// Goes on to `hour`; the hours on the way, and it, start with `level`.
    pub(super) fn advance(&mut self, hour: i64, level: u8) {
        let first = hour.saturating_sub(HOURS as i64).max(self.newest);
        for between in first..hour {
            self.levels[slot(between + 1)] = level;
        }
        self.newest = self.newest.max(hour);
    }

    /// Takes in a level of `hour`.
    pub(super) fn reach(&mut self, hour: i64, level: u8) {
        if self.is_kept(hour) {
            let highest = &mut self.levels[slot(hour)];
            if *highest == UNKNOWN || *highest < level {
                *highest = level;
            }
        }
    }

    /// Forgets all that is later than `hour`, which goes on: the clock had been ahead.
    pub(super) fn rewind(&mut self, hour: i64) {
        let mut earlier = Self::starting(hour);
        for kept in hour.saturating_sub(HOURS as i64 - 1)..=hour {
            earlier.levels[slot(kept)] = self.level(kept);
        }
        *self = earlier;
    }

    /// Takes in another's hours: the louder of two levels.
    pub(super) fn merge(&mut self, other: &Self) {
        self.advance(other.newest, UNKNOWN);
        for (hour, level) in other.known() {
            self.reach(hour, level);
        }
    }

    /// The hours that are known, the oldest first, with their level.
    pub(super) fn known(&self) -> impl Iterator<Item = (i64, u8)> {
        (self.newest.saturating_sub(HOURS as i64 - 1)..=self.newest)
            .map(|hour| (hour, self.level(hour)))
            .filter(|(_, level)| *level != UNKNOWN)
    }

    fn is_kept(&self, hour: i64) -> bool {
        hour <= self.newest && hour > self.newest.saturating_sub(HOURS as i64)
    }
}

fn slot(hour: i64) -> usize {
    hour.rem_euclid(HOURS as i64) as usize
}
