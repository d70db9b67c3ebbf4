//! Whether the loop is alive, judged by the age of its last sample.

use std::time::{Duration, Instant};

/// A sample may be this many intervals old.
const PATIENCE: u32 = 5;

/// The last sample, as the loop reports it.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    /// When it was taken.
    pub at: Instant,
    /// The time between two samples.
    pub interval: Duration,
}

/// Why the loop is not alive.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Unhealthy {
    /// It has only just started, or hangs in its first sample.
    #[error("no sample has been taken yet")]
    NoSample,
    /// It hangs.
    #[error(
        "the last sample is {:.1} s old, at an interval of {:.1} s",
        age.as_secs_f64(),
        interval.as_secs_f64()
    )]
    Stale { age: Duration, interval: Duration },
}

/// The verdict.
pub(super) fn check(last: Option<Heartbeat>, now: Instant) -> Result<(), Unhealthy> {
    let Heartbeat { at, interval } = last.ok_or(Unhealthy::NoSample)?;
    let age = now.saturating_duration_since(at);
    if age < interval * PATIENCE {
        Ok(())
    } else {
        Err(Unhealthy::Stale { age, interval })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_alive_until_its_last_sample_is_five_intervals_old() {
        let interval = Duration::from_secs(1);
        let at = Instant::now();
        let stale = |age| Err(Unhealthy::Stale { age, interval });
        for (age, expected) in [
            (Duration::ZERO, Ok(())),
            (Duration::from_millis(4_999), Ok(())),
            (Duration::from_secs(5), stale(Duration::from_secs(5))),
            (
                Duration::from_secs(3_600),
                stale(Duration::from_secs(3_600)),
            ),
        ] {
            assert_eq!(
                check(Some(Heartbeat { at, interval }), at + age),
                expected,
                "{age:?}"
            );
        }
    }

    #[test]
    fn a_loop_without_a_sample_is_not_alive() {
        assert_eq!(check(None, Instant::now()), Err(Unhealthy::NoSample));
    }
}
