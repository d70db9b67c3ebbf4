//! The latest alerts that are over.

use std::{collections::VecDeque, sync::Arc};

use super::alert::Alert;

/// How many alerts that are over are kept in memory.
pub const HISTORY: usize = 200;

/// The latest [`HISTORY`] alerts that are over, in the order in which they ended.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    closed: VecDeque<Closed>,
    next: u64,
}

/// An alert that is over.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    /// Grows with each one: the wall clock is no order, since it may step backwards.
    pub(super) sequence: u64,
    pub(super) alert: Arc<Alert>,
}

impl History {
    /// Restores what was saved, in any order.
    pub(super) fn restore(mut closed: Vec<Closed>) -> Self {
        closed.sort_by_key(|closed| closed.sequence);
        let next = closed
            .last()
            .map_or(0, |last| last.sequence.saturating_add(1));
        let surplus = closed.len().saturating_sub(HISTORY);
        Self {
            closed: closed.split_off(surplus).into(),
            next,
        }
    }

    /// Adds one, and gives up the oldest when there are too many.
    pub(super) fn close(&mut self, alert: Alert) -> Closed {
        let closed = Closed {
            sequence: self.next,
            alert: Arc::new(alert),
        };
        self.next = self.next.saturating_add(1);
        if self.closed.len() == HISTORY {
            self.closed.pop_front();
        }
        self.closed.push_back(closed.clone());
        closed
    }

    /// Newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Closed> {
        self.closed.iter().rev()
    }
}
