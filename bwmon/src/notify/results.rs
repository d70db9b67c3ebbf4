//! What became of events.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::core::event::Event;

/// Events that were given up and are remembered.
const FAILED: usize = 100;

/// An event that waits for a channel no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The place of its [`Entry`](super::Entry).
    pub seq: u64,
    /// What became of it.
    pub fate: Fate,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The channel took it.
    Delivered,
    /// It got too old, or can't be put into a request.
    Failed {
        /// When.
        at: Timestamp,
        /// Why the last try failed.
        error: String,
    },
    /// There was no room for it.
    Shed,
    /// There is no such channel any more.
    Removed,
}

/// An event that a channel did not take.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The name of the channel.
    pub channel: String,
    /// The event.
    pub event: Arc<Event>,
    /// When it was given up.
    pub at: Timestamp,
    /// Why the last try failed.
    pub error: String,
}

/// Where all channels put what became of their events, until it is collected.
#[derive(Debug, Default)]
pub(super) struct Results {
    lists: Mutex<Lists>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Lists {
    settled: Vec<Settled>,
    /// The newest first.
    failed: VecDeque<Failed>,
}

impl Results {
    /// Begins with what is known of an earlier run, the newest first.
    pub(super) fn new(failed: Vec<Failed>) -> Self {
        let results = Self::default();
        results.lock().failed = failed.into();
        results
    }

    /// Adds events that came to the same end.
    pub(super) fn settle(&self, seqs: impl IntoIterator<Item = u64>, fate: &Fate) {
        let settled = seqs.into_iter().map(|seq| Settled {
            seq,
            fate: fate.clone(),
        });
        self.lock().settled.extend(settled);
        self.added.notify_one();
    }

    /// Remembers an event that was given up.
    pub(super) fn remember(&self, failed: Failed) {
        let mut lists = self.lock();
        lists.failed.push_front(failed);
        lists.failed.truncate(FAILED);
    }

    /// Waits until there is something to collect.
    pub(super) async fn some(&self) {
        while self.lock().settled.is_empty() {
            self.added.notified().await;
        }
    }

    /// Collects what there is.
    pub(super) fn take(&self) -> Vec<Settled> {
        mem::take(&mut self.lock().settled)
    }

    /// The latest that were given up, the newest first.
    pub(super) fn failed(&self) -> Vec<Failed> {
        self.lock().failed.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Lists> {
        // Nothing that can panic is done while it is locked.
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
