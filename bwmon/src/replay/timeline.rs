//! When samples of a capture are taken: its own clock, cut into intervals.
//!
//! The monotonic clock of the daemon is the time since the first frame. Through silence samples get
//! rarer, since nothing can change but what waits for a time to pass.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Samples closer together say nothing more, and none at all would never end.
const SHORTEST: Duration = Duration::from_millis(100);
/// After so much silence every rate is zero and all that clears by default has cleared: from then on
/// there is a sample each minute, at its start.
const FINE_FOR: Duration = Duration::from_secs(3600);
/// A frame so much older than the last sample came late. One still older means that the clock was
/// set back.
const LATE: Duration = Duration::from_secs(10);
/// After so much silence nobody captured: the time between is not known.
const PAUSE: Duration = Duration::from_secs(31 * 24 * 3600);

/// The clock of a capture.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    interval: Duration,
    /// The last sample, or the first frame.
    sampled: Timestamp,
    /// The latest frame.
    latest: Timestamp,
    /// How often time did not pass as it does.
    pub(super) jumps: u64,
    /// Frames that came late.
    pub(super) late: u64,
}

/// A sample: when, and how long after the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) at: Timestamp,
    pub(super) elapsed: Duration,
}

impl Timeline {
    /// Begins with the first frame.
    pub(super) fn new(interval: Duration, first: Timestamp) -> Self {
        Self {
            interval: interval.max(SHORTEST),
            sampled: first,
            latest: first,
            jumps: 0,
            late: 0,
        }
    }

    /// Takes in the time of the next frame, and calls `sample` for each that was due before it.
    pub(super) fn advance(&mut self, to: Timestamp, mut sample: impl FnMut(Sample)) {
        if to < self.sampled {
            if since(to, self.sampled) > LATE {
                self.sampled = to;
                self.latest = to;
                self.jumps += 1;
            } else {
                self.late += 1;
            }
            return;
        }
        if since(self.latest, to) > PAUSE {
            // What is counted belongs to the time before.
            sample(self.step(self.interval));
            self.sampled = to;
            self.jumps += 1;
        }
        while let Some(step) = self.due(to) {
            sample(self.step(step));
        }
        self.latest = self.latest.max(to);
    }

    /// The sample after the last frame.
    pub(super) fn end(&mut self) -> Sample {
        self.step(self.interval)
    }

    fn step(&mut self, elapsed: Duration) -> Sample {
        self.sampled = later(self.sampled, elapsed);
        Sample {
            at: self.sampled,
            elapsed,
        }
    }

    /// How long after the last sample the next one is, if it is due by `to`.
    fn due(&self, to: Timestamp) -> Option<Duration> {
        let left = since(self.sampled, to);
        if left < self.interval {
            return None;
        }
        if since(self.latest, self.sampled) < FINE_FOR {
            return Some(self.interval);
        }
        let into_minute = self.sampled.as_nanosecond().rem_euclid(60_000_000_000);
        let to_minute = Duration::from_nanos(60_000_000_000 - into_minute as u64);
        Some(to_minute.max(self.interval).min(left))
    }
}

/// The time from `earlier` to `later`; zero if it is earlier.
fn since(earlier: Timestamp, later: Timestamp) -> Duration {
    Duration::try_from(later.duration_since(earlier)).unwrap_or_default()
}

fn later(at: Timestamp, elapsed: Duration) -> Timestamp {
    SignedDuration::try_from(elapsed)
        .ok()
        .and_then(|elapsed| at.checked_add(elapsed).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(seconds: f64) -> Timestamp {
        later(start(), Duration::from_secs_f64(seconds))
    }

    /// A Monday, at the start of a minute.
    fn start() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().unwrap()
    }

    fn samples(timeline: &mut Timeline, to: f64) -> Vec<Sample> {
        let mut samples = Vec::new();
        timeline.advance(at(to), |sample| samples.push(sample));
        samples
    }

    #[test]
    fn a_sample_is_due_each_interval() {
        let mut timeline = Timeline::new(SECOND, start());
        assert_eq!(samples(&mut timeline, 0.9), []);
        let due = samples(&mut timeline, 3.2);
        assert_eq!(due.len(), 3);
        assert_eq!(due[2].at, at(3.0));
        assert!(due.iter().all(|sample| sample.elapsed == SECOND));
    }

    #[test]
    fn after_an_hour_of_silence_there_is_one_each_minute() {
        let mut timeline = Timeline::new(SECOND, at(0.5));
        let day = 24.0 * 3600.0;
        let due = samples(&mut timeline, day);
        assert_eq!(due.len(), 3600 + 23 * 60);
        assert!(
            due[3600..]
                .iter()
                .all(|sample| sample.at.as_second() % 60 == 0)
        );
        assert_eq!(due.last().unwrap().at, at(day));
        assert_eq!(samples(&mut timeline, day + 2.0).len(), 2);
    }

    #[test]
    fn a_late_frame_moves_no_clock() {
        let mut timeline = Timeline::new(SECOND, start());
        samples(&mut timeline, 20.0);
        assert_eq!(samples(&mut timeline, 12.0), []);
        assert_eq!((timeline.late, timeline.jumps), (1, 0));
        assert_eq!(samples(&mut timeline, 21.0).len(), 1);
    }

    #[test]
    fn a_clock_set_back_or_far_ahead_takes_no_time() {
        let mut timeline = Timeline::new(SECOND, start());
        samples(&mut timeline, 100.0);
        assert_eq!(samples(&mut timeline, 40.0), []);
        assert_eq!(samples(&mut timeline, 42.0).len(), 2);
        let year = 366.0 * 24.0 * 3600.0;
        assert_eq!(samples(&mut timeline, year).len(), 1);
        assert_eq!(timeline.jumps, 2);
        assert_eq!(samples(&mut timeline, year + 1.0).len(), 1);
    }

    proptest! {
        #[test]
        fn samples_tile_the_time(gaps in prop::collection::vec(0.0_f64..20_000.0, 1..5), millis in 1_000_u64..60_000) {
            let interval = Duration::from_millis(millis);
            let mut timeline = Timeline::new(interval, start());
            let (mut now, mut last) = (0.0, start());
            for gap in gaps {
                now += gap;
                for sample in samples(&mut timeline, now) {
                    prop_assert_eq!(since(last, sample.at), sample.elapsed);
                    prop_assert!(sample.elapsed >= interval);
                    prop_assert!(sample.at <= at(now));
                    last = sample.at;
                }
                prop_assert!(since(last, at(now)) < interval);
            }
        }

        #[test]
        fn any_times_end_soon(times in prop::collection::vec(any::<i64>(), 1..4)) {
            let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
            let mut times = times.into_iter().map(|time| {
                let width = range.end() - range.start();
                Timestamp::from_second(range.start() + time.rem_euclid(width)).unwrap()
            });
            let mut timeline = Timeline::new(SECOND, times.next().unwrap());
            let mut count = 0;
            for time in times {
                timeline.advance(time, |_| count += 1);
            }
            prop_assert!(count < 3 * 50_000);
        }
    }
}
