//! Since when is it unusual, and who is told: the life of every alert, from pending to resolved.
//!
//! Durations are measured on the monotonic clock, dates are the wall clock's. `lifecycle` has the
//! transition table; this module finds the right place to apply it.
//!
//! Memory is bounded by the caller: at most one open alert and one cooldown for each rule of each
//! device it steps, until it [`forget`](Alerts::forget)s the device, and [`HISTORY`] alerts that are
//! over. Cooldowns of devices that are never stepped again are dropped as others open alerts.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;

mod alert;
mod history;
mod lifecycle;
mod open;
mod record;

use history::History;
use lifecycle::{Stage, Track};
use open::Quiet;

pub use alert::{Alert, DeviceRef, Ending, Transition};
pub use history::HISTORY;
pub use record::{AlertRecord, CooldownLeft, CooldownRecord, Progress};

use super::{
    event::{Direction, RuleKind},
    policy::Rule,
    rules::{Finding, Judgement, Level, Today, Verdict},
    time::Now,
    view::AlertState,
};

/// The alerts of all devices.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// Only devices with something to remember, by id.
    tracks: BTreeMap<String, Tracks>,
    history: History,
    /// With so many devices it is time to look for cooldowns that nobody asks for.
    sweep_at: usize,
}

/// Of one device, by [`Rule::index`].
type Tracks = [Track; Rule::COUNT];

/// Below this, looking for what can be dropped is not worth it.
const SWEEP_MIN: usize = 64;

impl Alerts {
    /// Takes in what a rule says of a device: once for each sample, for every device with traffic
    /// and for every one with an open alert. `new_id` gives ids to alerts and events.
    ///
    /// A look-up when nothing happens.
    pub fn step(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        findings: impl Iterator<Item = Finding>,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        findings
            .filter_map(|finding| self.step_one(now, device, &finding, new_id))
            .collect()
    }

    fn step_one(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        finding: &Finding,
        new_id: &mut dyn FnMut() -> String,
    ) -> Option<Transition> {
        let broken = matches!(
            finding.judgement,
            Judgement::Judged(Verdict {
                level: Level::Broken,
                ..
            })
        );
        if broken && !self.tracks.contains_key(device.id) {
            self.sweep(now, finding.period);
            self.tracks.insert(device.id.to_owned(), Tracks::default());
        }
        let tracks = self.tracks.get_mut(device.id)?;
        let track = &mut tracks[finding.rule.index()];
        let transition = track.step(now, device, finding, &mut self.history, new_id);
        if tracks.iter().all(Track::is_idle) {
            self.tracks.remove(device.id);
        }
        transition
    }

    /// Moves the open alerts and cooldowns of the device `from` to the device `to`, when both turn
    /// out to be one; `today` is what the two used together.
    ///
    /// Where both are firing, the one of `from` resolves. Where one is only pending, it goes. Alerts
    /// that are over keep the id they were told under.
    pub fn join(
        &mut self,
        now: &Now,
        from: &str,
        to: &DeviceRef<'_>,
        today: Today,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let mut told = Vec::new();
        let others = self.tracks.remove(from).unwrap_or_default();
        let tracks = self.tracks.entry(to.id.to_owned()).or_default();
        for (track, mut other) in tracks.iter_mut().zip(others) {
            let cooldown = stricter(track.quiet.take(), other.quiet.take());
            match (track.stage(), other.stage()) {
                (Stage::Idle, _) | (Stage::Pending, Stage::Firing | Stage::Clearing) => {
                    track.open = other.open.take();
                }
                (_, Stage::Idle | Stage::Pending) => {}
                (Stage::Firing | Stage::Clearing, Stage::Firing | Stage::Clearing) => {
                    told.extend(other.resolve(now, None, Ending::Joined, &mut self.history, new_id))
                }
            }
            if !matches!(track.stage(), Stage::Firing | Stage::Clearing) {
                track.quiet = cooldown;
            }
            if let Some(open) = &mut track.open {
                open.join(to, today);
            }
        }
        if tracks.iter().all(Track::is_idle) {
            self.tracks.remove(to.id);
        }
        told
    }

    /// Ends what there is of a device that is not known any more.
    pub fn forget(
        &mut self,
        now: &Now,
        device: &str,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let mut tracks = self.tracks.remove(device).unwrap_or_default();
        tracks
            .iter_mut()
            .filter_map(|track| {
                track.resolve(now, None, Ending::Forgotten, &mut self.history, new_id)
            })
            .collect()
    }

    /// Alerts that are pending or firing, by device id and rule.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.tracks.values().flatten().filter_map(open_alert)
    }

    /// Those of one device.
    pub fn open_of(&self, device: &str) -> impl Iterator<Item = &Alert> {
        self.tracks
            .get(device)
            .into_iter()
            .flatten()
            .filter_map(open_alert)
    }

    /// Whether somebody was told of a surge of a device in this direction, which lasts.
    pub fn is_surging(&self, device: &str, direction: Direction) -> bool {
        let rule = Rule {
            kind: RuleKind::Surge,
            direction,
            step: 0,
        };
        let tracks = self.tracks.get(device);
        tracks.is_some_and(|tracks| {
            matches!(
                tracks[rule.index()].stage(),
                Stage::Firing | Stage::Clearing
            )
        })
    }

    /// Alerts of a rule that are firing, for metrics.
    pub fn firing(&self, rule: RuleKind) -> usize {
        let firing = |alert: &&Alert| alert.rule == rule && alert.state == AlertState::Firing;
        self.open().filter(firing).count()
    }

    /// The latest [`HISTORY`] alerts that are over, newest first.
    pub fn closed(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.history.iter().map(|closed| &closed.alert)
    }

    /// Drops cooldowns that are over, whenever the number of devices has doubled since: at a
    /// constant cost for each alert that opens.
    fn sweep(&mut self, now: &Now, day: Date) {
        if self.tracks.len() < self.sweep_at.max(SWEEP_MIN) {
            return;
        }
        self.tracks.retain(|_, tracks| {
            tracks.iter_mut().for_each(|track| track.expire(now, day));
            !tracks.iter().all(Track::is_idle)
        });
        self.sweep_at = 2 * self.tracks.len();
    }
}

fn open_alert(track: &Track) -> Option<&Alert> {
    track.open.as_deref().map(|open| &open.alert)
}

/// Of two cooldowns, the one that lets less through.
fn stricter(one: Option<Quiet>, other: Option<Quiet>) -> Option<Quiet> {
    one.into_iter().chain(other).max_by_key(Quiet::strictness)
}
