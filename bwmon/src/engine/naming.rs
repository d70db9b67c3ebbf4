//! Hands what others call devices to the ledger, and addresses to those who can ask about them.

use std::time::Duration;

use super::Engine;
use crate::{
    core::time::{Monotonic, Now},
    sources::{
        names::{Ask, Reach, Told},
        vendor::vendor,
    },
};

/// How often the addresses of all devices in use are offered to be asked about again. Only those are
/// asked about whose last answer is old.
const OFFER_EVERY: Duration = Duration::from_secs(60);

impl Engine {
    /// Takes in what is new.
    pub(super) fn call(&mut self, told: Told) {
        match told {
            Told::Facts(facts) => self.ledger.call(facts),
            Told::Nothing(source) => self.ledger.forget_source(source),
        }
    }

    /// Puts the settings of names in force.
    pub(super) fn apply_names(&mut self) {
        self.names.reconfigure(self.config.names.clone());
        let vendors = self.config.names.vendor.then_some(vendor as _);
        self.ledger.set_vendors(vendors);
        // Whoever is asked now was not before.
        self.names_offered = Monotonic(Duration::ZERO);
    }

    /// Says which networks are local, and which interfaces face them.
    pub(super) fn reach_names(&self) {
        let links = self.watches.iter().filter_map(|watch| watch.link.as_ref());
        self.names.set_reach(Reach {
            networks: self.local.networks.clone(),
            interfaces: links.map(|link| link.index).collect(),
        });
    }

    /// Offers addresses that are new, and once in a while all that may have another name by now.
    pub(super) fn offer_addresses(&mut self, now: &Now) {
        let new = self.ledger.take_unasked().into_iter();
        let mut asks: Vec<Ask> = new
            .map(|(address, is_anew)| Ask { address, is_anew })
            .collect();
        if now.monotonic.since(self.names_offered) >= OFFER_EVERY {
            self.names_offered = now.monotonic;
            let again = self.ledger.to_ask_again(now.wall);
            asks.extend(again.map(|address| Ask {
                address,
                is_anew: false,
            }));
        }
        if !self.names.ask(asks) {
            log::debug!("addresses to ask about are not taken; they are offered again");
        }
    }
}
