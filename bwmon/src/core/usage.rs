//! What a device used on a local day: its bytes, and the minutes in which it was active.
//!
//! The wall clock may step backwards. Bytes then go on counting where they are, and no minute
//! counts as active a second time.

use std::time::Duration;

use bwmon_common::layout::Row;
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    event::Direction,
    policy::Scope,
    time::{Monotonic, Now},
};

/// Bytes in scope that make a minute an active one.
pub const ACTIVE_BYTES: u64 = 64 * 1024;
/// Inactive minutes between two active ones that count as active too.
pub const LINGER_MINUTES: u32 = 2;
/// How long the wall clock must stay behind before [`LocalDay`] follows it to an earlier day.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// What a device used on a local day. The local parts are contained in the totals.
///
/// All that a restart needs is in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayUsage {
    /// The local day.
    pub day: Date,
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that came from the local networks.
    pub received_local: u64,
    active_minutes: u32,
    /// The latest minute (since the epoch) with traffic.
    minute: Option<i64>,
    /// Bytes in scope in it.
    minute_bytes: u64,
    /// The latest minute that counted as active; may belong to the day before.
    last_active: Option<i64>,
}

impl DayUsage {
    /// Nothing used yet on `day`.
    pub fn on(day: Date) -> Self {
        Self {
            day,
            ..Self::default()
        }
    }

    /// Moves on to `day`, as [`LocalDay`] tells it; to be called before [`record`](Self::record).
    ///
    /// A later day starts from zero, and the finished one is returned. An earlier day means that
    /// the clock had been ahead: what was used meanwhile keeps counting, under the earlier date.
    pub fn roll(&mut self, day: Date) -> Option<Self> {
        if day > self.day {
            let finished = *self;
            // The minutes stay known, so that a clock that steps back over midnight can't count
            // one of them again for the new day.
            let (minute, last_active) = (self.minute, self.last_active);
            *self = Self {
                minute,
                last_active,
                ..Self::on(day)
            };
            return Some(finished);
        }
        if day < self.day {
            // Minutes of a time to come would stop all others from counting until then.
            *self = Self {
                day,
                minute: None,
                minute_bytes: 0,
                last_active: None,
                ..*self
            };
        }
        None
    }

    /// Adds what the device used since the last sample.
    pub fn record(&mut self, now: &Now, difference: &Row, scope: Scope) {
        let Row {
            sent,
            received,
            sent_local,
            received_local,
        } = difference;
        self.sent = self.sent.saturating_add(sent.bytes);
        self.received = self.received.saturating_add(received.bytes);
        self.sent_local = self.sent_local.saturating_add(sent_local.bytes);
        self.received_local = self.received_local.saturating_add(received_local.bytes);

        let minute = Some(now.minute());
        // Minutes that a clock lives through again add to the latest one.
        if minute > self.minute {
            self.minute = minute;
            self.minute_bytes = 0;
        }
        let used = in_scope(sent.bytes, sent_local.bytes, scope).saturating_add(in_scope(
            received.bytes,
            received_local.bytes,
            scope,
        ));
        self.minute_bytes = self.minute_bytes.saturating_add(used);
        self.count_minute();
    }

    /// Goes on with a day that had been taken for finished: what was used since adds to it.
    pub fn resume(&mut self, early: &Self) {
        self.sent = self.sent.saturating_add(early.sent);
        self.received = self.received.saturating_add(early.received);
        self.sent_local = self.sent_local.saturating_add(early.sent_local);
        self.received_local = self.received_local.saturating_add(early.received_local);
        // Minutes are of the day before or after the step, never of both.
        self.active_minutes = self.active_minutes.saturating_add(early.active_minutes);
    }

    /// Takes in another device's usage, when both turn out to be one. Roll both to the same day
    /// first: of two days, only the later one is kept.
    ///
    /// Bytes add. The minutes of the two may or may not be the same ones, so active time becomes the
    /// larger of the two: never more than the device was active, perhaps less.
    pub fn merge(&mut self, other: &Self) {
        if other.day != self.day {
            if other.day > self.day {
                *self = *other;
            }
            return;
        }
        self.sent = self.sent.saturating_add(other.sent);
        self.received = self.received.saturating_add(other.received);
        self.sent_local = self.sent_local.saturating_add(other.sent_local);
        self.received_local = self.received_local.saturating_add(other.received_local);
        self.active_minutes = self.active_minutes.max(other.active_minutes);
        self.last_active = self.last_active.max(other.last_active);
        if other.minute == self.minute {
            self.minute_bytes = self.minute_bytes.saturating_add(other.minute_bytes);
        } else if other.minute > self.minute {
            (self.minute, self.minute_bytes) = (other.minute, other.minute_bytes);
        }
        self.count_minute();
    }

    /// Bytes uploaded, as far as rules look at them.
    pub fn sent_in(&self, scope: Scope) -> u64 {
        in_scope(self.sent, self.sent_local, scope)
    }

    /// Bytes downloaded, as far as rules look at them.
    pub fn received_in(&self, scope: Scope) -> u64 {
        in_scope(self.received, self.received_local, scope)
    }

    /// Minutes with at least [`ACTIVE_BYTES`] in scope, and gaps of up to [`LINGER_MINUTES`]
    /// between them.
    pub fn active(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.active_minutes))
    }

    /// Counts the latest minute as soon as it is an active one, and only once.
    fn count_minute(&mut self) {
        if self.minute_bytes < ACTIVE_BYTES || self.minute <= self.last_active {
            return;
        }
        let gap = match (self.last_active, self.minute) {
            // The day's first active minute has nothing to bridge to: not even if the last one of
            // the day before is close.
            (Some(last), Some(minute)) if self.active_minutes > 0 => {
                u32::try_from(minute.saturating_sub(last) - 1).unwrap_or(u32::MAX)
            }
            _ => 0,
        };
        let bridged = if gap <= LINGER_MINUTES { gap } else { 0 };
        self.active_minutes = self.active_minutes.saturating_add(1 + bridged);
        self.last_active = self.minute;
    }
}

/// What a subject used in a billing cycle, without what passed in free hours. The local parts are
/// contained in the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleUsage {
    /// The first day of the cycle.
    pub start: Date,
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that came from the local networks.
    pub received_local: u64,
}

impl CycleUsage {
    /// Nothing used yet in the cycle that begins on `start`.
    pub fn from(start: Date) -> Self {
        Self {
            start,
            ..Self::default()
        }
    }

    /// Moves on to the cycle that begins on `start`. An earlier one means that the clock had been
    /// ahead, or that the owner tells cycles otherwise now: what was used keeps counting, since it
    /// was used lately.
    pub fn roll(&mut self, start: Date) {
        if start > self.start {
            *self = Self::from(start);
        }
        self.start = start;
    }

    /// Adds what was used since the last sample.
    pub fn record(&mut self, difference: &Row) {
        let Row {
            sent,
            received,
            sent_local,
            received_local,
        } = difference;
        self.sent = self.sent.saturating_add(sent.bytes);
        self.received = self.received.saturating_add(received.bytes);
        self.sent_local = self.sent_local.saturating_add(sent_local.bytes);
        self.received_local = self.received_local.saturating_add(received_local.bytes);
    }

    /// Takes in another device's usage, when both turn out to be one: of two cycles, the later.
    pub fn merge(&mut self, other: &Self) {
        if other.start > self.start {
            *self = *other;
        } else if other.start == self.start {
            self.sent = self.sent.saturating_add(other.sent);
            self.received = self.received.saturating_add(other.received);
            self.sent_local = self.sent_local.saturating_add(other.sent_local);
            self.received_local = self.received_local.saturating_add(other.received_local);
        }
    }

    /// Bytes in a direction and scope.
    pub fn of(&self, direction: Direction, scope: Scope) -> u64 {
        let sent = in_scope(self.sent, self.sent_local, scope);
        let received = in_scope(self.received, self.received_local, scope);
        match direction {
            Direction::Total => sent.saturating_add(received),
            Direction::Sent => sent,
            Direction::Received => received,
        }
    }
}

/// A reading of the table is not one instant, so the local part may be ahead by a packet.
fn in_scope(total: u64, local: u64, scope: Scope) -> u64 {
    match scope {
        Scope::Internet => total.saturating_sub(local),
        Scope::Local => local,
        Scope::All => total,
    }
}

/// The day that usage is dated by, one for all devices: follows the wall clock forwards at once,
/// backwards only after [`PATIENCE`].
///
/// A step back over midnight would otherwise begin the new day twice, and a router that boots
/// without knowing the time would end the day it had restored.
#[derive(Clone, Copy, Debug)]
pub struct LocalDay {
    day: Date,
    behind_since: Option<Monotonic>,
}

impl LocalDay {
    /// Starts from the latest day that was restored, else from today.
    pub fn new(day: Date) -> Self {
        Self {
            day,
            behind_since: None,
        }
    }

    /// The day it is now.
    pub fn follow(&mut self, now: &Now, zone: &TimeZone) -> Date {
        let day = now.day(zone);
        let behind_since = *self.behind_since.get_or_insert(now.monotonic);
        if day >= self.day || now.monotonic.since(behind_since) >= PATIENCE {
            self.day = day;
            self.behind_since = None;
        }
        self.day
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
