use std::{collections::BTreeMap, time::Duration};

use bwmon_common::layout::{Counter, Row};
use jiff::{Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::{
    tests::{KIB, at, seconds, sent, today},
    *,
};

/// What the module promises, computed from all samples at once.
#[derive(Default)]
struct Model {
    latest: i64,
    minutes: BTreeMap<i64, u64>,
    bytes: u64,
}

impl Model {
    fn add(&mut self, minute: i64, bytes: u64) {
        self.latest = self.latest.max(minute);
        *self.minutes.entry(self.latest).or_default() += bytes;
        self.bytes += bytes;
    }

    fn active_minutes(&self) -> u64 {
        let active: Vec<i64> = self
            .minutes
            .iter()
            .filter(|(_, bytes)| **bytes >= ACTIVE_BYTES)
            .map(|(minute, _)| *minute)
            .collect();
        let bridged = active.windows(2).map(|pair| pair[1] - pair[0] - 1);
        let bridged = bridged
            .filter(|gap| *gap <= i64::from(LINGER_MINUTES))
            .sum::<i64>();
        active.len() as u64 + bridged as u64
    }
}

fn samples() -> impl Strategy<Value = Vec<(i64, u64)>> {
    let step = prop_oneof![8 => 0..5_i64, 1 => -10..0_i64];
    let sample = (
        step,
        prop_oneof![0..200 * KIB, Just(63 * KIB), Just(64 * KIB)],
    );
    proptest::collection::vec(sample, 0..200)
}

proptest! {
    #[test]
    fn active_time_and_bytes_are_those_of_the_samples(samples in samples()) {
        let (mut usage, mut model, mut minute) = (today(), Model::default(), 1000);
        for (step, bytes) in samples {
            minute += step;
            usage.record(&at(minute), &sent(bytes), Scope::Internet);
            model.add(minute, bytes);
            prop_assert_eq!(usage.active().as_secs(), 60 * model.active_minutes());
            prop_assert_eq!(usage.sent, model.bytes);
        }
    }

    #[test]
    fn no_byte_is_lost_or_counted_twice_over_days(
        samples in proptest::collection::vec((-90_000..200_000_i64, any::<[u32; 4]>()), 1..60),
    ) {
        let zone = TimeZone::UTC;
        let (mut clock, mut monotonic) = (1_772_900_000_i64, 0);
        let mut day = LocalDay::new(Timestamp::from_second(clock).unwrap().to_zoned(zone.clone()).date());
        let mut usage = DayUsage::on(day.day);
        let (mut finished, mut sum) = ([0_u64; 4], [0_u64; 4]);
        for (step, numbers) in samples {
            clock += step;
            monotonic += 1000;
            let now = Now { monotonic: Monotonic(Duration::from_secs(monotonic)), ..seconds(clock) };
            if let Some(done) = usage.roll(day.follow(&now, &zone)) {
                add(&mut finished, counters(&done));
            }
            prop_assert!(usage.day >= now.day(&zone), "never behind the clock");
            let numbers = numbers.map(u64::from);
            let [sent, received, sent_local, received_local] =
                numbers.map(|bytes| Counter { bytes, packets: 1 });
            usage.record(&now, &Row { sent, received, sent_local, received_local }, Scope::Internet);
            add(&mut sum, numbers);
        }
        add(&mut finished, counters(&usage));
        prop_assert_eq!(finished, sum);
    }

    #[test]
    fn a_restart_at_any_sample_changes_nothing(samples in samples(), restart in 0..200_usize) {
        let (mut usage, mut minute) = (today(), 1000);
        let mut restarted = usage;
        for (index, (step, bytes)) in samples.into_iter().enumerate() {
            if index == restart {
                let saved = serde_json::to_string(&restarted).unwrap();
                restarted = serde_json::from_str(&saved).unwrap();
            }
            minute += step;
            usage.record(&at(minute), &sent(bytes), Scope::Internet);
            restarted.record(&at(minute), &sent(bytes), Scope::Internet);
        }
        prop_assert_eq!(usage, restarted);
    }

    /// Both directions of the promise: merged active time is at least the larger of the two, and
    /// at most what one device with the traffic of both would have had.
    #[test]
    fn merging_never_exceeds_the_active_time_of_both(
        samples in proptest::collection::vec((0..4_i64, 0..100 * KIB, any::<bool>()), 0..100),
        join in 0..100_usize,
    ) {
        let (mut one, mut other, mut model, mut minute) = (today(), today(), Model::default(), 1000);
        let mut joined = false;
        for (index, (step, bytes, first)) in samples.into_iter().enumerate() {
            if index == join {
                let longer = one.active().max(other.active());
                one.merge(&other);
                joined = true;
                prop_assert!(one.active() >= longer);
                prop_assert_eq!(one.sent, model.bytes);
            }
            minute += step;
            let usage = if first || joined { &mut one } else { &mut other };
            usage.record(&at(minute), &sent(bytes), Scope::Internet);
            model.add(minute, bytes);
            prop_assert!(one.active().as_secs() <= 60 * model.active_minutes());
        }
    }
}

fn counters(usage: &DayUsage) -> [u64; 4] {
    [
        usage.sent,
        usage.received,
        usage.sent_local,
        usage.received_local,
    ]
}

fn add(sum: &mut [u64; 4], numbers: [u64; 4]) {
    for (sum, number) in sum.iter_mut().zip(numbers) {
        *sum += number;
    }
}
