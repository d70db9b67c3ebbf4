//! An event in a few words for people: its title, and its numbers with what they are.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    event::{Event, EventState, RuleKind, Unit},
    human, trial,
};

/// Most addresses that are told of.
const ADDRESSES: usize = 4;

/// One line that says who and what.
pub fn title(event: &Event) -> String {
    if trial::is_trial(event) {
        return format!("Test from {}", event.host);
    }
    let name = &event.device.name;
    let what = match event.rule {
        RuleKind::Volume => "much traffic today",
        RuleKind::Rate => "high rate",
        RuleKind::Surge => "unusual rate",
        RuleKind::ActiveTime => "active for long today",
        RuleKind::Quota => "quota",
        RuleKind::NewDevice => "new device",
        RuleKind::Silent => "silent",
    };
    match event.state {
        EventState::Firing => format!("{name}: {what}"),
        EventState::Reminder => format!("{name}: still {what}"),
        EventState::Resolved => format!("{name}: over: {what}"),
    }
}

/// What is known, with a label each.
pub fn details(event: &Event) -> Vec<(&'static str, String)> {
    let mut details = Vec::new();
    let mut tell = |label, value: Option<String>| {
        details.extend(value.map(|value| (label, value)));
    };
    let is_trial = trial::is_trial(event);
    let amount = |value| (!is_trial).then(|| amount(event.unit, value));
    let bytes = |value| (!is_trial).then(|| human::bytes(value));
    tell("Severity", Some(event.severity.as_str().to_owned()));
    tell("Addresses", addresses(event));
    tell("MAC", event.device.mac.map(|mac| mac.to_string()));
    tell("Group", event.device.group.clone());
    tell("Seen", amount(event.observed));
    tell("Allowed", amount(event.threshold));
    tell("Expected", event.expected.and_then(amount));
    let peak = (event.peak_rate > 0).then(|| human::bits_per_sec(event.peak_rate));
    tell("Peak", peak);
    tell("Sent today", bytes(event.sent));
    tell("Received today", bytes(event.received));
    tell("Since", Some(event.started_at.clone()));
    tell("Until", event.ended_at.clone());
    tell("Host", Some(event.host.clone()));
    details
}

/// What a template may tell: the event as it is posted, its title and its details.
pub fn context(event: &Event) -> Value {
    // An event has no key that is not text, so this does not fail.
    let mut context = serde_json::to_value(event).unwrap_or_default();
    if let Some(context) = context.as_object_mut() {
        let details = details(event)
            .into_iter()
            .map(|(label, value)| json!({ "label": label, "value": value }));
        context.insert("title".to_owned(), title(event).into());
        context.insert("details".to_owned(), details.collect());
    }
    context
}

fn addresses(event: &Event) -> Option<String> {
    let all = &event.device.addresses;
    let shown: Vec<String> = all
        .iter()
        .take(ADDRESSES)
        .map(ToString::to_string)
        .collect();
    let more = all.len() - shown.len();
    match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(shown.join(", ")),
        (false, _) => Some(format!("{} and {more} more", shown.join(", "))),
    }
}

fn amount(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Bytes => human::bytes(value),
        Unit::BytesPerSecond => human::bits_per_sec(value),
        Unit::Seconds => human::duration(Duration::from_secs(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(rule: RuleKind, state: EventState) -> Event {
        let mut event = trial::event("e1", "2026-03-08T14:03:11+01:00", "router");
        event.alert = "a1".to_owned();
        event.device.name = "Laptop".to_owned();
        event.rule = rule;
        event.state = state;
        event.unit = rule.unit();
        event
    }

    #[test]
    fn a_title_says_who_and_what() {
        let mut titles: Vec<String> = RuleKind::ALL
            .iter()
            .map(|rule| title(&event(*rule, EventState::Firing)))
            .collect();
        titles.push(title(&event(RuleKind::Rate, EventState::Reminder)));
        titles.push(title(&event(RuleKind::Rate, EventState::Resolved)));
        titles.push(title(&trial::event("e1", "", "router")));
        insta::assert_snapshot!(titles.join("\n"), @r#"
        Laptop: much traffic today
        Laptop: high rate
        Laptop: unusual rate
        Laptop: active for long today
        Laptop: quota
        Laptop: new device
        Laptop: silent
        Laptop: still high rate
        Laptop: over: high rate
        Test from router
        "#);
    }

    #[test]
    fn details_are_what_is_known() {
        let mut event = event(RuleKind::Surge, EventState::Resolved);
        event.device.addresses = (1..=6).map(|host| [10, 0, 0, host].into()).collect();
        event.device.group = Some("kids".to_owned());
        event.expected = Some(125_000);
        event.observed = 1_250_000;
        event.peak_rate = 2_500_000;
        event.ended_at = Some("2026-03-08T15:00:00+01:00".to_owned());
        let shown = |event: &Event| {
            let lines = details(event).into_iter();
            let lines: Vec<_> = lines
                .map(|(label, value)| format!("{label}: {value}"))
                .collect();
            lines.join("\n")
        };
        insta::assert_snapshot!(shown(&event), @r#"
        Severity: info
        Addresses: 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 2 more
        Group: kids
        Seen: 10 Mbit/s
        Allowed: 0 bit/s
        Expected: 1 Mbit/s
        Peak: 20 Mbit/s
        Sent today: 0 B
        Received today: 0 B
        Since: 2026-03-08T14:03:11+01:00
        Until: 2026-03-08T15:00:00+01:00
        Host: router
        "#);
        let test = trial::event("e1", "2026-03-08T14:03:11+01:00", "router");
        insta::assert_snapshot!(shown(&test), @r#"
        Severity: info
        Since: 2026-03-08T14:03:11+01:00
        Host: router
        "#);
        let context = context(&test);
        assert_eq!(context["title"], "Test from router");
        assert_eq!(context["details"][0]["label"], "Severity");
        assert_eq!(context["id"], "e1");
    }
}
