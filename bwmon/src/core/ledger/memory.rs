//! What is remembered of subjects besides their usage and alerts: billing cycles, what is usual for
//! them, which MACs were ever seen.

use serde::{Deserialize, Serialize};

use super::*;
use crate::core::{
    alerts::Mute,
    event::Direction,
    known::Arrival,
    surge::{SavedProfile, Surge},
    usage::CycleUsage,
};

/// How often the time is saved that was watched: it costs a write to flash.
const WATCHED_EVERY: Duration = Duration::from_secs(3600);

/// Something to remember of a subject, or to forget. There is one of each kind for each subject.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// The id of a device, group or interface, a MAC, or empty for bwmon itself.
    pub subject: String,
    /// Which kind.
    pub kind: &'static str,
    /// `None`: to be forgotten.
    pub content: Option<Remembered>,
}

/// What there is to remember.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remembered {
    /// What was used in a billing cycle.
    Cycle(CycleUsage),
    /// What a group or an interface used on a day.
    Day(DayUsage),
    /// What is usual in a direction.
    Usual(Direction, SavedProfile),
    /// For how long it had sent nothing at the end of a run, in seconds. Only the next run may go on
    /// from that, so it is forgotten with the first checkpoint.
    Silent(u64),
    /// How a MAC was first seen.
    Seen(Arrival),
    /// For how long bwmon has watched, in seconds.
    Watched(u64),
    /// All that is muted.
    Mutes(Vec<Mute>),
}

/// Why state is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It goes on: what changes all the time and may be lost waits for a while.
    Checkpoint,
    /// What was saved is gone: everything is saved anew.
    Anew,
    /// It ends: everything is saved.
    End,
}

impl Remembered {
    fn kind(&self) -> &'static str {
        match self {
            Self::Cycle(_) => "cycle",
            Self::Day(_) => "day",
            Self::Usual(direction, _) => usual(*direction),
            Self::Silent(_) => "silent",
            Self::Seen(_) => "seen",
            Self::Watched(_) => "watched",
            Self::Mutes(_) => "mutes",
        }
    }

    fn of(self, subject: &str) -> Memory {
        Memory {
            subject: subject.to_owned(),
            kind: self.kind(),
            content: Some(self),
        }
    }
}

impl Memory {
    fn forget(subject: &str, kind: &'static str) -> Self {
        Self {
            subject: subject.to_owned(),
            kind,
            content: None,
        }
    }

    /// All that is remembered of a device is to be forgotten.
    pub(super) fn forget_device(id: &str) -> impl Iterator<Item = Self> {
        let kinds = ["cycle"].into_iter().chain(Direction::ALL.map(usual));
        kinds.map(move |kind| Self::forget(id, kind))
    }
}

impl Ledger {
    /// What changed since the last call.
    pub(super) fn take_memory(&mut self, occasion: Occasion) -> Vec<Memory> {
        if occasion == Occasion::Anew {
            self.known.unsave();
            self.mutes_saved.clear();
        }
        let mut memory = std::mem::take(&mut self.forgotten);
        for device in self.devices.values_mut() {
            let Device {
                id,
                activity,
                is_unsaved,
                ..
            } = device;
            if *is_unsaved {
                memory.push(Remembered::Cycle(activity.used).of(id));
            }
            memory.extend(learnt(id, activity, occasion));
        }
        for total in self.totals.iter_mut() {
            let Total {
                id,
                activity,
                is_unsaved,
                ..
            } = total;
            if std::mem::take(is_unsaved) {
                memory.push(Remembered::Cycle(activity.used).of(id));
                memory.push(Remembered::Day(activity.usage).of(id));
            }
            memory.extend(learnt(id, activity, occasion));
        }
        let seen = self.known.take_changes().map(|(mac, arrival)| {
            let subject = mac.to_string();
            match arrival {
                Some(arrival) => Remembered::Seen(arrival).of(&subject),
                None => Memory::forget(&subject, "seen"),
            }
        });
        memory.extend(seen);
        let watched = self.known.watched_for();
        if watched >= self.watched_saved + WATCHED_EVERY || occasion != Occasion::Checkpoint {
            self.watched_saved = watched;
            memory.push(Remembered::Watched(watched.as_secs()).of(""));
        }
        if !self.alerts.mutes().eq(&self.mutes_saved) {
            self.mutes_saved = self.alerts.mutes().cloned().collect();
            memory.push(Remembered::Mutes(self.mutes_saved.clone()).of(""));
        }
        memory
    }

    /// Goes on from what was remembered of a subject. Devices come first.
    pub(super) fn recall(&mut self, subject: &str, content: Remembered, now: &Now) {
        match content {
            Remembered::Seen(arrival) => {
                if let Ok(mac) = subject.parse() {
                    self.known.restore(mac, arrival);
                }
                return;
            }
            Remembered::Watched(seconds) => {
                let watched = Duration::from_secs(seconds);
                self.known.restore_watched(watched);
                self.watched_saved = watched;
                return;
            }
            Remembered::Mutes(mutes) => {
                self.mutes_saved.clone_from(&mutes);
                self.alerts.restore_mutes(mutes);
                return;
            }
            Remembered::Silent(_) => self.forgotten.push(Memory::forget(subject, "silent")),
            Remembered::Cycle(_) | Remembered::Day(_) | Remembered::Usual(..) => {}
        }
        let Some(activity) = activity_of(&mut self.devices, &mut self.totals, subject) else {
            return;
        };
        match content {
            Remembered::Cycle(used) => activity.used = used,
            Remembered::Day(usage) => activity.usage = usage,
            Remembered::Silent(seconds) => activity.resume_silence(Duration::from_secs(seconds)),
            Remembered::Usual(direction, saved) => {
                // What is damaged is learnt anew.
                if let Ok(surge) = Surge::restore(&saved, now) {
                    activity.relearn(direction, surge);
                }
            }
            Remembered::Seen(_) | Remembered::Watched(_) | Remembered::Mutes(_) => {}
        }
    }
}

/// What a device, a group or an interface does.
pub(super) fn activity_of<'a>(
    devices: &'a mut BTreeMap<String, Device>,
    totals: &'a mut Totals,
    subject: &str,
) -> Option<&'a mut Activity> {
    match devices.get_mut(subject) {
        Some(device) => Some(&mut device.activity),
        None => totals.by_id(subject).map(|total| &mut total.activity),
    }
}

/// What is learnt of a subject, as far as it is to be saved now.
fn learnt(id: &str, activity: &mut Activity, occasion: Occasion) -> Vec<Memory> {
    let is_due = activity.take_due() || occasion != Occasion::Checkpoint;
    let silence = activity.silence().filter(|_| occasion == Occasion::End);
    let silence = silence.map(|time| Remembered::Silent(time.as_secs()).of(id));
    let usual = activity
        .surges()
        .filter(|(_, surge)| surge.is_worth_saving() || is_due)
        .map(|(direction, surge)| {
            surge.stored();
            Remembered::Usual(direction, surge.saved()).of(id)
        });
    usual.chain(silence).collect()
}

fn usual(direction: Direction) -> &'static str {
    match direction {
        Direction::Total => "usual_total",
        Direction::Sent => "usual_sent",
        Direction::Received => "usual_received",
    }
}
