//! The billing cycle that lasts: what of it is used, what is allowed, and what it will end with.

use std::collections::{BTreeMap, BTreeSet};

use bwmon_common::layout::Row as Counters;
use jiff::{Span, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Past, PastError, Range,
    amounts::in_scope,
    report::{Lines, Row},
    subjects::Subject,
};
use crate::{
    core::{
        event::Direction,
        forecast::{self, Basis, Known, MOST_DAYS},
        history::{Minute, Moved},
        meter::plus,
        policy::Scope,
        view::CycleView,
    },
    store::{Tier, minute_of, time_of},
};

/// A billing cycle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CycleRow {
    /// Its first day: `YYYY-MM-DD`.
    #[schema(format = Date)]
    pub from: String,
    /// The first day of the next one.
    #[schema(format = Date)]
    pub until: String,
    /// Bytes that count so far. With a quota those that it counts, so without what passed in free
    /// hours; else `total`.
    pub used: u64,
    /// Bytes that are allowed; `null` without a quota.
    pub quota: Option<u64>,
    /// What it will end with; `null` while too little is known.
    pub forecast: Option<ForecastView>,
}

/// What a billing cycle will end with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForecastView {
    /// Bytes.
    pub bytes: u64,
    /// In four of five cases at least so many bytes; `null` while fewer than 3 whole days are known.
    pub low: Option<u64>,
    /// In four of five cases at most so many bytes.
    pub high: Option<u64>,
    /// How it was made.
    pub method: Method,
    /// Whole days that it stands on.
    pub days: usize,
}

/// How a forecast was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// It goes on as the cycle went so far.
    Linear,
    /// Each day that is left brings what its day of the week brought lately.
    Weekday,
}

impl Method {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Weekday => "weekday",
        }
    }
}

impl Past {
    /// Adds what is known of the billing cycle that lasts to each row. One with a quota is there even
    /// if it moved nothing.
    pub(super) fn add_cycles(
        &self,
        range: Range,
        lines: &Lines,
        rows: &mut [Row],
        sum: &mut Row,
        scope: Scope,
    ) -> Result<(), PastError> {
        let today = self.today();
        let (from, until) = (self.cycle().start(today), self.cycle().end(today));
        if self.midnight(from) != range.from {
            return Ok(());
        }
        let days = Days::of(self, lines)?;
        for (line, row) in rows.iter_mut().enumerate() {
            let quota = self.quota_of(&row.id);
            let moved = days.of_line(line);
            row.cycle = Some(match quota {
                Some(quota) => self.with_quota(quota, scope, &days, moved),
                None => {
                    let bytes = |counters: &Counters| total(counters, Direction::Total, scope);
                    let days = days.whole(moved, bytes);
                    self.cycle_row(from, until, row.total, None, &days)
                }
            });
        }
        let bytes = |counters: &Counters| total(counters, Direction::Total, scope);
        let of_all = days.whole(&days.sum, bytes);
        sum.cycle = Some(self.cycle_row(from, until, sum.total, None, &of_all));
        Ok(())
    }

    fn with_quota(
        &self,
        quota: &CycleView,
        scope: Scope,
        days: &Days,
        moved: &BTreeMap<Date, Counters>,
    ) -> CycleRow {
        let today = self.today();
        let (direction, scope) = (quota.direction, quota.scope.unwrap_or(scope));
        let from = quota.from.parse().unwrap_or(today);
        let until = quota.until.parse().unwrap_or(today);
        let bytes = |counters: &Counters| total(counters, direction, scope);
        let row = |sent, received, sent_local, received_local| {
            let mut row = Counters::default();
            row.sent.bytes = sent;
            row.received.bytes = received;
            row.sent_local.bytes = sent_local;
            row.received_local.bytes = received_local;
            row
        };
        let used = bytes(&row(
            quota.sent,
            quota.received,
            quota.sent_local,
            quota.received_local,
        ));
        let mut whole = days.whole(moved, bytes);
        // What passes in free hours is in the days, but does not count: as large a part of those to
        // come is expected not to.
        let in_cycle: u64 = moved
            .range(from..)
            .fold(0, |sum, (_, counters)| sum.saturating_add(bytes(counters)));
        if days.window <= from && used < in_cycle {
            let part = used as f64 / in_cycle as f64;
            for (_, bytes) in &mut whole {
                *bytes = (*bytes as f64 * part).round() as u64;
            }
        }
        self.cycle_row(from, until, used, quota.quota, &whole)
    }

    fn cycle_row(
        &self,
        from: Date,
        until: Date,
        used: u64,
        quota: Option<u64>,
        days: &[(Date, u64)],
    ) -> CycleRow {
        let local = self.now().to_zoned(self.zone().clone()).datetime();
        let forecast = forecast::forecast(&Known {
            from,
            until,
            used,
            local,
            days,
        });
        CycleRow {
            from: from.to_string(),
            until: until.to_string(),
            used,
            quota,
            forecast: forecast.map(|forecast| ForecastView {
                bytes: forecast.bytes,
                low: forecast.range.map(|(low, _)| low),
                high: forecast.range.map(|(_, high)| high),
                method: match forecast.basis {
                    Basis::Linear => Method::Linear,
                    Basis::Weekday => Method::Weekday,
                },
                days: forecast.days,
            }),
        }
    }

    fn today(&self) -> Date {
        self.now().to_zoned(self.zone().clone()).date()
    }

    fn midnight(&self, day: Date) -> Minute {
        let zoned = day.to_zoned(self.zone().clone());
        zoned.map_or(Minute::MIN, |zoned| minute_of(zoned.timestamp()))
    }
}

/// What moved on the latest days.
struct Days {
    /// The first of them.
    window: Date,
    today: Date,
    /// Whole days on which bwmon was there: somebody moved something.
    known: BTreeSet<Date>,
    lines: Vec<BTreeMap<Date, Counters>>,
    sum: BTreeMap<Date, Counters>,
}

impl Days {
    fn of(past: &Past, lines: &Lines) -> Result<Self, PastError> {
        let today = past.today();
        // One more, since the first day of a subject is not whole.
        let window = Span::new().days(i64::try_from(MOST_DAYS).unwrap_or(i64::MAX) + 1);
        let window = today.saturating_sub(window);
        let mut days = Self {
            window,
            today,
            known: BTreeSet::new(),
            lines: vec![BTreeMap::new(); lines.heads.len()],
            sum: BTreeMap::new(),
        };
        let zone = past.zone();
        let mut at = (Minute::MIN, today);
        let subjects = past.subjects.all();
        let mut add = |minute: Minute, place: usize, moved: &Moved| {
            if at.0 != minute {
                at = (minute, time_of(minute).to_zoned(zone.clone()).date());
            }
            let day = at.1;
            if subjects
                .get(place)
                .is_some_and(|subject: &Subject| !subject.is_interface())
            {
                days.known.insert(day);
            }
            if let Some(line) = lines.of(place) {
                for of in [&mut days.lines[line], &mut days.sum] {
                    let sum = of.entry(day).or_default();
                    *sum = plus(*sum, moved.row);
                }
            }
        };
        let range = Range {
            from: past.midnight(window),
            to: minute_of(past.now()) + 1,
        };
        past.reader
            .scan(Tier::Day, None, range.from, range.to, &mut |bucket| {
                add(bucket.start, bucket.series, &bucket.moved);
            })?;
        for (minute, place, moved) in past.fresh(range) {
            add(*minute, *place, moved);
        }
        // The day on which bwmon came is not whole, and neither is today.
        if let Some(begins) = past.begins {
            let first = time_of(begins).to_zoned(zone.clone()).date();
            if past.midnight(first) < begins {
                days.known.remove(&first);
            }
        }
        days.known.remove(&today);
        Ok(days)
    }

    fn of_line(&self, line: usize) -> &BTreeMap<Date, Counters> {
        &self.lines[line]
    }

    /// The whole days of somebody, in order: those after its first one, with or without traffic.
    fn whole(
        &self,
        moved: &BTreeMap<Date, Counters>,
        bytes: impl Fn(&Counters) -> u64,
    ) -> Vec<(Date, u64)> {
        let Some(first) = moved.keys().next() else {
            return Vec::new();
        };
        let known = self.known.range(first..&self.today);
        known
            .filter(|day| *day > first || *day == &self.window)
            .map(|day| (*day, moved.get(day).map_or(0, &bytes)))
            .collect()
    }
}

fn total(counters: &Counters, direction: Direction, scope: Scope) -> u64 {
    let (sent, received) = in_scope(counters, scope);
    match direction {
        Direction::Total => sent.saturating_add(received),
        Direction::Sent => sent,
        Direction::Received => received,
    }
}
