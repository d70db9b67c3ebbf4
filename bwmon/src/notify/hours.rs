//! When a channel wants to be left alone.

use jiff::{Timestamp, tz::TimeZone};

use crate::core::{
    event::{Event, Severity},
    schedule::Schedule,
};

/// The quiet hours of a channel, in local time.
#[derive(Clone, Debug)]
pub(super) struct QuietHours {
    /// `None`: never.
    pub(super) schedule: Option<Schedule>,
    pub(super) zone: TimeZone,
}

impl QuietHours {
    /// Whether a time is within them.
    pub(super) fn contain(&self, at: Timestamp) -> bool {
        let schedule = self.schedule.as_ref();
        schedule.is_some_and(|hours| hours.contains(at.to_zoned(self.zone.clone()).datetime()))
    }

    /// Whether an event of the time `at` had to wait for their end.
    pub(super) fn held(&self, event: &Event, at: Timestamp) -> bool {
        event.severity != Severity::Critical && self.contain(at)
    }
}
