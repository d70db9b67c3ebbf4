//! What came out of a replay.

use std::{collections::BTreeMap, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::core::{
    alerts::Alert,
    event::{Direction, RuleKind, Severity, Unit},
    time::rfc3339,
};

/// All of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// What would have fired, in the order in which somebody would have been told.
    pub alerts: Vec<FoundAlert>,
    /// What was read.
    pub read: Read,
    /// What stands between this and the truth.
    pub warnings: Vec<String>,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Frames of a capture, rows of a series.
    pub records: u64,
    /// Bytes on the wire.
    pub bytes: u64,
    /// From first to last, on its own clock; `None` when there was nothing.
    pub period: Option<(Timestamp, Timestamp)>,
    /// How much of that was played; the rest is not known.
    pub played: Duration,
    /// Devices that were seen.
    pub devices: usize,
}

/// An alert that would have fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundAlert {
    /// Which rule.
    pub rule: RuleKind,
    /// The id of the device; of a series, its name.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// When it began: RFC 3339 with offset.
    pub started_at: String,
    /// When it ended; `None` where it did not.
    pub ended_at: Option<String>,
    /// How long it lasted, as far as it was played.
    pub duration_seconds: u64,
    /// The highest value while it lasted, in `unit`.
    pub observed: u64,
    /// What was allowed.
    pub threshold: u64,
    /// What was expected, by a rule that expects something.
    pub expected: Option<u64>,
    /// What the three are measured in.
    pub unit: Unit,
    /// Whose bytes.
    pub direction: Direction,
    /// How bad it is.
    pub severity: Severity,
    /// Highest smoothed rate while it lasted, bytes per second.
    pub peak_rate: u64,
    /// Of a rate in the recorded history, what it stands on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// No entry is about the device.
    #[serde(skip)]
    pub is_unknown: bool,
}

/// What an alert on a rate stands on, where single seconds are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The average of a minute or longer was over the threshold: it would have fired.
    Average,
    /// The highest rate in it was: it may have fired.
    Peak,
}

/// How often a rule would have fired for a device.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally<'a> {
    /// The rule.
    pub rule: RuleKind,
    /// Whose bytes it looks at.
    pub direction: Direction,
    /// What people call the device.
    pub name: &'a str,
    /// How often.
    pub alerts: u64,
    /// The same, if it goes on like this; `None` below a day, from which nothing follows.
    pub per_week: Option<f64>,
}

impl Report {
    /// How often each rule would have fired for each device.
    pub fn tallies(&self) -> Vec<Tally<'_>> {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
        let mut counts: BTreeMap<_, (&str, u64)> = BTreeMap::new();
        for alert in &self.alerts {
            let key = (alert.rule, alert.direction, &alert.device);
            let (_, count) = counts.entry(key).or_insert((&alert.name, 0));
            *count += 1;
        }
        let weeks = self.read.played.as_secs_f64() / WEEK.as_secs_f64();
        let is_long = self.read.played >= DAY;
        counts
            .into_iter()
            .map(|((rule, direction, _), (name, alerts))| Tally {
                rule,
                direction,
                name,
                alerts,
                per_week: is_long.then(|| alerts as f64 / weeks),
            })
            .collect()
    }
}

impl FoundAlert {
    /// Takes in the alert as somebody is told of it.
    pub(super) fn new(alert: &Alert) -> Self {
        Self {
            rule: alert.rule,
            device: String::new(),
            name: String::new(),
            started_at: String::new(),
            ended_at: None,
            duration_seconds: 0,
            observed: 0,
            threshold: 0,
            expected: None,
            unit: alert.rule.unit(),
            direction: alert.direction,
            severity: alert.severity,
            peak_rate: 0,
            basis: None,
            is_unknown: false,
        }
    }

    /// Takes in a change of the alert.
    pub(super) fn update(&mut self, alert: &Alert, zone: &TimeZone) {
        self.device.clone_from(&alert.device.id);
        self.name.clone_from(&alert.device.name);
        self.severity = alert.severity;
        self.started_at = rfc3339(alert.started_at, zone);
        self.ended_at = alert.ended_at.map(|at| rfc3339(at, zone));
        self.duration_seconds = alert.lasted.as_secs();
        self.threshold = alert.threshold;
        self.expected = alert.expected;
        self.see(alert.observed, alert.peak_bytes_per_sec);
    }

    /// Takes in a value.
    pub(super) fn see(&mut self, observed: u64, peak_rate: u64) {
        self.observed = self.observed.max(observed);
        self.peak_rate = self.peak_rate.max(peak_rate);
        // An alert ends when its rate is down again: what it was at its worst is the peak.
        if self.unit == Unit::BytesPerSecond {
            self.observed = self.observed.max(self.peak_rate);
        }
    }
}
