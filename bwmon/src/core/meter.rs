//! From samples to differences and rates.

use std::time::Duration;

use bwmon_common::layout::{Counter, Row};

/// Time constant of a device's rate (DESIGN: EWMA with k = exp(−Δt/τ)).
pub const RATE_TIME_CONSTANT: Duration = Duration::from_secs(5);

/// A rate below this is silence.
const SILENCE_BYTES_PER_SEC: f64 = 1.0;

/// The last reading of a table, from which the next one is a difference.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    rows: Vec<Row>,
}

impl Baseline {
    /// Starts from known readings: slot and what it had counted. Other slots had counted nothing.
    pub fn new(slots: usize, known: impl IntoIterator<Item = (u32, Row)>) -> Self {
        let mut rows = vec![Row::default(); slots];
        for (slot, row) in known {
            if let Some(known) = rows.get_mut(slot as usize) {
                *known = row;
            }
        }
        Self { rows }
    }

    /// Calls `changed` with each slot that counted something since the last reading, and what.
    ///
    /// Counters only grow. One that seems smaller was read while a 32-bit CPU wrote it; it is left
    /// for the next reading, which has the whole difference.
    pub fn advance(&mut self, reading: &[Row], mut changed: impl FnMut(u32, Row)) {
        for ((slot, last), now) in (0..).zip(&mut self.rows).zip(reading) {
            if last == now {
                continue;
            }
            let difference = Row {
                sent: grown(&mut last.sent, now.sent),
                received: grown(&mut last.received, now.received),
                sent_local: grown(&mut last.sent_local, now.sent_local),
                received_local: grown(&mut last.received_local, now.received_local),
            };
            if difference != Row::default() {
                changed(slot, difference);
            }
        }
    }

    /// Takes back what [`Self::advance`] reported of a slot, so that the next reading reports it.
    pub fn undo(&mut self, slot: u32, difference: Row) {
        if let Some(row) = self.rows.get_mut(slot as usize) {
            *row = minus(*row, difference);
        }
    }

    /// The slots that ever counted something, and how much, as of the last reading.
    pub fn counted(&self) -> impl Iterator<Item = (u32, Row)> {
        (0..)
            .zip(&self.rows)
            .filter(|(_, row)| **row != Row::default())
            .map(|(slot, row)| (slot, *row))
    }
}

fn grown(last: &mut Counter, now: Counter) -> Counter {
    let step = |last: &mut u64, now: u64| {
        let difference = now.saturating_sub(*last);
        *last += difference;
        difference
    };
    Counter {
        bytes: step(&mut last.bytes, now.bytes),
        packets: step(&mut last.packets, now.packets),
    }
}

/// The sum of two rows.
pub fn plus(a: Row, b: Row) -> Row {
    zip(a, b, u64::wrapping_add)
}

/// What `now` has more than `earlier`; zero where that is less.
pub fn minus(now: Row, earlier: Row) -> Row {
    zip(now, earlier, u64::saturating_sub)
}

fn zip(a: Row, b: Row, op: impl Fn(u64, u64) -> u64) -> Row {
    let both = |a: Counter, b: Counter| Counter {
        bytes: op(a.bytes, b.bytes),
        packets: op(a.packets, b.packets),
    };
    Row {
        sent: both(a.sent, b.sent),
        received: both(a.received, b.received),
        sent_local: both(a.sent_local, b.sent_local),
        received_local: both(a.received_local, b.received_local),
    }
}

/// Smoothed rates, bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// Uploading.
    pub sent: f64,
    /// Downloading.
    pub received: f64,
}

impl Rates {
    /// Takes in what was sent and received in the time `elapsed`: an exponentially weighted moving
    /// average with weight exp(−Δt/τ) for the past, so that an uneven Δt does no harm.
    pub fn update(&mut self, sent: u64, received: u64, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        if seconds <= 0.0 {
            return;
        }
        let keep = (-seconds / RATE_TIME_CONSTANT.as_secs_f64()).exp();
        let average = |past: f64, bytes: u64| {
            let rate = past * keep + bytes as f64 / seconds * (1.0 - keep);
            if rate < SILENCE_BYTES_PER_SEC {
                0.0
            } else {
                rate
            }
        };
        self.sent = average(self.sent, sent);
        self.received = average(self.received, received);
    }

    /// Neither way.
    pub fn is_silent(&self) -> bool {
        self.sent == 0.0 && self.received == 0.0
    }

    /// Both ways together.
    pub fn total(&self) -> f64 {
        self.sent + self.received
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(bytes: u64) -> Row {
        Row {
            sent: Counter { bytes, packets: 1 },
            ..Row::default()
        }
    }

    fn differences(baseline: &mut Baseline, reading: &[Row]) -> Vec<(u32, u64)> {
        let mut found = Vec::new();
        baseline.advance(reading, |slot, row| found.push((slot, row.sent.bytes)));
        found
    }

    #[test]
    fn only_slots_that_counted_are_reported() {
        let mut baseline = Baseline::new(3, []);
        assert_eq!(
            differences(&mut baseline, &[row(0), row(5), Row::default()]),
            [(0, 0), (1, 5)]
        );
        assert_eq!(
            differences(&mut baseline, &[row(0), row(9), Row::default()]),
            [(1, 4)]
        );
        assert_eq!(
            differences(&mut baseline, &[row(0), row(9), Row::default()]),
            []
        );
    }

    #[test]
    fn a_known_start_is_not_counted_again() {
        let mut baseline = Baseline::new(2, [(1, row(100))]);
        assert_eq!(
            differences(&mut baseline, &[Row::default(), row(130)]),
            [(1, 30)]
        );
    }

    #[test]
    fn a_torn_reading_loses_nothing() {
        let mut baseline = Baseline::new(1, []);
        differences(&mut baseline, &[row(1 << 32)]);
        assert_eq!(differences(&mut baseline, &[row(7)]), []);
        assert_eq!(differences(&mut baseline, &[row((1 << 32) + 7)]), [(0, 7)]);
    }

    #[test]
    fn a_steady_stream_is_its_own_rate() {
        let mut rates = Rates::default();
        for _ in 0..60 {
            rates.update(500, 1_000, Duration::from_secs(1));
        }
        assert!(
            (rates.received - 1_000.0).abs() < 0.1 && (rates.sent - 500.0).abs() < 0.1,
            "{rates:?}"
        );
    }

    #[test]
    fn silence_ends_in_zero() {
        let mut rates = Rates {
            sent: 1e9,
            received: 0.0,
        };
        for _ in 0..200 {
            rates.update(0, 0, Duration::from_secs(1));
        }
        assert!(rates.is_silent());
    }

    proptest! {
        #[test]
        fn differences_add_up_to_the_last_reading(steps in prop::collection::vec(0_u64..1 << 40, 1..50)) {
            let mut baseline = Baseline::new(1, []);
            let (mut reading, mut seen) = (0, 0);
            for step in steps {
                reading += step;
                seen += differences(&mut baseline, &[row(reading)]).iter().map(|(_, bytes)| bytes).sum::<u64>();
            }
            prop_assert_eq!(seen, reading);
        }

        #[test]
        fn the_rate_does_not_depend_on_how_time_is_cut(parts in prop::collection::vec(1_u64..2_000, 1..40)) {
            // A constant stream of 1 MB/s, cut into parts of any length.
            let mut cut = Rates::default();
            for part in &parts {
                cut.update(part * 1_000, 0, Duration::from_millis(*part));
            }
            let mut whole = Rates::default();
            let total: u64 = parts.iter().sum();
            whole.update(total * 1_000, 0, Duration::from_millis(total));
            prop_assert!((cut.sent - whole.sent).abs() < 1.0, "{} {}", cut.sent, whole.sent);
        }
    }
}
