//! What waits for a channel: in which order it goes, and what has to go when it is too much.

use std::{collections::HashSet, sync::Arc, time::Duration};

use jiff::Timestamp;

use super::hours::QuietHours;
use crate::core::event::{Event, EventState, Severity};

/// Events that wait for a channel at most.
pub(super) const MOST_EVENTS: usize = 1000;
/// What they may take as JSON.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// The events of a channel, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    /// Of all that waits.
    bytes: usize,
    /// Up to this place, events are safe on disk and may go.
    released: u64,
    /// The places of those on the way: they may have arrived already, so to shed them is in vain.
    current: Vec<u64>,
    counts: Counts,
    /// Events were shed, and there are still many.
    is_overflowing: bool,
}

/// An event that waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Its place.
    pub(super) seq: u64,
    pub(super) event: Arc<Event>,
    /// What it takes as JSON.
    pub(super) bytes: usize,
    /// When it happened.
    pub(super) at: Timestamp,
    /// How long bwmon had run by then.
    pub(super) ran: Duration,
}

/// What became of events so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    /// Tries, not events.
    pub(super) failed: u64,
    pub(super) given_up: u64,
    pub(super) shed: u64,
    pub(super) last_error: Option<String>,
}

/// What there was no room for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shed {
    /// The places.
    pub(super) seqs: Vec<u64>,
    /// Whether it is the first time since there was room.
    pub(super) is_news: bool,
}

impl Queue {
    /// Adds an event, the newest. It may be the one that there is no room for.
    pub(super) fn push(&mut self, newest: Waiting) -> Shed {
        let mut shed = Shed::default();
        if newest.bytes > MOST_BYTES {
            // It would push out all the others.
            shed.seqs.push(newest.seq);
            self.counts.shed += 1;
        } else {
            self.bytes += newest.bytes;
            self.waiting.push(newest);
        }
        while self.waiting.len() > MOST_EVENTS || self.bytes > MOST_BYTES {
            let victims = self.victims();
            if victims.is_empty() {
                break;
            }
            self.counts.shed += victims.len() as u64;
            self.remove(|waiting| victims.contains(&waiting.seq));
            shed.seqs.extend(victims);
        }
        if !shed.seqs.is_empty() {
            shed.is_news = !self.is_overflowing;
            self.is_overflowing = true;
        }
        shed
    }

    /// What goes first: the oldest reminder, since others of its alert stay. Without any, all of the
    /// oldest alert, since its end means nothing to those who never heard of its begin; but not
    /// of one they are just being told of.
    fn victims(&self) -> Vec<u64> {
        let free = || {
            let waiting = self.waiting.iter();
            waiting.filter(|waiting| !self.current.contains(&waiting.seq))
        };
        if let Some(reminder) = free().find(|waiting| waiting.event.state == EventState::Reminder) {
            return vec![reminder.seq];
        }
        let current = self
            .waiting
            .iter()
            .filter(|waiting| self.current.contains(&waiting.seq));
        let current: HashSet<&str> = current
            .map(|waiting| waiting.event.alert.as_str())
            .collect();
        let oldest = free()
            .find(|waiting| !current.contains(waiting.event.alert.as_str()))
            .or_else(|| free().next());
        let alert = oldest.map(|oldest| &oldest.event.alert);
        let of_it = free().filter(|waiting| Some(&waiting.event.alert) == alert);
        of_it.map(|waiting| waiting.seq).collect()
    }

    /// Events up to this place may go.
    pub(super) fn release(&mut self, through: u64) {
        self.released = self.released.max(through);
    }

    /// Whether there is one that may not go yet.
    pub(super) fn awaits_release(&self) -> bool {
        self.waiting
            .last()
            .is_some_and(|newest| newest.seq > self.released)
    }

    /// What is to be sent at `now`: the oldest event, or up to `most` that quiet hours had held up.
    /// They are on the way until they are [delivered](Self::delivered) or not.
    ///
    /// Within quiet hours only critical events go, each after all that came before it of the same
    /// alert.
    pub(super) fn take_up(
        &mut self,
        now: Timestamp,
        hours: &QuietHours,
        most: usize,
    ) -> Vec<Waiting> {
        let batch: Vec<Waiting> = if hours.contain(now) {
            let urgent = self.urgent();
            self.released()
                .find(|waiting| urgent.contains(waiting.event.alert.as_str()))
                .into_iter()
                .cloned()
                .collect()
        } else {
            let was_held = |waiting: &&Waiting| hours.held(&waiting.event, waiting.at);
            let held = self.released().take_while(was_held).count();
            self.released().take(held.clamp(1, most)).cloned().collect()
        };
        self.current = batch.iter().map(|waiting| waiting.seq).collect();
        batch
    }

    /// Events that wait for the end of quiet hours.
    pub(super) fn held(&self, now: Timestamp, hours: &QuietHours) -> usize {
        if !hours.contain(now) {
            return 0;
        }
        let urgent = self.urgent();
        self.released()
            .filter(|waiting| !urgent.contains(waiting.event.alert.as_str()))
            .count()
    }

    fn released(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting
            .iter()
            .take_while(|waiting| waiting.seq <= self.released)
    }

    /// The alerts that don't wait for quiet hours to end.
    fn urgent(&self) -> HashSet<&str> {
        self.released()
            .filter(|waiting| waiting.event.severity == Severity::Critical)
            .map(|waiting| waiting.event.alert.as_str())
            .collect()
    }

    /// Those on the way arrived. Returns their places.
    pub(super) fn delivered(&mut self) -> Vec<u64> {
        let current = std::mem::take(&mut self.current);
        let gone = self.remove(|waiting| current.contains(&waiting.seq));
        self.counts.delivered += gone.len() as u64;
        self.counts.last_error = None;
        gone.iter().map(|waiting| waiting.seq).collect()
    }

    /// Those on the way did not arrive, and stay. Of all that may be given up now, the ones that
    /// are `hopeless` go.
    pub(super) fn failed(
        &mut self,
        error: String,
        hopeless: impl Fn(&Waiting) -> bool,
    ) -> Vec<Waiting> {
        self.put_down();
        self.counts.failed += 1;
        self.counts.last_error = Some(error);
        let released = self.released;
        let gone = self.remove(|waiting| waiting.seq <= released && hopeless(waiting));
        self.counts.given_up += gone.len() as u64;
        gone
    }

    /// Nothing is on the way any more.
    pub(super) fn put_down(&mut self) {
        self.current.clear();
    }

    /// Takes all that waits out.
    pub(super) fn clear(&mut self) -> Vec<Waiting> {
        self.remove(|_| true)
    }

    fn remove(&mut self, is_to_go: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let gone: Vec<Waiting> = self
            .waiting
            .extract_if(.., |waiting| is_to_go(waiting))
            .collect();
        self.bytes -= gone.iter().map(|waiting| waiting.bytes).sum::<usize>();
        if self.waiting.len() < MOST_EVENTS / 2 && self.bytes < MOST_BYTES / 2 {
            self.is_overflowing = false;
        }
        gone
    }

    /// Events that wait, with those on the way.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What they take as JSON.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest of them happened.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.waiting.first().map(|oldest| oldest.at)
    }

    /// What became of the others.
    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }
}
