//! What is usual for a subject: order statistics of the hours in its [`Profile`].
//!
//! Every figure here is one that was reached on two occasions at least, so that one night out of the
//! ordinary does not become the usual. No means: they follow the outlier.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::profile::{HOURS, Profile, UNKNOWN, bytes_per_sec};

const DAY: usize = 24;
/// The days that are looked at for peaks at any hour.
const DAYS: usize = 14;
/// The days that are looked at for the same hour.
const SAME_HOUR_DAYS: usize = 7;
const WEEK: i64 = 7 * DAY as i64;
const WEEKS: usize = HOURS / WEEK as usize;
/// With fewer known hours than this there is no telling one day from the others.
const FEW_HOURS: usize = 3 * DAY;
/// With fewer there is no saying which day is a busy one.
const FULL_WEEK_HOURS: usize = WEEK as usize;
/// Peaks that are this near to each other are one occasion.
const OCCASION_HOURS: usize = 6;
/// So many peaks at odd hours, and the hour says little.
const ODD_OCCASIONS: usize = 2;

/// Which part of the past an expectation stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// All of a past of less than three days, or what it has kept up for most of the last day.
    Recent,
    /// This hour (give or take one) on the days of the last week.
    HourOfDay,
    /// This hour (give or take one) on this weekday, in the last five weeks.
    HourOfWeek,
    /// The second busiest of the last 14 days, as its peaks come at odd hours.
    BusyDay,
}

/// What is usual at an hour. Levels in bytes per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// What it reaches at this hour.
    pub(super) level: f64,
    /// Why.
    pub(super) basis: Basis,
    /// Whether its peaks come at odd hours.
    pub(super) irregular: bool,
    /// What it reaches on a busy day.
    pub(super) busy_day: f64,
    /// Hours that are known.
    pub(super) known: u32,
}

/// What a [`Usual`] depends on, besides hours that are over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    /// The hour in question.
    pub(super) hour: i64,
    /// Only hours before this count.
    pub(super) until: i64,
    /// These don't count where there is no second day to compare with.
    pub(super) alert: Range<i64>,
    /// A peak is odd if it is more than so many times what other days had at that hour.
    pub(super) factor: f64,
}

/// What is usual at an hour.
pub(super) fn usual(profile: &Profile, question: &Question) -> Usual {
    let past = Past {
        profile,
        until: question.until,
    };
    let lately = past.lately();
    let mut usual = Usual {
        level: bytes_per_sec(past.sustained()),
        basis: Basis::Recent,
        irregular: false,
        busy_day: 0.0,
        known: past.known().count() as u32,
    };
    let known = lately.iter().filter(|level| **level != UNKNOWN).count();
    if known < FEW_HOURS {
        usual.raise(past.highest_outside(&question.alert), Basis::Recent);
        usual.busy_day = usual.level;
        return usual;
    }
    usual.raise(
        past.same_hour(question.hour, DAY as i64, SAME_HOUR_DAYS),
        Basis::HourOfDay,
    );
    usual.raise(
        past.same_hour(question.hour, WEEK, WEEKS),
        Basis::HourOfWeek,
    );
    usual.irregular = odd_occasions(&lately, question.factor) >= ODD_OCCASIONS;
    let busy_day = if known < FULL_WEEK_HOURS {
        past.highest_outside(&question.alert).unwrap_or(0)
    } else {
        second_day(&lately)
    };
    usual.busy_day = bytes_per_sec(busy_day.max(past.sustained()));
    usual
}

impl Usual {
    fn raise(&mut self, level: Option<u8>, basis: Basis) {
        let level = level.map_or(0.0, bytes_per_sec);
        if level > self.level {
            self.level = level;
            self.basis = basis;
        }
    }
}

/// The part of a profile before an hour.
struct Past<'a> {
    profile: &'a Profile,
    until: i64,
}

impl Past<'_> {
    fn level(&self, hour: i64) -> u8 {
        if hour < self.until {
            self.profile.level(hour)
        } else {
            UNKNOWN
        }
    }

    /// The second highest of the levels around `hour`, `every` so many hours back.
    fn same_hour(&self, hour: i64, every: i64, times: usize) -> Option<u8> {
        let mut highest = Highest::default();
        for back in (1..=times as i64).map(|time| time * every) {
            highest.add_known((-1..=1).map(|near| self.level(hour - back + near)));
        }
        (highest.count >= 2).then_some(highest.second())
    }

    /// What it has reached in most hours of the last day.
    fn sustained(&self) -> u8 {
        let mut day: Vec<u8> = (1..=DAY as i64)
            .map(|back| self.level(self.until - back))
            .filter(|level| *level != UNKNOWN)
            .collect();
        day.sort_unstable();
        if day.len() > DAY / 2 {
            day[(day.len() - 1) / 2]
        } else {
            0
        }
    }

    fn highest_outside(&self, alert: &Range<i64>) -> Option<u8> {
        self.known()
            .filter(|(hour, _)| !alert.contains(hour))
            .map(|(_, level)| level)
            .max()
    }

    fn known(&self) -> impl Iterator<Item = (i64, u8)> {
        self.profile
            .known()
            .take_while(|(hour, _)| *hour < self.until)
    }

    /// The last days, the oldest hour first.
    fn lately(&self) -> [u8; DAYS * DAY] {
        let first = self.until - (DAYS * DAY) as i64;
        std::array::from_fn(|back| self.level(first + back as i64))
    }
}

/// How often there was a peak that neither two other days nor the same day of another week explain.
fn odd_occasions(lately: &[u8; DAYS * DAY], factor: f64) -> usize {
    let around = |at: usize| {
        lately
            .get(at.saturating_sub(1)..(at + 2).min(lately.len()))?
            .iter()
            .copied()
            .filter(|level| *level != UNKNOWN)
            .max()
    };
    let mut columns = [Highest::default(); DAY];
    for at in 0..lately.len() {
        columns[at % DAY].add(around(at));
    }
    let (mut occasions, mut last) = (0, None::<usize>);
    for (at, level) in lately.iter().copied().enumerate() {
        let a_week_off = [at.checked_sub(WEEK as usize), Some(at + WEEK as usize)];
        let others = a_week_off
            .into_iter()
            .filter_map(|other| around(other?))
            .fold(columns[at % DAY].second_without(around(at)), u8::max);
        if level == UNKNOWN || bytes_per_sec(level) <= factor * bytes_per_sec(others) {
            continue;
        }
        if last.is_none_or(|last| at - last > OCCASION_HOURS) {
            occasions += 1;
        }
        last = Some(at);
    }
    occasions
}

/// The peak of the second busiest day.
fn second_day(lately: &[u8; DAYS * DAY]) -> u8 {
    let mut days = Highest::default();
    for day in lately.chunks(DAY) {
        days.add_known(day.iter().copied());
    }
    days.second()
}

/// The three highest of some levels.
#[derive(Clone, Copy, Default)]
struct Highest {
    levels: [u8; 3],
    count: usize,
}

impl Highest {
    fn add(&mut self, level: Option<u8>) {
        let Some(mut level) = level else { return };
        self.count += 1;
        for higher in &mut self.levels {
            if level > *higher {
                std::mem::swap(&mut level, higher);
            }
        }
    }

    /// Adds the highest of some levels, if one is known.
    fn add_known(&mut self, levels: impl Iterator<Item = u8>) {
        self.add(levels.filter(|level| *level != UNKNOWN).max());
    }

    fn second(&self) -> u8 {
        self.levels[1]
    }

    /// The second highest of those that are left without this one.
    fn second_without(&self, level: Option<u8>) -> u8 {
        if level >= Some(self.levels[1]) {
            self.levels[2]
        } else {
            self.levels[1]
        }
    }
}
