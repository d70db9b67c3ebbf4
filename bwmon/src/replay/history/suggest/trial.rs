//! What is to be tried for one subject and rule.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{LEAST_DAYS, Subject, Who};
use crate::{
    core::{
        event::{Direction, RuleKind, Unit},
        policy::{Rules, Scope},
        suggest::{Quantity, allowed, candidates},
    },
    replay::history::{Recording, values::DayValues},
    store::time_of,
};

/// A proposal that is being tried.
pub(super) struct Trial {
    pub(super) subject: usize,
    pub(super) rule: RuleKind,
    /// What it stands on: days, or billing cycles.
    pub(super) periods: usize,
    /// How many alerts there may be.
    pub(super) allowed: usize,
    pub(super) candidates: Vec<u64>,
    /// The candidate that is tried.
    pub(super) place: usize,
    /// What that meant when it was played.
    pub(super) alerts: usize,
    /// It was played, and keeps its promise.
    pub(super) is_kept: bool,
}

/// What is to be tried for a subject and rule; `None` where nothing is to be said of it.
pub(super) fn trial(
    recording: &Recording,
    place: usize,
    subject: &Subject,
    rule: RuleKind,
    per_week: f64,
) -> Option<Trial> {
    if matches!(subject.who, Who::Group(_)) && rule == RuleKind::ActiveTime {
        // When any of them is active is not written down.
        return None;
    }
    let scope = rule_scope(&subject.rules, rule) as usize;
    let own = [&subject.days];
    let all: Vec<&BTreeMap<i64, DayValues>> = match subject.who {
        Who::Unknown => subject.pooled.iter().collect(),
        Who::Device { .. } | Who::Group(_) => own.to_vec(),
    };
    let (values, periods, allowed) = if rule == RuleKind::Quota {
        let cycles: Vec<u64> = all
            .iter()
            .flat_map(|days| cycles(recording, &subject.rules, days, scope))
            .collect();
        let periods = cycles.len();
        (cycles, periods, 0)
    } else {
        let value = |day: &DayValues| match rule {
            RuleKind::Volume => Some(day.bytes[scope]),
            RuleKind::Rate => Some(day.peak[scope]),
            _ => day.active,
        };
        let known = |days: &BTreeMap<i64, DayValues>| days.values().filter_map(value).count();
        let longest = all.iter().map(|days| known(days)).max()?;
        if longest < LEAST_DAYS {
            return None;
        }
        let days = all.iter().flat_map(|days| days.values());
        let values: Vec<u64> = days.filter_map(value).collect();
        (values, longest, allowed(per_week, longest))
    };
    let candidates = candidates(&values, allowed, quantity(rule));
    let present = threshold(&subject.rules, rule);
    (!candidates.is_empty() || (present.is_some() && periods > 0)).then_some(Trial {
        subject: place,
        rule,
        periods,
        allowed,
        candidates,
        place: 0,
        alerts: 0,
        is_kept: false,
    })
}

/// Bytes of each whole billing cycle.
fn cycles(
    recording: &Recording,
    rules: &Rules,
    days: &BTreeMap<i64, DayValues>,
    scope: usize,
) -> Vec<u64> {
    let date = |minute| -> Date { time_of(minute).to_zoned(recording.zone.clone()).date() };
    let mut cycles: BTreeMap<Date, (i32, u64)> = BTreeMap::new();
    for (minute, day) in days {
        let start = rules.cycle.start(date(*minute));
        let (count, sum) = cycles.entry(start).or_default();
        *count += 1;
        *sum = sum.saturating_add(day.bytes[scope]);
    }
    let today = date(recording.to);
    let whole = cycles.into_iter().filter(|(start, (count, _))| {
        let end = rules.cycle.end(*start);
        end <= today && crate::core::cycle::days_between(*start, end) == *count
    });
    whole.map(|(_, (_, sum))| sum).collect()
}

pub(super) fn quantity(rule: RuleKind) -> Quantity {
    match rule.unit() {
        Unit::Bytes => Quantity::Size,
        Unit::BytesPerSecond => Quantity::Rate,
        Unit::Seconds => Quantity::Time,
    }
}

pub(super) fn threshold(rules: &Rules, rule: RuleKind) -> Option<u64> {
    match rule {
        RuleKind::Volume => rules.volume(),
        RuleKind::Rate => rules.bytes_per_sec(),
        RuleKind::ActiveTime => rules.active_time().map(|time| time.as_secs()),
        _ => rules.quota(),
    }
}

pub(super) fn direction(rules: &Rules, rule: RuleKind) -> Direction {
    let quota = rules
        .list()
        .iter()
        .find(|each| each.rule.kind == RuleKind::Quota);
    match rule {
        RuleKind::Quota => quota.map_or(Direction::Total, |quota| quota.rule.direction),
        _ => Direction::Total,
    }
}

fn rule_scope(rules: &Rules, rule: RuleKind) -> Scope {
    let rule = rules.find(rule, direction(rules, rule));
    rule.and_then(|rule| rule.scope).unwrap_or_default()
}
