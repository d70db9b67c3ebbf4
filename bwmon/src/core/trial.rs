//! The event that tries whether a channel works.

use super::event::{
    Detail, Direction, Event, EventDevice, EventState, RuleKind, Severity, SubjectKind,
};

/// What stands where an event of an alert has the id of the alert, and that of the device.
pub const MARK: &str = "test";

/// An event that says it is a test.
pub fn event(id: &str, timestamp: &str, host: &str) -> Event {
    Event {
        timestamp: timestamp.to_owned(),
        event_description: format!(
            "This is a test by bwmon on {host}: if you can read it, alerts arrive here. Nothing is wrong."
        ),
        source: "Bandwidth".to_owned(),
        id: id.to_owned(),
        alert: MARK.to_owned(),
        state: EventState::Firing,
        rule: RuleKind::Volume,
        severity: Severity::Info,
        device: EventDevice {
            id: MARK.to_owned(),
            name: "Test".to_owned(),
            kind: SubjectKind::Device,
            group: None,
            mac: None,
            addresses: Vec::new(),
        },
        direction: Direction::Total,
        observed: 0,
        threshold: 0,
        expected: None,
        unit: RuleKind::Volume.unit(),
        detail: Detail::None,
        peak_rate: 0,
        sent: 0,
        received: 0,
        started_at: timestamp.to_owned(),
        ended_at: None,
        host: host.to_owned(),
    }
}

/// Whether an event is a test.
pub fn is_trial(event: &Event) -> bool {
    event.alert == MARK
}
