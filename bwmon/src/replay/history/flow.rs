//! How the bytes of a bucket are taken to have moved within it.
//!
//! A bucket knows its sum and the highest smoothed rate in it. It is played as one burst of that
//! rate at its start, for as long as the bytes last but [`BURST`] seconds at most, and the rest
//! evenly. So averages are exact, a level is reached that was reached, and a rate that lasted longer
//! than that is one that the averages show.

use bwmon_common::layout::{Counter, Row};

use crate::{
    core::{history::Moved, usage::ACTIVE_BYTES},
    store::Tier,
};

/// Seconds that a peak is taken to last at most: enough for the `for` of a rate rule, and for the
/// smoothed rate to get there.
const BURST: i64 = 30;
/// Between two samples of a burst, seconds.
const BURST_STEP: i64 = 10;

/// Whether the highest rates of buckets are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peaks {
    /// As bursts.
    Played,
    /// All is even: what fires then would have fired.
    Flat,
}

/// A bucket that is being played. Times are seconds since the epoch.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Whose, as its place in the reader.
    pub(super) series: usize,
    pub(super) tier: Tier,
    pub(super) start: i64,
    /// The end of the bucket.
    pub(super) end: i64,
    /// When the last of it has moved.
    moved_by: i64,
    pub(super) moved: Moved,
    sent: Burst,
    received: Burst,
    fed: Row,
}

/// The start of a bucket in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Burst {
    /// Seconds.
    length: i64,
    bytes: f64,
}

impl Flow {
    /// `active`: in how many minutes of it the device was active, where that is known.
    pub(super) fn new(
        series: usize,
        tier: Tier,
        [start, end]: [i64; 2],
        moved: Moved,
        active: Option<u32>,
        peaks: Peaks,
    ) -> Self {
        let length = (end - start).max(1);
        let minutes = active.filter(|minutes| *minutes > 0);
        let lasting = minutes.map_or(length, |minutes| length.min(60 * i64::from(minutes)));
        let mut row = moved.row;
        for counter in [&mut row.sent, &mut row.received] {
            // Imported bytes come without packets, and a device that sends is not silent.
            if counter.bytes > 0 && counter.packets == 0 {
                counter.packets = 1;
            }
        }
        // What makes the other minutes active ones.
        let kept = minutes.map_or(0, |minutes| u64::from(minutes - 1) * (ACTIVE_BYTES + 1024));
        let total = row.sent.bytes.saturating_add(row.received.bytes).max(1) as f64;
        let burst = |counter: Counter, peak: u64| {
            let bytes = counter.bytes as f64;
            let kept = kept as f64 * bytes / total;
            match peaks {
                Peaks::Played => Burst::new(bytes, bytes - kept, peak as f64, lasting),
                Peaks::Flat => Burst::default(),
            }
        };
        Self {
            series,
            tier,
            start,
            end,
            moved_by: start + lasting,
            moved: Moved {
                row,
                peak: moved.peak,
            },
            sent: burst(row.sent, moved.peak.sent),
            received: burst(row.received, moved.peak.received),
            fed: Row::default(),
        }
    }

    /// What moved since it was last asked, up to `at`.
    pub(super) fn advance(&mut self, at: i64) -> Row {
        let Self { moved, fed, .. } = self;
        let until = if at >= self.moved_by {
            None
        } else {
            Some(at - self.start)
        };
        let lasting = self.moved_by - self.start;
        let sent = self.sent.share(until, moved.row.sent.bytes, lasting);
        let received = self
            .received
            .share(until, moved.row.received.bytes, lasting);
        let part = |counter: Counter, fed: &mut Counter, share: f64| {
            let upto = |all: u64| match share >= 1.0 {
                true => all,
                false => (all as f64 * share) as u64,
            };
            let upto = Counter {
                bytes: upto(counter.bytes).max(fed.bytes),
                packets: upto(counter.packets).max(fed.packets),
            };
            let part = Counter {
                bytes: upto.bytes - fed.bytes,
                packets: upto.packets - fed.packets,
            };
            *fed = upto;
            part
        };
        Row {
            sent: part(moved.row.sent, &mut fed.sent, sent),
            received: part(moved.row.received, &mut fed.received, received),
            sent_local: part(moved.row.sent_local, &mut fed.sent_local, sent),
            received_local: part(moved.row.received_local, &mut fed.received_local, received),
        }
    }

    /// The highest rate that it is played with, bytes per second.
    pub(super) fn highest(&self) -> u64 {
        let Moved { row, peak } = self.moved;
        let seconds = (self.moved_by - self.start).max(1).unsigned_abs();
        let sent = peak.sent.max(row.sent.bytes / seconds);
        sent.saturating_add(peak.received.max(row.received.bytes / seconds))
    }

    /// Flows of which this is the same are sampled at the same times.
    pub(super) fn shape(&self) -> (i64, i64, i64) {
        (self.start, self.end, self.moved_by)
    }

    /// When samples are taken of it where only sums and levels matter.
    pub(super) fn rough_steps(&self, fine: bool, into: &mut Vec<i64>) {
        into.extend([self.start, self.end]);
        if fine {
            into.extend(self.burst_steps());
        }
    }

    /// What a rate rule waits for takes several samples.
    fn burst_steps(&self) -> impl Iterator<Item = i64> {
        let steps = (1..=BURST / BURST_STEP).map(|step| self.start + step * BURST_STEP);
        steps.filter(|at| *at < self.end)
    }

    /// When samples are taken of it. `fine`: bursts matter.
    pub(super) fn steps(&self, fine: bool, into: &mut Vec<i64>) {
        into.push(self.start);
        if fine {
            into.extend(self.burst_steps());
        }
        let step = match self.tier {
            Tier::Minute | Tier::Quarter | Tier::Hour => 60,
            Tier::Day if self.moved_by < self.end => 60,
            Tier::Day => 900,
        };
        let mut at = self.start + step;
        while at < self.moved_by {
            into.push(at);
            at += step;
        }
        into.extend([self.moved_by, self.end]);
    }
}

impl Burst {
    /// Of so many bytes within `lasting` seconds, `spare` of which may be in the burst.
    fn new(bytes: f64, spare: f64, peak: f64, lasting: i64) -> Self {
        if peak <= 0.0 || bytes <= 0.0 || lasting <= BURST {
            return Self::default();
        }
        let steps = (spare / (peak * BURST_STEP as f64)).ceil();
        let length = BURST_STEP * (steps as i64).clamp(1, BURST / BURST_STEP);
        let even = bytes * length as f64 / lasting as f64;
        let most = (peak * length as f64).min(spare);
        match most > even {
            true => Self {
                length,
                bytes: most,
            },
            false => Self::default(),
        }
    }

    /// Which share of `bytes` has moved after so many seconds of `lasting`; `None`: after all.
    fn share(&self, until: Option<i64>, bytes: u64, lasting: i64) -> f64 {
        let Some(until) = until else {
            return 1.0;
        };
        if until <= 0 || bytes == 0 {
            return 0.0;
        }
        let (bytes, until) = (bytes as f64, until as f64);
        let (length, lasting) = (self.length as f64, lasting as f64);
        if until <= length {
            return self.bytes / bytes * until / length;
        }
        let rest = (bytes - self.bytes) * (until - length) / (lasting - length);
        (self.bytes + rest) / bytes
    }
}

/// In how many minutes of each bucket a device was active, given that it was for `active` minutes of
/// them all: by how long each is, in minutes, and how many bytes moved in it.
///
/// A minute with [`ACTIVE_BYTES`] is active, so a bucket has room for as many as its bytes suffice
/// for; each gets its share by that room.
pub(super) fn active_minutes(buckets: &[(u32, u64)], active: u64) -> Vec<u32> {
    let room = |(length, bytes): &(u32, u64)| u64::from(*length).min(bytes / (ACTIVE_BYTES + 1024));
    let all: u64 = buckets.iter().map(room).sum();
    let active = active.min(all);
    let mut before = 0;
    let mut given = 0;
    buckets
        .iter()
        .map(|bucket| {
            before += room(bucket);
            let upto = (active * before).checked_div(all).unwrap_or(0);
            let minutes = upto - given;
            given = upto;
            u32::try_from(minutes).unwrap_or(u32::MAX)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::history::Peak;

    fn moved(sent: u64, received: u64, peak: u64) -> Moved {
        let counter = |bytes| Counter {
            bytes,
            packets: bytes / 1000,
        };
        Moved {
            row: Row {
                sent: counter(sent),
                received: counter(received),
                sent_local: counter(sent / 3),
                received_local: counter(received / 2),
            },
            peak: Peak {
                sent: peak / 2,
                received: peak,
            },
        }
    }

    fn received(flow: &mut Flow, steps: &[i64]) -> Vec<u64> {
        let steps = steps.iter().map(|at| flow.advance(*at).received.bytes);
        steps.collect()
    }

    fn check(peak: u64, peaks: Peaks, steps: &[i64], expected: &[u64]) {
        let moved = moved(0, 600_000, peak);
        let mut flow = Flow::new(0, Tier::Minute, [0, 60], moved, None, peaks);
        assert_eq!(received(&mut flow, steps), expected, "{peak} {peaks:?}");
    }

    #[test]
    fn a_bucket_is_even_but_for_its_peak() {
        check(
            0,
            Peaks::Played,
            &[10, 30, 60],
            &[100_000, 200_000, 300_000],
        );
        check(
            15_000,
            Peaks::Played,
            &[10, 30, 60],
            &[150_000, 300_000, 150_000],
        );
        check(
            15_000,
            Peaks::Flat,
            &[10, 30, 60],
            &[100_000, 200_000, 300_000],
        );
        // It did not last that long.
        check(
            40_000,
            Peaks::Played,
            &[10, 20, 30, 60],
            &[300_000, 300_000, 0, 0],
        );
        check(90_000, Peaks::Played, &[10, 20, 60], &[600_000, 0, 0]);
    }

    #[test]
    fn active_minutes_go_where_bytes_are() {
        type Row<'a> = (&'a [(u32, u64)], u64, &'a [u32]);
        let rows: [Row<'_>; 4] = [
            (&[(15, 1 << 30), (15, 1 << 30)], 10, &[5, 5]),
            (&[(15, 1 << 30), (15, 0)], 10, &[10, 0]),
            (&[(15, 1 << 30), (15, 70_000)], 100, &[15, 1]),
            (&[], 5, &[]),
        ];
        for (buckets, active, expected) in rows {
            assert_eq!(active_minutes(buckets, active), expected, "{buckets:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_added(
            sent in 0_u64..1 << 50, got in 0_u64..1 << 50, peak in 0_u64..1 << 40,
            active in prop::option::of(0_u32..=60), flat: bool, fine: bool,
        ) {
            let peaks = if flat { Peaks::Flat } else { Peaks::Played };
            let what = moved(sent, got, peak);
            let mut flow = Flow::new(0, Tier::Hour, [0, 3600], what, active, peaks);
            let mut steps = Vec::new();
            flow.steps(fine, &mut steps);
            steps.sort_unstable();
            let mut sum = Row::default();
            for at in steps {
                sum = crate::core::meter::plus(sum, flow.advance(at));
            }
            prop_assert_eq!(sum.sent.bytes, sent);
            prop_assert_eq!(sum.received, Counter { packets: flow.moved.row.received.packets, ..what.row.received });
            prop_assert_eq!(sum.received_local, what.row.received_local);
        }

        #[test]
        fn no_step_is_faster_than_the_peak_unless_the_average_is(
            got in 0_u64..1 << 40, peak in 1_u64..1 << 30,
        ) {
            let mut flow = Flow::new(0, Tier::Minute, [0, 60], moved(0, got, peak), None, Peaks::Played);
            let steps = received(&mut flow, &[10, 20, 30, 60]);
            let most = (peak * 10).max(got.div_ceil(6)) + 1;
            prop_assert!(steps[..3].iter().all(|bytes| *bytes <= most), "{steps:?} {most}");
        }
    }
}
