//! Clocks that jump, and days that have no 24 hours.

use std::collections::BTreeMap;

use super::*;

/// What is kept of each day, as the database has it.
#[derive(Default)]
struct Kept(BTreeMap<(String, Date), DayUsage>);

impl Kept {
    fn take(&mut self, ledger: &mut Ledger) {
        let changes = ledger.take_changes(Occasion::Checkpoint);
        for (device, day) in changes.undated {
            self.0.remove(&(device, day));
        }
        for (device, usage) in changes.usage {
            self.0.insert((device, usage.day), usage);
        }
    }

    fn bytes(&self) -> u64 {
        self.0.values().map(|usage| usage.received).sum()
    }

    fn days(&self) -> Vec<Date> {
        self.0.keys().map(|(_, day)| *day).collect()
    }
}

impl Day {
    /// The clock on the wall is set.
    fn set_clock(&mut self, by: SignedDuration) {
        self.now.wall = self.now.wall.checked_add(by).unwrap();
    }

    fn in_zone(zone: &str, wall: &str) -> Self {
        let mut day = Self::new(laptop(1_000));
        day.now.wall = wall.parse().unwrap();
        let zone = TimeZone::get(zone).unwrap();
        day.ledger = Ledger::new(laptop(1_000), Scope::Internet, zone, &day.now);
        day
    }
}

#[test]
fn a_clock_that_jumps_and_comes_back_leaves_one_day() {
    for jump in [1, 40, 24 * 365, -30, -24 * 40] {
        let mut day = Day::new(Policy::default());
        let mut kept = Kept::default();
        day.sample(&[("10.0.0.5", download(100))]);
        kept.take(&mut day.ledger);
        day.set_clock(SignedDuration::from_hours(jump));
        for _ in 0..3 {
            day.after(Duration::from_secs(60), &[("10.0.0.5", download(10))]);
        }
        kept.take(&mut day.ledger);
        day.set_clock(SignedDuration::from_hours(-jump));
        // Longer than a clock that is behind has to wait.
        for _ in 0..70 {
            day.after(Duration::from_secs(60), &[("10.0.0.5", download(1))]);
        }
        kept.take(&mut day.ledger);
        assert_eq!(kept.bytes(), 200, "{jump} hours");
        assert_eq!(kept.days(), [jiff::civil::date(2026, 3, 8)], "{jump} hours");
    }
}

#[test]
fn a_jump_ahead_ends_no_alert_twice_and_tells_nothing_anew() {
    let mut day = Day::new(laptop(1_000));
    let told = day.sample(&[("10.0.0.5", download(2_000))]);
    assert_eq!(told.len(), 1);
    // Back by an hour, and ahead again, within the day.
    for jump in [-1, 1, -2, 2] {
        day.set_clock(SignedDuration::from_hours(jump));
        let told = day.after(Duration::from_secs(30), &[("10.0.0.5", download(10))]);
        assert_eq!(told, [], "{jump}");
    }
}

#[test]
fn days_of_23_and_25_hours_end_at_local_midnight() {
    for (midnight, hours) in [("2026-03-28T23:00:00Z", 23), ("2026-10-24T22:00:00Z", 25)] {
        let mut day = Day::in_zone("Europe/Berlin", midnight);
        let half_an_hour = Duration::from_secs(1800);
        let mut at = 0.0;
        let mut told = Vec::new();
        for _ in 0..2 * 26 {
            at += 0.5;
            let used = day.after(half_an_hour, &[("10.0.0.5", download(600))]);
            told.extend(used.into_iter().map(|transition| (at, transition.state)));
        }
        let hours = f64::from(hours);
        let expected = [
            (1.0, EventState::Firing),
            (hours, EventState::Resolved),
            (hours + 0.5, EventState::Firing),
        ];
        assert_eq!(told, expected, "{midnight}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Use(u64),
    Wait(u64),
    Set(i64),
    Save,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u64..1000).prop_map(Step::Use),
        2 => (1_u64..7200).prop_map(Step::Wait),
        2 => (-72_i64..72).prop_map(Step::Set),
        1 => Just(Step::Save),
    ]
}

proptest! {
    #[test]
    fn no_byte_is_lost_or_doubled_whatever_the_clock_does(
        steps in prop::collection::vec(step(), 1..80),
        // How far it jumps ahead at most: three days that end too early are remembered.
        jumps in 0_usize..3,
    ) {
        let mut day = Day::new(Policy::default());
        let mut kept = Kept::default();
        let (mut used, mut ahead) = (0, 0);
        for step in steps {
            match step {
                Step::Use(bytes) => {
                    used += bytes;
                    day.after(SECOND, &[("10.0.0.5", download(bytes))]);
                }
                Step::Wait(seconds) => {
                    day.after(Duration::from_secs(seconds), &[]);
                }
                Step::Set(hours) if hours > 0 && ahead < jumps => {
                    ahead += 1;
                    day.set_clock(SignedDuration::from_hours(hours));
                }
                Step::Set(hours) if hours <= 0 => day.set_clock(SignedDuration::from_hours(hours)),
                Step::Set(_) => {}
                Step::Save => kept.take(&mut day.ledger),
            }
        }
        kept.take(&mut day.ledger);
        prop_assert_eq!(kept.bytes(), used);
    }
}
