//! Who has which address: what neighbours and the network say, passed on to the ledger.
//!
//! What was counted up to a change is for whom the address had then. So a sample is taken first.

use std::time::Duration;

use super::{Engine, local, watch::Watch};
use crate::{core::ledger::Heard, kernel, sources::netlink::Neighbour};

/// Samples that changes bring about are so far apart, so that somebody who makes up changes gets no
/// more of them: what passes in between is counted as after the change.
const SOONEST: Duration = Duration::from_millis(10);
/// And by so many times what the last sample took.
const REST: u32 = 10;

impl Engine {
    /// Takes in neighbours, of which `is_all` says whether there are no others.
    pub(super) fn learn(&mut self, neighbours: &[Neighbour], is_all: bool) {
        let heard: Vec<Heard> = neighbours
            .iter()
            .filter_map(|neighbour| self.expect_neighbour(neighbour))
            .collect();
        if heard.iter().any(|heard| self.ledger.moves(heard)) {
            self.sample_before_change();
        }
        if is_all {
            self.ledger.hear_all(&heard);
        } else {
            heard.iter().for_each(|heard| self.ledger.hear(heard));
        }
    }

    /// Gives a neighbour a slot, if it is one of a watched interface.
    fn expect_neighbour(&mut self, neighbour: &Neighbour) -> Option<Heard> {
        let lower = self
            .network
            .link(neighbour.index)
            .and_then(|link| link.lower);
        let watched = |watch: &&mut Watch| {
            let index = watch.link.as_ref().map(|link| link.index);
            index.is_some() && (index == Some(neighbour.index) || index == lower)
        };
        let watch = self.watches.iter_mut().find(watched)?;
        watch.expect(neighbour.address);
        Some(Heard {
            address: neighbour.address,
            mac: neighbour.mac,
            link: neighbour.index,
            is_confirmed: neighbour.is_confirmed,
        })
    }

    pub(super) fn expect_registered(&mut self) {
        let registered: Vec<_> = self.config.policy.addresses().collect();
        for watch in &mut self.watches {
            for address in &registered {
                watch.expect(*address);
            }
        }
    }

    /// Tells the ledger in which networks every device is a neighbour.
    pub(super) fn follow_on_link(&mut self) {
        let watched = self.watched();
        // Interfaces that are gone say nothing new of what was behind them.
        if watched.is_empty() {
            return;
        }
        let on_link = local::on_link(&self.network, &watched);
        if self.on_link != on_link {
            self.sample_before_change();
            self.on_link.clone_from(&on_link);
            self.ledger.set_on_link(on_link);
        }
    }

    /// Counts what passed until now, for whom it was until now.
    pub(super) fn sample_before_change(&mut self) {
        let now = kernel::now().monotonic;
        let took = Duration::from_secs_f64(self.poll.last_seconds);
        let soonest = SOONEST.max(took.saturating_mul(REST));
        let is_due = |sampled| now.since(sampled) >= soonest;
        // Before the first sample there is nobody yet.
        if self.sampled.is_some_and(|now| is_due(now.monotonic)) {
            self.tick();
        }
    }
}
