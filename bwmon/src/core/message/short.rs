//! An event in a few words, and its facts one by one, for channels that show them so.

use super::{NAME_CHARS, factor, printable, share, shown, told_apart};
use crate::core::{
    event::{Basis, Detail, Direction, Event, EventState, RuleKind, SubjectKind},
    human,
};

/// Characters of a title.
pub const TITLE_CHARS: usize = 80;
/// Characters of a name in it, which leave room for what usually follows.
const TITLE_NAME_CHARS: usize = 30;

/// The event in at most [`TITLE_CHARS`] characters. How bad it is, is not in it.
pub fn title(event: &Event) -> String {
    let who = subject(event, TITLE_NAME_CHARS);
    let what = match event.state {
        EventState::Firing => broken(event),
        EventState::Reminder => format!("still {}", broken(event)),
        EventState::Resolved => format!("{} alert is over", label(event.rule)),
    };
    cut(format!("{who}: {what}"), TITLE_CHARS)
}

/// The facts of the event, each with what it is. All of it is safe to show, apart from the markup of
/// a channel.
pub fn details(event: &Event) -> Vec<(&'static str, String)> {
    let unit = event.rule.unit();
    let (observed, threshold) = told_apart(unit, event.observed, event.threshold);
    let mut details = vec![("Subject", subject(event, NAME_CHARS))];
    if !event.device.addresses.is_empty() {
        details.push(("Addresses", addresses(event)));
    }
    if let Some(mac) = event.device.mac {
        let private = match event.detail {
            Detail::NewDevice { is_private: true } => " (private)",
            _ => "",
        };
        details.push(("MAC", format!("{mac}{private}")));
    }
    let group = event.device.group.as_deref().map(printable);
    details.extend(group.map(|name| ("Group", name)));
    details.push(("Rule", rule(event)));
    if event.rule != RuleKind::NewDevice {
        details.push(("Observed", observed));
        details.push(("Threshold", threshold));
    }
    if let Some(expected) = event.expected {
        let basis = match event.detail {
            Detail::Surge { basis, .. } => format!(" ({})", words(basis)),
            _ => String::new(),
        };
        details.push((
            "Expected",
            format!("{}{basis}", shown(unit, expected, human::DIGITS)),
        ));
    }
    if let Detail::Quota {
        limit,
        from,
        until,
        forecast,
        ..
    } = event.detail
    {
        details.push(("Quota", human::bytes(limit)));
        details.push(("Cycle", format!("{from} to before {until}")));
        details.extend(forecast.map(|bytes| ("Forecast", human::bytes(bytes))));
    }
    details.push(("Since", printable(&event.started_at)));
    details.extend(event.ended_at.as_ref().map(|at| ("Until", printable(at))));
    details.push(("Peak", human::bits_per_sec(event.peak_rate)));
    details.push(("Sent today", human::bytes(event.sent)));
    details.push(("Received today", human::bytes(event.received)));
    details.push(("Told by", printable(&event.host)));
    details
}

/// What is over what.
fn broken(event: &Event) -> String {
    let (observed, threshold) = told_apart(event.rule.unit(), event.observed, event.threshold);
    let direction = match event.direction {
        Direction::Total => "",
        Direction::Sent => " sent",
        Direction::Received => " received",
    };
    match (event.rule, &event.detail) {
        (RuleKind::Volume, _) => format!("{observed}{direction} today, over {threshold}"),
        (RuleKind::Rate, _) => format!("{observed}{direction}, over {threshold}"),
        (RuleKind::Surge, _) => {
            let expected = event.expected.unwrap_or(0);
            match factor(event.observed, expected) {
                Some(factor) => {
                    let expected = human::bits_per_sec(expected);
                    format!("{observed}{direction}, {factor} the usual {expected}")
                }
                None => format!("{observed}{direction}, usually nothing"),
            }
        }
        (RuleKind::ActiveTime, _) => format!("active for {observed} today, over {threshold}"),
        (RuleKind::Quota, Detail::Quota { limit, .. }) => {
            let percent = share(event.observed, *limit).unwrap_or_else(|| "all".to_owned());
            format!("{percent} of its quota of {} used", human::bytes(*limit))
        }
        (RuleKind::Quota, _) => format!("{observed}{direction}, over {threshold}"),
        (RuleKind::NewDevice, _) => "new on the network".to_owned(),
        (RuleKind::Silent, _) => format!("silent for {observed}"),
    }
}

fn subject(event: &Event, chars: usize) -> String {
    let name = cut(printable(&event.device.name), chars);
    match event.device.kind {
        SubjectKind::Device => name,
        SubjectKind::Group => format!("Group {name}"),
        SubjectKind::Interface => format!("Interface {name}"),
    }
}

/// No more than so many characters of it.
fn cut(text: String, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some(_) => text.chars().take(chars - 1).chain(['…']).collect(),
        None => text,
    }
}

/// A few, since a device can take as many of IPv6 as it likes.
fn addresses(event: &Event) -> String {
    const SHOWN: usize = 4;
    let addresses = &event.device.addresses;
    let mut shown: Vec<String> = addresses
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    if let Some(more @ 1..) = addresses.len().checked_sub(SHOWN) {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

fn rule(event: &Event) -> String {
    let label = label(event.rule);
    match event.direction {
        Direction::Total => label.to_owned(),
        Direction::Sent => format!("{label}, sent"),
        Direction::Received => format!("{label}, received"),
    }
}

fn label(rule: RuleKind) -> &'static str {
    match rule {
        RuleKind::Volume => "daily volume",
        RuleKind::Rate => "rate",
        RuleKind::Surge => "surge",
        RuleKind::ActiveTime => "active time",
        RuleKind::Quota => "quota",
        RuleKind::NewDevice => "new device",
        RuleKind::Silent => "silence",
    }
}

fn words(basis: Basis) -> &'static str {
    match basis {
        Basis::Recent => "as in the last hours",
        Basis::HourOfDay => "as at this hour of the day",
        Basis::HourOfWeek => "as at this hour of the week",
        Basis::BusyDay => "as on a busy day",
    }
}
