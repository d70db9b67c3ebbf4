//! Since when is it unusual, and who is told: the life of every alert, from pending to resolved.
//!
//! Durations are measured on the monotonic clock, dates are the wall clock's. `lifecycle` has the
//! transition table; this module finds the right place to apply it.
//!
//! Memory is bounded by the caller: at most one open alert and one cooldown for each rule of each
//! device it steps, until it [`forget`](Alerts::forget)s the device, [`HISTORY`] alerts that are
//! over, and [`MUTES`] mutes. Cooldowns of devices that are never stepped again are dropped as others
//! open alerts.

use std::{collections::BTreeMap, sync::Arc};

use jiff::civil::Date;
use thiserror::Error;

mod alert;
mod history;
mod lifecycle;
mod mute;
mod open;
mod record;

use history::History;
use lifecycle::{Stage, Track};
use mute::{Mutes, shown};
use open::Quiet;

pub use alert::{Acknowledged, Alert, DeviceRef, Ending, Transition};
pub use history::HISTORY;
pub use mute::{MUTES, Mute, MuteError, TEXT_CHARS};
pub use record::{AlertRecord, CooldownLeft, CooldownRecord, CooldownSaved, Progress};

use super::{
    event::{Direction, RuleKind},
    message,
    policy::Rule,
    rules::{Finding, Judgement, Level, Today},
    time::Now,
    view::AlertState,
};

/// The alerts of all devices, groups and interfaces, which are called devices in here.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    /// Only devices with something to remember, by id.
    tracks: BTreeMap<String, Tracks>,
    history: History,
    mutes: Mutes,
    /// With so many devices it is time to look for cooldowns that nobody asks for.
    sweep_at: usize,
}

/// Of one device, by [`Rule::index`].
type Tracks = [Track; Rule::COUNT];

/// Below this, looking for what can be dropped is not worth it.
const SWEEP_MIN: usize = 64;

/// Why an alert is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AcknowledgeError {
    /// No open alert has this id; perhaps it is over.
    #[error("no open alert has the id {0:?}: see the list of alerts for those that fire")]
    Unknown(String),
    /// Nobody was told of it yet.
    #[error("alert {0:?} is only pending: nobody is told of it unless it fires")]
    Pending(String),
}

impl Alerts {
    /// Takes in what each rule says of a device: once for each sample, for every device with traffic
    /// and for every one with an open alert. What fires by a rule that says nothing any more is
    /// over. `new_id` gives ids to alerts and events.
    ///
    /// A look-up when nothing happens.
    pub fn step(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        findings: impl IntoIterator<Item = Finding>,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        self.mutes.expire(now.wall);
        let (mut told, mut muted) = (Vec::new(), None);
        let mut is_in_force = [false; Rule::COUNT];
        let mut is_known = self.tracks.contains_key(device.id);
        for finding in findings {
            let index = finding.rule.index();
            is_in_force[index] = true;
            if !is_known && !is_broken(&finding) {
                continue;
            }
            let muted = muted.get_or_insert_with(|| self.mutes.of(device.id));
            let is_muted = muted.has(finding.rule.kind);
            if !is_known {
                if is_muted {
                    continue;
                }
                self.sweep(now, finding.today.day);
                is_known = true;
            }
            let tracks = match self.tracks.get_mut(device.id) {
                Some(tracks) => tracks,
                None => self.tracks.entry(device.id.to_owned()).or_default(),
            };
            let history = &mut self.history;
            told.extend(tracks[index].step(now, device, &finding, is_muted, history, new_id));
        }
        if is_known {
            told.extend(self.switch_off(now, device, is_in_force, new_id));
        }
        told
    }

    /// Ends what there is by rules that are not in force any more.
    fn switch_off(
        &mut self,
        now: &Now,
        device: &DeviceRef<'_>,
        is_in_force: [bool; Rule::COUNT],
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let Some(tracks) = self.tracks.get_mut(device.id) else {
            return Vec::new();
        };
        let off = tracks.iter_mut().zip(is_in_force);
        let told = off
            .filter(|(_, is_in_force)| !is_in_force)
            .filter_map(|(track, _)| {
                let ending = Ending::SwitchedOff;
                track.resolve(now, Some(device), ending, &mut self.history, new_id)
            })
            .collect();
        if tracks.iter().all(Track::is_idle) {
            self.tracks.remove(device.id);
        }
        told
    }

    /// Somebody takes care of an alert that fires: there are no more reminders of it. `by` may be
    /// any text.
    pub fn acknowledge(
        &mut self,
        id: &str,
        now: &Now,
        by: Option<&str>,
    ) -> Result<(), AcknowledgeError> {
        self.told(id)?.acknowledged = Some(Acknowledged {
            at: now.wall,
            by: shown(by),
        });
        Ok(())
    }

    /// Nobody takes care of it after all: reminders go on.
    pub fn unacknowledge(&mut self, id: &str) -> Result<(), AcknowledgeError> {
        self.told(id)?.acknowledged = None;
        Ok(())
    }

    fn told(&mut self, id: &str) -> Result<&mut Alert, AcknowledgeError> {
        let tracks = self.tracks.values_mut().flatten();
        let mut open = tracks.filter_map(|track| track.open.as_deref_mut());
        match open.find(|open| open.alert.id == id) {
            None => Err(AcknowledgeError::Unknown(message::printable(id))),
            Some(open) if open.alert.state == AlertState::Pending => {
                Err(AcknowledgeError::Pending(message::printable(id)))
            }
            Some(open) => Ok(&mut open.alert),
        }
    }

    /// Mutes as asked for from the next sample on; a mute with the same id gives way to this one.
    pub fn mute(&mut self, now: &Now, mute: Mute) -> Result<(), MuteError> {
        self.mutes.add(now.wall, mute)
    }

    /// Ends the mutes that are over. Says whether there were any: then there may be something to
    /// tell of devices to which nothing happens.
    pub fn expire_mutes(&mut self, now: &Now) -> bool {
        self.mutes.expire(now.wall)
    }

    /// Ends a mute, and returns it.
    pub fn unmute(&mut self, id: &str) -> Result<Mute, MuteError> {
        self.mutes.remove(id)
    }

    /// All mutes, in the order in which they were made. Those that ended since the last sample may
    /// be among them.
    pub fn mutes(&self) -> impl Iterator<Item = &Mute> {
        self.mutes.iter()
    }

    /// Moves the open alerts and cooldowns of the device `from` to the device `to`, when both turn
    /// out to be one; `today` is what the two used together, in the scope of a rule.
    ///
    /// Where both are firing, the one of `from` resolves. Where one is only pending, it goes. Alerts
    /// that are over keep the id they were told under.
    pub fn join(
        &mut self,
        now: &Now,
        from: &str,
        to: &DeviceRef<'_>,
        today: impl Fn(Rule) -> Today,
        new_id: &mut dyn FnMut() -> String,
    ) -> Vec<Transition> {
        let mut told = Vec::new();
        self.mutes.join(from, to.id);
        let others = self.tracks.remove(from).unwrap_or_default();
        let tracks = self.tracks.entry(to.id.to_owned()).or_default();
        for (track, mut other) in tracks.iter_mut().zip(others) {
            let cooldown = stricter(now, track.quiet.take(), other.quiet.take());
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
                open.join(to, today(open.alert.rule()));
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
            tracks.iter_mut().for_each(|track| track.sweep(now, day));
            !tracks.iter().all(Track::is_idle)
        });
        self.sweep_at = 2 * self.tracks.len();
    }
}

fn open_alert(track: &Track) -> Option<&Alert> {
    track.open.as_deref().map(|open| &open.alert)
}

fn is_broken(finding: &Finding) -> bool {
    match finding.judgement {
        Judgement::Judged(verdict) => verdict.level == Level::Broken,
        Judgement::OutOfHours | Judgement::Off => false,
    }
}

/// Of two cooldowns, the one that lets less through.
fn stricter(now: &Now, one: Option<Box<Quiet>>, other: Option<Box<Quiet>>) -> Option<Box<Quiet>> {
    let both = one.into_iter().chain(other);
    both.max_by_key(|quiet| quiet.strictness(now))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
