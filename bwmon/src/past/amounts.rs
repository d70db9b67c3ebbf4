//! Amounts as they are told.

use bwmon_common::layout::Row;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::{history::Moved, policy::Scope};

/// What moved. The local parts are contained in the totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Amounts {
    /// Bytes uploaded.
    pub sent: u64,
    /// Bytes downloaded.
    pub received: u64,
    /// The part of `sent` that stayed in the local networks.
    pub sent_local: u64,
    /// The part of `received` that stayed in the local networks.
    pub received_local: u64,
    /// Frames uploaded.
    pub sent_packets: u64,
    /// Frames downloaded.
    pub received_packets: u64,
    /// The part of `sent_packets` that stayed in the local networks.
    pub sent_local_packets: u64,
    /// The part of `received_packets` that stayed in the local networks.
    pub received_local_packets: u64,
    /// The highest smoothed rate, bytes per second; `null` for several devices together, since their
    /// peaks were at different times.
    pub peak_sent_rate: Option<u64>,
    /// The same of downloads.
    pub peak_received_rate: Option<u64>,
}

/// Of how many devices something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    One,
    Several,
}

impl Amounts {
    pub(super) fn new(moved: &Moved, number: Number) -> Self {
        let Row {
            sent,
            received,
            sent_local,
            received_local,
        } = moved.row;
        let peak = |rate| (number == Number::One).then_some(rate);
        Self {
            sent: sent.bytes,
            received: received.bytes,
            sent_local: sent_local.bytes,
            received_local: received_local.bytes,
            sent_packets: sent.packets,
            received_packets: received.packets,
            sent_local_packets: sent_local.packets,
            received_local_packets: received_local.packets,
            peak_sent_rate: peak(moved.peak.sent),
            peak_received_rate: peak(moved.peak.received),
        }
    }

    /// Bytes of both directions in scope.
    pub fn total(&self, scope: Scope) -> u64 {
        let (sent, received) = self.each(scope);
        sent.saturating_add(received)
    }

    /// Bytes of each direction in scope.
    pub fn each(&self, scope: Scope) -> (u64, u64) {
        // A reading of the table is not one instant, so the local part may be ahead by a packet.
        match scope {
            Scope::Internet => (
                self.sent.saturating_sub(self.sent_local),
                self.received.saturating_sub(self.received_local),
            ),
            Scope::Local => (self.sent_local, self.received_local),
            Scope::All => (self.sent, self.received),
        }
    }
}

/// Bytes of each direction in scope.
pub(super) fn in_scope(row: &Row, scope: Scope) -> (u64, u64) {
    let moved = Moved {
        row: *row,
        ..Moved::default()
    };
    Amounts::new(&moved, Number::Several).each(scope)
}
