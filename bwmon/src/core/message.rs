//! What people and programs are told of an alert: its event, its entry in the list, and the words for
//! both.

use std::{net::IpAddr, time::Duration};

use jiff::{civil::Date, tz::TimeZone};

mod sentence;
mod short;

pub use sentence::sentence;
pub use short::{TITLE_CHARS, details, title};

use super::{
    alerts::{Alert, Transition},
    event::{Event, EventDevice, EventState, SubjectKind, Unit},
    human,
    time::rfc3339,
    view::{AlertState, AlertView},
};

/// Characters of a name that are shown.
pub const NAME_CHARS: usize = 64;

/// The event that tells `transition`, as posted by the machine `host`.
pub fn event(transition: &Transition, host: &str, zone: &TimeZone) -> Event {
    let alert = &*transition.alert;
    Event {
        timestamp: rfc3339(transition.at, zone),
        event_description: alert.description.clone(),
        source: "Bandwidth".to_owned(),
        id: transition.event_id.clone(),
        alert: alert.id.clone(),
        state: transition.state,
        rule: alert.rule,
        device: alert.device.clone(),
        direction: alert.direction,
        observed: alert.observed,
        threshold: alert.threshold,
        expected: alert.expected,
        detail: alert.detail.clone(),
        severity: alert.severity,
        unit: alert.rule.unit(),
        peak_rate: alert.peak_bytes_per_sec,
        sent: alert.today.sent,
        received: alert.today.received,
        started_at: rfc3339(alert.started_at, zone),
        ended_at: alert.ended_at.map(|at| rfc3339(at, zone)),
        host: host.to_owned(),
    }
}

/// The alert in the list of alerts.
pub fn view(alert: &Alert, zone: &TimeZone) -> AlertView {
    let description = match alert.state {
        // Nobody was told yet.
        AlertState::Pending => sentence(alert, EventState::Firing),
        AlertState::Firing | AlertState::Resolved => alert.description.clone(),
    };
    AlertView {
        id: alert.id.clone(),
        state: alert.state,
        rule: alert.rule,
        device: alert.device.clone(),
        severity: alert.severity,
        direction: alert.direction,
        expected: alert.expected,
        observed: alert.observed,
        threshold: alert.threshold,
        unit: alert.rule.unit(),
        peak_rate: alert.peak_bytes_per_sec,
        description,
        acknowledged_at: alert.acknowledged.as_ref().map(|by| rfc3339(by.at, zone)),
        acknowledged_by: alert.acknowledged.as_ref().and_then(|by| by.by.clone()),
        muted: alert.muted,
        started_at: rfc3339(alert.started_at, zone),
        ended_at: alert.ended_at.map(|at| rfc3339(at, zone)),
    }
}

/// `text` without what could change how the text around it looks, and not too long.
///
/// Names come from the devices themselves. Control characters could write to a terminal, overrides
/// of the writing direction (Unicode TR 36, 3.4) could make the sentence read as another one, and
/// invisible characters could make one name look like another.
pub fn printable(text: &str) -> String {
    printable_within(text, NAME_CHARS)
}

/// The same with at most so many characters.
pub fn printable_within(text: &str, most: usize) -> String {
    let mut shown = text.chars().filter(|&char| super::text::is_harmless(char));
    let mut within: String = shown.by_ref().take(most).collect();
    if shown.next().is_some() {
        within.pop();
        within.push('…');
    }
    within.trim().to_owned()
}

/// The device at the start of a sentence: its name, and its address unless that is its name.
fn who(device: &EventDevice) -> String {
    let EventDevice {
        name,
        kind,
        addresses,
        ..
    } = device;
    match kind {
        SubjectKind::Device => {}
        SubjectKind::Group => return format!("Group {name}"),
        SubjectKind::Interface => return format!("Interface {name}"),
    }
    let is_name = |address: &IpAddr| name.parse() == Ok(*address);
    let address = addresses
        .iter()
        .find(|address| address.is_ipv4())
        .or(addresses.first());
    match address {
        Some(address) if !addresses.iter().any(is_name) => format!("{name} ({address})"),
        _ => name.clone(),
    }
}

/// Both values for people, with as many digits as it takes to see that they differ: what crosses
/// 5 GB is often seen at 5.003 GB first.
fn told_apart(unit: Unit, observed: u64, threshold: u64) -> (String, String) {
    const DIGITS_MAX: u32 = 6;
    let mut digits = human::DIGITS;
    loop {
        let both = (
            shown(unit, observed, digits),
            shown(unit, threshold, digits),
        );
        if both.0 != both.1 || digits == DIGITS_MAX {
            return both;
        }
        digits += 1;
    }
}

fn shown(unit: Unit, value: u64, digits: u32) -> String {
    match unit {
        Unit::Bytes => human::bytes_with(value, digits),
        Unit::BytesPerSecond => human::bits_per_sec_with(value, digits),
        Unit::Seconds => human::duration(Duration::from_secs(value)),
    }
}

/// How many times `expected` was observed: `2.4 times`; `None` where nothing is usual.
fn factor(observed: u64, expected: u64) -> Option<String> {
    let tenths =
        (u128::from(observed) * 10 + u128::from(expected) / 2).checked_div(expected.into())?;
    Some(match (tenths / 10, tenths % 10) {
        (whole @ 0..5, tenth @ 1..) => format!("{whole}.{tenth} times"),
        _ => format!("{} times", (tenths + 5) / 10),
    })
}

/// How much of a quota is used; without a limit there is nothing to compare with.
fn share(used: u64, limit: u64) -> Option<String> {
    let percent = (u128::from(used) * 100).checked_div(limit.into())?;
    Some(format!("{percent} %"))
}

/// A date as people say it: `31 March`.
fn day(date: Date) -> String {
    date.strftime("%-d %B").to_string()
}

#[cfg(test)]
mod tests;
