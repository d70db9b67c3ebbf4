//! Checkpoints that are not durable yet.
//!
//! While the disk is full, a checkpoint joins them each minute, so they are merged as they come:
//! what waits is bounded by what there is to tell, not by the time it waits.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::Hash,
    mem,
    sync::Arc,
};

use jiff::civil::Date;

use super::records::{Checkpoint, Fate, OutboxRecord, Outlives, PENDING, Settled};
use crate::core::{history::Minute, ledger::SavedHistory};

/// Records of history that wait one by one, some 150 bytes each.
const MOST_HISTORY: usize = 20_000;

const DAY: Minute = 24 * 60;
/// Renames that wait: whoever makes up devices and has them turn out to be others gets no further.
const MOST_RENAMED: usize = 10_000;
/// Days of devices that wait, some 400 bytes each. The oldest days go first; history still has them.
const MOST_USAGE: usize = 50_000;
/// Alerts that wait, some kilobytes each.
const MOST_ALERTS: usize = 10_000;

/// To be written in this order, in one transaction.
///
/// Several only because of devices that were renamed in between: what a rename means depends on
/// what was written before it, and on what comes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Backlog {
    steps: Vec<Checkpoint>,
    /// What became of events, while there is no checkpoint that it could go into.
    settled: Vec<Settled>,
}

impl Backlog {
    /// Adds one that is newer than all the others.
    pub(super) fn push(&mut self, mut newer: Checkpoint) {
        let settled = mem::take(&mut newer.settled);
        let can_join = |last: &Checkpoint| last.renamed.is_empty() && newer.renamed.is_empty();
        let older = match self.steps.split_last_mut() {
            Some((last, older)) if can_join(last) => older,
            _ => &mut self.steps,
        };
        outdate(older, &mut newer);
        match self.steps.last_mut() {
            Some(last) if last.renamed.is_empty() && newer.renamed.is_empty() => {
                absorb(last, newer);
            }
            Some(last) => {
                last.tables.clear();
                self.steps.push(newer);
            }
            None => {
                newer.settled = mem::take(&mut self.settled);
                self.steps.push(newer);
            }
        }
        self.settle(settled);
        self.bound();
    }

    /// Makes one step of all when there are so many renames that somebody must be making up devices.
    /// Their rows stay those of devices of their own.
    fn bound(&mut self) {
        let renames: usize = self.steps.iter().map(|step| step.renamed.len()).sum();
        if renames <= MOST_RENAMED {
            return;
        }
        log::warn!(
            "more than {MOST_RENAMED} devices turned out to be others while nothing could be written; what they did before stays under their old names"
        );
        let mut steps = mem::take(&mut self.steps).into_iter();
        let Some(mut all) = steps.next() else {
            return;
        };
        all.renamed.clear();
        for mut step in steps {
            all.settled.append(&mut step.settled);
            absorb(&mut all, step);
        }
        self.steps.push(all);
    }

    /// Adds what became of events that came before.
    pub(super) fn settle(&mut self, settled: Vec<Settled>) {
        for settled in settled {
            // Nobody needs to know any more that it was there.
            let is_known_only_here = settled.fate == Fate::Gone
                && self
                    .steps
                    .iter_mut()
                    .any(|step| remove(&mut step.events, settled.seq));
            if is_known_only_here {
                continue;
            }
            let list = self
                .steps
                .last_mut()
                .map_or(&mut self.settled, |last| &mut last.settled);
            list.push(settled);
        }
    }

    /// Puts back what was taken out earlier, before what came since.
    pub(super) fn put_back(&mut self, earlier: Self) {
        let Self { steps, settled } = mem::replace(self, earlier);
        for newer in steps {
            self.push(newer);
        }
        self.settle(settled);
    }

    /// Takes all of them; `None` if there are none.
    pub(super) fn take(&mut self) -> Option<Self> {
        let is_empty = self.steps.is_empty() && self.settled.is_empty();
        (!is_empty).then(|| mem::take(self))
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        let steps = self.steps.iter().map(Checkpoint::len);
        steps.sum::<usize>() + self.settled.len()
    }

    /// The oldest first.
    pub(super) fn steps(&self) -> &[Checkpoint] {
        &self.steps
    }

    /// What comes after them.
    pub(super) fn settled(&self) -> &[Settled] {
        &self.settled
    }

    /// What all of it outlives: something new to be told, even a power cut.
    pub(super) fn outlives(&self) -> Outlives {
        let each = self.steps.iter().map(|step| match step.events[..] {
            [] => step.outlives,
            _ => Outlives::PowerCut,
        });
        each.max().unwrap_or_default()
    }

    /// The place of the newest event.
    pub(super) fn last_event(&self) -> Option<u64> {
        let events = self.steps.iter().flat_map(|step| &step.events);
        events.map(|event| event.seq).max()
    }
}

/// Takes out of `older` what is told by `newer` again, and moves what adds up to `newer`. What
/// concerns a device that is renamed in between stays where it is.
fn outdate(older: &mut [Checkpoint], newer: &mut Checkpoint) {
    if older.is_empty() {
        return;
    }
    let renames = older.iter().chain([&*newer]).flat_map(|step| &step.renamed);
    let renamed: HashSet<String> = renames
        .flat_map(|(old, new)| [old.clone(), new.clone()])
        .collect();
    let stays = |id: &str| renamed.contains(id);
    let mut moved = Vec::new();
    {
        let devices = keys(&newer.devices, |device| device.id.as_str());
        let usage = keys(&newer.usage, |usage| (usage.device.as_str(), usage.day));
        let alerts = keys(&newer.alerts, |alert| alert.id.as_str());
        let addresses = keys(&newer.addresses, |address| address.address);
        let memory = keys(&newer.memory, |thing| {
            (thing.subject.as_str(), thing.kind.as_str())
        });
        for step in older {
            step.devices
                .retain(|device| stays(&device.id) || !devices.contains(device.id.as_str()));
            step.usage.retain(|each| {
                stays(&each.device) || !usage.contains(&(each.device.as_str(), each.day))
            });
            step.alerts
                .retain(|alert| alert.state != PENDING && !alerts.contains(alert.id.as_str()));
            step.addresses
                .retain(|address| stays(&address.device) || !addresses.contains(&address.address));
            step.memory
                .retain(|thing| !memory.contains(&(thing.subject.as_str(), thing.kind.as_str())));
            if newer.lifecycle.is_some() {
                step.lifecycle = None;
            }
            moved.extend(step.history.extract_if(.., |each| !stays(&each.subject)));
        }
    }
    let newest = mem::replace(&mut newer.history, moved);
    add_history(&mut newer.history, newest);
}

fn keys<'a, T, K: Eq + Hash>(records: &'a [T], key: impl Fn(&'a T) -> K) -> HashSet<K> {
    records.iter().map(key).collect()
}

/// Removes the event of this place; says whether it was there.
fn remove(events: &mut Vec<OutboxRecord>, seq: u64) -> bool {
    let place = events.iter().position(|event| event.seq == seq);
    place.map(|place| events.remove(place)).is_some()
}

/// Makes `older` what both are when written one after the other.
fn absorb(older: &mut Checkpoint, newer: Checkpoint) {
    // Neither renames anything. What was settled is taken out of the newer one before.
    let Checkpoint {
        at,
        renamed: _,
        devices,
        undated,
        usage,
        alerts,
        lifecycle,
        tables,
        addresses,
        events,
        settled: _,
        ran,
        outlives,
        memory,
        history,
    } = newer;
    older.at = at;
    replace(&mut older.devices, devices, |device| device.id.clone());
    older
        .usage
        .retain(|usage| !undated.contains(&(usage.device.clone(), usage.day)));
    older.undated.extend(undated);
    replace(&mut older.usage, usage, |usage| {
        (usage.device.clone(), usage.day)
    });
    older.alerts.retain(|alert| alert.state != PENDING);
    replace(&mut older.alerts, alerts, |alert| alert.id.clone());
    replace(&mut older.addresses, addresses, |address| address.address);
    replace(&mut older.memory, memory, |thing| {
        (thing.subject.clone(), thing.kind.clone())
    });
    add_history(&mut older.history, history);
    shed(older);
    older.events.extend(events);
    older.ran = ran;
    older.outlives = older.outlives.max(outlives);
    older.lifecycle = lifecycle.or(older.lifecycle.take());
    older.tables = tables;
}

/// Bounds what grows with each day, though slowly.
fn shed(step: &mut Checkpoint) {
    let days = |step: &Checkpoint| -> Option<(Date, Date)> {
        let days = || step.usage.iter().map(|usage| usage.day);
        Some((days().min()?, days().max()?))
    };
    while step.usage.len() > MOST_USAGE
        && let Some((oldest, latest)) = days(step)
        && oldest < latest
    {
        log::warn!("nothing could be written for so long that the usage of {oldest} is left out");
        step.usage.retain(|usage| usage.day != oldest);
    }
    let mut too_many = step.alerts.len().saturating_sub(MOST_ALERTS);
    step.alerts.retain(|alert| {
        let goes = too_many > 0 && alert.ended_at.is_some();
        too_many -= usize::from(goes);
        !goes
    });
}

/// What moved in the same minute adds up. What waits for very long is told by the quarter, then by the
/// hour, by the day, and then as if all were of the latest day: nothing of it is lost, and it takes a
/// bounded amount of memory.
fn add_history(older: &mut Vec<SavedHistory>, newer: Vec<SavedHistory>) {
    add_up(older, newer, |minute| minute);
    for minutes in [15, 60, DAY] {
        coarsen(older, |minute| minute.div_euclid(minutes) * minutes);
    }
    let latest = older.iter().map(|each| each.minute).max();
    coarsen(older, |minute| latest.unwrap_or(minute));
}

fn coarsen(history: &mut Vec<SavedHistory>, start: impl Fn(Minute) -> Minute) {
    if history.len() > MOST_HISTORY {
        let all = mem::take(history);
        add_up(history, all, start);
    }
}

fn add_up(
    older: &mut Vec<SavedHistory>,
    newer: Vec<SavedHistory>,
    start: impl Fn(Minute) -> Minute,
) {
    let places = older.iter().enumerate();
    let mut places: HashMap<(Arc<str>, Minute), usize> = places
        .map(|(place, each)| ((Arc::clone(&each.subject), each.minute), place))
        .collect();
    for mut each in newer {
        each.minute = start(each.minute);
        match places.entry((Arc::clone(&each.subject), each.minute)) {
            Entry::Occupied(place) => {
                let known = &mut older[*place.get()];
                known.moved.add(&each.moved);
                known.name = each.name.or(known.name.take());
                known.group = each.group;
            }
            Entry::Vacant(place) => {
                place.insert(older.len());
                older.push(each);
            }
        }
    }
}

fn replace<T, K: Eq + Hash>(older: &mut Vec<T>, newer: Vec<T>, key: impl Fn(&T) -> K) {
    let places = older.iter().enumerate();
    let mut places: HashMap<K, usize> =
        places.map(|(place, record)| (key(record), place)).collect();
    for record in newer {
        match places.entry(key(&record)) {
            Entry::Occupied(place) => older[*place.get()] = record,
            Entry::Vacant(place) => {
                place.insert(older.len());
                older.push(record);
            }
        }
    }
}
