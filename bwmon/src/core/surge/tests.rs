use jiff::Timestamp;

use super::{profile::bytes_per_sec, *};
use crate::core::time::Monotonic;

/// 2026-01-05, a Monday.
const MONDAY: i64 = 1_767_571_200;
const MINUTES: u32 = 5;

/// A subject that is fed every five minutes, and what came of it.
struct Subject {
    surge: Surge,
    settings: Settings,
    minute: u32,
    /// What the wall clock shows too much, in seconds.
    ahead: i64,
    firing: bool,
    /// Day and hour of each time it went over the threshold.
    alerts: Vec<(u32, u32)>,
    expectation: Option<Expectation>,
}

impl Subject {
    fn new() -> Self {
        Self {
            surge: Surge::new(&at(0, 0)),
            settings: Settings {
                floor: 0,
                learn: Duration::from_secs(24 * 3600),
                ..Settings::default()
            },
            minute: 0,
            ahead: 0,
            firing: false,
            alerts: Vec::new(),
            expectation: None,
        }
    }

    fn feed(&mut self, bytes_per_sec: u64) {
        self.minute += MINUTES;
        let elapsed = Duration::from_secs(60 * u64::from(MINUTES));
        let now = at(self.minute, self.ahead);
        let bytes = bytes_per_sec * elapsed.as_secs();
        self.expectation = self
            .surge
            .sample(&now, elapsed, bytes, &self.settings, self.firing);
        let over = self
            .expectation
            .is_some_and(|it| self.surge.level() > it.threshold);
        if over && !self.firing {
            self.alerts.push((self.day(), self.hour()));
        }
        self.firing = over;
    }

    /// Feeds so many hours with what `pattern` says of the day and the hour.
    fn live(&mut self, hours: u32, pattern: impl Fn(u32, u32) -> u64) {
        for _ in 0..hours * 60 / MINUTES {
            let rate = pattern(self.day(), self.hour());
            self.feed(rate);
        }
    }

    fn day(&self) -> u32 {
        self.minute / (24 * 60)
    }

    fn hour(&self) -> u32 {
        self.minute / 60 % 24
    }

    fn restart(&mut self) {
        let now = at(self.minute, self.ahead);
        self.surge = Surge::restore(&self.surge.saved(), &now).unwrap();
    }
}

fn at(minute: u32, ahead: i64) -> Now {
    Now {
        monotonic: Monotonic(Duration::from_secs(60 * u64::from(minute))),
        wall: Timestamp::from_second(MONDAY + 60 * i64::from(minute) + ahead).unwrap(),
    }
}

/// Busy evenings, quiet nights.
fn evenings(_: u32, hour: u32) -> u64 {
    match hour {
        0..7 => 100,
        7..18 => 2_000,
        _ => 20_000,
    }
}

#[test]
fn cases() {
    struct Row {
        what: &'static str,
        hours: u32,
        /// By day and hour.
        traffic: fn(u32, u32) -> u64,
        /// Days and hours.
        alerts: &'static [(u32, u32)],
    }
    let row = |what, hours, traffic, alerts| Row {
        what,
        hours,
        traffic,
        alerts,
    };
    let rows = [
        row("evenings", 600, evenings, &[]),
        row("silence", 600, |_, _| 0, &[]),
        row(
            "silence, then nearly nothing",
            600,
            |day, _| u64::from(day == 9),
            &[],
        ),
        row(
            "an evening's traffic at three in the night",
            600,
            |day, hour| {
                if (day, hour) == (9, 3) {
                    20_000
                } else {
                    evenings(day, hour)
                }
            },
            &[(9, 3)],
        ),
        row(
            "the same the next night is still unusual",
            600,
            |day, hour| {
                if hour == 3 && (day == 9 || day == 10) {
                    20_000
                } else {
                    evenings(day, hour)
                }
            },
            &[(9, 3), (10, 3)],
        ),
        row(
            "a nightly backup is expected after two nights",
            600,
            |day, hour| {
                if hour == 2 && day >= 9 {
                    90_000
                } else {
                    evenings(day, hour)
                }
            },
            &[(9, 2), (10, 2)],
        ),
        row(
            "a weekly backup is expected after two weeks",
            840,
            |day, hour| {
                if hour == 2 && day % 7 == 6 {
                    90_000
                } else {
                    evenings(day, hour)
                }
            },
            &[(6, 2), (13, 2)],
        ),
        row(
            "a new usual, from noon",
            600,
            |day, hour| {
                if day * 24 + hour >= 9 * 24 + 12 {
                    100_000
                } else {
                    evenings(day, hour)
                }
            },
            &[(9, 12)],
        ),
        row(
            "a surge on the second day, and again on the third",
            100,
            |day, hour| {
                if (1..=2).contains(&day) && hour == 6 {
                    50_000
                } else {
                    5_000
                }
            },
            &[(1, 6), (2, 6)],
        ),
        row(
            "peaks at odd hours are no news from the third on",
            1_000,
            |day, hour| {
                if day % 3 == 2 && hour == day * 7 % 24 {
                    90_000
                } else {
                    100
                }
            },
            &[(2, 14), (5, 11)],
        ),
        row(
            "but a higher one is",
            1_000,
            |day, hour| match (day % 3, hour == day * 7 % 24) {
                (2, true) if day == 20 => 130_000,
                (2, true) => 90_000,
                _ => 100,
            },
            &[(2, 14), (5, 11), (20, 20)],
        ),
    ];
    for Row {
        what,
        hours,
        traffic,
        alerts,
    } in rows
    {
        let mut subject = Subject::new();
        subject.live(hours, traffic);
        assert_eq!(subject.alerts, alerts, "{what}");
    }
}

#[test]
fn a_new_usual_ends_the_alert_within_about_a_day() {
    let mut subject = Subject::new();
    subject.live(240, evenings);
    subject.live(23, |_, _| 100_000);
    assert!(subject.firing);
    subject.live(3, |_, _| 100_000);
    assert!(!subject.firing);
}

#[test]
fn the_expectation_stays_while_it_fires() {
    let mut subject = Subject::new();
    subject.live(9 * 24, |_, _| 1_000);
    subject.feed(50_000);
    let before = subject.expectation.unwrap();
    for _ in 0..20 * 60 / MINUTES {
        subject.feed(50_000);
        let now = subject.expectation.unwrap();
        assert_eq!(
            (now.expected, now.threshold),
            (before.expected, before.threshold)
        );
    }
}

#[test]
fn the_floor_holds_for_all() {
    let mut subject = Subject::new();
    subject.settings.floor = 1_000_000;
    subject.live(
        240,
        |day, hour| if (day, hour) == (9, 3) { 999_999 } else { 10 },
    );
    assert_eq!(subject.alerts, []);
    assert_eq!(subject.expectation.unwrap().threshold, 1_000_000.0);
}

#[test]
fn it_says_what_it_stands_on() {
    // Hours, the traffic, and the basis at the end.
    type Pattern = fn(u32, u32) -> u64;
    let rows: [(u32, Pattern, Basis); 4] = [
        (30, evenings, Basis::Recent),
        (9 * 24 + 20, evenings, Basis::HourOfDay),
        (
            28 * 24 + 3,
            |day, hour| {
                if hour == 2 && day % 7 == 0 {
                    90_000
                } else {
                    evenings(day, hour)
                }
            },
            Basis::HourOfWeek,
        ),
        (
            30 * 24,
            |day, hour| {
                if day % 3 == 2 && hour == day * 7 % 24 {
                    90_000
                } else {
                    100
                }
            },
            Basis::BusyDay,
        ),
    ];
    for (hours, pattern, basis) in rows {
        let mut subject = Subject::new();
        subject.live(hours, pattern);
        assert_eq!(subject.expectation.unwrap().basis, basis, "{hours} hours");
    }
}

#[test]
fn hours_without_a_call_were_silence_if_the_clocks_agree() {
    for (ahead, level) in [(0, 0), (3 * 3600, UNKNOWN)] {
        let mut subject = Subject::new();
        subject.feed(1_000);
        subject.minute += 300;
        subject.ahead = ahead;
        subject.feed(1_000);
        let newest = subject.surge.profile.newest();
        assert_eq!(subject.surge.profile.level(newest - 2), level);
        assert!(subject.surge.profile.level(newest) > 0);
    }
}

#[test]
fn silence_between_samples_lowers_the_level() {
    let mut subject = Subject::new();
    subject.feed(1_000_000);
    subject.minute += 5;
    let elapsed = Duration::from_secs(1);
    let settings = subject.settings;
    subject
        .surge
        .sample(&at(subject.minute, 0), elapsed, 0, &settings, false);
    assert!(subject.surge.is_silent());
}

#[test]
fn a_clock_that_steps_is_no_surge_and_costs_little() {
    for step in [
        -26 * 3600,
        -3 * 3600,
        -600,
        600,
        3 * 3600,
        26 * 3600,
        8 * 24 * 3600,
    ] {
        let mut subject = Subject::new();
        subject.live(14 * 24 + 12, |_, hour| 1_000 + 10 * u64::from(hour));
        subject.ahead = step;
        subject.live(30, |_, hour| 1_000 + 10 * u64::from(hour));
        subject.ahead = 0;
        subject.live(60, |_, hour| 1_000 + 10 * u64::from(hour));
        assert_eq!(subject.alerts, [], "{step}");
        let learned = subject.expectation.unwrap().learned;
        assert!(
            learned >= Duration::from_secs(10 * 24 * 3600),
            "{step}: {learned:?}"
        );
        subject.feed(10_000);
        assert_eq!(subject.alerts.len(), 1, "{step}");
    }
}

#[test]
fn what_a_clock_said_ahead_is_forgotten_after_a_day() {
    let mut subject = Subject::new();
    subject.ahead = 100 * 24 * 3600;
    subject.live(48, |_, _| 1_000);
    subject.ahead = 0;
    subject.live(25, |_, _| 1_000);
    assert_eq!(subject.surge.profile.newest(), hour(&at(subject.minute, 0)));
}

#[test]
fn after_a_restart_it_is_silent_for_a_while() {
    let mut subject = Subject::new();
    subject.live(240, |_, _| 1_000);
    let before = subject.expectation.unwrap();
    subject.restart();
    subject.feed(50_000);
    assert_eq!(subject.expectation, None);
    subject.feed(1_000);
    assert_eq!(subject.expectation.unwrap().expected, before.expected);
}

#[test]
fn the_time_it_did_not_run_is_unknown() {
    let mut subject = Subject::new();
    subject.live(240, |_, _| 1_000);
    subject.minute += 7 * 24 * 60;
    subject.restart();
    subject.live(1, |_, _| 1_000);
    let profile = &subject.surge.profile;
    // Each time an hour more than it was fed: the one that has just begun.
    assert_eq!(profile.known().count(), 241 + 2);
    assert_eq!(profile.level(profile.newest() - 3), UNKNOWN);
}

#[test]
fn after_five_weeks_out_it_learns_anew() {
    let mut subject = Subject::new();
    subject.live(240, |_, _| 1_000);
    subject.minute += 36 * 24 * 60;
    subject.restart();
    subject.live(20, |_, _| 50_000);
    assert_eq!(
        (subject.expectation, subject.alerts.as_slice()),
        (None, &[][..])
    );
}

#[test]
fn a_subject_takes_little_room() {
    let mut subject = Subject::new();
    subject.live(900, |day, hour| u64::from(day * hour) + 1);
    let memory = size_of::<Surge>() + profile::HOURS;
    assert!(memory <= 1_200, "{memory} bytes");
    let text = serde_json::to_string(&subject.surge.saved()).unwrap();
    assert!(text.len() <= 1_300, "{} bytes", text.len());
}

#[test]
fn it_is_worth_saving_every_six_hours() {
    let mut subject = Subject::new();
    subject.live(5, evenings);
    assert!(!subject.surge.is_worth_saving());
    subject.live(2, evenings);
    assert!(subject.surge.is_worth_saving());
    subject.surge.stored();
    assert!(!subject.surge.is_worth_saving());
}

#[test]
fn what_is_no_profile_is_refused() {
    let saved = |text: &str| serde_json::from_value(text.into()).unwrap();
    let rows = [
        ("", SavedError::Damaged),
        ("AQ", SavedError::Damaged),
        ("!", SavedError::Damaged),
        ("AgAA", SavedError::Version(2)),
    ];
    for (text, error) in rows {
        let restored = Surge::restore(&saved(text), &at(0, 0));
        assert_eq!(restored.map(|_| ()), Err(error), "{text}");
    }
}

#[test]
fn a_merged_subject_has_the_louder_hours_of_both() {
    let mut old = Subject::new();
    old.live(240, evenings);
    let mut new = Subject::new();
    new.minute = 200 * 60;
    new.surge = Surge::new(&at(new.minute, 0));
    new.live(40, |_, _| 15_000);
    let mut merged = new.surge.clone();
    merged.merge(old.surge.clone());
    assert_eq!(merged.learned, old.surge.learned);
    for (hour, level) in merged.profile.known() {
        let of = |surge: &Surge| match surge.profile.level(hour) {
            UNKNOWN => 0,
            level => level,
        };
        assert_eq!(level, of(&old.surge).max(of(&new.surge)));
    }
}

#[test]
fn a_level_is_kept_to_a_sixteenth() {
    for rate in [0.1, 1.0, 68.4, 1e3, 1.25e6, 1e9, 6e10] {
        let kept = bytes_per_sec(code(rate));
        assert!((kept / rate - 1.0).abs() < 1.0 / 16.0, "{rate} {kept}");
    }
    assert_eq!(bytes_per_sec(code(0.0)), 0.0);
    assert_eq!(code(f64::INFINITY), 254);
    assert_eq!(bytes_per_sec(254), profile::LOUDEST_BYTES_PER_SEC);
}
