//! Values that only rules have: what may be written, and what it is read as.

use std::time::Duration;

use jiff::civil::Date;

use crate::{
    config::{
        choice::choose,
        value::{Scalar, ValueError},
    },
    core::{
        cycle::Cycle,
        event::{Direction, Severity},
        policy::{STEPS, Scope, Setting},
    },
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A rule that is on or off.
pub(super) fn switch(value: &Scalar) -> Result<Setting<()>, ValueError> {
    value
        .flag()
        .map(|on| if on { Setting::At(()) } else { Setting::Off })
}

/// How long something has to last.
pub(super) fn lasting(value: &Scalar) -> Result<Duration, ValueError> {
    value.duration_within(Duration::ZERO..=DAY, "a duration of at most 1d")
}

/// How often a reminder comes.
pub(super) fn repeat(value: &Scalar) -> Result<Duration, ValueError> {
    value.duration_within(MINUTE..=30 * DAY, "a duration from 1min to 30d")
}

pub(super) fn cooldown(value: &Scalar) -> Result<Duration, ValueError> {
    value.duration_within(Duration::ZERO..=30 * DAY, "a duration of at most 30d")
}

pub(super) fn learn(value: &Scalar) -> Result<Duration, ValueError> {
    value.duration_within(Duration::ZERO..=28 * DAY, "a duration of at most 28d")
}

pub(super) fn silence(value: &Scalar) -> Result<Duration, ValueError> {
    value.duration_within(MINUTE..=30 * DAY, "a duration from 1min to 30d")
}

pub(super) fn severity(value: &Scalar) -> Result<Severity, ValueError> {
    const ALLOWED: &str = "\"info\", \"warning\" or \"critical\"";
    Ok(choose(
        value.text(ALLOWED)?,
        &Severity::ALL,
        Severity::as_str,
    )?)
}

pub(super) fn scope(value: &Scalar) -> Result<Scope, ValueError> {
    const ALLOWED: &str = "\"internet\", \"local\" or \"all\"";
    Ok(choose(value.text(ALLOWED)?, &Scope::ALL, Scope::as_str)?)
}

pub(super) fn direction(value: &Scalar) -> Result<Direction, ValueError> {
    const ALLOWED: &str = "\"total\", \"sent\" or \"received\"";
    Ok(choose(
        value.text(ALLOWED)?,
        &Direction::ALL,
        Direction::as_str,
    )?)
}

/// How many times the usual is a surge.
pub(super) fn factor(value: &Scalar) -> Result<f64, ValueError> {
    let factor = match *value {
        Scalar::Integer(factor) => factor as f64,
        Scalar::Float(factor) => factor,
        _ => f64::NAN,
    };
    if factor > 1.0 && factor <= 1000.0 {
        Ok(factor)
    } else {
        Err(value.not("a number above 1, up to 1000"))
    }
}

/// Bytes a billing cycle. Of nothing there are no percentages.
pub(super) fn quota(value: &Scalar) -> Result<Setting<u64>, ValueError> {
    match value.setting(Scalar::size)? {
        Setting::At(0) => Err(value.not("more than 0 bytes, or \"off\"")),
        limit => Ok(limit),
    }
}

/// The next of the percentages.
pub(super) fn step(steps: &mut Vec<u8>, value: &Scalar) -> Result<(), ValueError> {
    let step = match *value {
        Scalar::Integer(step) => u8::try_from(step).ok(),
        _ => None,
    };
    let last = steps.last().copied().unwrap_or(0);
    match step.filter(|step| *step > last && steps.len() < STEPS) {
        Some(step) => {
            steps.push(step);
            Ok(())
        }
        None => Err(value.not(format!(
            "one of up to {STEPS} whole numbers from 1 to 255, each larger than the one before, as \
             in [50, 80, 100]"
        ))),
    }
}

/// From which day to which day bytes are counted.
pub(super) fn cycle(value: &Scalar) -> Result<Cycle, ValueError> {
    match value {
        Scalar::Integer(day) => i8::try_from(*day).ok().and_then(day_of_month),
        Scalar::Text(text) => days_from(text),
        _ => None,
    }
    .ok_or_else(|| {
        value.not(
            "a day of the month from 1 to 31, or from its end from -1 to -28, or days such as \
             \"30 days from 2026-01-05\", at most 366",
        )
    })
}

fn day_of_month(day: i8) -> Option<Cycle> {
    match day {
        1..=31 => Some(Cycle::DayOfMonth(day)),
        -28..=-1 => Some(Cycle::FromMonthsEnd(-day)),
        _ => None,
    }
}

/// `30 days from 2026-01-05`, or a plain number in quotes.
fn days_from(text: &str) -> Option<Cycle> {
    let words: Vec<_> = text.split_whitespace().collect();
    match words[..] {
        [day] => day_of_month(day.parse().ok()?),
        [days, "day" | "days", "from", from] => {
            let days = days.parse().ok().filter(|days| (1..=366).contains(days))?;
            let from: Date = from.parse().ok()?;
            Some(Cycle::Every { days, from })
        }
        _ => None,
    }
}
