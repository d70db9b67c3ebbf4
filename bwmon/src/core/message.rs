//! What people and programs are told of an alert: its sentence, its event, its entry in the list.

use std::{net::IpAddr, time::Duration};

use jiff::tz::TimeZone;

use super::{
    alerts::{Alert, Ending, Transition},
    event::{Event, EventDevice, RuleKind, Unit},
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
        AlertState::Pending => sentence(alert),
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
        started_at: rfc3339(alert.started_at, zone),
        ended_at: alert.ended_at.map(|at| rfc3339(at, zone)),
    }
}

/// What to tell of an alert in the state it is in.
pub fn sentence(alert: &Alert) -> String {
    match alert.ending {
        None => broken(alert),
        Some(ending) => over(alert, ending),
    }
}

fn broken(alert: &Alert) -> String {
    let who = who(&alert.device);
    let (observed, threshold) = told_apart(alert.rule.unit(), alert.observed, alert.threshold);
    let did = match alert.rule {
        RuleKind::Volume | RuleKind::Quota => format!("used {observed} today"),
        RuleKind::Rate | RuleKind::Surge => {
            format!("moved {observed} for {}", human::duration(alert.lasted))
        }
        RuleKind::ActiveTime | RuleKind::NewDevice | RuleKind::Silent => {
            format!("been active for {observed} today")
        }
    };
    // After a rate, bytes could be taken for those of the last seconds.
    let today = match alert.rule {
        RuleKind::Rate | RuleKind::Surge => " today",
        _ => "",
    };
    let (sent, received) = (
        human::bytes(alert.today.sent),
        human::bytes(alert.today.received),
    );
    format!(
        "{who} has {did}, over its threshold of {threshold}. \
         Sent{today}: {sent}. Received{today}: {received}."
    )
}

fn over(alert: &Alert, ending: Ending) -> String {
    let who = who(&alert.device);
    let (observed, threshold) = told_apart(alert.rule.unit(), alert.observed, alert.threshold);
    let did = match alert.rule {
        RuleKind::ActiveTime => "was active for",
        _ => "used",
    };
    let what = match ending {
        Ending::Cleared => format!("is no longer over its threshold of {threshold}"),
        Ending::DayOver => {
            let day = alert.today.day;
            format!("{did} {observed} on {day}, over its threshold of {threshold}")
        }
        Ending::SwitchedOff | Ending::OutOfHours => {
            format!("is no longer watched for its threshold of {threshold}")
        }
        Ending::Forgotten => format!("is gone, after it was over its threshold of {threshold}"),
        Ending::Joined => "turned out to be a device that has this alert already".to_owned(),
    };
    let lasted = human::duration(alert.lasted);
    let moved = human::bytes(alert.moved_bytes);
    let peak = human::bits_per_sec(alert.peak_bytes_per_sec);
    format!("{who} {what}; the alert lasted {lasted}, in which it moved {moved} at up to {peak}.")
}

/// `text` without what could change how the text around it looks, and not too long.
///
/// Names come from the devices themselves. Control characters could write to a terminal, overrides
/// of the writing direction (Unicode TR 36, 3.4) could make the sentence read as another one, and
/// invisible characters could make one name look like another.
pub fn printable(text: &str) -> String {
    let mut shown = text.chars().filter(|&char| super::text::is_harmless(char));
    let mut name: String = shown.by_ref().take(NAME_CHARS).collect();
    if shown.next().is_some() {
        name.pop();
        name.push('…');
    }
    name.trim().to_owned()
}

/// The device in a sentence: its name, and its address unless that is its name.
fn who(device: &EventDevice) -> String {
    let EventDevice {
        name, addresses, ..
    } = device;
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
