//! When to try again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};

/// The times that delivery goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The longest wait after the first failure.
    pub(super) first: Duration,
    /// The longest wait after any.
    pub(super) longest: Duration,
    /// The longest wait that a receiver may ask for.
    pub(super) longest_asked_for: Duration,
    /// How often it is looked whether quiet hours are over.
    pub(super) look: Duration,
    /// How long a shutdown may take.
    pub(super) farewell: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5 * 60),
            longest_asked_for: Duration::from_secs(3600),
            look: Duration::from_secs(15),
            farewell: Duration::from_secs(2),
        }
    }
}

impl Pace {
    /// The waits after each failure in a row: exponential, with full jitter, so that routers
    /// that lost the same receiver don't come back to it at the same moment.
    pub(super) fn waits(self) -> impl Iterator<Item = Duration> {
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .without_max_times()
            .build();
        // backon's own jitter only makes a wait longer.
        waits.map(|wait| wait.mul_f64(fraction()))
    }
}

/// Random, 0 to 1. Each `RandomState` has keys of its own, which is random enough for this.
fn fraction() -> f64 {
    f64::from((RandomState::new().hash_one(()) >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_never_end() {
        let pace = Pace::default();
        let mut most = [Duration::ZERO; 12];
        for _ in 0..1000 {
            for (most, wait) in most.iter_mut().zip(pace.waits()) {
                *most = wait.max(*most);
            }
        }
        for (number, most) in (0..).zip(most) {
            let bound = Duration::from_secs(1 << number).min(pace.longest);
            assert!(most <= bound, "{number}: {most:?}");
            assert!(most > bound.mul_f64(0.9), "{number}: {most:?}");
        }
        assert!(pace.waits().nth(10_000).is_some());
    }

    #[test]
    fn some_waits_are_short() {
        let wait = || Pace::default().waits().nth(11).unwrap();
        assert!((0..1000).any(|_| wait() < Duration::from_secs(30)));
    }
}
