//! What waits for a channel, and what became of the rest.
//!
//! In memory: what waits is lost when the process ends. A queue on disk has to offer the same: the
//! oldest event stays until it is [settled](Queue::delivered), and to add one never waits.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::Notify, time::Instant};

use crate::core::event::Event;

/// Events that wait, besides the one that is being delivered.
pub(super) const CAPACITY: usize = 256;

/// The events of a channel, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    added: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// May have arrived already, so it is not dropped to make room.
    current: Option<Waiting>,
    waiting: VecDeque<Waiting>,
    counts: Counts,
    /// Events were dropped, and there are still many.
    overflowing: bool,
}

/// An event, and since when it waits.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) event: Arc<Event>,
    pub(super) since: Instant,
}

/// What became of events so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) delivered: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
    pub(super) last_error: Option<String>,
}

/// Whether there was room for an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Yes.
    Enough,
    /// The oldest had to go, for the first time since there was room.
    NoMore,
    /// The oldest had to go once more.
    StillNone,
}

impl Queue {
    /// Adds an event. Never waits.
    pub(super) fn push(&self, event: Arc<Event>) -> Room {
        let mut state = self.lock();
        let full = state.waiting.len() >= CAPACITY;
        if full {
            state.waiting.pop_front();
            state.counts.dropped += 1;
        }
        state.waiting.push_back(Waiting {
            event,
            since: Instant::now(),
        });
        let overflowed = state.overflowing;
        state.overflowing |= full;
        drop(state);
        self.added.notify_one();
        match (full, overflowed) {
            (false, _) => Room::Enough,
            (true, false) => Room::NoMore,
            (true, true) => Room::StillNone,
        }
    }

    /// The oldest event, as soon as there is one. It stays until it is settled.
    pub(super) async fn oldest(&self) -> Waiting {
        loop {
            if let Some(oldest) = self.take_up() {
                return oldest;
            }
            self.added.notified().await;
        }
    }

    fn take_up(&self) -> Option<Waiting> {
        let mut state = self.lock();
        if state.current.is_none() {
            state.current = state.waiting.pop_front();
        }
        if state.waiting.len() < CAPACITY / 2 {
            state.overflowing = false;
        }
        state.current.clone()
    }

    /// Settles the oldest event: it arrived.
    pub(super) fn delivered(&self) {
        let mut state = self.lock();
        state.current = None;
        state.counts.delivered += 1;
        state.counts.last_error = None;
    }

    /// Settles the oldest event: it is given up.
    pub(super) fn given_up(&self) {
        let mut state = self.lock();
        state.current = None;
        state.counts.dropped += 1;
    }

    /// A try to deliver the oldest event failed. It stays.
    pub(super) fn failed(&self, error: String) {
        let mut state = self.lock();
        state.counts.failed += 1;
        state.counts.last_error = Some(error);
    }

    /// Events that wait, with the one that is being delivered.
    pub(super) fn len(&self) -> usize {
        let state = self.lock();
        state.waiting.len() + usize::from(state.current.is_some())
    }

    /// What became of the others.
    pub(super) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic is done while it is locked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
