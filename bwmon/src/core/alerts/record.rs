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
    mute::{Mute, Mutes},
    open::{Open, Quiet, Stopwatch, Until},
};
use crate::core::{
    event::RuleKind,
    policy::Cooldown,
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
        /// How long ago somebody was last told of it.
        #[serde(default)]
        told: Duration,
        /// What follows it; the first version did not say.
        #[serde(default)]
        cooldown: Option<CooldownSaved>,
        /// The silence after it is at least so long.
        #[serde(default)]
        damping: Option<Duration>,
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
    /// How long it is in all; zero where it lasts for a period.
    #[serde(default)]
    pub length: Duration,
    /// For how long it is remembered after all, to tell what comes and goes.
    #[serde(default)]
    pub remembered: Duration,
}

/// A [`Cooldown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CooldownSaved {
    /// So long.
    For(Duration),
    /// The rest of the day or billing cycle.
    Period,
}

/// What is left of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CooldownLeft {
    /// So long.
    Time(Duration),
    /// The rest of the day or billing cycle that begins on this day.
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
        for AlertRecord {
            mut alert,
            progress,
        } in records
        {
            if alert.period == Date::ZERO {
                // The first version knew no other period than the day.
                alert.period = alert.today.day;
            }
            let rule = alert.rule().index();
            match progress {
                Progress::Open {
                    clear,
                    told,
                    cooldown,
                    damping,
                } => {
                    let track = &mut tracks.entry(alert.device.id.clone()).or_default()[rule];
                    if matches!(track.stage(), Stage::Idle | Stage::Pending) {
                        let cooldown = cooldown.map_or_else(|| usual(alert.rule), Cooldown::from);
                        track.open = Some(Box::new(Open {
                            age: Stopwatch::resume(now, alert.lasted),
                            clear: clear.map(|clear| Stopwatch::resume(now, clear)),
                            told: Stopwatch::resume(now, told),
                            cooldown,
                            damping,
                            alert,
                        }));
                    }
                }
                Progress::Closed { sequence, cooldown } => {
                    let closed = Closed {
                        sequence,
                        alert: Arc::new(alert),
                    };
                    if let Some(saved) = cooldown {
                        let until = saved.until(now);
                        let closed = closed.clone();
                        tracks.entry(saved.device).or_default()[rule]
                            .quiet
                            .get_or_insert_with(|| Box::new(Quiet { closed, until }));
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

    /// Goes on with the mutes that were saved, as [`Self::mutes`] gave them.
    pub fn restore_mutes(&mut self, saved: impl IntoIterator<Item = Mute>) {
        self.mutes = Mutes::restore(saved);
    }
}

impl Open {
    fn record(&self, now: &Now) -> AlertRecord {
        let alert = Alert {
            lasted: self.age.elapsed(now),
            ..self.alert.clone()
        };
        let progress = Progress::Open {
            clear: self.clear.map(|clear| clear.elapsed(now)),
            told: self.told.elapsed(now),
            cooldown: Some(self.cooldown.into()),
            damping: self.damping,
        };
        AlertRecord { alert, progress }
    }
}

impl Quiet {
    fn record(&self, now: &Now, device: &str) -> AlertRecord {
        let left = |until: Monotonic| until.since(now.monotonic);
        let (left, length, remembered) = match self.until {
            Until::PeriodAfter(period) => {
                (CooldownLeft::Day(period), Duration::ZERO, Duration::ZERO)
            }
            Until::Time {
                end,
                length,
                forget,
            } => (CooldownLeft::Time(left(end)), length, left(forget)),
        };
        self.closed.record(Some(CooldownRecord {
            device: device.to_owned(),
            left,
            length,
            remembered,
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

impl CooldownRecord {
    fn until(&self, now: &Now) -> Until {
        let after = |left| Monotonic(now.monotonic.0.saturating_add(left));
        match self.left {
            CooldownLeft::Day(period) => Until::PeriodAfter(period),
            CooldownLeft::Time(left) => Until::Time {
                end: after(left),
                length: self.length,
                forget: after(self.remembered.max(left)),
            },
        }
    }
}

/// What followed an alert in the first version.
fn usual(rule: RuleKind) -> Cooldown {
    match rule {
        RuleKind::Volume | RuleKind::ActiveTime | RuleKind::Quota => Cooldown::Period,
        RuleKind::Rate | RuleKind::Surge | RuleKind::NewDevice | RuleKind::Silent => {
            Cooldown::For(Duration::from_secs(5 * 60))
        }
    }
}

impl From<Cooldown> for CooldownSaved {
    fn from(cooldown: Cooldown) -> Self {
        match cooldown {
            Cooldown::For(time) => Self::For(time),
            Cooldown::Period => Self::Period,
        }
    }
}

impl From<CooldownSaved> for Cooldown {
    fn from(saved: CooldownSaved) -> Self {
        match saved {
            CooldownSaved::For(time) => Self::For(time),
            CooldownSaved::Period => Self::Period,
        }
    }
}
