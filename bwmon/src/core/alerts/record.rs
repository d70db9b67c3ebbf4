//! Alerts as they are saved, so that no restart ends, repeats or forgets one.
//!
//! The monotonic clock begins anew with each boot, so times on it are saved as what has elapsed or
//! is left. Time in which bwmon did not run counts for neither.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    Alerts, Tracks,
    alert::Alert,
    history::{Closed, History},
    lifecycle::Stage,
    open::{Open, Quiet, Stopwatch, Until},
};
use crate::core::{
    policy::{Cooldown, Rule},
    time::{Monotonic, Now},
};

/// All that is needed to go on with one alert; a row of a table whose key is the alert's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// What is known of it.
    pub alert: Alert,
    /// Where it is in its life.
    pub progress: Progress,
}

/// What a record keeps besides the alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Pending or firing.
    Open {
        /// For how long it has been clear, when it is.
        clear: Option<Duration>,
    },
    /// Over.
    Closed {
        /// Grows with each alert that ends.
        sequence: u64,
        /// The silence after it, unless that is over too.
        cooldown: Option<CooldownRecord>,
    },
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CooldownRecord {
    /// The id of the device it is about now: another than the alert's once devices were joined.
    pub device: String,
    /// Until when.
    pub left: CooldownLeft,
}

/// What is left of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CooldownLeft {
    /// So long.
    Time(Duration),
    /// The rest of this local day.
    Day(Date),
}

impl Alerts {
    /// What changes by itself: the open alerts and the silences, for a checkpoint. Rows of open
    /// alerts that are not among these any more belong to pending ones that came to nothing.
    pub fn live_records(&self, now: &Now) -> impl Iterator<Item = AlertRecord> {
        self.tracks.iter().flat_map(|(device, tracks)| {
            tracks.iter().flat_map(|track| {
                let open = track.open.as_deref().map(|open| open.record(now));
                let quiet = track.quiet.as_ref().map(|quiet| quiet.record(now, device));
                open.into_iter().chain(quiet)
            })
        })
    }

    /// All that there is to save: the live records, and the history.
    pub fn records(&self, now: &Now) -> Vec<AlertRecord> {
        let mut records: Vec<AlertRecord> = self.live_records(now).collect();
        let live: BTreeSet<String> = records
            .iter()
            .map(|record| record.alert.id.clone())
            .collect();
        let finished = self
            .history
            .iter()
            .filter(|closed| !live.contains(&closed.alert.id));
        records.extend(finished.map(|closed| closed.record(None)));
        records
    }

    /// Goes on where the records were saved, in any order. A pending alert gives way to another one
    /// of its device and rule: it may be the row of one that came to nothing.
    pub fn restore(records: impl IntoIterator<Item = AlertRecord>, now: &Now) -> Self {
        let mut tracks: BTreeMap<String, Tracks> = BTreeMap::new();
        let mut finished = Vec::new();
        for AlertRecord { alert, progress } in records {
            let rule = Rule {
                kind: alert.rule,
                direction: alert.direction,
                step: alert.step,
            }
            .index();
            match progress {
                Progress::Open { clear } => {
                    let track = &mut tracks.entry(alert.device.id.clone()).or_default()[rule];
                    if matches!(track.stage(), Stage::Idle | Stage::Pending) {
                        track.open = Some(Box::new(Open::restore(alert, clear, now)));
                    }
                }
                Progress::Closed { sequence, cooldown } => {
                    let closed = Closed {
                        sequence,
                        alert: Arc::new(alert),
                    };
                    if let Some(CooldownRecord { device, left }) = cooldown {
                        let quiet = Quiet {
                            closed: closed.clone(),
                            until: left.until(now),
                        };
                        tracks.entry(device).or_default()[rule]
                            .quiet
                            .get_or_insert(quiet);
                    }
                    finished.push(closed);
                }
            }
        }
        Self {
            tracks,
            history: History::restore(finished),
            ..Self::default()
        }
    }
}

impl Open {
    fn record(&self, now: &Now) -> AlertRecord {
        let alert = Alert {
            lasted: self.age.elapsed(now),
            ..self.alert.clone()
        };
        let clear = self.clear.map(|clear| clear.elapsed(now));
        AlertRecord {
            alert,
            progress: Progress::Open { clear },
        }
    }

    fn restore(alert: Alert, clear: Option<Duration>, now: &Now) -> Self {
        let age = Stopwatch::resume(now, alert.lasted);
        let clear = clear.map(|clear| Stopwatch::resume(now, clear));
        let cooldown = Cooldown::Period;
        Self {
            alert,
            age,
            clear,
            cooldown,
        }
    }
}

impl Quiet {
    fn record(&self, now: &Now, device: &str) -> AlertRecord {
        let left = match self.until {
            Until::DayAfter(day) => CooldownLeft::Day(day),
            Until::Time(until) => CooldownLeft::Time(until.since(now.monotonic)),
        };
        self.closed.record(Some(CooldownRecord {
            device: device.to_owned(),
            left,
        }))
    }
}

impl Closed {
    fn record(&self, cooldown: Option<CooldownRecord>) -> AlertRecord {
        let progress = Progress::Closed {
            sequence: self.sequence,
            cooldown,
        };
        AlertRecord {
            alert: Alert::clone(&self.alert),
            progress,
        }
    }
}

impl CooldownLeft {
    fn until(self, now: &Now) -> Until {
        match self {
            Self::Day(day) => Until::DayAfter(day),
            Self::Time(left) => Until::Time(Monotonic(now.monotonic.0.saturating_add(left))),
        }
    }
}
