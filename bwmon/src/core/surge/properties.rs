//! What holds for any traffic, and any clock.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::core::time::Monotonic;

/// A sample: seconds since the last one, how many of them it covers, how far the wall clock steps
/// meanwhile, and the bytes.
#[derive(Clone, Debug)]
struct Step {
    seconds: u64,
    elapsed: Duration,
    clock: i64,
    bytes: u64,
    firing: bool,
}

fn any_step() -> impl Strategy<Value = Step> {
    let elapsed = prop_oneof![
        8 => (0_u64..200_000).prop_map(Duration::from_secs),
        1 => Just(Duration::MAX),
        1 => Just(Duration::from_nanos(1)),
    ];
    let clock = prop_oneof![8 => Just(0_i64), 1 => -200_000_i64..200_000, 1 => any::<i64>()];
    let bytes = prop_oneof![4 => 0_u64..1 << 40, 1 => Just(0), 1 => Just(u64::MAX)];
    (0_u64..200_000, elapsed, clock, bytes, any::<bool>()).prop_map(
        |(seconds, elapsed, clock, bytes, firing)| Step {
            seconds,
            elapsed,
            clock,
            bytes,
            firing,
        },
    )
}

/// The two clocks.
struct Clock {
    monotonic: u64,
    wall: i64,
}

impl Clock {
    fn start() -> Self {
        Self {
            monotonic: 0,
            wall: 1_767_571_200,
        }
    }

    fn pass(&mut self, seconds: u64, step: i64) -> Now {
        let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        self.monotonic += seconds;
        self.wall = self
            .wall
            .saturating_add(seconds as i64)
            .saturating_add(step)
            .clamp(*range.start(), *range.end());
        Now {
            monotonic: Monotonic(Duration::from_secs(self.monotonic)),
            wall: Timestamp::from_second(self.wall).unwrap(),
        }
    }
}

fn settings() -> Settings {
    Settings {
        floor: 0,
        learn: Duration::from_secs(24 * 3600),
        ..Settings::default()
    }
}

proptest! {
    #[test]
    fn nothing_panics_and_no_level_is_absurd(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut clock = Clock::start();
        let mut surge = Surge::new(&clock.pass(0, 0));
        for step in steps {
            let now = clock.pass(step.seconds, step.clock);
            let expectation = surge.sample(&now, step.elapsed, step.bytes, &settings(), step.firing);
            prop_assert!(surge.level().is_finite() && surge.level() >= 0.0);
            if let Some(Expectation { expected, threshold, .. }) = expectation {
                prop_assert!(expected.is_finite() && threshold.is_finite() && threshold > 0.0);
                prop_assert!(threshold >= expected);
            }
            let restored = Surge::restore(&surge.saved(), &now);
            if let Ok(mut restored) = restored {
                restored.merge(surge.clone());
            }
        }
    }

    #[test]
    fn nothing_is_expected_before_enough_is_known(
        rates in prop::collection::vec(0_u64..1 << 30, 1..400),
        learn in 1_u64..40,
        interval in 60_u64..4_000,
    ) {
        let settings = Settings { learn: Duration::from_secs(learn * 3600), ..settings() };
        let mut clock = Clock::start();
        let mut surge = Surge::new(&clock.pass(0, 0));
        for rate in rates {
            let elapsed = Duration::from_secs(interval);
            let expectation = surge.sample(&clock.pass(interval, 0), elapsed, rate, &settings, false);
            let lived = Duration::from_secs(clock.monotonic);
            prop_assert!(expectation.is_none() || lived >= settings.learn);
            prop_assert!(expectation.is_none_or(|it| it.learned >= settings.learn));
        }
    }

    #[test]
    fn constant_traffic_is_no_surge(
        rate in 0_u64..1 << 40,
        interval in prop_oneof![Just(60_u64), Just(300), Just(3600), Just(86_400)],
    ) {
        let mut clock = Clock::start();
        let mut surge = Surge::new(&clock.pass(0, 0));
        let settings = Settings { learn: Duration::from_secs(2 * 3600), ..settings() };
        for _ in 0..200 {
            let elapsed = Duration::from_secs(interval);
            let expectation =
                surge.sample(&clock.pass(interval, 0), elapsed, rate * interval, &settings, false);
            prop_assert!(expectation.is_none_or(|it| surge.level() <= it.threshold));
        }
    }

    #[test]
    fn what_was_saved_is_restored_and_garbage_is_refused(text in "[A-Za-z0-9+/]{0,80}") {
        let saved: SavedProfile = serde_json::from_value(text.into()).unwrap();
        let now = Clock::start().pass(0, 0);
        if let Ok(restored) = Surge::restore(&saved, &now) {
            prop_assert!(Surge::restore(&restored.saved(), &now).is_ok());
        }
    }
}

proptest! {
    // Each is a week or two.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn one_surge_is_no_new_usual(
        day in 8_u32..13,
        hours in 1_u32..6,
        start in 0_u32..24,
        rate in 5_000_u64..1 << 40,
    ) {
        // Once with and once without it: the same is expected.
        let mut with = (Clock::start(), Surge::new(&Clock::start().pass(0, 0)));
        let mut without = (Clock::start(), Surge::new(&Clock::start().pass(0, 0)));
        let surge_hours = day * 24 + start..day * 24 + start + hours;
        for hour in 0..24 * 14 {
            for (is_with, (clock, surge)) in [(true, &mut with), (false, &mut without)] {
                let loud = is_with && surge_hours.contains(&hour);
                let rate = if loud { rate } else { 1_000 };
                let elapsed = Duration::from_secs(3_600);
                let now = clock.pass(3_600, 0);
                let expectation = surge.sample(&now, elapsed, rate * 3_600, &settings(), false);
                if hour > 24 {
                    let expected = expectation.unwrap().expected;
                    prop_assert!((900.0..1_100.0).contains(&expected), "{expected} at {hour}");
                    prop_assert_eq!(loud, surge.level() > expectation.unwrap().threshold);
                }
            }
        }
    }

    #[test]
    fn a_restart_changes_only_the_warm_up(
        rates in prop::collection::vec(1_u64..1 << 30, 24..1_000),
        at in any::<prop::sample::Index>(),
    ) {
        let restart = at.index(rates.len());
        let mut clock = Clock::start();
        let mut surge = Surge::new(&clock.pass(0, 0));
        let mut restarted = surge.clone();
        for (number, rate) in rates.into_iter().enumerate() {
            let (elapsed, now) = (Duration::from_secs(1_200), clock.pass(1_200, 0));
            let expected = surge.sample(&now, elapsed, rate * 1_200, &settings(), false);
            let again = restarted.sample(&now, elapsed, rate * 1_200, &settings(), false);
            prop_assert_eq!(surge.saved(), restarted.saved());
            if number == restart + 1 {
                prop_assert_eq!(again, None);
            } else {
                prop_assert_eq!(expected, again);
            }
            if number == restart {
                restarted = Surge::restore(&restarted.saved(), &now).unwrap();
            }
        }
    }
}
